//! `Patient/$match`: who somebody is, told to those who may see them.

use door::{Door, Facility, Reply, ids};
use ondol_access::Role;
use ondol_kernel::ResourceId;
use ondol_record::ChartId;
use serde_json::{Value, json};

use crate::door;

const MOTHER: &str = "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName";

fn person(name: &str, birth: &str, mother: &str) -> Value {
    json!({ "resourceType": "Patient", "name": [{ "text": name }], "gender": "female",
        "birthDate": birth, "extension": [{ "url": MOTHER, "valueString": mother }],
        "address": [{ "city": "룡강리" }] })
}

/// A clinic with somebody, her namesake of the same village and age, her sister, and others.
async fn village() -> Door {
    let door = Door::new();
    for (id, name, birth, mother) in [
        ("one", "리용희", "1961-03-02", "김복순"),
        ("namesake", "리용희", "1961-11-19", "박영옥"),
        ("sister", "리순희", "1963-07-21", "김복순"),
        ("other", "최철", "1950-01-30", "한금실"),
        ("another", "강명옥", "1988-10-08", "문정희"),
    ] {
        let mut patient = person(name, birth, mother);
        patient["id"] = id.into();
        door.put(&format!("/Patient/{id}"), &patient).await.expect(201);
    }
    door
}

fn parameters(patient: &Value, more: &[Value]) -> Value {
    let mut all = vec![json!({ "name": "resource", "resource": patient })];
    all.extend_from_slice(more);
    json!({ "resourceType": "Parameters", "parameter": all })
}

async fn asked(door: &Door, who: &str, body: &Value) -> Reply {
    door.with(who, ("POST", "/Patient/$match"), &[], body.to_string()).await
}

fn grade(entry: &Value) -> &str {
    let grade = &entry["search"]["extension"][0];
    assert_eq!(grade["url"], "http://hl7.org/fhir/StructureDefinition/match-grade");
    grade["valueCode"].as_str().unwrap()
}

#[tokio::test]
async fn a_person_is_known_in_other_letters_and_told_from_namesake_and_sister() {
    let door = village().await;
    for name in ["리용희", "이용희", "Ri Yong-hŭi", "Lee Yong Hee"] {
        let body = parameters(&person(name, "1961-03-02", "김복순"), &[]);
        let found = asked(&door, "doctor", &body).await.expect(200);
        assert_eq!((&found["type"], ids(&found)[0].as_str()), (&json!("searchset"), "one"));
        let best = &found["entry"][0];
        assert_eq!(grade(best), "certain", "{name}");
        assert!(best["search"]["score"].as_f64().unwrap() > 0.99);
        assert_eq!(best["resource"]["birthDate"], "1961-03-02");
        let others = found["entry"].as_array().unwrap().iter().skip(1);
        assert!(others.map(grade).all(|grade| grade == "possible"), "{name}");
    }
    let body = parameters(&person("정국철", "2001-05-05", "손미향"), &[]);
    assert_eq!(asked(&door, "doctor", &body).await.expect(200)["total"], 0);
}

#[tokio::test]
async fn only_certain_matches_are_told_if_they_are_asked_for() {
    let door = village().await;
    let only = json!({ "name": "onlyCertainMatches", "valueBoolean": true });
    let exact = parameters(&person("리용희", "1961-03-02", "김복순"), std::slice::from_ref(&only));
    assert_eq!(ids(&asked(&door, "doctor", &exact).await.expect(200)), ["one"]);
    // The name and the village alone: one of two, and nobody knows which.
    let mut vague = person("리용희", "1961", "");
    vague.as_object_mut().unwrap().remove("extension");
    let found = asked(&door, "doctor", &parameters(&vague, &[])).await.expect(200);
    assert_eq!(ids(&found).len(), 2, "{found}");
    let found = asked(&door, "doctor", &parameters(&vague, &[only])).await.expect(200);
    assert_eq!(found["total"], 0);
    let one = parameters(&vague, &[json!({ "name": "count", "valueInteger": 1 })]);
    assert_eq!(ids(&asked(&door, "doctor", &one).await.expect(200)).len(), 1);
}

#[tokio::test]
async fn nobody_is_told_of_whom_they_may_not_read_and_who_is_told_was_read() {
    let facility = Facility::at("county");
    let mut patient = person("리용희", "1961-03-02", "김복순");
    patient["managingOrganization"] = json!({ "reference": "Organization/clinic" });
    facility.put("p", patient.clone());
    let door = Door::of(facility);
    door.person("desk", &[Role::Administrator]);
    let readings = || {
        let view = door.facility.store().read().unwrap();
        view.readings(&ChartId::Patient(ResourceId::new("p").unwrap()), 100).unwrap().len()
    };
    let body = parameters(&patient, &[]);
    asked(&door, "desk", &body).await.expect(403);
    assert_eq!(asked(&door, "doctor", &body).await.expect(200)["total"], 0);
    assert_eq!(readings(), 0, "nothing was shown");
    door.facility.put(
        "e",
        json!({ "resourceType": "Encounter", "status": "in-progress",
            "class": { "code": "AMB" }, "subject": { "reference": "Patient/p" },
            "serviceProvider": { "reference": "Organization/county" } }),
    );
    assert_eq!(ids(&asked(&door, "doctor", &body).await.expect(200)), ["p"]);
    assert_eq!(readings(), 1);
}

#[tokio::test]
async fn what_is_no_question_is_refused_by_its_element() {
    let door = village().await;
    let nobody = json!({ "resourceType": "Parameters", "parameter": [
        { "name": "count", "valueInteger": 3 }] });
    let (code, at) = asked(&door, "doctor", &nobody).await.issue(400);
    assert_eq!((code.as_str(), at.as_str()), ("match-parameters", "Parameters.parameter"));
    let (_, at) = asked(&door, "doctor", &json!({ "resourceType": "Group" })).await.issue(400);
    assert_eq!(at, "Parameters");
    door.get("/Patient/$match").await.expect(405);
    let statement = door.get("/metadata").await.expect(200).to_string();
    assert!(statement.contains("OperationDefinition/Patient-match"));
}
