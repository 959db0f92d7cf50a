//! Stores in directories that go away with the test.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use ondol_store::contract::Opened;
use ondol_store_sqlite::{OpenOptions, SqliteStore};

/// A directory of a test's own, removed at its end.
pub struct Directory(PathBuf);

impl Directory {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ondol-store-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    #[allow(dead_code, reason = "not every test file looks inside")]
    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn database(&self) -> PathBuf {
        self.0.join("record.db")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Opens the database of a directory.
#[allow(dead_code, reason = "not every test file opens one by itself")]
pub fn open(directory: &Directory) -> SqliteStore {
    SqliteStore::open(&directory.database(), OpenOptions::default()).unwrap()
}

/// An empty store of its own.
#[allow(dead_code, reason = "not every test file runs the contract")]
pub fn open_empty() -> Opened {
    let directory = Directory::new();
    let store = open(&directory);
    Opened { store: Arc::new(store), keep: Box::new(directory) }
}
