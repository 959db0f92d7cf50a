//! What nobody sees, what is recorded, and what cannot be taken by writing.

use door::{Door, observation};
use ondol_access::Role;
use ondol_kernel::ResourceId;
use ondol_record::ChartId;
use serde_json::{Value, json};

use crate::door;

fn account() -> Value {
    json!({"resourceType":"Basic","code":{"coding":[{"system":"urn:ondol:account","code":"account"}]},
        "subject":{"reference":"Practitioner/clinic-person-0"},
        "extension":[{"url":"urn:ondol:account:password","valueString":"$argon2id$secret"}]})
}

#[tokio::test]
async fn accounts_are_invisible_over_every_door() {
    let door = Door::new();
    door.person("admin", &[Role::Administrator, Role::Doctor, Role::FacilityManager]);
    door.patient("p", "리").await;
    door.facility.put("acc", account());
    door.facility.put(
        "own",
        json!({"resourceType":"Basic","code":{"text":"note"},
        "subject":{"reference":"Patient/p"}}),
    );
    // One that stands in a patient's chart by mistake or by intent, too.
    let mut in_chart = account();
    in_chart["subject"]["reference"] = "Patient/p".into();
    door.facility.put("acc2", in_chart);
    let version = {
        let view = door.facility.store().read().unwrap();
        view.resource("Basic", &ResourceId::new("acc").unwrap()).unwrap().unwrap().shown.version
    };
    let put = json!({"resourceType":"Basic","id":"acc","code":{"text":"x"}}).to_string();
    let batch = json!({"resourceType":"Bundle","type":"batch","entry":[
        {"request":{"method":"GET","url":"Basic/acc"}},
        {"request":{"method":"GET","url":"Basic?_id=acc"}}]})
    .to_string();
    for who in ["doctor", "admin"] {
        for (method, path, body) in [
            ("GET", "/Basic/acc".to_owned(), ""),
            ("GET", format!("/Basic/acc/_history/{version}"), ""),
            ("GET", "/Basic/acc/_history".to_owned(), ""),
            ("GET", "/Basic".to_owned(), ""),
            ("GET", "/Basic?_id=acc,acc2".to_owned(), ""),
            ("GET", "/Basic?code=urn:ondol:account|".to_owned(), ""),
            ("GET", "/Basic?subject=Practitioner/clinic-person-0".to_owned(), ""),
            ("GET", "/Practitioner?_revinclude=Basic:subject".to_owned(), ""),
            ("GET", "/Patient?_revinclude=Basic:subject".to_owned(), ""),
            ("GET", "/Patient/p/$everything".to_owned(), ""),
            ("DELETE", "/Basic/acc".to_owned(), ""),
            ("PUT", "/Basic/acc".to_owned(), put.as_str()),
            ("POST", "/".to_owned(), batch.as_str()),
        ] {
            let reply = door.with(who, (method, &path), &[], body).await;
            assert!(!reply.text().contains("secret"), "{who} {method} {path}");
            assert!(!reply.text().contains("\"id\":\"acc"), "{who} {method} {path}");
        }
        door.get_as(who, "/Basic/acc").await.issue(404);
        let counted = door.get_as(who, "/Basic?_summary=count").await.expect(200);
        assert_eq!(counted["total"], 1, "{who} counts the note and no account");
    }
    assert!(door.facility.get("Basic", "acc").unwrap()["extension"].is_array(), "it still stands");
}

#[tokio::test]
async fn each_request_records_each_chart_once() {
    let door = Door::new();
    let chart = |id: &str| ChartId::Patient(ResourceId::new(id).unwrap());
    for id in ["p", "q"] {
        door.patient(id, "리").await;
        for n in 0..3 {
            let note = observation(id, "8310-5", "38", &format!("2026-03-0{}", n + 1));
            door.post("/Observation", &note).await.expect(201);
        }
    }
    let readings = |id: &str| {
        let view = door.facility.store().read().unwrap();
        view.readings(&chart(id), 100).unwrap()
    };
    assert_eq!(readings("p").len(), 0, "writing is told by the entries themselves");
    door.get("/Observation?code=8310-5").await.expect(200);
    assert_eq!((readings("p").len(), readings("q").len()), (1, 1));
    door.get("/Patient/p").await.expect(200);
    door.get("/Patient/p/_history").await.expect(200);
    door.get("/Patient/p/$everything").await.expect(200);
    let seen = readings("p");
    assert_eq!((seen.len(), readings("q").len()), (4, 1));
    assert!(seen.iter().all(|line| &*line.action == "read-chart" && !line.who.is_empty()));
    door.get("/Observation?code=nothing").await.expect(200);
    door.get("/Patient/nobody").await.issue(404);
    assert_eq!(readings("p").len(), 4, "nothing was shown");
}

#[tokio::test]
async fn charts_are_not_opened_by_writing_into_them() {
    let door = Door::new();
    let elsewhere = json!({"resourceType":"Patient","name":[{"family":"박"}],
        "managingOrganization":{"reference":"Organization/county"}});
    door.facility.put("far", elsewhere.clone());
    let mut here = elsewhere;
    here["id"] = "far".into();
    here["managingOrganization"]["reference"] = "Organization/clinic".into();
    door.put("/Patient/far", &here).await.issue(403);
    door.post("/Observation", &observation("far", "8310-5", "38", "2026")).await.issue(403);
    door.with("doctor", ("DELETE", "/Patient/far"), &[], "").await.issue(403);
    let request = json!({"resourceType":"ServiceRequest","status":"active","intent":"order",
        "subject":{"reference":"Patient/far"},"performer":[{"reference":"Organization/clinic"}]});
    door.post("/ServiceRequest", &request).await.issue(403);
    let closed = json!({"resourceType":"Encounter","status":"finished",
        "class":{"code":"AMB"},"subject":{"reference":"Patient/far"},
        "serviceProvider":{"reference":"Organization/clinic"}});
    door.post("/Encounter", &closed).await.issue(403);
    door.get("/Patient/far").await.issue(403);

    // Receiving somebody who is here opens the chart, and stands in it under one's own name.
    let mut open = closed;
    open["status"] = "in-progress".into();
    let both = json!({"resourceType":"Bundle","type":"transaction","entry":[
        {"resource":observation("far", "8310-5", "38", "2026-03-02"),
         "request":{"method":"POST","url":"Observation"}},
        {"resource":open,"request":{"method":"POST","url":"Encounter"}}]});
    door.post("/", &both).await.expect(200);
    door.get("/Patient/far").await.expect(200);
}

#[tokio::test]
async fn roles_write_what_their_work_is() {
    let door = Door::new();
    door.person("nurse", &[Role::Nurse]);
    door.person("pharmacist", &[Role::Pharmacist]);
    door.person("manager", &[Role::FacilityManager]);
    door.person("admin", &[Role::Administrator]);
    door.patient("p", "리").await;
    let subject = json!({"reference":"Patient/p"});
    let medicine = json!({"text":"x"});
    let prescription = json!({"resourceType":"MedicationRequest","status":"active","intent":"order",
        "medicationCodeableConcept":medicine,"subject":subject});
    let dispense = json!({"resourceType":"MedicationDispense","status":"completed",
        "medicationCodeableConcept":medicine,"subject":subject});
    let note = observation("p", "8310-5", "38", "2026-03-02");
    let location = json!({"resourceType":"Location","name":"x",
        "managingOrganization":{"reference":"Organization/clinic"}});
    let stock = json!({"resourceType":"SupplyDelivery","status":"completed"});
    let report = json!({"resourceType":"MeasureReport","status":"complete","type":"summary",
        "measure":"urn:x","period":{"start":"2026-03"},
        "reporter":{"reference":"Organization/clinic"}});
    let concept = json!({"resourceType":"CodeSystem","status":"active","content":"complete"});
    let organization = json!({"resourceType":"Organization","name":"x"});
    let person = json!({"resourceType":"Patient"});
    let all = ["doctor", "nurse", "pharmacist", "manager", "admin"];
    for (resource, may) in [
        (&prescription, "doctor"),
        (&dispense, "doctor nurse pharmacist"),
        (&note, "doctor nurse"),
        (&location, "manager admin"),
        (&stock, "nurse pharmacist manager"),
        (&report, "manager"),
        (&concept, ""),
        (&organization, "admin"),
        (&person, "doctor nurse"),
    ] {
        let path = format!("/{}", resource["resourceType"].as_str().unwrap());
        for who in all {
            let reply = door.with(who, ("POST", &path), &[], resource.to_string()).await;
            let expected = if may.split(' ').any(|name| name == who) { 201 } else { 403 };
            assert_eq!(reply.status, expected, "{who} {path}: {}", reply.text());
        }
    }
}

#[tokio::test]
async fn the_road_is_not_opened_by_naming_a_far_performer() {
    let door = Door::new();
    door.person("pharmacist", &[Role::Pharmacist]);
    door.patient("p", "리").await;
    let request = json!({"resourceType":"ServiceRequest","status":"active","intent":"order",
        "subject":{"reference":"Patient/p"},"performer":[{"reference":"Organization/county"}]});
    door.post("/ServiceRequest", &request).await.expect(201);
    let by_pharmacist =
        door.with("pharmacist", ("POST", "/ServiceRequest"), &[], request.to_string()).await;
    by_pharmacist.issue(403);
}

#[tokio::test]
async fn linking_two_persons_asks_for_a_reason() {
    let door = Door::new();
    let mut patient = door.patient("p", "리").await;
    door.patient("q", "리").await;
    patient["link"] = json!([{"other":{"reference":"Patient/q"},"type":"seealso"}]);
    door.put("/Patient/p", &patient).await.issue(403);
    let reason = [("x-ondol-reason", "%EA%B0%99%EC%9D%80%20%EC%82%AC%EB%9E%8C")];
    let linked = door.with("doctor", ("PUT", "/Patient/p"), &reason, patient.to_string()).await;
    linked.expect(200);
}
