//! What is planted in the charts: each resource says something that stands nowhere else.

use ondol_kernel::ResourceId;
use ondol_record::ChartId;
use serde_json::{Value, json};

use super::page::Chart;

/// A resource that was planted.
#[derive(Debug, Clone)]
pub struct Planted {
    /// The chart's place among all.
    pub chart: usize,
    pub kind: &'static str,
    pub id: String,
    /// `Type/id`.
    pub reference: String,
    /// What stands nowhere else.
    pub marks: Vec<String>,
    /// The version that stands.
    pub version: String,
}

/// Names of people, so that they can be looked for as people are.
const NAMES: [&str; 16] = [
    "리용희",
    "박철수",
    "최은경",
    "강명옥",
    "정국철",
    "한금실",
    "윤성진",
    "오혜련",
    "서광명",
    "문정희",
    "손미향",
    "전일룡",
    "양춘화",
    "홍학수",
    "신옥별",
    "류강산",
];

/// What is unlike of the patient in a chart: name, birth and a number that was measured.
pub fn unlike(chart: usize) -> (&'static str, String, String) {
    let birth = format!("19{}-0{}-1{}", 31 + 4 * chart, 1 + chart % 9, chart % 8);
    (NAMES[chart % NAMES.len()], birth, format!("73.{}07", 10 + chart))
}

pub fn mark(chart: &Chart, kind: &str) -> String {
    format!("zq{}{}qz", chart.name.replace('-', ""), kind.to_lowercase())
}

pub fn id_of(chart: &Chart, kind: &str) -> String {
    match kind {
        "Patient" => chart.name.to_owned(),
        kind => format!("{}-{}", kind.to_lowercase(), chart.name),
    }
}

pub fn chart_id(chart: &Chart) -> ChartId {
    let id = |text: &str| ResourceId::new(text).unwrap();
    match (chart.kind, chart.name) {
        ("patient", name) => ChartId::Patient(id(name)),
        ("practitioner", _) => ChartId::Practitioner(id(&id_of(chart, "Practitioner"))),
        ("nation", _) => ChartId::Nation,
        (_, "own") => ChartId::Facility(id("county")),
        (_, "below") => ChartId::Facility(id("clinic")),
        (_, "above") => ChartId::Facility(id("province")),
        _ => ChartId::Facility(id("specialist")),
    }
}

/// The resource of a type that is planted in a chart.
pub fn resource(at: usize, chart: &Chart, kind: &str) -> (Value, Vec<String>) {
    let (mark, id) = (mark(chart, kind), id_of(chart, kind));
    let (name, birth, value) = unlike(at);
    let mut marks = vec![mark.clone()];
    let of_person = json!({ "reference": format!("Patient/{}", chart.name) });
    let mut body = match kind {
        "Patient" => {
            marks.push(name.to_owned());
            json!({ "name": [{ "text": name, "given": ["Everybody"] }], "gender": "female",
                "birthDate": birth, "photo": [{ "title": mark }] })
        }
        "Observation" => {
            marks.push(value.clone());
            let value: Value = serde_json::from_str(&value).unwrap();
            json!({ "status": "final", "subject": of_person, "note": [{ "text": mark }],
                "category": [{ "coding": [{ "code": "vital-signs",
                    "system": "http://terminology.hl7.org/CodeSystem/observation-category" }] }],
                "code": { "text": "planted", "coding": [{ "system": "http://loinc.org", "code": "8310-5" }] },
                "effectiveDateTime": format!("2026-02-{}T08:00:00+09:00", 10 + at % 16),
                "valueQuantity": { "value": value } })
        }
        "List" => json!({ "status": "current", "mode": "working", "subject": of_person,
            "title": mark, "entry": [
                { "item": { "reference": format!("Observation/{}", id_of(chart, "Observation")) } },
                { "item": of_person }] }),
        "MedicationRequest" => json!({ "status": "active", "intent": "order", "subject": of_person,
            "medicationCodeableConcept": { "text": mark } }),
        "AllergyIntolerance" => json!({ "patient": of_person, "code": { "text": mark },
            "clinicalStatus": { "coding": [{ "code": "active",
                "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical" }] } }),
        "AuditEvent" => json!({ "type": { "code": "rest" }, "recorded": "2026-01-01T00:00:00Z",
            "agent": [{ "requestor": true, "name": mark }], "source": { "observer": { "display": "x" } },
            "entity": [{ "what": of_person }] }),
        "MeasureReport" => json!({ "status": "complete", "type": "summary", "measure": mark,
            "period": { "start": "2026-01" } }),
        "Medication" => json!({ "code": { "text": mark } }),
        "Schedule" => json!({ "comment": mark, "actor": [{ "display": "x" }] }),
        "Communication" => json!({ "status": "completed", "payload": [{ "contentString": mark }] }),
        "Location" => json!({ "name": mark }),
        "CodeSystem" => json!({ "status": "active", "content": "complete", "title": mark }),
        "Practitioner" => json!({ "name": [{ "text": mark }] }),
        _ => json!({ "type": "person", "actual": true, "name": mark }),
    };
    body["resourceType"] = kind.into();
    body["meta"] = json!({ "tag": [{ "system": "urn:planted", "code": "one" }] });
    body["identifier"] = json!([{ "system": "urn:planted", "value": format!("n-{id}") }]);
    (body, marks)
}
