//! Power cuts at hundreds of moments: what was acknowledged is there, nothing is half there, and
//! without any one kind of sync the same test fails.

mod support;

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use ondol_fault_vfs::{Disk, Faults, FileKind, Image};
use ondol_record::{Address, Entry, EntryHash};
use ondol_store::{
    Store, StoreError, Test,
    contract::scene::{NOW, draft, identity, observation, one, patient, put, query},
    transact,
};
use ondol_store_sqlite::{OpenOptions, SqliteStore};

const WRITERS: u64 = 3;
const ROUNDS: u64 = 12;

type Acknowledged = Arc<Mutex<Vec<(Address, EntryHash)>>>;

/// Small caches and frequent checkpoints, so that a short run has all kinds of writes.
fn open(disk: &Disk) -> Result<SqliteStore, StoreError> {
    let options = OpenOptions {
        vfs: Some(disk.vfs_name().into()),
        checkpoint_pages: 24,
        writer_cache_kib: 64,
        ..OpenOptions::default()
    };
    SqliteStore::open(Path::new("record.db"), options)
}

/// Saves a person and a measurement of another, so that each transaction has two entries.
fn save(store: &dyn Store, name: &str, to: &Acknowledged) -> Result<(), StoreError> {
    let person = patient(name, "Family", "Given");
    let measured = observation(&format!("o-{name}"), "somebody", "29463-7", "2026-01-01", 60);
    let both = draft(vec![put(&person, &[]), put(&measured, &[])]);
    let written: Result<Vec<Entry>, _> = transact(store, move |tx| tx.append(both, NOW, false));
    match written {
        Ok(entries) => {
            let named = entries.iter().map(|entry| (entry.address, entry.hash()));
            to.lock().unwrap().extend(named);
            Ok(())
        }
        Err(ondol_store::AppendError::Store(why)) => Err(why),
        Err(other) => panic!("{other}"),
    }
}

/// Writes with several threads until the power is cut or all is done.
fn work(disk: &Disk, life: u64, to: &Acknowledged) {
    let Ok(store) = open(disk) else { return };
    let belongs = transact(&store, |tx| tx.set_identity(&identity(1)));
    if belongs.is_err() {
        return;
    }
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (store, to) = (&store, to.clone());
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    if save(store, &format!("l{life}w{writer}r{round}"), &to).is_err() {
                        return;
                    }
                }
            });
        }
    });
}

/// What is wrong after the power came back.
fn complaint(disk: &Disk, acknowledged: &Acknowledged) -> Option<String> {
    let store = match open(disk) {
        Ok(store) => store,
        Err(why) => return Some(format!("it does not open: {why}")),
    };
    let check = || -> Result<Option<String>, StoreError> {
        let view = store.read()?;
        for (address, hash) in acknowledged.lock().unwrap().iter() {
            match view.entry(address)? {
                Some(row) if row.entry.hash() == *hash => {}
                Some(_) => return Ok(Some(format!("{address} is another entry"))),
                None => return Ok(Some(format!("{address} was acknowledged and is lost"))),
            }
        }
        let rows = view.arrived_after(0, usize::MAX)?;
        if rows.len() % 2 != 0 {
            return Ok(Some("half of a transaction is there".into()));
        }
        let findings = store.verify(&mut |_, _| {})?;
        if let Some(finding) = findings.first() {
            return Ok(Some(format!("verify: {}", finding.what)));
        }
        Ok(None)
    };
    match check() {
        Ok(found) => found,
        Err(why) => Some(format!("it cannot be read: {why}")),
    }
}

/// Two lives, each ended by a cut. Gives the first complaint over some outcomes of each cut.
fn lives(name: &str, seed: u64, ignore_syncs_of: &[FileKind]) -> Option<String> {
    let acknowledged = Acknowledged::default();
    let mut image = Image::default();
    for life in 0..2 {
        let disk = Disk::with_image(&format!("{name}-{seed}-{life}"), image);
        // A run makes some 700 changes; early cuts meet the making of the tables.
        let cut_after = Some(1 + (seed * 7_919 + life * 104_729) % 800);
        let ignore_syncs_of = ignore_syncs_of.to_vec();
        disk.set_faults(Faults { cut_after, ignore_syncs_of, ..Faults::default() });
        work(&disk, life, &acknowledged);
        disk.cut();
        for outcome in 0..4 {
            let left = disk.image(seed * 31 + outcome);
            let back = Disk::with_image(&format!("{name}-{seed}-{life}-{outcome}"), left);
            if let Some(complaint) = complaint(&back, &acknowledged) {
                return Some(format!("seed {seed}, life {life}, outcome {outcome}: {complaint}"));
            }
        }
        image = disk.image(seed * 31 + seed % 4);
    }
    None
}

#[test]
fn what_was_acknowledged_survives_every_power_cut() {
    for seed in 0..120 {
        assert_eq!(lives("sound", seed, &[]), None);
    }
}

/// The test above has teeth: a disk that lies about the log's syncs is found out.
#[test]
fn without_syncs_of_the_log_acknowledged_entries_are_lost() {
    let found = (0..40).find_map(|seed| lives("no-log-sync", seed, &[FileKind::Log]));
    assert!(found.is_some(), "the power-cut test would not notice a missing sync of the log");
}

/// And so is one that lies about the database's syncs, which checkpoints need.
#[test]
fn without_syncs_of_the_database_checkpoints_lose_entries() {
    let found = (0..80).find_map(|seed| lives("no-db-sync", seed, &[FileKind::Database]));
    assert!(found.is_some(), "the power-cut test would not notice a missing sync of the database");
}

/// A record whose index is made again while two write on, and whose power is cut somewhere in it.
/// Gives what is wrong when the power is back, and whether the index was whole by then.
fn cut_while_indexing(
    seed: u64,
    image: Image,
    before: &[(Address, EntryHash)],
) -> Result<bool, String> {
    let acknowledged = Acknowledged::new(Mutex::new(before.to_vec()));
    let disk = Disk::with_image(&format!("index-{seed}"), image);
    let store = open(&disk).map_err(|why| format!("it does not open: {why}"))?;
    disk.set_faults(Faults { cut_after: Some(1 + seed * 131 % 1_900), ..Faults::default() });
    std::thread::scope(|scope| {
        // Either may find the power gone, at any of its steps.
        scope.spawn(|| drop(store.reindex(&mut |_, _| {})));
        for writer in 0..2 {
            let (store, to) = (&store, acknowledged.clone());
            scope.spawn(move || {
                let name = |round| format!("s{seed}w{writer}r{round}");
                (0..20).take_while(|round| save(store, &name(*round), &to).is_ok()).count()
            });
        }
    });
    disk.cut();
    drop(store);
    let back = Disk::with_image(&format!("index-{seed}-back"), disk.image(seed));
    if let Some(complaint) = complaint(&back, &acknowledged) {
        return Err(complaint);
    }
    let store = open(&back).map_err(|why| format!("it does not open again: {why}"))?;
    let here = store.read().and_then(|view| view.last_arrival()).map_err(|why| why.to_string())?;
    let found = || {
        let named = query("Patient", &one("family", Test::Prefix("family".into())));
        store.read().and_then(|view| view.count(&named)).map_err(|why| why.to_string())
    };
    let was_whole = found()? == here / 2;
    store.reindex(&mut |_, _| {}).map_err(|why| format!("it is not made again: {why}"))?;
    let found = found()?;
    if !was_whole || found != here / 2 {
        return Err(format!("{found} of {} are found, before: {was_whole}", here / 2));
    }
    match store.verify(&mut |_, _| {}).map_err(|why| why.to_string())?.first() {
        Some(finding) => Err(format!("verify: {}", finding.what)),
        None => Ok(was_whole),
    }
}

#[test]
fn an_index_that_is_made_again_may_lose_its_power_at_any_moment() {
    let disk = Disk::new("index");
    let store = open(&disk).unwrap();
    transact(&store, |tx| tx.set_identity(&identity(1))).unwrap();
    let to = Acknowledged::default();
    for round in 0..250 {
        save(&store, &format!("r{round}"), &to).unwrap();
    }
    drop(store);
    disk.cut();
    let image = disk.image(0);
    let before = to.lock().unwrap().clone();
    for seed in 0..60 {
        let whole = cut_while_indexing(seed, image.clone(), &before);
        assert_eq!(whole, Ok(true), "seed {seed}");
    }
}

#[test]
fn jobs_of_many_threads_share_syncs() {
    let disk = Disk::new("shared-syncs");
    let store = open(&disk).unwrap();
    transact(&store, |tx| tx.set_identity(&identity(1))).unwrap();
    let delay = std::time::Duration::from_millis(5);
    disk.set_faults(Faults { sync_delay: delay, ..Faults::default() });
    let before = disk.counts().log_syncs;
    let to = Acknowledged::default();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let (store, to) = (&store, to.clone());
            scope.spawn(move || {
                for round in 0..10 {
                    save(store, &format!("w{writer}r{round}"), &to).unwrap();
                }
            });
        }
    });
    let syncs = disk.counts().log_syncs - before;
    assert!(syncs < 60, "80 transactions took {syncs} syncs");
    assert!(syncs >= 10, "each transaction of a thread waits for a sync of its own");
}

#[test]
fn a_full_disk_refuses_writes_serves_reads_and_recovers() {
    let disk = Disk::new("full");
    let store = open(&disk).unwrap();
    transact(&store, |tx| tx.set_identity(&identity(1))).unwrap();
    let to = Acknowledged::default();
    save(&store, "before", &to).unwrap();
    for after in 0..30 {
        disk.set_faults(Faults { full_after: Some(after), ..Faults::default() });
        let mut refused = None;
        for round in 0..40 {
            if let Err(why) = save(&store, &format!("a{after}r{round}"), &to) {
                refused = Some(why);
                break;
            }
        }
        assert!(matches!(refused, Some(StoreError::Full)), "{refused:?}");
        let listed = store.read().unwrap().last_arrival().unwrap();
        assert_eq!(listed, u64::try_from(to.lock().unwrap().len()).unwrap());
        disk.set_faults(Faults::default());
        save(&store, &format!("a{after}again"), &to).unwrap();
    }
    drop(store);
    assert_eq!(complaint(&disk, &to), None);
}

#[test]
fn errors_of_the_disk_are_told_and_leave_nothing_half() {
    let disk = Disk::new("io-errors");
    let store = open(&disk).unwrap();
    transact(&store, |tx| tx.set_identity(&identity(1))).unwrap();
    let to = Acknowledged::default();
    for after in 0..30 {
        disk.set_faults(Faults { io_error_after: Some(after), ..Faults::default() });
        let refused =
            (0..40).find_map(|round| save(&store, &format!("a{after}r{round}"), &to).err());
        assert!(matches!(refused, Some(StoreError::Io(_))), "{refused:?}");
        disk.set_faults(Faults::default());
        save(&store, &format!("a{after}again"), &to).unwrap();
    }
    drop(store);
    assert_eq!(complaint(&disk, &to), None);
}
