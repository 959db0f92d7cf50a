use super::*;

/// The issues of a resource as `location: code`.
fn issues(text: &str) -> Vec<String> {
    let resource = Resource::parse(text.as_bytes()).unwrap();
    validate(&resource).iter().map(|i| format!("{}: {}", i.location, i.code.code())).collect()
}

fn patient(rest: &str) -> Vec<String> {
    issues(&format!(r#"{{"resourceType":"Patient",{rest}}}"#))
}

#[test]
fn a_sound_patient_has_no_issues() {
    let sound = r#""id":"p1","active":true,"name":[{"family":"리","given":["용희",null],
        "_given":[null,{"extension":[{"url":"http://a.kp/x","valueCode":"y"}]}]}],
        "_birthDate":{"extension":[{"url":"http://a.kp/y","valueString":"unknown"}]},
        "gender":"female","deceasedBoolean":false,"contact":[{"relationship":[{"text":"어머니"}],"name":{"text":"x"}}]"#;
    assert_eq!(patient(sound), [""; 0]);
}

#[test]
fn all_issues_come_at_once_with_their_places() {
    let wrong = r#""gender":"banana","birthDate":"1990-02-30","nmae":[],"active":"yes",
        "name":{"family":"x"},"contact":[{"gender":"x"},{}],"photo":[{"size":-1}],
        "multipleBirthInteger":1,"multipleBirthBoolean":true,"maritalStatus":[{"text":"x"}],
        "communication":[{"preferred":true}]"#;
    assert_eq!(
        patient(wrong),
        [
            "Patient.gender: code-unknown",
            "Patient.birthDate: format",
            "Patient.nmae: element-unknown",
            "Patient.active: json-type",
            "Patient.name: list-expected",
            "Patient.contact[0].gender: code-unknown",
            "Patient.contact[0]: invariant",
            "Patient.contact[1]: empty",
            "Patient.contact[1]: invariant",
            "Patient.photo[0].size: format",
            "Patient.multipleBirthBoolean: choice-twice",
            "Patient.maritalStatus: list-unexpected",
            "Patient.communication[0].language: element-missing",
        ]
    );
}

#[test]
fn issues_repeat_nothing_of_the_patient() {
    let text = r#"{"resourceType":"Patient","Ri Yong Hui":1,"gender":"Ri Yong Hui",
        "birthDate":"Ri Yong Hui","link":[{"other":{"reference":"Device/RiYongHui"}}]}"#;
    for issue in validate(&Resource::parse(text.as_bytes()).unwrap()) {
        assert!(!issue.to_string().contains("Hui"), "{issue}");
    }
}

#[test]
fn nulls_and_empty_things_are_refused() {
    assert_eq!(patient(r#""active":null"#), ["Patient.active: null"]);
    assert_eq!(patient(r#""name":[]"#), ["Patient.name: empty"]);
    assert_eq!(patient(r#""name":[null]"#), ["Patient.name[0]: null"]);
    assert_eq!(patient(r#""name":[{"given":[null]}]"#), ["Patient.name[0].given[0]: null"]);
    assert_eq!(patient(r#""name":[{"family":""}]"#), ["Patient.name[0].family: empty"]);
    assert_eq!(
        patient(r#""name":[{"given":["a","b"],"_given":[null]}]"#),
        ["Patient.name[0].given: extension-misaligned"]
    );
    assert_eq!(patient(r#""_name":[{}]"#), ["Patient.name: element-unknown"]);
    assert_eq!(patient(r#""_active":{"url":"x"}"#), ["Patient.active.url: element-unknown"]);
}

#[test]
fn an_extension_alone_satisfies_a_mandatory_element() {
    let with = |status: &str| {
        issues(&format!(r#"{{"resourceType":"Observation","code":{{"text":"x"}}{status}}}"#))
    };
    assert_eq!(with(""), ["Observation.status: element-missing"]);
    let absent = r#","_status":{"extension":[{"url":"http://a.kp/absent","valueCode":"unknown"}]}"#;
    assert_eq!(with(absent), [""; 0]);
}

#[test]
fn choices_are_located_by_their_type() {
    let text = r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},
        "valueQuantity":{"value":"36.5"},"component":[{"code":{"text":"y"},"valueInteger":1.5}]}"#;
    assert_eq!(
        issues(text),
        [
            "Observation.value.ofType(Quantity).value: json-type",
            "Observation.component[0].value.ofType(integer): format",
        ]
    );
}

#[test]
fn resources_inside_are_checked_too() {
    let text = r#"{"resourceType":"Bundle","type":"collection","entry":[
        {"resource":{"resourceType":"Patient","gender":"x","contained":[{"resourceType":"Pill"}]}},
        {"resource":{"id":"x"}},{"fullUrl":"urn:uuid:1","search":{"mode":"maybe"}}]}"#;
    assert_eq!(
        issues(text),
        [
            "Bundle.entry[0].resource.gender: code-unknown",
            "Bundle.entry[0].resource.contained[0]: resource-type-unknown",
            "Bundle.entry[1].resource: resource-type-unknown",
            "Bundle.entry[2].search.mode: code-unknown",
            // bdl-5: an entry without a resource; bdl-2: a search that is none.
            "Bundle.entry[2]: invariant",
            "Bundle: invariant",
        ]
    );
}

#[test]
fn the_same_content_elsewhere_is_checked_like_the_original() {
    let text = r#"{"resourceType":"Questionnaire","status":"draft","item":[{"linkId":"1","type":"group",
        "item":[{"linkId":"1.1","type":"poem"}]}]}"#;
    assert_eq!(issues(text), ["Questionnaire.item[0].item[0].type: code-unknown"]);
}

#[test]
fn references_lead_to_the_types_that_are_allowed() {
    let to = |reference: &str| {
        issues(&format!(
            r#"{{"resourceType":"Encounter","status":"planned","class":{{"code":"AMB"}},"subject":{{{reference}}}}}"#
        ))
    };
    let wrong = ["Encounter.subject: reference-target"];
    for good in ["Patient/1", "Group/1", "urn:uuid:1", "http://a.kp/Device/1", "Patient?x=1"] {
        assert_eq!(to(&format!(r#""reference":"{good}""#)), [""; 0], "{good}");
    }
    for bad in ["Device/1", "Patients/1", "Device?x=1", "Device/1/_history/2"] {
        assert_eq!(to(&format!(r#""reference":"{bad}""#)), wrong, "{bad}");
    }
    assert_eq!(to(r#""type":"Device","display":"x""#), wrong);
}

#[test]
fn required_bindings_of_concepts_need_a_coding_of_the_set() {
    let with = |status: &str| {
        issues(&format!(
            r#"{{"resourceType":"Condition","subject":{{"reference":"Patient/1"}},"clinicalStatus":{status}}}"#
        ))
    };
    let system = "http://terminology.hl7.org/CodeSystem/condition-clinical";
    assert_eq!(
        with(&format!(
            r#"{{"coding":[{{"code":"x","system":"http://a.kp"}},{{"code":"active","system":"{system}"}}]}}"#
        )),
        [""; 0]
    );
    let wrong = ["Condition.clinicalStatus: code-unknown"];
    assert_eq!(with(r#"{"text":"active"}"#), wrong);
    assert_eq!(with(r#"{"coding":[{"code":"active"}]}"#), wrong);
    assert_eq!(with(&format!(r#"{{"coding":[{{"code":"gone","system":"{system}"}}]}}"#)), wrong);
}

#[test]
fn the_number_of_issues_is_bounded() {
    let text = format!(r#"{{"resourceType":"Patient","name":[{}1]}}"#, "1,".repeat(2_000));
    let issues = validate(&Resource::parse(text.as_bytes()).unwrap());
    assert_eq!(issues.len(), ISSUES_MAX + 1);
    assert_eq!(issues.last().unwrap().code, IssueCode::TooMany);
}
