//! How urgent an entry is on the road.

use std::fmt;

/// Urgency on the link. The order is the order of sending: `Emergency` goes first.
///
/// The numbers are part of the entry format (ADR 0002) and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Class {
    /// A life may depend on it: emergency consults, their answers, revocations.
    Emergency = 0,
    /// Somebody waits for it: other consults, referrals, today's safety facts.
    Care = 1,
    /// The day's work: encounters, registrations, rosters.
    Routine = 2,
    /// Whatever can wait for the night: originals of pictures, history, audit.
    Bulk = 3,
}

impl Class {
    /// All classes, most urgent first.
    pub const ALL: [Self; 4] = [Self::Emergency, Self::Care, Self::Routine, Self::Bulk];

    /// The number that stands for this class on disk and on the wire.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The class of a number, if there is one.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Emergency),
            1 => Some(Self::Care),
            2 => Some(Self::Routine),
            3 => Some(Self::Bulk),
            _ => None,
        }
    }

    /// The English word used in logs and in machine-readable output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Emergency => "emergency",
            Self::Care => "care",
            Self::Routine => "routine",
            Self::Bulk => "bulk",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
