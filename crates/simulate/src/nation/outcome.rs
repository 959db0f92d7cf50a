//! What a country went through.

use std::fmt;

use super::{faults::Faults, weather::MINUTE};

/// What went over the lines of one tier to the tier above, and back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Lines.
    pub lines: u64,
    /// Bytes up and down, IP and UDP included.
    pub bytes: [u64; 2],
    /// Datagrams up and down.
    pub datagrams: [u64; 2],
    /// Messages up and down that were new.
    pub messages: [u64; 2],
}

/// What a country went through.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outcome {
    /// What went wrong.
    pub faults: Faults,
    /// Entries that were acknowledged to their writers.
    pub written: u64,
    /// Of the lines above clinics, counties, provinces.
    pub traffic: [Traffic; 3],
    /// Sticks that were read.
    pub sticks: u64,
    /// How long it took to come to rest, ms of its own time.
    pub rest_ms: u64,
    /// By how much of its line's time slower bytes passed an emergency at the most, ms.
    pub passed_ms: u64,
    /// A number that is the same whenever the same things happened.
    pub digest: u64,
}

impl std::ops::AddAssign for Outcome {
    fn add_assign(&mut self, other: Self) {
        self.faults += other.faults;
        self.written += other.written;
        self.sticks += other.sticks;
        self.rest_ms = self.rest_ms.max(other.rest_ms);
        self.passed_ms = self.passed_ms.max(other.passed_ms);
        for (all, one) in self.traffic.iter_mut().zip(other.traffic) {
            all.lines += one.lines;
            for side in 0..2 {
                all.bytes[side] += one.bytes[side];
                all.datagrams[side] += one.datagrams[side];
                all.messages[side] += one.messages[side];
            }
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} entries written, {} sticks read; {}",
            self.written, self.sticks, self.faults
        )?;
        for (name, tier) in ["clinics", "counties", "provinces"].iter().zip(self.traffic) {
            let ([up, down], [sent, back]) = (tier.messages, tier.bytes);
            let datagrams = tier.datagrams[0] + tier.datagrams[1];
            writeln!(
                f,
                "  above {} {name}: {up} messages up and {down} down, {sent} and {back} bytes in \
                 {datagrams} datagrams",
                tier.lines
            )?;
        }
        write!(
            f,
            "  an emergency was passed by {} s of its line at the most; at rest after {} min of \
             its own time",
            self.passed_ms / 1_000,
            self.rest_ms / MINUTE
        )
    }
}
