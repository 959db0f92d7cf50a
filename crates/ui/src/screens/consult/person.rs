//! The banner of a case.

use ondol_app::{encounter, people};
use ondol_kernel::ResourceId;

use crate::moments::Age;
use crate::view::{Allergies, Patient, Sex};

/// The address of a person's chart.
pub fn chart_path(id: &str) -> String {
    format!("/people/{id}")
}

/// The banner as the pages show it.
pub fn patient(banner: &encounter::Banner, today: ondol_kernel::Date) -> Patient {
    let person = &banner.person;
    let number = person.number();
    let id: &ResourceId = &person.id;
    Patient {
        name: person.name.clone(),
        sex: match person.sex {
            Some(people::Sex::Female) => Sex::Female,
            Some(people::Sex::Male) => Sex::Male,
            Some(people::Sex::Other) => Sex::Other,
            Some(people::Sex::Unknown) | None => Sex::Unknown,
        },
        age: age(person, today),
        mother: person.mother.clone(),
        number: number.map_or_else(String::new, |number| people::grouped(&number.value)),
        provisional: person.is_provisional() && number.is_some(),
        photo: None,
        allergies: match &banner.allergies {
            encounter::Allergies::NotAsked => Allergies::NotAsked,
            encounter::Allergies::NoneKnown { .. } => Allergies::NoneKnown,
            encounter::Allergies::Known(all) => {
                Allergies::Known(all.iter().map(|one| one.words.clone()).collect())
            }
        },
        died: person.died,
        href: chart_path(id.as_str()),
    }
}

/// How old somebody is.
pub fn age(person: &people::Person, today: ondol_kernel::Date) -> Age {
    match person.birth.age(today) {
        people::Age::Born(date) => Age::Born(date),
        people::Age::About { years } => Age::About { years },
        people::Age::Unknown => Age::Unknown,
    }
}
