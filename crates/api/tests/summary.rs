//! `Patient/$summary`: the International Patient Summary.

use door::Door;
use ondol_access::Role;
use ondol_fhir::{Resource, validate};
use serde_json::{Value, json};

use crate::door;

const CLINICAL: &str = "http://terminology.hl7.org/CodeSystem/condition-clinical";
const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/condition-category";
const OBSERVATION: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

/// Puts a resource of Patient/p.
async fn put(door: &Door, path: &str, mut body: Value) {
    let (kind, id) = path.split_once('/').unwrap();
    body["resourceType"] = kind.into();
    body["id"] = id.into();
    let about =
        if kind == "AllergyIntolerance" || kind == "Immunization" { "patient" } else { "subject" };
    body[about] = json!({"reference": "Patient/p"});
    if kind == "AllergyIntolerance" {
        body["clinicalStatus"] = json!({"coding": [{"code": "active",
            "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"}]});
    }
    let reply = door.put(&format!("/{path}"), &body).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
}

fn condition(words: &str, category: &str) -> Value {
    json!({
        "code": {"text": words},
        "category": [{"coding": [{"system": CATEGORY, "code": category}]}],
        "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
        "recordedDate": "2026-01-05"
    })
}

fn vital(code: &str, value: &str, at: &str) -> Value {
    let value: Value = serde_json::from_str(value).unwrap();
    json!({
        "status": "final",
        "category": [{"coding": [{"system": OBSERVATION, "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "effectiveDateTime": at,
        "valueQuantity": {"value": value, "unit": "kg",
            "system": "http://unitsofmeasure.org", "code": "kg"}
    })
}

/// Composition and the rest, after the document was found valid.
async fn summary(door: &Door) -> (Value, Vec<Value>) {
    let reply = door.get("/Patient/p/$summary").await;
    let bundle = reply.expect(200);
    let resource = Resource::parse(reply.text().as_bytes()).unwrap();
    assert_eq!(validate(&resource), [], "a valid document, invariants of Bundle among them");
    assert_eq!(bundle["type"], "document");
    let entries = bundle["entry"].as_array().unwrap();
    let composition = entries[0]["resource"].clone();
    assert_eq!(composition["resourceType"], "Composition");
    assert_eq!(bundle["identifier"]["value"], entries[0]["fullUrl"]);
    (composition, entries[1..].iter().map(|entry| entry["resource"].clone()).collect())
}

fn section<'a>(composition: &'a Value, code: &str) -> Option<&'a Value> {
    let sections = composition["section"].as_array().unwrap();
    sections.iter().find(|section| section["code"]["coding"][0]["code"] == code)
}

fn entries(composition: &Value, code: &str) -> Vec<String> {
    let Some(section) = section(composition, code) else { return vec![] };
    let entries = section["entry"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["reference"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn of_an_empty_chart_the_summary_says_that_nothing_is_known() {
    let door = Door::new();
    door.patient("p", "리").await;
    let (composition, rest) = summary(&door).await;
    assert_eq!(composition["subject"]["reference"], "Patient/p");
    assert!(rest.iter().any(|resource| resource["resourceType"] == "Patient"));
    let reason = |code: &str| {
        section(&composition, code).unwrap()["emptyReason"]["coding"][0]["code"].clone()
    };
    assert_eq!(reason("48765-2"), "notasked");
    assert_eq!(reason("10160-0"), "unavailable");
    assert_eq!(reason("11450-4"), "unavailable");
    assert_eq!(composition["section"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn each_section_holds_what_counts_now() {
    let door = Door::new();
    door.patient("p", "리").await;
    let penicillin = json!({"code": {"text": "페니실린 <b>"}, "criticality": "high",
        "reaction": [{"manifestation": [{"text": "두드러기"}]}]});
    put(&door, "AllergyIntolerance/a", penicillin).await;
    let refuted = json!({"code": {"text": "닭알"}, "verificationStatus": {"coding": [{
        "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification",
        "code": "refuted"}]}});
    put(&door, "AllergyIntolerance/no", refuted).await;
    put(&door, "Condition/lasting", condition("고혈압", "problem-list-item")).await;
    put(&door, "Condition/once", condition("감기", "encounter-diagnosis")).await;
    let taken = |status: &str| {
        json!({"status": status, "medicationCodeableConcept": {"coding": [
            {"system": "http://www.whocc.no/atc", "code": "J01CA04"}]},
            "dosage": [{"text": "하루 세번"}]})
    };
    put(&door, "MedicationStatement/now", taken("active")).await;
    put(&door, "MedicationStatement/before", taken("completed")).await;
    put(&door, "Observation/w1", vital("29463-7", "61", "2026-01-01T09:00:00Z")).await;
    put(&door, "Observation/w2", vital("29463-7", "62.50", "2026-01-02T09:00:00Z")).await;
    let shot = json!({"status": "completed", "vaccineCode": {"text": "BCG"},
        "occurrenceDateTime": "2025-05-05"});
    put(&door, "Immunization/bcg", shot).await;

    let (composition, rest) = summary(&door).await;
    assert_eq!(entries(&composition, "48765-2"), ["AllergyIntolerance/a"]);
    assert_eq!(entries(&composition, "10160-0"), ["MedicationStatement/now"]);
    assert_eq!(entries(&composition, "11450-4"), ["Condition/lasting"]);
    assert_eq!(entries(&composition, "11348-0"), ["Condition/once"]);
    assert_eq!(entries(&composition, "8716-3"), ["Observation/w2"]);
    assert_eq!(entries(&composition, "11369-6"), ["Immunization/bcg"]);
    let words = |code: &str| section(&composition, code).unwrap()["text"]["div"].to_string();
    assert!(
        words("48765-2").contains("페니실린 &lt;b&gt;: severe, 두드러기"),
        "{}",
        words("48765-2")
    );
    assert!(words("10160-0").contains("amoxicillin (J01CA04): 하루 세번"), "{}", words("10160-0"));
    assert!(words("8716-3").contains("62.50 kg (2026-01-02)"), "{}", words("8716-3"));
    // Whatever a section names stands in the document, once.
    let mut held: Vec<String> = rest
        .iter()
        .map(|of| {
            format!("{}/{}", of["resourceType"].as_str().unwrap(), of["id"].as_str().unwrap())
        })
        .collect();
    let sections = composition["section"].as_array().unwrap();
    for section in sections {
        for entry in section["entry"].as_array().unwrap_or(&vec![]) {
            assert!(held.iter().any(|one| *one == entry["reference"].as_str().unwrap()), "{entry}");
        }
    }
    held.sort();
    assert!(held.windows(2).all(|two| two[0] != two[1]));
}

#[tokio::test]
async fn none_known_is_another_thing_than_not_asked() {
    let door = Door::new();
    door.patient("p", "리").await;
    let none = json!({"code": {"coding": [
        {"system": "http://snomed.info/sct", "code": "716186003"}]}});
    put(&door, "AllergyIntolerance/none", none).await;
    let (composition, _) = summary(&door).await;
    assert_eq!(entries(&composition, "48765-2"), ["AllergyIntolerance/none"]);
    let section = section(&composition, "48765-2").unwrap();
    assert!(section["text"]["div"].as_str().unwrap().contains("No known allergies"));
    assert!(section.get("emptyReason").is_none());
}

#[tokio::test]
async fn who_may_not_read_the_chart_gets_no_summary_and_who_reads_is_known() {
    let door = Door::new();
    door.patient("p", "리").await;
    door.person("admin", &[Role::Administrator]);
    let refused = door.get_as("admin", "/Patient/p/$summary").await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert_eq!(door.get("/Patient/nobody/$summary").await.status, 404);
    door.get("/Patient/p/$summary").await.expect(200);
    let asked = door.get("/Patient/p/$summary?colour=red").await;
    assert_eq!(asked.status, 400);
}
