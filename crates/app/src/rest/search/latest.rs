//! `Observation/$lastn` (R4, operation of Observation): the newest of each kind.

use std::collections::HashMap;

use ondol_fhir::{IndexValue, Limits, Resource, ResourceType, SearchParam, params, values_of};
use ondol_kernel::ResourceId;

use super::{
    Mode, SearchAnswer, SearchRequest, each_match,
    order::{self, Keys, Sort},
    page,
    request::Plan,
    shown,
};
use crate::{
    Actor, App, AppError,
    rest::{
        error::{ParameterFault, RestError},
        sight::Sight,
    },
};

/// So many of each kind are given at most, besides those of one time.
const MAX: usize = 1_000;

/// What an observation is of, as far as its code says: each coding, or else its words.
type Key = (String, String);

/// An observation that fits: when it was, its place in the order of arrival, its id.
type Seen = (Keys, u64, ResourceId);

/// The observations of one kind.
#[derive(Default)]
struct Group {
    /// Another group that it turned out to be the same as.
    joined: Option<usize>,
    seen: Vec<Seen>,
}

impl App {
    /// The newest observations of a subject for each code, newest first: `max` of each (1), and
    /// whatever is of the same time as the last of them. Codes are one kind if an observation
    /// has both. What was entered in error is none.
    ///
    /// # Errors
    ///
    /// [`RestError::Parameter`] without a subject, without a category or a code, and for
    /// parameters of results other than `_elements` and `_summary`.
    pub fn rest_latest(
        &self,
        actor: &Actor,
        mut request: SearchRequest<'_>,
    ) -> Result<SearchAnswer, RestError> {
        let max = take_max(&mut request.pairs)?;
        check(&request.pairs)?;
        let (answer, seen) = {
            let view = self.view()?;
            let mut sight = Sight::new(self, actor, &*view);
            let answer = run(&mut sight, &request, max)?;
            (answer, sight.seen())
        };
        seen.record(self, actor)?;
        Ok(answer)
    }
}

fn take_max(pairs: &mut Vec<(String, String)>) -> Result<usize, RestError> {
    let mut max = None;
    for (_, value) in pairs.extract_if(.., |(name, _)| name == "max") {
        let number = value.parse::<usize>().ok().filter(|number| *number > 0);
        let number = number.filter(|_| max.is_none());
        max = Some(number.ok_or_else(|| RestError::parameter("max", ParameterFault::Value))?);
    }
    Ok(max.unwrap_or(1).min(MAX))
}

fn check(pairs: &[(String, String)]) -> Result<(), RestError> {
    let has = |wanted: &dyn Fn(&str) -> bool| {
        pairs.iter().any(|(name, _)| wanted(name.split([':', '.']).next().unwrap_or(name)))
    };
    if !has(&|name| name == "patient" || name == "subject") {
        return Err(RestError::parameter("patient", ParameterFault::Missing));
    }
    if !has(&|name| name == "category" || name.contains("code")) {
        return Err(RestError::parameter("category", ParameterFault::Missing));
    }
    let of_results = ["_sort", "_count", "_total", "_include", "_revinclude", "_page"];
    match pairs
        .iter()
        .find(|(name, _)| of_results.contains(&name.split(':').next().unwrap_or(name)))
    {
        Some((name, _)) => Err(RestError::parameter(name, ParameterFault::Unsupported)),
        None => Ok(()),
    }
}

fn run(
    sight: &mut Sight<'_>,
    request: &SearchRequest<'_>,
    max: usize,
) -> Result<SearchAnswer, RestError> {
    let plan = Plan::of(sight, request)?;
    let mut answer = SearchAnswer::of(&plan);
    let of_type = params(ResourceType::Observation);
    let named = |code| of_type.iter().find(|param| param.code == code);
    let (Some(code), Some(date)) = (named("code"), named("date")) else {
        return Err(AppError::Unexpected("a parameter of Observation").into());
    };
    let sorts = [Sort { param: Some(date), descending: true }];
    for group in groups(sight, &plan, (code, &sorts))? {
        for id in newest(group, &sorts, max) {
            let Some(found) = page::found(sight, plan.kind, &id)? else { continue };
            sight.see(&found.shown)?;
            answer.entries.push((Mode::Match, shown(&found, plan.part.as_ref())?));
        }
    }
    answer.total = Some(answer.entries.len() as u64);
    Ok(answer)
}

/// The observations that fit, by kind, in the order in which the first of each arrived.
fn groups(
    sight: &mut Sight<'_>,
    plan: &Plan,
    (code, sorts): (&'static SearchParam, &[Sort]),
) -> Result<Vec<Vec<Seen>>, RestError> {
    let offset = sight.app.utc_offset_minutes();
    let mut groups: Vec<Group> = vec![];
    let mut of_key: HashMap<Key, usize> = HashMap::new();
    let mut failure = None;
    each_match(sight, plan, |found, place| {
        let read = || -> Result<_, RestError> {
            let text = found.shown.json().unwrap_or_default();
            let resource = Resource::parse_within(text.as_bytes(), Limits::IMPORT)?;
            Ok((order::keys(sorts, &found, offset)?, resource))
        };
        let (when, resource) = match read() {
            Ok(read) => read,
            Err(why) => {
                failure.get_or_insert(why);
                return;
            }
        };
        if resource.get_str("status") == Some("entered-in-error") {
            return;
        }
        let mut own = None;
        for key in keys(&resource, code, offset) {
            let at = *of_key.entry(key).or_insert_with(|| {
                own.unwrap_or_else(|| {
                    groups.push(Group::default());
                    groups.len() - 1
                })
            });
            let at = root(&groups, at);
            match own {
                // The older group keeps its place.
                Some(other) if other != at => {
                    groups[at.max(other)].joined = Some(at.min(other));
                    own = Some(at.min(other));
                }
                _ => own = Some(at),
            }
        }
        let at = own.unwrap_or_else(|| {
            groups.push(Group::default());
            groups.len() - 1
        });
        groups[at].seen.push((when, place, found.shown.id));
    })?;
    failure.map_or(Ok(()), Err)?;
    for at in (0..groups.len()).rev() {
        let to = root(&groups, at);
        if to != at {
            let seen = std::mem::take(&mut groups[at].seen);
            groups[to].seen.extend(seen);
        }
    }
    Ok(groups.into_iter().map(|group| group.seen).filter(|seen| !seen.is_empty()).collect())
}

fn root(groups: &[Group], mut at: usize) -> usize {
    while let Some(to) = groups[at].joined {
        at = to;
    }
    at
}

/// What an observation is of. One without any code is of a kind of its own.
fn keys(resource: &Resource, code: &'static SearchParam, offset: i32) -> Vec<Key> {
    let mut keys = vec![];
    values_of(resource, code, offset, |value| {
        if let IndexValue::Token { system, code: Some(code) } = value {
            keys.push((system.as_deref().unwrap_or("").to_owned(), code.to_owned()));
        }
    });
    if keys.is_empty()
        && let Some(words) = resource.get_str("code.text")
    {
        // No system is called so.
        keys.push((" ".to_owned(), words.trim().to_lowercase()));
    }
    keys
}

/// The newest `max`, and what is of the same time as the last of them.
fn newest(mut group: Vec<Seen>, sorts: &[Sort], max: usize) -> impl Iterator<Item = ResourceId> {
    // Of one time, what arrived last comes first.
    group.sort_by(|a, b| order::compare(sorts, (&a.0, 0), (&b.0, 0)).then(b.1.cmp(&a.1)));
    let last = group.get(max - 1).map(|(when, ..)| when.clone());
    group
        .into_iter()
        .enumerate()
        .take_while(move |(at, (when, ..))| *at < max || Some(when) == last.as_ref())
        .map(|(_, (.., id))| id)
}
