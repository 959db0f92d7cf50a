//! The record on SQLite: one writer that commits in groups, readers beside it (ADR 0008).

mod append;
mod blobs;
mod charts;
mod conditions;
mod db;
mod derived;
mod entries;
mod error;
mod index;
mod insert;
mod node;
mod open;
pub mod packages;
mod pool;
mod reindex;
mod reserve;
mod rows;
mod search;
mod verify;
mod view;
mod writer;

use std::path::Path;

use ondol_store::{Finding, Job, Outcome, Store, StoreError, View};

pub use blobs::FileBlobs;
pub use open::OpenOptions;
pub use reserve::FileReserve;

use crate::{pool::Pool, view::Moment, writer::Writer};

/// A store in one SQLite database.
///
/// A job that calls [`Store::write`] itself waits for ever: there is one writer.
pub struct SqliteStore {
    // Readers close before the writer, so that the last connection can tidy the log away.
    readers: Pool,
    writer: Writer,
    utc_offset_minutes: i32,
}

impl SqliteStore {
    /// Opens the database file, or makes it together with its directory.
    pub fn open(path: &Path, options: OpenOptions) -> Result<Self, StoreError> {
        let db = open::writer(path, &options)?;
        let utc_offset_minutes = options.utc_offset_minutes;
        let readers = Pool::new(path, options);
        Ok(Self { readers, writer: Writer::start(db)?, utc_offset_minutes })
    }

    /// Whether the search values were made by other rules, or at another offset from UTC, than
    /// this program would make them by. Until [`Store::reindex`] ran, searches of times may miss
    /// and an update may leave old values behind.
    pub fn index_is_old(&self) -> Result<bool, StoreError> {
        Ok(index::is_old(&*self.readers.begin()?, self.utc_offset_minutes)?)
    }
}

/// A record that is only read, beside the node that writes it or without any.
pub struct Beside(Pool);

impl Beside {
    /// Opens the database file, which has to be there.
    pub fn open(path: &Path, options: OpenOptions) -> Result<Self, StoreError> {
        open::check_reader(path, &options)?;
        Ok(Self(Pool::new(path, options)))
    }

    /// A view of one moment.
    pub fn read(&self) -> Result<Box<dyn View + '_>, StoreError> {
        Ok(Box::new(Moment(self.0.begin()?)))
    }
}

impl Store for SqliteStore {
    fn read(&self) -> Result<Box<dyn View + '_>, StoreError> {
        Ok(Box::new(Moment(self.readers.begin()?)))
    }

    fn write(&self, job: Job) -> Result<Outcome, StoreError> {
        self.writer.write(job)
    }

    fn index_is_old(&self) -> Result<bool, StoreError> {
        Self::index_is_old(self)
    }

    fn reindex(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<u64, StoreError> {
        Ok(reindex::reindex(&self.writer, self.utc_offset_minutes, progress)?)
    }

    fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Vec<Finding>, StoreError> {
        Ok(verify::verify(&*self.readers.begin()?, progress)?)
    }
}
