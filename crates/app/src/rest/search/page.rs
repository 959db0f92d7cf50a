//! Pages of a search, and the opaque tokens that lead from one to the next.

use ondol_fhir::ResourceType;
use ondol_kernel::{ResourceId, bytes};
use ondol_store::{Found, Order};

use super::{
    BATCH_MAX, SCAN_MAX, SearchRequest, each_match, is_match,
    request::{Plan, Sort},
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
    /// Stamp, arrival and ordinal of the last resource, in a search that is sorted by time.
    Written(u64, u64, u32),
}

/// What a `next` link carries: the search itself and the place where its last page ended. It
/// names nothing that can be read in passing, and whoever uses it is asked for their rights
/// again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageToken {
    pub(super) place: Place,
    pairs: Vec<(String, String)>,
}

impl PageToken {
    pub(super) fn new(request: &SearchRequest<'_>, place: &Place) -> Self {
        Self { place: place.clone(), pairs: request.pairs.clone() }
    }

    /// The parameters of the search that it goes on with.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// As text of lower-case hexadecimal digits.
    pub fn to_text(&self) -> String {
        let place = match &self.place {
            Place::Arrival(place) => format!("a{place}"),
            Place::Time(place) => format!("t{place}"),
            Place::Written(hlc, arrival, ordinal) => format!("w{hlc}.{arrival}.{ordinal}"),
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("", &place);
        for (name, value) in &self.pairs {
            query.append_pair(name, value);
        }
        bytes::to_hex(query.finish().as_bytes())
    }

    /// Reads [`PageToken::to_text`].
    pub fn from_text(text: &str) -> Result<Self, RestError> {
        Self::read(text).ok_or_else(|| RestError::parameter("_page", ParameterFault::Value))
    }

    fn read(text: &str) -> Option<Self> {
        let mut query = vec![0; text.len() / 2];
        if !bytes::hex_to(text, &mut query) {
            return None;
        }
        let mut pairs: Vec<(String, String)> =
            form_urlencoded::parse(&query).into_owned().collect();
        if pairs.is_empty() {
            return None;
        }
        let (_, place) = pairs.remove(0);
        let place = match place.split_at_checked(1)? {
            ("a", place) => {
                place.parse::<u64>().ok()?;
                Place::Arrival(place.into())
            }
            ("t", place) => {
                let (key, resource) = place.split_once('.')?;
                key.parse::<i64>().ok()?;
                resource.parse::<u64>().ok()?;
                Place::Time(place.into())
            }
            ("w", place) => {
                let mut parts = place.split('.');
                let hlc = parts.next()?.parse().ok()?;
                let arrival = parts.next()?.parse().ok()?;
                Place::Written(hlc, arrival, parts.next()?.parse().ok()?)
            }
            _ => return None,
        };
        Some(Self { place, pairs })
    }
}

/// A page in an order of the store's: that of arrival, or of a time.
pub(super) fn by_store(
    sight: &mut Sight<'_>,
    plan: &Plan,
) -> Result<(Vec<Found>, Option<Place>), RestError> {
    type OfPlace = fn(Box<str>) -> Place;
    let (order, place): (Order, OfPlace) = match plan.sorted {
        Some(Sort::Time { parameter, newest_first }) => {
            (Order::Time { parameter, newest_first }, Place::Time)
        }
        _ => (Order::Arrival, Place::Arrival),
    };
    let mut after = match (&plan.after, order) {
        (None, _) => None,
        (Some(Place::Arrival(place)), Order::Arrival)
        | (Some(Place::Time(place)), Order::Time { .. }) => Some(place.clone()),
        _ => return Err(RestError::parameter("_page", ParameterFault::Value)),
    };
    let (mut hits, mut scanned, mut batch) = (vec![], 0, plan.count);
    loop {
        let page = sight.view.search(&plan.query(order, batch.min(BATCH_MAX), after))?;
        let is_last = page.next.is_none();
        let of_page = page.hits.len();
        for (at, hit) in page.hits.into_iter().enumerate() {
            scanned += 1;
            if is_match(sight, plan, &hit.found)? {
                hits.push(hit.found);
            }
            let is_end = is_last && at + 1 == of_page;
            if (hits.len() == plan.count || scanned >= SCAN_MAX) && !is_end {
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

/// A page in the order of writing. All matches are looked at for it.
pub(super) fn sorted(
    sight: &mut Sight<'_>,
    plan: &Plan,
    newest_first: bool,
) -> Result<(Vec<Found>, Option<Place>), RestError> {
    let after = match &plan.after {
        None => None,
        Some(Place::Written(hlc, arrival, ordinal)) => Some((*hlc, *arrival, *ordinal)),
        Some(Place::Arrival(_) | Place::Time(_)) => {
            return Err(RestError::parameter("_page", ParameterFault::Value));
        }
    };
    let mut keys: Vec<((u64, u64, u32), ResourceId)> = vec![];
    each_match(sight, plan, |found| {
        let shown = found.shown;
        let key = (shown.hlc.bits(), shown.arrival, shown.ordinal);
        let is_behind =
            after.is_none_or(|after| if newest_first { key < after } else { key > after });
        if is_behind {
            keys.push((key, shown.id));
        }
    })?;
    keys.sort_unstable_by(|(a, _), (b, _)| if newest_first { b.cmp(a) } else { a.cmp(b) });
    let more = keys.len() > plan.count;
    keys.truncate(plan.count);
    let last =
        keys.last().map(|((hlc, arrival, ordinal), _)| Place::Written(*hlc, *arrival, *ordinal));
    let mut hits = vec![];
    for (_, id) in keys {
        hits.extend(found(sight, plan.kind, &id)?);
    }
    Ok((hits, last.filter(|_| more)))
}

fn found(
    sight: &Sight<'_>,
    kind: ResourceType,
    id: &ResourceId,
) -> Result<Option<Found>, RestError> {
    Ok(sight.view.resource(kind.name(), id)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_carries_the_search_and_shows_nothing_of_it() {
        let pairs = vec![("name".to_owned(), "리용희&x=1".to_owned())];
        for place in
            [Place::Arrival("17".into()), Place::Time("-5.17".into()), Place::Written(3, 2, 1)]
        {
            let token = PageToken { place, pairs: pairs.clone() };
            let text = token.to_text();
            assert!(text.bytes().all(|b| b.is_ascii_hexdigit()));
            assert_eq!(PageToken::from_text(&text).unwrap(), token);
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in ["", "zz", "00", "3d61", "3d7731", "3d6178"] {
            assert!(PageToken::from_text(text).is_err(), "{text}");
        }
    }
}
