//! A node that starts over a backup counts anew: what it writes and sends from then on is taken
//! for nothing that was there before, on the link, past others and on foot (ADR 0009).

use ondol_kernel::Class;
use support::{
    Country, Facility,
    scenes::{bring, consult, note, notes, patient_at, put_aside, stick, waits},
};

use crate::support;

#[test]
fn what_a_restored_clinic_writes_arrives_by_stick_once() {
    let mut country = Country::new();
    let chart = patient_at(country.clinic(), "p1");
    note(country.clinic(), "p1", "c1");
    bring(&stick(country.clinic(), country.county()), country.county());
    let early_ack = stick(country.county(), country.clinic());
    let backup = country.clinic().backup();
    for id in ["c2", "c3"] {
        note(country.clinic(), "p1", id);
        let lost = stick(country.clinic(), country.county());
        bring(&lost, country.county());
    }
    let late_ack = stick(country.county(), country.clinic());
    let in_a_drawer = {
        note(country.clinic(), "p1", "c4");
        stick(country.clinic(), country.county())
    };

    country.again("clinic", |clinic| clinic.put_back(&backup));
    let (clinic, county) = (country.clinic(), country.county());
    // Acknowledgements of what was sent before acknowledge nothing of what is sent now, though
    // the numbers are the same.
    let before = clinic.app.outgoing(county.seat.node(), Class::Routine, 100).unwrap();
    for old in [early_ack, late_ack] {
        assert!(!bring(&old, clinic).2);
    }
    assert!(waits(clinic));
    assert_eq!(clinic.app.outgoing(county.seat.node(), Class::Routine, 100).unwrap(), before);

    for id in ["c5", "c6"] {
        note(clinic, "p1", id);
    }
    let up = stick(clinic, county);
    assert!(bring(&up, county).0 > 0);
    assert_eq!(notes(county, &chart), ["c1", "c2", "c3", "c5", "c6"]);
    let arrivals = county.app.last_arrival().unwrap();
    assert_eq!(bring(&up, county).0, 0, "the second time it brings nothing");
    assert_eq!(county.app.last_arrival().unwrap(), arrivals);

    assert!(bring(&stick(county, clinic), clinic).2);
    let left = clinic.app.outgoing(county.seat.node(), Class::Routine, 100).unwrap();
    assert!(left.is_empty(), "{} messages wait for nobody", left.len());

    // A stick from before the backup was put back still brings what was on it, and does not
    // hide what comes after it.
    assert!(bring(&in_a_drawer, county).0 > 0);
    note(clinic, "p1", "c7");
    assert!(bring(&stick(clinic, county), county).0 > 0);
    assert_eq!(notes(county, &chart), ["c1", "c2", "c3", "c4", "c5", "c6", "c7"]);
    assert_eq!(put_aside(county), 0, "no address was given twice");
}

#[test]
fn what_a_restored_hospital_writes_arrives_past_the_ministry_once() {
    let mut country = Country::new();
    let chart = patient_at(country.province(), "p1");
    consult(country.province(), "p1", "s1");
    note(country.province(), "p1", "c1");
    country.carry();
    let backup = country.province().backup();
    note(country.province(), "p1", "c2");
    note(country.specialist(), "p1", "a1");
    country.carry();
    assert_eq!(notes(country.specialist(), &chart), ["a1", "c1", "c2"]);

    country.again("province", |province| province.put_back(&backup));
    note(country.province(), "p1", "c3");
    country.carry();
    assert_eq!(notes(country.specialist(), &chart), ["a1", "c1", "c2", "c3"]);
    note(country.specialist(), "p1", "a2");
    note(country.province(), "p1", "c4");
    country.carry();
    assert_eq!(notes(country.specialist(), &chart), ["a1", "a2", "c1", "c2", "c3", "c4"]);
    for facility in country.all() {
        assert!(!waits(facility), "{} still has something", facility.seat.id);
    }
    for facility in [country.specialist(), country.ministry()] {
        assert_eq!(put_aside(facility), 0, "{}", facility.seat.id);
    }
}

#[test]
fn what_waited_when_the_backup_was_made_still_arrives() {
    let mut country = Country::new();
    let chart = patient_at(country.province(), "p1");
    consult(country.province(), "p1", "s1");
    country.carry_but(&["specialist"]);
    note(country.province(), "p1", "c1");
    // Packed and sealed for the specialist, and not yet taken over by the ministry.
    for class in Class::ALL {
        country.province().app.outgoing(country.ministry().seat.node(), class, 100).unwrap();
    }
    let backup = country.province().backup();
    country.again("province", |province| province.put_back(&backup));
    country.carry();
    assert_eq!(notes(country.specialist(), &chart), ["c1"]);
    assert!(!waits(country.province()));
}

#[test]
fn two_restorations_of_one_backup_are_told_apart() {
    let mut country = Country::new();
    let chart = patient_at(country.clinic(), "p1");
    let backup = country.clinic().backup();
    let mut last = 0;
    for id in ["c1", "c2", "c3"] {
        country.pass_minutes(120);
        country.again("clinic", |clinic| clinic.put_back(&backup));
        let epoch = country.clinic().app.own_epoch().unwrap();
        assert!(epoch > last, "the last restoration counts in the highest epoch");
        last = epoch;
        note(country.clinic(), "p1", id);
        bring(&stick(country.clinic(), country.county()), country.county());
    }
    assert_eq!(notes(country.county(), &chart), ["c1", "c2", "c3"]);
    assert_eq!(put_aside(country.county()), 0);
}

#[test]
fn a_record_that_was_copied_to_another_place_begins_a_new_incarnation() {
    let facility = Facility::at("clinic");
    let epoch = || facility.app.own_epoch().unwrap();
    let first = epoch();
    assert!(!facility.app.lives_at(b"a file").unwrap());
    assert!(!facility.app.lives_at(b"a file").unwrap());
    assert_eq!(epoch(), first);
    assert!(facility.app.lives_at(b"a copy").unwrap());
    let second = epoch();
    assert!(second > first);
    assert!(!facility.app.lives_at(b"a copy").unwrap());
    assert_eq!(epoch(), second);
}
