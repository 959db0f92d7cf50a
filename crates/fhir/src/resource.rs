//! A resource as the JSON document that it is: order, decimals' text and unknown extensions
//! are kept.

use ondol_kernel::{Millis, ResourceId};
use serde_json::{Map, Value};

use crate::{
    ResourceType,
    parse::{Limits, ParseError, parse_json},
    path, reference,
};

/// A JSON object with a `resourceType` of R4. Two are equal when their documents are, decimals
/// compared by their text (`1.0` is not `1.00`); the order of keys does not matter.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    kind: ResourceType,
    body: Map<String, Value>,
}

const TYPE_KEY: &str = "resourceType";

impl Resource {
    /// An empty resource of a type.
    pub fn new(kind: ResourceType) -> Self {
        let mut body = Map::new();
        body.insert(TYPE_KEY.to_owned(), kind.name().into());
        Self { kind, body }
    }

    /// Reads one resource, within [`Limits::RESOURCE`]. Only its form as JSON and its
    /// `resourceType` are checked here; validation checks the rest.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        Self::parse_within(bytes, Limits::RESOURCE)
    }

    /// Reads one resource within limits of your own.
    pub fn parse_within(bytes: &[u8], limits: Limits) -> Result<Self, ParseError> {
        Self::from_json(parse_json(bytes, limits)?)
    }

    /// Wraps a JSON value that is an object with a known `resourceType`.
    pub fn from_json(value: Value) -> Result<Self, ParseError> {
        let Value::Object(body) = value else { return Err(ParseError::NotAnObject) };
        let name = body.get(TYPE_KEY).and_then(Value::as_str).ok_or(ParseError::NoResourceType)?;
        let kind = ResourceType::from_name(name).ok_or(ParseError::UnknownResourceType)?;
        Ok(Self { kind, body })
    }

    /// Compact JSON. Parsing it gives an equal resource, and writing that the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }

    /// The type.
    pub const fn resource_type(&self) -> ResourceType {
        self.kind
    }

    /// The document.
    pub const fn body(&self) -> &Map<String, Value> {
        &self.body
    }

    /// The document as a JSON value.
    pub fn into_json(self) -> Value {
        Value::Object(self.body)
    }

    /// Changes the document. Its `resourceType` is put back whatever the change did to it.
    pub fn edit<T>(&mut self, change: impl FnOnce(&mut Map<String, Value>) -> T) -> T {
        let result = change(&mut self.body);
        match self.body.get(TYPE_KEY) {
            Some(Value::String(name)) if name == self.kind.name() => {}
            Some(_) => {
                self.body.insert(TYPE_KEY.to_owned(), self.kind.name().into());
            }
            None => {
                self.body.shift_insert(0, TYPE_KEY.to_owned(), self.kind.name().into());
            }
        }
        result
    }

    /// Sets an element of the resource, at its place or at the end.
    pub fn set(&mut self, element: &str, value: impl Into<Value>) {
        self.edit(|body| body.insert(element.to_owned(), value.into()));
    }

    /// Takes an element away; the others keep their order.
    pub fn remove(&mut self, element: &str) -> Option<Value> {
        self.edit(|body| body.shift_remove(element))
    }

    /// The logical id, if there is one. Ids of resources that were not validated may have any
    /// form.
    pub fn id(&self) -> Option<&str> {
        self.body.get("id")?.as_str()
    }

    /// Sets the logical id; a new one stands after `resourceType`.
    pub fn set_id(&mut self, id: &ResourceId) {
        self.edit(|body| put(body, 1, "id", id.as_str().into()));
    }

    /// Takes the logical id away.
    pub fn remove_id(&mut self) -> Option<String> {
        match self.remove("id") {
            Some(Value::String(id)) => Some(id),
            _ => None,
        }
    }

    /// `meta.versionId`, if there is one.
    pub fn version_id(&self) -> Option<&str> {
        self.body.get("meta")?.get("versionId")?.as_str()
    }

    /// `meta.lastUpdated` as an instant, if it is there and is one.
    pub fn last_updated(&self) -> Option<Millis> {
        Millis::parse_fhir(self.body.get("meta")?.get("lastUpdated")?.as_str()?)
    }

    /// Sets `meta.versionId` and `meta.lastUpdated`, which only a server sets. The instant is
    /// written in UTC with milliseconds.
    pub fn set_server_meta(&mut self, version_id: &str, last_updated: Millis) {
        self.edit(|body| {
            if !body.get("meta").is_some_and(Value::is_object) {
                let at = 1 + usize::from(body.contains_key("id"));
                put(body, at, "meta", Value::Object(Map::new()));
            }
            if let Some(Value::Object(meta)) = body.get_mut("meta") {
                put(meta, 0, "versionId", version_id.into());
                put(meta, 1, "lastUpdated", last_updated.to_fhir(0).into());
            }
        });
    }

    /// Takes away what only a server sets: `meta.versionId` and `meta.lastUpdated` (and their
    /// extensions), and `meta` itself when nothing else is in it. The id stays.
    pub fn strip_server_meta(&mut self) {
        self.edit(|body| {
            let Some(Value::Object(meta)) = body.get_mut("meta") else { return };
            for key in ["versionId", "_versionId", "lastUpdated", "_lastUpdated"] {
                meta.shift_remove(key);
            }
            if meta.is_empty() {
                body.shift_remove("meta");
            }
        });
    }

    /// All values at a dotted path of JSON keys (`name.given`, `valueQuantity.unit`), arrays
    /// flattened, in the order of the document.
    pub fn get<'a>(&'a self, path: &str) -> Vec<&'a Value> {
        path::get(&self.body, path)
    }

    /// The first string at a path.
    pub fn get_str<'a>(&'a self, path: &str) -> Option<&'a str> {
        self.get(path).into_iter().find_map(Value::as_str)
    }

    /// Every `Reference.reference` at any depth, contained resources included.
    pub fn references(&self) -> Vec<&str> {
        let mut found = Vec::new();
        reference::each(&self.body, &mut |text| found.push(text));
        found
    }

    /// Calls `change` with every `Reference.reference` at any depth, contained resources and
    /// entries of bundles included.
    pub fn for_each_reference_mut(&mut self, mut change: impl FnMut(&mut String)) {
        reference::each_mut(&mut self.body, &mut change);
    }
}

/// Compact JSON.
impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // serde_json writes a map of JSON values without fail; only `f` can refuse.
        let text = serde_json::to_string(&self.body).map_err(|_| std::fmt::Error)?;
        f.write_str(&text)
    }
}

/// Sets a key where it stands, or puts a new one at `at`.
fn put(map: &mut Map<String, Value>, at: usize, key: &str, value: Value) {
    match map.get_mut(key) {
        Some(old) => *old = value,
        None => {
            map.shift_insert(at.min(map.len()), key.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(text: &str) -> Resource {
        Resource::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_no_resource_is_refused() {
        for (text, error) in [
            ("[]", ParseError::NotAnObject),
            ("{}", ParseError::NoResourceType),
            (r#"{"resourceType":1}"#, ParseError::NoResourceType),
            (r#"{"resourceType":"HumanName"}"#, ParseError::UnknownResourceType),
        ] {
            assert_eq!(Resource::parse(text.as_bytes()), Err(error));
        }
    }

    #[test]
    fn ids_and_meta_are_set_in_front_and_taken_away_without_a_trace() {
        let plain = r#"{"resourceType":"Patient","active":true}"#;
        let mut patient = resource(plain);
        patient.set_id(&ResourceId::new("a1").unwrap());
        patient.set_server_meta("7", Millis(0));
        assert_eq!(
            patient.to_string(),
            r#"{"resourceType":"Patient","id":"a1","meta":{"versionId":"7","lastUpdated":"1970-01-01T00:00:00.000Z"},"active":true}"#
        );
        assert_eq!((patient.id(), patient.version_id()), (Some("a1"), Some("7")));
        assert_eq!(patient.last_updated(), Some(Millis(0)));
        patient.strip_server_meta();
        assert_eq!(patient.id(), Some("a1"));
        assert_eq!(patient.remove_id(), Some("a1".to_owned()));
        assert_eq!(patient.to_string(), plain);
    }

    #[test]
    fn meta_of_the_client_stays() {
        let mut patient =
            resource(r#"{"resourceType":"Patient","meta":{"tag":[{"code":"x"}],"versionId":"1"}}"#);
        patient.strip_server_meta();
        assert_eq!(
            patient.to_string(),
            r#"{"resourceType":"Patient","meta":{"tag":[{"code":"x"}]}}"#
        );
    }

    #[test]
    fn an_edit_cannot_change_the_type() {
        let mut patient = resource(r#"{"resourceType":"Patient","active":true}"#);
        patient.set("resourceType", "Group");
        assert_eq!(patient.to_string(), r#"{"resourceType":"Patient","active":true}"#);
        patient.remove("resourceType");
        assert_eq!(patient.to_string(), r#"{"resourceType":"Patient","active":true}"#);
    }

    #[test]
    fn paths_flatten_arrays() {
        let patient = resource(
            r#"{"resourceType":"Patient","name":[{"given":["a","b"]},{"given":["c"]},{"family":"d"}]}"#,
        );
        assert_eq!(patient.get("name.given"), ["a", "b", "c"]);
        assert_eq!(patient.get_str("name.family"), Some("d"));
        assert!(patient.get("name.given.x").is_empty());
        assert!(patient.get("").is_empty());
    }

    #[test]
    fn decimals_are_equal_by_their_text() {
        let with = |n: &str| {
            resource(&format!(
                r#"{{"resourceType":"Observation","valueQuantity":{{"value":{n}}}}}"#
            ))
        };
        assert_eq!(with("1.0"), with("1.0"));
        assert_ne!(with("1.0"), with("1.00"));
        assert_eq!(with("1.50E2").to_bytes(), with("1.50E2").to_bytes());
        assert!(with("1.50E2").to_string().contains("1.50E2"));
    }
}
