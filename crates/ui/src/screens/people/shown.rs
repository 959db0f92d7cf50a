//! People as pages show them.

use ondol_app::encounter::{self, Banner};
use ondol_app::people::{Age, BirthDoubt, Person, Sex, grouped};

use crate::moments;
use crate::page::Page;
use crate::texts::T;
use crate::view::{self, Patient};

/// The banner.
pub fn banner(page: &Page, banner: &Banner) -> Patient {
    patient(page, &banner.person, &banner.allergies)
}

/// A person with what is known of allergies.
pub fn patient(page: &Page, person: &Person, allergies: &encounter::Allergies) -> Patient {
    let t = page.t;
    let mut shown = in_list(page, person);
    shown.allergies = match allergies {
        encounter::Allergies::NotAsked => view::Allergies::NotAsked,
        encounter::Allergies::NoneKnown { .. } => view::Allergies::NoneKnown,
        encounter::Allergies::Known(known) => {
            view::Allergies::Known(known.iter().map(|one| allergy(t, one)).collect())
        }
    };
    shown
}

/// An allergy in words: to what, and what happened.
pub fn allergy(t: T, one: &encounter::Allergy) -> String {
    // The words that were said stay beside the name of the list: they may mean something wider.
    let to = match one.atc.as_deref().map(|atc| medicine(t, atc, "")) {
        Some(name) if !one.words.is_empty() && name != one.words => {
            format!("{name} ({})", one.words)
        }
        Some(name) => name,
        None => one.words.clone(),
    };
    let mut text = to;
    if one.severe {
        text = t.msg("people-allergy-severe").arg("to", text).to_string();
    }
    if !one.reaction.is_empty() {
        text = format!("{text} ({})", one.reaction);
    }
    if one.two_versions {
        text = format!("{text} · {}", t.get("chart-two-versions"));
    }
    text
}

/// A medicine by its code in the language of the page; the words that were written if they say
/// more than the name.
pub fn medicine(t: T, atc: &str, words: &str) -> String {
    let Some(known) = ondol_terms::medicine(atc) else { return words.to_owned() };
    let (name, other) = match t.lang() {
        crate::Lang::Ko => (known.ko, known.inn),
        crate::Lang::En => (known.inn, known.ko),
    };
    match words.strip_prefix(other) {
        Some(rest) => format!("{name}{rest}"),
        None if words.is_empty() => name.to_owned(),
        None => words.to_owned(),
    }
}

/// A diagnosis by its code in the language of the page, with the words that were written.
pub fn diagnosis(t: T, code: Option<&str>, words: &str) -> String {
    let known = code.and_then(ondol_terms::diagnosis).map(|known| match t.lang() {
        crate::Lang::Ko => known.ko,
        crate::Lang::En => known.en,
    });
    match (known, words.is_empty()) {
        (Some(name), true) => name.to_owned(),
        (Some(name), false) if name == words => name.to_owned(),
        (Some(name), false) => format!("{name} ({words})"),
        (None, false) => words.to_owned(),
        (None, true) => code.unwrap_or_default().to_owned(),
    }
}

/// A person in a list; what is known of allergies is not asked for there.
pub fn in_list(page: &Page, person: &Person) -> Patient {
    let (t, today) = (page.t, page.today());
    let number = person.number();
    Patient {
        name: name(t, person),
        sex: sex(person.sex),
        age: match person.birth.age(today) {
            Age::Born(date) => moments::Age::Born(date),
            Age::About { years } => moments::Age::About { years },
            Age::Unknown => moments::Age::Unknown,
            // Whoever has died has no age that grows.
            Age::Doubted(BirthDoubt::TooOld) if person.died => moments::Age::Unknown,
            Age::Doubted(BirthDoubt::TooOld) => moments::Age::TooOld,
            Age::Doubted(BirthDoubt::Ahead) => moments::Age::Ahead,
        },
        mother: person.mother.clone(),
        number: number.map_or_else(String::new, |number| grouped(&number.value)),
        provisional: number.is_some() && person.is_provisional(),
        photo: person.photo.map(|_| format!("/people/{}/photo", person.id)),
        allergies: view::Allergies::NotAsked,
        died: person.died,
        href: format!("/people/{}", person.id),
    }
}

/// The name, or what stands in its place.
pub fn name(t: T, person: &Person) -> String {
    if !person.name.is_empty() {
        return person.name.clone();
    }
    if person.is_unnamed_newborn() {
        let baby = if person.mother.is_empty() {
            t.get("people-baby")
        } else {
            t.msg("people-baby-of").arg("mother", person.mother.as_str()).to_string()
        };
        return match person.birth_order {
            Some(1) => format!("{baby} A"),
            Some(2) => format!("{baby} B"),
            Some(3) => format!("{baby} C"),
            _ => baby,
        };
    }
    if person.stranger.is_some() { t.get("people-stranger") } else { String::new() }
}

/// The sex as pages say it.
pub const fn sex(sex: Option<Sex>) -> view::Sex {
    match sex {
        Some(Sex::Female) => view::Sex::Female,
        Some(Sex::Male) => view::Sex::Male,
        Some(Sex::Other) => view::Sex::Other,
        Some(Sex::Unknown) | None => view::Sex::Unknown,
    }
}

/// Where the person lives, in one line.
pub fn address(person: &Person) -> String {
    [person.ri.as_str(), person.house.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
