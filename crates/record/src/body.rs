//! A resource as an entry keeps it: without what the address already says.

use ondol_fhir::{Limits, parse_json};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::entry::ENTRY_BYTES_MAX;

/// What a body is at most. Each node has to refuse the same, so that this is part of the format:
/// 64 MiB as the whole entry, objects and arrays 64 deep.
const LIMITS: Limits = Limits { bytes: ENTRY_BYTES_MAX, depth: 64 };

/// The compact JSON text of a resource without `resourceType`, `id`, `meta.versionId` and
/// `meta.lastUpdated`. What is left of `meta` stands first, so that the full resource is put
/// together without parsing. Digits of decimals and the order of members are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body(Box<str>);

/// The JSON is not a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadBody {
    /// The text is not a JSON object.
    #[error("a resource is a JSON object")]
    NotAnObject,
    /// `meta` is there and is not an object.
    #[error("Resource.meta is a JSON object")]
    MetaNotAnObject,
}

impl Body {
    /// Takes a resource apart: its body, without the four members that the address implies.
    pub fn of(resource: &Value) -> Result<Self, BadBody> {
        let members = resource.as_object().ok_or(BadBody::NotAnObject)?;
        let mut body = Map::new();
        match members.get("meta") {
            None => {}
            Some(Value::Object(meta)) => {
                let rest: Map<String, Value> = meta
                    .iter()
                    .filter(|(name, _)| *name != "versionId" && *name != "lastUpdated")
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect();
                if !rest.is_empty() {
                    body.insert("meta".into(), Value::Object(rest));
                }
            }
            Some(_) => return Err(BadBody::MetaNotAnObject),
        }
        for (name, value) in members {
            if !matches!(name.as_str(), "resourceType" | "id" | "meta") {
                body.insert(name.clone(), value.clone());
            }
        }
        Ok(Self(Value::Object(body).to_string().into()))
    }

    /// Accepts text that is already a body, byte for byte; `None` if it is not canonical.
    ///
    /// Every number that is JSON is canonical as it was written (`1E5`, `1e+5` and `100000` are
    /// three texts, and each stays), hence not `serde_json`'s parser, which spells exponents anew.
    pub fn from_canonical(text: &str) -> Option<Self> {
        let value = parse_json(text.as_bytes(), LIMITS).ok()?;
        let has_implied = value.as_object()?.keys().any(|k| k == "resourceType" || k == "id");
        let again = Self::of(&value).ok()?;
        (!has_implied && &*again.0 == text).then_some(again)
    }

    /// The resource without the members that the address implies, every number as it is written.
    pub fn to_value(&self) -> Value {
        read(&self.0).unwrap_or_default()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The whole resource as compact JSON text. `last_updated` is a FHIR instant.
    pub fn assemble(&self, kind: &str, id: &str, version: &str, last_updated: &str) -> String {
        assemble(&self.0, kind, id, version, last_updated)
    }
}

/// Reads the text of a [`Body`] as a store keeps it, every number as it is written; `None` if
/// it is none.
pub fn read(text: &str) -> Option<Value> {
    parse_json(text.as_bytes(), LIMITS).ok().filter(Value::is_object)
}

/// Puts a resource together from the text of its body; see [`Body::assemble`]. The text must be
/// that of a [`Body`]: stores keep it and do not check it on each read.
pub fn assemble(body: &str, kind: &str, id: &str, version: &str, last_updated: &str) -> String {
    let inner = &body[1..body.len().saturating_sub(1).max(1)];
    let mut text = format!(
        r#"{{"resourceType":"{kind}","id":"{id}","meta":{{"versionId":"{version}","lastUpdated":"{last_updated}""#
    );
    text.reserve(inner.len() + 4);
    if let Some(rest) = inner.strip_prefix(r#""meta":{"#) {
        text.push(',');
        text.push_str(rest);
    } else {
        text.push('}');
        if !inner.is_empty() {
            text.push(',');
            text.push_str(inner);
        }
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(text: &str) -> String {
        Body::of(&serde_json::from_str(text).unwrap()).unwrap().assemble(
            "Patient",
            "a",
            "00ff",
            "2026-01-01T00:00:00.000Z",
        )
    }

    #[test]
    fn a_resource_is_put_together_again() {
        assert_eq!(
            round(
                r#"{"resourceType":"Patient","x":1.10,"id":"old","meta":{"versionId":"9","tag":[{"code":"b"}]},"y":[2,1]}"#
            ),
            r#"{"resourceType":"Patient","id":"a","meta":{"versionId":"00ff","lastUpdated":"2026-01-01T00:00:00.000Z","tag":[{"code":"b"}]},"x":1.10,"y":[2,1]}"#
        );
        assert_eq!(
            round(r#"{"resourceType":"Patient","meta":{"lastUpdated":"x"}}"#),
            r#"{"resourceType":"Patient","id":"a","meta":{"versionId":"00ff","lastUpdated":"2026-01-01T00:00:00.000Z"}}"#
        );
    }

    #[test]
    fn only_canonical_text_is_a_body() {
        assert!(Body::from_canonical(r#"{"meta":{"tag":[]},"a":1.50}"#).is_some());
        let deep =
            |levels: usize| ["{\"a\":", &"[".repeat(levels), &"]".repeat(levels), "}"].concat();
        assert!(Body::from_canonical(&deep(63)).is_some());
        for bad in [
            r#"{"a":1, "b":2}"#,
            r#"{"id":"x"}"#,
            "[]",
            r#"{"a":1,"meta":{"tag":[]}}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a":01}"#,
            &deep(64),
            "",
        ] {
            assert!(Body::from_canonical(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_number_is_canonical_as_it_was_written() {
        for number in
            ["1E5", "1e5", "1e+5", "1E-05", "-0", "-0.0e0", "1.500", "9".repeat(50).as_str()]
        {
            let text = format!("{{\"a\":{number}}}");
            let body = Body::from_canonical(&text).expect(number);
            assert_eq!(body.as_str(), text);
            assert_eq!(Body::of(&body.to_value()).unwrap(), body);
        }
    }
}
