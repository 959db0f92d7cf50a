//! One entry of a bundle, taken apart.

use ondol_fhir::ResourceType;
use ondol_kernel::{Millis, ResourceId};
use ondol_record::VersionId;
use serde_json::Value;

use crate::rest::Known;

/// The methods that entries may have here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// What an entry's URL leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// `Patient`, `Patient?name=x`.
    Type(ResourceType, Option<String>),
    /// `Patient/1`.
    Instance(ResourceType, ResourceId),
    /// `Patient/1/_history/2`.
    Version(ResourceType, ResourceId, VersionId),
    /// Something else.
    Other,
}

/// An entry.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) full_url: Option<String>,
    pub(super) resource: Option<Value>,
    pub(super) method: Option<Method>,
    pub(super) asked: Asked,
    pub(super) if_match: Option<String>,
    pub(super) if_none_exist: Option<String>,
    pub(super) known: Known,
    /// `ifModifiedSince` is there and is no instant.
    pub(super) bad_since: bool,
}

impl Entry {
    pub(super) fn read(mut entry: Value, base: &str) -> Self {
        let request = entry.get("request").cloned().unwrap_or(Value::Null);
        let text = |value: &Value, key: &str| value.get(key)?.as_str().map(str::to_owned);
        let method = match request.get("method").and_then(Value::as_str) {
            Some("GET" | "HEAD") => Some(Method::Get),
            Some("POST") => Some(Method::Post),
            Some("PUT") => Some(Method::Put),
            Some("PATCH") => Some(Method::Patch),
            Some("DELETE") => Some(Method::Delete),
            _ => None,
        };
        let url = text(&request, "url").unwrap_or_default();
        let since = text(&request, "ifModifiedSince").and_then(|text| Millis::parse_fhir(&text));
        Self {
            full_url: text(&entry, "fullUrl").filter(|url| !url.is_empty()),
            resource: entry.get_mut("resource").map(Value::take),
            method,
            asked: asked(&url, base),
            if_match: text(&request, "ifMatch"),
            if_none_exist: text(&request, "ifNoneExist"),
            known: Known::new(text(&request, "ifNoneMatch").as_deref(), since),
            bad_since: since.is_none() && request.get("ifModifiedSince").is_some(),
        }
    }
}

fn asked(url: &str, base: &str) -> Asked {
    let path = url.strip_prefix(base).unwrap_or(url);
    let path = path.strip_prefix('/').unwrap_or(path);
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (path, None),
    };
    let parts: Vec<&str> = path.split('/').collect();
    let Some(kind) = parts.first().and_then(|name| ResourceType::from_name(name)) else {
        return Asked::Other;
    };
    let id = |at: usize| parts.get(at).and_then(|id| ResourceId::new(id).ok());
    match (parts.len(), &query) {
        (1, _) => Asked::Type(kind, query),
        (2, None) => id(1).map_or(Asked::Other, |id| Asked::Instance(kind, id)),
        (4, None) if parts[2] == "_history" => match (id(1), VersionId::from_hex(parts[3])) {
            (Some(id), Some(version)) => Asked::Version(kind, id, version),
            _ => Asked::Other,
        },
        _ => Asked::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ResourceType::Patient;

    #[test]
    fn urls_of_entries_are_taken_apart() {
        let id = |text| ResourceId::new(text).unwrap();
        let base = "http://a/fhir";
        for (url, expected) in [
            ("Patient", Asked::Type(Patient, None)),
            ("Patient?name=x", Asked::Type(Patient, Some("name=x".to_owned()))),
            ("Patient/1", Asked::Instance(Patient, id("1"))),
            ("http://a/fhir/Patient/1", Asked::Instance(Patient, id("1"))),
            ("/Patient/1", Asked::Instance(Patient, id("1"))),
            (
                "Patient/1/_history/00ff00ff00ff00ff",
                Asked::Version(Patient, id("1"), VersionId([0, 255, 0, 255, 0, 255, 0, 255])),
            ),
            ("Patient/1/_history/2", Asked::Other),
            ("Patient/1?x=y", Asked::Other),
            ("http://b/fhir/Patient/1", Asked::Other),
            ("Banana/1", Asked::Other),
            ("Patient/", Asked::Other),
            ("", Asked::Other),
        ] {
            assert_eq!(asked(url, base), expected, "{url}");
        }
    }
}
