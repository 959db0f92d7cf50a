//! Links that are cut and nodes that are killed at any moment, from a seed.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use crate::{
    node::{Country, NodeError, Seat},
    population::Chance,
};

/// What is allowed to happen.
#[derive(Debug, Clone)]
pub struct Chaos {
    chance: Chance,
    /// Nodes that may be killed.
    pub mortal: Vec<Seat>,
    /// Nodes whose link with the one above may be cut.
    pub roads: Vec<Seat>,
    /// What happened, for the report of a failure.
    pub happened: Vec<String>,
}

/// What was broken, to be mended.
enum Broken {
    Road(Seat),
    Node(Seat),
    Nothing,
}

impl Chaos {
    /// Any node may be killed, any link cut.
    pub fn new(seed: u64) -> Self {
        let roads = Seat::ALL.into_iter().filter(|seat| seat.above().is_some()).collect();
        Self { chance: Chance::new(seed), mortal: Seat::ALL.to_vec(), roads, happened: vec![] }
    }

    /// Does something bad, waits up to `pause_ms`, and mends it; or does nothing for a moment.
    pub fn strike(&mut self, country: &mut Country, pause_ms: i64) -> Result<(), NodeError> {
        let pause = self.pause(pause_ms);
        let broken = self.break_something(country, pause);
        thread::sleep(pause);
        mend(country, &broken)
    }

    /// The same in a country that others use at the same time.
    pub fn strike_among(
        &mut self,
        country: &Mutex<Country>,
        pause_ms: i64,
    ) -> Result<(), NodeError> {
        let pause = self.pause(pause_ms);
        let broken = self.break_something(&mut lock(country), pause);
        thread::sleep(pause);
        mend(&mut lock(country), &broken)
    }

    /// Strikes again and again, with quiet times between, until it is told to stop.
    pub fn rage(
        &mut self,
        country: &Mutex<Country>,
        (pause_ms, quiet_ms): (i64, i64),
        over: &AtomicBool,
    ) -> Result<(), NodeError> {
        while !over.load(Ordering::Relaxed) {
            self.strike_among(country, pause_ms)?;
            thread::sleep(self.pause(quiet_ms));
        }
        Ok(())
    }

    fn break_something(&mut self, country: &mut Country, pause: Duration) -> Broken {
        match self.chance.from_to(0, 5) {
            0 | 1 if !self.roads.is_empty() => {
                let seat = *self.chance.one_of(&self.roads);
                self.happened.push(format!("cut above {seat:?} for {pause:?}"));
                country.cut(seat);
                Broken::Road(seat)
            }
            2 | 3 if !self.mortal.is_empty() => {
                let seat = *self.chance.one_of(&self.mortal);
                self.happened.push(format!("killed {seat:?} for {pause:?}"));
                country.kill(seat);
                Broken::Node(seat)
            }
            _ => Broken::Nothing,
        }
    }

    fn pause(&mut self, up_to_ms: i64) -> Duration {
        Duration::from_millis(self.chance.from_to(20, up_to_ms).unsigned_abs())
    }
}

fn mend(country: &mut Country, broken: &Broken) -> Result<(), NodeError> {
    match broken {
        Broken::Road(seat) => country.restore(*seat),
        Broken::Node(seat) => country.start_node(*seat)?,
        Broken::Nothing => {}
    }
    Ok(())
}

/// A country that several threads use; one that failed leaves it usable.
pub fn lock(country: &Mutex<Country>) -> MutexGuard<'_, Country> {
    country.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says that it is over when it is dropped, also by a step that fails.
#[derive(Debug)]
pub struct OverAtLast<'a>(pub &'a AtomicBool);

impl Drop for OverAtLast<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
