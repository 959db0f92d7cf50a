//! Transactions and batches (R4 3.1.0.11): from the bundle to writes, and back to a bundle of
//! responses.

mod entry;
mod patch;
mod respond;

use std::sync::Arc;

use ondol_fhir::{Issue, IssueCode, Resource, ResourceType, validate};

use self::{
    entry::{Asked, Entry, Method},
    respond::{Response, of_done},
};
use super::{
    error::{ElementFault, RestError},
    read,
    search::{self, SearchRequest},
    sight::Sight,
    text::BundleText,
    write::{How, Verb, Write, note_met, prepare},
};
use crate::{Actor, App, AppError};

pub use respond::{PreferReturn, outcome_of_done};

/// Entries of a bundle at most. Each is looked for among the others; larger loads are imported.
const ENTRIES_MAX: usize = 5_000;

impl App {
    /// Carries out a transaction or a batch and gives the bundle of responses as JSON text.
    pub fn rest_bundle(
        self: &Arc<Self>,
        actor: &Actor,
        bundle: Resource,
        how: &How,
        prefer: PreferReturn,
    ) -> Result<String, RestError> {
        if bundle.resource_type() != ResourceType::Bundle {
            return Err(RestError::element("Bundle.resourceType", ElementFault::BundleType));
        }
        match bundle.get_str("type") {
            Some("transaction") => transaction(self, actor, bundle, how, prefer),
            Some("batch") => batch(self, actor, bundle, how, prefer),
            _ => Err(RestError::element("Bundle.type", ElementFault::BundleType)),
        }
    }
}

/// Invariants of bundles (a request in each entry, each `fullUrl` once) whose breaches are told
/// with codes and places of their own by what follows.
fn is_told_below(issue: &Issue) -> bool {
    issue.code == IssueCode::Invariant
        && ["bdl-3: ", "bdl-5: ", "bdl-7: "].iter().any(|key| issue.diagnostics.starts_with(key))
}

fn transaction(
    app: &Arc<App>,
    actor: &Actor,
    bundle: Resource,
    how: &How,
    prefer: PreferReturn,
) -> Result<String, RestError> {
    let mut issues = validate(&bundle);
    issues.retain(|issue| issue.is_error() && !is_told_below(issue));
    if !issues.is_empty() {
        return Err(AppError::Invalid(issues).into());
    }
    let entries = entries(bundle, how)?;
    let mut writes = vec![];
    let mut places = vec![];
    for (at, entry) in entries.iter().enumerate() {
        if let Some(write) = write_of(entry, at).map_err(|why| why.in_entry(Some(at)))? {
            writes.push(write);
            places.push(at);
        }
    }
    for write in &mut writes {
        prepare(write).map_err(|why| why.in_entry(write.at))?;
    }
    note_met(app, actor, &writes, &how.base)?;
    let (own, who, how) = (app.clone(), actor.clone(), how.clone());
    let text = ondol_store::transact(&*app.store, move |tx| {
        let mut responses: Vec<Option<Response>> = entries.iter().map(|_| None).collect();
        if !writes.is_empty() {
            let done = own.rest_write_in(tx, &who, writes, &how)?;
            for (done, at) in done.iter().zip(places) {
                responses[at] = Some(of_done(done, prefer));
            }
        }
        // What is read sees what was written; if it fails, all of it fails.
        let mut sight = Sight::new(&own, &who, &*tx);
        for (at, entry) in entries.iter().enumerate() {
            if responses[at].is_none() {
                let read = read(&mut sight, entry, &how);
                responses[at] = Some(read.map_err(|why| why.in_entry(Some(at)))?);
            }
        }
        sight.seen().record_in(tx, &own, &who)?;
        let responses = responses.into_iter().flatten();
        Ok::<_, RestError>(answer("transaction-response", responses, &how))
    })?;
    app.woken();
    Ok(text)
}

fn batch(
    app: &Arc<App>,
    actor: &Actor,
    bundle: Resource,
    how: &How,
    prefer: PreferReturn,
) -> Result<String, RestError> {
    let entries = entries(bundle, how)?;
    let mut responses: Vec<Option<Response>> = entries.iter().map(|_| None).collect();
    // R4's order: taken back, new, changed, read.
    for method in [Method::Delete, Method::Post, Method::Put, Method::Patch, Method::Get] {
        for (at, entry) in entries.iter().enumerate().filter(|(_, e)| e.method == Some(method)) {
            let done = match write_of(entry, at) {
                Ok(Some(mut write)) => {
                    // Each entry stands for itself: errors name its own elements.
                    write.at = None;
                    app.rest_write(actor, write, how.clone()).map(|done| of_done(&done, prefer))
                }
                Ok(None) => read_alone(app, actor, entry, how),
                Err(why) => Err(why),
            };
            responses[at] = Some(done.unwrap_or_else(|why| Response::refused(&why)));
        }
    }
    let unknown =
        || Response::refused(&RestError::element("Bundle.entry", ElementFault::EntryRequest));
    let responses = responses.into_iter().map(|response| response.unwrap_or_else(unknown));
    Ok(answer("batch-response", responses, how))
}

fn answer(kind: &str, responses: impl Iterator<Item = Response>, how: &How) -> String {
    let mut bundle = BundleText::new(kind);
    for response in responses {
        response.write(&mut bundle, &how.base);
    }
    bundle.finish()
}

fn entries(mut bundle: Resource, how: &How) -> Result<Vec<Entry>, RestError> {
    let entries = match bundle.remove("entry") {
        Some(serde_json::Value::Array(entries)) => entries,
        None => vec![],
        Some(_) => return Err(RestError::element("Bundle.entry", ElementFault::EntryRequest)),
    };
    if entries.len() > ENTRIES_MAX {
        return Err(RestError::TooCostly);
    }
    Ok(entries.into_iter().map(|entry| Entry::read(entry, &how.base)).collect())
}

/// The write that an entry asks; none for a reading one.
fn write_of(entry: &Entry, at: usize) -> Result<Option<Write>, RestError> {
    let bad =
        || RestError::element(format!("Bundle.entry[{at}].request"), ElementFault::EntryRequest);
    let resource = || match &entry.resource {
        Some(json) => Ok(Resource::from_json(json.clone())?),
        None => Err(bad()),
    };
    let (kind, verb) = match (entry.method.ok_or_else(bad)?, &entry.asked) {
        (Method::Get, _) => return Ok(None),
        (Method::Post, Asked::Type(kind, None)) => {
            let if_none_exist = entry.if_none_exist.clone();
            (*kind, Verb::Create { resource: resource()?, if_none_exist })
        }
        (Method::Put, Asked::Instance(kind, id)) => {
            (*kind, Verb::Update { id: id.clone(), resource: resource()? })
        }
        (Method::Put, Asked::Type(kind, Some(query))) => {
            (*kind, Verb::UpdateWhere { query: query.clone(), resource: resource()? })
        }
        (Method::Patch, Asked::Instance(kind, id)) => {
            (*kind, Verb::Patch { id: id.clone(), patch: patch::of(entry, *kind, &bad)? })
        }
        (Method::Patch, Asked::Type(kind, Some(query))) => {
            let patch = patch::of(entry, *kind, &bad)?;
            (*kind, Verb::PatchWhere { query: query.clone(), patch })
        }
        (Method::Delete, Asked::Instance(kind, id)) => (*kind, Verb::Delete { id: id.clone() }),
        (Method::Delete, Asked::Type(kind, Some(query))) => {
            (*kind, Verb::DeleteWhere { query: query.clone() })
        }
        _ => return Err(bad()),
    };
    let if_match = match &entry.if_match {
        None => None,
        Some(text) => Some(super::etags(text).ok_or_else(bad)?),
    };
    Ok(Some(Write { at: Some(at), verb, kind, full_url: entry.full_url.clone(), if_match }))
}

/// Reads for an entry of a batch, which sees what stands at its turn.
fn read_alone(app: &App, actor: &Actor, entry: &Entry, how: &How) -> Result<Response, RestError> {
    let (response, seen) = {
        let view = app.view()?;
        let mut sight = Sight::new(app, actor, &*view);
        (read(&mut sight, entry, how), sight.seen())
    };
    seen.record(app, actor)?;
    response
}

fn read(sight: &mut Sight<'_>, entry: &Entry, how: &How) -> Result<Response, RestError> {
    if entry.bad_since {
        let at = "Bundle.entry.request.ifModifiedSince";
        return Err(RestError::element(at, ElementFault::EntryRequest));
    }
    let response = |answer: read::Answer| Response::read(&answer, entry.known.covers(&answer));
    match &entry.asked {
        Asked::Instance(kind, id) => read::read(sight, *kind, id).map(response),
        Asked::Version(kind, id, version) => {
            read::read_version(sight, *kind, id, *version).map(response)
        }
        Asked::Type(kind, query) => {
            let pairs = query.as_deref().map(search::pairs_of).unwrap_or_default();
            let request = SearchRequest::of(*kind, pairs, &how.base);
            let found = search::run(sight, &request)?;
            Ok(Response::found(super::searchset(&found, &request)))
        }
        Asked::Other => {
            Err(RestError::element("Bundle.entry.request.url", ElementFault::EntryRequest))
        }
    }
}
