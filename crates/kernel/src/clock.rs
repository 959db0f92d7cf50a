//! Where the time comes from.

use crate::time::Millis;

/// A source of time. The real one lives in `node`; tests and the simulator bring their own.
pub trait Clock: Send + Sync {
    /// What the machine's clock says: milliseconds since 1970-01-01T00:00:00Z. It may be wrong
    /// by years, and it may jump.
    fn wall(&self) -> Millis;

    /// Milliseconds since an arbitrary start that never go back. Timers of treatment use this.
    fn monotonic_ms(&self) -> u64;

    /// Minutes east of UTC in which pages show times.
    fn utc_offset_minutes(&self) -> i32;
}
