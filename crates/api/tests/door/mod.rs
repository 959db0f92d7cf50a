//! The API over a real store, asked in-process by people of a test facility.

#![allow(dead_code, reason = "each test takes what it needs")]

#[path = "../../../app/tests/support/mod.rs"]
mod support;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request},
};
use http_body_util::BodyExt;
use ondol_access::Role;
use ondol_api::{ApiState, Authenticate, MOUNT, Refusal};
use ondol_app::Actor;
use serde_json::{Value, json};
use tower::ServiceExt;

pub use support::Facility;

/// Lets in by a header that names somebody known.
#[derive(Default)]
struct ByName(Mutex<HashMap<String, Actor>>);

impl Authenticate for ByName {
    fn authenticate(&self, headers: &HeaderMap) -> Result<Actor, Refusal> {
        let name = headers.get("x-who").ok_or(Refusal::Missing)?.to_str().unwrap();
        self.0.lock().unwrap().get(name).cloned().ok_or(Refusal::Wrong)
    }
}

/// A facility and its API.
pub struct Door {
    pub facility: Facility,
    router: Router,
    names: Arc<ByName>,
}

/// What came back.
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Reply {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    /// Null where there is no body, or none that is JSON.
    pub fn json_or_null(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Expects a status; gives the JSON.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        if self.bytes.is_empty() { Value::Null } else { self.json() }
    }

    /// Stable code and expression of the first issue of an error.
    pub fn issue(&self, status: u16) -> (String, String) {
        let outcome = self.expect(status);
        assert_eq!(outcome["resourceType"], "OperationOutcome");
        let issue = &outcome["issue"][0];
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        (text(&issue["details"]["coding"][0]["code"]), text(&issue["expression"][0]))
    }
}

impl Door {
    /// The clinic with a doctor ('doctor').
    pub fn new() -> Self {
        Self::of(Facility::new())
    }

    pub fn of(facility: Facility) -> Self {
        let names = Arc::new(ByName::default());
        let state = ApiState::new(facility.app.clone(), names.clone(), "http");
        let router = Router::new().merge(ondol_api::mounted(state));
        let door = Self { facility, router, names };
        door.person("doctor", &[Role::Doctor]);
        door
    }

    /// Makes somebody known by a name.
    pub fn person(&self, name: &str, roles: &[Role]) -> Actor {
        let actor = self.facility.person_named(name, roles);
        self.names.0.lock().unwrap().insert(name.to_owned(), actor.clone());
        actor
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> Reply {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        Reply { status: parts.status.as_u16(), headers: parts.headers, bytes }
    }

    /// Asks as somebody, with headers and a body of JSON text.
    pub async fn with(
        &self,
        who: &str,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: impl Into<String>,
    ) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{MOUNT}{path}"))
            .header("host", "node.example")
            .header("x-who", who);
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/fhir+json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.into())).unwrap()).await
    }

    /// Asks as the doctor.
    pub async fn get(&self, path: &str) -> Reply {
        self.with("doctor", ("GET", path), &[], "").await
    }

    pub async fn get_as(&self, who: &str, path: &str) -> Reply {
        self.with(who, ("GET", path), &[], "").await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.with("doctor", ("POST", path), &[], body.to_string()).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        self.with("doctor", ("PUT", path), &[], body.to_string()).await
    }

    /// Registers somebody with this id, whose home is this facility.
    pub async fn patient(&self, id: &str, family: &str) -> Value {
        let patient = json!({
            "resourceType": "Patient", "id": id, "name": [{ "family": family }],
        });
        self.put(&format!("/Patient/{id}"), &patient).await.expect(201)
    }

    /// The ids of the matches of a searchset.
    pub async fn ids(&self, who: &str, path: &str) -> Vec<String> {
        ids(&self.get_as(who, path).await.expect(200))
    }
}

/// The ids of all that a bundle holds, whatever it holds it for.
pub fn all_ids(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|e| e["resource"]["id"].as_str().unwrap().to_owned()).collect()
}

/// The ids of the matches of all pages from one on.
pub async fn over_pages(door: &Door, first: String) -> Vec<String> {
    let (mut next, mut seen) = (first, vec![]);
    loop {
        let page = door.get(&next).await.expect(200);
        seen.extend(ids(&page));
        let links = page["link"].as_array().unwrap();
        match links.iter().find(|link| link["relation"] == "next") {
            Some(link) => next = path_of(link["url"].as_str().unwrap()),
            None => return seen,
        }
    }
}

/// The ids of the matches of a searchset.
pub fn ids(searchset: &Value) -> Vec<String> {
    let entries = searchset["entry"].as_array().cloned().unwrap_or_default();
    entries
        .iter()
        .filter(|entry| entry["search"]["mode"] == "match")
        .map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned())
        .collect()
}

/// An observation of somebody, of one LOINC code.
pub fn observation(patient: &str, code: &str, number: &str, time: &str) -> Value {
    let value: Value = serde_json::from_str(number).unwrap();
    json!({
        "resourceType": "Observation",
        "status": "final",
        "code": { "coding": [{ "system": "http://loinc.org", "code": code }] },
        "subject": { "reference": format!("Patient/{patient}") },
        "effectiveDateTime": time,
        "valueQuantity": {
            "value": value, "unit": "C", "system": "http://unitsofmeasure.org", "code": "Cel"
        }
    })
}

/// The address part of a Location header: `/Patient/1/_history/2`.
pub fn path_of(location: &str) -> String {
    location.strip_prefix("http://node.example/fhir").unwrap().to_owned()
}
