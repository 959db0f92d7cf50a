//! Visits as the timeline shows them, read back from resources.

use std::collections::{HashMap, HashSet};

use ondol_kernel::{Millis, ResourceId};
use ondol_record::ChartId;
use ondol_store::{Found, View};
use ondol_terms::Alertness;
use rust_decimal::Decimal;
use serde_json::Value;

use super::{
    build::{PREGNANCY, PREGNANT},
    safety::{Pregnancy, day_or_instant},
    save::{PARTS, parts_of},
    views::{DiagnosisView, MedicineView, Other, VisitView, VitalView},
    visit::{Verdict, Whose, judge},
};
use crate::{
    App, AppError, coding,
    people::{OPEN, Person, document, facility_name, items, practitioner_name},
};

/// When an Encounter began, as it says itself.
pub(super) fn start(encounter: &Value) -> Option<Millis> {
    day_or_instant(encounter["period"]["start"].as_str()?)
}

/// Reads visits out of a chart.
pub(crate) struct Reader<'a> {
    app: &'a App,
    view: &'a dyn View,
    person: &'a Person,
    /// What was last said about a pregnancy.
    pub(super) pregnancy: Option<Pregnancy>,
    names: HashMap<String, String>,
}

impl<'a> Reader<'a> {
    pub fn new(app: &'a App, view: &'a dyn View, person: &'a Person) -> Self {
        Self { app, view, person, pregnancy: None, names: HashMap::new() }
    }

    /// The newest visits in some charts by time of care, `skip` of them left out, at most `limit`;
    /// and whether there are older ones.
    pub fn visits(
        &mut self,
        charts: &[ChartId],
        skip: usize,
        limit: usize,
    ) -> Result<(Vec<VisitView>, bool), AppError> {
        let mut encounters = vec![];
        for chart in charts {
            for found in self.view.chart(chart, &["Encounter"])? {
                let encounter = document(&found)?;
                if encounter["status"] == "entered-in-error" {
                    continue;
                }
                let at = start(&encounter).unwrap_or_else(|| found.shown.hlc.millis());
                encounters.push((at, found, encounter));
            }
        }
        encounters.sort_by_key(|(at, found, _)| std::cmp::Reverse((*at, found.shown.hlc)));
        let older = encounters.len() > skip + limit;
        let shown: Vec<_> = encounters.into_iter().skip(skip).take(limit).collect();
        let mut parts: HashMap<String, Vec<(Found, Value)>> = HashMap::new();
        let ids: HashSet<&str> = shown.iter().map(|(_, of, _)| of.shown.id.as_str()).collect();
        // Only what belongs to one of the visits is kept and parsed.
        let mut wanted = |found: &Found| encounter_named(&found.shown.body, &ids).is_some();
        let mut found = vec![];
        for chart in charts {
            found.extend(self.view.chart_where(chart, &PARTS, &mut wanted)?);
        }
        for found in found {
            let Some(id) = encounter_named(&found.shown.body, &ids) else { continue };
            let document = document(&found)?;
            parts.entry(id.to_owned()).or_default().push((found, document));
        }
        let mut visits = vec![];
        for (at, found, encounter) in shown {
            let parts = parts.remove(found.shown.id.as_str()).unwrap_or_default();
            visits.push(self.visit(at, &found, &encounter, &parts)?);
        }
        Ok((visits, older))
    }

    /// One visit.
    pub fn one(&mut self, chart: &ChartId, id: &ResourceId) -> Result<VisitView, AppError> {
        let found = self.view.resource("Encounter", id)?.ok_or(AppError::NotFound)?;
        if found.shown.chart != *chart {
            return Err(AppError::NotFound);
        }
        if found.is_retracted() {
            return Err(AppError::Gone);
        }
        let encounter = document(&found)?;
        let at = start(&encounter).unwrap_or_else(|| found.shown.hlc.millis());
        let parts = parts_of(self.view, chart, id)?;
        self.visit(at, &found, &encounter, &parts)
    }

    /// A visit whose resources are at hand: sealed ones stand in no list of the chart.
    pub fn given(
        &mut self,
        found: &Found,
        encounter: &Value,
        parts: &[(Found, Value)],
    ) -> Result<VisitView, AppError> {
        let at = start(encounter).unwrap_or_else(|| found.shown.hlc.millis());
        self.visit(at, found, encounter, parts)
    }

    fn visit(
        &mut self,
        at: Millis,
        found: &Found,
        encounter: &Value,
        parts: &[(Found, Value)],
    ) -> Result<VisitView, AppError> {
        let facility = encounter["serviceProvider"]["reference"].as_str().unwrap_or("");
        let who = items(&encounter["participant"])
            .find_map(|of| of["individual"]["reference"].as_str())
            .unwrap_or(&found.shown.author);
        let status = encounter["status"].as_str().unwrap_or("");
        let complaints: Vec<String> = items(&encounter["reasonCode"]).map(words).collect();
        let mut visit = VisitView {
            id: found.shown.id.clone(),
            chart: found.shown.chart.clone(),
            at,
            written: found.shown.hlc.millis(),
            clock_doubtful: found.shown.clock_doubtful,
            by: self.name(who)?,
            typed_by: self.name(&found.shown.typist)?,
            here: facility == self.app.place.organization(),
            facility: self.facility(facility)?,
            open: OPEN.contains(&status),
            only_arrived: status == "arrived" && complaints.is_empty() && parts.is_empty(),
            complaint: complaints.join(", "),
            vitals: vec![],
            pregnant: None,
            diagnoses: vec![],
            medicines: vec![],
            notes: vec![],
            others: vec![],
            two_versions: !found.rivals.is_empty(),
        };
        for (found, document) in parts {
            visit.two_versions |= !found.rivals.is_empty();
            part(&mut visit, found, document)?;
        }
        let place = |key: &str| ondol_terms::vitals().iter().position(|vital| vital.key == key);
        visit.vitals.sort_by_key(|vital| place(vital.key));
        self.judge(&mut visit);
        Ok(visit)
    }

    /// What the values said on that day, at that age.
    fn judge(&self, visit: &mut VisitView) {
        let on = visit.at.local(self.app.utc_offset_minutes()).0;
        let noted = self.pregnancy.is_some_and(|noted| noted.pregnant && noted.at <= visit.at);
        let pregnant = visit.pregnant.unwrap_or(noted);
        let whose = Whose { birth: self.person.birth, on, pregnant };
        for view in &mut visit.vitals {
            let Some(vital) = ondol_terms::vital(view.key) else { continue };
            let letter = view.value.chars().next().and_then(Alertness::from_letter);
            let unit = vital.measure.map(|guard| guard.unit);
            view.verdict = match (view.value.parse::<Decimal>(), letter) {
                // A unit that is another one is never judged by our limits.
                (Ok(value), _) if unit == Some(&*view.unit) => judge(vital, value, whose),
                (Err(_), Some(letter)) => match letter.judge() {
                    ondol_terms::Judgement::Danger { level, source } => {
                        Verdict::Danger { level, source }
                    }
                    _ => Verdict::Fine,
                },
                _ => Verdict::Fine,
            };
        }
    }

    fn name(&mut self, reference: &str) -> Result<String, AppError> {
        if let Some(known) = self.names.get(reference) {
            return Ok(known.clone());
        }
        let name = practitioner_name(self.view, reference)?;
        self.names.insert(reference.to_owned(), name.clone());
        Ok(name)
    }

    fn facility(&mut self, reference: &str) -> Result<String, AppError> {
        if let Some(known) = self.names.get(reference) {
            return Ok(known.clone());
        }
        let name = facility_name(self.app, self.view, reference)?;
        self.names.insert(reference.to_owned(), name.clone());
        Ok(name)
    }
}

fn part(visit: &mut VisitView, found: &Found, of: &Value) -> Result<(), AppError> {
    let two_versions = !found.rivals.is_empty();
    match &*found.shown.resource_type {
        "Observation" => observation(visit, found, of)?,
        "Condition" => visit.diagnoses.push(DiagnosisView {
            code: coding::code_of(&of["code"], coding::ICD10).map(str::to_owned),
            words: said(&of["code"]),
            lasting: coding::has_code(
                &of["category"],
                coding::CONDITION_CATEGORY,
                "problem-list-item",
            ),
            two_versions,
        }),
        "ClinicalImpression" => {
            visit.notes.extend(of["summary"].as_str().map(str::to_owned));
            visit.notes.extend(of["description"].as_str().map(str::to_owned));
        }
        name => visit.medicines.push(medicine(of, name == "MedicationStatement", two_versions)),
    }
    Ok(())
}

/// Which of some encounters a body names.
fn encounter_named<'a>(body: &str, ids: &HashSet<&'a str>) -> Option<&'a str> {
    const NAME: &str = "Encounter/";
    let named = body.match_indices(NAME).filter_map(|(at, _)| {
        let rest = &body[at + NAME.len()..];
        rest.split('"').next()
    });
    named.into_iter().find_map(|id| ids.get(id).copied())
}

/// What a concept says in words; empty if only a code of a list says it.
fn said(concept: &Value) -> String {
    let shown = || items(&concept["coding"]).find_map(|coding| coding["display"].as_str());
    concept["text"].as_str().or_else(shown).unwrap_or("").to_owned()
}

fn words(concept: &Value) -> String {
    let code = || items(&concept["coding"]).find_map(|coding| coding["code"].as_str());
    let said = said(concept);
    if said.is_empty() { code().unwrap_or("").to_owned() } else { said }
}

/// The value of an observation or a component: number and unit, or words.
fn value(of: &Value) -> (String, String) {
    let quantity = ondol_fhir::views::Quantity::of_observation;
    if let Some(quantity) = of.as_object().and_then(quantity) {
        let unit = quantity.ucum().or(quantity.unit).unwrap_or("");
        return (quantity.value.to_owned(), unit.to_owned());
    }
    let text = of["valueString"].as_str().map(str::to_owned);
    let coded = || words(&of["valueCodeableConcept"]);
    (text.unwrap_or_else(coded), String::new())
}

fn observation(visit: &mut VisitView, found: &Found, of: &Value) -> Result<(), AppError> {
    let known = |code: &Value| {
        let codings = items(&code["coding"]).filter(|coding| coding["system"] == coding::LOINC);
        let codes: Vec<&str> = codings.filter_map(|coding| coding["code"].as_str()).collect();
        codes.into_iter().find_map(ondol_terms::vital_by_loinc)
    };
    if coding::has_code(&of["code"], coding::LOINC, PREGNANCY) {
        let pregnant = coding::has_code(&of["valueCodeableConcept"], coding::LOINC, PREGNANT);
        visit.pregnant = Some(pregnant);
        return Ok(());
    }
    let rival = match found.rivals.iter().find(|rival| !rival.body.is_empty()) {
        Some(rival) => Some(
            serde_json::from_str::<Value>(&rival.body)
                .map_err(|_| AppError::Unexpected("a version in the store"))?,
        ),
        None => None,
    };
    let components: Vec<&Value> = items(&of["component"]).collect();
    let mut all = vec![of];
    all.extend(&components);
    for (at, part) in all.into_iter().enumerate() {
        let (value, unit) = self::value(part);
        if value.is_empty() {
            continue;
        }
        let rival = rival.as_ref().map(|rival| {
            let part = if at == 0 { rival } else { &rival["component"][at - 1] };
            self::value(part).0
        });
        match known(&part["code"]) {
            Some(vital) => visit.vitals.push(VitalView {
                key: vital.key,
                value,
                unit,
                verdict: Verdict::Fine,
                rival: rival.filter(|rival| !rival.is_empty()),
            }),
            None => {
                let value = format!("{value} {unit}").trim().to_owned();
                visit.others.push(Other { words: words(&part["code"]), value });
            }
        }
    }
    Ok(())
}

fn medicine(of: &Value, taken_already: bool, two_versions: bool) -> MedicineView {
    let concept = &of["medicationCodeableConcept"];
    let dosage = items(&of["dosageInstruction"]).chain(items(&of["dosage"])).next();
    let days = dosage.and_then(|d| d["timing"]["repeat"]["boundsDuration"]["value"].as_u64());
    MedicineView {
        atc: coding::code_of(concept, coding::ATC).map(str::to_owned),
        words: words(concept),
        dose: dosage.and_then(|d| d["text"].as_str()).unwrap_or("").to_owned(),
        days: days.and_then(|days| u32::try_from(days).ok()),
        taken_already,
        two_versions,
    }
}
