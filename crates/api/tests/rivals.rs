//! Two versions that were written at the same time elsewhere.

use door::Door;
use serde_json::{Value, json};

use crate::door;

/// Writes a version that has not seen the one that stands, as another node would.
fn rival(door: &Door, family: &str) {
    let patient = json!({"resourceType":"Patient","name":[{"family":family}],
        "managingOrganization":{"reference":"Organization/clinic"}});
    door.facility.put("p", patient);
}

fn rivals_of(patient: &Value) -> Vec<String> {
    let extensions = patient["extension"].as_array().cloned().unwrap_or_default();
    extensions
        .iter()
        .filter(|extension| extension["url"] == "urn:ondol:rival")
        .map(|extension| extension["valueReference"]["reference"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn both_versions_stand_until_somebody_names_both() {
    let door = Door::new();
    door.patient("p", "리").await;
    door.facility.clock.pass(1_000);
    rival(&door, "김");
    let read = door.get("/Patient/p").await;
    let shown = read.expect(200);
    let rivals = rivals_of(&shown);
    assert_eq!(rivals.len(), 1, "{shown}");
    let other = door.get(&format!("/{}", rivals[0])).await.expect(200);
    let families = [&shown["name"][0]["family"], &other["name"][0]["family"]];
    assert_eq!(families, [&json!("김"), &json!("리")]);
    assert_eq!(door.get("/Patient/p").await.expect(200), shown, "always the same one");
    assert_eq!(door.ids("doctor", "/Patient?family=리").await, ["p"], "found by either");

    let write = |tags: Option<String>| {
        let (door, body) = (&door, shown.to_string());
        async move {
            let headers: Vec<(&str, &str)> =
                tags.iter().map(|tags| ("if-match", tags.as_str())).collect();
            door.with("doctor", ("PUT", "/Patient/p"), &headers, body).await
        }
    };
    let tag = |patient: &Value| format!("W/\"{}\"", patient["meta"]["versionId"].as_str().unwrap());
    assert_eq!(write(None).await.issue(412).0, "version-mismatch");
    assert_eq!(write(Some(tag(&shown))).await.issue(412).0, "version-mismatch");
    let both = format!("{}, {}", tag(&shown), tag(&other));
    let settled = write(Some(both)).await.expect(200);
    assert_eq!(rivals_of(&settled), [""; 0], "the extension is the server's and is not saved");
    assert_eq!(rivals_of(&door.get("/Patient/p").await.expect(200)), [""; 0]);
    let history = door.get("/Patient/p/_history").await.expect(200);
    assert_eq!(history["total"], 3, "nothing is lost");
}
