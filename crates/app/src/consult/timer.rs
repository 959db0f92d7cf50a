//! Timers that outlast a power cut.
//!
//! While the program runs they follow the monotonic clock, which nobody can set. After a restart
//! the time since is taken from the wall clock, once; a wall clock that went back adds nothing.

use ondol_store::{Space, WriteTx};

use crate::AppError;

/// What the clocks say now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// Names this run of the program.
    pub boot: u64,
    /// Monotonic, ms.
    pub monotonic_ms: u64,
    /// Wall, ms since 1970.
    pub wall_ms: i64,
}

/// A running timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timer {
    /// The run of the program in which the clocks below were read.
    boot: u64,
    /// The monotonic clock then, ms.
    monotonic_ms: u64,
    /// The wall clock then, ms since 1970.
    wall_ms: i64,
    /// What had passed until then, ms.
    passed_ms: u64,
    /// Whether what it waits for was done.
    fired: bool,
}

impl Timer {
    /// A timer that starts now.
    pub const fn start(now: Clocks) -> Self {
        let Clocks { boot, monotonic_ms, wall_ms } = now;
        Self { boot, monotonic_ms, wall_ms, passed_ms: 0, fired: false }
    }

    /// How long it has run, ms.
    pub fn passed_ms(&self, now: Clocks) -> u64 {
        let since = if self.boot == now.boot {
            now.monotonic_ms.saturating_sub(self.monotonic_ms)
        } else {
            u64::try_from(now.wall_ms.saturating_sub(self.wall_ms)).unwrap_or(0)
        };
        self.passed_ms.saturating_add(since)
    }

    /// The same timer, with its clocks read anew in this run of the program.
    #[must_use]
    pub fn carried_over(&self, now: Clocks) -> Self {
        Self { passed_ms: self.passed_ms(now), fired: self.fired, ..Self::start(now) }
    }

    fn to_bytes(self) -> Vec<u8> {
        [
            &[1, u8::from(self.fired)][..],
            &self.boot.to_le_bytes(),
            &self.monotonic_ms.to_le_bytes(),
            &self.wall_ms.to_le_bytes(),
            &self.passed_ms.to_le_bytes(),
        ]
        .concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let ([1, fired], rest) = bytes.split_first_chunk::<2>()? else { return None };
        let (numbers, []) = rest.as_chunks::<8>() else { return None };
        let [boot, monotonic, wall, passed] = numbers else { return None };
        Some(Self {
            boot: u64::from_le_bytes(*boot),
            monotonic_ms: u64::from_le_bytes(*monotonic),
            wall_ms: i64::from_le_bytes(*wall),
            passed_ms: u64::from_le_bytes(*passed),
            fired: *fired == 1,
        })
    }
}

/// What a timer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// So many milliseconds are left.
    Left(u64),
    /// It is time, now and not before.
    Due,
    /// It was time before.
    Past,
}

/// Asks the timer of this name, which starts now if it has not started. What is [`Waited::Due`]
/// is so once: the timer is then [`Waited::Past`], also after a restart.
pub fn wait(
    tx: &mut dyn WriteTx,
    name: &str,
    now: Clocks,
    after_ms: u64,
) -> Result<Waited, AppError> {
    let key = name.as_bytes();
    let kept = match tx.value(Space::Timer, key)? {
        Some(bytes) => {
            Some(Timer::from_bytes(&bytes).ok_or(AppError::Unexpected("a timer of a consult"))?)
        }
        None => None,
    };
    let mut timer = kept.unwrap_or_else(|| Timer::start(now));
    if timer.fired {
        return Ok(Waited::Past);
    }
    if timer.boot != now.boot {
        timer = timer.carried_over(now);
    }
    let passed = timer.passed_ms(now);
    timer.fired = passed >= after_ms;
    if kept != Some(timer) {
        tx.set_value(Space::Timer, key, Some(&timer.to_bytes()))?;
    }
    Ok(if timer.fired { Waited::Due } else { Waited::Left(after_ms - passed) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(boot: u64, monotonic_ms: u64, wall_ms: i64) -> Clocks {
        Clocks { boot, monotonic_ms, wall_ms }
    }

    #[test]
    fn a_running_timer_does_not_care_for_the_wall_clock() {
        let timer = Timer::start(at(1, 1_000, 50_000));
        assert_eq!(timer.passed_ms(at(1, 61_000, -9_999_999)), 60_000);
        assert_eq!(timer.passed_ms(at(1, 61_000, 9_999_999_999)), 60_000);
    }

    #[test]
    fn after_a_restart_the_wall_clock_tells_how_long_it_was_dark() {
        let timer = Timer::start(at(1, 500_000, 1_000_000));
        let again = timer.carried_over(at(2, 7, 1_120_000));
        assert_eq!(again.passed_ms(at(2, 1_007, 0)), 121_000);
    }

    #[test]
    fn a_wall_clock_that_went_back_adds_nothing_and_takes_nothing() {
        let timer = Timer { passed_ms: 60_000, ..Timer::start(at(1, 0, 1_000_000)) };
        assert_eq!(timer.passed_ms(at(2, 5, 10)), 60_000);
    }

    #[test]
    fn the_bytes_give_the_timer_back() {
        let timer = Timer { passed_ms: 7, fired: true, ..Timer::start(at(3, 4, -5)) };
        assert_eq!(Timer::from_bytes(&timer.to_bytes()), Some(timer));
        assert_eq!(Timer::from_bytes(b"short"), None);
    }
}
