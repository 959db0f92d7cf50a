//! Connections for reading. A view takes one, keeps one moment, and gives it back.

use std::{
    ops::Deref,
    sync::{Mutex, PoisonError},
};

use crate::{db::Db, error::Failure, open::Opening};

pub(crate) struct Pool {
    opening: Opening,
    idle: Mutex<Vec<Db>>,
}

/// A connection within a read transaction.
pub(crate) struct Pooled<'a> {
    pool: &'a Pool,
    /// `None` only while it is given back.
    db: Option<Db>,
}

impl Pool {
    pub(crate) fn new(opening: Opening) -> Self {
        Self { opening, idle: Mutex::default() }
    }

    /// A connection whose read transaction has begun: it sees what is committed now.
    pub(crate) fn begin(&self) -> Result<Pooled<'_>, Failure> {
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let is_new = idle.is_none();
            let db = match idle {
                Some(db) if db.session.is_closed() => continue,
                Some(db) => db,
                None => self.opening.reader()?,
            };
            db.session.later("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", vec![])?;
            // PostgreSQL fixes the moment at the first read, not at BEGIN.
            match db.session.query("SELECT one FROM ondol", vec![]) {
                Ok(_) => return Ok(Pooled { pool: self, db: Some(db) }),
                // A server that went away took all idle connections with it.
                Err(_) if !is_new => {}
                Err(failure) => return Err(failure),
            }
        }
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
        let ended = db.session.query("ROLLBACK", vec![]);
        db.session.take_failure();
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // A connection that does not end its transaction is closed instead.
        if ended.is_ok() && idle.len() < self.pool.opening.options.idle_readers_max {
            idle.push(db);
        }
    }
}
