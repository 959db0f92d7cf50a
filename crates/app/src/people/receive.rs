//! Receiving a person who is here: an open encounter, from which every further right follows.

use std::sync::Arc;

use ondol_access::Action;
use ondol_kernel::{Class, Millis, ResourceId};
use ondol_record::ChartId;
use ondol_store::View;
use serde_json::{Value, json};

use super::{document, person_of};
use crate::{Actor, App, AppError, Changes, coding};

/// Words of R4's encounter-status that say that a visit goes on.
pub(crate) const OPEN: [&str; 4] = ["planned", "arrived", "triaged", "in-progress"];

/// A new encounter of somebody who has just arrived.
pub(crate) fn encounter(app: &App, actor: &Actor, subject: &Value, at: Millis) -> Value {
    let start = at.to_fhir(app.utc_offset_minutes());
    json!({
        "resourceType": "Encounter",
        "status": "arrived",
        "class": { "system": coding::ACT_CODE, "code": "AMB" },
        "subject": subject,
        "participant": [{ "individual": { "reference": actor.reference() } }],
        "period": { "start": start },
        "serviceProvider": { "reference": app.place.organization() },
    })
}

/// The newest encounter of a chart that is open at this facility.
pub(crate) fn open_here(
    app: &App,
    view: &dyn View,
    chart: &ChartId,
) -> Result<Option<ResourceId>, AppError> {
    let here = app.place.organization();
    for found in view.chart(chart, &["Encounter"])? {
        let encounter = document(&found)?;
        let open = encounter["status"].as_str().is_some_and(|status| OPEN.contains(&status));
        if open && encounter["serviceProvider"]["reference"] == *here {
            return Ok(Some(found.shown.id));
        }
    }
    Ok(None)
}

impl App {
    /// Receives a person who is here. Somebody who is received already stays so.
    pub fn receive(self: &Arc<Self>, actor: &Actor, id: &ResourceId) -> Result<(), AppError> {
        let chart = ChartId::Patient(id.clone());
        let (app, actor, id) = (self.clone(), actor.clone(), id.clone());
        self.transact(move |tx| {
            app.may(&*tx, &actor, Action::ReceivePatient, &chart, None)?;
            person_of(&*tx, &id)?;
            if open_here(&app, &*tx, &chart)?.is_some() {
                return Ok(());
            }
            let mut changes = Changes::new(Class::Care);
            let subject = json!({ "reference": format!("Patient/{id}") });
            changes.create(encounter(&app, &actor, &subject, app.now()));
            app.append(tx, &actor, changes)?;
            Ok(())
        })
    }
}
