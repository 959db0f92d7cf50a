//! The facilities that the other tests stand on.

use ondol_access::Role;
use serde_json::json;
use support::{Country, Facility};

use crate::support;

#[test]
fn what_was_written_is_there_after_a_restart() {
    let facility = Facility::new();
    let person = facility.person(Role::HealthWorker);
    let facility = facility.restarted();
    let practitioner = facility.get("Practitioner", person.id().as_str()).unwrap();
    assert_eq!(practitioner["name"][0]["text"], person.name());
    assert_eq!(facility.all(&facility.chart(), "PractitionerRole").len(), 1);
}

#[test]
fn the_road_carries_a_clinics_chart_up_to_the_ministry() {
    let country = Country::new();
    country.clinic().put("store-room", json!({ "resourceType": "Location", "status": "active" }));
    assert!(country.ministry().get("Location", "store-room").is_none());
    country.carry_but(&["clinic"]);
    assert!(country.ministry().get("Location", "store-room").is_none());
    country.carry();
    assert!(country.ministry().get("Location", "store-room").is_some());
    assert!(country.specialist().get("Location", "store-room").is_none());
}
