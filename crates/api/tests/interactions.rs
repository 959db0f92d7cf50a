//! Every interaction with one resource, over HTTP and the real store.

use door::{Door, observation, path_of};
use serde_json::{Value, json};

use crate::door;

#[tokio::test]
async fn a_resource_is_created_read_updated_taken_back_and_its_history_stays() {
    let door = Door::new();
    door.patient("p", "리").await;
    let created =
        door.post("/Observation", &observation("p", "8310-5", "38.50", "2026-03-02")).await;
    let body = created.expect(201);
    let id = body["id"].as_str().unwrap().to_owned();
    assert_eq!(id.len(), 36, "the server gives ids");
    let first = path_of(created.header("location"));
    let version = body["meta"]["versionId"].as_str().unwrap();
    assert_eq!(first, format!("/Observation/{id}/_history/{version}"));
    assert_eq!(created.header("etag"), format!("W/\"{version}\""));
    assert!(created.header("last-modified").ends_with(" GMT"));
    assert_eq!(created.header("cache-control"), "no-store");

    let here = format!("/Observation/{id}");
    let read = door.get(&here).await;
    assert_eq!(read.expect(200), body);
    assert_eq!(read.header("etag"), created.header("etag"));
    assert!(read.text().contains("38.50"), "digits of decimals are kept");

    let mut changed = body.clone();
    changed["status"] = "amended".into();
    let updated = door.put(&here, &changed).await;
    let now = updated.expect(200);
    assert_ne!(now["meta"]["versionId"], body["meta"]["versionId"]);
    assert_eq!(door.get(&first).await.expect(200), body, "vread gives the first version");

    let gone =
        door.with("doctor", ("DELETE", &here), &[("x-ondol-reason", "wrong patient")], "").await;
    assert_eq!(gone.expect(204), Value::Null);
    assert_eq!(door.get(&here).await.issue(410).0, "gone");
    assert_eq!(door.get(&first).await.expect(200), body);
    let again = door.with("doctor", ("DELETE", &here), &[], "").await;
    assert_eq!(again.status, 204, "taking back twice is once");

    let history = door.get(&format!("{here}/_history")).await.expect(200);
    let methods: Vec<&str> = history["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["request"]["method"].as_str().unwrap())
        .collect();
    assert_eq!(methods, ["DELETE", "PUT", "POST"]);
    assert_eq!((&history["type"], &history["total"]), (&json!("history"), &json!(3)));
    assert_eq!(ondol_fhir::validate(&ondol_fhir::Resource::from_json(history).unwrap()), []);
    assert_eq!(door.ids("doctor", "/Observation?subject=Patient/p").await, [""; 0]);
}

#[tokio::test]
async fn a_history_has_pages_and_a_since() {
    let door = Door::new();
    let mut patient = door.patient("p", "리").await;
    for n in 0..4 {
        door.facility.clock.pass(60_000);
        patient["name"][0]["family"] = format!("김{n}").into();
        door.put("/Patient/p", &patient).await.expect(200);
    }
    let mut total = 5;
    let mut next = "/Patient/p/_history?_count=2".to_owned();
    let mut seen = vec![];
    loop {
        let page = door.get(&next).await.expect(200);
        assert_eq!(page["total"], total);
        for entry in page["entry"].as_array().unwrap() {
            seen.push(entry["resource"]["name"][0]["family"].as_str().unwrap().to_owned());
        }
        if seen.len() == 2 {
            // Somebody writes meanwhile: the pages that follow are the same.
            patient["name"][0]["family"] = "박".into();
            door.put("/Patient/p", &patient).await.expect(200);
            total += 1;
        }
        let links = page["link"].as_array().unwrap();
        match links.iter().find(|link| link["relation"] == "next") {
            Some(link) => next = path_of(link["url"].as_str().unwrap()),
            None => break,
        }
    }
    assert_eq!(seen, ["김3", "김2", "김1", "김0", "리"]);
    let third = door.get("/Patient/p/_history?_count=1&_page=3").await.expect(200);
    let since = third["entry"][0]["resource"]["meta"]["lastUpdated"].as_str().unwrap();
    let since = door.get(&format!("/Patient/p/_history?_since={since}")).await.expect(200);
    assert_eq!(since["total"], 4);
}

#[tokio::test]
async fn a_client_may_give_the_id_and_bring_back_what_was_taken_back() {
    let door = Door::new();
    door.patient("p", "리").await;
    let made = door.put("/Patient/p2", &json!({"resourceType":"Patient","id":"p2"})).await;
    assert_eq!(made.expect(201)["id"], "p2");
    let other = door.put("/Patient/p3", &json!({"resourceType":"Patient","id":"p4"})).await;
    assert_eq!(other.issue(400), ("id-differs".into(), "Patient.id".into()));
    let none = door.put("/Patient/p3", &json!({"resourceType":"Patient"})).await;
    assert_eq!(none.issue(400), ("id-missing".into(), "Patient.id".into()));
    let group = door.put("/Patient/p3", &json!({"resourceType":"Group","id":"p3"})).await;
    assert_eq!(group.issue(400).0, "type-differs");

    let note = json!({"resourceType":"Flag","id":"f","status":"active","code":{"text":"x"},
        "subject":{"reference":"Patient/p"}});
    door.put("/Flag/f", &note).await.expect(201);
    door.with("doctor", ("DELETE", "/Flag/f"), &[], "").await.expect(204);
    door.put("/Flag/f", &note).await.expect(201);
    door.get("/Flag/f").await.expect(200);
}

#[tokio::test]
async fn if_match_keeps_two_writers_apart() {
    let door = Door::new();
    let first = door.patient("p", "리").await;
    let tag = format!("W/\"{}\"", first["meta"]["versionId"].as_str().unwrap());
    let mut second = first.clone();
    second["name"][0]["family"] = "김".into();
    let write = |tag: String| {
        let (door, body) = (&door, second.to_string());
        async move { door.with("doctor", ("PUT", "/Patient/p"), &[("if-match", &tag)], body).await }
    };
    write(tag.clone()).await.expect(200);
    let late = write(tag.clone()).await;
    assert_eq!(late.issue(412).0, "version-mismatch");
    assert!(late.text().contains("W/"), "what stands is named: {}", late.text());
    assert_eq!(
        write("nonsense".into()).await.issue(400),
        ("header".into(), "http.If-Match".into())
    );
    let gone = door.with("doctor", ("DELETE", "/Patient/p"), &[("if-match", &tag)], "").await;
    assert_eq!(gone.status, 412);
    let body = json!({"resourceType":"Patient","id":"new"}).to_string();
    let unseen = door.with("doctor", ("PUT", "/Patient/new"), &[("if-match", &tag)], body).await;
    assert_eq!(unseen.status, 412, "what is not here has no version that was seen");
}

#[tokio::test]
async fn if_none_match_and_head_spare_the_body() {
    let door = Door::new();
    door.patient("p", "리").await;
    let tag = door.get("/Patient/p").await.header("etag").to_owned();
    let same = door.with("doctor", ("GET", "/Patient/p"), &[("if-none-match", &tag)], "").await;
    assert_eq!((same.status, same.bytes.len()), (304, 0));
    let other = r#"W/"0000000000000000""#;
    let other = door.with("doctor", ("GET", "/Patient/p"), &[("if-none-match", other)], "").await;
    assert_eq!(other.status, 200);
    assert_eq!(door.with("doctor", ("HEAD", "/Patient/p"), &[], "").await.status, 200);
}

#[tokio::test]
async fn if_none_exist_creates_once() {
    let door = Door::new();
    let patient = json!({"resourceType":"Patient",
        "identifier":[{"system":"urn:s","value":"7"}],"name":[{"family":"리"}]});
    let create = || {
        let (door, body) = (&door, patient.to_string());
        let condition = [("if-none-exist", "identifier=urn:s|7")];
        async move { door.with("doctor", ("POST", "/Patient"), &condition, body).await }
    };
    let first = create().await.expect(201);
    let second = create().await.expect(200);
    assert_eq!(first["id"], second["id"]);
    door.post("/Patient", &patient).await.expect(201);
    assert_eq!(create().await.issue(412).0, "many-match");
    let bad = [("if-none-exist", "banana=1")];
    let bad = door.with("doctor", ("POST", "/Patient"), &bad, patient.to_string()).await;
    assert_eq!(bad.issue(400), ("parameter-unknown".into(), "http.banana".into()));
}

#[tokio::test]
async fn the_client_chooses_what_comes_back() {
    let door = Door::new();
    let patient = json!({"resourceType":"Patient","name":[{"family":"리"}],
        "generalPractitioner":[{"reference":"Practitioner/nobody"}]});
    for (prefer, expected) in [
        ("return=minimal", Value::Null),
        ("return=representation", json!("Patient")),
        ("return=OperationOutcome", json!("OperationOutcome")),
    ] {
        let body = patient.to_string();
        let reply = door.with("doctor", ("POST", "/Patient"), &[("prefer", prefer)], body).await;
        let body = reply.expect(201);
        assert_eq!(body.get("resourceType").unwrap_or(&Value::Null), &expected, "{prefer}");
        if prefer.ends_with("Outcome") {
            let issue = &body["issue"][0];
            assert_eq!(issue["severity"], "warning");
            assert_eq!(issue["details"]["coding"][0]["code"], "reference-dangling");
        }
    }
}

#[tokio::test]
async fn what_a_client_sends_comes_back_as_it_was() {
    let door = Door::new();
    door.patient("p", "리").await;
    let sent = r#"{"resourceType":"Observation","id":"o","meta":{"tag":[{"code":"t"}],"versionId":"9"},"status":"final","code":{"text":"x"},"subject":{"reference":"http://node.example/fhir/Patient/p"},"extension":[{"url":"urn:unknown","valueDecimal":1.500}],"valueQuantity":{"value":0.0010,"unit":"g"},"component":[{"code":{"text":"b"},"valueQuantity":{"value":1E5}},{"code":{"text":"a"}}]}"#;
    door.with("doctor", ("PUT", "/Observation/o"), &[], sent).await.expect(201);
    let text = door.get("/Observation/o").await.text().to_owned();
    for part in [
        r#""valueDecimal":1.500"#,
        r#""value":0.0010"#,
        r#""tag":[{"code":"t"}]"#,
        r#""component":[{"code":{"text":"b"},"valueQuantity":{"value":1E5}},{"code":{"text":"a"}}]"#,
        r#""reference":"Patient/p""#,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains(r#""versionId":"9""#));
}

#[tokio::test]
async fn a_patient_keeps_a_home_facility() {
    let door = Door::new();
    let made = door.patient("p", "리").await;
    let home = json!({"reference":"Organization/clinic"});
    assert_eq!(made["managingOrganization"], home);
    let without = json!({"resourceType":"Patient","id":"p","name":[{"family":"리"}]});
    assert_eq!(door.put("/Patient/p", &without).await.expect(200)["managingOrganization"], home);
    let elsewhere = json!({"resourceType":"Patient","id":"q",
        "managingOrganization":{"reference":"Organization/county"}});
    door.put("/Patient/q", &elsewhere).await.expect(201);
    door.get("/Patient/q").await.issue(403);
}

#[tokio::test]
async fn an_update_does_not_move_care_to_another_person() {
    let door = Door::new();
    door.patient("p", "리").await;
    door.patient("q", "김").await;
    let mut note = observation("p", "8310-5", "38.5", "2026-03-02");
    note["id"] = "o".into();
    door.put("/Observation/o", &note).await.expect(201);
    note["subject"]["reference"] = "Patient/q".into();
    assert_eq!(door.put("/Observation/o", &note).await.issue(422).0, "moves-chart");
}

#[tokio::test]
async fn everything_of_a_patient_is_one_bundle() {
    let door = Door::new();
    door.patient("p", "리").await;
    door.patient("q", "김").await;
    door.post("/Observation", &observation("p", "8310-5", "38.5", "2026-03-02")).await.expect(201);
    door.post("/Observation", &observation("q", "8310-5", "38.5", "2026-03-02")).await.expect(201);
    let all = door.get("/Patient/p/$everything").await.expect(200);
    let types: Vec<&str> = all["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["resource"]["resourceType"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["Patient", "Observation"]);
    let some = door.get("/Patient/p/$everything?_type=Flag").await.expect(200);
    assert_eq!(some["total"], 1);
    assert_eq!(door.get("/Patient/p/$everything?_type=X").await.issue(400).1, "http._type");
    door.get("/Patient/nobody/$everything").await.issue(404);
}
