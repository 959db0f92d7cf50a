//! `ondol store copy`: a record moves into another store, entry by entry in the order of arrival.
//!
//! What was copied is what stands in the other store: a copy that was stopped looks there how far
//! it came and goes on. At the end both are read from the beginning and compared.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result, bail, ensure};
use ondol_record::Seal;
use ondol_store::{
    EntryRow, Ingested, KeyValue, Reading, SealedPath, Space, Store, StoreError, View, WriteTx,
    transact,
};
use ondol_store_postgres::{OpenOptions, PostgresStore};

use crate::data_dir::{Beside, DataDir};

/// So many rows are read and written at once.
const ROWS: usize = 256;

/// Is told the step, how far it is, and how far it will go.
type Told<'a> = &'a mut dyn FnMut(&'static str, u64, u64);

/// Copies a record; gives the number of entries.
pub fn copy(from: &str, to: &str, told: Told<'_>) -> Result<u64> {
    ensure!(from != to, "a record cannot be copied into itself");
    // An index at another offset from UTC than the node's settings is made again by itself.
    let options = OpenOptions::default();
    let from = if PostgresStore::is_url(from) {
        Beside::Postgres(ondol_store_postgres::Beside::open(from, options.clone())?)
    } else {
        DataDir(Path::new(from).to_owned(), None).beside()?
    };
    let to: Arc<dyn Store> = if PostgresStore::is_url(to) {
        Arc::new(PostgresStore::open(to, options)?)
    } else {
        DataDir::at(Path::new(to))?.store()?
    };
    record(&from, &to, told)
}

fn record(from: &Beside, to: &Arc<dyn Store>, told: Told<'_>) -> Result<u64> {
    begin(from, &**to)?;
    entries(from, &**to, told)?;
    readings(from, &**to)?;
    seals(from, &**to)?;
    for space in Space::all() {
        values(from, &**to, space)?;
    }
    let entries = compare(&*from.read()?, &*to.read()?, told)?;
    let findings = to.verify(&mut |done, all| told("check", done, all))?;
    ensure!(findings.is_empty(), "the copy is not sound: do not use it");
    Ok(entries)
}

fn write(
    to: &dyn Store,
    job: impl FnOnce(&mut dyn WriteTx) -> Result<(), StoreError> + Send + 'static,
) -> Result<()> {
    Ok(transact(to, job)?)
}

/// The other store is empty, or begins as this record does.
fn begin(from: &Beside, to: &dyn Store) -> Result<()> {
    let identity = from.read()?.identity()?.context("there is no record to copy")?;
    let (view, other) = (from.read()?, to.read()?);
    match other.identity()? {
        Some(owner) if owner != identity => {
            bail!("the other store belongs to another node: nothing was done")
        }
        _ => {}
    }
    let last = other.last_arrival()?;
    let same = last == 0
        || view.arrived_after(last - 1, 1)?.pop() == other.arrived_after(last - 1, 1)?.pop();
    ensure!(same, "the other store holds another record: nothing was done");
    drop(other);
    write(to, move |tx| tx.set_identity(&identity))
}

fn entries(from: &Beside, to: &dyn Store, told: Told<'_>) -> Result<()> {
    // The newest stamp is the clock: what that node believed is believed again, and no more.
    let wall = from.read()?.newest_hlc()?.millis();
    let mut done = to.read()?.last_arrival()?;
    loop {
        let (view, all) = (from.read()?, from.read()?.last_arrival()?);
        let rows = view.arrived_after(done, ROWS)?;
        drop(view);
        let Some(last) = rows.last().map(|row| row.arrival) else { return Ok(()) };
        let fits = transact(to, move |tx| {
            for EntryRow { entry, .. } in &rows {
                if tx.ingest(entry, &entry.to_bytes(), wall)? != Ingested::New {
                    return Ok::<_, StoreError>(false);
                }
            }
            Ok(true)
        })?;
        ensure!(fits, "the log contradicts itself: `ondol verify` says where");
        done = last;
        told("log", done, all);
    }
}

fn readings(from: &Beside, to: &dyn Store) -> Result<()> {
    let mut last = 0;
    // How far the other store is: its readings have numbers without a gap.
    while let Some((number, _)) = to.read()?.readings_after(last, ROWS)?.pop() {
        last = number;
    }
    loop {
        let some: Vec<(u64, Reading)> = from.read()?.readings_after(last, ROWS)?;
        let Some((number, _)) = some.last() else { return Ok(()) };
        last = *number;
        write(to, move |tx| some.iter().try_for_each(|(_, one)| tx.record_reading(one)))?;
    }
}

/// Seals and paths, all of them: one that is there stays as it is.
fn seals(from: &Beside, to: &dyn Store) -> Result<()> {
    let mut last: Option<Seal> = None;
    loop {
        let some = from.read()?.seals_after(last.as_ref(), ROWS)?;
        let Some(newest) = some.last().cloned() else { break };
        last = Some(newest);
        write(to, move |tx| some.iter().try_for_each(|seal| tx.put_seal(seal, &[])))?;
    }
    let mut last: Option<(Seal, SealedPath)> = None;
    loop {
        let some = from.read()?.seal_paths_after(last.as_ref(), ROWS)?;
        let Some(newest) = some.last().cloned() else { return Ok(()) };
        last = Some(newest);
        write(to, move |tx| {
            some.iter().try_for_each(|(seal, path)| tx.put_seal(seal, std::slice::from_ref(path)))
        })?;
    }
}

/// Small values: those that are here, and no others.
fn values(from: &Beside, to: &dyn Store, space: Space) -> Result<()> {
    let mut after: Option<Vec<u8>> = None;
    loop {
        let there: Vec<KeyValue> = to.read()?.values(space, &[], after.as_deref(), ROWS)?;
        let Some((last, _)) = there.last() else { break };
        after = Some(last.clone());
        let view = from.read()?;
        let mut gone = vec![];
        for (key, _) in there {
            if view.value(space, &key)?.is_none() {
                gone.push(key);
            }
        }
        drop(view);
        write(to, move |tx| gone.iter().try_for_each(|key| tx.set_value(space, key, None)))?;
    }
    let mut after: Option<Vec<u8>> = None;
    loop {
        let some: Vec<KeyValue> = from.read()?.values(space, &[], after.as_deref(), ROWS)?;
        let Some((last, _)) = some.last() else { return Ok(()) };
        after = Some(last.clone());
        write(to, move |tx| {
            some.iter().try_for_each(|(key, value)| tx.set_value(space, key, Some(value)))
        })?;
    }
}

/// Reads both from the beginning: counts, and each row against the other.
fn compare(from: &dyn View, to: &dyn View, told: Told<'_>) -> Result<u64> {
    const UNLIKE: &str = "the copy is not what it was copied from; was the node running?";
    let all = from.last_arrival()?;
    let counts = |view: &dyn View| -> Result<_, StoreError> {
        Ok((view.last_arrival()?, view.frontiers()?, view.identity()?))
    };
    ensure!(counts(from)? == counts(to)? && to.newest_hlc()? >= from.newest_hlc()?, UNLIKE);
    let mut done = 0;
    while done < all {
        let (ours, theirs) = (from.arrived_after(done, ROWS)?, to.arrived_after(done, ROWS)?);
        ensure!(ours == theirs && !ours.is_empty(), UNLIKE);
        for row in &ours {
            let address = &row.entry.address;
            let kept = Some(row.entry.hash());
            ensure!(kept == from.entry_hash(address)? && kept == to.entry_hash(address)?, UNLIKE);
        }
        done = ours.last().map_or(all, |row| row.arrival);
        told("compare", done, all);
    }
    let mut last = 0;
    loop {
        let ours = from.readings_after(last, ROWS)?;
        ensure!(ours == to.readings_after(last, ROWS)?, UNLIKE);
        let Some((number, _)) = ours.last() else { break };
        last = *number;
    }
    // Seals come in an order of the store's own.
    let seals = |view: &dyn View| -> Result<Vec<String>, StoreError> {
        let sealed = view.seals_after(None, usize::MAX)?;
        let paths = view.seal_paths_after(None, usize::MAX)?;
        let mut all: Vec<String> = sealed.iter().map(|seal| format!("{seal:?}")).collect();
        all.extend(paths.iter().map(|path| format!("{path:?}")));
        all.sort();
        Ok(all)
    };
    ensure!(seals(from)? == seals(to)?, UNLIKE);
    for space in Space::all() {
        let every = |view: &dyn View| view.values(space, &[], None, usize::MAX);
        ensure!(every(from)? == every(to)?, UNLIKE);
    }
    Ok(all)
}

#[cfg(test)]
#[path = "../../store-postgres/tests/support/mod.rs"]
mod postgres;

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;
    use ondol_app::founding;
    use ondol_kernel::Millis;
    use ondol_replicate::link;

    use crate::private;

    #[test]
    fn a_copy_that_was_stopped_goes_on_and_another_record_is_not_touched() {
        let folder = std::env::temp_dir().join(format!("ondol-copy-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let found = |name: &str| {
            let data = DataDir::at(Path::new(&path(name))).unwrap();
            let (root, keys) = (SigningKey::from_bytes(&[1; 32]), private::new_keys());
            private::write_keys(&data.keys(), &keys).unwrap();
            let public = link::public_key(&keys.link).unwrap();
            let store = data.store().unwrap();
            founding::found_nation(&*store, &root, &keys, public, "보건성", Millis(0)).unwrap();
            drop(store);
            data
        };
        let first = found("first");
        let app = first.app().unwrap();
        app.found_organization(&crate::carry::node_actor(&app)).unwrap();
        drop(app);
        let all = first.store().unwrap().read().unwrap().last_arrival().unwrap();
        assert!(all > 0);

        // Stopped after the identity, or anywhere: what is there is not written twice.
        let from = first.beside().unwrap();
        begin(&from, &*DataDir::at(Path::new(&path("second"))).unwrap().store().unwrap()).unwrap();
        for _ in 0..2 {
            assert_eq!(copy(&path("first"), &path("second"), &mut |_, _, _| {}).unwrap(), all);
        }
        found("other");
        let refused = copy(&path("first"), &path("other"), &mut |_, _, _| {}).unwrap_err();
        assert!(refused.to_string().contains("belongs to another node"));
        drop(from);

        // Into a database, where the node goes on as a new incarnation; and back.
        if let Some(server) = postgres::server() {
            let url = server.url(&server.schema());
            assert_eq!(copy(&path("first"), &url, &mut |_, _, _| {}).unwrap(), all);
            assert_eq!(copy(&url, &path("third"), &mut |_, _, _| {}).unwrap(), all);
            let moved = DataDir::at(&first.0).unwrap().with_store(Some(&url)).unwrap();
            let before = first.app().unwrap().own_epoch().unwrap();
            let epoch = || moved.app().unwrap().own_epoch().unwrap();
            assert!(epoch() > before);
            assert_eq!(epoch(), epoch());
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
