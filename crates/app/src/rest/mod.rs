//! The FHIR R4 REST API without its transport: what each interaction does, for whom, and how
//! it is answered. The web server in `api` reads requests and writes answers; nothing is decided
//! there.

pub mod access;
mod bundle;
mod criteria;
mod error;
mod fault;
mod guard;
pub mod import;
mod journal;
mod known;
mod matching;
mod number;
mod read;
mod sealed;
mod search;
mod sight;
mod summary;
mod terminology;
mod text;
mod validation;
mod write;

pub use bundle::{PreferReturn, outcome_of_done};
pub use error::{ElementFault, ParameterFault, RestError};
pub use journal::{Journal, JournalPlace, JournalRequest};
pub use known::Known;
pub use ondol_record::VersionId;
pub use read::{Answer, History, Past, since};
pub use search::{COMMON, Mode, PageToken, SearchAnswer, SearchRequest, Within, pairs_of};
pub use summary::{Item as SummaryItem, Listed, Summary};
pub use terminology::{Inputs, TermFault, TermQuestion};
pub use text::{BundleText, quoted};
pub use validation::Validation;
pub use write::{Done, How, Outcome, Stands, Verb, Write};

use ondol_fhir::{ResourceType, Severity, views::OutcomeBuilder};

/// Extension of a resource with several heads: a reference to the version of each other one.
pub const RIVAL: &str = "urn:ondol:rival";

/// The types that clients save and read here. `Parameters` and `OperationOutcome` only travel.
pub fn is_served(kind: ResourceType) -> bool {
    !matches!(kind, ResourceType::Parameters | ResourceType::OperationOutcome)
}

/// The types that clients write. The audit is written by what is done, and by nobody else.
pub fn is_written(kind: ResourceType) -> bool {
    is_served(kind) && kind != ResourceType::AuditEvent
}

/// The versions that entity tags name: `W/"v"` or `"v"`, several with commas between.
/// None if the text has another form.
pub fn etags(text: &str) -> Option<Vec<VersionId>> {
    text.split(',')
        .map(|tag| {
            let tag = tag.trim();
            let quoted = tag.strip_prefix("W/").unwrap_or(tag);
            VersionId::from_hex(quoted.strip_prefix('"')?.strip_suffix('"')?)
        })
        .collect()
}

/// A result of a search as a bundle in JSON text.
pub fn searchset(found: &SearchAnswer, request: &SearchRequest<'_>) -> String {
    searchset_at(found, request, &request.path())
}

/// As [`searchset`], of an operation at `path` below the server's address.
pub fn searchset_at(found: &SearchAnswer, request: &SearchRequest<'_>, path: &str) -> String {
    let base = request.base;
    let mut bundle = BundleText::new("searchset");
    if let Some(total) = found.total {
        bundle.total(total);
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(&request.pairs);
    let query = query.finish();
    let own = match &request.page {
        Some(token) => format!("{base}/{path}?_page={}", token.as_text()),
        None if query.is_empty() => format!("{base}/{path}"),
        None => format!("{base}/{path}?{query}"),
    };
    let mut links = vec![("self", own)];
    if let Some(next) = &found.next {
        links.push(("next", format!("{base}/{path}?_page={}", next.as_text())));
    }
    bundle.links(&links);
    for (mode, answer) in &found.entries {
        let url = quoted(&format!("{base}/{}/{}", answer.resource_type, answer.id));
        let search = match mode {
            Mode::Match => r#"{"mode":"match"}"#,
            Mode::Include => r#"{"mode":"include"}"#,
        };
        bundle.entry(&[("fullUrl", &url), ("resource", &answer.json), ("search", search)]);
    }
    let mut warnings = OutcomeBuilder::default();
    for name in &found.ignored {
        let says = format!("the parameter '{name}' is not supported and was passed over");
        let at = format!("http.{name}");
        warnings.push(Severity::Warning, "not-supported", "parameter-ignored", &says, Some(&at));
    }
    if found.includes_cut {
        let says = "not everything that was to be included is in this page";
        warnings.push(Severity::Warning, "incomplete", "includes-cut", says, None);
    }
    if !found.ignored.is_empty() || found.includes_cut {
        bundle.outcome(&warnings.build());
    }
    bundle.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entity_tags_name_versions() {
        let one = VersionId([0, 255, 0, 255, 0, 255, 0, 255]);
        assert_eq!(etags(r#"W/"00ff00ff00ff00ff""#), Some(vec![one]));
        let two = r#"W/"00ff00ff00ff00ff", "00ff00ff00ff00ff""#;
        assert_eq!(etags(two), Some(vec![one, one]));
        for bad in ["", "*", "00ff00ff00ff00ff", r#"W/"1""#, r#"W/"00ff00ff00ff00ff" x"#] {
            assert_eq!(etags(bad), None, "{bad}");
        }
    }
}
