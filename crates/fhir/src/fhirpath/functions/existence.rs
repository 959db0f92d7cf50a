//! Whether there is something, and how much.

use super::{
    Answer, Collection, EvaluateError, Frame, Function, Item, collections, singleton_boolean,
};

pub(super) fn call<'a>(frame: &Frame<'a, '_>) -> Option<Answer<'a>> {
    let input = frame.input;
    Some(match frame.call.function {
        Function::Empty => Ok(input.is_empty().into()),
        Function::Exists => exists(frame),
        Function::Count => i32::try_from(input.len())
            .map(|count| Collection::one(Item::Integer(count)))
            .map_err(|_| EvaluateError::Limit),
        Function::Not => singleton_boolean(input, "not").map(|is| is.map(|is| !is).into()),
        Function::All => all(frame),
        Function::AllTrue => booleans(frame, |is| is, true),
        Function::AllFalse => booleans(frame, |is| !is, true),
        Function::AnyTrue => booleans(frame, |is| is, false),
        Function::AnyFalse => booleans(frame, |is| !is, false),
        Function::SubsetOf => frame
            .argument(0)
            .and_then(|other| collections::is_subset(frame.run, input, other.as_slice()))
            .map(Collection::from),
        Function::SupersetOf => frame
            .argument(0)
            .and_then(|other| collections::is_subset(frame.run, other.as_slice(), input))
            .map(Collection::from),
        Function::HasValue => Ok(match input {
            [Item::Node(node)] => node.has_value(),
            [_] => true,
            _ => false,
        }
        .into()),
        Function::Iif => iif(frame),
        Function::Trace => trace(frame),
        _ => return None,
    })
}

fn exists<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    let Some(criterion) = frame.call.arguments.first() else {
        return Ok((!frame.input.is_empty()).into());
    };
    for (at, item) in frame.input.iter().enumerate() {
        let value = frame.for_item(criterion, at, item)?;
        if singleton_boolean(value.as_slice(), "exists")? == Some(true) {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

fn all<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    for (at, item) in frame.input.iter().enumerate() {
        let value = frame.for_item(&frame.call.arguments[0], at, item)?;
        if singleton_boolean(value.as_slice(), "all")? != Some(true) {
            return Ok(false.into());
        }
    }
    Ok(true.into())
}

/// Whether all (or any) of the input's Booleans fit. Anything else than a Boolean is refused.
fn booleans<'a>(frame: &Frame<'a, '_>, fits: fn(bool) -> bool, all: bool) -> Answer<'a> {
    let mut answer = all;
    for item in frame.input {
        let Item::Boolean(is) = item.to_system() else {
            return Err(EvaluateError::Type(frame.name()));
        };
        if fits(is) != all {
            answer = !all;
        }
    }
    Ok(answer.into())
}

fn iif<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    let arguments = &frame.call.arguments;
    let focus = frame.one()?;
    // After a dot the focus is what stands before it.
    let evaluate = |expr| match focus {
        Some(item) => frame.for_item(expr, frame.scope.index.unwrap_or(0), item),
        None => frame.run.eval(expr, frame.input, frame.scope),
    };
    let criterion = evaluate(&arguments[0])?;
    let is = match criterion.as_slice() {
        [] => false,
        [item] => match item.to_system() {
            Item::Boolean(is) => is,
            _ => return Err(EvaluateError::Type("iif")),
        },
        _ => return Err(EvaluateError::Many("iif")),
    };
    match arguments.get(if is { 1 } else { 2 }) {
        Some(expr) => evaluate(expr),
        None => Ok(Collection::empty()),
    }
}

/// Nothing is logged: what is traced is somebody's data. The projection is evaluated.
fn trace<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    if let Some(projection) = frame.call.arguments.get(1) {
        for (at, item) in frame.input.iter().enumerate() {
            frame.for_item(projection, at, item)?;
        }
    }
    Ok(frame.input.iter().cloned().collect())
}
