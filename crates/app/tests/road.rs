//! What is written at one facility reaches those it concerns, once, and nobody else.

use ondol_app::coding;
use ondol_kernel::{Class, ResourceId};
use ondol_record::ChartId;
use serde_json::{Value, json};
use support::{Country, Facility};

use crate::support;

fn patient_at(facility: &Facility, id: &str) -> ChartId {
    facility.put(
        id,
        json!({"resourceType": "Patient", "name": [{"text": "리영희"}],
            "managingOrganization": {"reference": facility.app.place().organization()}}),
    );
    ChartId::Patient(ResourceId::new(id).unwrap())
}

fn note(facility: &Facility, patient: &str, id: &str) {
    facility.put(
        id,
        json!({"resourceType": "Condition", "subject": {"reference": format!("Patient/{patient}")},
            "code": {"text": "기침"}}),
    );
}

fn consult(facility: &Facility, patient: &str, id: &str, to: &str) {
    facility.put(
        id,
        json!({"resourceType": "ServiceRequest", "status": "active", "intent": "order",
            "category": [coding::concept(coding::REQUEST_CATEGORY, coding::CONSULT)],
            "extension": [{"url": coding::ASKED_FROM,
                "valueReference": {"reference": facility.app.place().organization()}}],
            "subject": {"reference": format!("Patient/{patient}")},
            "performer": [{"reference": format!("Organization/{to}")}]}),
    );
}

fn answer(facility: &Facility, request: &str, id: &str) {
    facility.put(
        id,
        json!({"resourceType": "Communication", "status": "completed",
            "basedOn": [{"reference": format!("ServiceRequest/{request}")}],
            "payload": [{"contentString": "안정"}]}),
    );
}

fn is_quiet(facility: &Facility) -> bool {
    facility.app.road_status().unwrap().iter().all(|peer| !peer.is_waiting())
}

/// Everything of a chart as text, in an order that does not depend on arrival.
fn dump(facility: &Facility, chart: &ChartId) -> Vec<String> {
    let mut all: Vec<String> = ["Patient", "Condition", "ServiceRequest", "Communication"]
        .iter()
        .flat_map(|kind| facility.all(chart, kind))
        .map(|resource| resource.to_string())
        .collect();
    all.sort();
    all
}

#[test]
fn a_clinics_charts_go_up_to_the_tiers_that_treat_and_no_further() {
    let country = Country::new();
    let chart = patient_at(country.clinic(), "p1");
    note(country.clinic(), "p1", "c1");
    country.carry();
    for facility in [country.county(), country.province()] {
        assert_eq!(dump(facility, &chart), dump(country.clinic(), &chart));
    }
    for facility in [country.ministry(), country.specialist()] {
        assert!(dump(facility, &chart).is_empty());
    }
    assert!(is_quiet(country.clinic()) && is_quiet(country.county()));
}

#[test]
fn a_consult_leads_the_chart_to_the_specialist_past_a_ministry_that_sees_nothing() {
    let country = Country::new();
    let chart = patient_at(country.clinic(), "p1");
    note(country.clinic(), "p1", "c1");
    country.carry();
    consult(country.clinic(), "p1", "s1", "specialist");
    country.carry();
    assert_eq!(dump(country.specialist(), &chart).len(), 3);

    answer(country.specialist(), "s1", "a1");
    country.carry();
    assert_eq!(dump(country.clinic(), &chart), dump(country.specialist(), &chart));
    assert_eq!(dump(country.clinic(), &chart).len(), 4);
    assert!(dump(country.ministry(), &chart).is_empty());

    // What is written later goes on both ways, without another consult.
    note(country.clinic(), "p1", "c2");
    note(country.county(), "p1", "c3");
    country.carry();
    assert_eq!(dump(country.specialist(), &chart).len(), 6);
    assert_eq!(dump(country.clinic(), &chart), dump(country.specialist(), &chart));
}

#[test]
fn a_cut_link_delays_and_loses_nothing() {
    let country = Country::new();
    let chart = patient_at(country.clinic(), "p1");
    consult(country.clinic(), "p1", "s1", "specialist");
    country.carry_but(&["ministry"]);
    assert!(dump(country.specialist(), &chart).is_empty());
    assert!(
        country
            .province()
            .app
            .road_status()
            .unwrap()
            .iter()
            .any(ondol_app::road::PeerStatus::is_waiting)
    );
    note(country.clinic(), "p1", "c1");
    country.carry_but(&["clinic"]);
    assert_eq!(dump(country.specialist(), &chart).len(), 2);
    answer(country.specialist(), "s1", "a1");
    country.carry();
    assert_eq!(dump(country.clinic(), &chart), dump(country.specialist(), &chart));
}

#[test]
fn nothing_arrives_twice_and_early_messages_wait_for_nobody() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let chart = patient_at(clinic, "p1");
    let sender = clinic.app.place().node;
    let receiver = county.app.place().node;
    let mut sent = vec![];
    for at in 0..6 {
        note(clinic, "p1", &format!("c{at}"));
        sent.extend(clinic.app.outgoing(receiver, Class::Routine, 100).unwrap());
    }
    sent.sort_by_key(|message| message.number);
    sent.dedup_by_key(|message| message.number);
    assert!(sent.len() > 3, "each note made a parcel of its own");
    for message in sent.iter().rev().chain(&sent) {
        county.app.arrive(sender, message.class, message.number, &message.bytes).unwrap();
    }
    let last = sent.last().unwrap().number;
    assert_eq!(county.app.arrived_up_to(sender, Class::Routine).unwrap(), last);
    assert_eq!(dump(county, &chart), dump(clinic, &chart));
    let before = county.app.last_arrival().unwrap();
    for message in &sent {
        county.app.arrive(sender, message.class, message.number, &message.bytes).unwrap();
    }
    assert_eq!(county.app.last_arrival().unwrap(), before);
}

#[test]
fn until_the_other_side_holds_it_it_is_kept_and_shown_as_waiting() {
    let country = Country::new();
    let clinic = country.clinic();
    patient_at(clinic, "p1");
    let county = country.county().app.place().node;
    let first = clinic.app.outgoing(county, Class::Routine, 10).unwrap();
    assert!(!first.is_empty());
    assert!(clinic.app.is_waiting_for(&county, Class::Routine).unwrap());
    // A claim about what was never sent is not believed.
    clinic.app.delivered(county, Class::Emergency, 5).unwrap();
    assert_eq!(clinic.app.outgoing(county, Class::Routine, 10).unwrap(), first);
    clinic.app.delivered(county, Class::Routine, first.last().unwrap().number).unwrap();
    assert!(!clinic.app.is_waiting_for(&county, Class::Routine).unwrap());
}

#[test]
fn concurrent_changes_meet_and_both_stay() {
    let country = Country::new();
    let chart = patient_at(country.clinic(), "p1");
    country.carry();
    let change = |facility: &Facility, text: &str| {
        facility.put(
            "k1",
            json!({"resourceType": "Condition", "subject": {"reference": "Patient/p1"},
            "code": {"text": text}}),
        );
    };
    change(country.clinic(), "one");
    change(country.county(), "two");
    country.carry();
    let shown = |facility: &Facility| -> Value { facility.get("Condition", "k1").unwrap() };
    assert_eq!(shown(country.clinic()), shown(country.county()));
    assert_eq!(dump(country.clinic(), &chart), dump(country.province(), &chart));
}

#[test]
fn damaged_and_foreign_messages_are_put_aside_and_hold_up_nothing() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let chart = patient_at(clinic, "p1");
    let sender = clinic.app.place().node;
    let sent = clinic.app.outgoing(county.app.place().node, Class::Routine, 10).unwrap();
    let mut damaged = sent[0].bytes.clone();
    // Behind the certificate: one that is damaged is not believed, and spoils nothing else.
    let late = damaged.len() * 7 / 8;
    damaged[late] ^= 0x40;
    let became = county.app.arrive(sender, Class::Bulk, 1, &damaged).unwrap();
    assert_eq!(became, ondol_app::road::Arrival::Quarantined);
    assert_eq!(county.app.arrive(sender, Class::Bulk, 2, b"nonsense").unwrap(), became);
    assert!(dump(county, &chart).is_empty());
    country.carry();
    assert_eq!(dump(county, &chart).len(), 1);
}

#[test]
fn what_was_practised_never_leaves() {
    let practice = Facility::practice();
    let chart = patient_at(&practice, "p1");
    assert_eq!(dump(&practice, &chart).len(), 1);
    assert!(is_quiet(&practice));
}

#[test]
fn previews_go_along_and_originals_come_when_asked() {
    let country = Country::new();
    let clinic = country.clinic();
    patient_at(clinic, "p1");
    let preview = clinic.app.keep_blob(&vec![1; 20_000]).unwrap();
    let original = clinic.app.keep_blob(&vec![2; 200_000]).unwrap();
    consult(clinic, "p1", "s1", "specialist");
    clinic.put(
        "m1",
        json!({"resourceType": "Media", "status": "completed",
        "subject": {"reference": "Patient/p1"},
        "content": {"contentType": "image/jpeg", "url": ondol_app::road::url_of(&original),
            "extension": [{"url": ondol_app::road::PREVIEW, "valueAttachment":
                {"contentType": "image/jpeg", "url": ondol_app::road::url_of(&preview)}}]}}),
    );
    country.carry();
    let specialist = &country.specialist().app;
    assert_eq!(specialist.blob(&preview).unwrap().unwrap(), vec![1; 20_000]);
    assert_eq!(specialist.blob(&original).unwrap(), None);
    assert_eq!(country.ministry().app.blob(&preview).unwrap(), None);
    specialist.want_blob(original, Class::Care).unwrap();
    country.carry();
    assert_eq!(specialist.blob(&original).unwrap().unwrap(), vec![2; 200_000]);
}
