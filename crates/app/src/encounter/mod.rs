//! Encounters: what was complained of, measured, found and given; and the chart that they make.

mod allergy;
mod banner;
mod build;
mod chart;
mod choices;
mod glass;
mod lacks;
mod open;
mod read;
mod retract;
mod safety;
mod save;
mod visit;

pub use allergy::{NewAllergy, Substance};
pub use banner::Banner;
pub use chart::{Chart, VISITS_SHOWN};
pub use glass::{GlassAlert, Reader};
pub use lacks::Lack;
pub use open::{OpenKind, OpenWork};
pub use read::{DiagnosisView, MedicineView, Other, VisitView, VitalView};
pub use safety::{Allergies, Allergy, CurrentMedicine, Pregnancy, Problem, Safety};
pub(crate) use save::save_within;
pub use visit::{Judged, TypedDiagnosis, TypedMedicine, TypedVital, Verdict, Visit};
