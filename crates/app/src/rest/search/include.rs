//! `_include` and `_revinclude`, once or again and again (R4 3.1.1.5.4).

use std::collections::HashSet;

use ondol_fhir::{IndexValue, Limits, Resource, ResourceType, SearchParam, values_of};
use ondol_kernel::ResourceId;
use ondol_store::{Filter, Found, Order, Query, Test};

use super::{
    look_up,
    request::{Include, Plan},
};
use crate::rest::{error::RestError, sight::Sight};

/// Resources that are included in one page at most.
const INCLUDED_MAX: usize = 1_000;

/// So often `:iterate` goes on from what it found.
const ROUNDS_MAX: usize = 16;

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
    let mut from = 0;
    for round in 0.. {
        let reached = included.found.len();
        let newest: Vec<Found> =
            if round == 0 { hits.to_vec() } else { included.found[from..].to_vec() };
        for include in plan.includes.iter().filter(|include| round == 0 || include.iterate) {
            if include.reverse {
                leading_to(sight, include, &newest, &mut known, &mut included)?;
            } else {
                led_to(sight, include, &newest, &mut known, &mut included)?;
            }
        }
        from = reached;
        if included.found.len() == reached || included.cut {
            break;
        }
        if round == ROUNDS_MAX {
            included.cut = plan.includes.iter().any(|include| include.iterate);
            break;
        }
    }
    Ok(included)
}

fn led_to(
    sight: &mut Sight<'_>,
    include: &Include,
    from: &[Found],
    known: &mut HashSet<Key>,
    included: &mut Included,
) -> Result<(), RestError> {
    let mut targets: Vec<(ResourceType, String)> = vec![];
    for hit in from.iter().filter(|hit| *hit.shown.resource_type == *include.source.name()) {
        let Some(text) = hit.shown.json() else { continue };
        let resource = Resource::parse_within(text.as_bytes(), Limits::IMPORT)?;
        let mut see = |param: &SearchParam| {
            values_of(&resource, param, 0, |value| {
                if let IndexValue::Reference { kind: Some(kind), id: Some(id), url: None, .. } =
                    value
                    && include.target.is_none_or(|target| target == kind)
                {
                    targets.push((kind, id.to_owned()));
                }
            });
        };
        include.params.iter().for_each(|param| see(param));
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
    from: &[Found],
    known: &mut HashSet<Key>,
    included: &mut Included,
) -> Result<(), RestError> {
    for param in &include.params {
        let leads = |found: &&Found| {
            ResourceType::from_name(&found.shown.resource_type).is_some_and(|kind| {
                param.targets.contains(kind) && include.target.is_none_or(|target| target == kind)
            })
        };
        let any: Vec<Test> = from
            .iter()
            .filter(leads)
            .map(|found| {
                let shown = &found.shown;
                Test::Reference(format!("{}/{}", shown.resource_type, shown.id).into())
            })
            .collect();
        if any.is_empty() {
            continue;
        }
        let mut query = Query {
            resource_type: include.source.name().into(),
            chart: None,
            filters: vec![Filter { parameter: param.code.into(), any }],
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
                None => break,
            }
        }
    }
    Ok(())
}
