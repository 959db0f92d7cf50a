//! What was decided while a link stood that was taken back: visits, medicines, diagnoses,
//! allergies, answers, referrals, on which chart, so that somebody can look at each whether it was
//! for the right person.

use std::collections::BTreeSet;

use ondol_access::{Action, Obligation};
use ondol_kernel::{Hlc, Millis, ResourceId};
use ondol_record::{ChartId, sealed::SEALED_ENTRY};
use ondol_store::{Reading, View};
use serde_json::Value;

use super::{Person, document, link, person_of, practitioner_name};
use crate::{
    Actor, App, AppError, coding,
    consult::StepCode,
    encounter::{Banner, concept_words},
};

/// Entries of a chart that are read at once.
const STEP: usize = 500;

/// What kind of thing was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DecidedKind {
    /// A visit.
    Visit,
    /// A medicine, prescribed or noted.
    Medicine,
    /// An allergy, or what was said of one.
    Allergy,
    /// A diagnosis.
    Diagnosis,
    /// A case that was sent to a specialist.
    Consult,
    /// An answer to one.
    Answer,
    /// A patient who was sent.
    Referral,
    /// The answer to that.
    Reply,
    /// Anything else.
    Other,
}

/// Something that was written in one of two linked charts while the link stood. It has no `Debug`:
/// it tells of somebody.
#[derive(Clone, PartialEq, Eq)]
pub struct Decided {
    /// The chart.
    pub chart: ResourceId,
    /// What it is.
    pub kind: DecidedKind,
    /// The type of the resource.
    pub resource_type: String,
    /// Its id.
    pub id: ResourceId,
    /// Its code: ATC of a medicine, ICD-10 of a diagnosis, a specialty.
    pub code: Option<String>,
    /// In words; may be empty beside a code.
    pub words: String,
    /// When it was written.
    pub at: Millis,
    /// The name of who wrote it; empty if it is not here.
    pub by: String,
}

/// A link that was taken back, with all that was decided while it stood.
#[derive(Clone)]
pub struct Unlinked {
    /// The chart from which it is looked at.
    pub banner: Banner,
    /// The other person; `None` if that chart may not be read, or is not here.
    pub other: Option<Person>,
    /// Since when the link stood, if that is known.
    pub since: Option<Millis>,
    /// Until when.
    pub until: Millis,
    /// The name of who took it back.
    pub by: String,
    /// Why.
    pub reason: String,
    /// What was decided, chart by chart, in the order of time.
    pub decided: Vec<Decided>,
}

impl App {
    /// What was decided while a link stood, by the note of its end ([`App::unlink_persons`]): of
    /// both charts, as far as the actor may read them. What was written elsewhere and comes later
    /// is in it then.
    pub fn unlinked(
        &self,
        actor: &Actor,
        one: &ResourceId,
        note: &ResourceId,
    ) -> Result<Unlinked, AppError> {
        let chart = ChartId::Patient(one.clone());
        let (unlinked, more) = self.reading(actor, Action::ReadChart, &chart, |view| {
            let notes = link::notes(view, &chart)?;
            let note = notes.into_iter().find(|of| of.unlinked && of.id == *note);
            let note = note.ok_or(AppError::NotFound)?;
            let until = note.found.shown.hlc;
            let window = (note.since.unwrap_or(Millis(i64::MIN)), until);
            let mut decided = decided_in(view, one, window)?;
            let (mut other, mut more) = (None, vec![]);
            for (id, _) in note.about.iter().filter(|(id, _)| id != one) {
                if let Some(reading) = self.other_reading(view, actor, Action::ReadChart, id)? {
                    more.push(reading);
                    other = Some(person_of(view, id)?);
                    decided.extend(decided_in(view, id, window)?);
                }
            }
            let by = practitioner_name(view, &note.found.shown.author)?;
            let unlinked = Unlinked {
                banner: self.banner_in(view, one)?,
                other,
                since: note.since,
                until: until.millis(),
                by,
                reason: note.reason,
                decided,
            };
            Ok((unlinked, more))
        })?;
        self.write_down(more)?;
        Ok(unlinked)
    }

    /// The line of the audit for another chart that is read together with the one that was asked
    /// for; `None` if it is not here or may not be read.
    pub(crate) fn other_reading(
        &self,
        view: &dyn View,
        actor: &Actor,
        action: Action,
        other: &ResourceId,
    ) -> Result<Option<Reading>, AppError> {
        match person_of(view, other) {
            Ok(_) => {}
            Err(AppError::NotFound | AppError::Gone) => return Ok(None),
            Err(why) => return Err(why),
        }
        let chart = ChartId::Patient(other.clone());
        match self.may(view, actor, action, &chart, None) {
            Ok(grounds) if grounds.obligations.contains(Obligation::ExistenceOnly) => Ok(None),
            Ok(grounds) => Ok(Some(self.reading_of(actor, action, &chart, &grounds, ""))),
            Err(AppError::Denied(_)) => Ok(None),
            Err(why) => Err(why),
        }
    }
}

/// The links of a chart that were taken back, newest first: the notes' ids and when.
pub(crate) fn ended_links(
    view: &dyn View,
    chart: &ChartId,
) -> Result<Vec<(ResourceId, Millis)>, AppError> {
    let notes = link::notes(view, chart)?.into_iter().filter(|note| note.unlinked);
    Ok(notes.map(|note| (note.id, note.found.shown.hlc.millis())).collect())
}

/// What was written in a chart between two moments, oldest first.
fn decided_in(
    view: &dyn View,
    id: &ResourceId,
    (since, until): (Millis, Hlc),
) -> Result<Vec<Decided>, AppError> {
    let chart = ChartId::Patient(id.clone());
    let mut known = BTreeSet::new();
    let mut decided = vec![];
    for (stream, newest, _) in view.chart_heads(&chart)? {
        let mut next = 1;
        while next <= newest {
            let rows = view.chart_entries(&stream, &chart, next, STEP)?;
            let Some(last) = rows.last() else { break };
            next = last.entry.chart_number + 1;
            for entry in rows.iter().map(|row| &row.entry) {
                if entry.hlc.millis() < since || entry.hlc >= until {
                    continue;
                }
                for change in &entry.changes {
                    let key = (change.resource_type.clone(), change.id.clone());
                    if !known.insert(key) {
                        continue;
                    }
                    if let Some(mut one) = told(view, id, &change.resource_type, &change.id)? {
                        one.at = entry.hlc.millis();
                        one.by = practitioner_name(view, &entry.author)?;
                        decided.push(one);
                    }
                }
            }
        }
    }
    decided.sort_by(|a, b| (a.at, a.kind, &a.id).cmp(&(b.at, b.kind, &b.id)));
    Ok(decided)
}

/// What a resource says, if it is a decision of its own: what was measured stands in its visit.
fn told(
    view: &dyn View,
    chart: &ResourceId,
    kind: &str,
    id: &ResourceId,
) -> Result<Option<Decided>, AppError> {
    let Some(found) = view.resource(kind, id)? else { return Ok(None) };
    if found.is_retracted() || found.shown.chart != ChartId::Patient(chart.clone()) {
        return Ok(None);
    }
    let body = document(&found)?;
    let Some((what, code, words)) = said(kind, &body) else { return Ok(None) };
    Ok(Some(Decided {
        chart: chart.clone(),
        kind: what,
        resource_type: kind.to_owned(),
        id: id.clone(),
        code: code.map(str::to_owned),
        words,
        at: found.shown.hlc.millis(),
        by: String::new(),
    }))
}

fn said<'a>(kind: &str, body: &'a Value) -> Option<(DecidedKind, Option<&'a str>, String)> {
    let code = &body["code"];
    Some(match kind {
        SEALED_ENTRY | "Patient" | "Provenance" | "RelatedPerson" | "Media" => return None,
        // Parts of a visit that decide nothing by themselves.
        "Observation" | "ClinicalImpression" if body["encounter"].is_object() => return None,
        "Encounter" => {
            let complaint = concept_words(&body["reasonCode"][0]);
            (DecidedKind::Visit, None, complaint)
        }
        "MedicationRequest" | "MedicationStatement" => {
            let what = &body["medicationCodeableConcept"];
            (DecidedKind::Medicine, coding::code_of(what, coding::ATC), concept_words(what))
        }
        "AllergyIntolerance" => {
            (DecidedKind::Allergy, coding::code_of(code, coding::ATC), concept_words(code))
        }
        "Condition" => {
            (DecidedKind::Diagnosis, coding::code_of(code, coding::ICD10), concept_words(code))
        }
        "ServiceRequest" => {
            let specialty = coding::code_of(&body["performerType"], coding::SPECIALTY)
                .or_else(|| coding::code_of(code, coding::SPECIALTY));
            match coding::code_of(&body["category"], coding::REQUEST_CATEGORY) {
                Some(coding::CONSULT) => (DecidedKind::Consult, specialty, String::new()),
                Some(coding::REFERRAL) => (DecidedKind::Referral, specialty, String::new()),
                _ => (DecidedKind::Other, None, concept_words(code)),
            }
        }
        "Communication" => {
            let step = coding::code_of(&body["category"], coding::STEP)?;
            let text = body["payload"][0]["contentString"].as_str().unwrap_or("").to_owned();
            match StepCode::from_code(step)? {
                StepCode::Answer => (DecidedKind::Answer, None, text),
                StepCode::Reply => (DecidedKind::Reply, None, text),
                _ => return None,
            }
        }
        _ => (DecidedKind::Other, None, concept_words(code)),
    })
}
