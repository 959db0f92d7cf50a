//! Written for the wrong person: taken back with a reason. It stays in the history.

use std::sync::Arc;

use ondol_access::{Action, ChartFacts, Grant, Reason, Relation};
use ondol_kernel::{Class, ResourceId};
use ondol_record::ChartId;
use ondol_store::{Found, View};

use super::save::parts_of;
use crate::{Actor, App, AppError, Changes, grants};

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
            app.may_retract(&*tx, &actor, &chart, &found, &reason)?;
            let mut changes = Changes::new(Class::Care);
            for (part, _) in parts_of(&*tx, &chart, &encounter)? {
                changes.retract(&part, reason.reveal());
            }
            changes.retract(&found, reason.reveal());
            app.append(tx, &actor, changes)?;
            Ok(())
        })
    }

    /// Whoever wrote an entry may take it back, also when the relation of care has ended.
    fn may_retract(
        &self,
        view: &dyn View,
        actor: &Actor,
        chart: &ChartId,
        found: &Found,
        reason: &Reason,
    ) -> Result<(), AppError> {
        let (kind, mut grants) = grants::of(self, view, actor, chart)?;
        let me = actor.reference();
        if *found.shown.author == *me || *found.shown.typist == *me {
            grants.push(Grant::standing(Relation::EntryAuthor));
        }
        let mut facts = ChartFacts::new(kind, grants);
        facts.reason = Some(reason.clone());
        let decision =
            self.policies.decide(&actor.principal(), Action::RetractEntry, &facts, self.now());
        decision.into_result()?;
        Ok(())
    }
}
