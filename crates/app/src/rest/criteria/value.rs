//! From the text of a parameter's value to what it asks.

use ondol_fhir::{ParamKind, Reference, ResourceType, SearchParam, Temporal, fold};
use ondol_kernel::{Millis, ResourceId};
use ondol_store::Unit;

use super::{Prefix, Reading, Span, Wanted, near::Near};
use crate::rest::error::ParameterFault;

/// A bare id may lead to so many types at most; beyond that the type has to be named.
const BARE_ID_TYPES_MAX: usize = 12;

pub(super) fn wanted(
    param: &SearchParam,
    modifier: Option<&str>,
    text: &str,
    reading: &Reading<'_>,
) -> Result<Wanted, ParameterFault> {
    use ParamKind as K;
    if param.code == "_id" {
        return match modifier {
            // An id of another form is the id of nothing.
            None => Ok(Wanted::Id(ResourceId::new(&unescape(text)).ok())),
            Some(_) => Err(ParameterFault::Modifier),
        };
    }
    match (param.kind, modifier) {
        (K::String, None) => Ok(Wanted::Begins(fold(&unescape(text)))),
        (K::String, Some("contains")) => Ok(Wanted::Contains(fold(&unescape(text)))),
        (K::String, Some("exact")) => Ok(Wanted::Exact(unescape(text))),
        (K::Token, None | Some("not")) => Ok(token(text)),
        (K::Token, Some("text")) => Ok(Wanted::Worded(fold(&unescape(text)))),
        (K::Token, Some("of-type")) => of_type(text),
        (K::Reference, Some("identifier")) => match token(text) {
            Wanted::Token { system, code: Some(value) } => Ok(Wanted::Logical { system, value }),
            _ => Err(ParameterFault::Value),
        },
        (K::Reference, modifier) => reference(param, modifier, &unescape(text), reading.base),
        (K::Date, None) => {
            let (prefix, text) = Prefix::split(text);
            let (from, to) = span(text, reading.utc_offset_minutes).ok_or(ParameterFault::Value)?;
            if prefix != Prefix::Ap {
                return Ok(Wanted::Time { prefix, from, to });
            }
            // A tenth of how far it is from now, either way.
            let away = i64::try_from(reading.now.0.abs_diff(from.0) / 10).unwrap_or(i64::MAX);
            Ok(Wanted::Time { prefix, from: from.plus(-away), to: to.plus(away) })
        }
        (K::Number, None) => {
            let (prefix, text) = Prefix::split(text);
            let span = Span::read(text).ok_or(ParameterFault::Value)?;
            Ok(Wanted::Number { prefix, span })
        }
        (K::Quantity, None) => quantity(text),
        (K::Uri, None) => Ok(Wanted::Uri(unescape(text))),
        (K::Uri, Some("above")) => Ok(Wanted::Above(unescape(text))),
        (K::Uri, Some("below")) => Ok(Wanted::Below(unescape(text))),
        (K::Composite, None) => together(param, text, reading),
        (K::Special, None) => Near::read(text).map(Wanted::Near),
        (_, Some(_)) => Err(ParameterFault::Modifier),
    }
}

/// `code$value`: a value for each component.
fn together(
    param: &SearchParam,
    text: &str,
    reading: &Reading<'_>,
) -> Result<Wanted, ParameterFault> {
    let parts = split(text, '$');
    if parts.len() != param.components.len() || parts.iter().any(String::is_empty) {
        return Err(ParameterFault::Value);
    }
    let parts = param.components.iter().zip(&parts);
    parts
        .map(|(part, text)| wanted(part, None, text, reading))
        .collect::<Result<_, _>>()
        .map(Wanted::Together)
}

/// `system|code|value`: an identifier, and of which type it is.
fn of_type(text: &str) -> Result<Wanted, ParameterFault> {
    let parts: Vec<String> = split(text, '|').iter().map(|part| unescape(part)).collect();
    match &*parts {
        [system, code, value] if parts.iter().all(|part| !part.is_empty()) => Ok(Wanted::OfType {
            system: system.as_str().into(),
            code: code.as_str().into(),
            value: value.as_str().into(),
        }),
        _ => Err(ParameterFault::Value),
    }
}

pub(super) fn token(text: &str) -> Wanted {
    let mut parts = split(text, '|').into_iter().map(|part| unescape(&part));
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    let some = |text: String| (!text.is_empty()).then(|| text.into());
    match second {
        None => Wanted::Token { system: None, code: some(first) },
        Some(code) => Wanted::Token { system: Some(first.into()), code: some(code) },
    }
}

fn reference(
    param: &SearchParam,
    modifier: Option<&str>,
    text: &str,
    base: &str,
) -> Result<Wanted, ParameterFault> {
    let named = match modifier {
        None => None,
        Some(name) => {
            let kind = ResourceType::from_name(name).ok_or(ParameterFault::Modifier)?;
            Some(kind)
        }
    };
    let own = text.strip_prefix(base).and_then(|rest| rest.strip_prefix('/')).unwrap_or(text);
    if let (Some(kind), Ok(id)) = (named, ResourceId::new(own)) {
        return Ok(Wanted::Reference(vec![format!("{kind}/{id}")]));
    }
    match Reference::parse(own) {
        Reference::Local { kind, id, version: None } if named.is_none_or(|named| named == kind) => {
            Ok(Wanted::Reference(vec![format!("{kind}/{id}")]))
        }
        Reference::Absolute { .. } | Reference::Urn(_) if named.is_none() => {
            Ok(Wanted::Reference(vec![text.to_owned()]))
        }
        Reference::Other(text) if named.is_none() && text.contains(':') => {
            Ok(Wanted::Reference(vec![text.to_owned()]))
        }
        Reference::Other(text) if named.is_none() => {
            let id = ResourceId::new(text).map_err(|_| ParameterFault::Value)?;
            let kinds: Vec<String> =
                param.targets.iter().map(|kind| format!("{kind}/{id}")).collect();
            if kinds.is_empty() || kinds.len() > BARE_ID_TYPES_MAX {
                return Err(ParameterFault::Value);
            }
            Ok(Wanted::Reference(kinds))
        }
        _ => Err(ParameterFault::Value),
    }
}

fn quantity(text: &str) -> Result<Wanted, ParameterFault> {
    let parts: Vec<String> = split(text, '|').iter().map(|part| unescape(part)).collect();
    let (prefix, number) = Prefix::split(parts.first().map_or("", String::as_str));
    let span = Span::read(number).ok_or(ParameterFault::Value)?;
    let some = |at: usize| -> Option<Box<str>> {
        parts.get(at).filter(|part| !part.is_empty()).map(|part| part.as_str().into())
    };
    match parts.len() {
        1 => Ok(Wanted::Quantity { prefix, span, unit: None, canonical: None }),
        3 => {
            let (system, code) = (some(1), some(2).ok_or(ParameterFault::Value)?);
            let canonical =
                system.as_deref().and_then(|system| Span::read_canonical(number, system, &code));
            let unit = Some(Unit::Written { system, code });
            Ok(Wanted::Quantity { prefix, span, unit, canonical })
        }
        _ => Err(ParameterFault::Value),
    }
}

/// The span of a date of a search: to the year, month, day, minute or finer; the zone may be
/// left out. A plus of a zone that came as a blank (which it means in a URL) is understood.
fn span(text: &str, utc_offset_minutes: i32) -> Option<(Millis, Millis)> {
    let text = text.replace(' ', "+");
    if let Some(temporal) = Temporal::parse(&text) {
        return Some(temporal.range(utc_offset_minutes));
    }
    let (date, time) = text.split_once('T')?;
    let zone_at = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(zone_at);
    let zone = if zone.is_empty() { "Z" } else { zone };
    let to_local = if zone_at == time.len() { i64::from(utc_offset_minutes) * 60_000 } else { 0 };
    let (clock, width_ms) =
        if clock.len() == 5 { (format!("{clock}:00"), 60_000) } else { (clock.to_owned(), 0) };
    let (from, to) = Temporal::parse(&format!("{date}T{clock}{zone}"))?.range(0);
    let to = if width_ms > 0 { from.plus(width_ms) } else { to };
    Some((from.plus(-to_local), to.plus(-to_local)))
}

/// Splits at a separator that no backslash stands before. Backslashes stay.
pub(super) fn split(text: &str, at: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        if c == at && !escaped {
            parts.push(String::new());
            continue;
        }
        escaped = c == '\\' && !escaped;
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}

/// Takes the backslashes away (R4 3.1.1.4.0.2).
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut escaped = false;
    for c in text.chars() {
        if c == '\\' && !escaped {
            escaped = true;
            continue;
        }
        escaped = false;
        plain.push(c);
    }
    plain
}
