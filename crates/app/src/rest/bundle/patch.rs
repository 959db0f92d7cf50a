//! The patch of an entry: a Binary that holds its text (R4 3.1.0.11.1.1).

use ondol_fhir::{ResourceType, patch::Patch};
use serde_json::Value;

use super::entry::Entry;
use crate::rest::error::RestError;

/// The media type of JSON Patch.
const JSON_PATCH: &str = "application/json-patch+json";

pub(super) fn of(
    entry: &Entry,
    kind: ResourceType,
    bad: &dyn Fn() -> RestError,
) -> Result<Patch, RestError> {
    let binary = entry.resource.as_ref().filter(|it| it["resourceType"] == "Binary");
    let binary = binary.ok_or_else(bad)?;
    let media_type = binary["contentType"].as_str().and_then(|text| text.split(';').next());
    let data = binary.get("data").and_then(Value::as_str);
    let (Some(media_type), Some(data)) = (media_type, data) else { return Err(bad()) };
    if !media_type.trim().eq_ignore_ascii_case(JSON_PATCH) {
        return Err(bad());
    }
    // Base64 in FHIR may be broken into lines.
    let data: Vec<u8> = data.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let text = data_encoding::BASE64.decode(&data).map_err(|_| bad())?;
    Patch::parse(&text).map_err(|why| RestError::Patch { kind, why })
}
