//! From what was typed to resources of R4.

use ondol_fhir::views::quantity;
use ondol_kernel::Millis;
use serde_json::{Value, json};

use super::visit::{TypedDiagnosis, TypedMedicine, Visit};
use crate::{Actor, App, AppError, coding};

/// LOINC: blood pressure panel with all children optional (R4 vital signs, bp).
pub(crate) const PRESSURE: &str = "85354-9";
/// LOINC: oxygen saturation in arterial blood, which R4's vital signs (oxygensat) ask for beside
/// the code for pulse oximetry.
const SATURATION: &str = "2708-6";
/// LOINC: pregnancy status, and its answers.
pub(crate) const PREGNANCY: &str = "82810-3";
pub(super) const PREGNANT: &str = "LA15173-0";
const NOT_PREGNANT: &str = "LA26683-5";

/// What the resources of a visit have in common.
pub(super) struct Around<'a> {
    pub app: &'a App,
    pub actor: &'a Actor,
    pub subject: Value,
    pub encounter: Value,
    pub at: Millis,
}

impl Around<'_> {
    fn time(&self) -> String {
        self.at.to_fhir(self.app.utc_offset_minutes())
    }

    fn who(&self) -> Value {
        json!({ "reference": self.actor.reference() })
    }
}

/// All resources of a visit but the encounter itself.
pub(super) fn resources(around: &Around<'_>, visit: &Visit) -> Result<Vec<Value>, AppError> {
    let mut all = vec![];
    let mut pressures = vec![];
    for typed in &visit.vitals {
        let (vital, _) = typed.read()?;
        let unit = vital.measure.map_or("", |guard| guard.unit);
        let value = quantity(&typed.value, unit, unit)
            .ok_or(AppError::Field { field: typed.key, why: "number" })?;
        if matches!(typed.key, "systolic-pressure" | "diastolic-pressure") {
            let code = coding::concept(coding::LOINC, vital.loinc);
            pressures.push(json!({ "code": code, "valueQuantity": value }));
            continue;
        }
        let mut observation = measured(around, vital.loinc);
        if typed.key == "oxygen-saturation" {
            let second = json!({ "system": coding::LOINC, "code": SATURATION });
            if let Some(codings) = observation["code"]["coding"].as_array_mut() {
                codings.push(second);
            }
        }
        observation["valueQuantity"] = value;
        all.push(observation);
    }
    if !pressures.is_empty() {
        let mut panel = measured(around, PRESSURE);
        panel["component"] = Value::Array(pressures);
        all.push(panel);
    }
    if let Some(alertness) = visit.alertness
        && let Some(vital) = ondol_terms::vital("consciousness")
    {
        let mut observation = measured(around, vital.loinc);
        let letter = alertness.letter().to_string();
        observation["valueCodeableConcept"] = coding::concept(coding::AVPU, &letter);
        all.push(observation);
    }
    if let Some(pregnant) = visit.pregnant {
        let mut observation = measured(around, PREGNANCY);
        observation.as_object_mut().map(|members| members.shift_remove("category"));
        let answer = if pregnant { PREGNANT } else { NOT_PREGNANT };
        observation["valueCodeableConcept"] = coding::concept(coding::LOINC, answer);
        all.push(observation);
    }
    all.extend(visit.diagnoses.iter().map(|typed| condition(around, typed)));
    all.extend(visit.medicines.iter().map(|typed| medicine(around, typed)));
    if !visit.note.trim().is_empty() {
        all.push(json!({
            "resourceType": "ClinicalImpression",
            "status": "completed",
            "subject": around.subject,
            "encounter": around.encounter,
            "effectiveDateTime": around.time(),
            "assessor": around.who(),
            "summary": visit.note.trim(),
        }));
    }
    Ok(all)
}

fn measured(around: &Around<'_>, loinc: &str) -> Value {
    json!({
        "resourceType": "Observation",
        "status": "final",
        "category": [coding::concept(coding::OBSERVATION_CATEGORY, "vital-signs")],
        "code": coding::concept(coding::LOINC, loinc),
        "subject": around.subject,
        "encounter": around.encounter,
        "effectiveDateTime": around.time(),
        "performer": [around.who()],
    })
}

fn condition(around: &Around<'_>, typed: &TypedDiagnosis) -> Value {
    let mut code = json!({});
    if let Some(icd) = &typed.code {
        code = coding::concept(coding::ICD10, icd);
    }
    if !typed.words.trim().is_empty() {
        code["text"] = json!(typed.words.trim());
    }
    let category = if typed.lasting { "problem-list-item" } else { "encounter-diagnosis" };
    json!({
        "resourceType": "Condition",
        "clinicalStatus": coding::concept(coding::CONDITION_CLINICAL, "active"),
        "category": [coding::concept(coding::CONDITION_CATEGORY, category)],
        "code": code,
        "subject": around.subject,
        "encounter": around.encounter,
        "recordedDate": around.time(),
        "recorder": around.who(),
    })
}

fn medicine(around: &Around<'_>, typed: &TypedMedicine) -> Value {
    let mut concept = json!({});
    if let Some(atc) = &typed.atc {
        concept = coding::concept(coding::ATC, atc);
    }
    let words: Vec<&str> =
        [typed.name.trim(), typed.strength.trim()].into_iter().filter(|w| !w.is_empty()).collect();
    if !words.is_empty() {
        concept["text"] = json!(words.join(" "));
    }
    let mut dosage = json!({});
    if !typed.dose.trim().is_empty() {
        dosage["text"] = json!(typed.dose.trim());
    }
    if let Some(days) = typed.days {
        // For how long, in R4's words: a boundary of so many days.
        let bounds = json!({ "value": days, "unit": "d", "system": coding::UCUM, "code": "d" });
        dosage["timing"] = json!({ "repeat": { "boundsDuration": bounds } });
    }
    let dosage = dosage.as_object().is_some_and(|d| !d.is_empty()).then(|| json!([dosage]));
    let mut resource = if typed.taken_already {
        json!({
            "resourceType": "MedicationStatement",
            "status": "active",
            "medicationCodeableConcept": concept,
            "subject": around.subject,
            "context": around.encounter,
            "dateAsserted": around.time(),
            "informationSource": around.who(),
        })
    } else {
        json!({
            "resourceType": "MedicationRequest",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": concept,
            "subject": around.subject,
            "encounter": around.encounter,
            "authoredOn": around.time(),
            "requester": around.who(),
        })
    };
    if let Some(dosage) = dosage {
        let member = if typed.taken_already { "dosage" } else { "dosageInstruction" };
        resource[member] = dosage;
    }
    resource
}

/// By what a resource of a visit is known again when the visit is corrected: two with the same key
/// are versions of one.
pub(super) fn key(resource_type: &str, resource: &Value) -> String {
    let code = &resource["code"];
    let said = match resource_type {
        "Observation" => coding::code_of(code, coding::LOINC).unwrap_or(""),
        "Condition" => {
            coding::code_of(code, coding::ICD10).or_else(|| code["text"].as_str()).unwrap_or("")
        }
        "MedicationRequest" | "MedicationStatement" => {
            let medicine = &resource["medicationCodeableConcept"];
            medicine["text"]
                .as_str()
                .or_else(|| coding::code_of(medicine, coding::ATC))
                .unwrap_or("")
        }
        _ => "",
    };
    format!("{resource_type}/{said}")
}
