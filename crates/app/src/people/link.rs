//! Two charts of one person: linked when it turns out, and unlinked when it was a mistake.
//!
//! Nothing is moved: both charts stay whole, and each names the other (R4 Patient.link).

use std::sync::Arc;

use ondol_access::{Action, Reason};
use ondol_kernel::{Class, Millis, ResourceId};
use ondol_record::ChartId;
use ondol_store::{Found, View};
use serde_json::{Value, json};

use super::{document, person::items};
use crate::{Actor, App, AppError, Changes};

/// Something that was written in one of two linked charts while the link stood: whoever undoes
/// the link has to look whether it was decided for the right person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The chart.
    pub chart: ChartId,
    /// The type of the resource.
    pub resource_type: String,
    /// Its id.
    pub id: ResourceId,
    /// When it was written.
    pub at: Millis,
    /// Who wrote it.
    pub author: String,
}

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
            let mut changes = Changes::new(Class::Care);
            add_link(&*tx, &other, &known, "replaced-by", &mut changes)?;
            add_link(&*tx, &known, &other, "replaces", &mut changes)?;
            app.append(tx, &actor, changes)?;
            Ok(())
        })
    }

    /// Takes a link back. Gives what was written in both charts while it stood.
    pub fn unlink_persons(
        self: &Arc<Self>,
        actor: &Actor,
        one: &ResourceId,
        two: &ResourceId,
        reason: &str,
    ) -> Result<Vec<Decided>, AppError> {
        let reason = typed(reason)?;
        let (app, actor) = (self.clone(), actor.clone());
        let (one, two) = (one.clone(), two.clone());
        self.transact(move |tx| {
            app.may_merge(&*tx, &actor, &one, &two, &reason)?;
            let since = linked_since(&*tx, &one, &two)?.ok_or(AppError::NotFound)?;
            let mut decided = written_since(&*tx, &one, since)?;
            decided.extend(written_since(&*tx, &two, since)?);
            let mut changes = Changes::new(Class::Care);
            remove_link(&*tx, &one, &two, &mut changes)?;
            remove_link(&*tx, &two, &one, &mut changes)?;
            app.append(tx, &actor, changes)?;
            Ok(decided)
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
}

fn typed(reason: &str) -> Result<Reason, AppError> {
    Reason::typed(reason).map_err(|_| AppError::Field { field: "reason", why: "reason" })
}

fn patient(view: &dyn View, id: &ResourceId) -> Result<(Found, Value), AppError> {
    let found = view.resource("Patient", id)?.ok_or(AppError::NotFound)?;
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

fn written_since(
    view: &dyn View,
    id: &ResourceId,
    since: Millis,
) -> Result<Vec<Decided>, AppError> {
    let chart = ChartId::Patient(id.clone());
    let all = view.chart(&chart, &[])?;
    Ok(all
        .into_iter()
        .map(|found| found.shown)
        .filter(|shown| shown.hlc.millis() >= since && &*shown.resource_type != "Patient")
        .map(|shown| Decided {
            chart: chart.clone(),
            resource_type: shown.resource_type.to_string(),
            id: shown.id,
            at: shown.hlc.millis(),
            author: shown.author.to_string(),
        })
        .collect())
}
