//! The node's own disk, when it is full, read-only or failing.
//!
//! Whatever is written goes through [`Watched`], which notes how it went: pages say what is wrong
//! before somebody types in vain. Reading goes on. Who read what is written down later if it cannot
//! be now; a disk that is full gives up the room that was kept back for that, and takes no care, no
//! pictures and nothing from the road until that room is there again. What was refused was refused
//! to somebody's face; nothing that was answered is lost.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ondol_kernel::{Clock, Millis};
use ondol_store::{
    Finding, Job, Outcome, Reading, Space, Store, StoreError, View,
    blobs::{BlobHash, Blobs},
    reserve::Reserve,
    transact,
};

use crate::{App, AppError};

/// After so long the room for the audit is tried to be taken again, ms.
const KEEP_AGAIN_MS: u64 = 15_000;

/// So many readings are kept in memory while the disk takes none. With one more, nothing is shown
/// any longer: what nobody can account for is not read.
const OWED_MAX: usize = 10_000;

/// Where it is tried whether the disk is well again.
const PROBE: &[u8] = b"disk-probe";

/// What is wrong with the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskTrouble {
    /// No room is left but what is kept for the audit.
    Full,
    /// Nothing can be written.
    ReadOnly,
    /// The disk reports errors.
    Failing,
}

impl DiskTrouble {
    /// The trouble that an error tells of, if it is the disk's.
    pub const fn of(error: &StoreError) -> Option<Self> {
        match error {
            StoreError::Full => Some(Self::Full),
            StoreError::ReadOnly => Some(Self::ReadOnly),
            StoreError::Io(_) => Some(Self::Failing),
            _ => None,
        }
    }

    /// The trouble that an error of a use case tells of, if it is the disk's.
    pub const fn of_app(error: &AppError) -> Option<Self> {
        match error {
            AppError::Store(error) => Self::of(error),
            _ => None,
        }
    }
}

#[derive(Default)]
struct State {
    trouble: Option<(DiskTrouble, Millis)>,
    reserve: Option<Arc<dyn Reserve>>,
    kept_at: u64,
    owed: Vec<Reading>,
    /// Another record on the same disk, which keeps the room for its audit.
    beside: Option<Arc<Disk>>,
}

/// What is known of the disk.
pub(crate) struct Disk {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
}

impl Disk {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { state: Mutex::default(), clock }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An error of the store.
    fn met(&self, error: &StoreError) {
        let Some(trouble) = DiskTrouble::of(error) else { return };
        let mut state = self.lock();
        if state.trouble.is_some_and(|(known, _)| known == trouble) {
            return;
        }
        state.trouble = Some((trouble, self.clock.wall()));
        state.kept_at = self.clock.monotonic_ms();
        if trouble == DiskTrouble::Full
            && let Some(reserve) = &state.reserve
        {
            // A disk that refuses this too is told of by the writes that follow.
            let _ = reserve.release();
        }
    }

    /// Something was written. A full disk has room for small things after that too, as long as
    /// what was kept back for the audit lasts.
    fn wrote(&self) {
        let mut state = self.lock();
        let lasts = state.reserve.is_some();
        match state.trouble {
            None => {}
            Some((DiskTrouble::Full, _)) if lasts => {}
            Some(_) => state.trouble = None,
        }
    }

    /// Whether there is room for more than the audit.
    pub(crate) fn room(&self) -> Result<(), StoreError> {
        let state = self.lock();
        match (&state.trouble, &state.reserve, &state.beside) {
            (Some((DiskTrouble::Full, _)), Some(_), _) => Err(StoreError::Full),
            (.., Some(beside)) => beside.room(),
            // Without a reserve there is nothing to be spared: each write tries.
            _ => Ok(()),
        }
    }

    fn trouble(&self) -> Option<(DiskTrouble, Millis)> {
        let state = self.lock();
        state.trouble.or_else(|| state.beside.as_ref()?.trouble())
    }

    /// Keeps readings in memory that the disk does not take.
    fn owe(&self, readings: Vec<Reading>, why: StoreError) -> Result<(), StoreError> {
        let mut state = self.lock();
        if DiskTrouble::of(&why).is_none() || state.owed.len() + readings.len() > OWED_MAX {
            return Err(why);
        }
        state.owed.extend(readings);
        Ok(())
    }
}

/// A store whose troubles are noted.
pub(crate) struct Watched {
    store: Arc<dyn Store>,
    disk: Arc<Disk>,
}

impl Watched {
    pub(crate) fn new(store: Arc<dyn Store>, disk: Arc<Disk>) -> Self {
        Self { store, disk }
    }
}

impl Store for Watched {
    fn read(&self) -> Result<Box<dyn View + '_>, StoreError> {
        self.store.read()
    }

    fn write(&self, job: Job) -> Result<Outcome, StoreError> {
        let outcome = self.store.write(job);
        match &outcome {
            Ok(Outcome::Committed) => self.disk.wrote(),
            Ok(Outcome::RolledBack) => {}
            Err(error) => self.disk.met(error),
        }
        outcome
    }

    fn reindex(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<u64, StoreError> {
        self.store.reindex(progress)
    }

    fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Vec<Finding>, StoreError> {
        self.store.verify(progress)
    }
}

/// Pictures, which take no room from the audit.
pub(crate) struct WatchedBlobs {
    blobs: Arc<dyn Blobs>,
    disk: Arc<Disk>,
}

impl WatchedBlobs {
    pub(crate) fn new(blobs: Arc<dyn Blobs>, disk: Arc<Disk>) -> Self {
        Self { blobs, disk }
    }

    fn noted<T>(&self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        done.inspect_err(|error| self.disk.met(error))
    }
}

impl Blobs for WatchedBlobs {
    fn put(&self, bytes: &[u8]) -> Result<BlobHash, StoreError> {
        self.disk.room()?;
        self.noted(self.blobs.put(bytes))
    }

    fn get(&self, hash: &BlobHash) -> Result<Option<Vec<u8>>, StoreError> {
        self.blobs.get(hash)
    }

    fn has(&self, hash: &BlobHash) -> Result<bool, StoreError> {
        self.blobs.has(hash)
    }

    fn put_part(
        &self,
        hash: &BlobHash,
        size: u64,
        offset: u64,
        bytes: &[u8],
    ) -> Result<u64, StoreError> {
        self.disk.room()?;
        self.noted(self.blobs.put_part(hash, size, offset, bytes))
    }

    fn partial(&self, hash: &BlobHash) -> Result<u64, StoreError> {
        self.blobs.partial(hash)
    }
}

impl App {
    /// What is wrong with the disk, and since when. Answered from memory.
    pub fn disk_trouble(&self) -> Option<(DiskTrouble, Millis)> {
        self.disk.trouble()
    }

    /// Says that another record is on the same disk, and has the room for its audit there: this one
    /// takes none of it.
    pub fn beside_on_disk(&self, other: &Self) {
        self.disk.lock().beside = Some(other.disk.clone());
    }

    /// So many readings wait in memory until the disk takes them.
    pub fn readings_owed(&self) -> usize {
        self.disk.lock().owed.len()
    }

    /// Takes room on the disk that is kept back for the audit. If there is not enough, the disk is
    /// full from now on.
    pub fn keep_reserve(&self, reserve: Arc<dyn Reserve>) {
        let kept = reserve.keep();
        self.disk.lock().reserve = Some(reserve);
        if let Err(why) = kept {
            self.disk.met(&why);
        }
    }

    /// Writes down durably who read what, or keeps it in memory while the disk takes nothing: a
    /// chart can be read in an emergency whatever the disk does.
    pub(crate) fn write_down(&self, readings: Vec<Reading>) -> Result<(), AppError> {
        if readings.is_empty() {
            return Ok(());
        }
        let kept = readings.clone();
        let written = transact(&*self.store, move |tx| {
            readings.iter().try_for_each(|reading| tx.record_reading(reading))
        });
        match written {
            Err(why) => Ok(self.disk.owe(kept, why)?),
            written => Ok(written?),
        }
    }

    /// Tries whether the disk is well again, and writes down what it owes.
    pub(crate) fn disk_tick(&self) -> Result<(), AppError> {
        let (trouble, reserve, kept_at) = {
            let state = self.disk.lock();
            (state.trouble.map(|(trouble, _)| trouble), state.reserve.clone(), state.kept_at)
        };
        match (trouble, reserve) {
            (None, _) => {}
            (Some(DiskTrouble::Full), Some(reserve)) => {
                let now = self.clock.monotonic_ms();
                if now.saturating_sub(kept_at) >= KEEP_AGAIN_MS {
                    self.disk.lock().kept_at = now;
                    if reserve.keep().is_ok() {
                        self.disk.lock().trouble = None;
                    }
                }
            }
            // It is known to be ill, and said on every page: no news.
            (Some(_), _) => drop(self.probe()),
        }
        self.pay()
    }

    fn probe(&self) -> Result<(), StoreError> {
        let now = self.now().0.to_be_bytes();
        transact(&*self.store, move |tx| tx.set_value(Space::Node, PROBE, Some(&now)))
    }

    /// Writes down what was read while the disk took nothing, and that it comes late.
    fn pay(&self) -> Result<(), AppError> {
        let owed = std::mem::take(&mut self.disk.lock().owed);
        let Some(first) = owed.first() else { return Ok(()) };
        let gap = Reading {
            at: self.now(),
            who: "".into(),
            role: "".into(),
            chart: self.facility_chart(),
            action: "audit-gap".into(),
            relation: "own-facility".into(),
            reason: format!("{} since {}", owed.len(), first.at.to_fhir(0)).into(),
        };
        let readings = owed.clone();
        let written = transact(&*self.store, move |tx| {
            readings.iter().chain([&gap]).try_for_each(|reading| tx.record_reading(reading))
        });
        if let Err(why) = written {
            let mut state = self.disk.lock();
            let later = std::mem::replace(&mut state.owed, owed);
            state.owed.extend(later);
            return if DiskTrouble::of(&why).is_some() { Ok(()) } else { Err(why.into()) };
        }
        Ok(())
    }
}
