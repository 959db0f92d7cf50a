//! Waiting for something that other processes do.

use std::{thread, time::Duration};

use tokio::time::Instant;

/// How often something is looked at while it is waited for.
const EVERY: Duration = Duration::from_millis(50);

/// Looks until there is something, or the time is over.
pub fn until<T>(within: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Stopwatch::start();
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if start.elapsed() > within {
            return None;
        }
        thread::sleep(EVERY);
    }
}

/// Counts the time that passes outside.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
