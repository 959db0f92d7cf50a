use ondol_fhir::Resource;
use proptest::prelude::*;

use super::*;

const READING: Reading<'static> = Reading {
    base: "https://node.example/fhir",
    utc_offset_minutes: 540,
    now: Millis(1_772_406_000_000),
};

fn read(kind: &str, name: &str, value: &str) -> Result<Criterion, RestError> {
    Criterion::read(ResourceType::from_name(kind).unwrap(), name, value, &READING)
}

/// Whether a resource passes, by looking at its values.
fn passes(resource: &str, name: &str, value: &str) -> bool {
    let resource = Resource::parse(resource.as_bytes()).unwrap();
    let criterion = read(resource.resource_type().name(), name, value).unwrap();
    criterion.passes(&resource, 540)
}

fn fault(kind: &str, name: &str, value: &str) -> ParameterFault {
    match read(kind, name, value).unwrap_err() {
        RestError::Parameter { name: named, fault } => {
            assert_eq!(named, name);
            fault
        }
        other => panic!("{other}"),
    }
}

const PERSON: &str = r#"{"resourceType":"Patient","id":"p1","active":true,"gender":"female",
    "birthDate":"1990-05","name":[{"family":"Ri","given":["Yong-hui"]}],
    "identifier":[{"system":"urn:s","value":"7"},{"value":"bare"}],
    "managingOrganization":{"reference":"Organization/o1"},
    "generalPractitioner":[{"reference":"https://else.example/fhir/Practitioner/d1"},
    {"identifier":{"system":"urn:d","value":"9"}}]}"#;

#[test]
fn strings_begin_contain_or_are_exactly() {
    for (name, value, expected) in [
        ("family", "ri", true),
        ("family", "R", true),
        ("family", "i", false),
        ("family:contains", "I", true),
        ("family:exact", "Ri", true),
        ("family:exact", "ri", false),
        ("given", "yong-hui,other", true),
        ("given", "hui", false),
        ("family:missing", "true", false),
        ("family:missing", "false", true),
        ("phone:missing", "true", true),
    ] {
        assert_eq!(passes(PERSON, name, value), expected, "{name}={value}");
    }
}

#[test]
fn tokens_compare_system_and_code() {
    for (name, value, expected) in [
        ("identifier", "7", true),
        ("identifier", "urn:s|7", true),
        ("identifier", "urn:s|", true),
        ("identifier", "|7", false),
        ("identifier", "|bare", true),
        ("identifier", "urn:t|7", false),
        ("identifier", r"a\,b,urn:s|7", true),
        ("gender", "http://hl7.org/fhir/administrative-gender|female", true),
        ("gender:not", "male", true),
        ("gender:not", "female", false),
        ("active", "true", true),
        ("_id", "p1", true),
        ("_id", "한", false),
    ] {
        assert_eq!(passes(PERSON, name, value), expected, "{name}={value}");
    }
}

#[test]
fn references_are_found_by_type_and_id_by_id_and_by_url() {
    for (name, value, expected) in [
        ("organization", "Organization/o1", true),
        ("organization", "o1", true),
        ("organization", "https://node.example/fhir/Organization/o1", true),
        ("organization", "https://else.example/fhir/Organization/o1", false),
        ("organization:Organization", "o1", true),
        ("organization", "o2", false),
        ("general-practitioner", "https://else.example/fhir/Practitioner/d1", true),
        ("general-practitioner:identifier", "urn:d|9", true),
        ("general-practitioner:identifier", "urn:e|9", false),
    ] {
        assert_eq!(passes(PERSON, name, value), expected, "{name}={value}");
    }
}

#[test]
fn dates_are_ranges_and_prefixes_compare_them() {
    for (value, expected) in [
        ("1990", true),
        ("1990-05", true),
        ("1990-05-03", false),
        ("ne1990-05-03", true),
        ("gt1990-05-03", true),
        ("lt1990-05-03", true),
        ("ge1990-05", true),
        ("le1990-04", false),
        ("sa1990-04", true),
        ("sa1990-05", false),
        ("eb1990-06", true),
        ("eb1990", false),
        // Some 36 years ago: three and a half years either way.
        ("ap1987-01", true),
        ("ap1985-01", false),
        ("ap1993", true),
        ("ap1996", false),
    ] {
        assert_eq!(passes(PERSON, "birthdate", value), expected, "{value}");
    }
}

#[test]
fn times_of_a_search_may_lack_seconds_and_zone() {
    let observation = r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},
        "effectiveDateTime":"2026-03-02T08:14:08+09:00"}"#;
    for (value, expected) in [
        ("2026-03-02T08:14", true),
        ("2026-03-02T08:14:08", true),
        ("2026-03-01T23:14Z", true),
        ("2026-03-02T08:14:08+09:00", true),
        ("2026-03-02T08:14:08 09:00", true),
        ("2026-03-02T08:15", false),
    ] {
        assert_eq!(passes(observation, "date", value), expected, "{value}");
    }
}

#[test]
fn quantities_compare_number_and_unit() {
    let warm = r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},
        "valueQuantity":{"value":39.10,"unit":"C","system":"http://unitsofmeasure.org","code":"Cel"}}"#;
    for (value, expected) in [
        ("39.1", true),
        ("39.1|http://unitsofmeasure.org|Cel", true),
        ("39.1||C", true),
        ("39.1||Cel", true),
        ("39.1||kg", false),
        ("gt38", true),
        ("lt39.1", false),
        ("ap36", true),
        ("ap30", false),
        ("ne39.1", false),
        ("ne38", true),
    ] {
        assert_eq!(passes(warm, "value-quantity", value), expected, "{value}");
    }
}

#[test]
fn values_together_are_those_of_one_element() {
    let pressure = r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},"component":[
        {"code":{"coding":[{"code":"sys"}]},"valueQuantity":{"value":140,"code":"mm[Hg]"}},
        {"code":{"coding":[{"code":"dia"}]},"valueQuantity":{"value":90,"code":"mm[Hg]"}}]}"#;
    for (value, expected) in [
        ("sys$140", true),
        ("sys$gt130||mm[Hg]", true),
        ("sys$lt100", false),
        ("dia$lt100", true),
        ("none$1,dia$90", true),
    ] {
        assert_eq!(passes(pressure, "component-code-value-quantity", value), expected, "{value}");
    }
    assert!(passes(pressure, "code-value-quantity:missing", "true"));
    assert!(passes(pressure, "combo-code-value-quantity:missing", "false"));
    for bad in ["sys", "sys$", "sys$140$1", "sys$warm"] {
        assert_eq!(
            fault("Observation", "component-code-value-quantity", bad),
            ParameterFault::Value
        );
    }
}

#[test]
fn words_beside_codes_and_types_of_identifiers_are_looked_at() {
    let person = r#"{"resourceType":"Patient","identifier":[{"type":{"text":"Social number",
        "coding":[{"system":"urn:t","code":"SS"}]},"system":"urn:s","value":"7"},{"value":"8"}],
        "maritalStatus":{"coding":[{"code":"M","display":"Married"}]}}"#;
    for (name, value, expected) in [
        ("identifier:of-type", "urn:t|SS|7", true),
        ("identifier:of-type", "urn:t|SS|8", false),
        ("identifier:of-type", "urn:t|MR|7", false),
        ("identifier:text", "social", true),
        ("identifier:text", "number", false),
    ] {
        assert_eq!(passes(person, name, value), expected, "{name}={value}");
    }
    assert_eq!(fault("Patient", "identifier:of-type", "urn:t|7"), ParameterFault::Value);
    assert_eq!(fault("Patient", "name:of-type", "a|b|c"), ParameterFault::Modifier);
}

#[test]
fn urls_stand_above_and_below_each_other() {
    let set = r#"{"resourceType":"ValueSet","url":"http://a.kp/fhir/ValueSet/1"}"#;
    for (name, value, expected) in [
        ("url:below", "http://a.kp/fhir/", true),
        ("url:below", "http://a.kp/fhir", true),
        ("url:below", "http://a.kp/fh", false),
        ("url:below", "http://a.kp/fhir/ValueSet/1/2", false),
        ("url:above", "http://a.kp/fhir/ValueSet/1/2", true),
        ("url:above", "http://a.kp/fhir/ValueSet/1", true),
        ("url:above", "http://a.kp/fhir/ValueSet", false),
        ("url:above", "http://a.kp/fhir/ValueSet/12", false),
    ] {
        assert_eq!(passes(set, name, value), expected, "{name}={value}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    use ParameterFault as F;
    assert_eq!(fault("Patient", "banana", "1"), F::Unknown);
    assert_eq!(fault("Patient", "subject", "1"), F::Unknown);
    assert_eq!(fault("Patient", "name:banana", "1"), F::Modifier);
    assert_eq!(fault("Patient", "birthdate", "yesterday"), F::Value);
    assert_eq!(fault("Patient", "birthdate:exact", "1990"), F::Modifier);
    assert_eq!(fault("Patient", "name:missing", "perhaps"), F::Value);
    assert_eq!(fault("Patient", "name", ""), F::Value);
    assert_eq!(fault("Observation", "value-quantity", "warm"), F::Value);
    assert_eq!(fault("Observation", "value-quantity", "1|x"), F::Value);
    assert_eq!(fault("Observation", "subject:Banana", "1"), F::Modifier);
}

proptest! {
    #[test]
    fn reading_a_parameter_never_panics(
        name in "(name|birthdate|identifier|organization|_id|_lastUpdated)(:[a-z]{1,8})?",
        value in "\\PC{0,30}",
    ) {
        if let Ok(criterion) = read("Patient", &name, &value) {
            let _ = criterion.filters();
        }
    }
}
