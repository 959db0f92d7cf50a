//! Everything in a compartment: `Patient/1/*`, type by type.

use ondol_fhir::ResourceType;

use super::{
    Mode, PageToken, SearchAnswer, SearchRequest, page,
    page::Place,
    request::{Plan, Within},
    shown, total,
};
use crate::rest::{
    error::{ParameterFault, RestError},
    is_served,
    sight::Sight,
};

/// Searches all types of a compartment. Parameters are those that all of them have.
pub(super) fn run(
    sight: &mut Sight<'_>,
    request: &SearchRequest<'_>,
) -> Result<SearchAnswer, RestError> {
    let of = request.within.as_ref().map(|within| within.of).ok_or(RestError::NotSupported)?;
    let kinds: Vec<ResourceType> = ResourceType::ALL
        .iter()
        .copied()
        .filter(|kind| is_served(*kind) && ondol_fhir::compartment(of, *kind).is_some())
        .collect();
    let (mut at, mut after) = match request.page.as_ref().map(|token| &token.place) {
        None => (0, None),
        Some(Place::Type(number, place)) => {
            let at = kinds.iter().position(|kind| kind.number() == *number);
            (at.ok_or_else(bad_page)?, place.clone())
        }
        Some(_) => return Err(bad_page()),
    };
    let plans: Vec<Plan> =
        kinds.iter().map(|kind| plan(sight, request, *kind)).collect::<Result<_, _>>()?;
    let first = plans.first().ok_or(RestError::NotSupported)?;
    let mut answer = SearchAnswer::of(first);
    let (count, asks_total) = (first.count, first.total);
    let is_whole = at == 0 && after.is_none();
    let mut next = None;
    while count > 0 && at < plans.len() && next.is_none() {
        let mut plan = plan(sight, request, kinds[at])?;
        plan.count = count - answer.entries.len();
        plan.after = after.take().map(Place::Arrival);
        let (hits, more) = page::by_store(sight, &plan)?;
        for found in &hits {
            sight.see(&found.shown)?;
            answer.entries.push((Mode::Match, shown(found, plan.part.as_ref())?));
        }
        let number = kinds[at].number();
        at += 1;
        next = match more {
            Some(Place::Arrival(place)) => Some(Place::Type(number, Some(place))),
            Some(_) => return Err(bad_page()),
            None if answer.entries.len() == count => {
                kinds.get(at).map(|kind| Place::Type(kind.number(), None))
            }
            None => None,
        };
    }
    if asks_total || count == 0 {
        let mut all = 0;
        for plan in &plans {
            all += total(sight, plan)?;
        }
        answer.total = Some(all);
    } else if next.is_none() && is_whole {
        answer.total = Some(answer.entries.len() as u64);
    }
    answer.next = next.map(|place| PageToken::new(sight.app, request, &place)).transpose()?;
    Ok(answer)
}

fn bad_page() -> RestError {
    RestError::parameter("_page", ParameterFault::Value)
}

/// The search of one type. An order or includes over all types there are none.
fn plan(
    sight: &mut Sight<'_>,
    request: &SearchRequest<'_>,
    kind: ResourceType,
) -> Result<Plan, RestError> {
    let within = request.within.clone().map(|within| Within { every_type: false, ..within });
    let plan = Plan::of(sight, &SearchRequest { kind, within, page: None, ..request.clone() })?;
    let refused = |name| Err(RestError::parameter(name, ParameterFault::Unsupported));
    if !plan.includes.is_empty() {
        return refused("_include");
    }
    if !plan.sorted.is_empty() {
        return refused("_sort");
    }
    Ok(plan)
}
