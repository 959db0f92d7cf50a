//! Encounters: what was complained of, measured, found and given; and the chart that they make.

mod allergy;
mod banner;
mod build;
mod chart;
mod choices;
mod glass;
mod lacks;
mod moving;
mod open;
mod read;
mod retract;
mod safety;
mod save;
mod views;
mod visit;

pub use allergy::{NewAllergy, Substance};
pub use banner::Banner;
pub(crate) use build::{PREGNANCY, PRESSURE};
pub use chart::{Chart, VISITS_SHOWN};
pub use glass::{GlassAlert, Reader};
pub use lacks::Lack;
pub(crate) use lacks::of as lacks_of;
pub use moving::MovedNote;
pub(crate) use open::for_chart as open_work;
pub use open::{OpenKind, OpenWork};
pub(crate) use read::Reader as VisitReader;
pub use safety::{Allergies, Allergy, Blood, CurrentMedicine, Pregnancy, Problem, Safety};
pub(crate) use safety::{
    care_moment, fold as fold_safety, stated as stated_for_safety, stated_of_person,
    words as concept_words,
};
pub(crate) use save::{may_save_visit, save_within, sealed_visit};
pub use views::{DiagnosisView, MedicineView, Other, VisitView, VitalView};
pub(crate) use visit::Whose;
pub use visit::{Judged, TypedDiagnosis, TypedMedicine, TypedVital, Verdict, Visit};
