//! A resource as an entry keeps it: without what the address already says.

use std::{fmt, sync::Arc};

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
#[derive(Clone)]
pub struct Body {
    text: Box<str>,
    /// The same members as JSON, if they were at hand: whoever indexes them need not read the text
    /// again.
    members: Option<Arc<Map<String, Value>>>,
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Body {}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Body").field(&self.text).finish()
    }
}

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
    /// The body of a resource, without the four members that the address implies.
    pub fn of(resource: &Value) -> Result<Self, BadBody> {
        let members = resource.as_object().ok_or(BadBody::NotAnObject)?;
        let mut text = vec![b'{'];
        match members.get("meta") {
            None => {}
            Some(Value::Object(meta)) => {
                let mut rest = vec![b'{'];
                for (name, value) in meta.iter().filter(|(name, _)| !is_of_server(name)) {
                    write_member(&mut rest, name, value)?;
                }
                if rest.len() > 1 {
                    rest.push(b'}');
                    text.extend_from_slice(b"\"meta\":");
                    text.append(&mut rest);
                }
            }
            Some(_) => return Err(BadBody::MetaNotAnObject),
        }
        for (name, value) in members {
            if !matches!(name.as_str(), "resourceType" | "id" | "meta") {
                write_member(&mut text, name, value)?;
            }
        }
        text.push(b'}');
        let text = String::from_utf8(text).map_err(|_| BadBody::NotAnObject)?;
        Ok(Self { text: text.into(), members: None })
    }

    /// The same of a resource that nobody needs any more; its JSON is kept beside the text.
    pub fn take(mut resource: Value) -> Result<Self, BadBody> {
        let mut body = Self::of(&resource)?;
        if let Some(members) = resource.as_object_mut() {
            members.retain(|name, _| name != "resourceType" && name != "id");
            if let Some(Value::Object(meta)) = members.get_mut("meta") {
                meta.retain(|name, _| !is_of_server(name));
                if meta.is_empty() {
                    members.shift_remove("meta");
                }
            }
            body.members = Some(Arc::new(std::mem::take(members)));
        }
        Ok(body)
    }

    /// The members of [`Body::to_value`], if they are at hand.
    pub fn members(&self) -> Option<&Map<String, Value>> {
        self.members.as_deref()
    }

    /// Accepts text that is already a body, byte for byte; `None` if it is not canonical.
    ///
    /// Every number that is JSON is canonical as it was written (`1E5`, `1e+5` and `100000` are
    /// three texts, and each stays), hence not `serde_json`'s parser, which spells exponents anew.
    pub fn from_canonical(text: &str) -> Option<Self> {
        let value = parse_json(text.as_bytes(), LIMITS).ok()?;
        let has_implied = value.as_object()?.keys().any(|k| k == "resourceType" || k == "id");
        let again = Self::of(&value).ok()?;
        (!has_implied && &*again.text == text).then_some(again)
    }

    /// The resource without the members that the address implies, every number as it is written.
    pub fn to_value(&self) -> Value {
        read(&self.text).unwrap_or_default()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The whole resource as compact JSON text. `last_updated` is a FHIR instant.
    pub fn assemble(&self, kind: &str, id: &str, version: &str, last_updated: &str) -> String {
        assemble(&self.text, kind, id, version, last_updated)
    }
}

/// What only a server says of a resource, and the entry says for it.
fn is_of_server(name: &str) -> bool {
    matches!(name, "versionId" | "lastUpdated")
}

/// Adds a member to the text of an object that was begun.
fn write_member(text: &mut Vec<u8>, name: &str, value: &Value) -> Result<(), BadBody> {
    if text.len() > 1 {
        text.push(b',');
    }
    let written = serde_json::to_writer(&mut *text, name).and_then(|()| {
        text.push(b':');
        serde_json::to_writer(&mut *text, value)
    });
    // Neither a text in memory nor a JSON value can fail here.
    written.map_err(|_| BadBody::NotAnObject)
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
    fn what_is_taken_keeps_its_members_at_hand() {
        for text in [
            r#"{"resourceType":"Patient","x":1.10,"id":"old","meta":{"versionId":"9","tag":[{"code":"b"}]},"y":[2,1]}"#,
            r#"{"resourceType":"Patient","meta":{"lastUpdated":"x"},"a\"b\n":"\u0001"}"#,
            "{}",
        ] {
            let resource = parse_json(text.as_bytes(), LIMITS).unwrap();
            let (of, taken) = (Body::of(&resource).unwrap(), Body::take(resource).unwrap());
            assert_eq!(of, taken);
            assert_eq!(of.members(), None);
            assert_eq!(taken.members(), of.to_value().as_object());
        }
        assert_eq!(Body::take(Value::Null), Err(BadBody::NotAnObject));
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
