use super::*;
use crate::Resource;

const KST: i32 = 540;

/// What a parameter finds, written out.
fn found(text: &str, code: &str) -> Vec<String> {
    let resource = Resource::parse(text.as_bytes()).unwrap();
    let param = param(resource.resource_type(), code).unwrap_or_else(|| panic!("no {code}"));
    let mut values = Vec::new();
    values_of(&resource, param, KST, |value| values.push(write(&value)));
    let mut all = Vec::new();
    extract(&resource, KST, |param, value| {
        if param.code == code {
            all.push(write(&value));
        }
    });
    if !matches!(param.kind, ParamKind::Composite | ParamKind::Special) {
        assert_eq!(values, all, "one by one and all at once");
    }
    values
}

fn write(value: &IndexValue) -> String {
    match value {
        IndexValue::String { folded, exact } => format!("{folded}<{exact}"),
        IndexValue::Token { system, code } => {
            format!("{}|{}", system.as_deref().unwrap_or(""), code.unwrap_or(""))
        }
        IndexValue::Reference { kind, id, url, identifier } => {
            let kind = kind.map_or("?", ResourceType::name);
            let (system, value) = identifier.unwrap_or_default();
            format!(
                "{kind}/{} {} {}|{value}",
                id.unwrap_or("?"),
                url.unwrap_or("-"),
                system.unwrap_or("")
            )
        }
        IndexValue::Date { from, to } => match (from.0, to.0) {
            (i64::MIN, _) => format!("..{}", to.to_fhir(KST)),
            (_, i64::MAX) => format!("{}..", from.to_fhir(KST)),
            _ => format!("{}..{}", from.to_fhir(KST), to.to_fhir(KST)),
        },
        IndexValue::Number(number) => (*number).to_owned(),
        IndexValue::Quantity { value, system, code, unit } => format!(
            "{value} {}|{} {}",
            system.unwrap_or(""),
            code.unwrap_or(""),
            unit.unwrap_or("")
        ),
        IndexValue::Uri(uri) => (*uri).to_owned(),
        IndexValue::Together(parts) => {
            let part =
                |values: &Vec<IndexValue>| values.iter().map(write).collect::<Vec<_>>().join(",");
            parts.iter().map(part).collect::<Vec<_>>().join("$")
        }
        IndexValue::Position { latitude, longitude } => format!("{latitude} {longitude}"),
    }
}

const PATIENT: &str = r##"{"resourceType":"Patient","id":"p1",
    "meta":{"lastUpdated":"2026-03-02T08:00:00.5+09:00","profile":["http://a.kp/P|1"]},
    "identifier":[{"system":"http://a.kp/n","value":"123"},{"value":"x"}],
    "name":[{"family":"리","given":["용희"]},{"text":"Ri  Yong Hui"}],"gender":"female",
    "birthDate":"1990-05","active":true,
    "telecom":[{"system":"phone","value":"02-1"},{"system":"email","value":"a@b.kp"}],
    "address":[{"line":["1 Street"],"city":"평성"}],
    "generalPractitioner":[{"reference":"Practitioner/d1"},{"reference":"http://b.kp/f/Organization/o1"},
    {"reference":"urn:uuid:1"},{"type":"Practitioner","identifier":{"system":"s","value":"v"}},
    {"reference":"#c"},{"display":"x"}]}"##;

#[test]
fn strings_are_folded_and_names_in_hangul_found_written_together() {
    assert_eq!(
        found(PATIENT, "name"),
        ["리<리", "용희<용희", "리용희<리용희", "ri yong hui<Ri  Yong Hui"]
    );
    assert_eq!(found(PATIENT, "given"), ["용희<용희"]);
    assert_eq!(found(PATIENT, "address"), ["1 street<1 Street", "평성<평성"]);
}

#[test]
fn tokens_carry_their_system() {
    assert_eq!(found(PATIENT, "_id"), ["|p1"]);
    assert_eq!(found(PATIENT, "identifier"), ["http://a.kp/n|123", "|x"]);
    assert_eq!(found(PATIENT, "gender"), ["http://hl7.org/fhir/administrative-gender|female"]);
    assert_eq!(found(PATIENT, "active"), ["|true"]);
    assert_eq!(found(PATIENT, "phone"), ["|02-1"]);
    assert_eq!(found(PATIENT, "email"), ["|a@b.kp"]);
}

#[test]
fn death_is_a_truth_about_everyone() {
    assert_eq!(found(PATIENT, "deceased"), ["|false"]);
    let with = |rest: &str| format!(r#"{{"resourceType":"Patient",{rest}}}"#);
    assert_eq!(found(&with(r#""deceasedBoolean":false"#), "deceased"), ["|false"]);
    assert_eq!(found(&with(r#""deceasedBoolean":true"#), "deceased"), ["|true"]);
    assert_eq!(found(&with(r#""deceasedDateTime":"2020""#), "deceased"), ["|true"]);
    assert_eq!(
        found(&with(r#""deceasedDateTime":"2020""#), "death-date"),
        ["2020-01-01T00:00:00.000+09:00..2021-01-01T00:00:00.000+09:00"]
    );
}

#[test]
fn references_are_told_apart() {
    assert_eq!(
        found(PATIENT, "general-practitioner"),
        [
            "Practitioner/d1 - |",
            "Organization/o1 http://b.kp/f/Organization/o1 |",
            "?/? urn:uuid:1 |",
            "Practitioner/? - s|v",
        ]
    );
    let group = |subject: &str| {
        found(
            &format!(r#"{{"resourceType":"Encounter","subject":{{"reference":"{subject}"}}}}"#),
            "patient",
        )
    };
    assert_eq!(group("Patient/1"), ["Patient/1 - |"]);
    assert_eq!(group("Group/1"), [""; 0]);
    assert_eq!(group("urn:uuid:1"), [""; 0]);
}

#[test]
fn canonical_urls_are_found_with_and_without_version() {
    assert_eq!(found(PATIENT, "_profile"), ["http://a.kp/P", "http://a.kp/P|1"]);
    let text = r#"{"resourceType":"QuestionnaireResponse","questionnaire":"http://a.kp/Q|2"}"#;
    assert_eq!(found(text, "questionnaire"), ["?/? http://a.kp/Q |", "?/? http://a.kp/Q|2 |"]);
}

#[test]
fn dates_are_spans() {
    assert_eq!(
        found(PATIENT, "birthdate"),
        ["1990-05-01T00:00:00.000+09:00..1990-06-01T00:00:00.000+09:00"]
    );
    assert_eq!(
        found(PATIENT, "_lastUpdated"),
        ["2026-03-02T08:00:00.500+09:00..2026-03-02T08:00:00.600+09:00"]
    );
    let encounter = |period: &str| {
        found(&format!(r#"{{"resourceType":"Encounter","period":{period}}}"#), "date")
    };
    assert_eq!(encounter(r#"{"start":"2026"}"#), ["2026-01-01T00:00:00.000+09:00.."]);
    assert_eq!(encounter(r#"{"end":"2026-01-01"}"#), ["..2026-01-02T00:00:00.000+09:00"]);
    assert_eq!(encounter("{}"), [""; 0]);
    let timing =
        r#"{"resourceType":"Observation","effectiveTiming":{"event":["2026-01-03","2026-01-01"]}}"#;
    assert_eq!(
        found(timing, "date"),
        ["2026-01-01T00:00:00.000+09:00..2026-01-04T00:00:00.000+09:00"]
    );
}

#[test]
fn numbers_and_quantities_keep_their_text() {
    let text = r#"{"resourceType":"Observation","valueQuantity":{"value":36.50,"unit":"C","code":"Cel",
        "system":"http://unitsofmeasure.org"},"component":[{"valueQuantity":{"value":1}},
        {"valueSampledData":{"origin":{"value":2.0}}}]}"#;
    assert_eq!(found(text, "value-quantity"), ["36.50 http://unitsofmeasure.org|Cel C"]);
    assert_eq!(
        found(text, "combo-value-quantity"),
        ["36.50 http://unitsofmeasure.org|Cel C", "1 | ", "2.0 | "]
    );
    let risk = r#"{"resourceType":"RiskAssessment","prediction":[{"probabilityDecimal":0.020},
        {"probabilityRange":{"low":{"value":1},"high":{"value":2}}}]}"#;
    assert_eq!(found(risk, "probability"), ["0.020", "1", "2"]);
    let invoice = r#"{"resourceType":"Invoice","totalNet":{"value":5,"currency":"KPW"}}"#;
    assert_eq!(found(invoice, "totalnet"), ["5 urn:iso:std:iso:4217|KPW "]);
}

#[test]
fn targets_and_kinds_are_those_of_the_definitions() {
    let patient = param(ResourceType::Encounter, "patient").unwrap();
    assert_eq!(patient.kind, ParamKind::Reference);
    assert_eq!(patient.targets.iter().collect::<Vec<_>>(), [ResourceType::Patient]);
    assert!(param(ResourceType::Task, "focus").unwrap().targets.contains(ResourceType::Account));
    assert_eq!(param(ResourceType::Location, "near").unwrap().kind, ParamKind::Special);
    let together = param(ResourceType::Observation, "combo-code-value-quantity").unwrap();
    let codes: Vec<_> = together.components.iter().map(|part| part.code).collect();
    assert_eq!(codes, ["combo-code", "combo-value-quantity"]);
    assert_eq!(params(ResourceType::Binary).len(), 6);
}

#[test]
fn values_of_one_element_stand_together() {
    let pressure = r#"{"resourceType":"Observation","code":{"coding":[{"code":"bp"}]},"component":[
        {"code":{"coding":[{"code":"sys"}]},"valueQuantity":{"value":140}},
        {"code":{"coding":[{"code":"dia"},{"code":"d"}]},"valueQuantity":{"value":90}},
        {"code":{"coding":[{"code":"none"}]}}]}"#;
    assert_eq!(found(pressure, "component-code-value-quantity"), ["|sys$140 | ", "|dia,|d$90 | "]);
    assert_eq!(found(pressure, "combo-code-value-quantity"), ["|sys$140 | ", "|dia,|d$90 | "]);
    assert_eq!(found(pressure, "code-value-quantity"), [""; 0]);
    let sequence = r#"{"resourceType":"MolecularSequence","referenceSeq":{"chromosome":{"coding":[{"code":"7"}]}},
        "variant":[{"start":1,"end":2},{"start":5,"end":9}]}"#;
    assert_eq!(found(sequence, "chromosome-variant-coordinate"), ["|7$1$2", "|7$5$9"]);
    let document = r#"{"resourceType":"DocumentReference","relatesTo":[
        {"code":"replaces","target":{"reference":"DocumentReference/a"}}]}"#;
    assert_eq!(
        found(document, "relationship"),
        ["http://hl7.org/fhir/document-relationship-type|replaces$DocumentReference/a - |"]
    );
}

#[test]
fn a_bundle_is_found_by_its_first_entry_and_a_place_by_where_it_is() {
    let message = r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"MessageHeader","id":"m"}},
        {"resource":{"resourceType":"Composition","id":"c"}}]}"#;
    assert_eq!(found(message, "message"), ["MessageHeader/m - |"]);
    assert_eq!(found(message, "composition"), [""; 0]);
    let place = r#"{"resourceType":"Location","position":{"longitude":125.75,"latitude":39.030}}"#;
    assert_eq!(found(place, "near"), ["39.030 125.75"]);
}
