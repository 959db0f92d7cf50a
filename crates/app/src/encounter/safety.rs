//! The safety summary: allergies, medicines, problems, pregnancy. Pure folds over what is in a
//! chart, since both ends write while the link is down (ARCHITECTURE.md, 'Versions').

use ondol_kernel::{DAY_MS, Millis, ResourceId};
use ondol_record::{ChartId, entry::ChangeKind};
use ondol_store::{Found, Stored, View};
use serde_json::Value;

use super::build::{PREGNANCY, PREGNANT};
use crate::{
    AppError, coding,
    people::{document, items, one_person},
};

/// For so long a pregnancy that was noted is taken to go on, ms: 42 weeks. Our own choice: no
/// pregnancy that was known at its beginning goes on for longer.
const PREGNANCY_MS: i64 = 42 * 7 * DAY_MS;

/// A prescription that says for no number of days counts as current for so long, ms. Our own
/// choice.
const OPEN_END_MS: i64 = 180 * DAY_MS;

/// What is known of allergies: three different things.
#[derive(Clone, PartialEq, Eq)]
pub enum Allergies {
    /// Nobody has asked.
    NotAsked,
    /// Somebody has asked, and none are known.
    NoneKnown {
        /// When.
        at: Millis,
        /// Who: a FHIR reference.
        by: String,
    },
    /// These.
    Known(Vec<Allergy>),
}

/// An allergy.
#[derive(Clone, PartialEq, Eq)]
pub struct Allergy {
    /// The `AllergyIntolerance`.
    pub id: ResourceId,
    /// The chart that says it.
    pub chart: ChartId,
    /// The ATC code of a medicine, if it is one of the list.
    pub atc: Option<String>,
    /// To what, in words.
    pub words: String,
    /// What happened.
    pub reaction: String,
    /// Whether it can kill.
    pub severe: bool,
    /// When it was written.
    pub at: Millis,
    /// Who wrote it: a FHIR reference.
    pub by: String,
    /// Whether two versions stand side by side.
    pub two_versions: bool,
}

/// A medicine that the person takes now.
#[derive(Clone, PartialEq, Eq)]
pub struct CurrentMedicine {
    /// The `MedicationRequest` or `MedicationStatement`.
    pub id: ResourceId,
    /// The chart that says it.
    pub chart: ChartId,
    /// Its type.
    pub resource_type: String,
    /// The ATC code, if it is in the list.
    pub atc: Option<String>,
    /// Name and strength, in words.
    pub words: String,
    /// How it is taken.
    pub dose: String,
    /// Since when.
    pub since: Millis,
    /// Until when, if anybody said.
    pub until: Option<Millis>,
    /// Two versions: to be confirmed before giving.
    pub two_versions: bool,
}

/// A lasting problem.
#[derive(Clone, PartialEq, Eq)]
pub struct Problem {
    /// The Condition.
    pub id: ResourceId,
    /// The chart that says it.
    pub chart: ChartId,
    /// The ICD-10 code, if it has one.
    pub code: Option<String>,
    /// In words.
    pub words: String,
    /// Since when it is known.
    pub since: Millis,
    /// Whether two versions stand side by side.
    pub two_versions: bool,
}

/// What was last said about a pregnancy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pregnancy {
    /// Whether she was pregnant.
    pub pregnant: bool,
    /// When that was noted.
    pub at: Millis,
}

/// The blood group, as it stands in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blood {
    /// Nobody has said.
    NotKnown,
    /// As it was written.
    Group(String),
    /// Two were written that are not the same: none of them is to be believed.
    Unlike,
}

/// What everybody who treats has to know first. It has no `Debug`: it tells of somebody.
#[derive(Clone, PartialEq, Eq)]
pub struct Safety {
    /// Allergies.
    pub allergies: Allergies,
    /// Allergies that were refuted, each a fact of its own.
    pub refuted: Vec<Allergy>,
    /// Medicines that are taken now.
    pub medicines: Vec<CurrentMedicine>,
    /// Lasting problems.
    pub problems: Vec<Problem>,
    /// Pregnancy, if it was noted and may still go on.
    pub pregnancy: Option<Pregnancy>,
    /// The blood group.
    pub blood: Blood,
    /// The last weight: the number, its unit and when it was taken.
    pub weight: Option<(String, String, Millis)>,
}

/// LOINC: ABO and Rh group in blood; ABO group in blood; Rh in blood.
const BLOOD: [&str; 3] = ["882-1", "883-9", "10331-7"];

/// The types that a safety summary is made of.
const TYPES: [&str; 5] =
    ["AllergyIntolerance", "MedicationRequest", "MedicationStatement", "Condition", "Observation"];

/// What the summary of a chart is made of. Of a long chart most are observations that say nothing
/// of it: they are let go as they are read.
pub(crate) fn stated(view: &dyn View, chart: &ChartId) -> Result<Vec<Found>, AppError> {
    Ok(view.chart_where(chart, &TYPES, &mut counts)?)
}

/// What the summary of a person is made of: of all charts of the person, when several are linked.
pub(crate) fn stated_of_person(view: &dyn View, id: &ResourceId) -> Result<Vec<Found>, AppError> {
    let mut all = vec![];
    for chart in one_person(view, id)?.charts() {
        all.extend(stated(view, &chart)?);
    }
    Ok(all)
}

/// Whether a resource can say something of the summary.
pub(super) fn counts(found: &Found) -> bool {
    let weight = ondol_terms::vital("body-weight");
    &*found.shown.resource_type != "Observation"
        || is_observation(found, PREGNANCY)
        || BLOOD.iter().any(|code| is_observation(found, code))
        || weight.is_some_and(|vital| is_observation(found, vital.loinc))
}

/// Folds the summary out of a chart's resources.
pub(crate) fn fold(all: &[Found], now: Millis) -> Result<Safety, AppError> {
    let of = |name: &'static str| all.iter().filter(move |f| &*f.shown.resource_type == name);
    let (allergies, refuted) = allergies(of("AllergyIntolerance"))?;
    let mut medicines = vec![];
    for found in of("MedicationRequest").chain(of("MedicationStatement")) {
        medicines.extend(medicine(found, now)?);
    }
    medicines.sort_by_key(|medicine| std::cmp::Reverse(medicine.since));
    let mut problems = vec![];
    for found in of("Condition") {
        problems.extend(problem(found)?);
    }
    Ok(Safety {
        allergies,
        refuted,
        medicines,
        problems,
        pregnancy: pregnancy(all, now)?,
        blood: blood(all)?,
        weight: weight(all)?,
    })
}

fn parsed(stored: &Stored) -> Result<Value, AppError> {
    serde_json::from_str(&stored.body).map_err(|_| AppError::Unexpected("a version in the store"))
}

/// The document with its moment: what the resource itself says, else when it was written.
fn moment(document: &Value, members: &[&str], stored: &Stored) -> Millis {
    members
        .iter()
        .find_map(|name| day_or_instant(document[*name].as_str()?))
        .or(stored.care_time)
        .unwrap_or_else(|| stored.hlc.millis())
}

/// When something was so: what the resource itself says, else when it was written.
pub(crate) fn care_moment(document: &Value, stored: &Stored) -> Millis {
    const MEMBERS: [&str; 12] = [
        "effectiveDateTime",
        "effectiveInstant",
        "performedDateTime",
        "occurrenceDateTime",
        "onsetDateTime",
        "authoredOn",
        "dateAsserted",
        "recordedDate",
        "recordedOn",
        "recorded",
        "timingDateTime",
        "issued",
    ];
    let period = ["effectivePeriod", "performedPeriod", "onsetPeriod"]
        .iter()
        .find_map(|name| day_or_instant(document[*name]["start"].as_str()?));
    period.unwrap_or_else(|| moment(document, &MEMBERS, stored))
}

/// An instant, or the beginning of a day, month or year (UTC).
pub(super) fn day_or_instant(text: &str) -> Option<Millis> {
    Some(ondol_fhir::Temporal::parse(text)?.range(0).0)
}

/// What a concept says in words. A code of our own lists has its words there; another code stands
/// for itself rather than for nothing.
pub(crate) fn words(concept: &Value) -> String {
    let said = concept["text"].as_str();
    let shown = || items(&concept["coding"]).find_map(|coding| coding["display"].as_str());
    let listed =
        [coding::ATC, coding::ICD10].iter().any(|of| coding::code_of(concept, of).is_some());
    let code = || {
        let mut codes = items(&concept["coding"]).filter(|_| !listed);
        codes.find_map(|coding| coding["code"].as_str())
    };
    said.or_else(shown).or_else(code).unwrap_or("").to_owned()
}

/// Allergies of all heads: an allergy that anybody still states beats a refutation and a 'none
/// known' that were written at the same time elsewhere.
fn allergies<'a>(
    all: impl Iterator<Item = &'a Found>,
) -> Result<(Allergies, Vec<Allergy>), AppError> {
    let (mut known, mut refuted) = (vec![], vec![]);
    let mut none: Option<(Millis, String)> = None;
    for found in all {
        let heads = std::iter::once(&found.shown).chain(&found.rivals);
        let mut stated = None;
        let mut denied = None;
        for head in heads.filter(|head| head.kind == ChangeKind::Put) {
            let document = parsed(head)?;
            let verification =
                coding::code_of(&document["verificationStatus"], coding::ALLERGY_VERIFICATION);
            if verification == Some("entered-in-error") {
                continue;
            }
            let refutes = verification == Some("refuted");
            let nothing =
                coding::has_code(&document["code"], coding::SNOMED, coding::NO_KNOWN_ALLERGY);
            if nothing && !refutes {
                let at = moment(&document, &["recordedDate"], head);
                let newer = none.as_ref().is_none_or(|(known, _)| *known < at);
                if newer {
                    none = Some((at, head.author.to_string()));
                }
            } else if !nothing {
                let slot = if refutes { &mut denied } else { &mut stated };
                slot.get_or_insert_with(|| allergy(&document, head, !found.rivals.is_empty()));
            }
        }
        match (stated, denied) {
            (Some(stated), _) => known.push(stated),
            (None, Some(denied)) => refuted.push(denied),
            (None, None) => {}
        }
    }
    let allergies = match (known.is_empty(), none) {
        (false, _) => Allergies::Known(known),
        (true, Some((at, by))) => Allergies::NoneKnown { at, by },
        (true, None) => Allergies::NotAsked,
    };
    Ok((allergies, refuted))
}

fn allergy(document: &Value, head: &Stored, two_versions: bool) -> Allergy {
    let reactions: Vec<String> = items(&document["reaction"])
        .flat_map(|reaction| items(&reaction["manifestation"]))
        .map(words)
        .filter(|text| !text.is_empty())
        .collect();
    let severe = document["criticality"] == "high"
        || items(&document["reaction"]).any(|reaction| reaction["severity"] == "severe");
    Allergy {
        id: head.id.clone(),
        chart: head.chart.clone(),
        atc: coding::code_of(&document["code"], coding::ATC).map(str::to_owned),
        words: words(&document["code"]),
        reaction: reactions.join(", "),
        severe,
        at: moment(document, &["recordedDate"], head),
        by: head.author.to_string(),
        two_versions,
    }
}

fn medicine(found: &Found, now: Millis) -> Result<Option<CurrentMedicine>, AppError> {
    if found.is_retracted() {
        return Ok(None);
    }
    let document = document(found)?;
    // In conflict it is one line as soon as either version says that it is taken.
    let active =
        |value: &Value| matches!(value["status"].as_str(), Some("active" | "intended" | "on-hold"));
    let mut any = active(&document);
    for rival in found.rivals.iter().filter(|rival| rival.kind == ChangeKind::Put) {
        any |= active(&parsed(rival)?);
    }
    if !any {
        return Ok(None);
    }
    let since =
        moment(&document, &["authoredOn", "dateAsserted", "effectiveDateTime"], &found.shown);
    let dosage = items(&document["dosageInstruction"]).chain(items(&document["dosage"])).next();
    let days = dosage.and_then(|d| d["timing"]["repeat"]["boundsDuration"]["value"].as_i64());
    let until = days.map(|days| since.plus(days.saturating_mul(DAY_MS)));
    let stated = &*found.shown.resource_type == "MedicationStatement";
    let ends = until.or_else(|| (!stated).then(|| since.plus(OPEN_END_MS)));
    if ends.is_some_and(|ends| ends < now) {
        return Ok(None);
    }
    Ok(Some(CurrentMedicine {
        id: found.shown.id.clone(),
        chart: found.shown.chart.clone(),
        resource_type: found.shown.resource_type.to_string(),
        atc: coding::code_of(&document["medicationCodeableConcept"], coding::ATC)
            .map(str::to_owned),
        words: words(&document["medicationCodeableConcept"]),
        dose: dosage.and_then(|d| d["text"].as_str()).unwrap_or("").to_owned(),
        since,
        until,
        two_versions: !found.rivals.is_empty(),
    }))
}

fn problem(found: &Found) -> Result<Option<Problem>, AppError> {
    if found.is_retracted() {
        return Ok(None);
    }
    let document = document(found)?;
    let lasting =
        coding::has_code(&document["category"], coding::CONDITION_CATEGORY, "problem-list-item");
    let clinical = coding::code_of(&document["clinicalStatus"], coding::CONDITION_CLINICAL);
    let active = matches!(clinical, None | Some("active" | "recurrence" | "relapse"));
    Ok((lasting && active).then(|| Problem {
        id: found.shown.id.clone(),
        chart: found.shown.chart.clone(),
        code: coding::code_of(&document["code"], coding::ICD10).map(str::to_owned),
        words: words(&document["code"]),
        since: moment(&document, &["onsetDateTime", "recordedDate"], &found.shown),
        two_versions: !found.rivals.is_empty(),
    }))
}

/// What was last said about a pregnancy, while it may still go on.
pub(crate) fn pregnancy(all: &[Found], now: Millis) -> Result<Option<Pregnancy>, AppError> {
    let mut last: Option<Pregnancy> = None;
    for found in all.iter().filter(|found| is_observation(found, PREGNANCY)) {
        let document = document(found)?;
        if !coding::has_code(&document["code"], coding::LOINC, PREGNANCY) {
            continue;
        }
        let at = moment(&document, &["effectiveDateTime"], &found.shown);
        let pregnant = coding::has_code(&document["valueCodeableConcept"], coding::LOINC, PREGNANT);
        if last.is_none_or(|last| last.at < at) {
            last = Some(Pregnancy { pregnant, at });
        }
    }
    Ok(last.filter(|last| now.0 - last.at.0 < PREGNANCY_MS))
}

/// The blood group that all statements agree on. Each of the three tests is a statement of its own.
fn blood(all: &[Found]) -> Result<Blood, AppError> {
    let mut groups = vec![];
    for loinc in BLOOD {
        let mut said: Option<String> = None;
        for found in all.iter().filter(|found| is_observation(found, loinc)) {
            for head in std::iter::once(&found.shown).chain(&found.rivals) {
                if head.kind != ChangeKind::Put {
                    continue;
                }
                let document = parsed(head)?;
                let wrong = matches!(
                    document["status"].as_str(),
                    Some("entered-in-error" | "cancelled" | "registered")
                );
                if wrong || !coding::has_code(&document["code"], coding::LOINC, loinc) {
                    continue;
                }
                let group = document["valueString"].as_str().map(str::to_owned);
                let group = group.unwrap_or_else(|| words(&document["valueCodeableConcept"]));
                let group = group.trim().to_owned();
                match &said {
                    _ if group.is_empty() => {}
                    Some(before) if *before != group => return Ok(Blood::Unlike),
                    _ => said = Some(group),
                }
            }
        }
        groups.extend(said);
    }
    Ok(if groups.is_empty() { Blood::NotKnown } else { Blood::Group(groups.join(" ")) })
}

fn weight(all: &[Found]) -> Result<Option<(String, String, Millis)>, AppError> {
    let Some(vital) = ondol_terms::vital("body-weight") else { return Ok(None) };
    let mut last: Option<(String, String, Millis)> = None;
    for found in all.iter().filter(|found| is_observation(found, vital.loinc)) {
        let document = document(found)?;
        let quantity = ondol_fhir::views::Quantity::read(&document["valueQuantity"]);
        let Some(quantity) = quantity else { continue };
        let Some(unit) = quantity.ucum() else { continue };
        let at = moment(&document, &["effectiveDateTime"], &found.shown);
        let coded = coding::has_code(&document["code"], coding::LOINC, vital.loinc);
        if coded && last.as_ref().is_none_or(|(_, _, known)| *known < at) {
            last = Some((quantity.value.to_owned(), unit.to_owned(), at));
        }
    }
    Ok(last)
}

/// A cheap look before the document is parsed.
fn is_observation(found: &Found, loinc: &str) -> bool {
    &*found.shown.resource_type == "Observation"
        && !found.is_retracted()
        && found.shown.body.contains(loinc)
}
