//! The charts of one person: those that are linked so that each names the other.
//!
//! A link counts when both charts say it (R4 `Patient.link` of type `replaces` and `replaced-by`):
//! one that stands on one side alone has not arrived whole, or was written by somebody who may do
//! that in one of the two charts only. `seealso` says that another chart has something too, and
//! makes nobody one person.

use std::collections::{BTreeMap, BTreeSet};

use ondol_kernel::ResourceId;
use ondol_record::ChartId;
use ondol_store::View;

use super::{
    document,
    person::{Link, LinkKind, links_of},
};
use crate::AppError;

/// Charts that are followed at most from one: more are never one person.
const CHARTS_MAX: usize = 20;

/// The charts of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OnePerson {
    /// The one that is in use: visits are written there.
    pub(crate) living: ResourceId,
    /// All of them, in the order of their ids.
    pub(crate) all: BTreeSet<ResourceId>,
}

impl OnePerson {
    /// All but one of them.
    pub(crate) fn others<'a>(
        &'a self,
        id: &'a ResourceId,
    ) -> impl Iterator<Item = &'a ResourceId> + 'a {
        self.all.iter().filter(move |one| *one != id)
    }

    /// All of them as charts.
    pub(crate) fn charts(&self) -> impl Iterator<Item = ChartId> + '_ {
        self.all.iter().map(|id| ChartId::Patient(id.clone()))
    }
}

/// The charts of the person to whom a chart belongs, as far as they are here. A chart that is not
/// here, or has no link, is alone.
pub(crate) fn one_person(view: &dyn View, id: &ResourceId) -> Result<OnePerson, AppError> {
    let alone = || OnePerson { living: id.clone(), all: std::iter::once(id.clone()).collect() };
    let Some(first) = replacing(view, id)? else { return Ok(alone()) };
    if first.is_empty() {
        return Ok(alone());
    }
    let mut known = BTreeMap::from([(id.clone(), first)]);
    let mut all = BTreeSet::from([id.clone()]);
    let mut next = vec![id.clone()];
    while let Some(from) = next.pop() {
        for to in known.get(&from).cloned().unwrap_or_default() {
            if all.contains(&to.other) || all.len() == CHARTS_MAX {
                continue;
            }
            if !known.contains_key(&to.other) {
                let links = replacing(view, &to.other)?.unwrap_or_default();
                known.insert(to.other.clone(), links);
            }
            if names(&known, &to.other, &from) {
                all.insert(to.other.clone());
                next.push(to.other);
            }
        }
    }
    let gives_way = |one: &&ResourceId| {
        known.get(*one).into_iter().flatten().any(|link| {
            link.kind == LinkKind::ReplacedBy
                && all.contains(&link.other)
                && names(&known, &link.other, one)
        })
    };
    // Two nodes may have linked the same two charts either way round while the road was cut: the
    // same one is in use everywhere then.
    let living = all.iter().find(|one| !gives_way(one)).or_else(|| all.first());
    let living = living.unwrap_or(id).clone();
    Ok(OnePerson { living, all })
}

/// The chart that is in use for the person to whom a chart belongs.
pub(crate) fn living(view: &dyn View, id: &ResourceId) -> Result<ResourceId, AppError> {
    Ok(one_person(view, id)?.living)
}

fn names(known: &BTreeMap<ResourceId, Vec<Link>>, from: &ResourceId, to: &ResourceId) -> bool {
    known.get(from).into_iter().flatten().any(|link| link.other == *to)
}

/// The links of a chart that say that two are one person; `None` if the chart is not here.
fn replacing(view: &dyn View, id: &ResourceId) -> Result<Option<Vec<Link>>, AppError> {
    let Some(found) = view.resource("Patient", id)? else { return Ok(None) };
    if found.is_retracted() || !found.shown.body.contains("replace") {
        return Ok(Some(vec![]));
    }
    let links = links_of(&document(&found)?);
    Ok(Some(links.into_iter().filter(|link| link.kind != LinkKind::SeeAlso).collect()))
}
