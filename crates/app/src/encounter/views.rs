//! Visits as pages show them.

use ondol_kernel::{Millis, ResourceId};
use ondol_record::ChartId;
use ondol_terms::{Alertness, Level};

use super::visit::{TypedDiagnosis, TypedMedicine, TypedVital, Verdict, Visit};

/// A measured value.
#[derive(Clone, PartialEq, Eq)]
pub struct VitalView {
    /// The key of `ondol_terms::vitals`.
    pub key: &'static str,
    /// The number (or the letter of alertness) as it was written.
    pub value: String,
    /// The UCUM unit; empty for a letter.
    pub unit: String,
    /// What it said on that day.
    pub verdict: Verdict,
    /// What a rival version says instead, if two stand side by side.
    pub rival: Option<String>,
}

/// A diagnosis.
#[derive(Clone, PartialEq, Eq)]
pub struct DiagnosisView {
    /// The ICD-10 code, if it has one.
    pub code: Option<String>,
    /// In words; empty if the code says it all.
    pub words: String,
    /// Whether it stands in the list of problems.
    pub lasting: bool,
    /// Whether two versions stand side by side.
    pub two_versions: bool,
}

/// A medicine.
#[derive(Clone, PartialEq, Eq)]
pub struct MedicineView {
    /// The ATC code, if it is in the list.
    pub atc: Option<String>,
    /// Name and strength as written.
    pub words: String,
    /// How it is taken.
    pub dose: String,
    /// For how many days.
    pub days: Option<u32>,
    /// Whether it was only noted, not prescribed.
    pub taken_already: bool,
    /// Two versions: to be confirmed before giving.
    pub two_versions: bool,
}

/// Something else that was written in the visit: its words, and its value if it has one.
#[derive(Clone, PartialEq, Eq)]
pub struct Other {
    /// What it is.
    pub words: String,
    /// Its value.
    pub value: String,
}

/// A visit. It has no `Debug`: it tells of somebody.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own on the page")]
#[derive(Clone, PartialEq, Eq)]
pub struct VisitView {
    /// The Encounter.
    pub id: ResourceId,
    /// The chart that it stands in.
    pub chart: ChartId,
    /// When the care was given.
    pub at: Millis,
    /// When it was written.
    pub written: Millis,
    /// Whether the clock was in doubt when it was written.
    pub clock_doubtful: bool,
    /// Who gave the care.
    pub by: String,
    /// Who typed it, if another.
    pub typed_by: String,
    /// At which facility.
    pub facility: String,
    /// Whether that is this one.
    pub here: bool,
    /// Whether it goes on.
    pub open: bool,
    /// Whether the person only arrived, and nothing is written yet.
    pub only_arrived: bool,
    /// Why the person came.
    pub complaint: String,
    /// What was measured, in the order in which it is asked.
    pub vitals: Vec<VitalView>,
    /// Whether pregnancy was noted, and what.
    pub pregnant: Option<bool>,
    /// Diagnoses.
    pub diagnoses: Vec<DiagnosisView>,
    /// Medicines.
    pub medicines: Vec<MedicineView>,
    /// Notes.
    pub notes: Vec<String>,
    /// What else was written.
    pub others: Vec<Other>,
    /// Whether two versions of something stand side by side.
    pub two_versions: bool,
}

impl VisitView {
    /// The most urgent danger among the values.
    pub fn danger(&self) -> Option<Level> {
        let levels = self.vitals.iter().filter_map(|vital| match vital.verdict {
            Verdict::Danger { level, .. } => Some(level),
            _ => None,
        });
        levels.max()
    }
}

impl VisitView {
    /// The visit as it would be typed, to be corrected.
    pub fn to_typed(&self) -> Visit {
        let alertness = self.vitals.iter().find(|vital| vital.key == "consciousness");
        Visit {
            complaint: self.complaint.clone(),
            vitals: self
                .vitals
                .iter()
                .filter(|vital| vital.key != "consciousness")
                .map(|vital| TypedVital { key: vital.key, value: vital.value.clone() })
                .collect(),
            alertness: alertness
                .and_then(|vital| vital.value.chars().next())
                .and_then(Alertness::from_letter),
            pregnant: self.pregnant,
            checked: false,
            after_death: true,
            diagnoses: self
                .diagnoses
                .iter()
                .map(|of| TypedDiagnosis {
                    code: of.code.clone(),
                    words: of.words.clone(),
                    lasting: of.lasting,
                })
                .collect(),
            medicines: self
                .medicines
                .iter()
                .map(|of| TypedMedicine {
                    atc: of.atc.clone(),
                    name: of.words.clone(),
                    strength: String::new(),
                    dose: of.dose.clone(),
                    days: of.days,
                    taken_already: of.taken_already,
                })
                .collect(),
            note: self.notes.join("\n"),
            at: Some(self.at),
            stays: self.open,
        }
    }
}
