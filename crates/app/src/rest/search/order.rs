//! `_sort` by any parameters: keys that are taken from the documents, in bytes that sort as the
//! values do.

use std::cmp::Ordering;

use ondol_fhir::{DecimalKey, IndexValue, Limits, Resource, SearchParam, values_of};
use ondol_store::Found;

use crate::rest::error::RestError;

/// Longer texts are ordered by their beginning, bytes.
const TEXT_MAX: usize = 120;

/// One key of `_sort`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sort {
    /// The parameter; none for the time of writing.
    pub(super) param: Option<&'static SearchParam>,
    /// The greatest first.
    pub(super) descending: bool,
}

/// The keys of a resource, as many as `_sort` has; none where it has no value.
pub(super) type Keys = Vec<Option<Vec<u8>>>;

/// The keys of a resource's shown version: of several values the one that comes first.
pub(super) fn keys(
    sorts: &[Sort],
    found: &Found,
    utc_offset_minutes: i32,
) -> Result<Keys, RestError> {
    let shown = &found.shown;
    let needs_document = sorts.iter().any(|sort| sort.param.is_some());
    let resource = match shown.json().filter(|_| needs_document) {
        Some(text) => Some(Resource::parse_within(text.as_bytes(), Limits::IMPORT)?),
        None => None,
    };
    let key = |sort: &Sort| {
        let Some(param) = sort.param else {
            let mut bytes = shown.hlc.bits().to_be_bytes().to_vec();
            bytes.extend_from_slice(&shown.arrival.to_be_bytes());
            bytes.extend_from_slice(&shown.ordinal.to_be_bytes());
            return Some(bytes);
        };
        let mut first: Option<Vec<u8>> = None;
        values_of(resource.as_ref()?, param, utc_offset_minutes, |value| {
            let Some(bytes) = bytes(&value, sort.descending) else { return };
            let is_first = first
                .as_ref()
                .is_none_or(|first| if sort.descending { bytes > *first } else { bytes < *first });
            if is_first {
                first = Some(bytes);
            }
        });
        first
    };
    Ok(sorts.iter().map(key).collect())
}

fn bytes(value: &IndexValue<'_>, descending: bool) -> Option<Vec<u8>> {
    let text = |text: &str| {
        let mut bytes = text.as_bytes().to_vec();
        bytes.truncate(TEXT_MAX);
        bytes
    };
    match value {
        IndexValue::String { folded, .. } => Some(text(folded)),
        IndexValue::Token { system, code } => {
            Some(text(&[code.unwrap_or(""), "\0", system.as_deref().unwrap_or("")].concat()))
        }
        IndexValue::Reference { kind, id, url, identifier } => match (kind, id, url) {
            (_, _, Some(url)) => Some(text(url)),
            (Some(kind), Some(id), None) => Some(text(&format!("{kind}/{id}"))),
            _ => identifier.map(|(_, value)| text(value)),
        },
        IndexValue::Date { from, to } => {
            let at = if descending { to } else { from };
            // The sign turned, so that bytes sort as the times do.
            Some((at.0.cast_unsigned() ^ (1 << 63)).to_be_bytes().to_vec())
        }
        IndexValue::Number(number) | IndexValue::Quantity { value: number, .. } => {
            DecimalKey::parse(number).map(|key| key.as_bytes().to_vec())
        }
        IndexValue::Uri(uri) => Some(text(uri)),
        IndexValue::Together(_) | IndexValue::Position { .. } => None,
    }
}

/// Which of two comes first: what has no value comes last either way, equals in the order of
/// arrival.
pub(super) fn compare(sorts: &[Sort], a: (&Keys, u64), b: (&Keys, u64)) -> Ordering {
    for (at, sort) in sorts.iter().enumerate() {
        let order =
            match (a.0.get(at).and_then(Option::as_ref), b.0.get(at).and_then(Option::as_ref)) {
                (Some(a), Some(b)) if sort.descending => b.cmp(a),
                (Some(a), Some(b)) => a.cmp(b),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            };
        if order != Ordering::Equal {
            return order;
        }
    }
    a.1.cmp(&b.1)
}
