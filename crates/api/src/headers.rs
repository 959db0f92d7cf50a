//! What headers of requests say.

use axum::http::{HeaderMap, header};
use ondol_app::rest::{Known, PreferReturn, VersionId, etags};

use crate::{error::ApiError, http_date};

/// Media types of JSON that are understood.
const JSON_TYPES: [&str; 3] = ["application/fhir+json", "application/json", "text/json"];

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Whether a media type with its parameters is FHIR R4 in JSON.
fn is_json(media_type: &str) -> bool {
    let mut parts = media_type.split(';').map(str::trim);
    let name = parts.next().unwrap_or("").to_ascii_lowercase();
    JSON_TYPES.contains(&name.as_str())
        && parts.all(|part| match part.split_once('=') {
            Some((key, value)) if key.trim().eq_ignore_ascii_case("fhirVersion") => {
                value.trim().trim_matches('"').starts_with("4.0")
            }
            Some((key, value)) if key.trim().eq_ignore_ascii_case("charset") => {
                value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

/// Whether the client takes JSON. `_format` goes before `Accept` (R4 3.1.0.1.10).
pub(crate) fn check_accept(headers: &HeaderMap, format: Option<&str>) -> Result<(), ApiError> {
    if let Some(format) = format {
        // A plus that was not escaped in a URL arrives as a blank.
        let format = format.replace(' ', "+");
        let fits = format.eq_ignore_ascii_case("json") || is_json(&format);
        return if fits { Ok(()) } else { Err(ApiError::NotAcceptable) };
    }
    let Some(accept) = text(headers, "accept") else { return Ok(()) };
    let takes = accept.split(',').map(str::trim).any(|media_type| {
        let name = media_type.split(';').next().unwrap_or("").trim();
        let refused = media_type
            .split(';')
            .skip(1)
            .any(|part| matches!(part.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        !refused && (matches!(name, "*/*" | "application/*" | "") || is_json(media_type))
    });
    if takes { Ok(()) } else { Err(ApiError::NotAcceptable) }
}

/// Whether the body is JSON.
pub(crate) fn check_content_type(headers: &HeaderMap) -> Result<(), ApiError> {
    match text(headers, "content-type") {
        Some(media_type) if is_json(media_type) => Ok(()),
        _ => Err(ApiError::UnsupportedMediaType),
    }
}

/// Whether the body is a JSON Patch.
pub(crate) fn check_patch(headers: &HeaderMap) -> Result<(), ApiError> {
    let name = text(headers, "content-type").and_then(|text| text.split(';').next());
    match name {
        Some(name) if name.trim().eq_ignore_ascii_case("application/json-patch+json") => Ok(()),
        _ => Err(ApiError::PatchMediaType),
    }
}

/// Whether the body is a form.
pub(crate) fn check_form(headers: &HeaderMap) -> Result<(), ApiError> {
    let name = text(headers, "content-type").and_then(|text| text.split(';').next());
    match name {
        Some(name) if name.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") => {
            Ok(())
        }
        _ => Err(ApiError::UnsupportedMediaType),
    }
}

/// `If-Match`: all versions that the client has seen.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<Vec<VersionId>>, ApiError> {
    let mut all: Option<Vec<VersionId>> = None;
    for value in headers.get_all(header::IF_MATCH) {
        let text = value.to_str().map_err(|_| ApiError::BadHeader("If-Match"))?;
        let versions = etags(text).ok_or(ApiError::BadHeader("If-Match"))?;
        all.get_or_insert_default().extend(versions);
    }
    Ok(all)
}

/// What the client has already: `If-None-Match`, else `If-Modified-Since`. A date that is none
/// of HTTP's is passed over, as RFC 9110 13.1.3 asks.
pub(crate) fn known(headers: &HeaderMap) -> Known {
    let since = text(headers, "if-modified-since").and_then(http_date::parse);
    Known::new(text(headers, "if-none-match"), since)
}

/// `Prefer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Prefer {
    pub(crate) back: PreferReturn,
    pub(crate) lenient: bool,
}

pub(crate) fn prefer(headers: &HeaderMap) -> Prefer {
    let mut prefer = Prefer::default();
    for value in headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok()) {
        for part in value.split([',', ';']).map(str::trim) {
            // Names are of any case, values may be quoted, blanks may stand around (RFC 7240 2).
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim().trim_matches('"');
            match (name.trim().to_ascii_lowercase().as_str(), value) {
                ("return", "minimal") => prefer.back = PreferReturn::Minimal,
                ("return", "representation") => prefer.back = PreferReturn::Representation,
                ("return", "OperationOutcome") => prefer.back = PreferReturn::Outcome,
                ("handling", "lenient") => prefer.lenient = true,
                ("handling", "strict") => prefer.lenient = false,
                // What is not understood, as respond-async, is passed over.
                _ => {}
            }
        }
    }
    prefer
}

/// `X-Ondol-Reason`: why something is taken back or merged. Percent-encoded UTF-8, since headers
/// carry ASCII.
pub(crate) fn reason(headers: &HeaderMap) -> Option<String> {
    const LONGEST: usize = 600;
    let sent = String::from_utf8_lossy(headers.get("x-ondol-reason")?.as_bytes());
    // Decoded as a form's value is, of which the whole header is one.
    let sent = sent.replace('&', "%26").replace('=', "%3D");
    let decoded = form_urlencoded::parse(sent.as_bytes()).next()?.0.into_owned();
    let text: String = decoded.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// This server's own address, as the client calls it.
pub(crate) fn base(headers: &HeaderMap, scheme: &str) -> Result<String, ApiError> {
    let host = text(headers, "host").unwrap_or("localhost");
    let is_host = !host.is_empty()
        && host.len() <= 255
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b));
    if is_host {
        Ok(format!("{scheme}://{host}{}", crate::MOUNT))
    } else {
        Err(ApiError::BadHeader("Host"))
    }
}

/// Whether the client takes gzip.
pub(crate) fn takes_gzip(headers: &HeaderMap) -> bool {
    text(headers, "accept-encoding").is_some_and(|text| {
        text.split(',').map(str::trim).any(|part| {
            let (name, q) = part.split_once(';').unwrap_or((part, ""));
            name.trim() == "gzip" && !matches!(q.trim(), "q=0" | "q=0.0")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
    }

    #[test]
    fn json_is_accepted_in_all_its_names() {
        for accept in [
            "*/*",
            "application/fhir+json",
            "application/json;q=0.9",
            "text/html, application/fhir+json; fhirVersion=4.0",
            "application/xml, */*;q=0.1",
        ] {
            assert!(check_accept(&with("accept", accept), None).is_ok(), "{accept}");
        }
        for accept in [
            "application/fhir+xml",
            "text/html",
            "application/fhir+json; fhirVersion=3.0",
            "*/*;q=0",
        ] {
            assert!(check_accept(&with("accept", accept), None).is_err(), "{accept}");
        }
        let xml = with("accept", "application/fhir+xml");
        for format in ["json", "application/fhir+json", "application/fhir json"] {
            assert!(check_accept(&xml, Some(format)).is_ok(), "{format}");
        }
        assert!(check_accept(&HeaderMap::new(), Some("xml")).is_err());
    }

    #[test]
    fn bodies_have_to_say_that_they_are_json() {
        assert!(
            check_content_type(&with("content-type", "application/fhir+json; charset=UTF-8"))
                .is_ok()
        );
        for other in ["application/xml", "text/plain", "application/json; charset=euc-kr"] {
            assert!(check_content_type(&with("content-type", other)).is_err());
        }
        assert!(check_content_type(&HeaderMap::new()).is_err());
    }

    #[test]
    fn preferences_and_reasons_are_read() {
        let read = prefer(&with("prefer", "return=minimal; handling=lenient"));
        assert_eq!(read, Prefer { back: PreferReturn::Minimal, lenient: true });
        let quoted = prefer(&with("prefer", r#"respond-async, Return = "OperationOutcome""#));
        assert_eq!(quoted, Prefer { back: PreferReturn::Outcome, lenient: false });
        assert_eq!(
            reason(&with("x-ondol-reason", "%EC%9E%98%EB%AA%BB%20%EC%93%B0%EC%9E%84")).unwrap(),
            "잘못 쓰임"
        );
        assert_eq!(reason(&with("x-ondol-reason", "wrong patient")).unwrap(), "wrong patient");
        assert_eq!(reason(&with("x-ondol-reason", "  ")), None);
        assert!(base(&with("host", "a.kp:8443"), "https").unwrap() == "https://a.kp:8443/fhir");
        assert!(base(&with("host", "a\"b"), "https").is_err());
    }
}
