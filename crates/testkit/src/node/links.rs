//! The roads between the nodes of the small country.

use super::Seat;
use crate::emulate::Conditions;

/// How the links are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// As they are in the country: telephone lines below, better ones above.
    Real,
    /// Ten times the rate and a tenth of the delay, without loss: for tests whose subject is not
    /// the link.
    Fast,
}

impl Links {
    /// The link between a node and the one above it; `None` for the ministry. Delays of one way
    /// are half of the round trip.
    pub fn above(self, seat: Seat) -> Option<Conditions> {
        let (rate_bps, round_trip_ms, loss) = match seat {
            Seat::Ministry => return None,
            Seat::Clinic => (9_600, 600, 0.02),
            Seat::County => (64_000, 300, 0.0),
            Seat::Province => (256_000, 150, 0.0),
            Seat::Specialist => (1_000_000, 50, 0.0),
        };
        Some(match self {
            Self::Real => Conditions::new(rate_bps, round_trip_ms / 2).with_loss(loss),
            Self::Fast => Conditions::new(rate_bps * 10, round_trip_ms / 20),
        })
    }
}
