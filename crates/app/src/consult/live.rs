//! What of consults a running node keeps in memory; all of it may be lost.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use ondol_access::{Action, Coded, Obligation};
use ondol_kernel::{ResourceId, Rng};
use ondol_record::ChartId;
use ondol_store::{Space, View};

use super::step::may_answer;
use crate::{Actor, App, AppError, DiskTrouble};

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
    /// What alarms each person has, as of an arrival number and a minute.
    alarms: Mutex<HashMap<ResourceId, (u64, i64, Alarms)>>,
}

/// The emergencies that a person can take and nobody took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Alarms {
    /// How many.
    pub waiting: usize,
    /// Whether the alarm shall sound: only for the one on duty.
    pub sounds: bool,
}

impl Live {
    /// A new run.
    pub(crate) fn new(rng: &dyn Rng) -> Self {
        let mut boot = [0; 8];
        rng.fill(&mut boot);
        Self { boot: u64::from_le_bytes(boot), ticked: u64::MAX.into(), ..Self::default() }
    }

    fn alarms(&self) -> MutexGuard<'_, HashMap<ResourceId, (u64, i64, Alarms)>> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
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
    /// The alarms of a person. Every page that stands open asks every few seconds: it is worked
    /// out anew when something arrived, and once in a minute.
    pub fn alarms(&self, actor: &Actor) -> Result<Alarms, AppError> {
        if !may_answer(actor) {
            return Ok(Alarms::default());
        }
        let (arrival, minute) = (self.last_arrival()?, self.now().0.div_euclid(60_000));
        let known = self.live.alarms().get(actor.id()).copied();
        if let Some((at, then, alarms)) = known
            && (at, then) == (arrival, minute)
        {
            return Ok(alarms);
        }
        let inbox = self.inbox(actor)?;
        let alarms = Alarms { waiting: inbox.alarms, sounds: inbox.sounds };
        self.live.alarms().insert(actor.id().clone(), (arrival, minute, alarms));
        Ok(alarms)
    }

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
            let kept = reading.clone();
            let written = ondol_store::transact(&*self.store, move |tx| -> Result<(), AppError> {
                tx.record_reading(&reading)?;
                Ok(tx.set_value(Space::Session, &key, Some(&at))?)
            });
            match written {
                // The next look is one more line then.
                Err(why) if DiskTrouble::of_app(&why).is_some() => self.write_down(vec![kept])?,
                written => written?,
            }
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
