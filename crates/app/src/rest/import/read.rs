//! From a document to what is to be written.

use std::collections::HashMap;

use ondol_fhir::{Reference, Resource, ResourceType, validate};
use ondol_kernel::ResourceId;
use serde_json::Value;

use super::Problem;
use crate::rest::{
    error::{ElementFault, RestError},
    is_served,
    write::{Verb, Write},
};

/// One resource, and where it came from.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) line: u64,
    pub(super) entry: Option<usize>,
    pub(super) write: Write,
    /// What stands is left as it is (`ifNoneMatch: *`).
    pub(super) only_new: bool,
}

/// The resources of a document: the entries of a bundle that collects or changes resources, else
/// the one that it is.
pub(super) fn items(document: Value, line: u64) -> (Vec<Item>, Vec<Problem>) {
    let (mut items, mut problems) = (vec![], vec![]);
    let is_bundle = document["resourceType"] == "Bundle"
        && !matches!(document["type"].as_str(), Some("document" | "message"));
    if !is_bundle {
        take(document, line, None, None, &mut items, &mut problems);
        return (items, problems);
    }
    let entries = match document {
        Value::Object(mut bundle) => bundle.remove("entry"),
        _ => None,
    };
    let Some(Value::Array(entries)) = entries else { return (items, problems) };
    for (at, mut entry) in entries.into_iter().enumerate() {
        let full_url = entry["fullUrl"].as_str().map(str::to_owned);
        let is_change = matches!(entry["request"]["method"].as_str(), None | Some("POST" | "PUT"));
        match entry.get_mut("resource").map(Value::take) {
            Some(resource) if is_change => {
                let before = items.len();
                take(resource, line, Some(at), full_url, &mut items, &mut problems);
                let only_new = entry["request"]["ifNoneMatch"] == "*";
                items[before..].iter_mut().for_each(|item| item.only_new = only_new);
            }
            _ => {
                let path = format!("Bundle.entry[{at}]");
                let why = RestError::element(path, ElementFault::EntryRequest);
                problems.push(Problem::left_out(line, Some(at), &why));
            }
        }
    }
    resolve(&mut items);
    (items, problems)
}

/// Replaces full URLs of resources whose id is known, so that a huge bundle can be committed in
/// parts.
fn resolve(items: &mut [Item]) {
    let mut urls: HashMap<String, String> = HashMap::new();
    for Item { write, .. } in &*items {
        if let (Some(url), Verb::Update { id, .. }) = (&write.full_url, &write.verb) {
            urls.insert(url.clone(), format!("{}/{id}", write.kind));
        }
    }
    for item in items {
        if let Verb::Create { resource, .. } | Verb::Update { resource, .. } = &mut item.write.verb
        {
            resource.for_each_reference_mut(|text| {
                if let Some(to) = urls.get(text) {
                    text.clone_from(to);
                }
            });
        }
    }
}

fn take(
    json: Value,
    line: u64,
    entry: Option<usize>,
    full_url: Option<String>,
    items: &mut Vec<Item>,
    problems: &mut Vec<Problem>,
) {
    let mut resource = match Resource::from_json(json) {
        Ok(resource) => resource,
        Err(why) => {
            problems.push(Problem::left_out(line, entry, &why.into()));
            return;
        }
    };
    let kind = resource.resource_type();
    if !is_served(kind) {
        problems.push(Problem::left_out(line, entry, &RestError::NotSupported));
        return;
    }
    problems.extend(validate(&resource).iter().map(|i| Problem::of_issue(line, entry, i)));
    let own = resource.id().and_then(|id| ResourceId::new(id).ok());
    let id = own.or_else(|| full_url.as_deref().and_then(id_of_url));
    if id.is_none() && resource.id().is_some() {
        let (at, says) = (format!("{kind}.id"), "the id cannot be kept; it gets a new one");
        problems.push(Problem::kept(line, entry, "id-changed", &at, says));
    }
    let verb = match id {
        Some(id) => {
            resource.set_id(&id);
            Verb::Update { id, resource }
        }
        None => Verb::Create { resource, if_none_exist: None },
    };
    let write = Write { at: entry, verb, kind, full_url, if_match: None };
    items.push(Item { line, entry, write, only_new: false });
}

/// Whether a chart is about it.
pub(super) fn is_subject(write: &Write) -> bool {
    use ResourceType as R;
    matches!(write.kind, R::Patient | R::Practitioner | R::Organization)
}

/// The id that a full URL ends in.
fn id_of_url(url: &str) -> Option<ResourceId> {
    match Reference::parse(url) {
        Reference::Absolute { id, .. } | Reference::Local { id, .. } => ResourceId::new(id).ok(),
        Reference::Urn(urn) => ResourceId::new(urn.strip_prefix("urn:uuid:")?).ok(),
        _ => None,
    }
}
