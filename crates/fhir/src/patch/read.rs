//! From the text of a patch to its operations (RFC 6902 3, 4).

use serde_json::{Map, Value};

use super::{Act, LIMITS, OPERATIONS_MAX, Operation, PatchError, Pointer};
use crate::parse::parse_json;

pub(super) fn read(bytes: &[u8]) -> Result<Vec<Operation>, PatchError> {
    let Value::Array(items) = parse_json(bytes, LIMITS)? else { return Err(PatchError::NoList) };
    if items.len() > OPERATIONS_MAX {
        return Err(PatchError::TooMany);
    }
    let read = |(at, item)| operation(item).map_err(|what| PatchError::Operation { at, what });
    items.into_iter().enumerate().map(read).collect()
}

/// Members that no operation has are passed over (RFC 6902 4).
fn operation(item: Value) -> Result<Operation, &'static str> {
    let Value::Object(mut members) = item else { return Err("an operation is an object") };
    let path = pointer(&members, "path")?.ok_or("'path' is missing")?;
    let from = |members: &Map<String, Value>| pointer(members, "from")?.ok_or("'from' is missing");
    let op = members.get("op").and_then(Value::as_str).ok_or("'op' is missing")?.to_owned();
    let mut value = || members.shift_remove("value").ok_or("'value' is missing");
    let act = match op.as_str() {
        "add" => Act::Add(value()?),
        "remove" => Act::Remove,
        "replace" => Act::Replace(value()?),
        "test" => Act::Test(value()?),
        "move" => Act::Move(from(&members)?),
        "copy" => Act::Copy(from(&members)?),
        _ => return Err("'op' is none of add, remove, replace, move, copy and test"),
    };
    Ok(Operation { path, act })
}

fn pointer(members: &Map<String, Value>, name: &str) -> Result<Option<Pointer>, &'static str> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => match Pointer::parse(text) {
            Some(pointer) => Ok(Some(pointer)),
            None => Err("'path' and 'from' are JSON Pointers: /name/0/family"),
        },
        Some(_) => Err("'path' and 'from' are texts"),
    }
}
