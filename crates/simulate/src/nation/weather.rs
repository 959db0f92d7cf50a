//! What days are like: how good the lines are, how often the power goes, what people write.

use ondol_record::certificate::Tier;

use super::wire::Line;
use crate::chance::Chance;

/// A minute, ms.
pub const MINUTE: u64 = 60_000;
/// An hour, ms.
pub const HOUR: u64 = 60 * MINUTE;
/// A day, ms.
pub const DAY: u64 = 24 * HOUR;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Everything that can go wrong does, all the time: to find faults.
    Bad,
    /// Disks break and old backups are put back all the time, lines are closed most of it, and what
    /// goes goes on sticks: to find what neighbours do not give back.
    Worst,
    /// Lines of the plan, dialled twice a day, power for some hours: to see what a year costs.
    Usual,
}

/// The mean time between two of a kind at one node or line, ms.
#[derive(Debug, Clone, Copy)]
pub struct Means {
    /// A line stays open, and closed.
    pub open: u64,
    /// See `open`.
    pub cut: u64,
    /// The power stays on, and off.
    pub power_on: u64,
    /// See `power_on`.
    pub power_off: u64,
    /// Somebody writes.
    pub write: u64,
    /// Somebody takes a picture.
    pub picture: u64,
    /// A clock goes wrong.
    pub clock: u64,
    /// A courier sets off.
    pub stick: u64,
    /// How long a stick is on its way at the most.
    pub on_the_way: u64,
    /// Somebody takes a backup.
    pub backup: u64,
    /// A backup is put back, or a disk cloned.
    pub restore: u64,
    /// A disk fills up.
    pub full: u64,
    /// One sync in so many fails.
    pub failed_sync: u64,
}

impl Weather {
    /// Mean times at a tier.
    pub const fn means(self, tier: Tier) -> Means {
        match self {
            Self::Bad => Means {
                open: 6 * MINUTE,
                cut: MINUTE,
                power_on: 30 * MINUTE,
                power_off: MINUTE,
                write: 100_000,
                picture: 1_000,
                clock: HOUR,
                stick: 40 * MINUTE,
                on_the_way: HOUR,
                backup: 20 * MINUTE,
                restore: 3 * HOUR,
                full: 2 * HOUR,
                failed_sync: 4_000,
            },
            Self::Worst => Means {
                open: 2 * MINUTE,
                cut: 10 * MINUTE,
                write: 40_000,
                picture: 2 * MINUTE,
                stick: 8 * MINUTE,
                on_the_way: 30 * MINUTE,
                backup: 10 * MINUTE,
                restore: 40 * MINUTE,
                ..Self::Bad.means(tier)
            },
            Self::Usual => Means {
                // How long until the line is dialled again.
                open: match tier {
                    Tier::Clinic => 12 * HOUR,
                    _ => 2 * HOUR,
                },
                cut: 5 * HOUR,
                power_on: match tier {
                    Tier::Clinic => 18 * HOUR,
                    _ => 3 * DAY,
                },
                power_off: match tier {
                    Tier::Clinic => 5 * HOUR,
                    _ => 20 * MINUTE,
                },
                write: match tier {
                    Tier::Clinic => 4 * HOUR,
                    _ => 2 * HOUR,
                },
                picture: 4 * DAY,
                clock: 60 * DAY,
                stick: 60 * DAY,
                on_the_way: 6 * DAY,
                backup: 7 * DAY,
                restore: 2_000 * DAY,
                full: 200 * DAY,
                failed_sync: 5_000_000,
            },
        }
    }

    /// The longest datagram. Many short ones are lost in more ways than few long ones.
    pub const fn mtu(self) -> usize {
        match self {
            Self::Bad | Self::Worst => 512,
            Self::Usual => 1_200,
        }
    }

    /// The line of a node of a tier with the one above.
    pub fn line(self, tier: Tier, chance: &Chance) -> Line {
        let one_of = |all: [u64; 4]| all[chance.place(4)];
        match self {
            Self::Bad | Self::Worst => Line {
                rate_bps: one_of([9_600, 64_000, 256_000, 1_000_000]),
                delay_ms: one_of([10, 60, 300, 700]),
                jitter_ms: one_of([80, 300, 600, 1_000]),
                loss: one_of([30, 100, 200, 300]),
                double: 150,
                late: 10,
                // More of them would have it shake hands all the time: a node that cannot read a
                // datagram says so.
                forge: 1,
            },
            Self::Usual => Line {
                rate_bps: match tier {
                    Tier::Clinic => one_of([9_600, 9_600, 33_600, 64_000]),
                    _ => one_of([64_000, 256_000, 256_000, 1_000_000]),
                },
                delay_ms: one_of([30, 80, 150, 300]),
                jitter_ms: one_of([5, 10, 20, 40]),
                loss: one_of([0, 10, 20, 80]),
                double: 2,
                late: 1,
                forge: 1,
            },
        }
    }
}

/// A time that is `mean` on average, as of things that happen by chance.
pub fn about(mean: u64, chance: &Chance) -> u64 {
    #[expect(clippy::cast_precision_loss, reason = "chance")]
    let share = (chance.next() >> 11) as f64 / (1u64 << 53) as f64;
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a time")]
    #[expect(clippy::cast_sign_loss, reason = "a positive time")]
    let time = (-(1.0 - share).ln() * mean as f64) as u64;
    time.max(1)
}
