//! After how long somebody is told.

use ondol_access::Action;
use ondol_kernel::Class;
use ondol_record::ChartId;
use ondol_store::{Space, View};

use crate::{Actor, App, AppError};

/// Where the settings stand in [`Space::Node`].
const KEY: &[u8] = b"consult/settings";

/// Ondol's own choices; a facility may change them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsultSettings {
    /// An emergency that nobody took goes on after so many minutes.
    pub escalate_after_min: u32,
    /// The county is told of an answer that was not acknowledged after so many hours.
    pub acknowledge_within_h: u32,
    /// The outcome is asked for so many hours after the answer.
    pub outcome_after_h: u32,
    /// A referred patient is missed so many hours after the expected arrival.
    pub arrival_grace_h: u32,
    /// A taker of an emergency who is not heard of for so many minutes may be passed over.
    pub release_emergency_min: u32,
    /// The same of an urgent case, hours.
    pub release_urgent_h: u32,
    /// The same of any other case, hours.
    pub release_routine_h: u32,
}

impl Default for ConsultSettings {
    fn default() -> Self {
        Self {
            escalate_after_min: 5,
            acknowledge_within_h: 4,
            outcome_after_h: 72,
            arrival_grace_h: 4,
            release_emergency_min: 30,
            release_urgent_h: 4,
            release_routine_h: 48,
        }
    }
}

impl ConsultSettings {
    const fn numbers(self) -> [u32; 7] {
        [
            self.escalate_after_min,
            self.acknowledge_within_h,
            self.outcome_after_h,
            self.arrival_grace_h,
            self.release_emergency_min,
            self.release_urgent_h,
            self.release_routine_h,
        ]
    }

    /// After how long without a word a taker may be passed over, ms.
    pub const fn release_after_ms(self, urgency: Class) -> u64 {
        const MINUTE_MS: u64 = 60_000;
        match urgency {
            Class::Emergency => self.release_emergency_min as u64 * MINUTE_MS,
            Class::Care => self.release_urgent_h as u64 * 60 * MINUTE_MS,
            Class::Routine | Class::Bulk => self.release_routine_h as u64 * 60 * MINUTE_MS,
        }
    }

    /// Reads them.
    pub(crate) fn of(view: &dyn View) -> Result<Self, AppError> {
        let Some(bytes) = view.value(Space::Node, KEY)? else { return Ok(Self::default()) };
        let damaged = AppError::Unexpected("the settings of consults");
        let (numbers, []) = bytes.as_chunks::<4>() else { return Err(damaged) };
        let [escalate, acknowledge, outcome, grace, rest @ ..] = numbers else {
            return Err(damaged);
        };
        let usual = Self::default();
        // What a program before these wrote says nothing of them.
        let (emergency, urgent, routine) = match rest {
            [] => (usual.release_emergency_min, usual.release_urgent_h, usual.release_routine_h),
            [emergency, urgent, routine] => (
                u32::from_le_bytes(*emergency),
                u32::from_le_bytes(*urgent),
                u32::from_le_bytes(*routine),
            ),
            _ => return Err(damaged),
        };
        Ok(Self {
            escalate_after_min: u32::from_le_bytes(*escalate),
            acknowledge_within_h: u32::from_le_bytes(*acknowledge),
            outcome_after_h: u32::from_le_bytes(*outcome),
            arrival_grace_h: u32::from_le_bytes(*grace),
            release_emergency_min: emergency,
            release_urgent_h: urgent,
            release_routine_h: routine,
        })
    }
}

impl App {
    /// After how long somebody is told.
    pub fn consult_settings(&self) -> Result<ConsultSettings, AppError> {
        ConsultSettings::of(&*self.view()?)
    }

    /// Changes after how long somebody is told. Zero is refused: it would tell everybody at once.
    pub fn set_consult_settings(
        &self,
        actor: &Actor,
        settings: ConsultSettings,
    ) -> Result<(), AppError> {
        let chart = ChartId::Facility(self.place.facility.clone());
        self.may(&*self.view()?, actor, Action::WriteSettings, &chart, None)?;
        if settings.numbers().contains(&0) {
            return Err(AppError::Field { field: "settings", why: "zero" });
        }
        let bytes: Vec<u8> = settings.numbers().iter().flat_map(|n| n.to_le_bytes()).collect();
        self.transact(move |tx| Ok(tx.set_value(Space::Node, KEY, Some(&bytes))?))
    }
}
