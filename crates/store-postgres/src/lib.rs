//! The record on PostgreSQL: one writer that commits in groups, readers beside it (ADR 0020).

mod append;
mod charts;
mod conditions;
mod db;
mod derived;
mod driver;
mod entries;
mod error;
mod index;
mod insert;
mod node;
mod open;
mod plan;
mod pool;
mod reindex;
mod rows;
mod search;
mod session;
mod tls;
mod value;
mod verify;
mod view;
mod writer;

use ondol_store::{Finding, Job, Outcome, Store, StoreError, View};

pub use open::OpenOptions;
pub use plan::plan;

use crate::{open::Opening, pool::Pool, view::Moment, writer::Writer};

/// A store in one schema of a PostgreSQL database.
///
/// A job that calls [`Store::write`] itself waits for ever: there is one writer.
pub struct PostgresStore {
    readers: Pool,
    writer: Writer,
    utc_offset_minutes: i32,
    home: Vec<u8>,
}

impl PostgresStore {
    /// Whether a store is named by such a URL.
    pub fn is_url(text: &str) -> bool {
        ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme))
    }

    /// Connects, and makes the tables if the schema is empty. Fails if another node writes there,
    /// or if the server answers before the disk has what was written.
    pub fn open(url: &str, options: OpenOptions) -> Result<Self, StoreError> {
        let utc_offset_minutes = options.utc_offset_minutes;
        let opening = Opening::new(url, options)?;
        let db = opening.writer()?;
        let home = opening.home();
        let readers = Pool::new(opening.clone());
        Ok(Self { readers, writer: Writer::start(db, opening)?, utc_offset_minutes, home })
    }

    /// By what this store is told from a copy of it: the database system, how often it was put
    /// back or taken over by a standby, the database, and the schema in it.
    pub fn home(&self) -> Vec<u8> {
        self.home.clone()
    }
}

/// A record that is only read, beside the node that writes it or without any.
pub struct Beside(Pool);

impl Beside {
    /// Connects to tables that have to be there.
    pub fn open(url: &str, options: OpenOptions) -> Result<Self, StoreError> {
        let opening = Opening::new(url, options)?;
        drop(opening.checked_reader()?);
        Ok(Self(Pool::new(opening)))
    }

    /// A view of one moment.
    pub fn read(&self) -> Result<Box<dyn View + '_>, StoreError> {
        Ok(Box::new(Moment(self.0.begin()?)))
    }
}

impl Store for PostgresStore {
    fn read(&self) -> Result<Box<dyn View + '_>, StoreError> {
        Ok(Box::new(Moment(self.readers.begin()?)))
    }

    fn write(&self, job: Job) -> Result<Outcome, StoreError> {
        self.writer.write(job)
    }

    fn index_is_old(&self) -> Result<bool, StoreError> {
        Ok(index::is_old(&*self.readers.begin()?, self.utc_offset_minutes)?)
    }

    fn reindex(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<u64, StoreError> {
        Ok(reindex::reindex(&self.writer, self.utc_offset_minutes, progress)?)
    }

    fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Vec<Finding>, StoreError> {
        Ok(verify::verify(&*self.readers.begin()?, progress)?)
    }
}
