//! A stolen node (ADR 0026): nobody takes anything from it or sends anything to it, what it wrote
//! afterwards is taken in nowhere whoever hands it on, and only the nation's root key can say so.

use ed25519_dalek::SigningKey;
use ondol_access::{Role, RoleSet};
use ondol_app::{
    Actor, AppError,
    road::{Arrival, BadStick, NodeRow, PeerStatus, RevokedNode, Revoking, Trusted, Why},
};
use ondol_kernel::{Class, Millis, NodeId, ResourceId};
use ondol_record::{ChartId, Revocation};
use ondol_replicate::message::Message;
use ondol_store::Space;
use serde_json::json;
use support::{Country, Facility, root};

use crate::support;

fn node(facility: &Facility) -> NodeId {
    facility.seat.node()
}

fn as_node(facility: &Facility) -> Actor {
    Actor::node(node(facility), "node")
}

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

fn ask(facility: &Facility, patient: &str, id: &str, whom: &str) {
    facility.put(
        id,
        json!({"resourceType": "ServiceRequest", "status": "active", "intent": "order",
            "subject": {"reference": format!("Patient/{patient}")},
            "performer": [{"reference": format!("Organization/{whom}")}]}),
    );
}

/// What the node above had of a node's by now.
fn held_above(above: &Facility, of: &Facility) -> Trusted {
    let later = Millis(above.app.now().0 + 1_000);
    above.app.came_before(&as_node(above), &node(of), later).unwrap()
}

/// The ministry revokes a facility's node.
fn revoke(country: &Country, stolen: &Facility, trusted: Trusted) -> Vec<u8> {
    let ministry = country.ministry();
    let revoking =
        Revoking { node: node(stolen), why: Why::Stolen, trusted, reason: String::new() };
    ministry.app.revoke_with(&as_node(ministry), &root(), &revoking).unwrap()
}

fn row(at: &Facility, of: &Facility) -> NodeRow {
    let rows = at.app.nodes_at_console().unwrap();
    rows.into_iter().find(|row| row.node == node(of)).unwrap()
}

fn said(at: &Facility, of: &Facility) -> RevokedNode {
    row(at, of).revoked.unwrap()
}

fn heard(at: &Facility, of: &Facility) -> bool {
    at.app.nation().is_revoked(&node(of))
}

fn has(at: &Facility, kind: &str, id: &str) -> bool {
    at.get(kind, id).is_some()
}

#[test]
fn everybody_hears_and_the_revoked_node_is_nobodys_neighbour() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    patient_at(clinic, "p1");
    country.carry();
    let before = clinic.app.stick_for(&as_node(clinic), node(county)).unwrap();
    let trusted = held_above(county, clinic);
    assert!(trusted.values().flatten().any(|&number| number > 0), "{trusted:?}");
    patient_at(clinic, "p2");
    let after = clinic.app.stick_for(&as_node(clinic), node(county)).unwrap();
    patient_at(county, "p3");
    ask(county, "p3", "s3", "clinic");
    assert!(county.app.road_status().unwrap().iter().any(PeerStatus::is_waiting));

    revoke(&country, clinic, trusted.clone());
    country.carry_but(&["clinic"]);
    for facility in country.all().iter().filter(|one| one.seat.id != "clinic") {
        assert!(heard(facility, clinic), "{}", facility.seat.id);
        assert!(
            !facility
                .app
                .road_status()
                .unwrap()
                .iter()
                .any(|peer| { peer.node == node(clinic) || peer.is_waiting() })
        );
    }
    // What waited for it is dropped and counted; it still stands in the record.
    let row = said(county, clinic);
    assert!(row.entries_dropped + row.messages_dropped > 0, "{row:?}");
    assert_eq!((row.why, &row.trusted), (Why::Stolen, &trusted));
    assert!(has(county, "ServiceRequest", "s3"));

    // Links: nothing is taken in, acknowledged or sent.
    for class in Class::ALL {
        for message in clinic.app.outgoing(node(county), class, 100).unwrap() {
            let arrival =
                county.app.arrive(node(clinic), class, message.number, &message.bytes).unwrap();
            assert_eq!(arrival, Arrival::Refused);
        }
        assert!(county.app.outgoing(node(clinic), class, 100).unwrap().is_empty());
    }
    assert!(has(county, "Patient", "p1") && !has(county, "Patient", "p2"));
    // Knocks.
    assert!(!county.app.introduced(&clinic.app.own_certificate()).unwrap());
    // Sticks, those that were written before it was stolen too: what is on them and trusted had
    // come already.
    for stick in [&before.bytes, &after.bytes] {
        let refused = county.app.stick_in(&as_node(county), &[stick]);
        let Err(AppError::Stick(why)) = refused else { panic!("{refused:?}") };
        assert_eq!(why, BadStick::Revoked { from: node(clinic) });
    }
    let none = county.app.stick_for(&as_node(county), node(clinic));
    assert!(matches!(none, Err(AppError::NotFound)));
    assert!(!has(county, "Patient", "p2"));
}

#[test]
fn later_entries_are_kept_apart_whoever_hands_them_on_and_marked_where_they_are() {
    let country = Country::new();
    let (clinic, county, province) = (country.clinic(), country.county(), country.province());
    let chart = patient_at(clinic, "p1");
    country.carry();
    let trusted = held_above(county, clinic);
    note(clinic, "p1", "forged");
    patient_at(clinic, "nobody");
    // The county takes it in before it hears, adds to it, and packs it for the province.
    country.carry_but(&["ministry", "province", "specialist"]);
    note(county, "p1", "genuine");
    assert!(has(county, "Condition", "forged"));
    for class in Class::ALL {
        county.app.outgoing(node(province), class, 100).unwrap();
    }
    revoke(&country, clinic, trusted);
    country.carry_but(&["clinic", "county"]);
    assert!(heard(province, clinic) && !heard(county, clinic));
    country.carry_but(&["clinic"]);

    assert!(!has(province, "Condition", "forged") && !has(province, "Patient", "nobody"));
    assert!(has(province, "Condition", "genuine"));
    let worker = province.person(Role::Doctor);
    let pieces = province.app.pieces_of(&worker, &node(clinic)).unwrap();
    assert!(!pieces.is_empty() && pieces.iter().all(|piece| !piece.is_here), "{pieces:?}");
    assert!(pieces.iter().any(|piece| piece.types.iter().any(|name| &**name == "Condition")));

    // Where it was before, it stays and is marked.
    let worker = county.person(Role::Doctor);
    let pieces = county.app.pieces_of(&worker, &node(clinic)).unwrap();
    assert_eq!(pieces.iter().filter(|piece| piece.is_here).count(), 2, "{pieces:?}");
    let ChartId::Patient(id) = &chart else { panic!() };
    county.put(
        "p1",
        json!({"resourceType": "Patient", "name": [{"text": "리영희"}],
            "managingOrganization": {"reference": county.app.place().organization()}}),
    );
    let shown = county.app.chart(&worker, id, 0).unwrap();
    assert_eq!(shown.doubted.len(), 1);
    assert!(has(county, "Condition", "forged"));
    // It goes to nobody who comes to the chart later.
    ask(county, "p1", "s1", "specialist");
    country.carry_but(&["clinic"]);
    let specialist = country.specialist();
    assert!(has(specialist, "Condition", "genuine") && !has(specialist, "Condition", "forged"));
    for facility in country.all().iter().filter(|one| one.seat.id != "clinic") {
        assert!(facility.app.road_status().unwrap().iter().all(|peer| !peer.is_waiting()));
    }
}

#[test]
fn what_waits_for_an_earlier_entry_does_not_slip_in() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    patient_at(clinic, "p1");
    country.carry();
    let trusted = held_above(county, clinic);
    let up = |class: Class| clinic.app.outgoing(node(county), class, 100).unwrap();
    note(clinic, "p1", "first");
    let first = up(Class::Routine);
    note(clinic, "p1", "second");
    let second = up(Class::Routine).split_off(first.len());
    assert_eq!((first.len(), second.len()), (1, 1));
    // The second overtakes the first, and waits for it.
    let arrive = |message: &ondol_app::road::Outgoing| {
        county.app.arrive(node(clinic), message.class, message.number, &message.bytes).unwrap()
    };
    assert_eq!(arrive(&second[0]), Arrival::Done);
    assert!(!has(county, "Condition", "second"));
    let bytes = revoke(&country, clinic, trusted);
    assert!(county.app.take_revocation(&bytes).unwrap());
    assert_eq!(arrive(&first[0]), Arrival::Refused);
    let view = county.store().read().unwrap();
    assert!(view.values(Space::Quarantine, b"w", None, 10).unwrap().is_empty());
    assert_eq!(view.values(Space::Quarantine, b"r", None, 10).unwrap().len(), 1);
}

#[test]
fn only_the_root_key_revokes_and_of_several_statements_the_lower_numbers_count() {
    let country = Country::new();
    let (clinic, county, province) = (country.clinic(), country.county(), country.province());
    country.carry();
    let statement = |numbers: [u64; 4], at: i64| {
        let trusted = Trusted::from([(1, numbers)]);
        Revocation {
            node: node(clinic),
            at: Millis(at),
            why: Why::Lost,
            trusted,
            signature: [0; 64],
        }
    };
    // Another nation's, a thief's with the node's own key, altered, none at all.
    let stranger = SigningKey::from_bytes(&[9; 32]);
    let mut altered = statement([1, 2, 3, 4], 5).signed(&root());
    altered.trusted.insert(1, [9, 9, 9, 9]);
    let forged = [
        statement([1, 2, 3, 4], 5).signed(&stranger),
        statement([1, 2, 3, 4], 5).signed(&clinic.seat.keys().signing),
        altered,
        statement([1, 2, 3, 4], 5),
    ];
    for one in &forged {
        assert!(!county.app.take_revocation(&one.to_bytes()).unwrap());
        let number = county.app.arrived_up_to(node(province), Class::Emergency).unwrap() + 1;
        let message = Message::Revocation(one.to_bytes()).encode();
        let arrival = county.app.arrive(node(province), Class::Emergency, number, &message);
        assert_eq!(arrival.unwrap(), Arrival::Quarantined);
    }
    assert!(!heard(county, clinic));

    // Two that say something different, in both orders, and again and again.
    let (one, two) = (statement([5, 9, 9, 9], 5), statement([9, 3, 9, 9], 7));
    let (one, two) = (one.signed(&root()).to_bytes(), two.signed(&root()).to_bytes());
    let orders = [(county, [&one, &two]), (province, [&two, &one])];
    for (at, order) in orders {
        for bytes in order {
            assert!(at.app.take_revocation(bytes).unwrap());
            assert!(!at.app.take_revocation(bytes).unwrap());
        }
        assert_eq!(said(at, clinic).trusted, Trusted::from([(1, [5, 3, 9, 9])]));
    }
    // An older one with higher numbers takes nothing back.
    let older = statement([9, 9, 9, 9], 1).signed(&root()).to_bytes();
    assert!(!county.app.take_revocation(&older).unwrap());
    // A lower one takes the place of both.
    let lower = statement([0, 1, 0, 0], 9).signed(&root()).to_bytes();
    assert!(county.app.take_revocation(&lower).unwrap());
    country.carry_but(&["clinic"]);
    for facility in country.all().iter().filter(|one| one.seat.id != "clinic") {
        assert_eq!(said(facility, clinic).trusted, Trusted::from([(1, [0, 1, 0, 0])]));
        assert_eq!(facility.app.revocations_of(&node(clinic)), std::slice::from_ref(&lower));
    }
}

#[test]
fn a_node_that_is_put_back_from_an_older_backup_hears_again() {
    let mut country = Country::new();
    country.carry();
    let backup = country.county().backup();
    let bytes = revoke(&country, country.clinic(), Trusted::new());
    country.carry_but(&["clinic"]);
    assert!(heard(country.county(), country.clinic()));
    country.again("county", |county| county.put_back(&backup));
    assert!(!heard(country.county(), country.clinic()));
    // The others learn that it counts anew, and tell it.
    country.carry_but(&["clinic"]);
    country.carry_but(&["clinic"]);
    assert!(heard(country.county(), country.clinic()));
    assert_eq!(country.county().app.revocations_of(&country.clinic().seat.node()), [bytes]);
    // It survives a start of its own.
    country.again("county", Facility::restarted);
    assert!(heard(country.county(), country.clinic()));
}

#[test]
fn a_node_that_is_revoked_says_so_goes_on_writing_and_sends_nothing() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    country.carry();
    assert!(clinic.app.own_revocation().is_none());
    patient_at(clinic, "p1");
    let bytes = revoke(&country, clinic, Trusted::new());
    let stranger = SigningKey::from_bytes(&[9; 32]);
    let forged = Revocation::from_bytes(&bytes).unwrap().signed(&stranger).to_bytes();
    assert!(!clinic.app.take_revocation(&forged).unwrap());
    // The file that somebody carried there, among sticks.
    let carried = clinic.app.sticks_in(&as_node(clinic), &[&bytes]).unwrap();
    assert!(carried.is_news() && carried.revocations == 1 && carried.refused.is_empty());
    assert_eq!(clinic.app.own_revocation().unwrap().1, Why::Stolen);
    for class in Class::ALL {
        assert!(clinic.app.outgoing(node(county), class, 100).unwrap().is_empty());
    }
    assert!(clinic.app.sticks_out(&as_node(clinic)).is_err());
    let chart = patient_at(clinic, "p2");
    assert_eq!(clinic.all(&chart, "Patient").len(), 1);
    assert!(clinic.app.road_status().unwrap().is_empty());
}

#[test]
fn nothing_passes_to_or_from_a_revoked_node_behind_others() {
    let country = Country::new();
    let (ministry, province, specialist) =
        (country.ministry(), country.province(), country.specialist());
    country.carry();
    patient_at(province, "p1");
    ask(province, "p1", "s1", "specialist");
    country.carry();
    assert!(has(specialist, "ServiceRequest", "s1"));
    let trusted = held_above(province, specialist);
    note(specialist, "p1", "late");
    note(province, "p1", "news");
    // Envelopes in both directions lie at the ministry when it hears.
    country.carry_but(&["ministry"]);
    for (from, class) in [province, specialist].into_iter().zip([Class::Routine; 2]) {
        for message in from.app.outgoing(node(ministry), class, 100).unwrap() {
            let (number, bytes) = (message.number, &message.bytes);
            assert_eq!(
                ministry.app.arrive(node(from), class, number, bytes).unwrap(),
                Arrival::Done
            );
        }
    }
    revoke(&country, specialist, trusted);
    for class in Class::ALL {
        assert!(ministry.app.outgoing(node(specialist), class, 100).unwrap().is_empty());
    }
    country.carry_but(&["specialist"]);
    assert!(!has(province, "Condition", "late"));
    assert!(province.app.road_status().unwrap().iter().all(|peer| !peer.is_waiting()));
    // A case for it waits until it has a new computer, and is said to.
    ask(province, "p1", "s2", "specialist");
    country.carry_but(&["specialist"]);
    assert!(!has(specialist, "ServiceRequest", "s2"));
}

#[test]
fn nothing_is_sealed_for_a_revoked_node() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    country.carry();
    patient_at(clinic, "p1");
    let worker = clinic.person(Role::HealthWorker);
    let id = ResourceId::new("p1").unwrap();
    let offered = |at: &Facility, worker: &Actor| {
        let readers = at.app.seal_readers(worker, &id).unwrap();
        readers.iter().map(|reader| reader.facility.to_string()).collect::<Vec<_>>()
    };
    assert!(offered(clinic, &worker).contains(&"county".to_owned()));
    let bytes = revoke(&country, county, Trusted::new());
    assert!(clinic.app.take_revocation(&bytes).unwrap());
    assert!(!offered(clinic, &worker).contains(&"county".to_owned()));
}

#[test]
fn whoever_may_revoke_needs_a_reason_the_key_and_another_node_than_the_own() {
    let country = Country::new();
    country.carry();
    let (ministry, clinic) = (country.ministry(), country.clinic());
    let revoking = |reason: &str, node| {
        let (why, trusted) = (Why::Stolen, Trusted::new());
        Revoking { node, why, trusted, reason: reason.into() }
    };
    let administrator = ministry.administrator();
    let fine = revoking("금고가 열려있음", node(clinic));
    // The key is not at this node.
    assert!(!ministry.app.has_root_key());
    let refused = ministry.app.revoke(&administrator, &fine);
    assert!(matches!(refused, Err(AppError::State("root-key"))));
    let other = SigningKey::from_bytes(&[9; 32]);
    let refused = ministry.app.revoke_with(&administrator, &other, &fine);
    assert!(matches!(refused, Err(AppError::State("root-key"))));
    let by = |actor: &Actor, one: &Revoking| ministry.app.revoke_with(actor, &root(), one);
    let doctor = Actor::person(
        ResourceId::new("doctor").unwrap(),
        "김철호",
        RoleSet::EMPTY.with(Role::Doctor),
    );
    assert!(matches!(by(&doctor, &fine), Err(AppError::Denied(_))));
    let blank = revoking("..", node(clinic));
    assert!(matches!(by(&administrator, &blank), Err(AppError::Field { field: "reason", .. })));
    let own = revoking("금고가 열려있음", node(ministry));
    assert!(matches!(by(&administrator, &own), Err(AppError::State("own-node"))));
    let unknown = revoking("금고가 열려있음", NodeId([1; 16]));
    assert!(matches!(by(&administrator, &unknown), Err(AppError::NotFound)));
    assert!(!heard(ministry, clinic));
    by(&administrator, &fine).unwrap();
    assert!(heard(ministry, clinic));
    let again = by(&administrator, &fine);
    // A second statement that trusts the same says nothing new.
    assert!(matches!(again, Err(AppError::State("revoked-already"))));
    let view = ministry.store().read().unwrap();
    let chart = ChartId::Facility(ResourceId::new("clinic").unwrap());
    let readings = view.readings(&chart, 10).unwrap();
    assert!(readings.iter().any(|reading| {
        &*reading.action == "revoke-node" && &*reading.reason == "금고가 열려있음"
    }));
}
