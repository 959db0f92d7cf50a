//! The API asks for the same relations as the screens do.

use door::{Door, Facility};
use ondol_access::Role;
use serde_json::{Value, json};

use crate::door;

fn county() -> Door {
    let facility = Facility::at("county");
    facility.put("er", json!({ "resourceType": "Location", "name": "구급실" }));
    facility.put(
        "p",
        json!({ "resourceType": "Patient", "name": [{ "text": "리영희" }],
            "managingOrganization": { "reference": "Organization/clinic" },
            "generalPractitioner": [{ "reference": "Practitioner/village" }] }),
    );
    Door::of(facility)
}

fn emergency(provider: &str) -> Value {
    json!({ "resourceType": "Encounter", "status": "in-progress",
        "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMER" },
        "subject": { "reference": "Patient/p" },
        "serviceProvider": { "reference": provider },
        "location": [{ "location": { "reference": "Location/er" } }] })
}

#[tokio::test]
async fn duty_in_the_emergency_room_opens_the_chart_while_it_lasts() {
    let door = county();
    let manager = door.person("manager", &[Role::FacilityManager]);
    let doctor = door.person("doctor", &[Role::Doctor]);
    door.facility.put("e", emergency("Organization/clinic"));
    let app = &door.facility.app;
    app.set_duty_service(&manager, "emergency", "", None).unwrap();
    door.get("/Patient/p").await.expect(403);
    app.check_in(&doctor, "emergency").unwrap();
    door.get("/Patient/p").await.expect(200);
    door.get("/Encounter/e").await.expect(200);
    door.facility.clock.pass_minutes(1);
    app.check_out(&doctor, "emergency").unwrap();
    door.get("/Patient/p").await.expect(403);
}

#[tokio::test]
async fn the_author_alone_takes_back_what_was_written_when_care_has_ended() {
    let door = county();
    door.person("nurse", &[Role::Nurse]);
    door.facility.put("e", emergency("Organization/county"));
    let note = json!({ "resourceType": "Observation", "status": "final",
        "code": { "text": "기침" }, "subject": { "reference": "Patient/p" } });
    let made = door.with("nurse", ("POST", "/Observation"), &[], note.to_string()).await;
    let id = made.expect(201)["id"].as_str().unwrap().to_owned();
    let mut ended = emergency("Organization/county");
    ended["status"] = json!("finished");
    door.facility.put("e2", ended.clone());
    ended["id"] = json!("e");
    let heads = {
        let view = door.facility.store().read().unwrap();
        let e = ondol_kernel::ResourceId::new("e").unwrap();
        view.resource("Encounter", &e).unwrap().unwrap().heads()
    };
    let tag = format!("W/\"{}\"", heads[0]);
    let headers = [("if-match", tag.as_str())];
    door.with("nurse", ("PUT", "/Encounter/e"), &headers, ended.to_string()).await.expect(200);
    door.facility.clock.pass_minutes(48 * 60);
    let path = format!("/Observation/{id}");
    door.get(&path).await.expect(403);
    door.with("doctor", ("DELETE", path.as_str()), &[], "").await.expect(403);
    let done = door.with("nurse", ("DELETE", path.as_str()), &[], "").await;
    assert!((200..300).contains(&done.status), "{}", done.text());
}

#[tokio::test]
async fn another_home_or_section_doctor_is_refused_with_a_plain_sentence() {
    let door = county();
    door.facility.put("e", emergency("Organization/county"));
    let stands = door.get("/Patient/p").await.expect(200);
    let mut named = stands.clone();
    named["name"] = json!([{ "text": "리영희" }, { "text": "영희" }]);
    door.put("/Patient/p", &named).await.expect(200);
    for (member, value) in [
        ("managingOrganization", json!({ "reference": "Organization/county" })),
        ("generalPractitioner", json!([{ "reference": "Practitioner/doctor" }])),
        ("generalPractitioner", Value::Null),
    ] {
        let mut taken = named.clone();
        taken[member] = value;
        if taken[member].is_null() {
            taken.as_object_mut().unwrap().shift_remove(member);
        }
        let refused = door.put("/Patient/p", &taken).await;
        assert_eq!(refused.issue(403).0, "not-at-home", "{member}");
        assert!(refused.text().contains("home facility"), "{}", refused.text());
        let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [{
            "resource": taken, "request": { "method": "PUT", "url": "Patient/p" } }] });
        assert_eq!(door.post("/", &bundle).await.issue(403).0, "not-at-home", "{member}");
    }
    let home = &door.get("/Patient/p").await.expect(200)["managingOrganization"]["reference"];
    assert_eq!(home, "Organization/clinic");
}
