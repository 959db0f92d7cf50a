//! Two charts of one person: linked when it turns out, and unlinked when it was a mistake.
//!
//! Nothing is moved: both charts stay whole, and each names the other (R4 Patient.link). Why, by
//! whom and for how long stands in both as a Provenance, so that both ends know it.

use std::sync::Arc;

use ondol_access::{Action, Denial, Reason};
use ondol_kernel::{Class, Millis, ResourceId};
use ondol_record::{ChartId, Entry};
use ondol_store::{Found, View};
use serde_json::{Value, json};

use super::{
    described::described,
    document,
    one::{living, one_person},
    person::items,
    person_of,
};
use crate::{Actor, App, AppError, Changes, coding};

/// Codes of [`coding::SAME_PERSON`].
const LINKED: &str = "linked";
const UNLINKED: &str = "unlinked";
const TWO_PERSONS: &str = "two-persons";

impl App {
    /// Says that `other` is the same person as `known`, whose chart is the one to use from now.
    pub fn link_persons(
        self: &Arc<Self>,
        actor: &Actor,
        other: &ResourceId,
        known: &ResourceId,
        reason: &str,
    ) -> Result<(), AppError> {
        if other == known {
            return Err(AppError::Field { field: "known", why: "same-person" });
        }
        let reason = typed(reason)?;
        let (app, actor) = (self.clone(), actor.clone());
        let (other, known) = (other.clone(), known.clone());
        self.transact(move |tx| {
            app.may_merge(&*tx, &actor, &other, &known, &reason)?;
            // Charts that were linked before stay so: those that are in use are linked.
            let (from, to) = (living(&*tx, &other)?, living(&*tx, &known)?);
            if from == to {
                return Err(AppError::State("one-already"));
            }
            app.may_merge(&*tx, &actor, &from, &to, &reason)?;
            let mut changes = Changes::new(Class::Care);
            add_link(&*tx, &from, &to, "replaced-by", &mut changes)?;
            add_link(&*tx, &to, &from, "replaces", &mut changes)?;
            let note = Note { app: &app, actor: &actor, reason: &reason, code: LINKED };
            note.put(&*tx, (&from, &to), None, &mut changes)?;
            app.append(tx, &actor, changes)?;
            Ok(())
        })
    }

    /// Takes a link back. Gives the note of it in the chart of `one`: by it, what was written
    /// while the link stood is found ([`App::unlinked`]).
    pub fn unlink_persons(
        self: &Arc<Self>,
        actor: &Actor,
        one: &ResourceId,
        two: &ResourceId,
        reason: &str,
    ) -> Result<ResourceId, AppError> {
        let reason = typed(reason)?;
        let (app, actor) = (self.clone(), actor.clone());
        let (one, two) = (one.clone(), two.clone());
        self.transact(move |tx| {
            app.may_merge(&*tx, &actor, &one, &two, &reason)?;
            let since = linked_since(&*tx, &one, &two)?.ok_or(AppError::NotFound)?;
            let mut changes = Changes::new(Class::Care);
            remove_link(&*tx, &one, &two, &mut changes)?;
            remove_link(&*tx, &two, &one, &mut changes)?;
            let note = Note { app: &app, actor: &actor, reason: &reason, code: UNLINKED };
            note.put(&*tx, (&one, &two), Some(since), &mut changes)?;
            let entries = app.append(tx, &actor, changes)?;
            note_in(&entries, &one)
        })
    }

    /// Says that two charts that look alike are of two persons. Nobody is asked about them again
    /// while what is known of the two stays as it is.
    pub fn keep_persons_apart(
        self: &Arc<Self>,
        actor: &Actor,
        one: &ResourceId,
        two: &ResourceId,
        reason: &str,
    ) -> Result<(), AppError> {
        if one == two {
            return Err(AppError::Field { field: "known", why: "same-person" });
        }
        let reason = typed(reason)?;
        let (app, actor) = (self.clone(), actor.clone());
        let (one, two) = (one.clone(), two.clone());
        self.transact(move |tx| {
            app.may_merge(&*tx, &actor, &one, &two, &reason)?;
            if one_person(&*tx, &one)?.all.contains(&two) {
                return Err(AppError::State("one-already"));
            }
            let mut changes = Changes::new(Class::Care);
            let note = Note { app: &app, actor: &actor, reason: &reason, code: TWO_PERSONS };
            note.put(&*tx, (&one, &two), None, &mut changes)?;
            app.append(tx, &actor, changes)?;
            Ok(())
        })
    }

    fn may_merge(
        &self,
        view: &dyn View,
        actor: &Actor,
        one: &ResourceId,
        two: &ResourceId,
        reason: &Reason,
    ) -> Result<(), AppError> {
        for id in [one, two] {
            let chart = ChartId::Patient(id.clone());
            self.may(view, actor, Action::MergePersons, &chart, Some(reason.clone()))?;
        }
        Ok(())
    }

    /// Whether somebody who types a reason may link a chart.
    pub(crate) fn merge_is_possible(
        &self,
        view: &dyn View,
        actor: &Actor,
        chart: &ChartId,
    ) -> Result<bool, AppError> {
        match self.may(view, actor, Action::MergePersons, chart, None) {
            Ok(_) | Err(AppError::Denied(Denial::NeedsReason { .. })) => Ok(true),
            Err(AppError::Denied(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }
}

/// A note about two charts, in both of them.
struct Note<'a> {
    app: &'a App,
    actor: &'a Actor,
    reason: &'a Reason,
    code: &'a str,
}

impl Note<'_> {
    /// Puts the note into both charts; `since` is when the link began that ends.
    fn put(
        &self,
        view: &dyn View,
        (one, two): (&ResourceId, &ResourceId),
        since: Option<Millis>,
        changes: &mut Changes,
    ) -> Result<(), AppError> {
        let now = self.app.now().to_fhir(self.app.utc_offset_minutes());
        let mut targets = vec![];
        for id in [one, two] {
            targets.push(json!({
                "reference": format!("Patient/{id}"),
                "extension": [{
                    "url": coding::DESCRIBED,
                    "valueString": described(&person_of(view, id)?),
                }],
            }));
        }
        let mut note = json!({
            "resourceType": "Provenance",
            "target": targets,
            "recorded": now,
            "activity": coding::concept(coding::SAME_PERSON, self.code),
            "reason": [{ "text": self.reason.reveal() }],
            "agent": [{ "who": { "reference": self.actor.reference() } }],
        });
        if let Some(since) = since {
            let start = since.to_fhir(self.app.utc_offset_minutes());
            note["occurredPeriod"] = json!({ "start": start, "end": now });
        }
        for id in [one, two] {
            changes.create_in(&ChartId::Patient(id.clone()), note.clone());
        }
        Ok(())
    }
}

/// A note about two charts, read.
pub(super) struct ReadNote {
    pub(super) id: ResourceId,
    pub(super) unlinked: bool,
    /// Whether it says that two are two.
    pub(super) apart: bool,
    /// The charts it is about, with what was known of each.
    pub(super) about: Vec<(ResourceId, String)>,
    pub(super) reason: String,
    /// When the link began that it ends.
    pub(super) since: Option<Millis>,
    pub(super) found: Found,
}

/// The notes of a chart about itself and others, newest first.
pub(super) fn notes(view: &dyn View, chart: &ChartId) -> Result<Vec<ReadNote>, AppError> {
    let mut notes = vec![];
    let mut wanted = |found: &Found| found.shown.body.contains(coding::SAME_PERSON);
    for found in view.chart_where(chart, &["Provenance"], &mut wanted)? {
        if found.is_retracted() {
            continue;
        }
        let body = document(&found)?;
        let Some(code) = coding::code_of(&body["activity"], coding::SAME_PERSON) else { continue };
        let about = items(&body["target"]).filter_map(|target| {
            let id = target["reference"].as_str()?.strip_prefix("Patient/")?;
            let known = super::person::extension(target, coding::DESCRIBED);
            let known = known.and_then(|of| of["valueString"].as_str()).unwrap_or("");
            Some((ResourceId::new(id).ok()?, known.to_owned()))
        });
        let since = body["occurredPeriod"]["start"].as_str().and_then(Millis::parse_fhir);
        notes.push(ReadNote {
            id: found.shown.id.clone(),
            unlinked: code == UNLINKED,
            apart: code == UNLINKED || code == TWO_PERSONS,
            about: about.collect(),
            reason: body["reason"][0]["text"].as_str().unwrap_or("").to_owned(),
            since,
            found,
        });
    }
    Ok(notes)
}

fn note_in(entries: &[Entry], id: &ResourceId) -> Result<ResourceId, AppError> {
    let chart = ChartId::Patient(id.clone());
    entries
        .iter()
        .filter(|entry| entry.chart == chart)
        .flat_map(|entry| &entry.changes)
        .find(|change| &*change.resource_type == "Provenance")
        .map(|change| change.id.clone())
        .ok_or(AppError::Unexpected("a note was not made"))
}

pub(super) fn typed(reason: &str) -> Result<Reason, AppError> {
    Reason::typed(reason).map_err(|_| AppError::Field { field: "reason", why: "reason" })
}

fn patient(view: &dyn View, id: &ResourceId) -> Result<(Found, Value), AppError> {
    let found = view.resource("Patient", id)?.ok_or(AppError::NotFound)?;
    if found.is_retracted() {
        return Err(AppError::Gone);
    }
    let mut patient = document(&found)?;
    patient["resourceType"] = json!("Patient");
    Ok((found, patient))
}

fn leads_to(link: &Value, to: &ResourceId) -> bool {
    link["other"]["reference"].as_str() == Some(&format!("Patient/{to}"))
}

fn add_link(
    view: &dyn View,
    from: &ResourceId,
    to: &ResourceId,
    kind: &str,
    changes: &mut Changes,
) -> Result<(), AppError> {
    let (found, mut patient) = patient(view, from)?;
    let mut links: Vec<Value> =
        items(&patient["link"]).filter(|link| !leads_to(link, to)).cloned().collect();
    links.push(json!({ "other": { "reference": format!("Patient/{to}") }, "type": kind }));
    patient["link"] = Value::Array(links);
    changes.update(&found, patient);
    Ok(())
}

fn remove_link(
    view: &dyn View,
    from: &ResourceId,
    to: &ResourceId,
    changes: &mut Changes,
) -> Result<(), AppError> {
    let (found, mut patient) = patient(view, from)?;
    let links: Vec<Value> =
        items(&patient["link"]).filter(|link| !leads_to(link, to)).cloned().collect();
    if links.is_empty() {
        patient.as_object_mut().map(|members| members.shift_remove("link"));
    } else {
        patient["link"] = Value::Array(links);
    }
    changes.update(&found, patient);
    Ok(())
}

/// When the oldest version that names the other was written: since then the link stands.
fn linked_since(
    view: &dyn View,
    one: &ResourceId,
    two: &ResourceId,
) -> Result<Option<Millis>, AppError> {
    let mut since = None;
    for version in view.history("Patient", one)? {
        let Ok(patient) = serde_json::from_str::<Value>(&version.body) else { continue };
        if !items(&patient["link"]).any(|link| leads_to(link, two)) {
            break;
        }
        since = Some(version.hlc.millis());
    }
    Ok(since)
}
