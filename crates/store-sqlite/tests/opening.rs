//! Opening: old, new, foreign and broken files.

mod support;

use std::{
    ops::Bound,
    path::{Path, PathBuf},
    sync::Mutex,
};

use ondol_store::{
    Store, StoreError, Test,
    contract::scene::{NOW, draft, identity, observation, one, patient, put, query, token},
    transact,
};
use ondol_store_sqlite::{OpenOptions, SqliteStore};
use rusqlite::Connection;
use support::Directory;

fn try_open(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(path, OpenOptions::default())
}

#[test]
fn everything_is_there_when_it_opens_again() {
    let directory = Directory::new();
    {
        let store = support::open(&directory);
        transact(&store, |tx| tx.set_identity(&identity(1))).unwrap();
        let saved = ondol_store::contract::scene::draft(vec![put(&patient("p1", "A", "B"), &[])]);
        transact(&store, move |tx| tx.append(saved, ondol_store::contract::scene::NOW, false))
            .unwrap();
    }
    let names: Vec<_> = std::fs::read_dir(directory.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, ["record.db"], "a store that was closed leaves no log behind");
    let store = support::open(&directory);
    let view = store.read().unwrap();
    assert_eq!(view.last_arrival().unwrap(), 1);
    assert_eq!(view.identity().unwrap(), Some(identity(1)));
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let directory = Directory::new();
    drop(support::open(&directory));
    let change = |sql: &str| {
        Connection::open(directory.database()).unwrap().execute_batch(sql).unwrap();
    };
    change("PRAGMA user_version = 3");
    let before = std::fs::read(directory.database()).unwrap();
    let refused = try_open(&directory.database());
    assert!(matches!(refused, Err(StoreError::Newer { found: 3, known: 2 })));
    assert_eq!(std::fs::read(directory.database()).unwrap(), before);
    change("PRAGMA user_version = 2");
    assert!(try_open(&directory.database()).is_ok());
}

/// A store of format 1, whose index was made twice or once: it had no table of numbers.
fn of_format_1(directory: &Directory, made_twice: bool) {
    let store = support::open(directory);
    transact(&store, |tx| tx.set_identity(&identity(1))).unwrap();
    if made_twice {
        store.reindex(&mut |_, _| {}).unwrap();
    }
    let weighed = observation("o1", "p1", "29463-7", "2026-01-01T08:00:00Z", 60);
    let saved = draft(vec![put(&patient("p1", "A", "B"), &[]), put(&weighed, &[])]);
    transact(&store, move |tx| tx.append(saved, NOW, false)).unwrap();
    drop(store);
    Connection::open(directory.database())
        .unwrap()
        .execute_batch(
            "DROP TABLE numbers; UPDATE state SET index_rules = 1; PRAGMA user_version = 1",
        )
        .unwrap();
}

#[test]
fn the_format_before_opens_goes_on_and_gets_its_new_index() {
    for made_twice in [false, true] {
        let directory = Directory::new();
        of_format_1(&directory, made_twice);
        let heavy = Test::Number { from: Bound::Unbounded, to: Bound::Unbounded, unit: None };
        let heavy = query("Observation", &one("value-quantity", heavy));
        let coded = query("Observation", &one("code", token(None, Some("29463-7"))));
        let store = support::open(&directory);
        assert!(store.index_is_old().unwrap());
        // What the old index can answer goes on; what it cannot is not answered wrongly.
        assert_eq!(store.read().unwrap().count(&coded).unwrap(), 1);
        assert!(matches!(store.read().unwrap().count(&heavy), Err(StoreError::Indexing)));
        let weighed = observation("o2", "p1", "29463-7", "2026-01-01T08:00:00Z", 61);
        let saved = draft(vec![put(&weighed, &[])]);
        transact(&store, move |tx| tx.append(saved, NOW, false)).unwrap();
        // Switched off in the middle of it: what stands is still told to be old.
        let mut steps = 0;
        let stopped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            store.reindex(&mut |_, _| {
                steps += 1;
                panic!("stopped");
            })
        }));
        assert!(stopped.is_err() && steps == 1);
        drop(store);
        let store = support::open(&directory);
        assert!(store.index_is_old().unwrap());
        assert!(matches!(store.read().unwrap().count(&heavy), Err(StoreError::Indexing)));
        store.reindex(&mut |_, _| {}).unwrap();
        assert!(!store.index_is_old().unwrap());
        assert_eq!(store.read().unwrap().count(&heavy).unwrap(), 2);
        assert_eq!(store.verify(&mut |_, _| {}).unwrap(), []);
        drop(store);
        let version: u32 = Connection::open(directory.database())
            .unwrap()
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .unwrap();
        assert_eq!(version, 2);
        assert!(!support::open(&directory).index_is_old().unwrap());
    }
}

#[test]
fn what_is_no_store_is_refused() {
    let directory = Directory::new();
    let path = directory.database();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE other(a)").unwrap();
    assert!(matches!(try_open(&path), Err(StoreError::Damaged(_))));
    std::fs::write(&path, "no database at all, but long enough to have a header ".repeat(99))
        .unwrap();
    assert!(matches!(try_open(&path), Err(StoreError::Damaged(_))));
    assert!(matches!(try_open(directory.path()), Err(StoreError::Io(_))));
}

#[test]
fn an_empty_file_becomes_a_store() {
    let directory = Directory::new();
    std::fs::write(directory.database(), "").unwrap();
    assert_eq!(support::open(&directory).verify(&mut |_, _| {}).unwrap(), []);
}

static SYNCED: Mutex<Vec<PathBuf>> = Mutex::new(vec![]);

#[test]
fn directories_are_synced_when_names_are_made_in_them() {
    let directory = Directory::new();
    let path = directory.path().join("data").join("node").join("record.db");
    let options = OpenOptions {
        sync_directory: |path| {
            SYNCED.lock().unwrap().push(path.to_owned());
            Ok(())
        },
        ..OpenOptions::default()
    };
    drop(SqliteStore::open(&path, options.clone()).unwrap());
    let top = directory.path();
    let expected = [top.to_owned(), top.join("data"), top.join("data").join("node")];
    assert_eq!(*SYNCED.lock().unwrap(), expected);
    drop(SqliteStore::open(&path, options).unwrap());
    assert_eq!(SYNCED.lock().unwrap().len(), 3, "nothing new was made");
}

#[cfg(unix)]
#[test]
fn nobody_else_on_the_machine_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new();
    let store = support::open(&directory);
    transact(&store, |tx| tx.set_identity(&identity(1))).unwrap();
    let files: Vec<_> = std::fs::read_dir(directory.path()).unwrap().map(Result::unwrap).collect();
    assert_eq!(files.len(), 3, "the database, its log and the log's index");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0);
    }
}

#[test]
fn an_index_of_other_rules_is_noticed_and_made_again() {
    let directory = Directory::new();
    drop(support::open(&directory));
    let other = OpenOptions { utc_offset_minutes: 0, ..OpenOptions::default() };
    let store = SqliteStore::open(&directory.database(), other).unwrap();
    assert!(store.index_is_old().unwrap());
    store.reindex(&mut |_, _| {}).unwrap();
    assert!(!store.index_is_old().unwrap());
    drop(store);
    assert!(support::open(&directory).index_is_old().unwrap());
}

/// The kernel cannot sync this one and says so: to whoever asks.
#[cfg(target_os = "linux")]
#[test]
fn syncing_a_directory_does_ask_the_kernel() {
    let sync = OpenOptions::default().sync_directory;
    assert!(sync(Path::new("/proc/self")).is_err());
    let directory = Directory::new();
    assert!(sync(directory.path()).is_ok());
}
