//! A second look at what a search for an identifier found.
//!
//! Tokens are kept as 64 bits of a hash. Two texts that share them are not to be expected in any
//! nation's lifetime, but to open the chart of another person would be grave, so that the
//! documents themselves are asked.

use ondol_fhir::{IndexValue, Resource, extract};
use ondol_record::ChangeKind;

use crate::{Filter, Found, Query, Stored, Test};

/// The parameter by which people are told apart.
const IDENTIFIER: &str = "identifier";

/// Whether each of the query's identifiers stands in one of the heads.
pub fn is_meant(query: &Query, found: &Found) -> bool {
    let asked = |filter: &&Filter| {
        &*filter.parameter == IDENTIFIER
            && filter.any.iter().all(|test| matches!(test, Test::Token { code: Some(_), .. }))
    };
    let mut filters = query.filters.iter().filter(asked).peekable();
    if filters.peek().is_none() {
        return true;
    }
    let heads = || std::iter::once(&found.shown).chain(&found.rivals);
    let tokens: Vec<(String, String)> = heads().flat_map(identifiers).collect();
    filters.all(|filter| filter.any.iter().any(|test| tokens.iter().any(|one| fits(test, one))))
}

fn fits(test: &Test, (has_system, has_code): &(String, String)) -> bool {
    match test {
        Test::Token { system, code: Some(code) } => {
            system.as_ref().is_none_or(|system| **system == **has_system) && **code == **has_code
        }
        _ => false,
    }
}

/// System and value of each identifier of a version.
fn identifiers(stored: &Stored) -> Vec<(String, String)> {
    let json = stored.json().filter(|_| stored.kind == ChangeKind::Put);
    let value = json.and_then(|json| serde_json::from_str(&json).ok());
    let Some(Ok(resource)) = value.map(Resource::from_json) else { return vec![] };
    let mut tokens = vec![];
    extract(&resource, 0, |param, value| {
        if param.code == IDENTIFIER
            && let IndexValue::Token { system, code: Some(code) } = value
        {
            tokens.push((system.unwrap_or_default().into_owned(), code.to_owned()));
        }
    });
    tokens
}
