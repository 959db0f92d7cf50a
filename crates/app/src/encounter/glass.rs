//! Breaking the glass, and who has seen a chart.

use std::sync::Arc;

use ondol_access::{Action, Coded, Obligation, Reason, Relation, Role};
use ondol_kernel::{Class, DAY_MS, Millis, ResourceId};
use ondol_record::ChartId;
use ondol_store::{Filter, Order, Query, Space, Test, WriteTx};
use serde_json::json;

use crate::{
    Actor, App, AppError, Changes, coding, grants,
    people::{document, facility_name, one_person, person_of, practitioner_name},
};

/// Readings that a print-out lists at most.
const READERS_MAX: usize = 1_000;

/// Alerts that the first page looks through at most.
const ALERTS_MAX: usize = 50;
/// For so long an alert stands on the first page, ms.
const NEW_MS: i64 = 7 * DAY_MS;

/// One look at a chart, as the patient may read it.
#[derive(Clone, PartialEq, Eq)]
pub struct Reader {
    /// When.
    pub at: Millis,
    /// The name of who looked; empty if it is not here.
    pub name: String,
    /// In which role; `None` for a word that this version does not know.
    pub role: Option<Role>,
    /// What was done.
    pub action: Option<Action>,
    /// Why it was allowed.
    pub relation: Option<Relation>,
    /// The reason that was typed for breaking the glass; else empty.
    pub reason: String,
}

/// Somebody elsewhere broke the glass of a person whose home facility this is.
#[derive(Clone, PartialEq, Eq)]
pub struct GlassAlert {
    /// Whose chart.
    pub patient: ResourceId,
    /// When.
    pub at: Millis,
    /// Who.
    pub name: String,
    /// Where.
    pub facility: String,
    /// The reason that was typed.
    pub reason: String,
}

impl App {
    /// Opens a chart in an emergency, without any relation of care. It asks a typed reason, it is
    /// recorded before anything is shown, and the patient's home facility is told.
    pub fn break_glass(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        reason: &str,
    ) -> Result<(), AppError> {
        let reason = Reason::typed(reason)
            .map_err(|_| AppError::Field { field: "reason", why: "reason" })?;
        let chart = ChartId::Patient(id.clone());
        let (app, actor, id) = (self.clone(), actor.clone(), id.clone());
        self.transact(move |tx| {
            app.may(&*tx, &actor, Action::BreakGlass, &chart, Some(reason.clone()))?;
            person_of(&*tx, &id)?;
            // All charts of the person are opened, and the home of each is told.
            let mut changes = Changes::new(Class::Care);
            for id in one_person(&*tx, &id)?.all {
                break_one(&app, tx, &actor, &id, &reason, &mut changes)?;
            }
            if !changes.is_empty() {
                app.append(tx, &actor, changes)?;
            }
            Ok(())
        })
    }

    /// Who has seen a chart at this facility, newest first, for the patient.
    pub fn readers(&self, actor: &Actor, id: &ResourceId) -> Result<Vec<Reader>, AppError> {
        let chart = ChartId::Patient(id.clone());
        self.reading(actor, Action::PrintReaders, &chart, |view| {
            let mut readers = vec![];
            for reading in view.readings(&chart, READERS_MAX)? {
                readers.push(Reader {
                    at: reading.at,
                    name: practitioner_name(view, &reading.who)?,
                    role: Role::from_code(&reading.role),
                    action: Action::from_code(&reading.action),
                    relation: Relation::from_code(&reading.relation),
                    reason: reading.reason.to_string(),
                });
            }
            Ok(readers)
        })
    }

    /// Broken glass of the last week that this facility was told of, newest first: those charts
    /// whose alerts the actor may review.
    pub fn new_glass_alerts(&self, actor: &Actor) -> Result<Vec<GlassAlert>, AppError> {
        let token = Test::Token {
            system: Some(coding::ALERT.into()),
            code: Some(coding::BROKEN_GLASS.into()),
        };
        let told = Test::Reference(self.place.organization().into());
        let query = Query {
            resource_type: "Communication".into(),
            chart: None,
            filters: vec![
                Filter { parameter: "category".into(), any: vec![token] },
                Filter { parameter: "recipient".into(), any: vec![told] },
            ],
            order: Order::NewestArrival,
            limit: ALERTS_MAX,
            after: None,
        };
        let since = self.now().plus(-NEW_MS);
        let charts: Vec<ResourceId> = {
            let view = self.view()?;
            let hits = view.search(&query)?.hits.into_iter().map(|hit| hit.found.shown);
            let mut charts: Vec<ResourceId> = hits
                .filter(|shown| shown.hlc.millis() >= since)
                .filter_map(|shown| match shown.chart {
                    ChartId::Patient(id) => Some(id),
                    _ => None,
                })
                .collect();
            charts.sort();
            charts.dedup();
            charts
        };
        let mut alerts = vec![];
        for id in charts {
            match self.glass_alerts(actor, &id) {
                Ok(of) => alerts.extend(of.into_iter().filter(|alert| alert.at >= since)),
                Err(AppError::Denied(_)) => {}
                Err(other) => return Err(other),
            }
        }
        alerts.sort_by_key(|alert| std::cmp::Reverse(alert.at));
        Ok(alerts)
    }

    /// Who broke the glass of a chart, as its home facility was told; newest first.
    pub fn glass_alerts(
        &self,
        actor: &Actor,
        id: &ResourceId,
    ) -> Result<Vec<GlassAlert>, AppError> {
        let chart = ChartId::Patient(id.clone());
        self.reading(actor, Action::ReviewAlerts, &chart, |view| {
            let mut alerts = vec![];
            for found in view.chart(&chart, &["Communication"])? {
                let alert = document(&found)?;
                if !coding::has_code(&alert["category"], coding::ALERT, coding::BROKEN_GLASS) {
                    continue;
                }
                let sender = alert["sender"]["reference"].as_str().unwrap_or("");
                let from = grants::asked_from(&alert).unwrap_or("");
                alerts.push(GlassAlert {
                    patient: id.clone(),
                    at: found.shown.hlc.millis(),
                    name: practitioner_name(view, sender)?,
                    facility: facility_name(self, view, from)?,
                    reason: alert["reasonCode"][0]["text"].as_str().unwrap_or("").to_owned(),
                });
            }
            Ok(alerts)
        })
    }
}

/// Opens one chart, and puts the alert for its home facility into `changes`.
fn break_one(
    app: &App,
    tx: &mut dyn WriteTx,
    actor: &Actor,
    id: &ResourceId,
    reason: &Reason,
    changes: &mut Changes,
) -> Result<(), AppError> {
    let chart = ChartId::Patient(id.clone());
    let grounds = app.may(&*tx, actor, Action::BreakGlass, &chart, Some(reason.clone()))?;
    let person = person_of(&*tx, id)?;
    let opened = app.now().0.to_le_bytes();
    tx.set_value(Space::Session, &grants::glass_key(actor, &chart), Some(&opened))?;
    let reading = app.reading_of(actor, Action::BreakGlass, &chart, &grounds, reason.reveal());
    tx.record_reading(&reading)?;
    if grounds.obligations.contains(Obligation::AlertHomeFacility) {
        let mut alert = json!({
            "resourceType": "Communication",
            "status": "completed",
            "category": [coding::concept(coding::ALERT, coding::BROKEN_GLASS)],
            "subject": { "reference": format!("Patient/{id}") },
            "sent": app.now().to_fhir(app.utc_offset_minutes()),
            "sender": { "reference": actor.reference() },
            "reasonCode": [{ "text": reason.reveal() }],
            "extension": [{
                "url": coding::ASKED_FROM,
                "valueReference": { "reference": app.place.organization() },
            }],
        });
        if let Some(home) = person.home {
            alert["recipient"] = json!([{ "reference": home }]);
        }
        changes.create(alert);
    }
    Ok(())
}
