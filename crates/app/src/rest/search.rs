//! Searches of one type (R4 3.1.1). Each hit is decided on by its own chart, pages are filled
//! after that, and a total counts only what may be seen.

mod chain;
mod every;
mod include;
mod latest;
mod order;
mod page;
mod request;
mod terms;
mod token;

use std::collections::HashSet;

use ondol_fhir::{Limits, Part, Resource, ResourceType};
use ondol_kernel::ResourceId;
use ondol_store::{Found, Hit, Order, Query};

pub use request::{COMMON, SearchRequest, Within, pairs_of};
pub use token::PageToken;

use self::request::Plan;
use super::{
    criteria::Criterion,
    error::{ParameterFault, RestError},
    read::Answer,
    sight::{Seen, Sight},
};
use crate::{Actor, App, AppError};

/// So many candidates are looked at for one page; a page may come out short, with a link on.
const SCAN_MAX: usize = 5_000;

/// So many candidates that may not be seen are passed over behind a full page, to know whether
/// there is another one; beyond that a link is given that may lead to nothing.
const AHEAD_MAX: usize = 500;

/// So many candidates are looked at for a total or for sorting.
const SCAN_ALL_MAX: usize = 100_000;

/// Candidates that are asked of the store at once, at most.
const BATCH_MAX: usize = 500;

/// Why a resource stands in a result (R4 `search-entry-mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It fits.
    Match,
    /// It was asked to be included.
    Include,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchAnswer {
    /// How many fit in all, if that was asked or is known.
    pub total: Option<u64>,
    /// The resources of this page.
    pub entries: Vec<(Mode, Answer)>,
    /// Leads to the next page.
    pub next: Option<PageToken>,
    /// Parameters that were passed over, for lenient clients.
    pub ignored: Vec<String>,
    /// Not everything that was to be included is here.
    pub includes_cut: bool,
}

impl App {
    /// Searches resources of one type.
    pub fn rest_search(
        &self,
        actor: &Actor,
        request: &SearchRequest<'_>,
    ) -> Result<SearchAnswer, RestError> {
        let (answer, seen) = {
            let view = self.view()?;
            let mut sight = Sight::new(self, actor, &*view);
            let answer = run(&mut sight, request)?;
            (answer, sight.seen())
        };
        let seen: Seen = seen;
        seen.record(self, actor)?;
        Ok(answer)
    }
}

/// Searches, and notes what is found as seen.
pub(super) fn run(
    sight: &mut Sight<'_>,
    request: &SearchRequest<'_>,
) -> Result<SearchAnswer, RestError> {
    if request.within.as_ref().is_some_and(|within| within.every_type) {
        return every::run(sight, request);
    }
    let plan = Plan::of(sight, request)?;
    let mut answer = SearchAnswer::of(&plan);
    if plan.part == Some(Part::Text) && !plan.includes.is_empty() {
        // R4 3.1.1.5.9: the narrative alone does not tell what a resource leads to.
        return Err(RestError::parameter("_summary", ParameterFault::Value));
    }
    if plan.count == 0 {
        answer.total = Some(total(sight, &plan)?);
        return Ok(answer);
    }
    let (hits, next) = if plan.sorted.is_empty() || page::time_of(&plan.sorted).is_some() {
        page::by_store(sight, &plan)?
    } else {
        page::sorted(sight, &plan)?
    };
    if plan.total {
        answer.total = Some(total(sight, &plan)?);
    } else if next.is_none() && plan.after.is_none() {
        answer.total = Some(hits.len() as u64);
    }
    let mut keys = HashSet::new();
    for found in &hits {
        sight.see(&found.shown)?;
        keys.insert((found.shown.resource_type.clone(), found.shown.id.clone()));
        answer.entries.push((Mode::Match, shown(found, plan.part.as_ref())?));
    }
    let included = include::of(sight, &plan, &hits, keys)?;
    answer.includes_cut = included.cut;
    for found in &included.found {
        sight.see(&found.shown)?;
        // Elements are named of the type that is searched.
        let part = plan.part.as_ref().filter(|part| !matches!(part, Part::Elements(_)));
        answer.entries.push((Mode::Include, shown(found, part)?));
    }
    answer.next = next.map(|place| PageToken::new(sight.app, request, &place)).transpose()?;
    Ok(answer)
}

impl SearchAnswer {
    fn of(plan: &Plan) -> Self {
        Self {
            total: None,
            entries: vec![],
            next: None,
            ignored: plan.ignored.clone(),
            includes_cut: false,
        }
    }
}

/// A resource as it is handed out, or the part of it that is asked for.
fn shown(found: &Found, part: Option<&Part>) -> Result<Answer, RestError> {
    let mut answer = Answer::of(found)?;
    if let Some(part) = part {
        let mut resource = Resource::parse_within(answer.json.as_bytes(), Limits::IMPORT)?;
        part.take(&mut resource);
        answer.json = resource.to_string();
    }
    Ok(answer)
}

/// The one resource that fits a condition (`If-None-Exist`, conditional references): none, the
/// one, or an error if there are several. What may not be seen does not count.
pub(super) fn the_one(
    sight: &mut Sight<'_>,
    kind: ResourceType,
    query: &str,
    base: &str,
) -> Result<Option<Found>, RestError> {
    let pairs = pairs_of(query);
    let mut plan = Plan::of(sight, &SearchRequest::of(kind, pairs, base))?;
    plan.count = 2;
    // A page ends after so many candidates, whatever was found by then: the one may stand behind.
    let mut one = None;
    for _ in 0..SCAN_ALL_MAX / SCAN_MAX {
        let (hits, next) = page::by_store(sight, &plan)?;
        for hit in hits {
            if one.replace(hit).is_some() {
                return Err(RestError::ManyMatch);
            }
        }
        match next {
            Some(place) => plan.after = Some(place),
            None => return Ok(one),
        }
    }
    Err(RestError::TooCostly)
}

fn total(sight: &mut Sight<'_>, plan: &Plan) -> Result<u64, RestError> {
    let mut total = 0;
    // What the store decides alone is counted by it, and whether a chart counts is asked of the
    // chart. Accounts hide among other Basics, one by one.
    if plan.kind != ResourceType::Basic && !plan.criteria.iter().any(Criterion::needs_check) {
        let query = plan.query(Order::Arrival, BATCH_MAX, None);
        for (chart, count) in sight.view.count_by_chart(&query)? {
            if sight.may_count(&chart, plan.kind)? {
                total += count;
            }
        }
        return Ok(total);
    }
    each_match(sight, plan, |_, _| total += 1)?;
    Ok(total)
}

/// Every match that may be seen, in the order of arrival, with its place in it.
fn each_match(
    sight: &mut Sight<'_>,
    plan: &Plan,
    mut see: impl FnMut(Found, u64),
) -> Result<(), RestError> {
    let mut query = plan.query(Order::Arrival, BATCH_MAX, None);
    let mut scanned = 0;
    loop {
        let page = sight.view.search(&query)?;
        scanned += page.hits.len();
        if scanned > SCAN_ALL_MAX {
            return Err(RestError::TooCostly);
        }
        for Hit { found, place } in page.hits {
            if is_match(sight, plan, &found)? {
                let place = place.parse();
                see(found, place.map_err(|_| AppError::Unexpected("a place that is no number"))?);
            }
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(()),
        }
    }
}

fn is_match(sight: &mut Sight<'_>, plan: &Plan, found: &Found) -> Result<bool, RestError> {
    Ok(!found.is_retracted()
        && sight.may_see(&found.shown)?
        && passes(&plan.criteria, found, sight.app.utc_offset_minutes())?)
}

/// Looks again at what the store could not decide. The index holds every head of a resource, so
/// that rivals are looked at here too.
fn passes(criteria: &[Criterion], found: &Found, offset: i32) -> Result<bool, RestError> {
    let checked: Vec<&Criterion> = criteria.iter().filter(|c| c.needs_check()).collect();
    if checked.is_empty() {
        return Ok(true);
    }
    let mut heads = vec![];
    for head in std::iter::once(&found.shown).chain(&found.rivals) {
        if let Some(text) = head.json() {
            heads.push(Resource::parse_within(text.as_bytes(), Limits::IMPORT)?);
        }
    }
    Ok(checked.iter().all(|criterion| heads.iter().any(|head| criterion.passes(head, offset))))
}

impl Plan {
    fn query(&self, order: Order, limit: usize, after: Option<Box<str>>) -> Query {
        Query {
            resource_type: self.kind.name().into(),
            chart: None,
            filters: self.criteria.iter().flat_map(Criterion::filters).collect(),
            order,
            limit,
            after,
        }
    }
}

/// Reads a resource that is referred to, if it may be seen.
pub(super) fn look_up(
    sight: &mut Sight<'_>,
    kind: ResourceType,
    id: &str,
) -> Result<Option<Found>, RestError> {
    let Ok(id) = ResourceId::new(id) else { return Ok(None) };
    let Some(found) = sight.view.resource(kind.name(), &id)? else { return Ok(None) };
    let shows = !found.is_retracted() && sight.may_see(&found.shown)?;
    Ok(shows.then_some(found))
}
