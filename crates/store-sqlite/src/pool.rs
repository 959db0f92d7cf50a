//! Connections for reading. A view takes one, keeps one moment, and gives it back.

use std::{
    ops::Deref,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use crate::{
    db::Db,
    error::Failure,
    open::{self, OpenOptions},
};

pub(crate) struct Pool {
    path: PathBuf,
    options: OpenOptions,
    idle: Mutex<Vec<Db>>,
}

/// A connection within a read transaction.
pub(crate) struct Pooled<'a> {
    pool: &'a Pool,
    /// `None` only while it is given back.
    db: Option<Db>,
}

impl Pool {
    pub(crate) fn new(path: &Path, options: OpenOptions) -> Self {
        Self { path: path.to_owned(), options, idle: Mutex::default() }
    }

    /// A connection whose read transaction has begun: it sees what is committed now.
    pub(crate) fn begin(&self) -> Result<Pooled<'_>, Failure> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let db = match idle {
            Some(db) => db,
            None => open::reader(&self.path, &self.options)?,
        };
        db.conn.prepare_cached("BEGIN DEFERRED")?.execute([])?;
        let pooled = Pooled { pool: self, db: Some(db) };
        // SQLite fixes the moment at the first read, not at BEGIN.
        pooled.conn.prepare_cached("SELECT one FROM state")?.query_row([], |_| Ok(()))?;
        Ok(pooled)
    }
}

impl Deref for Pooled<'_> {
    type Target = Db;

    fn deref(&self) -> &Db {
        self.db.as_ref().expect("a pooled connection is given back on drop only")
    }
}

impl Drop for Pooled<'_> {
    fn drop(&mut self) {
        let Some(db) = self.db.take() else { return };
        let ended = db.conn.prepare_cached("ROLLBACK").and_then(|mut end| end.execute([]));
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // A connection that does not end its transaction is closed instead.
        if ended.is_ok() && idle.len() < self.pool.options.idle_readers_max {
            idle.push(db);
        }
    }
}
