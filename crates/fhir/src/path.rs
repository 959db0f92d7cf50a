//! Dotted paths of JSON keys.

use serde_json::{Map, Value};

/// All values at `path` below `body`, arrays flattened.
pub(crate) fn get<'a>(body: &'a Map<String, Value>, path: &str) -> Vec<&'a Value> {
    let mut found = Vec::new();
    let (key, rest) = split(path);
    if let Some(value) = body.get(key) {
        walk(value, rest, &mut found);
    }
    found
}

fn split(path: &str) -> (&str, Option<&str>) {
    match path.split_once('.') {
        Some((key, rest)) => (key, Some(rest)),
        None => (path, None),
    }
}

fn walk<'a>(value: &'a Value, path: Option<&str>, found: &mut Vec<&'a Value>) {
    match (value, path) {
        (Value::Array(items), _) => items.iter().for_each(|item| walk(item, path, found)),
        (_, None) => found.push(value),
        (Value::Object(map), Some(path)) => {
            let (key, rest) = split(path);
            if let Some(value) = map.get(key) {
                walk(value, rest, found);
            }
        }
        _ => {}
    }
}
