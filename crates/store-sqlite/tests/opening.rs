//! Opening: old, new, foreign and broken files.

mod support;

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
};

use ondol_store::{
    Store, StoreError,
    contract::scene::{identity, patient, put},
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
    change("PRAGMA user_version = 2");
    let before = std::fs::read(directory.database()).unwrap();
    let refused = try_open(&directory.database());
    assert!(matches!(refused, Err(StoreError::Newer { found: 2, known: 1 })));
    assert_eq!(std::fs::read(directory.database()).unwrap(), before);
    change("PRAGMA user_version = 1");
    assert!(try_open(&directory.database()).is_ok());
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
