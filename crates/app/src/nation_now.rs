//! The nodes that are known, as they are known now.
//!
//! They are kept in memory, and what is kept must never be older than what a transaction sees: an
//! entry that is written just after a certificate was committed, but queued by what was known
//! before, would never be sent to the new neighbour.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering::SeqCst},
};

use ondol_store::Store;

use crate::{AppError, Nation, Place};

/// See the module.
pub(crate) struct NationNow {
    /// What was read, and how many changes had ended before.
    read: RwLock<(u64, Arc<Nation>)>,
    begun: AtomicU64,
    ended: AtomicU64,
}

impl NationNow {
    pub fn load(store: &dyn Store, place: &Place) -> Result<Self, AppError> {
        let nation = Arc::new(Nation::load(&*store.read()?, place)?);
        Ok(Self {
            read: RwLock::new((0, nation)),
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
        })
    }

    /// Does what may change them. Whether it was committed does not matter.
    pub fn changing<T>(&self, work: impl FnOnce() -> T) -> T {
        self.begun.fetch_add(1, SeqCst);
        let done = work();
        self.ended.fetch_add(1, SeqCst);
        done
    }

    /// They are read again after each change, and while one is under way. A disk that cannot be
    /// read leaves what was known, until the next time.
    pub fn now(&self, store: &dyn Store, place: &Place) -> Arc<Nation> {
        let ended = self.ended.load(SeqCst);
        let is_quiet = self.begun.load(SeqCst) == ended;
        let (of, known) = self.read.read().unwrap_or_else(PoisonError::into_inner).clone();
        if is_quiet && of == ended {
            return known;
        }
        let Ok(fresh) = read(store, place) else { return known };
        if is_quiet {
            let mut read = self.read.write().unwrap_or_else(PoisonError::into_inner);
            // Whoever looked later knows better.
            if read.0 <= ended {
                *read = (ended, fresh.clone());
            }
        }
        fresh
    }
}

fn read(store: &dyn Store, place: &Place) -> Result<Arc<Nation>, AppError> {
    Ok(Arc::new(Nation::load(&*store.read()?, place)?))
}
