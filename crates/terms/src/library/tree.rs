//! What stands above and below what, at any distance. Circles end where they began.

use std::collections::HashSet;

use super::{LibraryError, System};

/// So many codes are gathered at most: more than any system has.
const CODES_MAX: usize = 2_000_000;

/// A code and all that stand below it, as the system writes them. None if the system does not
/// have the code.
pub fn below(system: &dyn System, code: &str) -> Result<Option<HashSet<String>>, LibraryError> {
    closure(system, code, |code| system.children(code))
}

/// A code and all that it stands below.
pub fn above(system: &dyn System, code: &str) -> Result<Option<HashSet<String>>, LibraryError> {
    closure(system, code, |code| system.parents(code))
}

/// Whether a code stands below another one, or is it. Both as the system writes them.
pub fn is_below(system: &dyn System, code: &str, top: &str) -> Result<bool, LibraryError> {
    if code == top {
        return Ok(true);
    }
    Ok(above(system, code)?.is_some_and(|above| above.contains(top)))
}

fn closure(
    system: &dyn System,
    code: &str,
    next: impl Fn(&str) -> Result<Vec<String>, LibraryError>,
) -> Result<Option<HashSet<String>>, LibraryError> {
    let Some(concept) = system.concept(code)? else { return Ok(None) };
    let mut found = HashSet::from([concept.code.clone()]);
    let mut open = vec![concept.code];
    while let Some(code) = open.pop() {
        for other in next(&code)? {
            if found.len() < CODES_MAX && found.insert(other.clone()) {
                open.push(other);
            }
        }
    }
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Listed;
    use serde_json::json;

    #[test]
    fn circles_end_where_they_began() {
        let parent = |code: &str| json!([{ "code": "parent", "valueCode": code }]);
        let listed = Listed::from_fhir(&json!({ "url": "urn:x", "concept": [
            { "code": "a", "property": parent("c") },
            { "code": "b", "property": parent("a") },
            { "code": "c", "property": parent("b") },
            { "code": "d", "property": parent("c") },
            { "code": "e", "property": parent("e") }
        ]}))
        .unwrap();
        let all = |codes: &[&str]| Some(codes.iter().map(|code| (*code).to_owned()).collect());
        assert_eq!(below(&listed, "a").unwrap(), all(&["a", "b", "c", "d"]));
        assert_eq!(above(&listed, "a").unwrap(), all(&["a", "b", "c"]));
        assert_eq!(below(&listed, "e").unwrap(), all(&["e"]));
        assert_eq!(below(&listed, "x").unwrap(), None);
        assert!(is_below(&listed, "d", "b").unwrap());
        assert!(!is_below(&listed, "b", "d").unwrap());
    }
}
