//! `_include` and `_revinclude`, one step far (R4 3.1.1.5.4).

use std::collections::HashSet;

use ondol_fhir::{IndexValue, Limits, Resource, ResourceType, extract};
use ondol_kernel::ResourceId;
use ondol_store::{Filter, Found, Order, Query, Test};

use super::{
    look_up,
    request::{Include, Plan},
};
use crate::rest::{error::RestError, sight::Sight};

/// Resources that are included in one page at most.
const INCLUDED_MAX: usize = 1_000;

/// What was included.
#[derive(Default)]
pub(super) struct Included {
    pub(super) found: Vec<Found>,
    /// There would be more.
    pub(super) cut: bool,
}

type Key = (Box<str>, ResourceId);

/// What the matches lead to, each once. `known` are the matches themselves.
pub(super) fn of(
    sight: &mut Sight<'_>,
    plan: &Plan,
    hits: &[Found],
    mut known: HashSet<Key>,
) -> Result<Included, RestError> {
    let mut included = Included::default();
    for include in &plan.includes {
        if include.reverse {
            leading_to(sight, include, plan.kind, hits, &mut known, &mut included)?;
        } else {
            led_to(sight, include, hits, &mut known, &mut included)?;
        }
    }
    Ok(included)
}

fn led_to(
    sight: &mut Sight<'_>,
    include: &Include,
    hits: &[Found],
    known: &mut HashSet<Key>,
    included: &mut Included,
) -> Result<(), RestError> {
    let mut targets: Vec<(ResourceType, String)> = vec![];
    for hit in hits {
        let Some(text) = hit.shown.json() else { continue };
        let resource = Resource::parse_within(text.as_bytes(), Limits::IMPORT)?;
        extract(&resource, 0, |param, value| {
            if param.code == include.param
                && let IndexValue::Reference { kind: Some(kind), id: Some(id), url: None, .. } =
                    value
                && include.target.is_none_or(|target| target == kind)
            {
                targets.push((kind, id.to_owned()));
            }
        });
    }
    for (kind, id) in targets {
        let Ok(key) = ResourceId::new(&id).map(|id| (kind.name().into(), id)) else { continue };
        if !known.insert(key) {
            continue;
        }
        if included.found.len() >= INCLUDED_MAX {
            included.cut = true;
            return Ok(());
        }
        included.found.extend(look_up(sight, kind, &id)?);
    }
    Ok(())
}

fn leading_to(
    sight: &mut Sight<'_>,
    include: &Include,
    kind: ResourceType,
    hits: &[Found],
    known: &mut HashSet<Key>,
    included: &mut Included,
) -> Result<(), RestError> {
    let any: Vec<Test> =
        hits.iter().map(|hit| Test::Reference(format!("{kind}/{}", hit.shown.id).into())).collect();
    if any.is_empty() {
        return Ok(());
    }
    let mut query = Query {
        resource_type: include.source.name().into(),
        chart: None,
        filters: vec![Filter { parameter: include.param.into(), any }],
        order: Order::Arrival,
        limit: INCLUDED_MAX,
        after: None,
    };
    loop {
        let page = sight.view.search(&query)?;
        for hit in page.hits {
            let shown = &hit.found.shown;
            let key = (shown.resource_type.clone(), shown.id.clone());
            if known.contains(&key) || hit.found.is_retracted() || !sight.may_see(shown)? {
                continue;
            }
            if included.found.len() >= INCLUDED_MAX {
                included.cut = true;
                return Ok(());
            }
            known.insert(key);
            included.found.push(hit.found);
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(()),
        }
    }
}
