//! Every refusal is an `OperationOutcome` that names what is wrong, and never a person.

use axum::{body::Body, http::Request};
use door::{Door, observation};
use ondol_access::Role;
use ondol_fhir::ResourceType;
use serde_json::json;

use crate::door;

#[tokio::test]
async fn invalid_resources_are_refused_with_all_their_elements() {
    let door = Door::new();
    let bad = json!({"resourceType":"Patient","gender":"banana","birthDate":"yesterday",
        "name":{"family":"비밀이름"}});
    let reply = door.post("/Patient", &bad).await;
    let outcome = reply.expect(422);
    let places: Vec<&str> = outcome["issue"]
        .as_array()
        .unwrap()
        .iter()
        .map(|issue| issue["expression"][0].as_str().unwrap())
        .collect();
    assert_eq!(places, ["Patient.gender", "Patient.birthDate", "Patient.name"]);
    assert!(!reply.text().contains("비밀이름"));
}

#[tokio::test]
async fn what_is_no_json_resource_is_refused_with_its_place() {
    let door = Door::new();
    for (body, code) in [
        ("", "not-json"),
        ("{", "not-json"),
        ("[]", "not-an-object"),
        ("{}", "resource-type-missing"),
        (r#"{"resourceType":"Banana"}"#, "resource-type-unknown"),
        (r#"{"resourceType":"Patient","active":true,"active":false}"#, "duplicate-key"),
    ] {
        let reply = door.with("doctor", ("POST", "/Patient"), &[], body).await;
        assert_eq!(reply.issue(400).0, code, "{body}");
    }
    let deep =
        format!(r#"{{"resourceType":"Patient","x":{}1{}}}"#, "[".repeat(200), "]".repeat(200));
    let reply = door.with("doctor", ("POST", "/Patient"), &[], deep).await;
    assert_eq!(reply.issue(400).0, "too-deep");
    let long = format!(r#"{{"resourceType":"Patient","x":"{}"}}"#, "x".repeat(17 << 20));
    let reply = door.with("doctor", ("POST", "/Patient"), &[], long).await;
    assert_eq!(reply.issue(413).0, "too-large");
}

#[tokio::test]
async fn addresses_methods_and_media_types_that_are_not_here_are_told_apart() {
    let door = Door::new();
    door.patient("p", "리").await;
    assert_eq!(door.get("/Banana").await.issue(404).0, "no-address");
    assert_eq!(door.get("/Patient/nobody").await.issue(404).0, "not-found");
    assert_eq!(door.get("/Patient/p/_history/1").await.issue(404).0, "not-found");
    let post = door.with("doctor", ("POST", "/Patient/p"), &[], "{}").await;
    assert_eq!(post.issue(405).0, "method");
    assert_eq!(post.header("allow"), "GET, PUT, PATCH, DELETE");
    let xml = [("accept", "application/fhir+xml")];
    assert_eq!(door.with("doctor", ("GET", "/Patient/p"), &xml, "").await.status, 406);
    assert_eq!(door.get("/Patient/p?_format=xml").await.status, 406);
    assert_eq!(door.with("doctor", ("GET", "/Patient/p?_format=json"), &xml, "").await.status, 200);
    let text = [("content-type", "text/plain")];
    assert_eq!(door.with("doctor", ("POST", "/Patient"), &text, "{}").await.status, 415);
    assert_eq!(door.get("/Patient/p?banana=1").await.issue(400).1, "http.banana");
}

#[tokio::test]
async fn nobody_is_let_in_without_a_name_but_metadata_is_open() {
    let door = Door::new();
    let request = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    let reply = door.send(request("/fhir/Patient")).await;
    assert_eq!(reply.issue(401).0, "sign-in-missing");
    assert!(reply.header("www-authenticate").starts_with("Basic"));
    assert_eq!(door.get_as("stranger", "/Patient").await.issue(401).0, "sign-in");

    let plain = door.send(request("/fhir/metadata")).await;
    assert_eq!(plain.expect(200)["fhirVersion"], "4.0.1");
    let mut packed = request("/fhir/metadata");
    packed.headers_mut().insert("accept-encoding", "gzip".parse().unwrap());
    let packed = door.send(packed).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.bytes.len() * 5 < plain.bytes.len());
}

/// What the statement offers is there, and what it does not offer is not.
#[tokio::test]
async fn the_capability_statement_tells_the_truth() {
    let door = Door::new();
    door.patient("p", "리").await;
    door.person("registrar", &[Role::MinistryOfficer]);
    let statement = door.get("/metadata").await.expect(200);
    let resources = statement["rest"][0]["resource"].as_array().unwrap();
    assert!(resources.len() > 140);
    for resource in resources {
        let kind = resource["type"].as_str().unwrap();
        let has = |code: &str| {
            resource["interaction"].as_array().unwrap().iter().any(|i| i["code"] == code)
        };
        for (method, path, code) in [
            ("GET", format!("/{kind}?_count=0"), "search-type"),
            ("GET", format!("/{kind}/x"), "read"),
            ("GET", format!("/{kind}/x/_history"), "history-instance"),
            ("GET", format!("/{kind}/_history"), "history-type"),
            ("POST", format!("/{kind}"), "create"),
            ("PUT", format!("/{kind}/x"), "update"),
            ("DELETE", format!("/{kind}/x"), "delete"),
            ("PATCH", format!("/{kind}/x"), "patch"),
        ] {
            let status = door.with("doctor", (method, &path), &[], "{").await.status;
            assert_eq!(status != 405, has(code), "{method} {path}: {status}");
        }
        for param in resource["searchParam"].as_array().unwrap() {
            let (name, kind_of) =
                (param["name"].as_str().unwrap(), param["type"].as_str().unwrap());
            let value = |kind: &str| match kind {
                "date" => "ge2026-01-01",
                "number" => "1",
                "quantity" => "1||mg",
                "reference" => "Patient/p",
                "special" => "39|125",
                _ => "x",
            };
            let value = if kind_of == "composite" {
                let kind = ResourceType::from_name(kind).unwrap();
                let parts = &ondol_fhir::param(kind, name).unwrap().components;
                parts.iter().map(|part| value(part.kind.code())).collect::<Vec<_>>().join("$")
            } else {
                value(kind_of).to_owned()
            };
            let path = format!("/{kind}?{name}={value}&_count=0");
            assert_eq!(door.get(&path).await.status, 200, "{path}");
        }
    }
    let of_system: Vec<&str> = statement["rest"][0]["interaction"]
        .as_array()
        .unwrap()
        .iter()
        .map(|interaction| interaction["code"].as_str().unwrap())
        .collect();
    assert_eq!(of_system, ["transaction", "batch", "history-system"]);
    assert_eq!(door.get("/_history").await.status, 200);
    assert_eq!(door.get("/_search").await.status, 404);
}

#[tokio::test]
async fn consults_accounts_roles_and_audit_have_their_own_steps() {
    let door = Door::new();
    door.patient("p", "리").await;
    let concept = |system: &str, code: &str| json!({"coding":[{"system":system,"code":code}]});
    for (resource, expression) in [
        (
            json!({"resourceType":"ServiceRequest","status":"active","intent":"order",
                "category":[concept("urn:ondol:request-category", "consult")],
                "subject":{"reference":"Patient/p"}}),
            "ServiceRequest.category",
        ),
        (
            json!({"resourceType":"Communication","status":"completed",
                "category":[concept("urn:ondol:step", "taken")],
                "subject":{"reference":"Patient/p"}}),
            "Communication.category",
        ),
        (
            json!({"resourceType":"Communication","status":"completed",
                "category":[concept("urn:ondol:alert", "broken-glass")]}),
            "Communication.category",
        ),
        (
            json!({"resourceType":"Basic","code":concept("urn:ondol:account", "account")}),
            "Basic.code",
        ),
        (
            json!({"resourceType":"PractitionerRole",
                "code":[concept(ondol_app::coding::ROLE, "doctor")],
                "organization":{"reference":"Organization/clinic"}}),
            "PractitionerRole.code",
        ),
    ] {
        let path = format!("/{}", resource["resourceType"].as_str().unwrap());
        let reply = door.post(&path, &resource).await;
        assert_eq!(reply.issue(403), ("own-steps".into(), expression.into()));
    }
    let entry = observation("p", "1", "1", "2026");
    assert_eq!(
        door.with("doctor", ("POST", "/AuditEvent"), &[], entry.to_string()).await.status,
        405
    );
}
