//! Typing in what was written on a form during a power cut: each row by itself.

use std::sync::Arc;

use ondol_access::{Action, Denial};
use ondol_kernel::{Class, Millis, ResourceId};
use ondol_record::{ChartId, Entry};
use ondol_store::{Filter, Order, Query, Test, View};
use serde_json::json;

use super::downtime::{done, form, set_done};
use crate::{
    Actor, App, AppError, Changes,
    encounter::{TypedDiagnosis, TypedMedicine, TypedVital, Visit, Whose, save_within},
    people::{Birth, Registration, Sex, new_patient, nobody, person_of, plain, register_within},
};

/// A row of a form as it was typed; every field may be empty but for who and what.
#[derive(Clone, Default)]
pub struct TypedRow {
    /// The number of a person who has one; empty for the number that is reserved for the row.
    pub number: String,
    /// The name.
    pub name: String,
    /// The sex.
    pub sex: Option<Sex>,
    /// The age in completed years.
    pub age_years: Option<u32>,
    /// The complaint.
    pub complaint: String,
    /// The temperature in °C, in plain form.
    pub temperature: String,
    /// The blood pressure: upper and lower, in mmHg, in plain form.
    pub pressure: Option<(String, String)>,
    /// The diagnosis: a code, one of the names of the list, or plain words.
    pub diagnosis: String,
    /// The medicine with dose, in plain words.
    pub medicine: String,
    /// When the person was seen.
    pub at: Option<Millis>,
    /// `Practitioner` who saw the person, where somebody else types.
    pub by: Option<ResourceId>,
    /// Whether somebody looked again at values that seem impossible.
    pub checked: bool,
    /// Whether somebody of the same name who is here already is another person.
    pub another: bool,
}

impl TypedRow {
    fn visit(&self) -> Visit {
        let vital = |key, value: &str| TypedVital { key, value: value.to_owned() };
        let mut vitals = vec![];
        if !self.temperature.is_empty() {
            vitals.push(vital("body-temperature", &self.temperature));
        }
        if let Some((upper, lower)) = &self.pressure {
            vitals.push(vital("systolic-pressure", upper));
            vitals.push(vital("diastolic-pressure", lower));
        }
        let diagnosis = self.diagnosis.trim();
        let medicine = self.medicine.trim();
        Visit {
            complaint: self.complaint.clone(),
            vitals,
            checked: self.checked,
            diagnoses: (!diagnosis.is_empty()).then(|| coded(diagnosis)).into_iter().collect(),
            medicines: (!medicine.is_empty()).then(|| given(medicine)).into_iter().collect(),
            at: self.at,
            ..Visit::default()
        }
    }

    fn registration(&self, app: &App, number: &str) -> Registration {
        let birth = self.age_years.map(|years| Birth::of_age(years, app.today()));
        Registration {
            name: self.name.clone(),
            sex: self.sex,
            birth,
            resident: true,
            number: Some(number.to_owned()),
            ..Registration::default()
        }
    }
}

/// A diagnosis of the list if exactly this code or name was written, or a synonym of one entry
/// alone; else plain words.
fn coded(typed: &str) -> TypedDiagnosis {
    use ondol_terms::hangul::fold;
    let asked = fold(typed);
    let named = |entry: &&ondol_terms::Diagnosis| {
        [entry.code, entry.ko, entry.en].into_iter().any(|name| fold(name) == asked)
    };
    let also = |entry: &&ondol_terms::Diagnosis| {
        let mut names = entry.synonyms_ko.iter().chain(&entry.synonyms_en);
        names.any(|name| fold(name) == asked)
    };
    // A word that means two things of the list is left as it was written.
    let only = || {
        let mut entries = ondol_terms::diagnoses().iter().filter(also);
        entries.next().filter(|_| entries.next().is_none())
    };
    let exact = ondol_terms::diagnoses().iter().find(named).or_else(only);
    let words = if exact.is_some() { String::new() } else { typed.to_owned() };
    TypedDiagnosis { code: exact.map(|entry| entry.code.to_owned()), words, lasting: false }
}

/// A medicine as it was written. It was given during the power cut already: it is noted, so that
/// a nurse may type it in too, and not prescribed a second time.
fn given(typed: &str) -> TypedMedicine {
    use ondol_terms::hangul::fold;
    let first = typed.split_whitespace().next().unwrap_or(typed);
    let exact = ondol_terms::medicines()
        .iter()
        .find(|entry| fold(entry.ko) == fold(first) || fold(entry.inn) == fold(first));
    TypedMedicine {
        atc: exact.map(|entry| entry.atc.to_owned()),
        name: typed.to_owned(),
        strength: String::new(),
        dose: String::new(),
        days: None,
        taken_already: true,
    }
}

/// Who a row is about.
enum Who {
    Known(ResourceId),
    New(String),
}

impl App {
    /// Saves one row of a form: the person, if new, and the visit, in one transaction. Gives the
    /// person.
    pub fn enter_row(
        self: &Arc<Self>,
        actor: &Actor,
        name: &str,
        place: usize,
        row: TypedRow,
    ) -> Result<ResourceId, AppError> {
        if row.complaint.trim().is_empty() && row.diagnosis.trim().is_empty() {
            return Err(AppError::Field { field: "complaint", why: "missing" });
        }
        let who = self.who(actor, name, place, &row)?;
        let (app, actor, name) = (self.clone(), actor.clone(), name.to_owned());
        self.transact(move |tx| {
            app.may_type_forms(&*tx, &actor)?;
            if done(&*tx, &name, place)?.is_some() {
                return Err(AppError::State("row-done"));
            }
            let mut changes = Changes::new(Class::Care);
            if let Some(by) = &row.by {
                changes.by(&format!("Practitioner/{by}"));
            }
            let visit = row.visit();
            let on = visit.at.unwrap_or_else(|| app.now()).local(app.utc_offset_minutes()).0;
            let (patient, known) = match &who {
                Who::Known(patient) => {
                    let chart = ChartId::Patient(patient.clone());
                    app.may_receive_or_write(&*tx, &actor, &chart)?;
                    let birth = person_of(&*tx, patient)?.birth;
                    visit.check(Whose { birth, on, pregnant: false }, app.now())?;
                    let subject = json!({ "reference": format!("Patient/{patient}") });
                    let known =
                        save_within(&app, tx, &actor, &chart, subject, &visit, &mut changes)?;
                    (Some(patient.clone()), known)
                }
                Who::New(number) => {
                    let of = row.registration(&app, number);
                    let birth = of.birth.unwrap_or(Birth::Unknown);
                    visit.check(Whose { birth, on, pregnant: false }, app.now())?;
                    let (subject, _) = register_within(&app, tx, &actor, &of, None, &mut changes)?;
                    let chart = ChartId::Patient(nobody()?);
                    save_within(&app, tx, &actor, &chart, subject, &visit, &mut changes)?;
                    (None, None)
                }
            };
            let entries = app.append(tx, &actor, changes)?;
            let patient = patient.map_or_else(|| new_patient(&entries), Ok)?;
            let encounter = known.map_or_else(|| new_encounter(&entries), Ok)?;
            set_done(tx, &name, place, &patient, &encounter)?;
            Ok(patient)
        })
    }

    fn who(
        self: &Arc<Self>,
        actor: &Actor,
        name: &str,
        place: usize,
        row: &TypedRow,
    ) -> Result<Who, AppError> {
        let view = self.view()?;
        let form = form(&*view, name)?;
        let reserved = place.checked_sub(1).and_then(|at| form.numbers.get(at));
        let reserved = reserved.ok_or(AppError::NotFound)?.clone();
        let number = plain(&row.number);
        let asked = if number.is_empty() { reserved.as_str() } else { number.as_str() };
        if let Some(known) = with_number(&*view, asked)? {
            return Ok(Who::Known(known));
        }
        if asked != reserved {
            return Err(AppError::Field { field: "number", why: "unknown" });
        }
        drop(view);
        if !row.another {
            let of = row.registration(self, &reserved);
            if !self.possible_duplicates(actor, &of)?.is_empty() {
                return Err(AppError::Field { field: "name", why: "same-name" });
            }
        }
        Ok(Who::New(reserved))
    }

    /// Whoever was seen was here: writing needs no other relation.
    fn may_receive_or_write(
        &self,
        view: &dyn View,
        actor: &Actor,
        chart: &ChartId,
    ) -> Result<(), AppError> {
        match self.may(view, actor, Action::WriteEntry, chart, None) {
            Err(AppError::Denied(Denial::NothingPermits | Denial::LeaseEnded { .. })) => {
                self.may(view, actor, Action::ReceivePatient, chart, None)?;
                Ok(())
            }
            other => other.map(|_| ()),
        }
    }
}

/// The one person with a number; `None` if nobody or more than one has it.
fn with_number(view: &dyn View, number: &str) -> Result<Option<ResourceId>, AppError> {
    let test = Test::Token { system: None, code: Some(number.into()) };
    let query = Query {
        resource_type: "Patient".into(),
        chart: None,
        filters: vec![Filter { parameter: "identifier".into(), any: vec![test] }],
        order: Order::Arrival,
        limit: 2,
        after: None,
    };
    let mut hits = view.search(&query)?.hits;
    Ok(if hits.len() == 1 { hits.pop().map(|hit| hit.found.shown.id) } else { None })
}

fn new_encounter(entries: &[Entry]) -> Result<ResourceId, AppError> {
    let mut changes = entries.iter().flat_map(|entry| &entry.changes);
    let new = changes.find(|c| &*c.resource_type == "Encounter" && c.id_is_derived);
    new.map(|change| change.id.clone()).ok_or(AppError::Unexpected("a visit was not made"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_list_is_coded_and_the_rest_stays_as_written() {
        assert_eq!(coded("j20.9").code.as_deref(), Some("J20.9"));
        assert_eq!(coded("고혈압").code.as_deref(), Some("I10"));
        assert!(coded("위염").code.is_none(), "acute and chronic are both called so");
        assert_eq!(coded("급성위염").code.as_deref(), Some("K29.1"));
        let plain = coded("배가 차다");
        assert!(plain.code.is_none() && plain.words == "배가 차다");
        assert_eq!(given("라니티딘 150 mg 하루 2번").atc.as_deref(), Some("A02BA02"));
    }
}
