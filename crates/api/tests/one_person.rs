//! Linked charts and death over the API.

use door::{Door, Facility, ids};
use ondol_access::Role;
use ondol_kernel::ResourceId;
use serde_json::{Value, json};

use crate::door;

fn patient(home: &str) -> Value {
    json!({ "resourceType": "Patient", "name": [{ "text": "리용희" }], "gender": "female",
        "birthDate": "1961-03-02", "managingOrganization": { "reference": home } })
}

fn allergy(patient: &str) -> Value {
    json!({ "resourceType": "AllergyIntolerance", "code": { "text": "페니실린" },
        "patient": { "reference": format!("Patient/{patient}") },
        "clinicalStatus": { "coding": [{ "code": "active",
            "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical" }] },
        "verificationStatus": { "coding": [{ "code": "confirmed",
            "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification" }] } })
}

fn id(text: &str) -> ResourceId {
    ResourceId::new(text).unwrap()
}

/// A clinic with one of its own people and somebody of the next village.
fn village() -> Door {
    let facility = Facility::new();
    facility.put("own", patient("Organization/clinic"));
    facility.put("far", patient("Organization/elsewhere"));
    facility.put("a1", allergy("far"));
    Door::of(facility)
}

#[tokio::test]
async fn what_a_linked_chart_says_is_read_while_the_link_stands_and_never_written_by_it() {
    let door = village();
    let worker = door.person("worker", &[Role::HealthWorker]);
    door.with("worker", ("GET", "/AllergyIntolerance/a1"), &[], "").await.expect(403);
    let app = &door.facility.app;
    app.receive(&worker, &id("far")).unwrap();
    app.link_persons(&worker, &id("far"), &id("own"), "한 사람").unwrap();
    // The visit ends, and with it the relation of its own.
    let view = door.facility.store().read().unwrap();
    let chart = ondol_record::ChartId::Patient(id("far"));
    let encounter = view.chart(&chart, &["Encounter"]).unwrap()[0].shown.id.clone();
    drop(view);
    let mut ended = door.facility.get("Encounter", encounter.as_str()).unwrap();
    ended["status"] = json!("finished");
    door.facility.put(encounter.as_str(), ended);
    door.facility.clock.pass_minutes(3 * 24 * 60);

    door.with("worker", ("GET", "/AllergyIntolerance/a1"), &[], "").await.expect(200);
    let found = door.with("worker", ("GET", "/AllergyIntolerance?patient=far"), &[], "").await;
    assert_eq!(ids(&found.expect(200)), ["a1"]);
    let summary = door.with("worker", ("GET", "/Patient/own/$summary"), &[], "").await;
    assert!(summary.expect(200).to_string().contains("페니실린"), "an allergy in either counts");
    let refused =
        door.with("worker", ("POST", "/AllergyIntolerance"), &[], allergy("far").to_string());
    refused.await.expect(403);
    // Whoever is looked for is told as the one in use.
    let asked = patient("Organization/clinic").to_string();
    let found = door.with("worker", ("POST", "/Patient/$match"), &[], asked).await.expect(200);
    assert_eq!(ids(&found), ["own"]);

    app.unlink_persons(&worker, &id("own"), &id("far"), "다른 사람").unwrap();
    door.with("worker", ("GET", "/AllergyIntolerance/a1"), &[], "").await.expect(403);
    let found = door.with("worker", ("GET", "/AllergyIntolerance?patient=far"), &[], "").await;
    assert!(ids(&found.expect(200)).is_empty());
}

#[tokio::test]
async fn that_somebody_died_is_written_by_who_may_certify_it() {
    let door = village();
    door.person("nurse", &[Role::Nurse]);
    let mut dead = door.get("/Patient/own").await.expect(200);
    dead["deceasedDateTime"] = json!("2026-03-01");
    let text = dead.to_string();
    door.with("nurse", ("PUT", "/Patient/own"), &[], text).await.expect(403);
    door.put("/Patient/own", &dead).await.expect(200);
    let mut named = door.get("/Patient/own").await.expect(200);
    named["name"] = json!([{ "text": "리영희" }]);
    let text = named.to_string();
    door.with("nurse", ("PUT", "/Patient/own"), &[], text).await.expect(200);
    let mut alive = named;
    alive.as_object_mut().unwrap().shift_remove("deceasedDateTime");
    let text = alive.to_string();
    door.with("nurse", ("PUT", "/Patient/own"), &[], text).await.expect(403);
}
