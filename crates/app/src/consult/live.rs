//! What of consults a running node keeps in memory; all of it may be lost.

use std::sync::atomic::{AtomicU64, Ordering};

use ondol_access::{Action, Coded, Obligation};
use ondol_kernel::Rng;
use ondol_record::ChartId;
use ondol_store::{Space, View};

use crate::{Actor, App, AppError};

/// A page that stands open asks again and again. A reading of the same chart by the same person
/// for the same purpose is recorded once in so many milliseconds; every one is decided anew.
const SAME_READING_MS: i64 = 15 * 60_000;

/// What a running node knows.
#[derive(Debug, Default)]
pub struct Live {
    /// Names this run of the program: monotonic times of another run mean nothing.
    boot: u64,
    /// The arrival number up to which the last tick looked.
    ticked: AtomicU64,
    /// The monotonic time at which the next timer is due.
    due: AtomicU64,
}

impl Live {
    /// A new run.
    pub(crate) fn new(rng: &dyn Rng) -> Self {
        let mut boot = [0; 8];
        rng.fill(&mut boot);
        Self { boot: u64::from_le_bytes(boot), ticked: u64::MAX.into(), ..Self::default() }
    }

    pub(crate) const fn boot(&self) -> u64 {
        self.boot
    }

    /// Whether a tick has nothing to do: nothing arrived and no timer is due.
    pub(crate) fn is_idle(&self, arrival: u64, monotonic_ms: u64) -> bool {
        self.ticked.load(Ordering::Relaxed) == arrival
            && monotonic_ms < self.due.load(Ordering::Relaxed)
    }

    pub(crate) fn ticked(&self, arrival: u64, due_monotonic_ms: u64) {
        self.due.store(due_monotonic_ms, Ordering::Relaxed);
        self.ticked.store(arrival, Ordering::Relaxed);
    }
}

impl App {
    /// Reads like [`App::reading`] for a page that stands open, or a list: each time it is
    /// decided anew; the same reading again is recorded once in [`SAME_READING_MS`].
    pub(crate) fn reading_once<T>(
        &self,
        actor: &Actor,
        action: Action,
        chart: &ChartId,
        read: impl FnOnce(&dyn View) -> Result<T, AppError>,
    ) -> Result<T, AppError> {
        let key = reading_key(actor, action, chart);
        let (result, grounds, known) = {
            let view = self.view()?;
            let grounds = self.may(&*view, actor, action, chart, None)?;
            let last = view.value(Space::Session, &key)?;
            let last = last.and_then(|bytes| Some(i64::from_le_bytes(bytes.try_into().ok()?)));
            let known = last.is_some_and(|at| (0..SAME_READING_MS).contains(&(self.now().0 - at)));
            (read(&*view)?, grounds, known)
        };
        if !known && grounds.obligations.contains(Obligation::Audit) {
            let reading = self.reading_of(actor, action, chart, &grounds, "");
            let at = self.now().0.to_le_bytes();
            ondol_store::transact(&*self.store, move |tx| -> Result<(), AppError> {
                tx.record_reading(&reading)?;
                Ok(tx.set_value(Space::Session, &key, Some(&at))?)
            })?;
        }
        Ok(result)
    }
}

fn reading_key(actor: &Actor, action: Action, chart: &ChartId) -> Vec<u8> {
    let mut key = b"read/".to_vec();
    key.extend_from_slice(actor.id().as_str().as_bytes());
    key.push(b'/');
    key.extend_from_slice(action.code().as_bytes());
    key.push(b'/');
    chart.put(&mut key);
    key
}
