//! A node that starts over a backup gets back what it lost: what others gave it since the backup, and
//! what it wrote itself and others hold (ADR 0029).

use ondol_kernel::{Class, ResourceId};
use ondol_record::ChartId;
use ondol_replicate::message::Message;
use ondol_store::Space;
use serde_json::json;
use support::{
    Country, Facility, Folder,
    scenes::{bring, consult, note, notes, patient_at, put_aside, stick, waits},
};

use crate::support;

/// A chart at the clinic and above, a backup of one of them, then more from three sides.
fn lost(country: &mut Country, who: &str) -> ChartId {
    let chart = patient_at(country.clinic(), "p1");
    note(country.clinic(), "p1", "a1");
    country.carry();
    let backup = country.all().iter().find(|one| one.seat.id == who).unwrap().backup();
    note(country.clinic(), "p1", "a2");
    note(country.county(), "p1", "b1");
    note(country.province(), "p1", "c1");
    patient_at(country.clinic(), "p2");
    country.carry();
    country.again(who, |one| one.put_back(&backup));
    chart
}

fn all_have(country: &Country, chart: &ChartId, ids: &[&str]) {
    for facility in [country.clinic(), country.county(), country.province()] {
        assert_eq!(notes(facility, chart), ids, "{}", facility.seat.id);
        assert!(facility.get("Patient", "p2").is_some(), "{}", facility.seat.id);
    }
    for facility in country.all() {
        assert!(!waits(facility), "{} still has something", facility.seat.id);
        assert_eq!(put_aside(facility), 0, "{}", facility.seat.id);
    }
}

#[test]
fn a_restored_facility_gets_back_what_it_lost_and_what_follows_is_read() {
    for who in ["clinic", "county", "province"] {
        let mut country = Country::new();
        let chart = lost(&mut country, who);
        // These follow entries that the restored one does not have.
        note(country.clinic(), "p1", "a3");
        note(country.county(), "p1", "b2");
        note(country.province(), "p1", "c2");
        country.carry();
        all_have(&country, &chart, &["a1", "a2", "a3", "b1", "b2", "c1", "c2"]);
    }
}

#[test]
fn it_comes_back_on_sticks_too() {
    let mut country = Country::new();
    let chart = lost(&mut country, "county");
    for _ in 0..3 {
        for (one, two) in [("clinic", "county"), ("province", "county")] {
            let of = |id| country.all().iter().find(|one| one.seat.id == id).unwrap();
            let (one, two) = (of(one), of(two));
            bring(&stick(one, two), two);
            bring(&stick(two, one), one);
        }
    }
    assert_eq!(notes(country.county(), &chart), ["a1", "a2", "b1", "c1"]);
    country.carry();
    all_have(&country, &chart, &["a1", "a2", "b1", "c1"]);
}

#[test]
fn what_only_one_neighbour_had_goes_on_to_the_others() {
    let mut country = Country::new();
    let chart = patient_at(country.clinic(), "p1");
    country.carry();
    let backup = country.county().backup();
    // The county wrote; the clinic got it, the province did not; then the county's disk broke.
    note(country.county(), "p1", "b1");
    country.carry_but(&["province"]);
    country.again("county", |county| county.put_back(&backup));
    assert!(notes(country.county(), &chart).is_empty());
    country.carry();
    for facility in [country.clinic(), country.county(), country.province()] {
        assert_eq!(notes(facility, &chart), ["b1"], "{}", facility.seat.id);
        assert_eq!(put_aside(facility), 0, "{}", facility.seat.id);
    }
}

#[test]
fn two_neighbours_that_lost_different_things_give_them_to_each_other() {
    let mut country = Country::new();
    let chart = patient_at(country.clinic(), "p1");
    country.carry();
    let (clinic, county) = (country.clinic().backup(), country.county().backup());
    note(country.clinic(), "p1", "a1");
    country.carry_but(&["province"]);
    let later = country.clinic().backup();
    note(country.county(), "p1", "b1");
    country.carry_but(&["province"]);
    // The county loses both notes, the clinic the county's.
    country.again("county", |one| one.put_back(&county));
    country.again("clinic", |one| one.put_back(&later));
    country.carry();
    assert_eq!(notes(country.county(), &chart), ["a1"]);

    // What the county said of its loss was lost as well, when the clinic was put back again.
    note(country.clinic(), "p1", "a2");
    country.carry();
    country.again("county", |one| one.put_back(&county));
    country.carry_but(&["clinic"]);
    country.again("clinic", |one| one.put_back(&clinic));
    country.carry();
    for facility in [country.clinic(), country.county(), country.province()] {
        assert_eq!(notes(facility, &chart), ["a1", "a2"], "{}", facility.seat.id);
        assert_eq!(put_aside(facility), 0, "{}", facility.seat.id);
        assert!(!waits(facility));
    }
}

/// Of two copies of one backup the later one may count in the lower epoch.
fn put_back_in_a_lower_epoch(country: &mut Country, clinic: &Folder) {
    let before = country.clinic().app.own_epoch().unwrap();
    for _ in 0..99 {
        country.again("clinic", |one| one.put_back(clinic));
        if country.clinic().app.own_epoch().unwrap() < before {
            return;
        }
    }
    panic!("all of them count later");
}

#[test]
fn so_does_a_stick_from_an_epoch_that_is_above_the_present_one() {
    let mut country = Country::new();
    let chart = patient_at(country.clinic(), "p1");
    country.carry();
    let backup = country.clinic().backup();
    country.again("clinic", |clinic| clinic.put_back(&backup));
    country.carry();
    note(country.clinic(), "p1", "a1");
    let old = stick(country.clinic(), country.county());
    put_back_in_a_lower_epoch(&mut country, &backup);
    country.carry();
    bring(&old, country.county());
    country.carry();
    for facility in [country.clinic(), country.county(), country.province()] {
        assert_eq!(notes(facility, &chart), ["a1"], "{}", facility.seat.id);
        assert!(!waits(facility), "{} still has something", facility.seat.id);
    }
}

/// Hands over what waits for a neighbour, one way.
fn hand_over(from: &Facility, to: &Facility) {
    to.app.renumbered(from.seat.node(), from.app.own_epoch().unwrap()).unwrap();
    for class in Class::ALL {
        for message in from.app.outgoing(to.seat.node(), class, 1_000).unwrap() {
            to.app.arrive(from.seat.node(), class, message.number, &message.bytes).unwrap();
            from.app.delivered(to.seat.node(), class, message.number).unwrap();
        }
    }
}

#[test]
fn whoever_lost_something_tells_it_to_a_neighbour_that_was_put_back_from_one_backup_twice() {
    let mut country = Country::new();
    let chart = patient_at(country.clinic(), "p1");
    country.carry();
    let county = country.county().backup();
    note(country.clinic(), "p1", "a1");
    country.carry_but(&["province"]);
    let clinic = country.clinic().backup();
    country.again("county", |one| one.put_back(&county));
    country.again("clinic", |one| one.put_back(&clinic));
    hand_over(country.clinic(), country.county());
    // The county says that it lost the note; what the clinic has for it then is lost again.
    hand_over(country.county(), country.clinic());
    assert!(notes(country.county(), &chart).is_empty());
    put_back_in_a_lower_epoch(&mut country, &clinic);
    country.carry();
    for facility in [country.clinic(), country.county(), country.province()] {
        assert_eq!(notes(facility, &chart), ["a1"], "{}", facility.seat.id);
        assert!(!waits(facility), "{} still has something", facility.seat.id);
    }
}

#[test]
fn what_waits_already_is_not_queued_again() {
    let mut country = Country::new();
    patient_at(country.clinic(), "p1");
    country.carry();
    let backup = country.clinic().backup();
    for id in ["b1", "b2", "b3"] {
        note(country.county(), "p1", id);
    }
    let queued = |county: &Facility| {
        let view = county.store().read().unwrap();
        view.values(Space::ParcelOut, b"q", None, usize::MAX).unwrap().len()
    };
    let before = queued(country.county());
    country.again("clinic", |clinic| clinic.put_back(&backup));
    bring(&stick(country.clinic(), country.county()), country.county());
    // Three for the clinic, three for the province.
    assert_eq!((before, queued(country.county())), (6, 6));
}

#[test]
fn it_comes_back_past_the_ministry() {
    let mut country = Country::new();
    let chart = patient_at(country.province(), "p1");
    consult(country.province(), "p1", "s1");
    country.carry();
    let backup = country.province().backup();
    note(country.province(), "p1", "c1");
    note(country.specialist(), "p1", "d1");
    country.carry();
    country.again("province", |province| province.put_back(&backup));
    country.carry();
    assert_eq!(notes(country.province(), &chart), ["c1", "d1"]);
    note(country.specialist(), "p1", "d2");
    country.carry();
    assert_eq!(notes(country.province(), &chart), ["c1", "d1", "d2"]);
    assert!(!waits(country.province()) && !waits(country.specialist()));
    assert_eq!(put_aside(country.province()) + put_aside(country.ministry()), 0);
}

#[test]
fn a_peer_past_the_ministry_that_was_forgotten_is_found_again() {
    let mut country = Country::new();
    let chart = patient_at(country.specialist(), "p1");
    country.carry();
    let backup = country.specialist().backup();
    country.specialist().put(
        "s1",
        json!({"resourceType": "ServiceRequest", "status": "active", "intent": "order",
            "subject": {"reference": "Patient/p1"},
            "performer": [{"reference": "Organization/province"}]}),
    );
    country.carry();
    note(country.province(), "p1", "c1");
    country.carry();
    country.again("specialist", |specialist| specialist.put_back(&backup));
    note(country.specialist(), "p1", "d1");
    country.carry();
    for facility in [country.specialist(), country.province()] {
        assert_eq!(notes(facility, &chart), ["c1", "d1"], "{}", facility.seat.id);
        assert!(facility.get("ServiceRequest", "s1").is_some());
        assert!(!waits(facility));
    }
    assert!(notes(country.ministry(), &chart).is_empty());
}

#[test]
fn what_an_old_stick_brings_goes_back_to_whom_it_was_lost() {
    let mut country = Country::new();
    let chart = patient_at(country.clinic(), "p1");
    country.carry();
    let backup = country.clinic().backup();
    note(country.clinic(), "p1", "a1");
    let in_a_drawer = stick(country.clinic(), country.county());
    country.again("clinic", |clinic| clinic.put_back(&backup));
    country.carry();
    assert!(notes(country.clinic(), &chart).is_empty());
    assert!(bring(&in_a_drawer, country.county()).0 > 0);
    country.carry();
    for facility in [country.clinic(), country.county(), country.province()] {
        assert_eq!(notes(facility, &chart), ["a1"], "{}", facility.seat.id);
        assert!(!waits(facility));
    }
}

fn room(at: &Facility, id: &str) {
    at.put(
        id,
        json!({"resourceType": "Location", "name": "분만실",
            "managingOrganization": {"reference": at.app.place().organization()}}),
    );
}

#[test]
fn what_came_back_by_halves_of_a_sealed_range_still_goes_to_others() {
    let mut country = Country::new();
    country.carry();
    let chart = patient_at(country.province(), "p1");
    note(country.province(), "p1", "c1");
    let backup = country.province().backup();
    // One range is sealed over the patient's entries, which do not go to the ministry, and this one.
    note(country.province(), "p1", "gone");
    room(country.province(), "room");
    country.carry_but(&["specialist", "county"]);
    country.again("province", |province| province.put_back(&backup));
    country.carry_but(&["specialist", "county"]);
    assert!(country.province().get("Location", "room").is_some());
    consult(country.province(), "p1", "s1");
    room(country.province(), "another");
    country.carry();
    assert_eq!(notes(country.specialist(), &chart), ["c1"]);
    for facility in country.all() {
        assert!(!waits(facility), "{} still has something", facility.seat.id);
        assert_eq!(put_aside(facility), 0, "{}", facility.seat.id);
    }
    for id in ["room", "another"] {
        assert!(country.ministry().get("Location", id).is_some(), "{id}");
    }
}

#[test]
fn nothing_is_given_that_does_not_concern_the_one_who_says_that_it_has_nothing() {
    let mut country = Country::new();
    patient_at(country.province(), "p1");
    patient_at(country.clinic(), "p2");
    country.carry();
    // The clinic begins with nothing but its own certificate and Organization.
    let empty = Facility::at("clinic").backup();
    country.again("clinic", |clinic| clinic.put_back(&empty));
    country.carry();
    assert!(country.clinic().get("Patient", "p2").is_some());
    assert!(country.clinic().get("Patient", "p1").is_none());
    let ministry = country.ministry().store().read().unwrap();
    for id in ["p1", "p2"] {
        assert!(ministry.resource("Patient", &ResourceId::new(id).unwrap()).unwrap().is_none());
    }
}

#[test]
fn what_is_told_is_small_and_without_names() {
    let mut country = Country::new();
    for person in 0..40 {
        patient_at(country.clinic(), &format!("person-{person}"));
    }
    country.carry();
    let backup = country.clinic().backup();
    country.again("clinic", |clinic| clinic.put_back(&backup));
    let (clinic, county) = (country.clinic(), country.county());
    let mut bytes = 0;
    for class in Class::ALL {
        let messages = clinic.app.outgoing(county.seat.node(), class, 1_000).unwrap();
        for message in messages {
            if let Ok(Message::Holdings(_)) = Message::decode(&message.bytes) {
                bytes += message.bytes.len();
                assert!(!message.bytes.windows(7).any(|part| part == b"person-"));
            }
        }
    }
    // Four messages of some 50 bytes, and 11 bytes for each of 40 people and some facilities.
    assert!((400..800).contains(&bytes), "{bytes}");
    // Nothing was lost: nothing is given again.
    let before = clinic.app.last_arrival().unwrap();
    country.carry();
    assert_eq!(country.clinic().app.last_arrival().unwrap(), before);
}
