//! The code systems of R4's required bindings, and the value sets themselves, as tables that are
//! built in.
//!
//! `data/systems.txt`, made by `cargo xtask fhir-tables`:
//!
//! ```text
//! @~goal-status<tab>4.0.1<tab>GoalLifecycleStatus   a system, its version, its title
//! active<tab>Active                                 a code and what it is called
//!  on-hold<tab>On Hold                              below the one before that stands further left
//! question<tab>Question<tab>!                       not to be chosen itself
//! ```

use std::{collections::HashMap, sync::OnceLock};

use crate::definitions;

/// A code system that is built in, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeSystem {
    /// Its canonical URL.
    pub url: String,
    /// Its version.
    pub version: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Its concepts, each after the one that it stands below.
    pub concepts: Vec<Concept>,
}

/// A concept of a code system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concept {
    /// Its code.
    pub code: &'static str,
    /// What it is called, in English.
    pub display: &'static str,
    /// The code that it stands below.
    pub parent: Option<&'static str>,
    /// Whether it is there for its children alone.
    pub is_abstract: bool,
}

const SYSTEMS: &str = include_str!("../data/systems.txt");

/// The prefixes of the canonical URLs of R4's own value sets, and of those of HL7's version 3.
const SETS: &str = "http://hl7.org/fhir/ValueSet/";
const SETS_V3: &str = "http://terminology.hl7.org/ValueSet/";

/// The prefix of the URL of a value set with this name in the table.
fn prefix_of(name: &str) -> &'static str {
    if name.starts_with("v3-") { SETS_V3 } else { SETS }
}

/// The code system of a URL, if a required binding of R4 draws from it.
pub fn code_system(url: &str) -> Option<&'static CodeSystem> {
    static ALL: OnceLock<HashMap<String, CodeSystem>> = OnceLock::new();
    ALL.get_or_init(|| load().into_iter().map(|one| (one.url.clone(), one)).collect()).get(url)
}

/// The canonical URLs of the value sets that R4's required bindings name and whose codes are
/// built in.
pub fn value_sets() -> impl Iterator<Item = String> {
    definitions::value_set_names().map(|name| format!("{}{name}", prefix_of(name)))
}

/// System and code of everything in one of the value sets that R4's required bindings name, by
/// its canonical URL with or without a version. None if it is another one.
pub fn codes_of(url: &str) -> Option<Vec<(String, &'static str)>> {
    let bare = url.split('|').next()?;
    let name = bare.strip_prefix(SETS).or_else(|| bare.strip_prefix(SETS_V3))?;
    // A URL that only ends like one is another set.
    (format!("{}{name}", prefix_of(name)) == bare)
        .then(|| definitions::value_set(name))
        .flatten()
        .map(definitions::ValueSet::coded)
}

fn load() -> Vec<CodeSystem> {
    let mut systems: Vec<CodeSystem> = vec![];
    let mut above: Vec<&'static str> = vec![];
    for line in SYSTEMS.lines().filter(|line| !line.starts_with('#')) {
        if let Some(header) = line.strip_prefix('@') {
            let mut cells = header.split('\t');
            let mut next = || cells.next().unwrap_or("");
            let (short, version, title) = (next(), next(), next());
            let url = definitions::lengthen(short);
            systems.push(CodeSystem { url, version, title, concepts: vec![] });
            above.clear();
            continue;
        }
        let depth = line.len() - line.trim_start_matches(' ').len();
        let mut cells = line[depth..].split('\t');
        let mut next = || cells.next().unwrap_or("");
        let (code, display, sign) = (next(), next(), next());
        above.truncate(depth);
        let parent = above.last().copied();
        above.push(code);
        if let Some(system) = systems.last_mut() {
            system.concepts.push(Concept { code, display, parent, is_abstract: sign == "!" });
        }
    }
    systems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_a_required_binding_is_called_something() {
        let mut count = 0;
        for set in value_sets() {
            for (system, code) in codes_of(&set).unwrap() {
                // Units are UCUM's.
                if system == "http://unitsofmeasure.org" {
                    continue;
                }
                let held = code_system(&system).unwrap_or_else(|| panic!("{set} needs {system}"));
                let concept = held.concepts.iter().find(|concept| concept.code == code);
                assert!(!concept.unwrap().display.is_empty(), "{system} {code}");
                count += 1;
            }
        }
        assert!(count > 1_500);
    }

    #[test]
    fn concepts_stand_below_others() {
        let system = code_system("http://hl7.org/fhir/observation-status").unwrap();
        let of = |code| system.concepts.iter().find(|concept| concept.code == code).unwrap();
        assert_eq!(of("corrected").parent, Some("amended"));
        assert_eq!((of("amended").parent, of("final").display), (None, "Final"));
        let types = code_system("http://hl7.org/fhir/item-type").unwrap();
        assert!(types.concepts.iter().any(|c| c.code == "question" && c.is_abstract));
    }
}
