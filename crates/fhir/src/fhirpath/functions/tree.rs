//! Children, types, and the time of the evaluation.

use super::{Answer, Collection, EvaluateError, Frame, Function, Item};
use crate::fhirpath::{
    Moment,
    evaluate::{cast, is},
    model,
    moment::{MomentKind, Precision},
};

pub(super) fn call<'a>(frame: &Frame<'a, '_>) -> Option<Answer<'a>> {
    Some(match frame.call.function {
        Function::Children => children(frame, frame.input),
        Function::Descendants => descendants(frame),
        Function::Is => {
            frame.call.of.as_ref().map_or(Ok(Collection::empty()), |of| is(frame.input, of))
        }
        Function::As => {
            frame.call.of.as_ref().map_or(Ok(Collection::empty()), |of| cast(frame.input, of))
        }
        Function::OfType => of_type(frame),
        Function::Type => Ok(frame.input.iter().map(type_of).collect()),
        Function::Now => now(frame).map(|now| Collection::one(Item::Moment(now))),
        Function::Today => now(frame).map(|now| Collection::one(Item::Moment(now.date()))),
        Function::TimeOfDay => now(frame).map(|now| {
            let (kind, zone) = (MomentKind::Time, None);
            Collection::one(Item::Moment(Moment { kind, zone, ..now }))
        }),
        _ => return None,
    })
}

fn children<'a>(frame: &Frame<'a, '_>, of: &[Item<'a>]) -> Answer<'a> {
    let mut to = Collection::empty();
    for item in of {
        if let Item::Node(node) = item {
            node.children(&mut to);
        }
    }
    frame.run.pay(to.as_slice().len())?;
    Ok(to)
}

fn descendants<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    let mut found: Vec<Item<'a>> = Vec::new();
    let mut level = children(frame, frame.input)?;
    while !level.as_slice().is_empty() {
        let next = children(frame, level.as_slice())?;
        found.extend(level);
        level = next;
    }
    Ok(found.into_iter().collect())
}

fn of_type<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    let mut to = Collection::empty();
    if let Some(of) = &frame.call.of {
        for item in frame.input {
            if model::is_exactly(item, of)? {
                to.push(item.clone());
            }
        }
    }
    Ok(to)
}

fn type_of<'a>(item: &Item<'a>) -> Item<'a> {
    match item {
        Item::Node(node) => Item::Type { namespace: "FHIR", name: node.type_name() },
        value => Item::Type { namespace: "System", name: model::system_name(value) },
    }
}

fn now(frame: &Frame<'_, '_>) -> Result<Moment, EvaluateError> {
    let now = frame.run.environment.now.ok_or(EvaluateError::Unavailable(frame.name()))?;
    debug_assert!(now.precision == Precision::Second);
    Ok(now)
}
