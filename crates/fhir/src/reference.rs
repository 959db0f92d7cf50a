//! References: what their text says, and where they stand in a document.

use ondol_kernel::ResourceId;
use serde_json::{Map, Value};

use crate::ResourceType;

/// The text of a `Reference.reference`, taken apart (R4 2.3.0.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference<'a> {
    /// `Patient/123`, `Patient/123/_history/4`.
    Local {
        /// The type.
        kind: ResourceType,
        /// The logical id, checked.
        id: &'a str,
        /// The version, if one is named.
        version: Option<&'a str>,
    },
    /// `http://example.org/fhir/Patient/123`, also with `/_history/4`.
    Absolute {
        /// The whole URL.
        url: &'a str,
        /// Everything before the type, without its slash.
        base: &'a str,
        /// The type.
        kind: ResourceType,
        /// The logical id, checked.
        id: &'a str,
        /// The version, if one is named.
        version: Option<&'a str>,
    },
    /// `#p1`: a contained resource (`#` alone is the container).
    Contained(&'a str),
    /// `urn:uuid:...` or `urn:oid:...`: another entry of the same bundle.
    Urn(&'a str),
    /// `Patient?identifier=...`: to be searched for when a transaction is carried out
    /// (R4 3.1.0.11.2).
    Conditional {
        /// The type.
        kind: ResourceType,
        /// What follows the question mark.
        query: &'a str,
    },
    /// Another URL or text.
    Other(&'a str),
}

impl<'a> Reference<'a> {
    /// Takes the text of a reference apart. Every text is something.
    pub fn parse(text: &'a str) -> Self {
        if let Some(contained) = text.strip_prefix('#') {
            return Self::Contained(contained);
        }
        if text.starts_with("urn:") {
            return Self::Urn(text);
        }
        if let Some((kind, query)) = text.split_once('?') {
            return match ResourceType::from_name(kind) {
                Some(kind) => Self::Conditional { kind, query },
                None => Self::Other(text),
            };
        }
        let (path, version) = match text.split_once("/_history/") {
            Some((path, version)) if ResourceId::new(version).is_ok() => (path, Some(version)),
            Some(_) => return Self::Other(text),
            None => (text, None),
        };
        let Some((before, id)) = path.rsplit_once('/') else { return Self::Other(text) };
        let (base, name) = before.rsplit_once('/').map_or((None, before), |(b, n)| (Some(b), n));
        let Some(kind) = ResourceType::from_name(name) else { return Self::Other(text) };
        if ResourceId::new(id).is_err() {
            return Self::Other(text);
        }
        match base {
            None => Self::Local { kind, id, version },
            Some(base) if base.contains("://") => {
                Self::Absolute { url: text, base, kind, id, version }
            }
            Some(_) => Self::Other(text),
        }
    }

    /// The type that the text names, if it names one.
    pub const fn kind(&self) -> Option<ResourceType> {
        match self {
            Self::Local { kind, .. }
            | Self::Absolute { kind, .. }
            | Self::Conditional { kind, .. } => Some(*kind),
            Self::Contained(_) | Self::Urn(_) | Self::Other(_) => None,
        }
    }
}

/// A local reference as JSON: `{"reference": "Patient/123"}`.
pub fn local(kind: ResourceType, id: &ResourceId) -> Value {
    serde_json::json!({ "reference": format!("{kind}/{id}") })
}

/// Whether an object below the key `key` is a `Reference` with a literal reference.
///
/// R4 has three other elements called `reference`, all URIs: `Expression.reference` (beside
/// its mandatory `language`), `DetectedIssue.reference` (in a resource) and
/// `Immunization.education.reference`. The keys that a Reference may have tell the first two
/// apart, the key above it the third.
fn is_reference(key: &str, object: &Map<String, Value>) -> bool {
    const KEYS: [&str; 9] = [
        "reference",
        "_reference",
        "type",
        "_type",
        "identifier",
        "display",
        "_display",
        "id",
        "extension",
    ];
    key != "education"
        && object.get("reference").is_some_and(Value::is_string)
        && object.keys().all(|key| KEYS.contains(&key.as_str()))
}

/// Calls `see` with the text of every literal reference below `body`.
pub(crate) fn each<'a>(body: &'a Map<String, Value>, see: &mut impl FnMut(&'a str)) {
    for (key, value) in body {
        each_in(key, value, see);
    }
}

fn each_in<'a>(key: &str, value: &'a Value, see: &mut impl FnMut(&'a str)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| each_in(key, item, see)),
        Value::Object(object) => {
            if is_reference(key, object)
                && let Some(Value::String(text)) = object.get("reference")
            {
                see(text);
            }
            each(object, see);
        }
        _ => {}
    }
}

/// Calls `change` with the text of every literal reference below `body`.
pub(crate) fn each_mut(body: &mut Map<String, Value>, change: &mut impl FnMut(&mut String)) {
    for (key, value) in body {
        each_mut_in(key, value, change);
    }
}

fn each_mut_in(key: &str, value: &mut Value, change: &mut impl FnMut(&mut String)) {
    match value {
        Value::Array(items) => {
            for item in items {
                each_mut_in(key, item, change);
            }
        }
        Value::Object(object) => {
            if is_reference(key, object)
                && let Some(Value::String(text)) = object.get_mut("reference")
            {
                change(text);
            }
            each_mut(object, change);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Resource, ResourceType::Patient};

    #[test]
    fn every_form_of_reference_is_told_apart() {
        use Reference as R;
        let local = |version| R::Local { kind: Patient, id: "1", version };
        let absolute = |url, version| R::Absolute {
            url,
            base: "http://a.kp/fhir",
            kind: Patient,
            id: "1",
            version,
        };
        let (url, versioned) =
            ("http://a.kp/fhir/Patient/1", "http://a.kp/fhir/Patient/1/_history/2");
        for (text, want) in [
            ("Patient/1", local(None)),
            ("Patient/1/_history/2", local(Some("2"))),
            (url, absolute(url, None)),
            (versioned, absolute(versioned, Some("2"))),
            ("#p1", R::Contained("p1")),
            ("#", R::Contained("")),
            ("urn:uuid:0e2feb89", R::Urn("urn:uuid:0e2feb89")),
            ("Patient?identifier=a|b", R::Conditional { kind: Patient, query: "identifier=a|b" }),
            ("Patient/한", R::Other("Patient/한")),
            ("Patient/1/_history/", R::Other("Patient/1/_history/")),
            ("patient/1", R::Other("patient/1")),
            ("x/Patient/1", R::Other("x/Patient/1")),
            ("Patient", R::Other("Patient")),
            ("", R::Other("")),
        ] {
            assert_eq!(R::parse(text), want, "{text}");
        }
    }

    #[test]
    fn references_are_found_at_any_depth_and_nothing_else_is() {
        let text = r##"{"resourceType":"Immunization","contained":[{"resourceType":"Observation",
            "subject":{"reference":"Patient/1"}}],"patient":{"reference":"Patient/1","display":"x"},
            "performer":[{"actor":{"reference":"#o","extension":[{"url":"u",
            "valueReference":{"reference":"Device/2"}}]}}],
            "education":[{"reference":"Patient/9"}],
            "extension":[{"url":"e","valueExpression":{"language":"x","reference":"Patient/9"}}]}"##;
        let mut resource = Resource::parse(text.as_bytes()).unwrap();
        assert_eq!(resource.references(), ["Patient/1", "Patient/1", "#o", "Device/2"]);
        let before = resource.references().len();
        resource.for_each_reference_mut(|text| text.push('x'));
        assert_eq!(resource.references(), ["Patient/1x", "Patient/1x", "#ox", "Device/2x"]);
        assert_eq!(before, 4);
        assert!(resource.to_string().contains(r#""education":[{"reference":"Patient/9"}]"#));
    }
}
