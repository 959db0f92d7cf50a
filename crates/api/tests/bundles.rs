//! Transactions and batches, made by hand and real ones.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read},
    path::PathBuf,
};

use door::{Door, observation};
use ondol_access::Role;
use serde_json::{Value, json};

use crate::door;

fn post(url: &str, full_url: &str, resource: impl Into<Value>) -> Value {
    let resource: Value = resource.into();
    json!({"fullUrl":full_url,"resource":resource,"request":{"method":"POST","url":url}})
}

fn bundle(kind: &str, entries: &[Value]) -> Value {
    json!({"resourceType":"Bundle","type":kind,"entry":entries})
}

fn statuses(answer: &Value) -> Vec<&str> {
    let entries = answer["entry"].as_array().unwrap();
    entries
        .iter()
        .map(|e| e["response"]["status"].as_str().unwrap().split(' ').next().unwrap())
        .collect()
}

#[tokio::test]
async fn a_transaction_resolves_its_references_whatever_their_order() {
    let door = Door::new();
    let doctor = json!({"reference":"Practitioner/clinic-person-0"});
    let about = |to: &str| {
        let mut note = observation("x", "8310-5", "38.50", "2026-03-02");
        note["subject"]["reference"] = to.into();
        note["performer"] = json!([doctor]);
        note
    };
    let entries = [
        post(
            "Observation",
            "urn:uuid:0e2feb89-414c-443c-9027-c4d1c386bbc4",
            about("urn:uuid:1e2feb89-414c-443c-9027-c4d1c386bbc4"),
        ),
        post(
            "Patient",
            "urn:uuid:1e2feb89-414c-443c-9027-c4d1c386bbc4",
            json!({"resourceType":"Patient"}),
        ),
        json!({"resource":{"resourceType":"Patient","id":"given"},
            "fullUrl":"urn:uuid:2e2feb89-414c-443c-9027-c4d1c386bbc4",
            "request":{"method":"PUT","url":"Patient/given"}}),
        post(
            "Observation",
            "urn:uuid:3e2feb89-414c-443c-9027-c4d1c386bbc4",
            about("urn:uuid:2e2feb89-414c-443c-9027-c4d1c386bbc4"),
        ),
        post(
            "Observation",
            "urn:uuid:4e2feb89-414c-443c-9027-c4d1c386bbc4",
            about("Patient/given"),
        ),
        json!({"request":{"method":"GET","url":"Observation?subject=Patient/given"}}),
        post("Patient", "http://else.example/fhir/Patient/old", json!({"resourceType":"Patient"})),
        post("Observation", "http://else.example/fhir/Observation/o", about("Patient/old")),
    ];
    let answer = door.post("/", &bundle("transaction", &entries)).await.expect(200);
    assert_eq!(answer["type"], "transaction-response");
    assert_eq!(statuses(&answer), ["201", "201", "201", "201", "201", "200", "201", "201"]);
    let resource = |at: usize| &answer["entry"][at]["resource"];
    let id = |at: usize| resource(at)["id"].as_str().unwrap();
    assert_eq!(resource(0)["subject"]["reference"], format!("Patient/{}", id(1)));
    assert_eq!(resource(3)["subject"]["reference"], "Patient/given");
    assert_eq!(resource(5)["total"], 2);
    assert_eq!(resource(7)["subject"]["reference"], format!("Patient/{}", id(6)));
    assert_ne!(id(6), "old", "the server gives ids");
    assert_eq!(ondol_fhir::validate(&ondol_fhir::Resource::from_json(answer.clone()).unwrap()), []);
    let location = answer["entry"][0]["response"]["location"].as_str().unwrap();
    assert_eq!(door.get(&door::path_of(location)).await.expect(200), *resource(0));
}

#[tokio::test]
async fn a_transaction_is_all_or_nothing_and_says_which_entry_failed() {
    let door = Door::new();
    let patient = json!({"resourceType":"Patient","id":"p"});
    let put = json!({"resource":patient,"request":{"method":"PUT","url":"Patient/p"}});
    let far = json!({"resourceType":"Patient",
        "managingOrganization":{"reference":"Organization/county"}});
    door.facility.put("far", far);
    let cases = [
        (
            json!({"resource":{"resourceType":"Patient","gender":"x"},
                "request":{"method":"POST","url":"Patient"}}),
            422,
            "Bundle.entry[1].resource.gender",
        ),
        (json!({"request":{"method":"DELETE","url":"Patient/nobody"}}), 404, "Bundle.entry[1]"),
        (json!({"request":{"method":"GET","url":"Patient/nobody"}}), 404, "Bundle.entry[1]"),
        (put.clone(), 400, "Bundle.entry"),
        (json!({"request":{"method":"POST","url":"Patient"}}), 400, "Bundle.entry[1].request"),
        (
            json!({"resource":patient,"request":{"method":"PATCH","url":"Patient/p"}}),
            400,
            "Bundle.entry[1].request",
        ),
        (
            post(
                "Observation",
                "urn:uuid:5e2feb89-414c-443c-9027-c4d1c386bbc4",
                observation("far", "8310-5", "38", "2026"),
            ),
            403,
            "Bundle.entry[1]",
        ),
        (
            post(
                "Basic",
                "urn:uuid:6e2feb89-414c-443c-9027-c4d1c386bbc4",
                json!({"resourceType":"Basic",
                    "code":{"coding":[{"system":"urn:ondol:account","code":"x"}]}}),
            ),
            403,
            "Bundle.entry[1].resource.code",
        ),
        (
            post(
                "Observation",
                "urn:uuid:7e2feb89-414c-443c-9027-c4d1c386bbc4",
                observation("x?identifier=nothing", "8310-5", "38", "2026"),
            ),
            412,
            "Bundle.entry[1].resource.Observation",
        ),
        (
            json!({"resource":patient,"request":{"method":"PUT","url":"Patient/q"}}),
            400,
            "Bundle.entry[1].resource.id",
        ),
    ];
    for (entry, status, place) in cases {
        let mut entry = entry;
        if place.ends_with("Observation") {
            entry["resource"]["subject"]["reference"] = "Patient?identifier=nothing".into();
        }
        let reply = door.post("/", &bundle("transaction", &[put.clone(), entry])).await;
        assert_eq!(reply.issue(status).1, place);
        assert_eq!(door.get("/Patient/p").await.status, 404, "{place}");
    }
    let other = door.post("/", &bundle("collection", &[])).await;
    assert_eq!(other.issue(400), ("bundle-type".into(), "Bundle.type".into()));
}

#[tokio::test]
async fn a_transaction_takes_back_creates_conditionally_and_matches_versions() {
    let door = Door::new();
    door.patient("p", "리").await;
    let identifier = json!([{"system":"urn:s","value":"7"}]);
    let known = json!({"resourceType":"Patient","identifier":identifier});
    let known = door.post("/Patient", &known).await.expect(201);
    let note = |to: &str| {
        let mut note = observation("x", "8310-5", "38", "2026-03-02");
        note["subject"]["reference"] = to.into();
        note
    };
    let mut conditional = post(
        "Patient",
        "urn:uuid:1e2feb89-414c-443c-9027-c4d1c386bbc4",
        json!({"resourceType":"Patient","identifier":identifier}),
    );
    conditional["request"]["ifNoneExist"] = "identifier=urn:s|7".into();
    let entries = [
        conditional,
        post("Observation", "urn:a:1", note("urn:uuid:1e2feb89-414c-443c-9027-c4d1c386bbc4")),
        post("Observation", "urn:a:2", note("Patient?identifier=urn:s|7")),
        json!({"request":{"method":"DELETE","url":"Patient/p"}}),
    ];
    let answer = door.post("/", &bundle("transaction", &entries)).await.expect(200);
    assert_eq!(statuses(&answer), ["200", "201", "201", "204"]);
    let subject = format!("Patient/{}", known["id"].as_str().unwrap());
    for at in [1, 2] {
        assert_eq!(answer["entry"][at]["resource"]["subject"]["reference"], subject);
    }
    door.get("/Patient/p").await.issue(410);
    let mut late = json!({"resource":known,"request":{"method":"PUT","url":subject,
        "ifMatch":"W/\"0000000000000000\""}});
    let reply = door.post("/", &bundle("transaction", &[late.clone()])).await;
    assert_eq!(reply.issue(412), ("version-mismatch".into(), "Bundle.entry[0]".into()));
    late["request"]["ifMatch"] =
        format!("W/\"{}\"", known["meta"]["versionId"].as_str().unwrap()).into();
    door.post("/", &bundle("transaction", &[late])).await.expect(200);
}

#[tokio::test]
async fn references_that_lead_nowhere_are_kept_and_told() {
    let door = Door::new();
    let mut note = observation("p", "8310-5", "38", "2026-03-02");
    note["performer"] = json!([{"reference":"Practitioner/nobody"},{"reference":"urn:uuid:0e2feb89-414c-443c-9027-c4d1c386bbc4"}]);
    let entries = [
        json!({"resource":{"resourceType":"Patient","id":"p"},
            "request":{"method":"PUT","url":"Patient/p"}}),
        post("Observation", "urn:a:1", note),
    ];
    let answer = door.post("/", &bundle("transaction", &entries)).await.expect(200);
    let entries = answer["entry"].as_array().unwrap();
    assert_eq!(entries[0]["response"].get("outcome"), None);
    let issues = entries[1]["response"]["outcome"]["issue"].as_array().unwrap();
    assert!(issues.iter().all(|issue| issue["severity"] == "warning"));
    assert_eq!(issues.len(), 2);
    assert_eq!(entries[1]["resource"]["performer"][0]["reference"], "Practitioner/nobody");
}

#[tokio::test]
async fn a_batch_does_each_entry_for_itself() {
    let door = Door::new();
    door.patient("p", "리").await;
    let entries = [
        json!({"request":{"method":"GET","url":"Patient/q"}}),
        json!({"resource":{"resourceType":"Patient","gender":"x"},
            "request":{"method":"POST","url":"Patient"}}),
        json!({"resource":{"resourceType":"Patient","id":"q"},
            "request":{"method":"PUT","url":"Patient/q"}}),
        json!({"request":{"method":"DELETE","url":"Patient/p"}}),
        json!({"request":{"method":"GET","url":"Patient?_summary=count"}}),
        json!({"request":{"method":"PATCH","url":"Patient/p"}}),
        json!({"request":{"method":"GET","url":"Patient?banana=1"}}),
    ];
    let answer = door.post("/", &bundle("batch", &entries)).await.expect(200);
    // Reads come last: the first entry sees what the third made.
    assert_eq!(statuses(&answer), ["200", "422", "201", "204", "200", "400", "400"]);
    let places =
        |at: usize| answer["entry"][at]["response"]["outcome"]["issue"][0]["expression"][0].clone();
    assert_eq!(places(1), "Patient.gender");
    assert_eq!(places(6), "http.banana");
    assert_eq!(answer["entry"][4]["resource"]["total"], 1);
}

fn shared(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "{name} is expected in CI");
    eprintln!("skipped: {name} is not in ../shared/data");
    None
}

/// Counts what is saved by type, and every decimal as it is written.
fn decimals(text: &str) -> BTreeMap<String, usize> {
    fn walk(value: &Value, found: &mut BTreeMap<String, usize>) {
        match value {
            Value::Number(number) => *found.entry(number.to_string()).or_default() += 1,
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            Value::Object(members) => members.values().for_each(|member| walk(member, found)),
            _ => {}
        }
    }
    let mut found = BTreeMap::new();
    walk(&serde_json::from_str(text).unwrap(), &mut found);
    found
}

#[tokio::test]
async fn bundles_of_synthea_are_taken_whole() {
    let Some(path) = shared("synthea_r4.tar.gz") else { return };
    let door = Door::new();
    // Whoever brings patients together with their doctors and hospitals needs both roles.
    door.person("village", &[Role::HealthWorker, Role::Administrator]);
    let file = std::fs::File::open(path).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let files = archive.entries().unwrap().map(Result::unwrap);
    let mut taken = 0;
    for mut file in files.filter(|file| file.size() < 700_000 && file.size() > 0).take(3) {
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        let sent: Value = serde_json::from_str(&text).unwrap();
        let answer = door.with("village", ("POST", "/"), &[], text).await.expect(200);
        assert!(statuses(&answer).iter().all(|status| *status == "201"));
        let saved: Vec<&Value> =
            answer["entry"].as_array().unwrap().iter().map(|entry| &entry["resource"]).collect();
        let sent_entries = sent["entry"].as_array().unwrap();
        assert_eq!(saved.len(), sent_entries.len());
        let all = |resources: Vec<&Value>| decimals(&serde_json::to_string(&resources).unwrap());
        assert_eq!(all(saved), all(sent_entries.iter().map(|e| &e["resource"]).collect()));
        assert!(!answer.to_string().contains("\"reference\":\"urn:uuid:"));
        let patient = sent_entries
            .iter()
            .position(|entry| entry["resource"]["resourceType"] == "Patient")
            .unwrap();
        let id = answer["entry"][patient]["resource"]["id"].as_str().unwrap();
        let path = format!("/Observation?patient={id}&_summary=count");
        let count = door.get_as("village", &path).await.expect(200)["total"].as_u64().unwrap();
        let observations =
            sent_entries.iter().filter(|e| e["resource"]["resourceType"] == "Observation").count();
        assert_eq!(count, observations as u64);
        taken += 1;
    }
    assert_eq!(taken, 3);
}

#[tokio::test]
async fn the_days_of_a_village_clinic_are_taken_line_by_line() {
    let Some(population) = shared("clinic_days/clinic_1_population.json") else { return };
    let Some(days) = shared("clinic_days/clinic_1_encounters.ndjson.gz") else { return };
    let door = Door::new();
    door.person("village", &[Role::HealthWorker, Role::Administrator]);
    let text = std::fs::read_to_string(population).unwrap();
    // The people of the file belong to the file's clinic; here they are at home at this one.
    let home = |id: &str| format!(r#""managingOrganization":{{"reference":"Organization/{id}"#);
    let (theirs, ours) = (home("cd613e30-d8f1-4adf-91b7-584a2265b1f5"), home("clinic"));
    let text = text.replace(&theirs, &ours);
    let answer = door.with("village", ("POST", "/"), &[], text).await.expect(200);
    assert!(statuses(&answer).iter().all(|status| *status == "201"));
    let file = std::fs::File::open(days).unwrap();
    let lines = BufReader::new(flate2::read::GzDecoder::new(file)).lines();
    for line in lines.take(20) {
        let line = line.unwrap().replace(&theirs, &ours);
        let answer = door.with("village", ("POST", "/"), &[], line.clone()).await.expect(200);
        assert!(statuses(&answer).iter().all(|status| *status == "201"));
        let again = door.with("village", ("POST", "/"), &[], line).await.expect(200);
        assert!(statuses(&again).iter().all(|status| *status == "200"), "ids are the client's");
    }
    let found = door.get_as("village", "/Encounter?_summary=count").await.expect(200);
    assert_eq!(found["total"], 20);
}
