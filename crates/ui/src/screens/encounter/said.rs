//! Values and medicines in the words of a page.

use ondol_app::encounter::{MedicineView, Verdict, VitalView};
use ondol_terms::{Alertness, Level};

use crate::lang::Lang;
use crate::screens::people::shown;
use crate::texts::T;

/// A value in words.
pub struct Said {
    /// What was measured.
    pub label: String,
    /// The value with its unit.
    pub value: String,
    /// How dangerous it is, if it is.
    pub danger: Option<Level>,
    /// What a rival version says.
    pub rival: Option<String>,
}

/// What a vital sign is called.
pub fn label(t: T, key: &str) -> String {
    let Some(vital) = ondol_terms::vital(key) else { return key.to_owned() };
    match t.lang() {
        Lang::Ko => vital.ko.to_owned(),
        Lang::En => vital.en.to_owned(),
    }
}

/// A UCUM unit as people write it.
pub fn unit(t: T, ucum: &str) -> String {
    match ucum {
        "/min" => t.get("encounter-unit-per-minute"),
        "Cel" => "°C".to_owned(),
        "mm[Hg]" => "mmHg".to_owned(),
        "{score}" => t.get("encounter-unit-score"),
        "s" => t.get("encounter-unit-seconds"),
        "kg/m2" => "kg/m²".to_owned(),
        other => other.to_owned(),
    }
}

/// A step of alertness.
pub fn alertness(t: T, step: Alertness) -> String {
    match step {
        Alertness::Alert => t.get("encounter-alert"),
        Alertness::Voice => t.get("encounter-voice"),
        Alertness::Pain => t.get("encounter-pain"),
        Alertness::Unresponsive => t.get("encounter-unresponsive"),
    }
}

fn danger(verdict: Verdict) -> Option<Level> {
    match verdict {
        Verdict::Danger { level, .. } => Some(level),
        _ => None,
    }
}

/// Values in words; the two blood pressures stand together.
pub fn vitals(t: T, all: &[VitalView]) -> Vec<Said> {
    let value = |key: &str| all.iter().find(|vital| vital.key == key);
    let lower = value("diastolic-pressure");
    let mut said = vec![];
    for vital in all {
        if vital.key == "diastolic-pressure" && value("systolic-pressure").is_some() {
            continue;
        }
        let mut one = Said {
            label: label(t, vital.key),
            value: format!("{} {}", vital.value, unit(t, &vital.unit)).trim().to_owned(),
            danger: danger(vital.verdict),
            rival: vital.rival.clone(),
        };
        if vital.key == "consciousness" {
            let step = vital.value.chars().next().and_then(Alertness::from_letter);
            one.value = step.map_or_else(|| vital.value.clone(), |step| alertness(t, step));
        }
        if vital.key == "systolic-pressure" {
            one.label = t.get("encounter-pressure");
            if let Some(lower) = lower {
                one.value = format!("{}/{} {}", vital.value, lower.value, unit(t, &vital.unit));
                one.danger = one.danger.max(danger(lower.verdict));
                one.rival = match (&vital.rival, &lower.rival) {
                    (Some(a), Some(b)) => Some(format!("{a}/{b}")),
                    (one, other) => one.clone().or_else(|| other.clone()),
                };
            }
        }
        said.push(one);
    }
    said
}

/// Where the limits come from that dangerous values passed.
pub fn sources(all: &[VitalView]) -> Vec<String> {
    let mut sources: Vec<String> = vec![];
    for vital in all {
        if let Verdict::Danger { source, .. } = vital.verdict
            && !sources.iter().any(|known| known == source)
        {
            sources.push(source.to_owned());
        }
    }
    sources
}

/// A medicine with dose and days.
pub fn medicine(t: T, of: &MedicineView) -> String {
    let name = shown::medicine(t, of.atc.as_deref().unwrap_or_default(), &of.words);
    let mut parts = vec![name];
    if !of.dose.is_empty() {
        parts.push(of.dose.clone());
    }
    if let Some(days) = of.days {
        parts.push(t.msg("encounter-days").arg("n", days).to_string());
    }
    let text = parts.join(", ");
    if of.taken_already {
        t.msg("encounter-taken-already").arg("medicine", text).to_string()
    } else {
        text
    }
}
