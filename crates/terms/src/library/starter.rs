//! The lists of this crate as code systems of which a part is held, and as value sets.

use std::sync::OnceLock;

use serde_json::{Value, json};

use super::{Concept, Content, Designation, Head, Listed};
use crate::{ATC, ICD_10, LOINC, diagnoses, medicines, vitals};

/// The language of the Korean names: as it is written in the north.
pub const KOREAN: &str = "ko-KP";

/// The value sets of the lists, by their canonical URLs.
pub const STARTER_SETS: [&str; 3] =
    ["urn:ondol:diagnoses", "urn:ondol:medicines", "urn:ondol:vitals"];

/// The part of ICD-10, ATC or LOINC that the lists hold; none for another system.
pub fn starter_system(url: &str) -> Option<&'static Listed> {
    static ALL: OnceLock<[Listed; 3]> = OnceLock::new();
    let all = ALL.get_or_init(|| [icd_10(), atc(), loinc()]);
    let at = [ICD_10, ATC, LOINC].iter().position(|known| *known == url)?;
    Some(&all[at])
}

/// One of [`STARTER_SETS`] as a FHIR `ValueSet`.
pub fn starter_set(url: &str) -> Option<Value> {
    let (title, system, codes): (&str, &str, Vec<&str>) = match url {
        "urn:ondol:diagnoses" => {
            ("Complaints and diagnoses", ICD_10, diagnoses().iter().map(|one| one.code).collect())
        }
        "urn:ondol:medicines" => {
            ("Essential medicines", ATC, medicines().iter().map(|one| one.atc).collect())
        }
        "urn:ondol:vitals" => {
            ("Vital signs", LOINC, vitals().iter().map(|one| one.loinc).collect())
        }
        _ => return None,
    };
    let concepts: Vec<Value> = codes.into_iter().map(|code| json!({ "code": code })).collect();
    Some(json!({
        "resourceType": "ValueSet",
        "url": url,
        "title": title,
        "status": "active",
        "compose": { "include": [{ "system": system, "concept": concepts }] }
    }))
}

fn part_of(url: &str, title: &str) -> Listed {
    Listed::new(Head {
        url: url.to_owned(),
        version: None,
        title: title.to_owned(),
        content: Content::Part,
        case_sensitive: true,
    })
}

fn concept(code: &str, en: &str, ko: &str, more: [&[&str]; 2]) -> Concept {
    let [more_ko, more_en] = more;
    let korean = std::iter::once(&ko).chain(more_ko);
    let korean = korean.map(|name| Designation::named(KOREAN, name));
    let english = std::iter::once(&en).chain(more_en);
    let english = english.map(|name| Designation::named("en", name));
    Concept {
        code: code.to_owned(),
        display: Some(en.to_owned()),
        designations: korean.chain(english).collect(),
        ..Concept::default()
    }
}

fn icd_10() -> Listed {
    let mut listed = part_of(ICD_10, "ICD-10: complaints and diagnoses of the starter list");
    for one in diagnoses() {
        let more: [&[&str]; 2] = [&one.synonyms_ko, &one.synonyms_en];
        listed.add(concept(one.code, one.en, one.ko, more), None);
    }
    listed
}

fn atc() -> Listed {
    let mut listed = part_of(ATC, "ATC: essential medicines of the starter list");
    for one in medicines() {
        let more: [&[&str]; 2] = [&one.synonyms_ko, &one.synonyms_en];
        listed.add(concept(one.atc, one.inn, one.ko, more), None);
    }
    listed
}

fn loinc() -> Listed {
    let mut listed = part_of(LOINC, "LOINC: vital signs of the starter list");
    for one in vitals() {
        listed.add(concept(one.loinc, one.en, one.ko, [&[], &[]]), None);
    }
    listed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::System;

    #[test]
    fn every_entry_of_the_lists_is_a_concept_with_both_languages() {
        for url in STARTER_SETS {
            let set = starter_set(url).unwrap();
            let include = &set["compose"]["include"][0];
            let system = starter_system(include["system"].as_str().unwrap()).unwrap();
            for listed in include["concept"].as_array().unwrap() {
                let concept = system.concept(listed["code"].as_str().unwrap()).unwrap().unwrap();
                assert_ne!(concept.called(Some("ko")), concept.called(Some("en")));
                assert_eq!(concept.called(None), concept.called(Some("en-GB")));
            }
        }
    }
}
