//! `$validate`, and the invariants that it and every write check.

use door::Door;
use serde_json::{Value, json};

use crate::door;

/// The stable code and the place of each issue.
fn issues(outcome: &Value) -> Vec<(String, String, String)> {
    assert_eq!(outcome["resourceType"], "OperationOutcome");
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let all = outcome["issue"].as_array().unwrap();
    all.iter()
        .map(|issue| {
            (
                text(&issue["severity"]),
                text(&issue["details"]["coding"][0]["code"]),
                text(&issue["expression"][0]),
            )
        })
        .collect()
}

fn of(severity: &str, code: &str, place: &str) -> (String, String, String) {
    (severity.into(), code.into(), place.into())
}

fn contact() -> Value {
    json!({"resourceType":"Patient","gender":"banana","contact":[{"gender":"male"}],
        "identifier":[{"value":"1","period":{"start":"2024-05-01","end":"2024-04-01"}}]})
}

#[tokio::test]
async fn a_write_that_breaks_an_invariant_is_refused_with_all_else_that_is_wrong() {
    let door = Door::new();
    let reply = door.post("/Patient", &contact()).await;
    let outcome = reply.expect(422);
    assert_eq!(
        issues(&outcome),
        [
            of("error", "code-unknown", "Patient.gender"),
            of("error", "invariant", "Patient.contact[0]"),
            of("error", "invariant", "Patient.identifier[0].period"),
        ]
    );
    assert_eq!(outcome["issue"][1]["code"], "invariant");
    assert!(outcome["issue"][1]["diagnostics"].as_str().unwrap().starts_with("pat-1: "));
    assert!(outcome["issue"][2]["diagnostics"].as_str().unwrap().starts_with("per-1: "));
}

#[tokio::test]
async fn validating_says_the_same_and_writes_nothing() {
    let door = Door::new();
    let said = door.post("/Patient/$validate", &contact()).await.expect(200);
    let refused = door.post("/Patient", &contact()).await.expect(422);
    assert_eq!(issues(&said), issues(&refused));

    let sound = json!({"resourceType":"Patient","name":[{"family":"리"}]});
    let said = door.post("/Patient/$validate", &sound).await.expect(200);
    assert_eq!(issues(&said), [of("information", "ok", "")]);
    let inside = json!({"resourceType":"Parameters","parameter":[
        {"name":"resource","resource":contact()},{"name":"mode","valueCode":"create"},
        {"name":"profile","valueUri":"http://hl7.org/fhir/StructureDefinition/Patient"}]});
    let said = door.post("/Patient/$validate", &inside).await.expect(200);
    assert_eq!(issues(&said), issues(&refused));
    assert_eq!(door.get("/Patient?_summary=count").await.expect(200)["total"], 0);
}

#[tokio::test]
async fn a_mode_asks_for_what_its_write_asks_for() {
    let door = Door::new();
    door.patient("p", "리").await;
    let named = |id: &str| json!({"resourceType":"Patient","id":id,"name":[{"family":"김"}]});
    let first = |outcome: &Value| issues(outcome)[0].1.clone();
    for (path, body, code) in [
        ("/Patient/p/$validate", named("p"), "ok"),
        ("/Patient/p/$validate", named("q"), "id-differs"),
        ("/Patient/p/$validate?mode=profile", named("q"), "ok"),
        ("/Patient/$validate?mode=update", named("q"), "ok"),
        ("/Group/$validate", named("q"), "type-differs"),
        ("/Patient/p/$validate", json!({"resourceType":"Parameters"}), "ok"),
        ("/Patient/p/$validate?mode=delete", json!({"resourceType":"Parameters"}), "ok"),
    ] {
        let outcome = door.post(path, &body).await.expect(200);
        assert_eq!(first(&outcome), code, "{path} {outcome}");
    }
    assert_eq!(issues(&door.get("/Patient/p/$validate").await.expect(200))[0].1, "ok");
    assert_eq!(door.get("/Patient/p").await.expect(200)["name"][0]["family"], "리");
}

#[tokio::test]
async fn what_cannot_be_validated_is_refused_by_name() {
    let door = Door::new();
    let sound = json!({"resourceType":"Patient","name":[{"family":"리"}]});
    let profile = "/Patient/$validate?profile=http://example.org/StructureDefinition/x";
    let refused = door.post(profile, &sound).await.issue(400);
    assert_eq!(refused, ("parameter-unsupported".into(), "http.profile".into()));
    let mode = door.post("/Patient/$validate?mode=banana", &sound).await.issue(400);
    assert_eq!(mode, ("parameter-value".into(), "http.mode".into()));
    let nothing = json!({"resourceType":"Parameters"});
    let missing = door.post("/Patient/$validate", &nothing).await.issue(400);
    assert_eq!(missing, ("parameter-value".into(), "http.resource".into()));
    assert_eq!(door.get("/Patient/nobody/$validate").await.issue(404).0, "not-found");
    let stranger = door.with("stranger", ("POST", "/Patient/$validate"), &[], sound.to_string());
    assert_eq!(stranger.await.issue(401).0, "sign-in");
}
