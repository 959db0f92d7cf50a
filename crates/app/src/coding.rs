//! The codes and URLs by which Ondol's resources are told apart. They stand in records for good.

use serde_json::{Value, json};

/// The category of a ServiceRequest: consult or referral.
pub const REQUEST_CATEGORY: &str = "urn:ondol:request-category";
/// A case sent to a specialist.
pub const CONSULT: &str = "consult";
/// A patient sent to a facility.
pub const REFERRAL: &str = "referral";

/// The category of a Communication that is a step of a consult or referral.
pub const STEP: &str = "urn:ondol:step";

/// The specialty that is asked: codes of `ondol_terms::specialties`.
pub const SPECIALTY: &str = "urn:ondol:specialty";

/// Extension: the Organization from which a request was made.
pub const ASKED_FROM: &str = "urn:ondol:asked-from";

/// Identifier system: the provisional number with its check digit.
pub const PROVISIONAL_NUMBER: &str = "urn:ondol:provisional-number";
/// Extension on a Patient: the mother's name, for the banner.
pub const MOTHER_NAME: &str = "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName";

/// The code of a Basic that holds an account's secrets. Nobody may read it over any door.
pub const ACCOUNT: &str = "urn:ondol:account";
/// The role of somebody at a facility, in PractitionerRole.code: codes of
/// `ondol_access::Role`.
pub const ROLE: &str = "urn:ondol:role";
/// Tag of whatever was made in the practice room.
pub const PRACTICE: &str = "urn:ondol:practice";

/// LOINC.
pub const LOINC: &str = "http://loinc.org";
/// UCUM.
pub const UCUM: &str = "http://unitsofmeasure.org";
/// ICD-10 of WHO.
pub const ICD10: &str = "http://hl7.org/fhir/sid/icd-10";
/// ATC of WHO.
pub const ATC: &str = "http://www.whocc.no/atc";

/// A `CodeableConcept` of one coding.
pub fn concept(system: &str, code: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code }] })
}

/// Whether a resource's element (a `CodeableConcept` or an array of them) has a coding.
pub fn has_code(element: &Value, system: &str, code: &str) -> bool {
    code_of(element, system) == Some(code)
}

/// The first code of a system in an element (a `CodeableConcept` or an array of them).
pub fn code_of<'a>(element: &'a Value, system: &str) -> Option<&'a str> {
    let concepts: Vec<&Value> = match element {
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    };
    let mut codings = concepts.into_iter().filter_map(|c| c.get("coding")?.as_array()).flatten();
    codings
        .find(|coding| coding.get("system").and_then(Value::as_str) == Some(system))?
        .get("code")?
        .as_str()
}
