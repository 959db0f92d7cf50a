//! Written for the wrong person: moved to the right chart with the same ids, and back.

use ondol_access::Role;
use ondol_app::{
    Actor, AppError,
    encounter::{TypedMedicine, TypedVital, Visit},
    people::{Registration, Sex},
};
use ondol_kernel::ResourceId;
use ondol_record::{ChangeKind, ChartId};
use serde_json::json;
use support::{Country, Facility};

use crate::support;

fn person(clinic: &Facility, worker: &Actor, name: &str, resident: bool) -> ResourceId {
    let of = Registration {
        name: name.into(),
        sex: Some(Sex::Female),
        resident,
        ..Registration::default()
    };
    clinic.app.register(worker, of).unwrap().id
}

fn visit() -> Visit {
    Visit {
        complaint: "기침".into(),
        vitals: vec![TypedVital { key: "body-temperature", value: "38.5".into() }],
        medicines: vec![TypedMedicine {
            atc: None,
            name: "기침약".into(),
            strength: String::new(),
            dose: String::new(),
            days: None,
            taken_already: false,
        }],
        note: "물을 많이".into(),
        ..Visit::default()
    }
}

/// Complaints in a chart, and the subject of each part, as a facility shows them.
fn seen(at: &Facility, who: &Actor, patient: &ResourceId) -> (Vec<String>, Vec<String>) {
    let chart = at.app.chart(who, patient, 0).unwrap();
    let parts = ["Observation", "MedicationRequest", "ClinicalImpression"];
    let id = ChartId::Patient(patient.clone());
    let subjects = parts.iter().flat_map(|kind| at.all(&id, kind));
    let subjects =
        subjects.map(|part| part["subject"]["reference"].as_str().unwrap().to_owned()).collect();
    (chart.visits.into_iter().map(|visit| visit.complaint).collect(), subjects)
}

#[test]
fn a_visit_moves_to_the_right_chart_at_every_node_and_back_by_the_same_act() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let worker = clinic.person(Role::HealthWorker);
    let doctor = county.person(Role::Doctor);
    let (wrong, right) =
        (person(clinic, &worker, "리용희", true), person(clinic, &worker, "박정숙", true));
    let encounter = clinic.app.save_visit(&worker, &wrong, visit()).unwrap();
    country.carry();
    // Somebody at the county has an open encounter with both.
    county.app.receive(&doctor, &wrong).unwrap();
    county.app.receive(&doctor, &right).unwrap();

    clinic.app.move_visit(&worker, &wrong, &encounter, &right, "다른 사람").unwrap();
    country.carry();
    let own = format!("Patient/{right}");
    for (at, who) in [(clinic, &worker), (county, &doctor)] {
        let (complaints, subjects) = seen(at, who, &right);
        assert!(complaints.contains(&"기침".to_owned()), "{}", at.seat.id);
        assert_eq!(subjects, vec![own.clone(); 3], "{}", at.seat.id);
        let (complaints, subjects) = seen(at, who, &wrong);
        assert!(!complaints.contains(&"기침".to_owned()) && subjects.is_empty());
        // The directory leads a reading by id to the right chart.
        let view = at.store().read().unwrap();
        let chart = view.chart_of("Encounter", &encounter).unwrap();
        assert_eq!(chart, Some(ChartId::Patient(right.clone())));
        let found = view.resource("Encounter", &encounter).unwrap().unwrap();
        assert!(found.rivals.is_empty(), "a move is no conflict");
        drop(view);
        // Both pages say so.
        let away = at.app.chart(who, &wrong, 0).unwrap().moved;
        let here = at.app.chart(who, &right, 0).unwrap().moved;
        assert_eq!((away.len(), here.len()), (1, 1));
        assert!(away[0].away && !here[0].away);
        assert_eq!((away[0].now_in.as_ref(), here[0].now_in.as_ref()), (Some(&right), None));
        assert_eq!((&*away[0].reason, &*here[0].reason), ("다른 사람", "다른 사람"));
        assert_eq!(away[0].by, worker.name());
    }

    clinic.app.move_visit(&worker, &right, &encounter, &wrong, "그래도 그 사람").unwrap();
    country.carry();
    for (at, who) in [(clinic, &worker), (county, &doctor)] {
        let (complaints, subjects) = seen(at, who, &wrong);
        assert!(complaints.contains(&"기침".to_owned()));
        assert_eq!(subjects, vec![format!("Patient/{wrong}"); 3]);
        assert!(seen(at, who, &right).1.is_empty());
        assert_eq!(at.app.chart(who, &wrong, 0).unwrap().moved.len(), 2);
    }
    // Nothing was lost on the way: every version is in the history.
    let view = clinic.store().read().unwrap();
    let kinds: Vec<ChangeKind> =
        view.history("Encounter", &encounter).unwrap().iter().map(|v| v.kind).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == ChangeKind::Forward).count(), 2);
    assert_eq!(kinds.iter().filter(|kind| **kind == ChangeKind::Put).count(), 3);
}

#[test]
fn access_is_asked_for_in_both_charts() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let worker = clinic.person(Role::HealthWorker);
    let (wrong, right) =
        (person(clinic, &worker, "리용희", true), person(clinic, &worker, "박정숙", true));
    country.carry();
    let doctor = county.person(Role::Doctor);
    county.app.receive(&doctor, &wrong).unwrap();
    let encounter = county.app.save_visit(&doctor, &wrong, visit()).unwrap();
    // She wrote it, and stands in no relation to the other person.
    let refused = county.app.move_visit(&doctor, &wrong, &encounter, &right, "다른 사람");
    assert!(matches!(refused, Err(AppError::Denied(_))));
    // A nurse beside her may write in both, and take neither hers back nor prescribe.
    county.app.receive(&doctor, &right).unwrap();
    let nurse = county.person(Role::Nurse);
    let refused = county.app.move_visit(&nurse, &wrong, &encounter, &right, "다른 사람");
    assert!(matches!(refused, Err(AppError::Denied(_))));
    let refused = county.app.move_visit(&doctor, &wrong, &encounter, &wrong, "다른 사람");
    assert!(matches!(refused, Err(AppError::Field { why: "same-person", .. })));
    let refused = county.app.move_visit(&doctor, &wrong, &encounter, &right, " ");
    assert!(matches!(refused, Err(AppError::Field { field: "reason", .. })));
    county.app.move_visit(&doctor, &wrong, &encounter, &right, "다른 사람").unwrap();
}

#[test]
fn what_was_sent_from_a_visit_is_closed_before_the_visit_moves() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let (wrong, right) =
        (person(&clinic, &worker, "리용희", true), person(&clinic, &worker, "박정숙", true));
    let encounter = clinic.app.save_visit(&worker, &wrong, visit()).unwrap();
    let request = |status: &str| {
        json!({
            "resourceType": "ServiceRequest", "status": status, "intent": "order",
            "subject": { "reference": format!("Patient/{wrong}") },
            "encounter": { "reference": format!("Encounter/{encounter}") },
        })
    };
    clinic.put("sr1", request("active"));
    let refused = clinic.app.move_visit(&worker, &wrong, &encounter, &right, "다른 사람");
    assert!(matches!(refused, Err(AppError::State("visit-has-request"))));
    assert_eq!(seen(&clinic, &worker, &wrong).1.len(), 3, "nothing was moved");
    clinic.put("sr2", request("revoked"));
}
