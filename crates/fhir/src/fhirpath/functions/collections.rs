//! Filters, parts and sets.

use std::{cmp::Ordering, collections::HashSet};

use super::{
    Answer, Collection, EvaluateError, Frame, Function, Item, Run, Scope, singleton_boolean,
};
use crate::fhirpath::{ast::Expr, compare, evaluate::one};

pub(super) fn call<'a>(frame: &Frame<'a, '_>) -> Option<Answer<'a>> {
    let (run, input) = (frame.run, frame.input);
    let part = |items: &[Item<'a>]| Ok(items.iter().cloned().collect());
    Some(match frame.call.function {
        Function::Distinct => distinct(run, input.iter().cloned()),
        Function::IsDistinct => {
            distinct(run, input.iter().cloned()).map(|d| (d.as_slice().len() == input.len()).into())
        }
        Function::Where => filter(frame),
        Function::Select => select(frame),
        Function::Repeat => repeat(frame),
        Function::Aggregate => aggregate(frame),
        Function::Single => frame.one().map(|item| item.cloned().into()),
        Function::First => Ok(input.first().cloned().into()),
        Function::Last => Ok(input.last().cloned().into()),
        Function::Tail => part(input.get(1..).unwrap_or(&[])),
        Function::Skip => frame.integer_argument(0).and_then(|count| {
            let from = usize::try_from(count.unwrap_or(0)).unwrap_or(0);
            part(input.get(from..).unwrap_or(&[]))
        }),
        Function::Take => frame.integer_argument(0).and_then(|count| {
            let to = usize::try_from(count.unwrap_or(0)).unwrap_or(0);
            part(&input[..to.min(input.len())])
        }),
        Function::Intersect => frame.argument(0).and_then(|other| {
            let both = kept(run, input, other.as_slice(), true)?;
            distinct(run, both.into_iter())
        }),
        Function::Exclude => frame.argument(0).and_then(|o| kept(run, input, o.as_slice(), false)),
        Function::Union => frame.argument(0).and_then(|other| union(run, input, other.as_slice())),
        Function::Combine => frame.argument(0).and_then(|other| {
            run.pay(other.as_slice().len())?;
            Ok(input.iter().chain(other.as_slice()).cloned().collect())
        }),
        Function::Sort => sort(frame),
        _ => return None,
    })
}

/// Each item once, at its first place.
fn distinct<'a>(run: &Run<'a>, items: impl ExactSizeIterator<Item = Item<'a>>) -> Answer<'a> {
    if items.len() < 2 {
        return Ok(items.collect());
    }
    let items: Vec<Item<'a>> = items.collect();
    if items.iter().all(|item| item.as_str().is_some()) {
        run.pay(items.len())?;
        let mut seen = HashSet::new();
        let first = |item: &&Item<'a>| seen.insert(item.as_str().map(str::to_owned));
        return Ok(items.iter().filter(first).cloned().collect());
    }
    let mut to: Vec<Item<'a>> = Vec::new();
    for item in items {
        run.pay(to.len())?;
        if !to.iter().any(|other| run.same(&item, other)) {
            to.push(item);
        }
    }
    Ok(to.into_iter().collect())
}

/// `|`
pub(in crate::fhirpath) fn union<'a>(
    run: &Run<'a>,
    left: &[Item<'a>],
    right: &[Item<'a>],
) -> Answer<'a> {
    let all: Vec<Item<'a>> = left.iter().chain(right).cloned().collect();
    distinct(run, all.into_iter())
}

fn kept<'a>(run: &Run<'a>, input: &[Item<'a>], other: &[Item<'a>], is_in: bool) -> Answer<'a> {
    let mut to = Collection::empty();
    for item in input {
        run.pay(other.len())?;
        if other.iter().any(|other| run.same(item, other)) == is_in {
            to.push(item.clone());
        }
    }
    Ok(to)
}

pub(super) fn is_subset<'a>(
    run: &Run<'a>,
    part: &[Item<'a>],
    whole: &[Item<'a>],
) -> Result<bool, EvaluateError> {
    for item in part {
        run.pay(whole.len())?;
        if !whole.iter().any(|other| run.same(item, other)) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn filter<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    let mut to = Collection::empty();
    for (at, item) in frame.input.iter().enumerate() {
        let value = frame.for_item(&frame.call.arguments[0], at, item)?;
        if singleton_boolean(value.as_slice(), "where")? == Some(true) {
            to.push(item.clone());
        }
    }
    Ok(to)
}

fn select<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    let mut to = Collection::empty();
    for (at, item) in frame.input.iter().enumerate() {
        for found in frame.for_item(&frame.call.arguments[0], at, item)? {
            frame.run.pay(1)?;
            to.push(found);
        }
    }
    Ok(to)
}

/// What the projection finds, in what it found, and so on; each item once.
fn repeat<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    let mut found: Vec<Item<'a>> = Vec::new();
    let mut waiting: Vec<Item<'a>> = frame.input.to_vec();
    while !waiting.is_empty() {
        let mut next = Vec::new();
        for (at, item) in waiting.iter().enumerate() {
            for new in frame.for_item(&frame.call.arguments[0], at, item)? {
                frame.run.pay(1)?;
                // Elements of a document are never inside themselves, so only values repeat.
                let is_known = match &new {
                    Item::Node(_) => false,
                    value => {
                        frame.run.pay(found.len())?;
                        found.iter().any(|other| frame.run.same(value, other))
                    }
                };
                if !is_known {
                    found.push(new.clone());
                    next.push(new);
                }
            }
        }
        waiting = next;
    }
    Ok(found.into_iter().collect())
}

fn aggregate<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    let mut total = frame.argument(1)?;
    for (at, item) in frame.input.iter().enumerate() {
        let this = std::slice::from_ref(item);
        let scope = Scope { this, index: Some(at), total: Some(&total) };
        total = frame.run.eval(&frame.call.arguments[0], this, &scope)?;
    }
    Ok(total)
}

type Keys<'a> = Vec<(Option<Item<'a>>, bool)>;

/// By one key after another; a key with a minus in front descends. Empty stands first.
fn sort<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    let mut keyed: Vec<(Keys<'a>, Item<'a>)> = Vec::with_capacity(frame.input.len());
    for (at, item) in frame.input.iter().enumerate() {
        let mut keys = Vec::new();
        for argument in &frame.call.arguments {
            let (expr, descends) = match argument {
                Expr::Negate(inner) => (&**inner, true),
                other => (other, false),
            };
            let value = frame.for_item(expr, at, item)?;
            keys.push((one(value.as_slice(), "sort")?.cloned(), descends));
        }
        if keys.is_empty() {
            keys.push((Some(item.clone()), false));
        }
        keyed.push((keys, item.clone()));
    }
    frame.run.pay(keyed.len().saturating_mul(keyed.len().checked_ilog2().unwrap_or(0) as usize))?;
    let mut failed = None;
    keyed.sort_by(|(a, _), (b, _)| {
        for ((a, descends), (b, _)) in a.iter().zip(b) {
            let order = match (a, b) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => return Ordering::Less,
                (Some(_), None) => return Ordering::Greater,
                (Some(a), Some(b)) => match compare::order(a, b, frame.run.units(), "sort") {
                    Ok(order) => order.unwrap_or(Ordering::Equal),
                    Err(error) => {
                        failed = Some(error);
                        Ordering::Equal
                    }
                },
            };
            let order = if *descends { order.reverse() } else { order };
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(keyed.into_iter().map(|(_, item)| item).collect()),
    }
}
