//! What is asked, as a test for the store and as a test of a value.

use ondol_fhir::IndexValue;
use ondol_kernel::Millis;
use ondol_store::{Test, Unit, index::canonical};

use super::{ALWAYS, Prefix, Wanted};
use crate::rest::number::Span;

/// The store's tests of a value; none if it has no test for it.
pub(super) fn tests_of(wanted: &Wanted) -> Option<Vec<Test>> {
    Some(match wanted {
        Wanted::Begins(text) => vec![Test::Prefix(text.as_str().into())],
        Wanted::Contains(text) => vec![Test::Contains(text.as_str().into())],
        Wanted::Exact(text) => vec![Test::Exact(text.as_str().into())],
        Wanted::Token { system, code } => {
            vec![Test::Token { system: system.clone(), code: code.clone() }]
        }
        Wanted::Reference(texts) => {
            texts.iter().map(|text| Test::Reference(text.as_str().into())).collect()
        }
        Wanted::Time { prefix, from, to } => time_tests(*prefix, *from, *to),
        Wanted::Uri(text) => vec![Test::Uri(text.as_str().into())],
        Wanted::Above(text) => {
            uris_above(text).into_iter().map(|uri| Test::Uri(uri.into())).collect()
        }
        Wanted::Id(id) => id.iter().cloned().map(Test::Id).collect(),
        Wanted::Logical { system, value } => {
            vec![Test::Logical { system: system.clone(), value: value.clone() }]
        }
        Wanted::Number { prefix, span } => number_tests(*prefix, span, None),
        Wanted::Quantity { prefix, span, unit, canonical } => {
            let mut tests = number_tests(*prefix, span, unit.as_ref());
            if let Some((span, unit)) = canonical {
                tests.extend(number_tests(*prefix, span, Some(unit)));
            }
            tests
        }
        // The document is looked at for its type.
        Wanted::OfType { value, .. } => {
            vec![Test::Token { system: None, code: Some(value.clone()) }]
        }
        Wanted::Worded(_) | Wanted::Below(_) | Wanted::Together(_) | Wanted::Near(_) => {
            return None;
        }
    })
}

fn number_tests(prefix: Prefix, span: &Span, unit: Option<&Unit>) -> Vec<Test> {
    let bounds = span.bounds(prefix).into_iter();
    bounds.map(|(from, to)| Test::Number { from, to, unit: unit.cloned() }).collect()
}

/// A URL, and each that it stands below: with every part of its path taken away.
pub(super) fn uris_above(uri: &str) -> Vec<&str> {
    let mut all = vec![uri];
    let start = uri.find("://").map_or(0, |at| at + 3);
    let mut rest = uri;
    while let Some(at) = rest.rfind('/').filter(|at| *at >= start) {
        // A URL may be written with the slash at its end, or without it.
        if at + 1 < rest.len() {
            all.push(&rest[..=at]);
        }
        rest = &rest[..at];
        all.push(rest);
    }
    all
}

/// Whether a URL is another one or stands below it.
fn is_below(uri: &str, above: &str) -> bool {
    let rest = uri.strip_prefix(above);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || above.ends_with('/'))
}

fn time_tests(prefix: Prefix, from: Millis, to: Millis) -> Vec<Test> {
    let (begin, end) = ALWAYS;
    let above = Test::Overlaps { from: to, to: end };
    let below = Test::Overlaps { from: begin, to: from };
    let within = Test::Within { from, to };
    match prefix {
        Prefix::Eq => vec![within],
        Prefix::Gt => vec![above],
        Prefix::Lt => vec![below],
        Prefix::Ge => vec![above, within],
        Prefix::Le => vec![below, within],
        Prefix::Sa => vec![Test::Within { from: to, to: end }],
        Prefix::Eb => vec![Test::Within { from: begin, to: from }],
        Prefix::Ne => vec![above, below],
        Prefix::Ap => vec![Test::Overlaps { from, to }],
    }
}

pub(super) fn fits(wanted: &Wanted, value: &IndexValue<'_>) -> bool {
    match (wanted, value) {
        (Wanted::Begins(text), IndexValue::String { folded, .. }) => folded.starts_with(text),
        (Wanted::Contains(text), IndexValue::String { folded, .. }) => folded.contains(text),
        (Wanted::Exact(text), IndexValue::String { exact, .. }) => exact == text,
        (Wanted::Token { system, code }, IndexValue::Token { system: has, code: is }) => {
            system.as_deref().is_none_or(|system| has.as_deref().unwrap_or("") == system)
                && code.as_deref().is_none_or(|code| *is == Some(code))
        }
        (Wanted::Id(wanted), IndexValue::Token { code, .. }) => {
            wanted.as_ref().is_some_and(|id| *code == Some(id.as_str()))
        }
        (Wanted::Reference(texts), IndexValue::Reference { kind, id, url, .. }) => {
            let local = kind.zip(*id).map(|(kind, id)| format!("{kind}/{id}"));
            texts.iter().any(|text| Some(text.as_str()) == *url || Some(text) == local.as_ref())
        }
        (Wanted::Logical { system, value }, IndexValue::Reference { identifier, .. }) => identifier
            .is_some_and(|(has, is)| {
                is == &**value && system.as_deref().is_none_or(|s| has.unwrap_or("") == s)
            }),
        (Wanted::Time { prefix, from, to }, IndexValue::Date { from: low, to: high }) => {
            let within = from <= low && high <= to;
            match prefix {
                Prefix::Eq => within,
                Prefix::Ne => !within,
                Prefix::Gt => high > to,
                Prefix::Lt => low < from,
                Prefix::Ge => high > to || within,
                Prefix::Le => low < from || within,
                Prefix::Sa => low >= to,
                Prefix::Eb => high <= from,
                Prefix::Ap => low < to && high > from,
            }
        }
        (Wanted::Number { prefix, span }, IndexValue::Number(text)) => span.passes(*prefix, text),
        (
            Wanted::Quantity { prefix, span, unit, canonical: converted },
            IndexValue::Quantity { value, system: has, code, unit: word },
        ) => {
            let as_written = match unit {
                Some(Unit::Written { system: Some(system), code: of }) => {
                    *has == Some(&**system) && *code == Some(&**of)
                }
                Some(Unit::Written { system: None, code: of }) => {
                    [*code, *word].contains(&Some(&**of))
                }
                Some(Unit::Canonical(_)) => false,
                None => true,
            };
            as_written && span.passes(*prefix, value)
                || converted.as_ref().is_some_and(|(span, unit)| {
                    canonical(value, *has, *code).is_some_and(|(value, is)| {
                        *unit == Unit::Canonical(is) && span.takes(*prefix, &value)
                    })
                })
        }
        (Wanted::Uri(text), IndexValue::Uri(uri)) => text == uri,
        (Wanted::Above(text), IndexValue::Uri(uri)) => uris_above(text).contains(uri),
        (Wanted::Below(text), IndexValue::Uri(uri)) => is_below(uri, text),
        (Wanted::Near(near), IndexValue::Position { latitude, longitude }) => {
            near.holds(latitude, longitude)
        }
        (Wanted::Together(parts), IndexValue::Together(values)) => parts
            .iter()
            .zip(values)
            .all(|(part, values)| values.iter().any(|value| fits(part, value))),
        _ => false,
    }
}
