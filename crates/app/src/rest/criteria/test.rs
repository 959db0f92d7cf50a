//! What is asked, as a test for the store and as a test of a value.

use ondol_fhir::IndexValue;
use ondol_kernel::Millis;
use ondol_store::Test;

use super::{ALWAYS, Prefix, Wanted};
use crate::rest::number;

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
        Wanted::Time { prefix, from, to } => time_tests(*prefix, *from, *to)?,
        Wanted::Uri(text) => vec![Test::Uri(text.as_str().into())],
        Wanted::Id(id) => id.iter().cloned().map(Test::Id).collect(),
        Wanted::Logical { .. } | Wanted::Number { .. } | Wanted::Quantity { .. } => return None,
    })
}

fn time_tests(prefix: Prefix, from: Millis, to: Millis) -> Option<Vec<Test>> {
    let (begin, end) = ALWAYS;
    let above = Test::Overlaps { from: to, to: end };
    let below = Test::Overlaps { from: begin, to: from };
    let within = Test::Within { from, to };
    Some(match prefix {
        Prefix::Eq => vec![within],
        Prefix::Gt => vec![above],
        Prefix::Lt => vec![below],
        Prefix::Ge => vec![above, within],
        Prefix::Le => vec![below, within],
        Prefix::Sa => vec![Test::Within { from: to, to: end }],
        Prefix::Eb => vec![Test::Within { from: begin, to: from }],
        Prefix::Ne => return None,
    })
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
            }
        }
        (Wanted::Number { prefix, span }, IndexValue::Number(text)) => {
            number::passes(*prefix, span, text)
        }
        (
            Wanted::Quantity { prefix, span, system, unit },
            IndexValue::Quantity { value, system: has, code, unit: word },
        ) => {
            let same_unit = match (system.as_deref(), unit.as_deref()) {
                (_, None) => true,
                (Some(system), Some(unit)) => *has == Some(system) && *code == Some(unit),
                (None, Some(unit)) => *code == Some(unit) || *word == Some(unit),
            };
            same_unit && number::passes(*prefix, span, value)
        }
        (Wanted::Uri(text), IndexValue::Uri(uri)) => text == uri,
        _ => false,
    }
}
