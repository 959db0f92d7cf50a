//! What sending costs, in time on the road.

/// A request with its steps and headers is reckoned as so many bytes.
pub const ENTRY_BYTES: u64 = 700;

/// Bytes, and the seconds that they take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Bytes.
    pub bytes: u64,
    /// Seconds, rounded up.
    pub seconds: u64,
}

impl Cost {
    /// The cost of some bytes at a rate in bits per second.
    pub fn of(bytes: u64, rate_bps: u64) -> Self {
        Self { bytes, seconds: bytes.saturating_mul(8).div_ceil(rate_bps.max(1)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_takes_half_a_minute_on_the_slowest_line() {
        assert_eq!(Cost::of(30_000, 9_600).seconds, 25);
        assert_eq!(Cost::of(30_000, 64_000).seconds, 4);
        assert_eq!(Cost::of(1, 0).seconds, 8);
    }
}
