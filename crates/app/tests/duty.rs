//! The duty roster: listed and present, here and as other facilities see it.

use ondol_access::Role;
use ondol_app::{
    Actor, AppError,
    duty::{Gap, NewTurn},
};
use ondol_kernel::{Millis, ResourceId};
use support::{Country, Facility, MONDAY_8};

use crate::support;

const HOUR: i64 = 3_600_000;

struct Staff {
    manager: Actor,
    doctor: Actor,
    deputy: Actor,
}

/// A hospital whose emergency service has a number and a coordinator.
fn staffed(facility: &Facility) -> Staff {
    let manager = facility.person(Role::FacilityManager);
    let doctor = facility.person_named("리철민", &[Role::Doctor]);
    let deputy = facility.person_named("최은경", &[Role::Doctor]);
    let app = &facility.app;
    app.set_duty_service(&manager, "emergency", "02-381-119", Some(deputy.id())).unwrap();
    Staff { manager, doctor, deputy }
}

fn turn(staff: &Staff, from_h: i64, to_h: i64) -> NewTurn {
    NewTurn {
        service: "emergency".into(),
        who: staff.doctor.id().clone(),
        deputy: Some(staff.deputy.id().clone()),
        from: MONDAY_8.plus(from_h * HOUR),
        to: MONDAY_8.plus(to_h * HOUR),
    }
}

fn why<T>(result: Result<T, AppError>) -> &'static str {
    match result {
        Err(AppError::Field { why, .. }) => why,
        Err(AppError::Denied(_)) => "denied",
        Err(AppError::NotFound) => "not-found",
        Err(other) => panic!("{other:?}"),
        Ok(_) => "nothing",
    }
}

#[test]
fn a_listed_doctor_who_has_not_come_is_a_gap_until_somebody_checks_in() {
    let facility = Facility::at("county");
    let staff = staffed(&facility);
    let app = &facility.app;
    let own = app.place().facility.clone();
    let at = |at: Millis| app.on_duty(&staff.doctor, &own, "emergency", at).unwrap().unwrap();
    assert_eq!(at(MONDAY_8).gap, Some(Gap::NobodyListed));
    app.add_turn(&staff.manager, turn(&staff, -1, 11)).unwrap();
    let duty = at(MONDAY_8);
    assert_eq!(duty.gap, Some(Gap::NobodyCame(MONDAY_8.plus(-HOUR))));
    assert_eq!(duty.listed.unwrap().name, "리철민");
    assert_eq!(duty.deputy.unwrap().name, "최은경");
    assert_eq!(duty.phone, "02-381-119");
    app.check_in(&staff.doctor, "emergency").unwrap();
    let duty = at(MONDAY_8);
    assert_eq!((duty.on_duty().unwrap().name.as_str(), duty.gap), ("리철민", None));
    assert_eq!(app.services_of(&staff.doctor).unwrap(), ["emergency"]);
    app.check_out(&staff.doctor, "emergency").unwrap();
    assert!(app.services_of(&staff.doctor).unwrap().is_empty());
    assert!(at(MONDAY_8).gap.is_some());
    assert!(app.on_duty(&staff.doctor, &own, "surgery", MONDAY_8).unwrap().is_none());
}

#[test]
fn checking_in_again_and_again_leaves_one_mark() {
    let facility = Facility::at("county");
    let staff = staffed(&facility);
    for _ in 0..3 {
        facility.app.check_in(&staff.doctor, "emergency").unwrap();
        facility.app.check_out(&staff.doctor, "emergency").unwrap();
    }
    assert_eq!(facility.all(&facility.chart(), "Basic").len(), 1);
    assert!(facility.app.services_of(&staff.doctor).unwrap().is_empty());
}

#[test]
fn a_turn_can_be_taken_off_the_roster() {
    let facility = Facility::at("county");
    let staff = staffed(&facility);
    let app = &facility.app;
    let own = app.place().facility.clone();
    app.add_turn(&staff.manager, turn(&staff, -1, 11)).unwrap();
    app.add_turn(&staff.manager, turn(&staff, 24, 36)).unwrap();
    let week = (MONDAY_8, MONDAY_8.plus(7 * 24 * HOUR));
    let turns = app.duty_turns(&staff.doctor, &own, week).unwrap();
    assert_eq!(turns.len(), 2);
    app.remove_turn(&staff.manager, &turns[0].id).unwrap();
    let left = app.duty_turns(&staff.doctor, &own, week).unwrap();
    assert_eq!(left, turns[1..]);
    assert_eq!(why(app.remove_turn(&staff.manager, &turns[0].id)), "not-found");
    let later = (MONDAY_8.plus(36 * HOUR), MONDAY_8.plus(48 * HOUR));
    assert!(app.duty_turns(&staff.doctor, &own, later).unwrap().is_empty());
}

#[test]
fn a_service_keeps_its_roster_when_its_number_changes() {
    let facility = Facility::at("county");
    let staff = staffed(&facility);
    let app = &facility.app;
    let own = app.place().facility.clone();
    app.add_turn(&staff.manager, turn(&staff, -1, 11)).unwrap();
    app.set_duty_service(&staff.manager, "emergency", "02-381-120", None).unwrap();
    let duties = app.duties(&staff.doctor, &own).unwrap();
    assert_eq!(duties.len(), 1);
    assert_eq!((duties[0].phone.as_str(), duties[0].coordinator.clone()), ("02-381-120", None));
    assert!(duties[0].listed.is_some());
}

#[test]
fn what_is_not_right_is_named_and_only_the_manager_writes() {
    let facility = Facility::at("county");
    let staff = staffed(&facility);
    let app = &facility.app;
    let own_deputy = Some(staff.doctor.id().clone());
    let nobody = ResourceId::new("nobody").unwrap();
    let base = || turn(&staff, 0, 12);
    for (wrong, what) in [
        (NewTurn { to: MONDAY_8, ..base() }, "ends-before"),
        (NewTurn { to: MONDAY_8.plus(8 * 24 * HOUR), ..base() }, "too-long"),
        (NewTurn { deputy: own_deputy, ..base() }, "same-person"),
        (NewTurn { service: "surgery".into(), ..base() }, "unknown"),
        (NewTurn { who: nobody, ..base() }, "unknown"),
    ] {
        assert_eq!(why(app.add_turn(&staff.manager, wrong)), what);
    }
    assert_eq!(why(app.add_turn(&staff.doctor, base())), "denied");
    assert_eq!(why(app.set_duty_service(&staff.manager, "magic", "1", None)), "unknown");
    assert_eq!(why(app.set_duty_service(&staff.manager, "heart", "a", None)), "not-a-number");
    assert_eq!(why(app.check_in(&staff.doctor, "heart")), "unknown");
    assert_eq!(why(app.check_in(&staff.manager, "emergency")), "denied");
}

#[test]
fn a_clinic_sees_the_countys_duty_and_the_county_its_clinics_gaps() {
    let country = Country::new();
    let county = country.county();
    let clinic = country.clinic();
    let staff = staffed(county);
    county.app.add_turn(&staff.manager, turn(&staff, -1, 11)).unwrap();
    county.app.check_in(&staff.doctor, "emergency").unwrap();
    let manager = clinic.person(Role::FacilityManager);
    clinic.app.set_duty_service(&manager, "general-practice", "381", None).unwrap();
    country.carry();

    let worker = clinic.person(Role::HealthWorker);
    let of = county.app.place().facility.clone();
    let duty = clinic.app.on_duty(&worker, &of, "emergency", clinic.app.now()).unwrap().unwrap();
    assert_eq!(duty.on_duty().unwrap().name, "리철민");
    assert_eq!(duty.phone, "02-381-119");

    let officer = county.person(Role::CountyOfficer);
    let below = county.app.duties_below(&officer).unwrap();
    assert_eq!(below.len(), 1);
    assert_eq!(below[0].name, clinic.seat.name);
    assert_eq!(below[0].gaps().next().unwrap().gap, Some(Gap::NobodyListed));
}
