//! Time, identifiers and the other small words that every part of Ondol uses.
//!
//! Nothing here reads a clock, a socket or a file: time and chance come in through the traits
//! [`Clock`] and [`Rng`], so that every rule can be run again exactly from a seed.

pub mod bytes;
pub mod check_digit;
pub mod class;
pub mod clock;
pub mod hlc;
pub mod id;
pub mod rng;
pub mod sensitive;
pub mod time;

pub use class::Class;
pub use clock::Clock;
pub use hlc::Hlc;
pub use id::{Id, NodeId, ResourceId};
pub use rng::Rng;
pub use sensitive::Sensitive;
pub use time::{DAY_MS, Date, Millis};
