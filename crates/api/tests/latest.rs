//! `Observation/$lastn`: the newest of each kind.

use door::{Door, ids, observation};
use ondol_access::Role;
use serde_json::{Value, json};

use crate::door;

const LOINC: &str = "http://loinc.org";

async fn put(door: &Door, id: &str, change: impl FnOnce(&mut Value), (code, time): (&str, &str)) {
    let mut body = observation("p", code, "1", time);
    body["id"] = id.into();
    body["category"] = json!([{ "coding": [{ "code": "vital-signs" }] }]);
    change(&mut body);
    let reply = door.put(&format!("/Observation/{id}"), &body).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
}

/// Pulse four times, two of them at one time; temperature once by each of two codes and once by
/// both; words alone; one in error.
async fn filled() -> Door {
    let door = Door::new();
    door.patient("p", "리").await;
    door.patient("q", "김").await;
    let same = |_: &mut Value| {};
    put(&door, "pulse-1", same, ("8867-4", "2026-01-01T08:00:00+09:00")).await;
    put(&door, "pulse-3", same, ("8867-4", "2026-01-03T08:00:00+09:00")).await;
    // The same instant in another zone.
    put(&door, "pulse-2", same, ("8867-4", "2026-01-02T08:00:00+09:00")).await;
    put(&door, "pulse-2b", same, ("8867-4", "2026-01-01T23:00:00Z")).await;
    put(
        &door,
        "heat-local",
        |body| body["code"] = json!({"coding": [{"code": "T"}]}),
        ("", "2026-01-01T08:00:00+09:00"),
    )
    .await;
    put(&door, "heat-loinc", same, ("8310-5", "2026-01-02T08:00:00+09:00")).await;
    let both = json!({"coding": [{"code": "T"}, {"system": LOINC, "code": "8310-5"}]});
    put(&door, "heat-both", |body| body["code"] = both, ("", "2025-01-01T08:00:00+09:00")).await;
    let words = |words: &'static str| move |body: &mut Value| body["code"] = json!({"text": words});
    put(&door, "words-1", words("Looks tired"), ("", "2026-01-01")).await;
    put(&door, "words-2", words("looks tired "), ("", "2026-01-02")).await;
    let wrong = |body: &mut Value| body["status"] = "entered-in-error".into();
    put(&door, "wrong", wrong, ("8867-4", "2026-01-09T08:00:00+09:00")).await;
    let other = |body: &mut Value| body["subject"] = json!({"reference": "Patient/q"});
    put(&door, "other", other, ("8867-4", "2026-01-09T08:00:00+09:00")).await;
    door
}

#[tokio::test]
async fn the_newest_of_each_kind_is_told_and_whatever_is_of_its_time() {
    let door = filled().await;
    let at = |max: &str| format!("/Observation/$lastn?patient=p&category=vital-signs{max}");
    let one = door.get(&at("")).await.expect(200);
    assert_eq!(ids(&one), ["pulse-3", "heat-loinc", "words-2"]);
    assert_eq!(one["total"], 3);
    assert!(one["link"][0]["url"].as_str().unwrap().contains("/Observation/$lastn?patient=p"));
    let two = door.get(&at("&max=2")).await.expect(200);
    assert_eq!(
        ids(&two),
        [
            // The second and the third are of one time; of those the one that arrived last first.
            "pulse-3",
            "pulse-2b",
            "pulse-2",
            "heat-loinc",
            "heat-local",
            "words-2",
            "words-1",
        ]
    );
    let nine = door.get(&at("&max=9&code=T")).await.expect(200);
    assert_eq!(ids(&nine), ["heat-local", "heat-both"]);
    let none = door.get("/Observation/$lastn?patient=p&code=nothing").await.expect(200);
    assert_eq!((ids(&none), &none["total"]), (vec![], &json!(0)));
}

#[tokio::test]
async fn what_the_operation_asks_for_is_named() {
    let door = filled().await;
    for (query, code) in [
        ("category=vital-signs", "parameter-missing"),
        ("patient=p", "parameter-missing"),
        ("patient=p&code=T&max=0", "parameter-value"),
        ("patient=p&code=T&max=1&max=2", "parameter-value"),
        ("patient=p&code=T&_sort=date", "parameter-unsupported"),
        ("patient=p&code=T&_include=Observation:subject", "parameter-unsupported"),
        ("patient=p&code=T&colour=red", "parameter-unknown"),
    ] {
        let (found, _) = door.get(&format!("/Observation/$lastn?{query}")).await.issue(400);
        assert_eq!(found, code, "{query}");
    }
}

#[tokio::test]
async fn what_may_not_be_read_is_not_among_the_newest() {
    let door = filled().await;
    door.person("admin", &[Role::Administrator]);
    let path = "/Observation/$lastn?patient=p&category=vital-signs";
    let found = door.get_as("admin", path).await.expect(200);
    assert_eq!((ids(&found), &found["total"]), (vec![], &json!(0)));
}
