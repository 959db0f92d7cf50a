//! Pages of a search, and where each of them ends.

use ondol_fhir::{ParamKind, ResourceType};
use ondol_kernel::{ResourceId, bytes};
use ondol_store::{Found, Order};

use super::{
    AHEAD_MAX, BATCH_MAX, SCAN_MAX, each_match, is_match,
    order::{self, Keys, Sort},
    request::Plan,
};
use crate::rest::{
    error::{ParameterFault, RestError},
    sight::Sight,
};

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The store's own place, in the order of arrival.
    Arrival(Box<str>),
    /// The store's own place, in the order of a time.
    Time(Box<str>),
    /// The keys of the last resource and its place in the order of arrival, in a search that is
    /// sorted by them.
    Keys(Keys, u64),
    /// In a search of all types of a compartment: the type, by its number, and the store's place
    /// in it, if it goes on there.
    Type(u8, Option<Box<str>>),
}

impl Place {
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Arrival(place) => format!("a{place}"),
            Self::Time(place) => format!("t{place}"),
            Self::Keys(keys, place) => {
                let key = |key: &Option<Vec<u8>>| {
                    key.as_ref().map_or_else(|| "-".to_owned(), |key| bytes::to_hex(key))
                };
                let keys: Vec<String> = keys.iter().map(key).collect();
                format!("k{place}.{}", keys.join("."))
            }
            Self::Type(kind, place) => format!("c{kind}.{}", place.as_deref().unwrap_or("")),
        }
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        match text.split_at_checked(1)? {
            ("a", place) => {
                place.parse::<u64>().ok()?;
                Some(Self::Arrival(place.into()))
            }
            ("t", place) => {
                let (key, resource) = place.split_once('.')?;
                key.parse::<i64>().ok()?;
                resource.parse::<u64>().ok()?;
                Some(Self::Time(place.into()))
            }
            ("k", text) => {
                let mut parts = text.split('.');
                let place = parts.next()?.parse().ok()?;
                let key = |text: &str| {
                    if text == "-" {
                        return Some(None);
                    }
                    let mut key = vec![0; text.len() / 2];
                    bytes::hex_to(text, &mut key).then_some(Some(key))
                };
                Some(Self::Keys(parts.map(key).collect::<Option<_>>()?, place))
            }
            ("c", text) => {
                let (kind, place) = text.split_once('.')?;
                if !place.is_empty() {
                    place.parse::<u64>().ok()?;
                }
                let place = (!place.is_empty()).then(|| place.into());
                Some(Self::Type(kind.parse().ok()?, place))
            }
            _ => None,
        }
    }
}

/// A page in an order of the store's: that of arrival, or of a time.
pub(super) fn by_store(
    sight: &mut Sight<'_>,
    plan: &Plan,
) -> Result<(Vec<Found>, Option<Place>), RestError> {
    type OfPlace = fn(Box<str>) -> Place;
    let (order, place): (Order, OfPlace) = match time_of(&plan.sorted) {
        Some((parameter, newest_first)) => (Order::Time { parameter, newest_first }, Place::Time),
        None => (Order::Arrival, Place::Arrival),
    };
    let mut after = match (&plan.after, order) {
        (None, _) => None,
        (Some(Place::Arrival(place)), Order::Arrival)
        | (Some(Place::Time(place)), Order::Time { .. }) => Some(place.clone()),
        _ => return Err(RestError::parameter("_page", ParameterFault::Value)),
    };
    // One more than the page holds is looked for: whether there is a next page must not hang on
    // what may not be seen, or the link would tell of it.
    let mut batch = plan.count + 1;
    let (mut hits, mut scanned, mut ahead, mut end) = (vec![], 0, 0, None);
    loop {
        let page = sight.view.search(&plan.query(order, batch.min(BATCH_MAX), after))?;
        let is_last = page.next.is_none();
        let of_page = page.hits.len();
        for (at, hit) in page.hits.into_iter().enumerate() {
            scanned += 1;
            let is_full = hits.len() == plan.count;
            if is_match(sight, plan, &hit.found)? {
                if is_full {
                    return Ok((hits, end));
                }
                hits.push(hit.found);
                end = Some(place(hit.place.clone()));
            } else {
                ahead += usize::from(is_full);
            }
            let is_end = is_last && at + 1 == of_page;
            if (scanned >= SCAN_MAX || ahead >= AHEAD_MAX) && !is_end {
                return Ok((hits, Some(place(hit.place))));
            }
        }
        if is_last {
            return Ok((hits, None));
        }
        after = page.next;
        // Much was passed over: look at more at once.
        batch = (batch * 2).min(BATCH_MAX);
    }
}

/// The parameter and whether the newest come first, if `_sort` is by one time: the store has that
/// order.
pub(super) fn time_of(sorts: &[Sort]) -> Option<(&'static str, bool)> {
    match sorts {
        [Sort { param: Some(param), descending }] if param.kind == ParamKind::Date => {
            (param.code != "_lastUpdated").then_some((param.code, *descending))
        }
        _ => None,
    }
}

/// A page in the order of any keys. All matches are looked at for it.
pub(super) fn sorted(
    sight: &mut Sight<'_>,
    plan: &Plan,
) -> Result<(Vec<Found>, Option<Place>), RestError> {
    let sorts = &plan.sorted;
    let after = match &plan.after {
        None => None,
        Some(Place::Keys(keys, place)) if keys.len() == sorts.len() => Some((keys, *place)),
        Some(_) => return Err(RestError::parameter("_page", ParameterFault::Value)),
    };
    let offset = sight.app.utc_offset_minutes();
    let (mut all, mut failure): (Vec<(Keys, u64, ResourceId)>, _) = (vec![], None);
    each_match(sight, plan, |found, place| match order::keys(sorts, &found, offset) {
        Ok(keys) => {
            let is_behind =
                after.is_none_or(|after| order::compare(sorts, (&keys, place), after).is_gt());
            if is_behind {
                all.push((keys, place, found.shown.id));
            }
        }
        Err(why) => failure = Some(why),
    })?;
    failure.map_or(Ok(()), Err)?;
    all.sort_unstable_by(|a, b| order::compare(sorts, (&a.0, a.1), (&b.0, b.1)));
    let more = all.len() > plan.count;
    all.truncate(plan.count);
    let last = all.last().map(|(keys, place, _)| Place::Keys(keys.clone(), *place));
    let mut hits = vec![];
    for (_, _, id) in all {
        hits.extend(found(sight, plan.kind, &id)?);
    }
    Ok((hits, last.filter(|_| more)))
}

pub(super) fn found(
    sight: &Sight<'_>,
    kind: ResourceType,
    id: &ResourceId,
) -> Result<Option<Found>, RestError> {
    Ok(sight.view.resource(kind.name(), id)?)
}
