//! How somebody stands to a chart is read from the record at the moment of the question.

use ondol_access::Role;
use ondol_app::{
    Actor, AppError,
    encounter::Visit,
    people::{Birth, Registration},
};
use ondol_kernel::ResourceId;
use serde_json::json;
use support::{Country, Facility};

use crate::support;

fn id(text: &str) -> ResourceId {
    ResourceId::new(text).unwrap()
}

fn may_read(at: &Facility, who: &Actor, patient: &str) -> bool {
    match at.app.chart(who, &id(patient), 0) {
        Ok(_) => true,
        Err(AppError::Denied(_)) => false,
        Err(other) => panic!("{other:?}"),
    }
}

/// A county hospital with an emergency room, and somebody from the village who was brought in by
/// the village's own people: nobody of the hospital has opened an encounter.
fn brought_in(county: &Facility, status: &str, place: &str) {
    county.put("er", json!({ "resourceType": "Location", "name": "구급실" }));
    county.put(
        "p1",
        json!({ "resourceType": "Patient", "name": [{ "text": "리영희" }],
            "managingOrganization": { "reference": "Organization/clinic" } }),
    );
    county.put(
        "e1",
        json!({ "resourceType": "Encounter", "status": status,
            "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                "code": "EMER" },
            "subject": { "reference": "Patient/p1" },
            "serviceProvider": { "reference": "Organization/clinic" },
            "location": [{ "location": { "reference": place } }] }),
    );
}

#[test]
fn whoever_is_on_duty_in_the_emergency_room_reads_who_lies_there_and_only_while_on_duty() {
    let county = Facility::at("county");
    brought_in(&county, "arrived", "Location/er");
    let manager = county.person(Role::FacilityManager);
    let (doctor, other) = (county.person(Role::Doctor), county.person(Role::Doctor));
    let app = &county.app;
    app.set_duty_service(&manager, "emergency", "02-381-119", None).unwrap();
    app.set_duty_service(&manager, "surgery", "", None).unwrap();
    assert!(!may_read(&county, &doctor, "p1"), "not on duty yet");
    app.check_in(&doctor, "emergency").unwrap();
    app.check_in(&other, "surgery").unwrap();
    assert!(may_read(&county, &doctor, "p1"));
    assert!(!may_read(&county, &other, "p1"), "on duty, and not there");
    assert!(!may_read(&county, &manager, "p1"), "a desk stays one");
    let visit = Visit { complaint: "의식이 없음".into(), ..Visit::default() };
    // The hour that he treats there himself, an encounter of the hospital is open; it is not
    // this that is asked about here.
    app.judge_visit(&doctor, &id("p1"), &visit).unwrap();
    county.clock.pass_minutes(1);
    app.check_out(&doctor, "emergency").unwrap();
    assert!(!may_read(&county, &doctor, "p1"), "the duty is over");
    // Whoever forgot to check out is not on duty for ever.
    app.check_in(&other, "emergency").unwrap();
    assert!(may_read(&county, &other, "p1"));
    county.clock.pass_minutes(27 * 60);
    assert!(!may_read(&county, &other, "p1"));
}

#[test]
fn duty_opens_no_chart_of_who_is_not_there() {
    for (status, place) in
        [("planned", "Location/er"), ("finished", "Location/er"), ("arrived", "Location/far")]
    {
        let county = Facility::at("county");
        brought_in(&county, status, place);
        let manager = county.person(Role::FacilityManager);
        let doctor = county.person(Role::Doctor);
        county.app.set_duty_service(&manager, "emergency", "", None).unwrap();
        county.app.check_in(&doctor, "emergency").unwrap();
        assert!(!may_read(&county, &doctor, "p1"), "{status} {place}");
    }
}

#[test]
fn the_author_takes_back_what_was_written_when_care_has_ended_and_nobody_elses_part() {
    let country = Country::new();
    let county = country.county();
    let (nurse, doctor) = (county.person(Role::Nurse), county.person(Role::Doctor));
    brought_in(county, "finished", "Location/far");
    county.app.receive(&nurse, &id("p1")).unwrap();
    let visit = |complaint: &str| Visit { complaint: complaint.into(), ..Visit::default() };
    let hers = county.app.save_visit(&nurse, &id("p1"), visit("기침")).unwrap();
    let both = county.app.save_visit(&nurse, &id("p1"), visit("머리아픔")).unwrap();
    county.app.correct_visit(&doctor, &id("p1"), &both, visit("가슴아픔")).unwrap();
    // Two days later nobody of the county stands in a relation of care.
    county.clock.pass_minutes(48 * 60);
    assert!(!may_read(county, &nurse, "p1"));
    let retract = |who: &Actor, visit: &ResourceId| {
        county.app.retract_visit(who, &id("p1"), visit, "다른 사람의 기록")
    };
    assert!(matches!(retract(&doctor, &hers), Err(AppError::Denied(_))));
    assert!(matches!(retract(&nurse, &both), Err(AppError::Denied(_))), "the doctor changed it");
    retract(&nurse, &hers).unwrap();
}

#[test]
fn the_home_is_handed_on_by_those_at_home_alone() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let worker = clinic.person(Role::HealthWorker);
    let of = |name: &str, resident: bool, doctor: Option<&Actor>| Registration {
        name: name.into(),
        birth: Some(Birth::Year(1990)),
        resident,
        doctor: doctor.map(|doctor| doctor.id().clone()),
        ..Registration::default()
    };
    let village = clinic.person(Role::SectionDoctor);
    let patient = clinic.app.register(&worker, of("리용희", true, Some(&village))).unwrap().id;
    country.carry();
    let doctor = county.person(Role::Doctor);
    county.app.receive(&doctor, &patient).unwrap();
    let edit = |registration| county.app.edit_person(&doctor, &patient, registration);
    // A name is corrected by whoever treats, and home and section doctor stay.
    edit(of("리영희", false, None)).unwrap();
    let stands = county.get("Patient", patient.as_str()).unwrap();
    assert_eq!(stands["managingOrganization"]["reference"], "Organization/clinic");
    assert_eq!(stands["generalPractitioner"][0]["reference"], village.reference());
    for taken in [of("리영희", true, None), of("리영희", false, Some(&doctor))] {
        assert!(matches!(edit(taken), Err(AppError::Denied(_))));
    }
    assert_eq!(county.get("Patient", patient.as_str()).unwrap(), stands);
    // At home a section doctor is changed as ever.
    country.carry();
    let next = clinic.person(Role::SectionDoctor);
    clinic.app.edit_person(&worker, &patient, of("리영희", true, Some(&next))).unwrap();
    // Where nobody holds the chart yet, whoever received the person says who does.
    let stray = county.app.register(&doctor, of("길손", false, None)).unwrap().id;
    county.app.edit_person(&doctor, &stray, of("길손", true, None)).unwrap();
    let stands = county.get("Patient", stray.as_str()).unwrap();
    assert_eq!(stands["managingOrganization"]["reference"], "Organization/county");
}
