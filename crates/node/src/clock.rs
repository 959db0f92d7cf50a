//! The machine's clock: the only place where it is read.
#![allow(clippy::disallowed_methods, reason = "this is where time comes in")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ondol_kernel::{Clock, Millis};

/// The machine's clocks.
pub struct MachineClock {
    started: Instant,
    utc_offset_minutes: i32,
}

impl MachineClock {
    /// Times on pages are shown this many minutes east of UTC.
    pub fn new(utc_offset_minutes: i32) -> Self {
        Self { started: Instant::now(), utc_offset_minutes }
    }
}

impl Clock for MachineClock {
    fn wall(&self) -> Millis {
        // A clock before 1970 is a dead battery: it reads as 0 and is in doubt.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn utc_offset_minutes(&self) -> i32 {
        self.utc_offset_minutes
    }
}
