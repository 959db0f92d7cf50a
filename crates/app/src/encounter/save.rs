//! Saving a visit, and correcting one.

use std::{collections::HashMap, sync::Arc};

use ondol_access::Action;
use ondol_kernel::{Class, ResourceId};
use ondol_record::{ChartId, Entry, entry::ChangeKind};
use ondol_store::{Found, View, WriteTx};
use serde_json::{Value, json};

use super::{
    build::{Around, key, resources},
    choices, safety,
    visit::{Judged, Visit, Whose},
};
use crate::{
    Actor, App, AppError, Changes, coding,
    people::{document, items, open_here, person_of},
};

/// The types of which a visit is made, beside its Encounter.
pub(super) const PARTS: [&str; 5] =
    ["Observation", "Condition", "MedicationRequest", "MedicationStatement", "ClinicalImpression"];

/// Why parts are taken back when a visit is corrected: stands in the record.
const CORRECTED: &str = "corrected";

impl App {
    /// What the typed values say about this person; values that are fine are left out.
    pub fn judge_visit(
        &self,
        actor: &Actor,
        patient: &ResourceId,
        visit: &Visit,
    ) -> Result<Vec<Judged>, AppError> {
        let chart = ChartId::Patient(patient.clone());
        let view = self.view()?;
        self.may(&*view, actor, Action::WriteEntry, &chart, None)?;
        visit.judged(whose(self, &*view, &chart, visit)?)
    }

    /// Saves a visit in one transaction; gives its Encounter.
    pub fn save_visit(
        self: &Arc<Self>,
        actor: &Actor,
        patient: &ResourceId,
        visit: Visit,
    ) -> Result<ResourceId, AppError> {
        let (app, actor, patient) = (self.clone(), actor.clone(), patient.clone());
        self.transact(move |tx| {
            let chart = ChartId::Patient(patient.clone());
            may_save_visit(&app, &*tx, &actor, &chart, &visit)?;
            let mut changes = Changes::new(Class::Care);
            let subject = json!({ "reference": format!("Patient/{patient}") });
            let known = save_within(&app, tx, &actor, &chart, subject, &visit, &mut changes)?;
            let entries = app.append(tx, &actor, changes)?;
            known.map_or_else(|| new_encounter(&entries), Ok)
        })
    }

    /// Corrects a visit: each part that differs becomes a new version, and what is no longer said
    /// is taken back. What was written stays to be read in the history.
    pub fn correct_visit(
        self: &Arc<Self>,
        actor: &Actor,
        patient: &ResourceId,
        encounter: &ResourceId,
        visit: Visit,
    ) -> Result<(), AppError> {
        let chart = ChartId::Patient(patient.clone());
        let (app, actor, encounter) = (self.clone(), actor.clone(), encounter.clone());
        self.transact(move |tx| {
            may_save(&app, &*tx, &actor, &chart, &visit)?;
            visit.check(whose(&app, &*tx, &chart, &visit)?, app.now())?;
            let changes = corrected(&app, &*tx, &actor, &chart, &encounter, &visit)?;
            if changes.is_empty() {
                return Ok(());
            }
            choices::remember(tx, &visit)?;
            app.append(tx, &actor, changes)?;
            Ok(())
        })
    }
}

/// Whether a new visit may be saved: by whom, whether the chart is open, and what was typed.
pub(crate) fn may_save_visit(
    app: &App,
    view: &dyn View,
    actor: &Actor,
    chart: &ChartId,
    visit: &Visit,
) -> Result<(), AppError> {
    let ChartId::Patient(patient) = chart else { return Err(AppError::NotFound) };
    may_save(app, view, actor, chart, visit)?;
    is_open(app, view, patient, visit)?;
    visit.check(whose(app, view, chart, visit)?, app.now())
}

/// The resources of a visit that will be sealed, and what has to be said in the open: that a
/// person who was received is not waited for any more, and nothing of why they came.
pub(crate) fn sealed_visit(
    app: &App,
    view: &dyn View,
    actor: &Actor,
    chart: &ChartId,
    visit: &Visit,
) -> Result<(Changes, Changes), AppError> {
    let at = visit.at.unwrap_or_else(|| app.now());
    let subject = json!({ "reference": format!("Patient/{}", chart.subject()) });
    let mut sealed = Changes::new(Class::Care);
    let mut encounter = json!({ "resourceType": "Encounter", "subject": subject.clone() });
    let ended = Visit { stays: false, ..visit.clone() };
    complete(app, actor, &mut encounter, &ended, at);
    let reference = sealed.create(encounter);
    let around = Around { app, actor, subject, encounter: reference, at };
    for resource in resources(&around, visit)? {
        sealed.create(resource);
    }
    let mut open = Changes::new(Class::Care);
    if let Some(id) = open_here(app, view, chart)?
        && let Some(waiting) = view.resource("Encounter", &id)?
        && document(&waiting)?["reasonCode"].is_null()
    {
        end(app, &waiting, at, &mut open)?;
    }
    Ok((sealed, open))
}

/// A chart that death closed takes what was done before, and what somebody writes who was asked.
fn is_open(app: &App, view: &dyn View, id: &ResourceId, visit: &Visit) -> Result<(), AppError> {
    let person = person_of(view, id)?;
    if !person.died || visit.after_death {
        return Ok(());
    }
    let died = ondol_fhir::Temporal::parse(&person.died_at);
    // The last moment at which it may have been: of a day its end.
    let until = died.map(|died| died.range(app.utc_offset_minutes()).1);
    match (visit.at, until) {
        (Some(at), Some(until)) if at <= until => Ok(()),
        _ => Err(AppError::State("chart-closed")),
    }
}

/// Whoever prescribes has to be allowed to, beside writing.
fn may_save(
    app: &App,
    view: &dyn View,
    actor: &Actor,
    chart: &ChartId,
    visit: &Visit,
) -> Result<(), AppError> {
    app.may(view, actor, Action::WriteEntry, chart, None)?;
    if visit.medicines.iter().any(|medicine| !medicine.taken_already) {
        app.may(view, actor, Action::Prescribe, chart, None)?;
    }
    Ok(())
}

fn whose(app: &App, view: &dyn View, chart: &ChartId, visit: &Visit) -> Result<Whose, AppError> {
    let ChartId::Patient(id) = chart else { return Err(AppError::NotFound) };
    let birth = person_of(view, id)?.birth;
    let at = visit.at.unwrap_or_else(|| app.now());
    let on = at.local(app.utc_offset_minutes()).0;
    let observations = view.chart_where(chart, &["Observation"], &mut safety::counts)?;
    let pregnant = safety::pregnancy(&observations, at)?;
    Ok(Whose { birth, on, pregnant: pregnant.is_some_and(|p| p.pregnant) })
}

/// Puts a visit into `changes`, within the writer's transaction; the visit was checked. Gives the
/// Encounter if one that exists is completed.
pub(crate) fn save_within(
    app: &App,
    tx: &mut dyn WriteTx,
    actor: &Actor,
    chart: &ChartId,
    subject: Value,
    visit: &Visit,
    changes: &mut Changes,
) -> Result<Option<ResourceId>, AppError> {
    let now = app.now();
    let at = visit.at.unwrap_or(now);
    if visit.at.is_some() {
        changes.at_care_time(at);
    }
    let waiting = match open_here(app, &*tx, chart)? {
        Some(id) => tx.resource("Encounter", &id)?,
        None => None,
    };
    let (reference, known) = match waiting {
        Some(found) if document(&found)?["reasonCode"].is_null() => {
            let mut encounter = document(&found)?;
            complete(app, actor, &mut encounter, visit, at);
            let id = found.shown.id.clone();
            changes.update(&found, encounter);
            (json!({ "reference": format!("Encounter/{id}") }), Some(id))
        }
        stay => {
            let mut encounter = json!({
                "resourceType": "Encounter", "status": "finished", "subject": subject,
            });
            complete(app, actor, &mut encounter, visit, at);
            if let Some(stay) = stay {
                let id = &stay.shown.id;
                encounter["partOf"] = json!({ "reference": format!("Encounter/{id}") });
                encounter["status"] = json!("finished");
                if !visit.stays {
                    end(app, &stay, at, changes)?;
                }
            }
            (changes.create(encounter), None)
        }
    };
    let around = Around { app, actor, subject, encounter: reference, at };
    for resource in resources(&around, visit)? {
        changes.create(resource);
    }
    choices::remember(tx, visit)?;
    Ok(known)
}

/// Fills an Encounter with what the visit says.
fn complete(
    app: &App,
    actor: &Actor,
    encounter: &mut Value,
    visit: &Visit,
    at: ondol_kernel::Millis,
) {
    let offset = app.utc_offset_minutes();
    encounter["resourceType"] = json!("Encounter");
    encounter["status"] = json!(if visit.stays { "in-progress" } else { "finished" });
    let class = if visit.stays { "IMP" } else { "AMB" };
    encounter["class"] = json!({ "system": coding::ACT_CODE, "code": class });
    if encounter["participant"].is_null() {
        encounter["participant"] = json!([{ "individual": { "reference": actor.reference() } }]);
    }
    let mut period = json!({ "start": at.to_fhir(offset) });
    if !visit.stays {
        period["end"] = json!(at.to_fhir(offset));
    }
    encounter["period"] = period;
    // A null that was only asked for above must not stay.
    let complaint = visit.complaint.trim();
    encounter["reasonCode"] =
        if complaint.is_empty() { Value::Null } else { json!([{ "text": complaint }]) };
    encounter["serviceProvider"] = json!({ "reference": app.place.organization() });
    if let Some(members) = encounter.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
}

/// Ends a stay.
fn end(
    app: &App,
    stay: &Found,
    at: ondol_kernel::Millis,
    changes: &mut Changes,
) -> Result<(), AppError> {
    let mut encounter = document(stay)?;
    encounter["resourceType"] = json!("Encounter");
    encounter["status"] = json!("finished");
    encounter["period"]["end"] = json!(at.to_fhir(app.utc_offset_minutes()));
    changes.update(stay, encounter);
    Ok(())
}

fn new_encounter(entries: &[Entry]) -> Result<ResourceId, AppError> {
    entries
        .iter()
        .flat_map(|entry| &entry.changes)
        .find(|change| &*change.resource_type == "Encounter" && change.id_is_derived)
        .map(|change| change.id.clone())
        .ok_or(AppError::Unexpected("a visit was not made"))
}

/// The parts of a visit that are in the chart.
pub(super) fn parts_of(
    view: &dyn View,
    chart: &ChartId,
    encounter: &ResourceId,
) -> Result<Vec<(Found, Value)>, AppError> {
    let reference = format!("Encounter/{encounter}");
    let mut parts = vec![];
    let mut named = |found: &Found| found.shown.body.contains(&reference);
    for found in view.chart_where(chart, &PARTS, &mut named)? {
        let document = document(&found)?;
        let of = [&document["encounter"], &document["context"]];
        if of.iter().any(|of| of["reference"] == *reference) {
            parts.push((found, document));
        }
    }
    Ok(parts)
}

/// What has to change so that a visit says what `visit` says.
fn corrected(
    app: &App,
    view: &dyn View,
    actor: &Actor,
    chart: &ChartId,
    encounter: &ResourceId,
    visit: &Visit,
) -> Result<Changes, AppError> {
    let found = view.resource("Encounter", encounter)?.ok_or(AppError::NotFound)?;
    if found.shown.chart != *chart {
        return Err(AppError::NotFound);
    }
    if found.shown.kind != ChangeKind::Put {
        return Err(AppError::Gone);
    }
    let mut changes = Changes::new(Class::Care);
    let before = document(&found)?;
    if before["serviceProvider"]["reference"] != *app.place.organization() {
        return Err(AppError::State("other-facility"));
    }
    let at = match visit.at {
        Some(at) => at,
        None => super::read::start(&before).unwrap_or_else(|| found.shown.hlc.millis()),
    };
    changes.at_care_time(at);
    let mut after = before.clone();
    complete(app, actor, &mut after, visit, at);
    if before["partOf"].is_object() {
        after["status"] = json!("finished");
    }
    if !same(&before, &after) {
        changes.update(&found, after);
    }
    let around = Around {
        app,
        actor,
        subject: before["subject"].clone(),
        encounter: json!({ "reference": format!("Encounter/{encounter}") }),
        at,
    };
    let mut old: HashMap<String, Vec<(Found, Value)>> = HashMap::new();
    for (found, document) in parts_of(view, chart, encounter)? {
        let key = key(&found.shown.resource_type, &document);
        old.entry(key).or_default().push((found, document));
    }
    for resource in resources(&around, visit)? {
        let name = resource["resourceType"].as_str().unwrap_or("");
        match old.get_mut(&key(name, &resource)).and_then(Vec::pop) {
            None => {
                changes.create(resource);
            }
            Some((found, document)) if !said_alike(&document, &resource) => {
                changes.update(&found, resource);
            }
            Some(_) => {}
        }
    }
    let mut gone: Vec<(Found, Value)> = old.into_values().flatten().collect();
    gone.sort_by_key(|(found, _)| found.shown.id.clone());
    for (found, _) in gone {
        changes.retract(&found, CORRECTED);
    }
    Ok(changes)
}

fn same(a: &Value, b: &Value) -> bool {
    let plain = |value: &Value| {
        let mut value = value.clone();
        value.as_object_mut().map(|members| members.shift_remove("resourceType"));
        value
    };
    plain(a) == plain(b)
}

/// Whether two versions of a part say the same, whoever wrote them down and whenever.
fn said_alike(a: &Value, b: &Value) -> bool {
    const WHO_AND_WHEN: [&str; 9] = [
        "resourceType",
        "performer",
        "recorder",
        "requester",
        "assessor",
        "informationSource",
        "recordedDate",
        "authoredOn",
        "dateAsserted",
    ];
    let plain = |value: &Value| {
        let mut value = value.clone();
        if let Some(members) = value.as_object_mut() {
            members.retain(|name, _| !WHO_AND_WHEN.contains(&name.as_str()));
        }
        value
    };
    items(&a["note"]).next().is_none() && plain(a) == plain(b)
}
