//! Links that are cut and nodes that are killed at any moment, from a seed.

use std::{thread, time::Duration};

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
    /// What happened, for the report of a failure.
    pub happened: Vec<String>,
}

impl Chaos {
    /// Any node may be killed.
    pub fn new(seed: u64) -> Self {
        Self { chance: Chance::new(seed), mortal: Seat::ALL.to_vec(), happened: vec![] }
    }

    /// Does something bad, waits up to `pause_ms`, and mends it; or does nothing for a moment.
    pub fn strike(&mut self, country: &mut Country, pause_ms: i64) -> Result<(), NodeError> {
        let pause = self.pause(pause_ms);
        let roads: Vec<Seat> = Seat::ALL.into_iter().filter(|s| s.above().is_some()).collect();
        match self.chance.from_to(0, 5) {
            0 | 1 => {
                let seat = *self.chance.one_of(&roads);
                self.happened.push(format!("cut above {seat:?} for {pause:?}"));
                country.cut(seat);
                thread::sleep(pause);
                country.restore(seat);
            }
            2 | 3 => {
                let seat = *self.chance.one_of(&self.mortal);
                self.happened.push(format!("killed {seat:?} for {pause:?}"));
                country.kill(seat);
                thread::sleep(pause);
                country.start_node(seat)?;
            }
            _ => thread::sleep(pause),
        }
        Ok(())
    }

    fn pause(&mut self, up_to_ms: i64) -> Duration {
        Duration::from_millis(self.chance.from_to(20, up_to_ms).unsigned_abs())
    }
}
