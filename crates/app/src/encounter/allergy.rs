//! Allergies: recorded, refuted, none known. Not asked is where nothing was recorded.

use std::sync::Arc;

use ondol_access::Action;
use ondol_kernel::{Class, ResourceId};
use ondol_record::ChartId;
use ondol_store::{Found, View};
use serde_json::{Value, json};

use super::safety::{self, Allergies};
use crate::{
    Actor, App, AppError, Changes, coding,
    people::{document, one_person, set_extension},
};

/// To what somebody is allergic.
#[derive(Clone, PartialEq, Eq)]
pub struct Substance {
    /// The ATC code of a medicine of the list.
    pub atc: Option<String>,
    /// In words.
    pub words: String,
}

/// An allergy that somebody tells of.
#[derive(Clone, PartialEq, Eq)]
pub struct NewAllergy {
    /// To what.
    pub to: Substance,
    /// What happened; may be empty.
    pub reaction: String,
    /// Whether it can kill; `None` if nobody can say.
    pub severe: Option<bool>,
}

impl App {
    /// Records an allergy. It stands from now on before a 'none known'.
    pub fn record_allergy(
        self: &Arc<Self>,
        actor: &Actor,
        patient: &ResourceId,
        allergy: NewAllergy,
    ) -> Result<(), AppError> {
        if allergy.to.atc.is_none() && allergy.to.words.trim().is_empty() {
            return Err(AppError::Field { field: "substance", why: "missing" });
        }
        self.allergy_change(actor, patient, move |app, _, author, subject, changes| {
            let mut code = json!({});
            if let Some(atc) = &allergy.to.atc {
                code = coding::concept(coding::ATC, atc);
            }
            if !allergy.to.words.trim().is_empty() {
                code["text"] = json!(allergy.to.words.trim());
            }
            let mut resource = statement(app, author, &subject, &code);
            if let Some(severe) = allergy.severe {
                resource["criticality"] = json!(if severe { "high" } else { "low" });
            }
            if !allergy.reaction.trim().is_empty() {
                let manifestation = json!([{ "text": allergy.reaction.trim() }]);
                resource["reaction"] = json!([{ "manifestation": manifestation }]);
            }
            changes.create(resource);
            Ok(())
        })
    }

    /// Records that somebody asked, and none are known: in no chart of the person.
    pub fn record_no_allergies(
        self: &Arc<Self>,
        actor: &Actor,
        patient: &ResourceId,
    ) -> Result<(), AppError> {
        self.allergy_change(actor, patient, |app, stated, author, subject, changes| {
            let known = safety::fold(stated, app.now())?.allergies;
            if matches!(known, Allergies::Known(_)) {
                return Err(AppError::State("allergies-known"));
            }
            let code = coding::concept(coding::SNOMED, coding::NO_KNOWN_ALLERGY);
            changes.create(statement(app, author, &subject, &code));
            Ok(())
        })
    }

    /// Takes 'none known' back: nobody has asked.
    pub fn allergies_not_asked(
        self: &Arc<Self>,
        actor: &Actor,
        patient: &ResourceId,
    ) -> Result<(), AppError> {
        let chart = ChartId::Patient(patient.clone());
        self.allergy_change(actor, patient, move |_, stated, _, _, changes| {
            let own = |found: &&Found| !found.is_retracted() && found.shown.chart == chart;
            for found in stated.iter().filter(own) {
                let code = &document(found)?["code"];
                if coding::has_code(code, coding::SNOMED, coding::NO_KNOWN_ALLERGY) {
                    changes.retract(found, "not asked");
                }
            }
            Ok(())
        })
    }

    /// Refutes an allergy: it was looked into, and it is none. The statement stays, and the
    /// refutation names the version that it refutes.
    pub fn refute_allergy(
        self: &Arc<Self>,
        actor: &Actor,
        patient: &ResourceId,
        allergy: &ResourceId,
        reason: &str,
    ) -> Result<(), AppError> {
        let reason = reason.trim().to_owned();
        if reason.is_empty() {
            return Err(AppError::Field { field: "reason", why: "reason" });
        }
        let (allergy, chart) = (allergy.clone(), ChartId::Patient(patient.clone()));
        self.allergy_change(actor, patient, move |app, stated, author, _, changes| {
            let found = stated.iter().find(|found| found.shown.id == allergy);
            let found = found.ok_or(AppError::NotFound)?;
            if found.shown.chart != chart {
                // Both charts stay whole: it is refuted where it was said.
                return Err(AppError::State("other-chart"));
            }
            let mut refuted = document(found)?;
            refuted["resourceType"] = json!("AllergyIntolerance");
            refuted["clinicalStatus"] = coding::concept(coding::ALLERGY_CLINICAL, "inactive");
            refuted["verificationStatus"] =
                coding::concept(coding::ALLERGY_VERIFICATION, "refuted");
            let versions: Vec<String> = found.heads().iter().map(ToString::to_string).collect();
            let refutes = json!({ "valueString": versions.join(" ") });
            set_extension(&mut refuted, coding::REFUTES, Some(refutes));
            refuted["note"] = json!([{
                "authorReference": { "reference": author },
                "time": app.now().to_fhir(app.utc_offset_minutes()),
                "text": reason,
            }]);
            changes.update(found, refuted);
            Ok(())
        })
    }

    fn allergy_change(
        self: &Arc<Self>,
        actor: &Actor,
        patient: &ResourceId,
        change: impl FnOnce(&Self, &[Found], &str, Value, &mut Changes) -> Result<(), AppError>
        + Send
        + 'static,
    ) -> Result<(), AppError> {
        let chart = ChartId::Patient(patient.clone());
        let (app, actor, patient) = (self.clone(), actor.clone(), patient.clone());
        let subject = json!({ "reference": format!("Patient/{patient}") });
        self.transact(move |tx| {
            app.may(&*tx, &actor, Action::WriteEntry, &chart, None)?;
            let mut stated = View::chart(&*tx, &chart, &["AllergyIntolerance"])?;
            for other in one_person(&*tx, &patient)?.others(&patient) {
                let other = ChartId::Patient(other.clone());
                stated.extend(View::chart(&*tx, &other, &["AllergyIntolerance"])?);
            }
            let mut changes = Changes::new(Class::Care);
            change(&app, &stated, &actor.reference(), subject, &mut changes)?;
            if !changes.is_empty() {
                app.append(tx, &actor, changes)?;
            }
            Ok(())
        })
    }
}

fn statement(app: &App, author: &str, subject: &Value, code: &Value) -> Value {
    json!({
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": coding::concept(coding::ALLERGY_CLINICAL, "active"),
        "verificationStatus": coding::concept(coding::ALLERGY_VERIFICATION, "confirmed"),
        "code": code,
        "patient": subject,
        "recordedDate": app.now().to_fhir(app.utc_offset_minutes()),
        "recorder": { "reference": author },
    })
}
