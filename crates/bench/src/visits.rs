//! Visits as a clinic writes them, as many as are asked for: the transactions of the clinic's days,
//! each time of another person, at another time and with other readings.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use ondol_kernel::{Class, Millis};
use ondol_record::{Draft, DraftChange, DraftId, draft::DraftContent};
use ondol_testkit::population::Chance;
use serde_json::{Value, json};

use crate::inputs::{ClinicDays, Desk, Ids};

/// Korea's time, minutes east of UTC.
const OFFSET_MINUTES: i32 = 540;
const DAY_S: i64 = 86_400;

/// Makes visits.
pub struct Visits {
    /// Visits of somebody who is known, as they are entered.
    templates: Vec<Value>,
    /// Readings that were taken of each kind.
    readings: BTreeMap<String, Vec<Value>>,
    chance: Chance,
    /// Where it all comes from, for the table.
    pub source: String,
}

impl Visits {
    /// From the days of a clinic, at a facility (`Organization/…`) by somebody (`Practitioner/…`).
    pub fn new(
        days: &ClinicDays,
        organization: &str,
        practitioner: &str,
        seed: u64,
    ) -> Result<Self> {
        let desk = Desk::new(Ids::Own, organization, practitioner);
        let of_known = |bundle: &&Value| {
            resources(bundle).all(|resource| resource["resourceType"] != "Patient")
        };
        let templates: Vec<Value> =
            days.encounters.iter().filter(of_known).map(|bundle| desk.enter(bundle)).collect();
        ensure!(!templates.is_empty(), "no visits to make others from");
        let mut readings: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for resource in templates.iter().flat_map(resources) {
            if let Some(value) = resource["valueQuantity"].get("value") {
                readings.entry(kind(resource)).or_default().push(value.clone());
            }
        }
        let source = format!(
            "{} visits of {} again, each time of another person, at another time, with other readings",
            templates.len(),
            days.source
        );
        Ok(Self { templates, readings, chance: Chance::new(seed), source })
    }

    /// A visit of somebody (`Patient/…`), so many days after a visit of the file.
    pub fn one(&mut self, patient: &str, days: i64, author: &str) -> Draft {
        let mut bundle = self.chance.one_of(&self.templates).clone();
        let later_ms = (days * DAY_S + self.chance.from_to(-1_800, 1_800)) * 1_000;
        self.change(&mut bundle, patient, later_ms);
        draft(&bundle, author)
    }

    fn change(&mut self, value: &mut Value, patient: &str, later_ms: i64) {
        match value {
            Value::Array(all) => {
                for one in all {
                    self.change(one, patient, later_ms);
                }
            }
            Value::Object(_) => {
                let reading = value["resourceType"] == "Observation";
                if let Some(taken) = reading.then(|| self.readings.get(&kind(value))).flatten() {
                    value["valueQuantity"]["value"] = self.chance.one_of(taken).clone();
                }
                for (_, field) in value.as_object_mut().into_iter().flatten() {
                    self.change(field, patient, later_ms);
                }
            }
            Value::String(text) if text.starts_with("Patient/") => patient.clone_into(text),
            Value::String(text) if text.len() > 18 => {
                if let Some(at) = Millis::parse_fhir(text) {
                    let mut shown = at.plus(later_ms).to_fhir(OFFSET_MINUTES);
                    // Seconds, as the file has them.
                    shown.replace_range(19..23, "");
                    *text = shown;
                }
            }
            _ => {}
        }
    }
}

/// A person as a clinic registers them.
pub fn person(id: &str, organization: &str, chance: &mut Chance) -> Draft {
    let families = ["김", "리", "박", "최", "정", "강", "조", "윤"];
    let given = ["영희", "철호", "순옥", "광수", "명숙", "성철", "은경", "춘화", "금철", "향미"];
    let name = format!("{}{}", chance.one_of(&families), chance.one_of(&given));
    let mother = format!("{}{}", chance.one_of(&families), chance.one_of(&given));
    let resource = json!({
        "resourceType": "Patient", "active": true, "name": [{ "text": name }],
        "gender": *chance.one_of(&["female", "male"]),
        "birthDate": format!("{}-{:02}-{:02}", chance.from_to(1940, 2026), chance.from_to(1, 13),
            chance.from_to(1, 29)),
        "contact": [{
            "relationship": [{ "coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH",
            }] }],
            "name": { "text": mother },
        }],
        "managingOrganization": { "reference": organization },
    });
    let entry = json!({ "fullUrl": format!("urn:uuid:{id}"), "resource": resource });
    draft(&json!({ "entry": [entry] }), "")
}

/// What a transaction saves.
pub fn draft(bundle: &Value, author: &str) -> Draft {
    let entries = bundle["entry"].as_array().into_iter().flatten();
    let change = |entry: &Value| DraftChange {
        resource_type: entry["resource"]["resourceType"].as_str().unwrap_or_default().into(),
        id: DraftId::New(entry["fullUrl"].as_str().unwrap_or_default().into()),
        supersedes: vec![],
        chart: None,
        content: DraftContent::Put(entry["resource"].clone()),
    };
    Draft {
        class: Class::Routine,
        care_time: None,
        author: author.into(),
        typist: "".into(),
        changes: entries.map(change).collect(),
    }
}

fn resources(bundle: &Value) -> impl Iterator<Item = &Value> {
    bundle["entry"].as_array().into_iter().flatten().map(|entry| &entry["resource"])
}

fn kind(resource: &Value) -> String {
    resource["code"]["coding"][0]["code"].as_str().unwrap_or_default().to_owned()
}
