//! The fields of a visit: from the form to what was typed, and back.

use ondol_app::AppError;
use ondol_app::encounter::{Judged, Safety, TypedVital, Verdict, Visit, VisitView};
use ondol_app::people::{Person, Sex};
use ondol_kernel::Millis;
use ondol_terms::Alertness;

use super::{diagnoses, medicines, said};
use crate::form::{Choice, Form, PartialDate, TypedDate};
use crate::page::Page;
use crate::screens::people::typed::{at, minutes_of};
use crate::texts::T;

/// The signs that most visits measure; the others stand behind 'more'.
const USUAL: [&str; 7] = [
    "body-temperature",
    "heart-rate",
    "respiratory-rate",
    "oxygen-saturation",
    "systolic-pressure",
    "diastolic-pressure",
    "body-weight",
];

/// A box for a number.
pub struct Box {
    /// The field's name.
    pub name: String,
    /// What is measured.
    pub label: String,
    /// The unit, fixed in the box.
    pub unit: String,
    /// What was measured last; may be empty.
    pub hint: String,
    /// How the box is marked: `bad`, `ask` or not at all.
    pub mark: &'static str,
}

/// The field of a sign.
fn name(key: &str) -> String {
    format!("v-{key}")
}

/// How the box of a vital sign is marked.
fn mark(judged: &[Judged], key: &str) -> &'static str {
    let of = judged.iter().filter(|one| one.key == key);
    let marks = of.map(|one| match one.verdict {
        Verdict::Danger { .. } => "bad",
        Verdict::AgeNeeded | Verdict::Impossible => "ask",
        _ => "",
    });
    marks.max_by_key(|mark| ["", "ask", "bad"].iter().position(|one| one == mark)).unwrap_or("")
}

/// The marks of all boxes, by their names.
pub fn marks(judged: &[Judged]) -> Vec<(String, &'static str)> {
    let measured = ondol_terms::vitals().iter().filter(|vital| vital.measure.is_some());
    measured.map(|vital| (name(vital.key), mark(judged, vital.key))).collect()
}

/// The boxes that are always there, and those behind 'more'.
pub fn boxes(page: &Page, safety: &Safety, judged: &[Judged]) -> (Vec<Box>, Vec<Box>) {
    let t = page.t;
    let measured = ondol_terms::vitals().iter().filter_map(|vital| Some((vital, vital.measure?)));
    let make = |(vital, guard): (&'static ondol_terms::Vital, ondol_terms::Guard)| {
        let hint = match &safety.weight {
            Some((value, unit, at)) if vital.key == "body-weight" => t
                .msg("encounter-last")
                .arg("value", format!("{value} {unit}"))
                .arg("when", page.when(at))
                .to_string(),
            _ => String::new(),
        };
        Box {
            name: name(vital.key),
            label: said::label(t, vital.key),
            unit: said::unit(t, guard.unit),
            hint,
            mark: mark(judged, vital.key),
        }
    };
    // The body mass index follows from weight and height; nobody types it.
    let (usual, more): (Vec<_>, Vec<_>) = measured
        .filter(|(vital, _)| vital.key != "body-mass-index")
        .partition(|(vital, _)| USUAL.contains(&vital.key));
    let place =
        |one: &(&'static ondol_terms::Vital, _)| USUAL.iter().position(|key| *key == one.0.key);
    let mut usual = usual;
    usual.sort_by_key(place);
    (usual.into_iter().map(make).collect(), more.into_iter().map(make).collect())
}

/// The steps of alertness.
pub fn steps(t: T) -> Vec<Choice> {
    Alertness::ALL.map(|step| Choice::new(step.letter(), said::alertness(t, step))).into()
}

/// Answers about a pregnancy.
pub fn pregnancy(t: T) -> Vec<Choice> {
    vec![
        Choice::new("yes", t.get("chart-pregnant")),
        Choice::new("no", t.get("chart-not-pregnant")),
    ]
}

/// Whether a pregnancy is asked for at all. The ages are our own choice and hinder nothing: at
/// others it is noted in words.
pub fn asks_pregnancy(page: &Page, person: &Person) -> bool {
    let years = person.birth.years(page.today());
    !matches!(person.sex, Some(Sex::Male)) && years.is_none_or(|years| (10..=55).contains(&years))
}

/// When the care was given.
pub fn whens(t: T) -> Vec<Choice> {
    vec![Choice::new("", t.get("encounter-now")), Choice::new("before", t.get("encounter-before"))]
}

/// The names of fields on the page.
pub fn labels(t: T) -> Vec<(&'static str, String)> {
    let mut labels = vec![
        ("complaint", t.get("encounter-complaint")),
        ("at", t.get("encounter-when")),
        ("dx-find", t.get("encounter-diagnosis")),
        ("med-find", t.get("encounter-medicine")),
        ("seal", t.get("seal-visit")),
        ("seal-for", t.get("seal-for")),
        ("reason", t.get("people-reason")),
        ("born", t.get("people-born")),
    ];
    labels.extend(VITAL_FIELDS.iter().map(|(key, field)| (*field, said::label(t, key))));
    labels
}

/// The fields of signs, as errors name them and as the form does.
const VITAL_FIELDS: [(&str, &str); 16] = [
    ("body-temperature", "v-body-temperature"),
    ("heart-rate", "v-heart-rate"),
    ("respiratory-rate", "v-respiratory-rate"),
    ("systolic-pressure", "v-systolic-pressure"),
    ("diastolic-pressure", "v-diastolic-pressure"),
    ("oxygen-saturation", "v-oxygen-saturation"),
    ("body-weight", "v-body-weight"),
    ("capillary-refill", "v-capillary-refill"),
    ("coma-score", "v-coma-score"),
    ("pain-score", "v-pain-score"),
    ("blood-glucose", "v-blood-glucose"),
    ("body-height", "v-body-height"),
    ("head-circumference", "v-head-circumference"),
    ("fetal-heart-rate", "v-fetal-heart-rate"),
    ("fundal-height", "v-fundal-height"),
    ("body-mass-index", "v-body-mass-index"),
];

/// An error with the field's name as this form has it.
pub fn renamed(error: AppError) -> AppError {
    match error {
        AppError::Field { field, why } => {
            let field = match field {
                "diagnosis" => "dx-find",
                "medicine" | "days" => "med-find",
                "readers" => "seal-for",
                other => {
                    let known = VITAL_FIELDS.iter().find(|(key, _)| *key == other);
                    known.map_or(other, |(_, field)| field)
                }
            };
            AppError::Field { field, why }
        }
        other => other,
    }
}

/// Reads the form; what cannot be read becomes a complaint.
pub fn read(page: &Page, form: &mut Form) -> Visit {
    let t = page.t;
    let mut vitals = vec![];
    for (key, field) in VITAL_FIELDS {
        if form.value(field).is_empty() {
            continue;
        }
        match form.number(field) {
            Some(value) => vitals.push(TypedVital { key, value }),
            None => form.complain(field, said::label(t, key), t.get("people-error-number")),
        }
    }
    let alertness = form.value("alertness").chars().next().and_then(Alertness::from_letter);
    let pregnant = match form.value("pregnant") {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    };
    Visit {
        complaint: form.value("complaint").to_owned(),
        vitals,
        alertness,
        pregnant,
        checked: form.value("checked") == "yes",
        after_death: form.value("after-death") == "yes",
        diagnoses: diagnoses::typed(form),
        medicines: medicines::typed(t, form),
        note: form.value("note").to_owned(),
        at: care_time(page, form),
        stays: form.value("stays") == "yes",
    }
}

/// The time of care; `None` for now.
pub fn care_time(page: &Page, form: &mut Form) -> Option<Millis> {
    let t = page.t;
    if form.value("when") != "before" {
        return None;
    }
    let date = match form.date("at") {
        TypedDate::Valid(PartialDate::Day(date)) => date,
        TypedDate::Empty => page.today(),
        _ => {
            form.complain("at", t.get("encounter-when"), t.get("people-error-date"));
            return None;
        }
    };
    let Some(minutes) = minutes_of(form.value("at-time")) else {
        form.complain("at-time", t.get("encounter-time"), t.get("people-error-time"));
        return None;
    };
    Some(at(page, date, minutes))
}

/// A form that holds a visit, to be corrected.
pub fn form_of(page: &Page, view: &VisitView) -> Form {
    let typed = view.to_typed();
    let mut fields: Vec<(String, String)> = vec![
        ("complaint".into(), typed.complaint),
        ("note".into(), typed.note),
        ("when".into(), "before".into()),
        ("at-time".into(), page.clock(&view.at)),
    ];
    let (date, _) = view.at.local(page.utc_offset_minutes);
    fields.push(("at-year".into(), date.year().to_string()));
    fields.push(("at-month".into(), date.month().to_string()));
    fields.push(("at-day".into(), date.day().to_string()));
    fields.extend(typed.vitals.into_iter().map(|vital| (name(vital.key), vital.value)));
    if let Some(step) = typed.alertness {
        fields.push(("alertness".into(), step.letter().into()));
    }
    if let Some(pregnant) = typed.pregnant {
        fields.push(("pregnant".into(), if pregnant { "yes" } else { "no" }.into()));
    }
    if typed.stays {
        fields.push(("stays".into(), "yes".into()));
    }
    diagnoses::put(&mut fields, &typed.diagnoses);
    medicines::put(&mut fields, &typed.medicines);
    Form::of(fields)
}
