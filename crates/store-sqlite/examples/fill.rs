//! Fills a store with bundles and says how fast and how large.
//!
//! `cargo run --release -p ondol-store-sqlite --example fill -- DATABASE TIMES INPUT...`, inputs as
//! for `train_dictionary`. Each bundle is one transaction; ids are derived, so that the same
//! input counts as other people each time.

#![expect(clippy::cast_precision_loss, reason = "figures for people")]

mod inputs;

use std::{error::Error, path::Path, time::Duration};

use ondol_kernel::{Class, Millis, NodeId, ResourceId};
use ondol_record::{Draft, DraftChange, DraftId, draft::DraftContent};
use ondol_store::{AppendError, Identity, Store, StoreError, transact};
use ondol_store_sqlite::{OpenOptions, SqliteStore};
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let database = arguments.next().ok_or("DATABASE is missing")?;
    let times: usize = arguments.next().ok_or("TIMES is missing")?.parse()?;
    let mut drafts = vec![];
    for input in arguments {
        drafts.extend(inputs::bundles(&input)?.iter().map(draft));
    }
    let resources = times * drafts.iter().map(|draft| draft.changes.len()).sum::<usize>();
    let json = times * drafts.iter().flat_map(|draft| &draft.changes).map(size).sum::<usize>();
    let store = SqliteStore::open(Path::new(&database), OpenOptions::default())?;
    let facility = ResourceId::new("facility")?;
    transact(&store, move |tx| -> Result<(), StoreError> {
        tx.set_identity(&Identity { node: NodeId([1; 16]), incarnation: 0, facility })
    })?;
    let (took, ()) = timed(|| {
        for _ in 0..times {
            for draft in &drafts {
                let draft = draft.clone();
                transact(&store, move |tx| -> Result<_, AppendError> {
                    tx.append(draft, Millis(1_770_000_000_000), false)
                })
                .map(drop)?;
            }
        }
        Ok(())
    })?;
    let per_s = resources as f64 / took.as_secs_f64();
    println!("{resources} resources in {:.2} s: {per_s:.0} a second", took.as_secs_f64());
    let (took, findings) = timed(|| Ok(store.verify(&mut |_, _| {})?))?;
    println!("verify: {:.2} s, {} findings", took.as_secs_f64(), findings.len());
    drop(store);
    let bytes = std::fs::metadata(&database)?.len();
    let each = bytes as f64 / resources as f64;
    println!("{bytes} bytes: {each:.0} for a resource of {} bytes", json / resources);
    let (took, _store) =
        timed(|| Ok(SqliteStore::open(Path::new(&database), OpenOptions::default())?))?;
    println!("opening: {:.1} ms", took.as_secs_f64() * 1000.0);
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "an example that measures")]
fn timed<T>(
    work: impl FnOnce() -> Result<T, Box<dyn Error>>,
) -> Result<(Duration, T), Box<dyn Error>> {
    let start = std::time::Instant::now();
    let done = work()?;
    Ok((start.elapsed(), done))
}

fn size(change: &DraftChange) -> usize {
    match &change.content {
        DraftContent::Put(resource) => resource.to_string().len(),
        _ => 0,
    }
}

fn draft(bundle: &Value) -> Draft {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let changes = entries.into_iter().map(|entry| {
        let resource = entry["resource"].clone();
        let name = resource["resourceType"].as_str().unwrap_or_default();
        let url = match entry["fullUrl"].as_str() {
            Some(url) => url.to_owned(),
            None => format!("{name}/{}", resource["id"].as_str().unwrap_or_default()),
        };
        DraftChange {
            resource_type: name.into(),
            id: DraftId::New(url.into()),
            supersedes: vec![],
            chart: None,
            content: DraftContent::Put(resource),
        }
    });
    Draft {
        class: Class::Routine,
        care_time: None,
        author: "Practitioner/author".into(),
        typist: "".into(),
        changes: changes.collect(),
    }
}
