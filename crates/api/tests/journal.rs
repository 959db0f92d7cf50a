//! History of a type and of everything here.

use door::{Door, observation, path_of};
use ondol_access::Role;
use ondol_kernel::ResourceId;
use ondol_record::ChartId;
use serde_json::{Value, json};

use crate::door;

/// `method Type` of each line.
fn lines(history: &Value) -> Vec<String> {
    let entries = history["entry"].as_array().cloned().unwrap_or_default();
    entries
        .iter()
        .map(|entry| {
            let url = entry["fullUrl"].as_str().unwrap();
            let url = url.strip_prefix("http://node.example/fhir/").unwrap();
            let kind = url.split('/').next().unwrap();
            format!("{} {kind}", entry["request"]["method"].as_str().unwrap())
        })
        .collect()
}

fn next(history: &Value) -> Option<String> {
    let links = history["link"].as_array().unwrap();
    let next = links.iter().find(|link| link["relation"] == "next")?;
    Some(path_of(next["url"].as_str().unwrap()))
}

#[tokio::test]
async fn what_happened_is_told_newest_first_of_one_type_and_of_all() {
    let door = Door::new();
    let start = door.get("/_history").await.expect(200);
    let before = lines(&start).len();
    door.patient("p", "리").await;
    let made = door.post("/Observation", &observation("p", "8310-5", "38.50", "2026-03-02")).await;
    let made = made.expect(201);
    let here = format!("/Observation/{}", made["id"].as_str().unwrap());
    let mut changed = made.clone();
    changed["status"] = "amended".into();
    door.put(&here, &changed).await.expect(200);
    door.with("doctor", ("DELETE", &here), &[], "").await.expect(204);

    let all = door.get("/_history").await.expect(200);
    let expected = ["DELETE Observation", "PUT Observation", "POST Observation", "PUT Patient"];
    assert_eq!(lines(&all)[..4], expected);
    assert_eq!(lines(&all).len(), before + 4);
    assert_eq!(all["total"], before + 4);
    assert_eq!(all["entry"][2]["resource"], made, "as it was");
    assert_eq!(all["entry"][0].get("resource"), None);
    assert_eq!(ondol_fhir::validate(&ondol_fhir::Resource::from_json(all).unwrap()), []);

    let observations = door.get("/Observation/_history").await.expect(200);
    assert_eq!(lines(&observations), expected[..3]);
    assert_eq!(door.get("/Flag/_history").await.expect(200)["total"], 0);
    door.get("/Parameters/_history").await.issue(404);
    for (query, place) in [
        ("_count=x", "http._count"),
        ("_since=x", "http._since"),
        ("_page=00", "http._page"),
        ("_at=2026", "http._at"),
    ] {
        assert_eq!(door.get(&format!("/_history?{query}")).await.issue(400).1, place);
    }
}

#[tokio::test]
async fn pages_miss_and_repeat_nothing_while_writes_go_on_and_links_show_nothing() {
    let door = Door::new();
    for n in 0..7 {
        door.patient(&format!("p{n}"), "리").await;
    }
    let mut page = door.get("/Patient/_history?_count=2").await.expect(200);
    let mut seen = vec![];
    loop {
        for entry in page["entry"].as_array().unwrap_or(&vec![]) {
            seen.push(entry["resource"]["id"].as_str().unwrap().to_owned());
        }
        let Some(link) = next(&page) else { break };
        let token = link.split("_page=").nth(1).unwrap();
        assert!(token.bytes().all(|b| b.is_ascii_hexdigit()), "{link}");
        // Somebody writes meanwhile: it arrived after this reading began.
        door.patient(&format!("late{}", seen.len()), "김").await;
        page = door.get(&link).await.expect(200);
    }
    assert_eq!(seen, ["p6", "p5", "p4", "p3", "p2", "p1", "p0"]);
}

#[tokio::test]
async fn one_transaction_of_several_is_paged_within() {
    let door = Door::new();
    door.patient("p", "리").await;
    let entries: Vec<Value> = (0..5)
        .map(|n| {
            json!({"fullUrl":format!("urn:uuid:0e2feb89-414c-443c-9027-c4d1c386bbc{n}"),
                "resource":observation("p", "8310-5", &format!("38.{n}"), "2026-03-02"),
                "request":{"method":"POST","url":"Observation"}})
        })
        .collect();
    let bundle = json!({"resourceType":"Bundle","type":"transaction","entry":entries});
    door.post("/", &bundle).await.expect(200);
    let mut link = Some("/Observation/_history?_count=2".to_owned());
    let mut values = vec![];
    while let Some(path) = link {
        let page = door.get(&path).await.expect(200);
        let entries = page["entry"].as_array().cloned().unwrap_or_default();
        assert!(entries.len() <= 2);
        values.extend(entries.iter().map(|e| e["resource"]["valueQuantity"]["value"].to_string()));
        link = next(&page);
    }
    assert_eq!(values, ["38.4", "38.3", "38.2", "38.1", "38.0"]);
}

#[tokio::test]
async fn since_leaves_out_what_was_written_before() {
    let door = Door::new();
    door.patient("p", "리").await;
    door.facility.clock.pass(60_000);
    let second = door.patient("q", "김").await;
    let since = second["meta"]["lastUpdated"].as_str().unwrap();
    let found = door.get(&format!("/Patient/_history?_since={since}&_count=1")).await.expect(200);
    assert_eq!(lines(&found), ["PUT Patient"]);
    let rest = door.get(&next(&found).unwrap()).await.expect(200);
    assert_eq!(lines(&rest), [""; 0], "the next page keeps the time");
    assert_eq!(
        door.get("/Patient/_history?_since=2099-01-01T00:00:00Z").await.expect(200)["total"],
        0
    );
}

#[tokio::test]
async fn only_what_may_be_seen_is_told_and_each_chart_is_recorded_once() {
    let door = Door::new();
    door.patient("p", "Ownfamily").await;
    for n in 0..3 {
        let note = observation("p", "8310-5", &format!("38.{n}"), "2026-03-02");
        door.post("/Observation", &note).await.expect(201);
    }
    let elsewhere = json!({"resourceType":"Patient","id":"far","name":[{"family":"secret"}],
        "managingOrganization":{"reference":"Organization/county"}});
    door.put("/Patient/far", &elsewhere).await.expect(201);
    door.facility.put(
        "acc",
        json!({"resourceType":"Basic",
        "code":{"coding":[{"system":"urn:ondol:account","code":"account"}]},
        "extension":[{"url":"urn:ondol:account:password","valueString":"secret"}]}),
    );
    door.person("officer", &[Role::MinistryOfficer]);
    let readings = |id: &str| {
        let chart = ChartId::Patient(ResourceId::new(id).unwrap());
        let view = door.facility.store().read().unwrap();
        view.readings(&chart, 100).unwrap().len()
    };
    let before = readings("p");
    let far = readings("far");
    for path in ["/_history", "/Patient/_history", "/Basic/_history"] {
        let all = door.get(path).await;
        all.expect(200);
        assert!(!all.text().contains("secret"), "{path}");
        let other = door.get_as("officer", path).await;
        let told = lines(&other.expect(200));
        assert!(
            !told.iter().any(|line| line.ends_with("Observation") || line.ends_with("Patient"))
        );
        assert!(!other.text().contains("secret") && !other.text().contains("Ownfamily"), "{path}");
    }
    assert_eq!(readings("p"), before + 2, "once for each request that showed it");
    assert_eq!(readings("far"), far);
    let refused = door.with("nobody", ("GET", "/_history"), &[], "").await;
    assert_eq!(refused.status, 401);
}
