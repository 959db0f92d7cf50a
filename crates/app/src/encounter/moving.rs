//! Written for the wrong person: a forward in that chart, a new version in the right one, the same
//! ids (DESIGN §4). Whoever holds one of the two charts alone sees its half; both charts keep a
//! note that says what was moved, by whom and why. Moved back, it stands where it stood.

use std::{collections::BTreeSet, sync::Arc};

use ondol_access::{Action, Reason};
use ondol_fhir::ResourceType;
use ondol_kernel::{Class, Millis, ResourceId};
use ondol_record::{ChartId, ChartKind, entry::ChangeKind};
use ondol_store::{Found, View, WriteTx};
use serde_json::{Value, json};

use crate::{
    Actor, App, AppError, Changes, coding,
    people::{document, items, person_of, practitioner_name},
    rest::access::to_write,
};

/// The codes of [`coding::MOVED`]: what a note in a chart says.
const AWAY: &str = "away";
const HERE: &str = "here";

/// A note that a visit was moved between two charts.
#[derive(Clone, PartialEq, Eq)]
pub struct MovedNote {
    /// Whether it went away from this chart, rather than came.
    pub away: bool,
    /// When.
    pub at: Millis,
    /// The name of who moved it.
    pub by: String,
    /// Why, as it was typed.
    pub reason: String,
    /// The chart in which the visit stands now, if it is known here and is another one.
    pub now_in: Option<ResourceId>,
}

impl App {
    /// Moves a visit, with all that was written in it, to the chart of the person it was about.
    pub fn move_visit(
        self: &Arc<Self>,
        actor: &Actor,
        patient: &ResourceId,
        encounter: &ResourceId,
        right: &ResourceId,
        reason: &str,
    ) -> Result<(), AppError> {
        if patient == right {
            return Err(AppError::Field { field: "known", why: "same-person" });
        }
        let reason = Reason::typed(reason)
            .map_err(|_| AppError::Field { field: "reason", why: "reason" })?;
        let moving = Moving {
            app: self.clone(),
            actor: actor.clone(),
            from: patient.clone(),
            to: right.clone(),
            reason,
        };
        let encounter = encounter.clone();
        self.transact(move |tx| moving.run(tx, &encounter))
    }
}

struct Moving {
    app: Arc<App>,
    actor: Actor,
    from: ResourceId,
    to: ResourceId,
    reason: Reason,
}

impl Moving {
    fn run(&self, tx: &mut dyn WriteTx, encounter: &ResourceId) -> Result<(), AppError> {
        let (wrong, right) =
            (ChartId::Patient(self.from.clone()), ChartId::Patient(self.to.clone()));
        person_of(&*tx, &self.to)?;
        let found = tx.resource("Encounter", encounter)?.ok_or(AppError::NotFound)?;
        if found.shown.chart != wrong {
            return Err(AppError::NotFound);
        }
        if found.is_retracted() {
            return Err(AppError::Gone);
        }
        let mut all = vec![found];
        all.extend(of_visit(&*tx, &wrong, encounter)?);
        self.check_rights(&*tx, &right, &all)?;
        let mut away = Changes::new(Class::Care);
        for one in &all {
            away.forward(one, &right);
        }
        away.create_in(&wrong, self.note(encounter, AWAY));
        self.app.append(tx, &self.actor, away)?;
        let mut here = Changes::new(Class::Care);
        for one in &all {
            let kind = &*one.shown.resource_type;
            let mut resource = document(one)?;
            resource["resourceType"] = json!(kind);
            renamed(&mut resource, &format!("Patient/{}", self.from), &right_reference(&right)?);
            if kind == "Encounter" {
                // The stay that it was part of is of another person.
                resource.as_object_mut().map(|members| members.shift_remove("partOf"));
            }
            let forwarded = tx.resource(kind, &one.shown.id)?.ok_or(AppError::NotFound)?;
            here.update_in(&right, &forwarded, resource);
        }
        here.create_in(&right, self.note(encounter, HERE));
        self.app.append(tx, &self.actor, here)?;
        Ok(())
    }

    /// Taking it from one chart is taking it back there; putting it into the other is writing
    /// there what each part is.
    fn check_rights(
        &self,
        view: &dyn View,
        right: &ChartId,
        all: &[Found],
    ) -> Result<(), AppError> {
        let entries: Vec<&Found> = all.iter().collect();
        let reason = Some(self.reason.clone());
        self.app.may_about(view, &self.actor, Action::RetractEntry, &entries, reason)?;
        let mut asked = vec![Action::WriteEntry];
        for one in all {
            let kind = ResourceType::from_name(&one.shown.resource_type);
            let kind = kind.ok_or(AppError::Unexpected("a type that R4 does not have"))?;
            asked.push(to_write(ChartKind::Patient, kind, false).0);
        }
        asked.sort_unstable();
        asked.dedup();
        for action in asked {
            self.app.may(view, &self.actor, action, right, None)?;
        }
        Ok(())
    }

    fn note(&self, encounter: &ResourceId, way: &str) -> Value {
        json!({
            "resourceType": "Provenance",
            "target": [{ "reference": format!("Encounter/{encounter}") }],
            "recorded": self.app.now().to_fhir(self.app.utc_offset_minutes()),
            "activity": coding::concept(coding::MOVED, way),
            "reason": [{ "text": self.reason.reveal() }],
            "agent": [{ "who": { "reference": self.actor.reference() } }],
        })
    }
}

fn right_reference(chart: &ChartId) -> Result<String, AppError> {
    chart.reference().ok_or(AppError::NotFound)
}

/// What was written in a visit, of whatever type. A case that was sent stays with the person about
/// whom it was sent, and has to be closed there first; a stay with visits of its own is not moved
/// as one.
fn of_visit(
    view: &dyn View,
    chart: &ChartId,
    encounter: &ResourceId,
) -> Result<Vec<Found>, AppError> {
    let reference = format!("Encounter/{encounter}");
    let mut parts = vec![];
    for found in view.chart(chart, &[])? {
        if found.shown.kind != ChangeKind::Put {
            continue;
        }
        let body = document(&found)?;
        let kind = &*found.shown.resource_type;
        if kind == "Encounter" {
            if body["partOf"]["reference"] == *reference {
                return Err(AppError::State("visit-has-visits"));
            }
            continue;
        }
        let of = [&body["encounter"], &body["context"]["encounter"], &body["context"]];
        let of_list = items(&body["context"]["encounter"]);
        if !of.into_iter().chain(of_list).any(|of| of["reference"] == *reference) {
            continue;
        }
        match kind {
            "ServiceRequest" if matches!(body["status"].as_str(), Some("active" | "on-hold")) => {
                return Err(AppError::State("visit-has-request"));
            }
            "ServiceRequest" | "Communication" | "Provenance" => {}
            _ => parts.push(found),
        }
    }
    Ok(parts)
}

/// Puts one person's reference in the place of another's, wherever it stands. A name beside it
/// would be the wrong one.
fn renamed(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(|one| renamed(one, from, to)),
        Value::Object(members) => {
            if members.get("reference").is_some_and(|reference| *reference == *from) {
                members.insert("reference".into(), json!(to));
                members.shift_remove("display");
                members.shift_remove("identifier");
            }
            members.values_mut().for_each(|one| renamed(one, from, to));
        }
        _ => {}
    }
}

/// The notes of a chart about visits that were moved, newest first.
pub(super) fn notes(view: &dyn View, chart: &ChartId) -> Result<Vec<MovedNote>, AppError> {
    let mut notes = vec![];
    for found in view.chart(chart, &["Provenance"])? {
        if found.shown.kind != ChangeKind::Put {
            continue;
        }
        let body = document(&found)?;
        let Some(way) = coding::code_of(&body["activity"], coding::MOVED) else { continue };
        let mut now_in = BTreeSet::new();
        for target in items(&body["target"]) {
            let id = target["reference"].as_str().and_then(|of| of.strip_prefix("Encounter/"));
            let Some(id) = id.and_then(|id| ResourceId::new(id).ok()) else { continue };
            let stands = view.resource("Encounter", &id)?;
            if let Some(stands) = stands
                && stands.shown.kind == ChangeKind::Put
                && stands.shown.chart != *chart
                && let ChartId::Patient(other) = stands.shown.chart
            {
                now_in.insert(other);
            }
        }
        let at = body["recorded"].as_str().and_then(Millis::parse_fhir);
        notes.push(MovedNote {
            away: way == AWAY,
            at: at.unwrap_or_else(|| found.shown.hlc.millis()),
            by: practitioner_name(view, &found.shown.author)?,
            reason: body["reason"][0]["text"].as_str().unwrap_or("").to_owned(),
            now_in: now_in.into_iter().next(),
        });
    }
    Ok(notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_persons_reference_is_put_in_the_place_of_anothers_with_no_name_beside_it() {
        let mut observation = json!({
            "subject": { "reference": "Patient/a", "display": "가" },
            "performer": [{ "reference": "Patient/a" }, { "reference": "Practitioner/a" }],
            "note": [{ "text": "Patient/a" }],
        });
        renamed(&mut observation, "Patient/a", "Patient/b");
        assert_eq!(
            observation,
            json!({
                "subject": { "reference": "Patient/b" },
                "performer": [{ "reference": "Patient/b" }, { "reference": "Practitioner/a" }],
                "note": [{ "text": "Patient/a" }],
            })
        );
    }
}
