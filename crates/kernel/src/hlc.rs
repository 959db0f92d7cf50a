//! Hybrid logical clock: a time that never goes back, whatever the machine's clock does.

use crate::time::Millis;

/// A stamp of writing: 48 bits of milliseconds since 1970 and 16 bits that count within one.
///
/// `next` is `max(newest + 1, clock)` (DESIGN §4): saving is never refused for a clock. The
/// layout is part of the entry format (ADR 0002).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hlc(u64);

/// A stamp from elsewhere that is further ahead than this never advances our clock, ms.
pub const REMOTE_AHEAD_MS_MAX: i64 = 24 * 60 * 60 * 1000;

/// The latest instant that a stamp can hold, ms since 1970 (in the year 10889).
const MS_MAX: i64 = (1 << 48) - 1;

impl Hlc {
    /// The stamp before all others.
    pub const ZERO: Self = Self(0);

    /// The first stamp of the millisecond `at`. Times before 1970 become 0; times after the
    /// year 10889 become the last millisecond that fits.
    pub fn at(at: Millis) -> Self {
        Self(at.0.clamp(0, MS_MAX).unsigned_abs() << 16)
    }

    /// The stamp from its 64 bits.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The 64 bits of the stamp.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The millisecond of the stamp.
    pub const fn millis(self) -> Millis {
        Millis((self.0 >> 16).cast_signed())
    }

    /// The stamp for a new entry, given what the machine's clock says now.
    #[must_use]
    pub fn next(self, wall: Millis) -> Self {
        Self(self.0.saturating_add(1).max(Self::at(wall).0))
    }

    /// Our clock after an entry stamped `remote` arrived. A stamp more than 24 h ahead of both
    /// our own stamps and the machine's clock does not advance it.
    #[must_use]
    pub fn observe(self, remote: Self, wall: Millis) -> Self {
        let ours = self.0.max(Self::at(wall).0);
        let limit = Self(ours).millis().0.saturating_add(REMOTE_AHEAD_MS_MAX);
        if remote.millis().0 > limit { self } else { Self(self.0.max(remote.0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_clock_that_goes_back_does_not_take_the_stamp_along() {
        let first = Hlc::ZERO.next(Millis(1_000));
        let second = first.next(Millis(5));
        assert!(second > first);
        assert_eq!(second.millis(), Millis(1_000));
    }

    #[test]
    fn a_remote_stamp_of_the_far_future_is_not_believed() {
        let ours = Hlc::at(Millis(1_000));
        let wall = Millis(1_000);
        assert_eq!(ours.observe(Hlc::at(Millis(1_000 + REMOTE_AHEAD_MS_MAX + 1)), wall), ours);
        let near = Hlc::at(Millis(1_000 + REMOTE_AHEAD_MS_MAX));
        assert_eq!(ours.observe(near, wall), near);
    }

    proptest! {
        #[test]
        fn next_is_always_later(bits: u64, wall in -1_000i64..1 << 50) {
            let newest = Hlc::from_bits(bits.min(u64::MAX - 1));
            prop_assert!(newest.next(Millis(wall)) > newest);
        }
    }
}
