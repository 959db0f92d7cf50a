//! What a neighbour holds durably is not sent again: parcels build upon it. Where it is gone after
//! all, the parcel comes back and its entries go in full (ADR 0013).

use ondol_kernel::{Class, NodeId};
use ondol_replicate::{
    Parcel,
    columns::Between,
    message::Message,
    parcel::{BadParcel, FORMAT_1},
};
use ondol_store::Space;
use serde_json::json;
use support::{Country, Facility};

use crate::support;

fn patient_at(facility: &Facility, id: &str) {
    facility.put(
        id,
        json!({"resourceType": "Patient", "name": [{"text": "리영희"}],
            "managingOrganization": {"reference": facility.app.place().organization()}}),
    );
}

fn note(facility: &Facility, patient: &str, id: &str) {
    facility.put(
        id,
        json!({"resourceType": "Condition", "subject": {"reference": format!("Patient/{patient}")},
            "code": {"text": "기침"}}),
    );
}

fn node(facility: &Facility) -> NodeId {
    facility.seat.node()
}

/// The parcels that wait for a neighbour.
fn parcels(from: &Facility, to: &Facility) -> Vec<Vec<u8>> {
    let sent = from.app.outgoing(node(to), Class::Routine, 100).unwrap();
    let messages = sent.iter().map(|message| Message::decode(&message.bytes).unwrap());
    messages.filter_map(|m| if let Message::Parcel(p) = m { Some(p) } else { None }).collect()
}

fn put_aside(facility: &Facility) -> usize {
    let view = facility.store().read().unwrap();
    view.values(Space::Quarantine, b"", None, usize::MAX).unwrap().len()
}

fn builds_upon_others(parcel: &[u8], from: &Facility, to: &Facility) -> bool {
    match Parcel::decode_with(parcel, &Between([node(from), node(to)])) {
        Ok(_) => false,
        Err(BadParcel::NotHeld(_)) => true,
        Err(why) => panic!("{why}"),
    }
}

#[test]
fn parcels_build_upon_what_was_acknowledged_and_upon_nothing_else() {
    let country = Country::new();
    // With the first words of the other side its numbers begin, and what it holds is counted anew.
    country.carry();
    patient_at(country.clinic(), "p1");
    let first = parcels(country.clinic(), country.county());
    note(country.clinic(), "p1", "c1");
    let second = parcels(country.clinic(), country.county());
    for parcel in first.iter().chain(&second) {
        let read = country.county().app.parcel_from(node(country.clinic()), parcel).unwrap();
        assert!(read.is_some(), "it builds upon nothing that has not arrived");
    }
    country.carry();
    note(country.clinic(), "p1", "c2");
    let third = parcels(country.clinic(), country.county());
    assert_eq!(third.len(), 1);
    assert!(builds_upon_others(&third[0], country.clinic(), country.county()));
    assert!(third[0].len() < second[1].len(), "{} {}", third[0].len(), second[1].len());
    country.carry();
    assert!(country.county().get("Condition", "c2").is_some());
    assert!(country.province().get("Condition", "c2").is_some(), "and it goes on from there");
}

#[test]
fn a_parcel_that_builds_upon_what_a_backup_lost_is_sent_in_full() {
    let mut country = Country::new();
    patient_at(country.clinic(), "p1");
    patient_at(country.clinic(), "p2");
    country.carry();
    let backup = country.county().backup();
    // The county holds this, says so, and loses it.
    note(country.clinic(), "p1", "c1");
    country.carry();
    country.again("county", |county| county.put_back(&backup));
    assert!(country.county().get("Condition", "c1").is_none());
    note(country.clinic(), "p2", "c2");
    let sent = parcels(country.clinic(), country.county());
    assert!(builds_upon_others(&sent[0], country.clinic(), country.county()));
    country.carry();
    assert!(country.county().get("Condition", "c2").is_some());
    assert_eq!(put_aside(country.county()), 0);
    for facility in country.all() {
        let waits = facility.app.road_status().unwrap();
        assert!(waits.iter().all(|peer| !peer.is_waiting()), "{}", facility.seat.id);
    }
}

#[test]
fn a_parcel_that_comes_back_opens_nothing_that_does_not_go_there() {
    let country = Country::new();
    patient_at(country.clinic(), "p1");
    country.carry();
    note(country.county(), "p1", "k1");
    country.carry();
    // The ministry holds the nation's chart alone. It sends back what the county sent the
    // province, as if it had been sent it.
    note(country.county(), "p1", "k2");
    let parcel = parcels(country.county(), country.province()).remove(0);
    let back = Message::Unread(parcel).encode();
    let (province, ministry) = (country.province(), country.ministry());
    province.app.arrive(node(ministry), Class::Routine, 900, &back).unwrap();
    country.carry();
    assert!(country.ministry().get("Patient", "p1").is_none());
    assert!(country.ministry().get("Condition", "k2").is_none());
}

#[test]
fn who_reads_format_1_alone_is_sent_that() {
    let country = Country::new();
    let county = node(country.county());
    country.clinic().app.reads_parcels(county, FORMAT_1).unwrap();
    patient_at(country.clinic(), "p1");
    let sent = parcels(country.clinic(), country.county());
    assert!(sent.iter().all(|parcel| parcel[0] == FORMAT_1));
    country.carry();
    assert!(country.county().get("Patient", "p1").is_some());
    country.clinic().app.reads_parcels(county, 2).unwrap();
    note(country.clinic(), "p1", "c1");
    assert!(parcels(country.clinic(), country.county()).iter().all(|parcel| parcel[0] == 2));
    country.carry();
    assert!(country.province().get("Condition", "c1").is_some());
}
