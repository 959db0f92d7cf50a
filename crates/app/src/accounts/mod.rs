//! People of the facility, how they sign in, and what belongs to them alone.
//!
//! A password is given once in the morning on a shared computer (a [`station`]); for the rest of
//! the duty a PIN or a card is enough there. A session locks by itself and stays: whoever locked
//! it goes on where they were. Wrong tries make the next wait longer and lock nobody out for
//! good. Every sign-in, lock and wrong try is written into the audit.

mod account;
mod audit;
mod backup_code;
mod drafts;
mod enter;
mod first_run;
mod leave;
mod own;
mod people;
mod prove;
mod provision;
mod secret;
mod session;
mod setup_code;
mod staff;
mod standing;
mod station;
mod throttle;

use ondol_access::RoleSet;
use ondol_kernel::{Millis, ResourceId};

use crate::Actor;

pub use account::{AccountState, holds_secrets};
pub use backup_code::{key_of_backup_code, new_backup_code};
pub use drafts::SavedDraft;
pub use first_run::RecoveryCode;
pub use leave::HandedOver;
pub use people::{NewPerson, OneTimePassword, PersonRow, check_person};
pub use staff::Colleague;
pub(crate) use staff::colleagues;
pub(crate) use standing::Standings;
pub use station::StationPerson;

/// So long after the password a PIN or card is enough, and so long a session lasts, ms: the
/// longest duty between two sign-ins in the morning.
pub const PASSWORD_LASTS_MS: i64 = 14 * 3_600_000;

/// After so many minutes without a touch a session locks, unless the facility sets another time.
pub const LOCK_AFTER_MINUTES: u8 = 5;

/// What somebody shows to be who they are.
#[derive(Clone, Copy)]
pub enum Secret<'a> {
    /// The password.
    Password(&'a str),
    /// The PIN: on a station where the password was given.
    Pin(&'a str),
    /// The text of the card's QR code: on a station where the password was given.
    Card(&'a str),
}

/// What somebody has besides the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuickKeys {
    /// A PIN is set.
    pub pin: bool,
    /// There is a card.
    pub card: bool,
}

/// Who is signed in, as each request finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The person, in the roles they have at this moment.
    pub actor: Actor,
    /// Whether the session waits for PIN, card or password.
    pub locked: bool,
    /// Whether the password was given by somebody else and has to be changed first.
    pub must_change: bool,
    /// What opens the session besides the password.
    pub keys: QuickKeys,
    /// After so many seconds without a touch the session locks.
    pub lock_after_s: u32,
    /// When it began.
    pub since: Millis,
    /// The account's resource.
    pub account: ResourceId,
}

impl SignedIn {
    /// The roles.
    pub const fn roles(&self) -> RoleSet {
        self.actor.roles()
    }
}

/// Somebody signed in: what the browser has to hold from now on.
#[derive(Clone)]
pub struct Entered {
    /// The session's cookie.
    pub session: String,
    /// The computer's cookie; it is kept for a long time.
    pub station: String,
    /// Who.
    pub who: SignedIn,
}
