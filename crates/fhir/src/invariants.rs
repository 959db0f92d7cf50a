//! R4's invariants, as `data/invariants.txt` has them.
//!
//! The table is made by `cargo xtask fhir-tables` from HL7's structure definitions:
//!
//! ```text
//! @Patient.contact               a type, a backbone or an element
//! pat-1<TAB>expression<TAB>text  an invariant; ~ before the key makes it a warning
//! ```
//!
//! An invariant is compiled when it is first needed. It is evaluated only where it can fail: for
//! each type that has it, the names that its expression begins with are known, and where it holds
//! for an element without any of them, it is skipped wherever none of them is present.

mod gate;

use std::{collections::HashMap, sync::OnceLock};

use crate::{
    definitions::{self, TypeId},
    fhirpath::FhirPath,
    issue::Severity,
};

/// An invariant.
#[derive(Debug)]
pub(crate) struct Invariant {
    pub(crate) key: &'static str,
    pub(crate) severity: Severity,
    /// HL7's sentence about it.
    pub(crate) human: &'static str,
    expression: &'static str,
    compiled: OnceLock<Option<FhirPath>>,
}

impl Invariant {
    /// The expression; `None` if it is none, which a test rules out.
    pub(crate) fn compiled(&self) -> Option<&FhirPath> {
        self.compiled.get_or_init(|| FhirPath::compile(self.expression).ok()).as_ref()
    }
}

/// An invariant at a type.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) invariant: &'static Invariant,
    of: TypeId,
    gate: OnceLock<Option<Vec<&'static str>>>,
}

impl Check {
    /// Whether it may fail for an object in which only these elements are present.
    pub(crate) fn is_needed<'a>(&self, mut present: impl Iterator<Item = &'a str>) -> bool {
        match self.gate.get_or_init(|| gate::gate(self.invariant, self.of)) {
            Some(names) => present.any(|name| names.contains(&name)),
            None => true,
        }
    }
}

/// Invariants that are published with another expression than is checked here: (key, the
/// expression that is checked, why).
pub(crate) const CORRECTED: &[(&str, &str, &str)] = &[
    (
        "que-7",
        "operator = 'exists' implies (answer is boolean)",
        "as published it asks for System.Boolean, which no element of a document is",
    ),
    (
        "con-3",
        "clinicalStatus.exists() or verificationStatus.coding.where(system = \
         'http://terminology.hl7.org/CodeSystem/condition-ver-status' and code = \
         'entered-in-error').exists() or category.coding.where(code = \
         'problem-list-item').empty()",
        "as published it compares a concept with a string, so that every condition with a \
         category would be warned of",
    ),
];

/// Invariants that are not evaluated as expressions: (key, why).
pub(crate) const BY_HAND: &[(&str, &str)] = &[
    ("ele-1", "checked with the structure: an element has a value, or more than an id"),
    (
        "dom-3",
        "checked in one pass: as published it walks the whole resource five times for each contained one",
    ),
    ("txt-1", "checked with the form of the narrative"),
    ("txt-2", "checked with the form of the narrative"),
];

/// Invariants that are not checked: (key, why).
pub(crate) const LEFT_OUT: &[(&str, &str)] =
    &[("dom-6", "good practice only: a narrative is not what a point-of-care record is made of")];

/// All invariants, by where they apply.
#[derive(Debug)]
pub(crate) struct Invariants {
    /// By type, inherited ones included.
    by_type: Vec<Vec<Check>>,
    by_element: HashMap<TypeId, Vec<(&'static str, &'static Invariant)>>,
}

const TABLE: &str = include_str!("../data/invariants.txt");

/// All invariants as the table has them, with the place of each.
fn listed() -> &'static [(&'static str, Invariant)] {
    static ALL: OnceLock<Vec<(&'static str, Invariant)>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut place = "";
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        lines
            .filter_map(|line| match line.strip_prefix('@') {
                Some(header) => {
                    place = header;
                    None
                }
                None => read(line).map(|invariant| (place, invariant)),
            })
            .collect()
    })
}

fn read(line: &'static str) -> Option<Invariant> {
    let (severity, line) = match line.strip_prefix('~') {
        Some(line) => (Severity::Warning, line),
        None => (Severity::Error, line),
    };
    let mut parts = line.splitn(3, '\t');
    let (key, published, human) = (parts.next()?, parts.next()?, parts.next()?);
    let corrected = CORRECTED.iter().find(|corrected| corrected.0 == key);
    let expression = corrected.map_or(published, |corrected| corrected.1);
    Some(Invariant { key, severity, human, expression, compiled: OnceLock::new() })
}

/// The invariants, read at the first call.
pub(crate) fn get() -> &'static Invariants {
    static INVARIANTS: OnceLock<Invariants> = OnceLock::new();
    INVARIANTS.get_or_init(load)
}

fn load() -> Invariants {
    let definitions = definitions::get();
    let mut own: HashMap<TypeId, Vec<&'static Invariant>> = HashMap::new();
    let mut by_element: HashMap<TypeId, Vec<_>> = HashMap::new();
    for (place, invariant) in listed() {
        if BY_HAND.iter().chain(LEFT_OUT).any(|special| special.0 == invariant.key) {
            continue;
        }
        if let Some(of) = definitions.named(place) {
            own.entry(of).or_default().push(invariant);
        } else if let Some((parent, element)) = place.rsplit_once('.')
            && let Some(of) = definitions.named(parent)
        {
            by_element.entry(of).or_default().push((element, invariant));
        }
    }
    let inherited = |of: TypeId| {
        definitions
            .lineage(of)
            .flat_map(|base| own.get(&base).into_iter().flatten())
            .map(move |invariant| Check { invariant, of, gate: OnceLock::new() })
    };
    let by_type = definitions.types().map(|of| inherited(of).collect()).collect();
    Invariants { by_type, by_element }
}

impl Invariants {
    /// Those of a type.
    pub(crate) fn of_type(&self, of: TypeId) -> &[Check] {
        self.by_type.get(of.number()).map_or(&[], Vec::as_slice)
    }

    /// Those of elements of a type.
    pub(crate) fn of_elements(&self, of: TypeId) -> &[(&'static str, &'static Invariant)] {
        self.by_element.get(&of).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_invariant_is_an_expression_at_a_place_that_there_is() {
        let definitions = definitions::get();
        for (place, invariant) in listed() {
            assert!(invariant.compiled().is_some(), "{}: {}", invariant.key, invariant.expression);
            let is_element = place.rsplit_once('.').is_some_and(|(parent, name)| {
                definitions
                    .named(parent)
                    .is_some_and(|of| definitions.elements(of).any(|e| e.name == name))
            });
            assert!(definitions.named(place).is_some() || is_element, "{place}");
        }
        assert_eq!(listed().len(), 237);
    }

    #[test]
    fn what_is_listed_as_special_is_in_the_table() {
        let published = |key: &str| {
            TABLE
                .lines()
                .any(|line| line.strip_prefix('~').unwrap_or(line).split('\t').next() == Some(key))
        };
        for (key, expression, _) in CORRECTED {
            assert!(published(key), "{key}");
            assert!(!TABLE.contains(expression), "{key}");
        }
        // ele-1 is at every element and dom-6 at every resource: the table leaves them out.
        assert!(["dom-3", "txt-1", "txt-2"].into_iter().all(published));
        assert!(LEFT_OUT.iter().all(|(key, _)| !published(key)));
    }

    #[test]
    fn most_invariants_are_skipped_where_their_elements_are_absent() {
        let definitions = definitions::get();
        let of = definitions.named("Patient").unwrap();
        let needed = |present: &[&'static str]| {
            let checks = get().of_type(of).iter();
            checks
                .filter(|c| c.is_needed(present.iter().copied()))
                .map(|c| c.invariant.key)
                .collect::<Vec<_>>()
        };
        assert_eq!(needed(&["name", "birthDate"]), [""; 0]);
        assert_eq!(needed(&["contained"]), ["dom-2", "dom-4", "dom-5"]);
        let ungated = get().by_type.iter().flatten().filter(|c| c.is_needed([].into_iter()));
        let mut keys: Vec<_> = ungated.map(|check| check.invariant.key).collect();
        keys.sort_unstable();
        keys.dedup();
        // Those that an element must fulfil by something that is there.
        assert!(keys.len() < 60, "{keys:?}");
    }
}
