//! From what somebody saves to entries: homes, ids, references, groups and chains.

mod support;

use ondol_kernel::{Class, ResourceId};
use ondol_record::{
    ChartId, Draft, DraftChange, DraftId, Entry, EntryHash,
    draft::{DraftContent, FinishError},
    entry::{Content, Group},
    home::HomeError,
};
use serde_json::{Value, json};
use support::Log;

fn put(url: &str, resource: Value) -> DraftChange {
    DraftChange {
        resource_type: resource["resourceType"].as_str().unwrap().into(),
        id: DraftId::New(url.into()),
        supersedes: vec![],
        chart: None,
        content: DraftContent::Put(resource),
    }
}

fn draft(changes: Vec<DraftChange>) -> Draft {
    Draft {
        class: Class::Routine,
        care_time: None,
        author: "Practitioner/p".into(),
        typist: "".into(),
        changes,
    }
}

fn body(entry: &Entry, ordinal: usize) -> Value {
    match &entry.changes[ordinal].content {
        Content::Put(body) => serde_json::from_str(body.as_str()).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_person_and_the_visit_are_one_chart_and_refer_to_each_other() {
    let decimal: Value = serde_json::from_str("38.50").unwrap();
    let mut log = Log::default();
    let entries = log
        .write(
            draft(vec![
                put("urn:uuid:a", json!({"resourceType": "Patient"})),
                put(
                    "urn:uuid:b",
                    json!({"resourceType": "Encounter", "subject": {"reference": "urn:uuid:a"}}),
                ),
                put(
                    "",
                    json!({"resourceType": "Observation", "encounter": {"reference": "urn:uuid:b"},
                      "subject": {"reference": "urn:uuid:a"}, "valueQuantity": {"value": decimal}}),
                ),
            ]),
            1 << 16,
        )
        .unwrap();
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    let patient = &entry.changes[0].id;
    assert_eq!(entry.chart, ChartId::Patient(patient.clone()));
    assert_eq!(body(entry, 1)["subject"]["reference"], format!("Patient/{patient}"));
    assert_eq!(
        body(entry, 2)["encounter"]["reference"],
        format!("Encounter/{}", entry.changes[1].id)
    );
    assert!(matches!(&entry.changes[2].content, Content::Put(b) if b.as_str().contains("38.50")));
    assert_eq!(entry.group, None);
    assert_eq!(Entry::from_bytes(&entry.to_bytes()).as_ref(), Ok(entry));
}

#[test]
fn a_transaction_over_several_charts_is_a_group_of_entries() {
    let mut log = Log::default();
    let entries = log
        .write(
            draft(vec![
                put("urn:uuid:mother", json!({"resourceType": "Patient"})),
                put("urn:uuid:child", json!({"resourceType": "Patient"})),
                put("", json!({"resourceType": "RelatedPerson", "patient": {"reference": "urn:uuid:child"}})),
                put("", json!({"resourceType": "Medication"})),
            ]),
            5 << 16,
        )
        .unwrap();
    assert_eq!(entries.iter().map(|e| e.changes.len()).collect::<Vec<_>>(), [1, 2, 1]);
    assert_eq!(entries[2].chart, ChartId::Facility(ResourceId::new("facility").unwrap()));
    assert_eq!(entries[1].group, Some(Group { size: 3, index: 1 }));
    assert_eq!(entries.iter().map(|e| e.address.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(entries[0].hlc < entries[1].hlc);
}

#[test]
fn each_chart_is_a_chain() {
    let mut log = Log::default();
    let first = log.write(draft(vec![put("", json!({"resourceType": "Patient"}))]), 1).unwrap();
    let id = first[0].changes[0].id.clone();
    let note =
        json!({"resourceType": "Condition", "subject": {"reference": format!("Patient/{id}")}});
    let second = log.write(draft(vec![put("", note)]), 2).unwrap();
    assert_eq!((first[0].chart_number, first[0].previous), (1, EntryHash::NONE));
    assert_eq!((second[0].chart_number, second[0].previous), (2, first[0].hash()));
}

#[test]
fn a_resource_without_a_subject_of_its_own_follows_its_references() {
    let mut log = Log::default();
    let first = log
        .write(
            draft(vec![
                put("urn:uuid:p", json!({"resourceType": "Patient"})),
                put("urn:uuid:s", json!({"resourceType": "ServiceRequest", "subject": {"reference": "urn:uuid:p"}})),
            ]),
            1,
        )
        .unwrap();
    let request = &first[0].changes[1].id;
    let reply = json!({"resourceType": "Communication", "basedOn": [{"reference": format!("ServiceRequest/{request}")}]});
    let second = log.write(draft(vec![put("", reply)]), 2).unwrap();
    assert_eq!(second[0].chart, first[0].chart);
}

#[test]
fn an_appointment_lives_with_its_first_patient() {
    let mut log = Log::default();
    let entries = log
        .write(
            draft(vec![put(
                "",
                json!({"resourceType": "Appointment", "participant": [
                    {"actor": {"reference": "Practitioner/d"}},
                    {"actor": {"reference": "Patient/a"}},
                    {"actor": {"reference": "Patient/b"}}]}),
            )]),
            1,
        )
        .unwrap();
    assert_eq!(entries[0].chart, ChartId::Patient(ResourceId::new("a").unwrap()));
}

#[test]
fn circles_of_references_end() {
    let mut log = Log::default();
    let entries = log
        .write(
            draft(vec![
                put("urn:uuid:a", json!({"resourceType": "Communication", "partOf": [{"reference": "urn:uuid:b"}]})),
                put("urn:uuid:b", json!({"resourceType": "Communication", "partOf": [{"reference": "urn:uuid:a"}]})),
            ]),
            1,
        )
        .unwrap();
    assert_eq!(entries[0].chart, ChartId::Facility(ResourceId::new("facility").unwrap()));
}

#[test]
fn what_cannot_be_saved_says_which_resource_it_was() {
    let mut log = Log::default();
    assert_eq!(log.write(draft(vec![]), 1), Err(FinishError::Empty));
    let unknown = draft(vec![put("", json!({"resourceType": "Spaceship"}))]);
    assert_eq!(log.write(unknown, 1), Err(FinishError::Home(0, HomeError::UnknownType)));
}

#[test]
fn the_table_has_a_row_for_every_resource_type_of_r4() {
    // R4 has 148 resource types, two of them abstract (Resource, DomainResource).
    assert_eq!(ondol_record::home::rows().count(), 146);
    for (name, paths) in ondol_record::home::rows() {
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{name}");
        assert!(paths.iter().all(|path| !path.is_empty()), "{name}");
    }
}
