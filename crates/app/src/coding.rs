//! The codes and URLs by which Ondol's resources are told apart. They stand in records for good.

use serde_json::{Value, json};

/// The category of a `ServiceRequest`: consult or referral.
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
/// Identifier system: a number on a paper that the person brought; `type.text` says which paper.
pub const PAPER_NUMBER: &str = "urn:ondol:paper-number";
/// Extension on `Patient.birthDate`: the year was worked out from an age that somebody guessed.
pub const BIRTH_GUESSED: &str = "urn:ondol:birth-guessed";
/// Extension on `Patient.birthDate`: the moment of birth.
pub const BIRTH_TIME: &str = "http://hl7.org/fhir/StructureDefinition/patient-birthTime";
/// Extension on a Patient whom nobody knows: parts `description` and `found-at`.
pub const STRANGER: &str = "urn:ondol:stranger";
/// Extension on a Patient: the mother's name, for the banner.
pub const MOTHER_NAME: &str = "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName";

/// The code of a Basic that holds an account's secrets. Nobody may read it over any door.
pub const ACCOUNT: &str = "urn:ondol:account";
/// The role of somebody at a facility, in PractitionerRole.code: codes of
/// `ondol_access::Role`.
pub const ROLE: &str = "urn:ondol:role";
/// The code of a Basic that says that somebody is there for duty.
pub const DUTY: &str = "urn:ondol:duty";
/// The activity of a Provenance that says that a visit was moved between charts.
pub const MOVED: &str = "urn:ondol:moved";
/// The code of a Basic that says who took over the work of somebody who left.
pub const HAND_OVER: &str = "urn:ondol:hand-over";
/// Why something is sealed, as a label of security (`Meta.security`).
pub const SEAL: &str = "urn:ondol:seal";
/// HL7's degrees of confidentiality (very restricted: `V`).
pub const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
/// Extension on a Provenance within a sealed piece: an Organization that may open it.
pub const SEALED_FOR: &str = "urn:ondol:sealed-for";
/// The activity of a Provenance within a sealed piece: `sealed`, `shared`, `taken-back`.
pub const SEAL_STEP: &str = "urn:ondol:seal-step";
/// Tag of whatever was made in the practice room.
pub const PRACTICE: &str = "urn:ondol:practice";

/// HL7's classes of encounters (ambulatory: `AMB`).
pub const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
/// HL7's roles of related persons (mother: `MTH`).
pub const ROLE_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-RoleCode";

/// HL7's categories of observations (`vital-signs`).
pub const OBSERVATION_CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
/// HL7's categories of conditions (`problem-list-item`, `encounter-diagnosis`).
pub const CONDITION_CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/condition-category";
/// HL7's clinical states of conditions.
pub const CONDITION_CLINICAL: &str = "http://terminology.hl7.org/CodeSystem/condition-clinical";
/// HL7's clinical states of allergies.
pub const ALLERGY_CLINICAL: &str =
    "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical";
/// HL7's states of verification of allergies.
pub const ALLERGY_VERIFICATION: &str =
    "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification";
/// SNOMED CT, of which only the code that R4 itself names for 'no known allergy' is used.
pub const SNOMED: &str = "http://snomed.info/sct";
/// No known allergy (R4 `AllergyIntolerance.code`).
pub const NO_KNOWN_ALLERGY: &str = "716186003";
/// Extension: the version of a statement that is refuted.
pub const REFUTES: &str = "urn:ondol:refutes";
/// Alertness in four steps: A, V, P, U.
pub const AVPU: &str = "urn:ondol:avpu";
/// The category of a Communication that tells a facility something.
pub const ALERT: &str = "urn:ondol:alert";
/// Somebody broke the glass.
pub const BROKEN_GLASS: &str = "broken-glass";

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

/// Extension on a Communication: the Organization where the step was made.
pub const AT: &str = "urn:ondol:at";
/// Extension on a request: the Organization above the one that asks, which watches over it.
pub const OVERSEEN_BY: &str = "urn:ondol:overseen-by";
/// Extension on a request: what the asking place has at hand (parts: `power`, `equipment`,
/// `medicines`, `people`).
pub const MEANS: &str = "urn:ondol:means";
/// Extension on a payload, a recipient or within [`MEANS`]: which part it is, as a code.
pub const PART: &str = "urn:ondol:part";
/// Extension on an answer: the version of the chart that it was written from.
pub const BASIS: &str = "urn:ondol:basis";
/// Extension on a reference to a picture: `preview`, `view` or `original`, whichever was here.
pub const SEEN_AS: &str = "urn:ondol:seen-as";
/// Extension of an Attachment: a picture for looking at, made from a file that browsers do not show.
pub const VIEW: &str = "urn:ondol:view";
/// Extension on Media: in what the file's patient differs from the chart's, as codes.
pub const IDENTITY_DIFFERS: &str = "urn:ondol:identity-differs";
/// How a consult ended.
pub const OUTCOME: &str = "urn:ondol:outcome";
/// Extension on a referral: what the patient needs on the way and on arrival, as codes.
pub const NEEDS: &str = "urn:ondol:needs";

/// The activity of a Provenance about two charts: `linked`, `unlinked`, `two-persons`.
pub const SAME_PERSON: &str = "urn:ondol:same-person";
/// Extension on such a Provenance's target: a word for what was known of the person then.
pub const DESCRIBED: &str = "urn:ondol:described";

/// The code of the Observation that is a certificate of death, and of its parts: `cause-a` to
/// `cause-d`, `other-condition`, `manner`, `place`, `external`, `surgery`, `autopsy`, `pregnancy`.
/// What is chosen for a part is a code of this system with a slash and the part's name behind it.
pub const DEATH: &str = "urn:ondol:death";
/// A certificate of death.
pub const CERTIFICATE: &str = "certificate";
/// Extension on a cause of death: from onset to death.
pub const INTERVAL: &str = "urn:ondol:interval";
