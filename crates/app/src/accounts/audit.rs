//! Sign-ins, locks and wrong tries in the audit.

use ondol_record::ChartId;
use ondol_store::Reading;

use super::Secret;
use crate::App;

/// What happened at the door.
#[derive(Clone, Copy)]
pub(super) enum Event {
    SignedIn,
    WrongTry,
    Locked,
    Unlocked,
    SignedOut,
    Recovered,
}

impl Event {
    const fn code(self) -> &'static str {
        match self {
            Self::SignedIn => "sign-in",
            Self::WrongTry => "sign-in-failed",
            Self::Locked => "lock",
            Self::Unlocked => "unlock",
            Self::SignedOut => "sign-out",
            Self::Recovered => "recover",
        }
    }
}

impl Secret<'_> {
    /// The word for the kind of secret.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Password(_) => "password",
            Self::Pin(_) => "pin",
            Self::Card(_) => "card",
        }
    }
}

impl App {
    /// The facility's chart.
    pub fn facility_chart(&self) -> ChartId {
        ChartId::Facility(self.place.facility.clone())
    }

    /// A line about the door. `who` is a reference, empty for a name that nobody has: what was
    /// typed there may be somebody's password.
    pub(super) fn door_line(&self, event: Event, who: &str, with: &'static str) -> Reading {
        Reading {
            at: self.now(),
            who: who.into(),
            role: "".into(),
            chart: self.facility_chart(),
            action: event.code().into(),
            relation: "own-facility".into(),
            reason: with.into(),
        }
    }
}
