//! Carrying a patch out (RFC 6902 4).

use serde_json::Value;

use super::{Act, COPIED_MAX, Op, Operation, Patch, PatchError, Pointer, Undone, pointer::index};
use crate::parse::Limits;

/// Applies all operations to a document, or none.
pub fn apply(patch: &Patch, document: &mut Value) -> Result<(), PatchError> {
    let mut work = document.clone();
    let mut copied = 0;
    for (at, operation) in patch.operations().iter().enumerate() {
        one(operation, &mut work, &mut copied).map_err(|(path, why)| PatchError::Undone {
            at,
            op: name(&operation.act),
            path: path.clone(),
            why,
        })?;
    }
    *document = work;
    Ok(())
}

const fn name(act: &Act) -> Op {
    match act {
        Act::Add(_) => Op::Add,
        Act::Remove => Op::Remove,
        Act::Replace(_) => Op::Replace,
        Act::Move(_) => Op::Move,
        Act::Copy(_) => Op::Copy,
        Act::Test(_) => Op::Test,
    }
}

fn one<'a>(
    operation: &'a Operation,
    document: &mut Value,
    copied: &mut usize,
) -> Result<(), (&'a Pointer, Undone)> {
    let path = &operation.path;
    let here = |why| (path, why);
    match &operation.act {
        Act::Add(value) => {
            fits(path, value).map_err(here)?;
            add(document, path, value.clone()).map_err(here)
        }
        Act::Remove => remove(document, path).map(drop).map_err(here),
        Act::Replace(value) => {
            fits(path, value).map_err(here)?;
            *find(document, path).map_err(here)? = value.clone();
            Ok(())
        }
        Act::Test(value) => {
            let found = find(document, path).map_err(here)?;
            if same(found, value) { Ok(()) } else { Err(here(Undone::TestFailed)) }
        }
        Act::Copy(from) => {
            let value = find(document, from).map_err(|why| (from, why))?;
            weigh(value, copied).map_err(|why| (from, why))?;
            let value = value.clone();
            fits(path, &value).map_err(here)?;
            add(document, path, value).map_err(here)
        }
        Act::Move(from) if path == from => {
            find(document, from).map(drop).map_err(|why| (from, why))
        }
        Act::Move(from) if path.is_within(from) => Err(here(Undone::IntoItself)),
        Act::Move(from) => {
            let value = find(document, from).map_err(|why| (from, why))?;
            weigh(value, copied).map_err(|why| (from, why))?;
            let value = remove(document, from).map_err(|why| (from, why))?;
            fits(path, &value).map_err(here)?;
            add(document, path, value).map_err(here)
        }
    }
}

/// What stands at a place.
fn find<'v>(document: &'v mut Value, path: &Pointer) -> Result<&'v mut Value, Undone> {
    walk(document, path.steps())
}

fn walk<'v>(document: &'v mut Value, steps: &[String]) -> Result<&'v mut Value, Undone> {
    steps.iter().try_fold(document, |value, step| match value {
        Value::Object(members) => members.get_mut(step).ok_or(Undone::NoPlace),
        Value::Array(items) => index(step).and_then(|at| items.get_mut(at)).ok_or(Undone::NoIndex),
        _ => Err(Undone::NoPlace),
    })
}

fn add(document: &mut Value, path: &Pointer, value: Value) -> Result<(), Undone> {
    let Some((last, holder)) = path.last() else {
        *document = value;
        return Ok(());
    };
    match walk(document, holder)? {
        Value::Object(members) => {
            members.insert(last.to_owned(), value);
            Ok(())
        }
        Value::Array(items) => {
            let at = if last == "-" { Some(items.len()) } else { index(last) };
            let at = at.filter(|at| *at <= items.len()).ok_or(Undone::NoIndex)?;
            items.insert(at, value);
            Ok(())
        }
        _ => Err(Undone::NoPlace),
    }
}

fn remove(document: &mut Value, path: &Pointer) -> Result<Value, Undone> {
    let (last, holder) = path.last().ok_or(Undone::Whole)?;
    match walk(document, holder)? {
        Value::Object(members) => members.shift_remove(last).ok_or(Undone::NoPlace),
        Value::Array(items) => {
            let at = index(last).filter(|at| *at < items.len()).ok_or(Undone::NoIndex)?;
            Ok(items.remove(at))
        }
        _ => Err(Undone::NoPlace),
    }
}

/// Counts what is copied or moved, so that no patch doubles a resource again and again.
fn weigh(value: &Value, copied: &mut usize) -> Result<(), Undone> {
    *copied += match value {
        Value::String(text) => text.len() + 2,
        Value::Number(number) => number.as_str().len(),
        _ => 4,
    };
    if *copied > COPIED_MAX {
        return Err(Undone::TooLarge);
    }
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| weigh(item, copied)),
        Value::Object(members) => members.iter().try_for_each(|(key, member)| {
            *copied += key.len() + 4;
            weigh(member, copied)
        }),
        _ => Ok(()),
    }
}

/// Whether a value at a place keeps the depth that documents may have, so that nothing which
/// walks through them later runs out of stack.
fn fits(path: &Pointer, value: &Value) -> Result<(), Undone> {
    let left = Limits::RESOURCE.depth.checked_sub(path.steps().len());
    if left.is_some_and(|left| is_within(value, left)) { Ok(()) } else { Err(Undone::TooDeep) }
}

fn is_within(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| is_within(item, levels - 1)),
        Value::Object(members) => {
            levels > 0 && members.values().all(|member| is_within(member, levels - 1))
        }
        _ => true,
    }
}

/// Equality of RFC 6902 4.6: numbers by their value, objects whatever the order of their keys.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || plain(a.as_str()).is_some_and(|a| plain(b.as_str()) == Some(a))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// A number as its sign, digits without zeros around them, and the power of ten of the first.
fn plain(text: &str) -> Option<(bool, String, i64)> {
    let (body, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let negative = body.starts_with('-');
    let body = body.trim_start_matches('-');
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    let digits = format!("{whole}{fraction}");
    let zeros = digits.len() - digits.trim_start_matches('0').len();
    let kept = digits.trim_matches('0').to_owned();
    if kept.is_empty() {
        return Some((false, kept, 0));
    }
    let point = i64::try_from(whole.len()).ok()? - i64::try_from(zeros).ok()?;
    let exponent: i64 = exponent.parse().ok()?;
    Some((negative, kept, exponent.checked_add(point)?))
}
