//! After how long somebody is told.

use ondol_access::Action;
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
}

impl Default for ConsultSettings {
    fn default() -> Self {
        Self {
            escalate_after_min: 5,
            acknowledge_within_h: 4,
            outcome_after_h: 72,
            arrival_grace_h: 4,
        }
    }
}

impl ConsultSettings {
    const fn numbers(self) -> [u32; 4] {
        [
            self.escalate_after_min,
            self.acknowledge_within_h,
            self.outcome_after_h,
            self.arrival_grace_h,
        ]
    }

    /// Reads them.
    pub(crate) fn of(view: &dyn View) -> Result<Self, AppError> {
        let Some(bytes) = view.value(Space::Node, KEY)? else { return Ok(Self::default()) };
        let damaged = AppError::Unexpected("the settings of consults");
        let (numbers, []) = bytes.as_chunks::<4>() else { return Err(damaged) };
        let [escalate, acknowledge, outcome, grace] = numbers else { return Err(damaged) };
        Ok(Self {
            escalate_after_min: u32::from_le_bytes(*escalate),
            acknowledge_within_h: u32::from_le_bytes(*acknowledge),
            outcome_after_h: u32::from_le_bytes(*outcome),
            arrival_grace_h: u32::from_le_bytes(*grace),
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
