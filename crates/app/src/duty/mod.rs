//! The duty roster: who is listed, who is there, whom to telephone, and where nobody is.
//!
//! It stands in the facility's chart, so that it travels up and down like everything else of the
//! facility: the tiers above see gaps, and whoever has to call sees the number. A service is a
//! `HealthcareService` with the duty telephone, its roster a `Schedule` with a `Slot` for each
//! turn; who has checked in is a `Basic` for each person and service. [`Duty::of`] folds them
//! into what holds at a moment.

mod check_in;
mod overview;
mod roster;
mod shapes;
mod state;

pub use overview::FacilityDuty;
pub use roster::NewTurn;
pub use shapes::{Mark, Person, Service, Turn};
pub use state::{Duty, Gap, Present};
