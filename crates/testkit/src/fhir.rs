//! A client of a node's FHIR API.

use data_encoding::BASE64;
use serde_json::Value;

use crate::http::{HttpError, Request};

const JSON: &str = "application/fhir+json";

/// Somebody with an account, at one node's API.
#[derive(Debug, Clone)]
pub struct FhirClient {
    address: String,
    credentials: String,
}

/// What the API answered.
#[derive(Debug, Clone)]
pub struct FhirAnswer {
    /// The status code.
    pub status: u16,
    /// `ETag`, if any.
    pub version: Option<String>,
    /// The resource, or what is wrong; null for no body.
    pub body: Value,
}

impl FhirAnswer {
    /// The id of the resource.
    pub fn id(&self) -> &str {
        self.body["id"].as_str().unwrap_or_default()
    }
}

impl FhirClient {
    /// At `http://127.0.0.1:8001`.
    pub fn new(base: &str, login: &str, password: &str) -> Self {
        let address = base.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let credentials = BASE64.encode(format!("{login}:{password}").as_bytes());
        Self { address, credentials }
    }

    /// `GET /fhir/PATH`.
    pub fn get(&self, path: &str) -> Result<FhirAnswer, HttpError> {
        self.send("GET", path, None)
    }

    /// `POST /fhir/PATH`.
    pub fn post(&self, path: &str, resource: &Value) -> Result<FhirAnswer, HttpError> {
        self.send("POST", path, Some(resource))
    }

    /// `PUT /fhir/PATH`.
    pub fn put(&self, path: &str, resource: &Value) -> Result<FhirAnswer, HttpError> {
        self.send("PUT", path, Some(resource))
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        resource: Option<&Value>,
    ) -> Result<FhirAnswer, HttpError> {
        let path = format!("/fhir/{path}");
        let mut request = Request::new(method, &path)
            .header("Authorization", &format!("Basic {}", self.credentials))
            .header("Accept", JSON)
            .header("Prefer", "return=representation");
        if let Some(resource) = resource {
            request = request.body(JSON, resource.to_string());
        }
        let answer = request.send(&self.address)?;
        Ok(FhirAnswer {
            status: answer.status,
            version: answer.header("etag").map(str::to_owned),
            body: serde_json::from_slice(&answer.body).unwrap_or(Value::Null),
        })
    }
}
