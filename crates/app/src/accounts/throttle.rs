//! Wrong tries: each makes the next wait longer, and nobody is locked out for good.

use ondol_kernel::{DAY_MS, Millis, bytes::to_hex};
use ondol_store::{Space, View, WriteTx};

use crate::AppError;

/// So many wrong tries cost nothing: fingers slip.
const FREE: u32 = 3;
/// The wait after the first try that costs, s. It doubles with each further one.
const FIRST_WAIT_S: u32 = 5;
/// The longest wait, s.
const LONGEST_WAIT_S: u32 = 300;
/// So long after the last wrong try all is forgotten, ms.
const FORGOTTEN_AFTER_MS: i64 = DAY_MS;
/// A clock that is set by another one goes back by less than this, ms.
const CLOCK_SLACK_MS: i64 = 60_000;

/// Wrong tries at one door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tries {
    /// How many since the last right one.
    pub count: u32,
    last: Millis,
}

impl Tries {
    /// One more.
    pub fn and_one(self, now: Millis) -> Self {
        Self { count: self.count.saturating_add(1), last: now }
    }

    /// How long the next try has to wait, s; 0 if it need not.
    pub fn wait_s(self, now: Millis) -> u32 {
        if self.count < FREE {
            return 0;
        }
        let doublings = (self.count - FREE).min(16);
        let wait = FIRST_WAIT_S.saturating_mul(1 << doublings).min(LONGEST_WAIT_S);
        let passed = now.0.saturating_sub(self.last.0).max(0);
        let left_ms = (i64::from(wait) * 1_000).saturating_sub(passed).max(0);
        u32::try_from(left_ms.saturating_add(999) / 1_000).unwrap_or(wait)
    }

    /// Tries that lie ahead tell of a clock that was set back: they would hold up their door
    /// until it comes there again.
    fn is_forgotten(self, now: Millis) -> bool {
        let passed = now.0.saturating_sub(self.last.0);
        !(-CLOCK_SLACK_MS..=FORGOTTEN_AFTER_MS).contains(&passed)
    }

    fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.count.to_le_bytes());
        bytes[4..].copy_from_slice(&self.last.0.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, AppError> {
        let parts = bytes.split_first_chunk::<4>();
        let parts = parts.and_then(|(count, rest)| Some((count, <&[u8; 8]>::try_from(rest).ok()?)));
        let (count, last) = parts.ok_or(AppError::Unexpected("a count of wrong tries"))?;
        Ok(Self { count: u32::from_le_bytes(*count), last: Millis(i64::from_le_bytes(*last)) })
    }
}

const PREFIX: &[u8] = b"try/";

/// A door: what is tried there and on which computer, so that whoever guesses on one computer
/// makes nobody wait on another.
pub(super) fn door(what: &str, who: &str, station: &str) -> Vec<u8> {
    let name = format!("{what}\n{}\n{station}", who.to_lowercase());
    let hash = blake3::derive_key("ondol 1 door", name.as_bytes());
    [PREFIX, to_hex(&hash[..16]).as_bytes()].concat()
}

/// The wrong tries at a door.
pub(super) fn tries(
    view: &(impl View + ?Sized),
    door: &[u8],
    now: Millis,
) -> Result<Tries, AppError> {
    let Some(bytes) = view.value(Space::Session, door)? else { return Ok(Tries::default()) };
    let tries = Tries::from_bytes(&bytes)?;
    Ok(if tries.is_forgotten(now) { Tries::default() } else { tries })
}

/// Counts a try before it is known whether it is right, so that many at once do not slip through.
/// Gives how many there were before it.
pub(super) fn count(tx: &mut dyn WriteTx, door: &[u8], now: Millis) -> Result<u32, AppError> {
    let before = tries(tx, door, now)?;
    let seconds = before.wait_s(now);
    if seconds > 0 {
        return Err(AppError::Wait { seconds });
    }
    tx.set_value(Space::Session, door, Some(&before.and_one(now).to_bytes()))?;
    tidy(tx, now)?;
    Ok(before.count)
}

/// The try was right.
pub(super) fn open(tx: &mut dyn WriteTx, door: &[u8]) -> Result<(), AppError> {
    Ok(tx.set_value(Space::Session, door, None)?)
}

/// Forgets old tries, so that names nobody has do not pile up.
fn tidy(tx: &mut dyn WriteTx, now: Millis) -> Result<(), AppError> {
    for (key, bytes) in tx.values(Space::Session, PREFIX, None, 200)? {
        if Tries::from_bytes(&bytes).is_ok_and(|tries| tries.is_forgotten(now)) {
            tx.set_value(Space::Session, &key, None)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(count: u32) -> Tries {
        (0..count).fold(Tries::default(), |tries, _| tries.and_one(Millis(1_000)))
    }

    #[test]
    fn the_wait_grows_and_has_an_end() {
        let waits: Vec<u32> = (0..12).map(|n| after(n).wait_s(Millis(1_000))).collect();
        assert_eq!(waits, [0, 0, 0, 5, 10, 20, 40, 80, 160, 300, 300, 300]);
        assert_eq!(after(100).wait_s(Millis(1_000)), 300);
    }

    #[test]
    fn the_wait_runs_down() {
        let tries = after(3);
        assert_eq!(tries.wait_s(Millis(1_001)), 5);
        assert_eq!(tries.wait_s(Millis(5_000)), 1);
        assert_eq!(tries.wait_s(Millis(6_000)), 0);
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait_for_years() {
        assert!(after(3).is_forgotten(Millis(-900_000_000_000)));
        assert!(!after(3).is_forgotten(Millis(500)));
        assert_eq!(after(3).wait_s(Millis(500)), 5);
    }

    #[test]
    fn tries_stand_on_disk_as_they_are() {
        let tries = after(7);
        assert_eq!(Tries::from_bytes(&tries.to_bytes()).unwrap(), tries);
        assert!(Tries::from_bytes(&[1, 2, 3]).is_err());
    }
}
