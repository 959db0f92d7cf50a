//! Visits are saved, corrected and taken back, and make a chart that others can trust.

use ondol_access::{Denial, Role};
use ondol_app::{
    Actor, AppError,
    encounter::{
        Allergies, NewAllergy, Substance, TypedDiagnosis, TypedMedicine, TypedVital, Verdict, Visit,
    },
    people::{Birth, Registration, Sex},
};
use ondol_kernel::{DAY_MS, ResourceId};
use ondol_record::ChartId;
use support::{Country, Facility, MONDAY_8};

use crate::support;

fn registered(clinic: &Facility, worker: &Actor) -> ResourceId {
    let of = Registration {
        name: "리용희".into(),
        sex: Some(Sex::Female),
        birth: Some(Birth::Year(1994)),
        resident: true,
        ..Registration::default()
    };
    clinic.app.register(worker, of).unwrap().id
}

fn vital(key: &'static str, value: &str) -> TypedVital {
    TypedVital { key, value: value.into() }
}

fn usual() -> Visit {
    Visit {
        complaint: "기침 사흘".into(),
        vitals: vec![
            vital("body-temperature", "38.50"),
            vital("systolic-pressure", "120"),
            vital("diastolic-pressure", "80"),
            vital("oxygen-saturation", "96"),
        ],
        diagnoses: vec![TypedDiagnosis {
            code: Some("J20.9".into()),
            words: String::new(),
            lasting: false,
        }],
        medicines: vec![TypedMedicine {
            atc: Some("J01CA04".into()),
            name: "아목시실린".into(),
            strength: "250 mg".into(),
            dose: "하루 3번 1알".into(),
            days: Some(5),
            taken_already: false,
        }],
        note: "물을 많이 마시게 함".into(),
        ..Visit::default()
    }
}

fn chart(patient: &ResourceId) -> ChartId {
    ChartId::Patient(patient.clone())
}

#[test]
fn a_usual_visit_stands_in_the_chart_as_it_was_typed() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let patient = registered(&clinic, &worker);
    clinic.app.save_visit(&worker, &patient, usual()).unwrap();
    let chart_view = clinic.app.chart(&worker, &patient, 0).unwrap();
    let visit = &chart_view.visits[0];
    assert_eq!(visit.complaint, "기침 사흘");
    let vitals: Vec<(&str, &str)> =
        visit.vitals.iter().map(|vital| (vital.key, vital.value.as_str())).collect();
    assert_eq!(
        vitals,
        [
            ("body-temperature", "38.50"),
            ("oxygen-saturation", "96"),
            ("systolic-pressure", "120"),
            ("diastolic-pressure", "80")
        ]
    );
    assert_eq!(visit.diagnoses[0].code.as_deref(), Some("J20.9"));
    assert_eq!(visit.medicines[0].words, "아목시실린 250 mg");
    assert_eq!((visit.medicines[0].days, visit.notes.len()), (Some(5), 1));
    assert_eq!(chart_view.safety.medicines.len(), 1);
    assert!(!visit.open && visit.here && visit.typed_by.is_empty());
    // A provisional diagnosis of a cough is no lasting problem.
    assert!(chart_view.safety.problems.is_empty());
}

#[test]
fn pressure_and_saturation_are_coded_as_the_vital_signs_profiles_ask() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let patient = registered(&clinic, &worker);
    clinic.app.save_visit(&worker, &patient, usual()).unwrap();
    let observations = clinic.all(&chart(&patient), "Observation");
    let coded = |code: &str| {
        observations
            .iter()
            .find(|o| o["code"]["coding"].to_string().contains(&format!("\"{code}\"")))
            .unwrap()
    };
    assert_eq!(coded("85354-9")["component"].as_array().unwrap().len(), 2);
    assert!(coded("59408-5")["code"].to_string().contains("2708-6"));
    assert_eq!(coded("8310-5")["valueQuantity"]["value"].to_string(), "38.50");
    assert_eq!(coded("8310-5")["category"][0]["coding"][0]["code"], "vital-signs");
}

#[test]
fn the_time_of_care_is_kept_apart_from_the_time_of_writing() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let patient = registered(&clinic, &worker);
    let yesterday = MONDAY_8.plus(-DAY_MS);
    let visit = Visit { at: Some(yesterday), ..usual() };
    clinic.app.save_visit(&worker, &patient, visit).unwrap();
    let visit = &clinic.app.chart(&worker, &patient, 0).unwrap().visits[0];
    assert_eq!((visit.at, visit.written), (yesterday, MONDAY_8));
}

#[test]
fn a_visit_is_corrected_part_by_part() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let patient = registered(&clinic, &worker);
    let encounter = clinic.app.save_visit(&worker, &patient, usual()).unwrap();
    let before = clinic.all(&chart(&patient), "Condition");
    clinic.clock.pass_minutes(5);
    let (_, view) = clinic.app.visit(&worker, &patient, &encounter).unwrap();
    let mut typed = view.to_typed();
    typed.vitals[0].value = "38.7".into();
    typed.medicines.clear();
    clinic.app.correct_visit(&worker, &patient, &encounter, typed.clone()).unwrap();
    let (_, view) = clinic.app.visit(&worker, &patient, &encounter).unwrap();
    assert_eq!(view.vitals[0].value, "38.7");
    assert!(view.medicines.is_empty());
    assert!(clinic.app.chart(&worker, &patient, 0).unwrap().safety.medicines.is_empty());
    // What was not touched has no new version.
    let after = clinic.all(&chart(&patient), "Condition");
    assert_eq!(before[0]["meta"]["versionId"], after[0]["meta"]["versionId"]);
    let arrival = clinic.app.last_arrival().unwrap();
    clinic.app.correct_visit(&worker, &patient, &encounter, typed).unwrap();
    assert_eq!(clinic.app.last_arrival().unwrap(), arrival, "nothing changed, nothing is written");
}

#[test]
fn a_visit_for_the_wrong_person_is_taken_back_with_a_reason() {
    let clinic = Facility::new();
    let nurse = clinic.person(Role::Nurse);
    let patient = registered(&clinic, &nurse);
    let visit = Visit { medicines: vec![], ..usual() };
    let encounter = clinic.app.save_visit(&nurse, &patient, visit.clone()).unwrap();
    let refused = clinic.app.retract_visit(&nurse, &patient, &encounter, "");
    assert!(matches!(refused, Err(AppError::Field { field: "reason", .. })));
    let other = clinic.person(Role::Nurse);
    let refused = clinic.app.retract_visit(&other, &patient, &encounter, "다른 사람의 기록");
    assert!(matches!(refused, Err(AppError::Denied(_))), "only who wrote it, or a doctor");
    clinic.app.retract_visit(&nurse, &patient, &encounter, "다른 사람의 기록").unwrap();
    let chart = clinic.app.chart(&nurse, &patient, 0).unwrap();
    assert!(chart.visits.is_empty());
    assert!(matches!(clinic.app.visit(&nurse, &patient, &encounter), Err(AppError::Gone)));
}

#[test]
fn a_nurse_writes_and_does_not_prescribe() {
    let clinic = Facility::new();
    let nurse = clinic.person(Role::Nurse);
    let patient = registered(&clinic, &nurse);
    let refused = clinic.app.save_visit(&nurse, &patient, usual());
    assert!(matches!(refused, Err(AppError::Denied(_))));
    let mut visit = usual();
    visit.medicines[0].taken_already = true;
    clinic.app.save_visit(&nurse, &patient, visit).unwrap();
    assert!(clinic.all(&chart(&patient), "MedicationRequest").is_empty());
    assert_eq!(clinic.all(&chart(&patient), "MedicationStatement").len(), 1);
}

#[test]
fn dangers_are_told_before_saving_and_in_the_chart() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let patient = registered(&clinic, &worker);
    let visit = Visit {
        vitals: vec![vital("systolic-pressure", "170"), vital("heart-rate", "140")],
        pregnant: Some(true),
        ..Visit::default()
    };
    let judged = clinic.app.judge_visit(&worker, &patient, &visit).unwrap();
    assert_eq!(judged.len(), 2);
    assert!(judged.iter().all(|j| matches!(j.verdict, Verdict::Danger { .. })));
    clinic.app.save_visit(&worker, &patient, visit).unwrap();
    let chart = clinic.app.chart(&worker, &patient, 0).unwrap();
    assert_eq!(chart.visits[0].danger(), Some(ondol_terms::Level::Red));
    assert!(chart.safety.pregnancy.unwrap().pregnant);
    // A pregnancy that was noted counts at the next visit too.
    let next = Visit { vitals: vec![vital("systolic-pressure", "165")], ..Visit::default() };
    assert_eq!(clinic.app.judge_visit(&worker, &patient, &next).unwrap().len(), 1);
    clinic.clock.set_wall(MONDAY_8.plus(43 * 7 * DAY_MS));
    assert_eq!(clinic.app.judge_visit(&worker, &patient, &next).unwrap().len(), 0);
}

#[test]
fn not_asked_none_known_and_known_are_three_things() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let patient = registered(&clinic, &worker);
    let app = &clinic.app;
    let allergies = || app.banner(&worker, &patient).unwrap().allergies;
    assert!(matches!(allergies(), Allergies::NotAsked));
    app.record_no_allergies(&worker, &patient).unwrap();
    assert!(matches!(allergies(), Allergies::NoneKnown { .. }));
    app.allergies_not_asked(&worker, &patient).unwrap();
    assert!(matches!(allergies(), Allergies::NotAsked));
    app.record_no_allergies(&worker, &patient).unwrap();
    let penicillin = NewAllergy {
        to: Substance { atc: Some("J01CE01".into()), words: "페니실린".into() },
        reaction: "두드러기".into(),
        severe: Some(true),
    };
    app.record_allergy(&worker, &patient, penicillin).unwrap();
    let Allergies::Known(known) = allergies() else { panic!("an allergy beats 'none known'") };
    assert!(known[0].severe && known[0].reaction == "두드러기");
    let refused = app.record_no_allergies(&worker, &patient);
    assert!(matches!(refused, Err(AppError::State("allergies-known"))));
    app.refute_allergy(&worker, &patient, &known[0].id, "시험에서 음성").unwrap();
    assert!(matches!(allergies(), Allergies::NoneKnown { .. }));
    let safety = app.chart(&worker, &patient, 0).unwrap().safety;
    assert_eq!(safety.refuted.len(), 1);
    let refuted = clinic.get("AllergyIntolerance", known[0].id.as_str()).unwrap();
    assert_eq!(refuted["extension"][0]["url"], "urn:ondol:refutes");
}

#[test]
fn whoever_has_no_relation_breaks_the_glass_and_the_home_facility_is_told() {
    let country = Country::new();
    let clinic = country.clinic();
    let worker = clinic.person(Role::HealthWorker);
    let patient = registered(clinic, &worker);
    country.carry();
    let county = country.county();
    let doctor = county.person_named("박의사", &[Role::Doctor]);
    let refused = county.app.chart(&doctor, &patient, 0);
    assert!(matches!(refused, Err(AppError::Denied(Denial::NothingPermits))));
    let refused = county.app.break_glass(&doctor, &patient, "..");
    assert!(matches!(refused, Err(AppError::Field { field: "reason", .. })));
    county.app.break_glass(&doctor, &patient, "의식 없이 실려옴").unwrap();
    let chart = county.app.chart(&doctor, &patient, 0).unwrap();
    assert!(!chart.may_write);
    assert!(chart.lacks.iter().any(|l| l.facility == "새마을리진료소" && l.complete_to.is_some()));
    country.carry();
    let alerts = clinic.app.new_glass_alerts(&worker).unwrap();
    assert_eq!(alerts.len(), 1);
    let administrator = clinic.person(Role::Administrator);
    assert!(clinic.app.new_glass_alerts(&administrator).unwrap().is_empty());
    assert_eq!(
        (alerts[0].reason.as_str(), alerts[0].facility.as_str()),
        ("의식 없이 실려옴", "군병원")
    );
    country.pass_minutes(12 * 60 + 1);
    assert!(matches!(county.app.chart(&doctor, &patient, 0), Err(AppError::Denied(_))));
}

#[test]
fn the_patient_can_be_told_who_looked_and_why() {
    let clinic = Facility::new();
    let worker = clinic.person_named("최순옥", &[Role::HealthWorker]);
    let patient = registered(&clinic, &worker);
    clinic.app.chart(&worker, &patient, 0).unwrap();
    let readers = clinic.app.readers(&worker, &patient).unwrap();
    assert_eq!(readers.len(), 1);
    assert_eq!(readers[0].name, "최순옥");
    assert_eq!(readers[0].relation, Some(ondol_access::Relation::HomeFacility));
}

#[test]
fn somebody_who_stays_is_open_until_they_go() {
    let country = Country::new();
    let worker = country.clinic().person(Role::HealthWorker);
    let patient = registered(country.clinic(), &worker);
    country.carry();
    let county = country.county();
    let doctor = county.person(Role::Doctor);
    county.app.receive(&doctor, &patient).unwrap();
    let first = Visit { stays: true, ..usual() };
    let arrived = county.app.chart(&doctor, &patient, 0).unwrap().received.unwrap();
    let stay = county.app.save_visit(&doctor, &patient, first).unwrap();
    assert_eq!(arrived, stay, "the arrival becomes the visit");
    county.clock.pass_minutes(60);
    let round = Visit { note: "열이 내렸다".into(), stays: true, ..Visit::default() };
    county.app.save_visit(&doctor, &patient, round).unwrap();
    assert_eq!(county.app.chart(&doctor, &patient, 0).unwrap().received, Some(stay));
    let last = Visit { note: "집으로".into(), ..Visit::default() };
    county.app.save_visit(&doctor, &patient, last).unwrap();
    let chart = county.app.chart(&doctor, &patient, 0).unwrap();
    assert!(chart.received.is_none());
    assert_eq!(chart.visits.len(), 3);
}

#[test]
fn concurrent_changes_both_stand_in_the_chart() {
    let country = Country::new();
    let clinic = country.clinic();
    let worker = clinic.person(Role::HealthWorker);
    let patient = registered(clinic, &worker);
    let app = &clinic.app;
    let allergy = NewAllergy {
        to: Substance { atc: None, words: "땅콩".into() },
        reaction: String::new(),
        severe: None,
    };
    app.record_allergy(&worker, &patient, allergy).unwrap();
    country.carry();
    let doctor = country.county().person(Role::Doctor);
    country.county().app.receive(&doctor, &patient).unwrap();
    let known = |app: &ondol_app::App, actor: &Actor| match app
        .banner(actor, &patient)
        .unwrap()
        .allergies
    {
        Allergies::Known(known) => known,
        _ => panic!("known"),
    };
    let id = known(app, &worker)[0].id.clone();
    // The clinic refutes it while the county, unaware, refutes nothing but corrects the record.
    app.refute_allergy(&worker, &patient, &id, "잘못 들었다").unwrap();
    let mut corrected = country.county().get("AllergyIntolerance", id.as_str()).unwrap();
    corrected["criticality"] = "high".into();
    corrected.as_object_mut().unwrap().remove("meta");
    let county = country.county();
    let found = {
        let view = county.store().read().unwrap();
        view.resource("AllergyIntolerance", &id).unwrap().unwrap()
    };
    let chart = chart(&patient);
    let action = ondol_access::Action::WriteEntry;
    county
        .app
        .writing(&doctor, action, &chart, move |_| {
            let mut changes = ondol_app::Changes::new(ondol_kernel::Class::Care);
            changes.update(&found, corrected);
            Ok(changes)
        })
        .unwrap();
    country.carry();
    for (facility, actor) in [(clinic, &worker), (county, &doctor)] {
        let known = known(&facility.app, actor);
        assert!(known[0].two_versions && known[0].severe, "an allergy beats its refutation");
    }
}

#[test]
fn what_the_facility_writes_most_stands_first() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let patient = registered(&clinic, &worker);
    assert!(!clinic.app.local_diagnoses().unwrap().is_empty());
    for code in ["I10", "A15.0", "I10"] {
        let visit = Visit {
            diagnoses: vec![TypedDiagnosis {
                code: Some(code.into()),
                words: String::new(),
                lasting: true,
            }],
            ..Visit::default()
        };
        clinic.app.save_visit(&worker, &patient, visit).unwrap();
    }
    assert_eq!(clinic.app.local_diagnoses().unwrap()[..2], ["I10", "A15.0"]);
    let chart = clinic.app.chart(&worker, &patient, 0).unwrap();
    assert_eq!(chart.safety.problems.len(), 3);
}
