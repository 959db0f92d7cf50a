//! JSON Patch over HTTP: of one resource, by a condition, in transactions; what is refused.

use data_encoding::BASE64;
use door::{Door, Reply, observation};
use ondol_access::Role;
use ondol_kernel::ResourceId;
use ondol_record::ChartId;
use serde_json::{Value, json};

use crate::door;

const JSON_PATCH: (&str, &str) = ("content-type", "application/json-patch+json");

async fn patch(door: &Door, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut all = vec![JSON_PATCH];
    all.extend(headers);
    door.with("doctor", ("PATCH", path), &all, body).await
}

/// An observation `o` of a patient `p`, as text whose digits matter.
async fn observed(door: &Door) -> Value {
    door.patient("p", "리").await;
    let sent = r#"{"resourceType":"Observation","id":"o","status":"preliminary",
        "code":{"text":"x"},"subject":{"reference":"Patient/p"},
        "valueQuantity":{"value":38.50,"unit":"C"},"note":[{"text":"a"},{"text":"b"}]}"#;
    door.with("doctor", ("PUT", "/Observation/o"), &[], sent).await.expect(201)
}

#[tokio::test]
async fn all_operations_change_what_they_name_and_nothing_else() {
    let door = Door::new();
    let before = observed(&door).await;
    let body = r#"[
        {"op":"test","path":"/status","value":"preliminary"},
        {"op":"replace","path":"/status","value":"final"},
        {"op":"add","path":"/note/-","value":{"text":"c"}},
        {"op":"remove","path":"/note/0"},
        {"op":"copy","from":"/valueQuantity","path":"/extension","x":1},
        {"op":"remove","path":"/extension"},
        {"op":"move","from":"/note/1","path":"/note/0"},
        {"op":"add","path":"/valueQuantity/system","value":"http://unitsofmeasure.org"},
        {"op":"add","path":"/valueQuantity/code","value":"Cel"},
        {"op":"test","path":"/valueQuantity/value","value":38.5}]"#;
    let reply = patch(&door, "/Observation/o", &[], body).await;
    let after = reply.expect(200);
    assert_ne!(after["meta"]["versionId"], before["meta"]["versionId"]);
    assert_eq!(reply.header("etag"), format!("W/{}", after["meta"]["versionId"]));
    let text = reply.text();
    let quantity = r#""valueQuantity":{"value":38.50,"unit":"C","system":"http://unitsofmeasure.org","code":"Cel"}"#;
    assert!(text.contains(quantity), "{text}");
    assert!(text.contains(r#""note":[{"text":"c"},{"text":"b"}]"#), "{text}");
    assert_eq!(door.get("/Observation/o").await.expect(200), after);
    let history = door.get("/Observation/o/_history").await.expect(200);
    assert_eq!(history["total"], 2);
    let minimal = [("prefer", "return=minimal")];
    let quiet = patch(&door, "/Observation/o", &minimal, "[]").await;
    assert_eq!(quiet.expect(200), Value::Null);
}

#[tokio::test]
async fn what_cannot_be_done_names_the_operation_and_the_element_and_changes_nothing() {
    let door = Door::new();
    let before = observed(&door).await;
    door.patient("q", "김").await;
    let ok = r#"{"op":"replace","path":"/status","value":"final"}"#;
    for (operation, status, code, place) in [
        (
            r#"{"op":"test","path":"/status","value":"secret"}"#,
            422,
            "patch-test",
            "Observation.status",
        ),
        (r#"{"op":"remove","path":"/note/7"}"#, 422, "patch-path", "Observation.note[7]"),
        (r#"{"op":"replace","path":"/issued","value":1}"#, 422, "patch-path", "Observation.issued"),
        (r#"{"op":"remove","path":""}"#, 422, "patch-path", "Observation"),
        (r#"{"op":"copy","from":"/x y","path":"/note/0"}"#, 422, "patch-path", "Observation"),
        (r#"{"op":"merge","path":"/status"}"#, 400, "patch-form", ""),
        (r#"{"op":"add","path":"status","value":1}"#, 400, "patch-form", ""),
        (r#"{"op":"add","path":"/status"}"#, 400, "patch-form", ""),
        (r#"{"op":"replace","path":"/id","value":"q"}"#, 400, "id-differs", "Observation.id"),
        (
            r#"{"op":"replace","path":"/resourceType","value":"Flag"}"#,
            400,
            "type-differs",
            "Flag.resourceType",
        ),
        (
            r#"{"op":"remove","path":"/resourceType"}"#,
            400,
            "type-differs",
            "Observation.resourceType",
        ),
        (
            r#"{"op":"replace","path":"","value":7}"#,
            400,
            "type-differs",
            "Observation.resourceType",
        ),
        (
            r#"{"op":"replace","path":"/subject/reference","value":"Patient/q"}"#,
            422,
            "moves-chart",
            "Observation",
        ),
    ] {
        let body = format!("[{ok},{operation}]");
        let reply = patch(&door, "/Observation/o", &[], &body).await;
        assert_eq!(reply.issue(status), (code.into(), place.into()), "{operation}");
        assert!(!reply.text().contains("secret") && !reply.text().contains("x y"));
        if code.starts_with("patch") {
            assert!(reply.text().contains("operation 1"), "{}", reply.text());
        }
        assert_eq!(door.get("/Observation/o").await.expect(200), before, "{operation}");
    }
    // What is patched is validated as what is sent whole.
    let wrong = r#"[{"op":"replace","path":"/status","value":"banana"},{"op":"add","path":"/foo","value":1}]"#;
    let outcome = patch(&door, "/Observation/o", &[], wrong).await.expect(422);
    let places: Vec<&Value> =
        outcome["issue"].as_array().unwrap().iter().map(|issue| &issue["expression"][0]).collect();
    assert!(places.contains(&&json!("Observation.status")), "{outcome}");
    assert_eq!(places.len(), 2, "all errors come at once: {outcome}");
}

#[tokio::test]
async fn hostile_patches_are_refused_with_an_outcome() {
    let door = Door::new();
    observed(&door).await;
    let deep =
        format!(r#"[{{"op":"add","path":"/x","value":{}{}}}]"#, "[".repeat(200), "]".repeat(200));
    assert_eq!(patch(&door, "/Observation/o", &[], &deep).await.issue(400).0, "too-deep");
    let many = format!("[{}]", vec![r#"{"op":"remove","path":"/x"}"#; 300].join(","));
    assert_eq!(patch(&door, "/Observation/o", &[], &many).await.issue(413).0, "patch-too-large");
    let long = format!(r#"[{{"op":"add","path":"/x","value":"{}"}}]"#, "x".repeat(2 << 20));
    assert_eq!(patch(&door, "/Observation/o", &[], &long).await.issue(413).0, "too-large");
    let bomb =
        format!("[{}]", vec![r#"{"op":"copy","from":"/note","path":"/note/-"}"#; 100].join(","));
    assert_eq!(patch(&door, "/Observation/o", &[], &bomb).await.issue(422).0, "patch-too-large");
    for (body, code) in [("{}", "patch-form"), ("[", "not-json"), ("", "not-json")] {
        assert_eq!(patch(&door, "/Observation/o", &[], body).await.issue(400).0, code, "{body}");
    }
    let other = [("content-type", "application/fhir+json")];
    let reply = door.with("doctor", ("PATCH", "/Observation/o"), &other, "[]").await;
    assert_eq!(reply.issue(415).0, "media-type");
}

#[tokio::test]
async fn if_match_keeps_two_patches_apart_and_has_to_name_all_rivals() {
    let door = Door::new();
    let first = observed(&door).await;
    let tag = format!("W/{}", first["meta"]["versionId"]);
    let note = r#"[{"op":"add","path":"/note/-","value":{"text":"c"}}]"#;
    patch(&door, "/Observation/o", &[("if-match", &tag)], note).await.expect(200);
    let late = patch(&door, "/Observation/o", &[("if-match", &tag)], note).await;
    assert_eq!(late.issue(412).0, "version-mismatch");

    door.facility.clock.pass(1_000);
    let rival = json!({"resourceType":"Patient","name":[{"family":"김"}],
        "managingOrganization":{"reference":"Organization/clinic"}});
    door.facility.put("p", rival);
    let named = r#"[{"op":"add","path":"/gender","value":"female"}]"#;
    let unseen = patch(&door, "/Patient/p", &[], named).await;
    assert_eq!(unseen.issue(412).0, "version-mismatch");
    let shown = door.get("/Patient/p").await.expect(200);
    let other = shown["extension"][0]["valueReference"]["reference"].as_str().unwrap();
    let other = other.rsplit('/').next().unwrap();
    let both = format!("W/{}, W/\"{other}\"", shown["meta"]["versionId"]);
    let settled = patch(&door, "/Patient/p", &[("if-match", &both)], named).await.expect(200);
    assert_eq!(settled["gender"], "female");
    assert!(settled.get("extension").is_none(), "the versions are settled: {settled}");
}

#[tokio::test]
async fn a_condition_patches_the_one_that_fits() {
    let door = Door::new();
    observed(&door).await;
    let status = r#"[{"op":"replace","path":"/status","value":"final"}]"#;
    let by = |query: &str| format!("/Observation?{query}");
    let done = patch(&door, &by("subject=Patient/p"), &[], status).await.expect(200);
    assert_eq!((&done["id"], &done["status"]), (&json!("o"), &json!("final")));
    assert_eq!(patch(&door, &by("subject=Patient/q"), &[], status).await.issue(404).0, "not-found");
    door.post("/Observation", &observation("p", "8310-5", "38", "2026-03-02")).await.expect(201);
    let many = patch(&door, &by("subject=Patient/p"), &[], status).await;
    assert_eq!(many.issue(412).0, "many-match");
    for query in ["", "_count=1", "subject=", "_format=json"] {
        let none = patch(&door, &by(query), &[], status).await;
        assert_eq!(none.issue(400).0, "no-condition", "{query}");
    }
    assert_eq!(patch(&door, &by("banana=1"), &[], status).await.issue(400).1, "http.banana");
}

fn entry(url: &str, patch: &str) -> Value {
    json!({"resource":{"resourceType":"Binary","contentType":"application/json-patch+json",
        "data":BASE64.encode(patch.as_bytes())},"request":{"method":"PATCH","url":url}})
}

#[tokio::test]
async fn transactions_and_batches_patch_with_a_binary() {
    let door = Door::new();
    observed(&door).await;
    let status = r#"[{"op":"replace","path":"/status","value":"final"}]"#;
    let send = |kind: &str, entries: &[Value]| {
        let body = json!({"resourceType":"Bundle","type":kind,"entry":entries});
        let door = &door;
        async move { door.post("/", &body).await }
    };
    let both = [
        entry("Observation/o", status),
        entry("Patient?_id=p", r#"[{"op":"add","path":"/gender","value":"female"}]"#),
        json!({"request":{"method":"GET","url":"Observation/o"}}),
    ];
    let answer = send("transaction", &both).await.expect(200);
    assert_eq!(answer["entry"][0]["response"]["status"], "200 OK");
    assert_eq!(answer["entry"][0]["resource"]["status"], "final");
    assert_eq!(answer["entry"][1]["resource"]["gender"], "female");
    assert_eq!(answer["entry"][2]["resource"]["status"], "final");

    let fails = r#"[{"op":"test","path":"/status","value":"x"}]"#;
    let gender = r#"[{"op":"replace","path":"/gender","value":"male"}]"#;
    let refused = send("transaction", &[entry("Patient/p", gender), entry("Observation/o", fails)]);
    let refused = refused.await.issue(422);
    assert_eq!(refused, ("patch-test".into(), "Bundle.entry[1].resource.status".into()));
    assert_eq!(door.get("/Patient/p").await.expect(200)["gender"], "female", "all or nothing");
    let twice = send("transaction", &[entry("Patient/p", gender), entry("Patient?_id=p", gender)]);
    assert_eq!(twice.await.issue(400).0, "same-twice");
    let batch = [entry("Patient/p", gender), entry("Observation/o", fails)];
    let answer = send("batch", &batch).await.expect(200);
    assert_eq!(answer["entry"][0]["resource"]["gender"], "male");
    assert_eq!(answer["entry"][1]["response"]["status"], "422 Unprocessable Content");

    let mut xml = entry("Patient/p", gender);
    xml["resource"]["contentType"] = "application/xml-patch+xml".into();
    let mut broken = entry("Patient/p", gender);
    broken["resource"]["data"] = "AAAA".into();
    for (bad, code) in [(xml, "entry-request"), (broken, "not-json")] {
        assert_eq!(send("transaction", &[bad]).await.issue(400).0, code);
    }
}

#[tokio::test]
async fn a_patch_is_a_reading_too_and_is_refused_to_those_who_may_not_read() {
    let door = Door::new();
    observed(&door).await;
    door.person("officer", &[Role::MinistryOfficer]);
    let test = r#"[{"op":"test","path":"/status","value":"x"}]"#;
    for path in ["/Observation/o", "/Observation?_id=o"] {
        let reply = door.with("officer", ("PATCH", path), &[JSON_PATCH], test).await;
        assert!(matches!(reply.status, 403 | 404), "{path}: {}", reply.text());
    }
    let chart = ChartId::Patient(ResourceId::new("p").unwrap());
    let readings = || {
        let view = door.facility.store().read().unwrap();
        view.readings(&chart, 100).unwrap().len()
    };
    let before = readings();
    patch(&door, "/Observation/o", &[], test).await.issue(422);
    assert_eq!(readings(), before + 1, "a test that fails has said what stands");
    door.facility.put(
        "acc",
        json!({"resourceType":"Basic",
        "code":{"coding":[{"system":"urn:ondol:account","code":"account"}]}}),
    );
    patch(&door, "/Basic/acc", &[], test).await.issue(404);
    let code = r#"[{"op":"add","path":"/code/coding","value":[{"system":"urn:ondol:account","code":"x"}]}]"#;
    let note = json!({"resourceType":"Basic","id":"b","code":{"text":"x"},
        "subject":{"reference":"Patient/p"}});
    door.put("/Basic/b", &note).await.expect(201);
    assert_eq!(patch(&door, "/Basic/b", &[], code).await.issue(403).0, "own-steps");
    door.with("doctor", ("DELETE", "/Observation/o"), &[], "").await.expect(204);
    assert_eq!(patch(&door, "/Observation/o", &[], test).await.issue(410).0, "gone");
    assert_eq!(patch(&door, "/Observation/none", &[], test).await.issue(404).0, "not-found");
}
