//! The starter terminology: complaints, diagnoses and essential medicines with their codes.
//!
//! Everything is data in this crate's `data` folder, compiled in and read once; nothing here does
//! any input or output. `data/SOURCES.md` says where each fact comes from and what is missing.
//! A country's own lists come later as `ValueSet` and `CodeSystem` resources in the nation's
//! chart; these lists are what a node starts with.
//!
//! The lists are parsed when first asked for. The parsers return typed errors; since the data is
//! part of the program, the tests of this crate read all of it, and a table that cannot be read
//! never leaves the workbench.

mod danger;
mod diagnosis;
pub mod hangul;
pub mod library;
pub mod load;
mod medicine;
mod search;
mod specialty;
mod table;
mod vital;

pub use danger::{Age, Alertness, Judgement, Level, Subject};
pub use diagnosis::{Diagnosis, Kind, diagnoses, diagnosis, search_diagnoses};
pub use medicine::{Form, Medicine, medicine, medicines, search_medicines};
pub use specialty::{Specialty, specialties, specialty};
pub use table::TableError;
pub use vital::{Guard, Vital, vital, vital_by_loinc, vitals};

/// The FHIR system URI of the codes of [`diagnoses`].
pub const ICD_10: &str = "http://hl7.org/fhir/sid/icd-10";
/// The FHIR system URI of the codes of [`medicines`].
pub const ATC: &str = "http://www.whocc.no/atc";
/// The FHIR system URI of the codes of [`vitals`].
pub const LOINC: &str = "http://loinc.org";
/// The FHIR system URI of the units of [`vitals`].
pub const UCUM: &str = "http://unitsofmeasure.org";
