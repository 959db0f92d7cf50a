//! Compartments (R4 3.1.5): which resources belong to a patient, an encounter, a related person,
//! a practitioner or a device.
//!
//! `data/compartments.txt`, made by `cargo xtask fhir-tables`:
//!
//! ```text
//! @Patient                          a compartment
//! Observation subject performer     a type, and the parameters by which it belongs there
//! Encounter {def}                   the one whose compartment it is
//! ```

use std::{collections::HashMap, sync::OnceLock};

use crate::ResourceType;

type Table = HashMap<(ResourceType, ResourceType), Vec<&'static str>>;

/// The types that have a compartment.
pub const COMPARTMENTS: [ResourceType; 5] = [
    ResourceType::Patient,
    ResourceType::Encounter,
    ResourceType::RelatedPerson,
    ResourceType::Practitioner,
    ResourceType::Device,
];

/// The parameters of a type that lead to the one whose compartment it is, any of which does.
/// `{def}` means the one itself. None if the type stands in no such compartment.
pub fn compartment(of: ResourceType, kind: ResourceType) -> Option<&'static [&'static str]> {
    static TABLE: OnceLock<Table> = OnceLock::new();
    // The text is part of the program and a test reads it, so this cannot fail where it runs.
    let table = TABLE.get_or_init(|| load().expect("the built-in table is well formed"));
    table.get(&(of, kind)).map(Vec::as_slice)
}

fn load() -> Option<Table> {
    let (mut table, mut of) = (Table::new(), None);
    for line in include_str!("../data/compartments.txt").lines() {
        if line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('@') {
            of = Some(ResourceType::from_name(name)?);
            continue;
        }
        let mut words = line.split(' ');
        let kind = ResourceType::from_name(words.next()?)?;
        table.insert((of?, kind), words.collect());
    }
    Some(table)
}

#[cfg(test)]
mod tests {
    use ResourceType::{Group, Observation, Organization, Patient};

    use super::*;

    #[test]
    fn every_parameter_of_the_table_is_one_of_its_type() {
        for of in COMPARTMENTS {
            let mut types = 0;
            for &kind in ResourceType::ALL {
                for code in compartment(of, kind).unwrap_or_default() {
                    types += 1;
                    assert!(
                        *code == "{def}" || crate::param(kind, code).is_some(),
                        "{kind} {code}"
                    );
                }
            }
            assert!(types > 10, "{of}");
        }
        assert_eq!(compartment(Patient, Observation), Some(&["subject", "performer"][..]));
        assert_eq!(compartment(Patient, Organization), None);
        assert_eq!(compartment(Group, Observation), None);
    }
}
