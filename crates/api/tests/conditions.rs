//! Conditional update, delete and read.

use door::{Door, Reply, observation};
use ondol_access::Role;
use serde_json::{Value, json};

use crate::door;

fn person(value: &str, family: &str) -> Value {
    json!({"resourceType":"Patient","identifier":[{"system":"urn:s","value":value}],
        "name":[{"family":family}]})
}

const SEVEN: &str = "/Patient?identifier=urn:s%7C7";

async fn delete(door: &Door, path: &str) -> Reply {
    door.with("doctor", ("DELETE", path), &[], "").await
}

#[tokio::test]
async fn an_update_by_condition_creates_updates_and_refuses_as_r4_says() {
    let door = Door::new();
    let created = door.put(SEVEN, &person("7", "리")).await.expect(201);
    let id = created["id"].as_str().unwrap().to_owned();
    assert_eq!(id.len(), 36, "without an id the server gives one");
    let updated = door.put(SEVEN, &person("7", "김")).await.expect(200);
    assert_eq!((&updated["id"], &updated["name"][0]["family"]), (&json!(id), &json!("김")));
    let mut named = person("7", "박");
    named["id"] = id.clone().into();
    door.put(SEVEN, &named).await.expect(200);
    named["id"] = "other".into();
    let differs = door.put(SEVEN, &named).await;
    assert_eq!(differs.issue(400), ("id-differs".into(), "Patient.id".into()));

    // None fits, an id is given: an update that creates, but over nobody else.
    let mut eight = person("8", "최");
    eight["id"] = "eight".into();
    let by_eight = "/Patient?identifier=urn:s%7C8";
    assert_eq!(door.put(by_eight, &eight).await.expect(201)["id"], "eight");
    let mut nine = person("9", "정");
    nine["id"] = "eight".into();
    let taken = door.put("/Patient?identifier=urn:s%7C9", &nine).await;
    assert_eq!(taken.issue(409).0, "conflict");
    assert_eq!(door.get("/Patient/eight").await.expect(200)["name"][0]["family"], "최");

    door.post("/Patient", &person("7", "리")).await.expect(201);
    assert_eq!(door.put(SEVEN, &person("7", "리")).await.issue(412).0, "many-match");
    for path in ["/Patient", "/Patient?", "/Patient?_count=1", "/Patient?identifier="] {
        let reply = door.put(path, &person("7", "리")).await;
        assert_eq!(reply.issue(400).0, "no-condition", "{path}");
    }
    let unknown = door.put("/Patient?banana=1", &person("7", "리")).await;
    assert_eq!(unknown.issue(400), ("parameter-unknown".into(), "http.banana".into()));
    let wrong = json!({"resourceType":"Patient","gender":"x"});
    assert_eq!(door.put(by_eight, &wrong).await.issue(422).1, "Patient.gender");
    let group = json!({"resourceType":"Group","type":"person","actual":true});
    assert_eq!(door.put(by_eight, &group).await.issue(400).0, "type-differs");
}

#[tokio::test]
async fn an_update_by_condition_heeds_if_match() {
    let door = Door::new();
    let first = door.put(SEVEN, &person("7", "리")).await.expect(201);
    let tag = format!("W/{}", first["meta"]["versionId"]);
    let write = |path: &'static str, tag: String| {
        let (door, body) = (&door, person("7", "김").to_string());
        async move { door.with("doctor", ("PUT", path), &[("if-match", &tag)], body).await }
    };
    write(SEVEN, tag.clone()).await.expect(200);
    assert_eq!(write(SEVEN, tag.clone()).await.issue(412).0, "version-mismatch");
    let none = write("/Patient?identifier=urn:s%7C8", tag).await;
    assert_eq!(none.issue(412).0, "version-mismatch", "what is not here was not seen");
}

#[tokio::test]
async fn a_delete_by_condition_takes_back_one_none_or_refuses_many() {
    let door = Door::new();
    door.patient("p", "리").await;
    let by = "/Observation?subject=Patient/p&code=8310-5";
    let nothing = delete(&door, by).await;
    assert_eq!((nothing.status, nothing.header("etag")), (204, ""));
    let note = observation("p", "8310-5", "38.5", "2026-03-02");
    let made = door.post("/Observation", &note).await.expect(201);
    let here = format!("/Observation/{}", made["id"].as_str().unwrap());
    delete(&door, by).await.expect(204);
    door.get(&here).await.issue(410);
    door.post("/Observation", &note).await.expect(201);
    door.post("/Observation", &note).await.expect(201);
    assert_eq!(delete(&door, by).await.issue(412).0, "many-match");
    assert_eq!(door.ids("doctor", by).await.len(), 2, "none of them was taken back");
    for path in ["/Observation", "/Observation?_count=1"] {
        assert_eq!(delete(&door, path).await.issue(400).0, "no-condition", "{path}");
    }
    let outcome = [("prefer", "return=OperationOutcome")];
    let reply = door.with("doctor", ("DELETE", &here), &outcome, "").await;
    assert_eq!(reply.expect(200)["resourceType"], "OperationOutcome");
}

#[tokio::test]
async fn conditions_count_only_what_may_be_seen() {
    let door = Door::new();
    let elsewhere = json!({"resourceType":"Patient","id":"far",
        "identifier":[{"system":"urn:s","value":"7"}],
        "managingOrganization":{"reference":"Organization/county"}});
    door.put("/Patient/far", &elsewhere).await.expect(201);
    door.get("/Patient/far").await.issue(403);
    delete(&door, SEVEN).await.expect(204);
    let made = door.put(SEVEN, &person("7", "리")).await.expect(201);
    assert_ne!(made["id"], "far");
    door.person("officer", &[Role::MinistryOfficer]);
    let body = person("7", "김").to_string();
    let denied = door.with("officer", ("PUT", SEVEN), &[], body).await;
    assert!(matches!(denied.status, 403 | 404), "{}", denied.text());
    let denied = door.with("officer", ("DELETE", SEVEN), &[], "").await;
    assert!(matches!(denied.status, 204 | 403), "{}", denied.text());
    assert!(door.facility.get("Patient", "far").is_some(), "it stands");
}

#[tokio::test]
async fn transactions_update_and_delete_by_condition() {
    let door = Door::new();
    door.patient("p", "리").await;
    let note = observation("p", "8310-5", "38.5", "2026-03-02");
    door.post("/Observation", &note).await.expect(201);
    let url = "urn:uuid:0e2feb89-414c-443c-9027-c4d1c386bbc4";
    let mut about = observation("x", "8867-4", "80", "2026-03-02");
    about["subject"]["reference"] = url.into();
    let entries = json!([
        {"fullUrl":url,"resource":person("7", "리"),
            "request":{"method":"PUT","url":"Patient?identifier=urn:s|7"}},
        {"fullUrl":"urn:uuid:1e2feb89-414c-443c-9027-c4d1c386bbc4","resource":about,
            "request":{"method":"POST","url":"Observation"}},
        {"request":{"method":"DELETE","url":"Observation?subject=Patient/p&code=8310-5"}},
        {"request":{"method":"DELETE","url":"Observation?subject=Patient/p&code=nothing"}},
        {"request":{"method":"GET","url":"Observation?subject=Patient/p"}}
    ]);
    let bundle =
        |entries: &Value| json!({"resourceType":"Bundle","type":"transaction","entry":entries});
    let answer = door.post("/", &bundle(&entries)).await.expect(200);
    let status = |answer: &Value, at: usize| answer["entry"][at]["response"]["status"].clone();
    let expected = ["201 Created", "201 Created", "204 No Content", "204 No Content", "200 OK"];
    for (at, expected) in expected.iter().enumerate() {
        assert_eq!(status(&answer, at), *expected, "{at}: {answer}");
    }
    let patient = format!("Patient/{}", answer["entry"][0]["resource"]["id"].as_str().unwrap());
    assert_eq!(answer["entry"][1]["resource"]["subject"]["reference"], patient.as_str());
    assert_eq!(answer["entry"][4]["resource"]["total"], 0);
    assert_eq!(ondol_fhir::validate(&ondol_fhir::Resource::from_json(answer).unwrap()), []);

    // The second time the person is found, and others of the transaction refer to the one found.
    let answer = door.post("/", &bundle(&entries)).await.expect(200);
    assert_eq!(status(&answer, 0), "200 OK");
    assert_eq!(answer["entry"][1]["resource"]["subject"]["reference"], patient.as_str());
    door.post("/Patient", &person("7", "김")).await.expect(201);
    let many = door.post("/", &bundle(&entries)).await;
    assert_eq!(many.issue(412), ("many-match".into(), "Bundle.entry[0]".into()));
}

#[tokio::test]
async fn a_read_says_only_what_is_new() {
    let door = Door::new();
    door.patient("p", "리").await;
    let read = door.get("/Patient/p").await;
    let (tag, date) = (read.header("etag").to_owned(), read.header("last-modified").to_owned());
    let ask = |headers: Vec<(&'static str, String)>| {
        let door = &door;
        async move {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            door.with("doctor", ("GET", "/Patient/p"), &headers, "").await
        }
    };
    let same = ask(vec![("if-modified-since", date.clone())]).await;
    assert_eq!((same.status, same.bytes.len(), same.header("etag")), (304, 0, tag.as_str()));
    assert_eq!(ask(vec![("if-none-match", "*".into())]).await.status, 304);
    let early = "Thu, 01 Jan 1970 00:00:00 GMT".to_owned();
    assert_eq!(ask(vec![("if-modified-since", early.clone())]).await.status, 200);
    assert_eq!(ask(vec![("if-modified-since", "yesterday".into())]).await.status, 200);
    let other = r#"W/"0000000000000000""#.to_owned();
    let both = ask(vec![("if-none-match", other), ("if-modified-since", date.clone())]).await;
    assert_eq!(both.status, 200, "the tag goes before the date");

    door.facility.clock.pass(5_000);
    let changed = door.put("/Patient/p", &json!({"resourceType":"Patient","id":"p"})).await;
    changed.expect(200);
    assert_eq!(ask(vec![("if-modified-since", date)]).await.status, 200);

    let entry = |known: Value| {
        let mut request = json!({"method":"GET","url":"Patient/p"});
        request.as_object_mut().unwrap().extend(known.as_object().unwrap().clone());
        json!({"resourceType":"Bundle","type":"batch","entry":[{"request":request}]})
    };
    let known = entry(json!({"ifNoneMatch":changed.header("etag")}));
    let answer = door.post("/", &known).await.expect(200);
    assert_eq!(answer["entry"][0]["response"]["status"], "304 Not Modified");
    assert!(answer["entry"][0].get("resource").is_none());
    let early = entry(json!({"ifModifiedSince":"1970-01-01T00:00:00Z"}));
    let answer = door.post("/", &early).await.expect(200);
    assert_eq!(answer["entry"][0]["response"]["status"], "200 OK");

    // Where several versions stand they are always shown: another one may have arrived.
    door.facility.clock.pass(1_000);
    door.facility.put(
        "p",
        json!({"resourceType":"Patient","name":[{"family":"김"}],
        "managingOrganization":{"reference":"Organization/clinic"}}),
    );
    let tag = door.get("/Patient/p").await.header("etag").to_owned();
    assert_eq!(ask(vec![("if-none-match", tag)]).await.status, 200);
}
