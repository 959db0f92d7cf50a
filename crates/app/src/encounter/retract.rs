//! Written for the wrong person: taken back with a reason. It stays in the history.

use std::sync::Arc;

use ondol_access::{Action, Reason};
use ondol_kernel::{Class, ResourceId};
use ondol_record::ChartId;
use ondol_store::Found;

use super::save::parts_of;
use crate::{Actor, App, AppError, Changes};

impl App {
    /// Takes a whole visit back.
    pub fn retract_visit(
        self: &Arc<Self>,
        actor: &Actor,
        patient: &ResourceId,
        encounter: &ResourceId,
        reason: &str,
    ) -> Result<(), AppError> {
        let reason = Reason::typed(reason)
            .map_err(|_| AppError::Field { field: "reason", why: "reason" })?;
        let chart = ChartId::Patient(patient.clone());
        let (app, actor, encounter) = (self.clone(), actor.clone(), encounter.clone());
        self.transact(move |tx| {
            let found = tx.resource("Encounter", &encounter)?.ok_or(AppError::NotFound)?;
            if found.shown.chart != chart {
                return Err(AppError::NotFound);
            }
            if found.is_retracted() {
                return Err(AppError::Gone);
            }
            let parts = parts_of(&*tx, &chart, &encounter)?;
            let all: Vec<&Found> =
                parts.iter().map(|(part, _)| part).chain(std::iter::once(&found)).collect();
            app.may_about(&*tx, &actor, Action::RetractEntry, &all, Some(reason.clone()))?;
            let mut changes = Changes::new(Class::Care);
            for (part, _) in &parts {
                changes.retract(part, reason.reveal());
            }
            changes.retract(&found, reason.reveal());
            app.append(tx, &actor, changes)?;
            Ok(())
        })
    }
}
