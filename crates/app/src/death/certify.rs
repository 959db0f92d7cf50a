//! Certifying a death, reading the certificate, and undoing it.

use std::sync::Arc;

use ondol_access::{Action, Reason};
use ondol_kernel::{Class, Millis, ResourceId};
use ondol_record::ChartId;
use ondol_store::{Found, View};
use serde_json::{Value, json};

use super::{Certificate, DiedAt};
use crate::{
    Actor, App, AppError, Changes, coding,
    encounter::{Banner, OpenWork, open_work},
    people::{document, living, open_here, person_of, practitioner_name},
};

/// A certificate that was taken back.
#[derive(Clone, PartialEq, Eq)]
pub struct UndoneDeath {
    /// When.
    pub at: Millis,
    /// The name of who took it back.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// What is known of a person's death. It has no `Debug`: it tells of somebody.
#[derive(Clone)]
pub struct Death {
    /// Whose chart.
    pub banner: Banner,
    /// The certificate; `None` if there is none: nobody died, or somebody only said so.
    pub certificate: Option<Certificate>,
    /// When it was written.
    pub at: Millis,
    /// The name of who certified it; empty without a certificate.
    pub by: String,
    /// Consults and referrals that are still open: to be closed by those who asked.
    pub open: Vec<OpenWork>,
    /// Certificates that were taken back, newest first.
    pub undone: Vec<UndoneDeath>,
    /// Whether the reader may certify.
    pub may_certify: bool,
    /// Whether the reader may undo it, with a reason.
    pub may_undo: bool,
}

impl App {
    /// Certifies a death: it closes the chart. The visit that goes on here ends with it.
    pub fn certify_death(
        self: &Arc<Self>,
        actor: &Actor,
        patient: &ResourceId,
        certificate: Certificate,
    ) -> Result<(), AppError> {
        let chart = ChartId::Patient(patient.clone());
        let (app, id, who) = (self.clone(), patient.clone(), actor.clone());
        self.writing(actor, Action::CertifyDeath, &chart.clone(), move |view| {
            let person = person_of(view, &id)?;
            if living(view, &id)? != id {
                return Err(AppError::State("not-in-use"));
            }
            if person.died {
                return Err(AppError::State("died-already"));
            }
            let certificate = certificate.checked(&app, person.birth)?;
            let offset = app.utc_offset_minutes();
            let mut changes = Changes::new(Class::Care);
            let (found, mut patient) = patient_of(view, &id)?;
            match certificate.died_text(offset) {
                Some(text) => patient["deceasedDateTime"] = json!(text),
                None => patient["deceasedBoolean"] = json!(true),
            }
            changes.update(&found, patient);
            let subject = json!({ "reference": format!("Patient/{id}") });
            changes.create(certificate.to_json(&subject, &who.reference(), offset));
            end_visit(&app, view, &chart, &certificate, &mut changes)?;
            Ok(changes)
        })?;
        Ok(())
    }

    /// Takes a death back, with a reason: the certificate stays to be read as one that was wrong.
    pub fn undo_death(
        self: &Arc<Self>,
        actor: &Actor,
        patient: &ResourceId,
        reason: &str,
    ) -> Result<(), AppError> {
        let reason = Reason::typed(reason)
            .map_err(|_| AppError::Field { field: "reason", why: "reason" })?;
        let chart = ChartId::Patient(patient.clone());
        let (app, actor, id) = (self.clone(), actor.clone(), patient.clone());
        self.transact(move |tx| {
            let (found, mut patient) = patient_of(&*tx, &id)?;
            if !person_of(&*tx, &id)?.died {
                return Err(AppError::State("not-died"));
            }
            let stands = certificates(&*tx, &chart, true)?;
            app.may_undo_death(&*tx, &actor, &chart, &stands, Some(reason.clone()))?;
            if let Some(members) = patient.as_object_mut() {
                members.shift_remove("deceasedDateTime");
                members.shift_remove("deceasedBoolean");
            }
            let mut changes = Changes::new(Class::Care);
            changes.update(&found, patient);
            for certificate in &stands {
                let mut wrong = document(certificate)?;
                wrong["resourceType"] = json!("Observation");
                wrong["status"] = json!("entered-in-error");
                wrong["note"] = json!([{
                    "authorReference": { "reference": actor.reference() },
                    "time": app.now().to_fhir(app.utc_offset_minutes()),
                    "text": reason.reveal(),
                }]);
                changes.update(certificate, wrong);
            }
            app.append(tx, &actor, changes)?;
            Ok(())
        })
    }

    /// What is known of a death, for whoever may read the chart.
    pub fn death(&self, actor: &Actor, patient: &ResourceId) -> Result<Death, AppError> {
        self.death_for(actor, patient, Action::ReadChart)
    }

    /// The same, to be printed.
    pub fn printed_death(&self, actor: &Actor, patient: &ResourceId) -> Result<Death, AppError> {
        self.death_for(actor, patient, Action::PrintChart)
    }

    fn death_for(
        &self,
        actor: &Actor,
        patient: &ResourceId,
        action: Action,
    ) -> Result<Death, AppError> {
        let chart = ChartId::Patient(patient.clone());
        self.reading(actor, action, &chart, |view| {
            let banner = self.banner_in(view, patient)?;
            let stands = certificates(view, &chart, true)?;
            let newest = stands.first();
            let certificate = match newest {
                Some(found) => Some(Certificate::read(&document(found)?)),
                None => None,
            };
            let mut undone = vec![];
            for found in certificates(view, &chart, false)? {
                let note = document(&found)?["note"][0].clone();
                let by = note["authorReference"]["reference"].as_str().unwrap_or("");
                undone.push(UndoneDeath {
                    at: found.shown.hlc.millis(),
                    by: practitioner_name(view, by)?,
                    reason: note["text"].as_str().unwrap_or("").to_owned(),
                });
            }
            let by = match newest {
                Some(found) => practitioner_name(view, &found.shown.author)?,
                None => String::new(),
            };
            let may_certify = self.may(view, actor, Action::CertifyDeath, &chart, None).is_ok();
            Ok(Death {
                certificate,
                at: newest.map_or(Millis(0), |found| found.shown.hlc.millis()),
                by,
                open: open_work(view, &chart)?,
                undone,
                may_certify,
                may_undo: self.undo_is_possible(view, actor, &chart, &stands)?,
                banner,
            })
        })
    }

    /// Whoever certified it takes it back, and whoever may take entries back at home. Where there
    /// is no certificate, whoever may certify.
    fn may_undo_death(
        &self,
        view: &dyn View,
        actor: &Actor,
        chart: &ChartId,
        stands: &[Found],
        reason: Option<Reason>,
    ) -> Result<(), AppError> {
        if stands.is_empty() {
            self.may(view, actor, Action::CertifyDeath, chart, reason)?;
        } else {
            let entries: Vec<&Found> = stands.iter().collect();
            self.may_about(view, actor, Action::RetractEntry, &entries, reason)?;
        }
        Ok(())
    }

    fn undo_is_possible(
        &self,
        view: &dyn View,
        actor: &Actor,
        chart: &ChartId,
        stands: &[Found],
    ) -> Result<bool, AppError> {
        use ondol_access::Denial;
        match self.may_undo_death(view, actor, chart, stands, None) {
            Ok(()) | Err(AppError::Denied(Denial::NeedsReason { .. })) => Ok(true),
            Err(AppError::Denied(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }
}

fn patient_of(view: &dyn View, id: &ResourceId) -> Result<(Found, Value), AppError> {
    let found = view.resource("Patient", id)?.ok_or(AppError::NotFound)?;
    let mut patient = document(&found)?;
    patient["resourceType"] = json!("Patient");
    Ok((found, patient))
}

/// The certificates of a chart, newest first: those that stand, or those that were taken back.
fn certificates(view: &dyn View, chart: &ChartId, stand: bool) -> Result<Vec<Found>, AppError> {
    let mut wanted = |found: &Found| found.shown.body.contains(coding::DEATH);
    let mut all = vec![];
    for found in view.chart_where(chart, &["Observation"], &mut wanted)? {
        if found.is_retracted() {
            continue;
        }
        let body = document(&found)?;
        let is_one = coding::has_code(&body["code"], coding::DEATH, coding::CERTIFICATE);
        if is_one && (body["status"] != "entered-in-error") == stand {
            all.push(found);
        }
    }
    Ok(all)
}

/// Whoever has died stays no longer.
fn end_visit(
    app: &App,
    view: &dyn View,
    chart: &ChartId,
    certificate: &Certificate,
    changes: &mut Changes,
) -> Result<(), AppError> {
    let Some(id) = open_here(app, view, chart)? else { return Ok(()) };
    let Some(found) = view.resource("Encounter", &id)? else { return Ok(()) };
    let mut encounter = document(&found)?;
    encounter["resourceType"] = json!("Encounter");
    encounter["status"] = json!("finished");
    let at = match certificate.died {
        DiedAt::Moment(at) => at,
        DiedAt::Day(_) | DiedAt::NotKnown => app.now(),
    };
    // A visit cannot end before it began: whoever was brought in dead was received later.
    let began = encounter["period"]["start"].as_str().and_then(Millis::parse_fhir);
    let at = began.map_or(at, |began| at.max(began));
    encounter["period"]["end"] = json!(at.to_fhir(app.utc_offset_minutes()));
    changes.update(&found, encounter);
    Ok(())
}
