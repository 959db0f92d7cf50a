//! A patient sent to another facility: letter, departure, arrival, reply.
//!
//! Like a consult, a referral is a `ServiceRequest` with steps that are only added, and its state
//! is a pure fold.

mod act;
mod list;
mod read;
mod send;
mod state;

pub use list::{ReferralRow, Referrals};
pub use read::{ReferralCan, ReferralView};
pub use send::{NEEDS, Refer};
pub use state::{ReferralPhase, ReferralState};
