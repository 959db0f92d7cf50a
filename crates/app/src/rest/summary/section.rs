//! The sections of a summary: which resources stand in each, and how it reads in words.

use std::collections::HashSet;

use ondol_fhir::ResourceType;
use ondol_kernel::Millis;
use ondol_store::Found;
use serde_json::{Value, json};

use super::is;
use crate::{
    coding,
    encounter::{Allergies, PREGNANCY, PRESSURE, Safety, care_moment, concept_words},
    people::{document, items},
    rest::{error::RestError, read::Answer},
};

/// Reports and past illnesses that are told at most, the newest.
const NEWEST: usize = 20;

/// What a statement is of, where our own lists have words for it in each language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// A medicine, by its ATC code.
    Medicine(String),
    /// An illness, by its ICD-10 code.
    Illness(String),
    /// A vital sign, by its key.
    Vital(&'static str),
    /// Blood pressure, both values together.
    Pressure,
}

/// A number with its unit. It has no `Debug`: it tells of somebody.
pub struct Measured {
    /// Of what it is a part; empty where there is one value.
    pub words: String,
    /// The number, as it stands.
    pub number: String,
    /// The unit, as it stands.
    pub unit: String,
}

/// One statement of a section. It has no `Debug`: it tells of somebody.
pub struct Item {
    /// What it is of, in the words of the record; may be empty where it is listed.
    pub words: String,
    /// How much is taken, what happened, what was found; may be empty.
    pub detail: String,
    /// What was measured.
    pub measured: Vec<Measured>,
    /// What of our lists it is.
    pub listed: Option<Listed>,
    /// When it was so.
    pub at: Millis,
    pub(super) answer: Answer,
}

/// A section.
pub struct Section {
    /// Its LOINC code.
    pub(super) code: &'static str,
    /// What LOINC calls it.
    display: &'static str,
    title: &'static str,
    pub(super) items: Vec<Item>,
    /// Why it is empty: a code of HL7's `list-empty-reason`, and in words.
    empty: Option<(&'static str, &'static str)>,
}

const UNAVAILABLE: (&str, &str) = ("unavailable", "Nothing is recorded here.");
const NOT_ASKED: (&str, &str) = ("notasked", "Nobody has asked yet.");

/// All sections: the three that every summary has, then those that are not empty.
pub fn sections(all: &[Found], safety: &Safety) -> Result<Vec<Section>, RestError> {
    let asked = matches!(safety.allergies, Allergies::NotAsked);
    let required = [
        Section {
            empty: Some(if asked { NOT_ASKED } else { UNAVAILABLE }),
            ..of("48765-2", allergies(all, safety)?)
        },
        Section { empty: Some(UNAVAILABLE), ..of("10160-0", medicines(all, safety)?) },
        Section { empty: Some(UNAVAILABLE), ..of("11450-4", problems(all, safety, true)?) },
    ];
    let mut sections: Vec<Section> = required.into_iter().collect();
    let more = [
        of("11369-6", plain(all, ResourceType::Immunization, &["completed"])?),
        of("47519-4", plain(all, ResourceType::Procedure, &["completed", "in-progress"])?),
        of("46264-8", plain(all, ResourceType::DeviceUseStatement, &["active"])?),
        of("30954-2", results(all)?),
        of("8716-3", newest_of_each(all, "vital-signs")?),
        of("11348-0", problems(all, safety, false)?),
        of("10162-6", pregnancy(all, safety)?),
    ];
    sections.extend(more.into_iter().filter(|section| !section.items.is_empty()));
    Ok(sections)
}

/// The section of a LOINC code (IPS 2.0.0, Composition).
fn of(code: &'static str, mut items: Vec<Item>) -> Section {
    let (display, title) = match code {
        "48765-2" => ("Allergies and adverse reactions Document", "Allergies and intolerances"),
        "10160-0" => ("History of Medication use Narrative", "Medication summary"),
        "11450-4" => ("Problem list - Reported", "Problems"),
        "11369-6" => ("History of Immunization Narrative", "Immunizations"),
        "47519-4" => ("History of Procedures Document", "Procedures"),
        "46264-8" => ("History of medical device use", "Medical devices"),
        "30954-2" => ("Relevant diagnostic tests/laboratory data Narrative", "Results"),
        "8716-3" => ("Vital signs", "Vital signs"),
        "11348-0" => ("History of Past illness Narrative", "Past illnesses"),
        _ => ("History of pregnancies Narrative", "Pregnancy"),
    };
    items.sort_by_key(|item| std::cmp::Reverse(item.at));
    Section { code, display, title, items, empty: None }
}

impl Section {
    pub(super) fn to_json(&self, offset: i32) -> Value {
        let mut section = json!({
            "title": self.title,
            "code": { "coding": [{
                "system": coding::LOINC,
                "code": self.code,
                "display": self.display
            }] },
            "text": { "status": "generated", "div": self.narrative(offset) }
        });
        if self.items.is_empty() {
            if let Some((reason, _)) = self.empty {
                section["emptyReason"] = json!({ "coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/list-empty-reason",
                    "code": reason
                }] });
            }
        } else {
            let entry = self.items.iter().map(|item| {
                json!({ "reference": format!("{}/{}", item.answer.resource_type, item.answer.id) })
            });
            section["entry"] = entry.collect::<Vec<_>>().into();
        }
        section
    }

    fn narrative(&self, offset: i32) -> String {
        let mut div = r#"<div xmlns="http://www.w3.org/1999/xhtml">"#.to_owned();
        if self.items.is_empty() {
            div.extend(["<p>", self.empty.map_or("", |(_, words)| words), "</p>"]);
        } else {
            div.push_str("<ul>");
            for item in &self.items {
                let day = item.at.to_fhir(offset);
                let day = day.get(..10).unwrap_or_default();
                let mut words = escaped(&item.words);
                if words.is_empty() {
                    words = item.listed.as_ref().map_or_else(|| "?".to_owned(), in_english);
                }
                let measured = item.measured_in_words(str::to_owned);
                for behind in [&measured, &item.detail] {
                    if !behind.is_empty() {
                        words.extend([": ", &escaped(behind)]);
                    }
                }
                div.extend(["<li>", &words, " (", day, ")</li>"]);
            }
            div.push_str("</ul>");
        }
        div.push_str("</div>");
        div
    }
}

impl Item {
    /// What was measured: `118/76 mmHg`, `62.50 kg`, or each part with its name. `unit` gives the
    /// words for a unit.
    pub fn measured_in_words(&self, unit: impl Fn(&str) -> String) -> String {
        let of = |one: &Measured| {
            format!("{} {} {}", one.words, one.number, unit(&one.unit)).trim().to_owned()
        };
        match (&self.listed, &self.measured[..]) {
            (Some(Listed::Pressure), [upper, lower]) => {
                format!("{}/{} {}", upper.number, lower.number, unit(&upper.unit))
            }
            (_, measured) => measured.iter().map(of).collect::<Vec<_>>().join(", "),
        }
    }
}

/// Text as XHTML, without what XML does not take.
fn escaped(text: &str) -> String {
    let mut to = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => to.push_str("&amp;"),
            '<' => to.push_str("&lt;"),
            '>' => to.push_str("&gt;"),
            '"' => to.push_str("&quot;"),
            '\t' | '\n' | '\r' => to.push(' '),
            letter if letter.is_control() => {}
            letter => to.push(letter),
        }
    }
    to
}

/// An item of a resource: what its concept says, with a value or a state as detail.
fn item(found: &Found, concept: &str, detail: &str) -> Result<Item, RestError> {
    let body = document(found)?;
    let concept = &body[concept];
    let of = |system| coding::code_of(concept, system).map(str::to_owned);
    let listed = of(coding::ATC).map(Listed::Medicine);
    let listed = listed.or_else(|| of(coding::ICD10).map(Listed::Illness));
    let vital = of(coding::LOINC)
        .and_then(|code| ondol_terms::vitals().iter().find(|vital| vital.loinc == code));
    let listed = listed.or_else(|| vital.map(|vital| Listed::Vital(vital.key)));
    let pressure = of(coding::LOINC).is_some_and(|code| code == PRESSURE);
    let listed = if pressure { Some(Listed::Pressure) } else { listed };
    let mut words = concept_words(concept);
    if vital.is_some_and(|vital| vital.loinc == words) || words == PRESSURE {
        words.clear();
    }
    Ok(Item {
        words,
        detail: detail.to_owned(),
        measured: measured(&body),
        listed,
        at: care_moment(&body, &found.shown),
        answer: Answer::of(found)?,
    })
}

/// The name in our lists, else the code itself: it says something to somebody.
fn in_english(listed: &Listed) -> String {
    let (code, name) = match listed {
        Listed::Medicine(atc) => (&**atc, ondol_terms::medicine(atc).map(|of| of.inn)),
        Listed::Illness(code) => (&**code, ondol_terms::diagnosis(code).map(|of| of.en)),
        Listed::Pressure => return "Blood pressure".to_owned(),
        Listed::Vital(key) => return ondol_terms::vital(key).map_or(*key, |of| of.en).to_owned(),
    };
    name.map_or_else(|| code.to_owned(), |name| format!("{name} ({code})"))
}

fn allergies(all: &[Found], safety: &Safety) -> Result<Vec<Item>, RestError> {
    let of_type = || all.iter().filter(|found| is(found, ResourceType::AllergyIntolerance));
    let mut told = vec![];
    match &safety.allergies {
        Allergies::NotAsked => {}
        Allergies::NoneKnown { .. } => {
            // The newest that says so.
            let mut items = vec![];
            for found in of_type() {
                let body = document(found)?;
                if coding::has_code(&body["code"], coding::SNOMED, coding::NO_KNOWN_ALLERGY) {
                    let mut item = item(found, "code", "")?;
                    "No known allergies".clone_into(&mut item.words);
                    items.push(item);
                }
            }
            told.extend(items.into_iter().max_by_key(|item| item.at));
        }
        Allergies::Known(known) => {
            for allergy in known {
                let Some(found) = of_type().find(|found| found.shown.id == allergy.id) else {
                    continue;
                };
                let severe = if allergy.severe { "severe" } else { "" };
                let parts = [severe, &allergy.reaction].map(str::to_owned);
                let behind = parts.into_iter().filter(|part| !part.is_empty());
                let behind = behind.collect::<Vec<_>>().join(", ");
                let mut item = item(found, "code", &behind)?;
                item.at = allergy.at;
                told.push(item);
            }
        }
    }
    Ok(told)
}

fn medicines(all: &[Found], safety: &Safety) -> Result<Vec<Item>, RestError> {
    let mut told = vec![];
    for medicine in &safety.medicines {
        let found = all.iter().find(|found| {
            found.shown.id == medicine.id && *found.shown.resource_type == *medicine.resource_type
        });
        if let Some(found) = found {
            told.push(item(found, "medicationCodeableConcept", &medicine.dose)?);
        }
    }
    Ok(told)
}

/// The lasting problems; or the newest of all other illnesses.
fn problems(all: &[Found], safety: &Safety, lasting: bool) -> Result<Vec<Item>, RestError> {
    let problems: HashSet<_> = safety.problems.iter().map(|problem| &problem.id).collect();
    let mut told = vec![];
    for found in all.iter().filter(|found| is(found, ResourceType::Condition)) {
        let body = document(found)?;
        let verification = coding::code_of(&body["verificationStatus"], VERIFICATION);
        let stands = !matches!(verification, Some("entered-in-error" | "refuted"));
        if stands && problems.contains(&found.shown.id) == lasting {
            told.push(item(found, "code", "")?);
        }
    }
    if !lasting {
        told.sort_by_key(|item| std::cmp::Reverse(item.at));
        told.truncate(NEWEST);
    }
    Ok(told)
}

/// HL7's states of verification of conditions.
const VERIFICATION: &str = "http://terminology.hl7.org/CodeSystem/condition-ver-status";

/// All of a type in one of these states.
fn plain(all: &[Found], kind: ResourceType, states: &[&str]) -> Result<Vec<Item>, RestError> {
    let mut told = vec![];
    for found in all.iter().filter(|found| is(found, kind)) {
        let body = document(found)?;
        if body["status"].as_str().is_some_and(|state| states.contains(&state)) {
            let concept = match kind {
                ResourceType::Immunization => "vaccineCode",
                ResourceType::DeviceUseStatement => "device",
                _ => "code",
            };
            let device = body["device"]["display"].as_str().unwrap_or("");
            let mut item = item(found, concept, "")?;
            if kind == ResourceType::DeviceUseStatement && !device.is_empty() {
                device.clone_into(&mut item.words);
            }
            told.push(item);
        }
    }
    Ok(told)
}

/// The newest reports, and the newest of each laboratory value.
fn results(all: &[Found]) -> Result<Vec<Item>, RestError> {
    let states = ["final", "amended", "corrected", "appended"];
    let mut told = plain(all, ResourceType::DiagnosticReport, &states)?;
    told.sort_by_key(|item| std::cmp::Reverse(item.at));
    told.truncate(NEWEST);
    told.extend(newest_of_each(all, "laboratory")?);
    Ok(told)
}

/// The newest observation of each code in a category.
fn newest_of_each(all: &[Found], category: &str) -> Result<Vec<Item>, RestError> {
    let mut newest: Vec<(String, Item)> = vec![];
    for found in all.iter().filter(|found| is(found, ResourceType::Observation)) {
        let body = document(found)?;
        let counts = matches!(body["status"].as_str(), Some("final" | "amended" | "corrected"));
        if !counts || !coding::has_code(&body["category"], coding::OBSERVATION_CATEGORY, category) {
            continue;
        }
        let key = body["code"].to_string();
        let item = item(found, "code", &value(&body))?;
        match newest.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) if known.at < item.at => *known = item,
            Some(_) => {}
            None => newest.push((key, item)),
        }
    }
    Ok(newest.into_iter().map(|(_, item)| item).collect())
}

/// The number of an observation, or those of its components.
fn measured(body: &Value) -> Vec<Measured> {
    let of = |words: String, of: &Value| {
        let unit = of["unit"].as_str().or_else(|| of["code"].as_str()).unwrap_or("").to_owned();
        let number = &of["value"];
        (!number.is_null()).then(|| Measured { words, number: number.to_string(), unit })
    };
    let own = of(String::new(), &body["valueQuantity"]);
    let parts = items(&body["component"])
        .filter_map(|part| of(concept_words(&part["code"]), &part["valueQuantity"]));
    own.into_iter().chain(parts).collect()
}

/// What was found, where it is no number.
fn value(body: &Value) -> String {
    let text = body["valueString"].as_str().map(str::to_owned);
    text.unwrap_or_else(|| concept_words(&body["valueCodeableConcept"]))
}

fn pregnancy(all: &[Found], safety: &Safety) -> Result<Vec<Item>, RestError> {
    if safety.pregnancy.is_none() {
        return Ok(vec![]);
    }
    let mut told = vec![];
    for found in all.iter().filter(|found| is(found, ResourceType::Observation)) {
        let body = document(found)?;
        if coding::has_code(&body["code"], coding::LOINC, PREGNANCY) {
            told.push(item(found, "code", &value(&body))?);
        }
    }
    Ok(told.into_iter().max_by_key(|item| item.at).into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_sound_xhtml() {
        assert_eq!(escaped("a<b>&\"c\"\n\u{1}d"), "a&lt;b&gt;&amp;&quot;c&quot; d");
    }

    #[test]
    fn what_was_measured_is_told_with_its_unit() {
        let pressure = json!({"component": [
            {"code": {"text": "systolic"}, "valueQuantity": {"value": 118, "unit": "mmHg"}},
            {"code": {"text": "diastolic"}, "valueQuantity": {"value": 76, "unit": "mmHg"}}]});
        let all = measured(&pressure);
        let told: Vec<_> = all.iter().map(|of| (&*of.words, &*of.number, &*of.unit)).collect();
        assert_eq!(told, [("systolic", "118", "mmHg"), ("diastolic", "76", "mmHg")]);
        let heat = measured(&json!({"valueQuantity": {"value": 36.6, "code": "Cel"}}));
        assert_eq!((&*heat[0].number, &*heat[0].unit), ("36.6", "Cel"));
        assert_eq!(value(&json!({"valueCodeableConcept": {"text": "A"}})), "A");
        assert!(measured(&json!({})).is_empty() && value(&json!({})).is_empty());
    }
}
