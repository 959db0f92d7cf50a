//! The node in the middle reads nothing, and whatever it does besides is noticed: a forged or
//! altered acknowledgement counts for nothing, nor does an altered number hide what is behind it.

use ondol_app::road::{Arrival, Outgoing};
use ondol_kernel::{Class, NodeId, ResourceId};
use ondol_record::ChartId;
use ondol_replicate::{
    message::Message,
    relay::{Envelope, Receipt},
};
use serde_json::json;
use support::{Country, Facility};

use crate::support;

fn node(facility: &Facility) -> NodeId {
    facility.seat.node()
}

/// A case of the province for the specialist, which stands at the ministry.
fn case(country: &Country) -> ChartId {
    let province = country.province();
    province.put(
        "p1",
        json!({"resourceType": "Patient", "name": [{"text": "리영희"}],
            "managingOrganization": {"reference": province.app.place().organization()}}),
    );
    province.put(
        "s1",
        json!({"resourceType": "ServiceRequest", "status": "active", "intent": "order",
            "subject": {"reference": "Patient/p1"},
            "performer": [{"reference": "Organization/specialist"}]}),
    );
    country.carry_but(&["specialist"]);
    ChartId::Patient(ResourceId::new("p1").unwrap())
}

/// What the province keeps for the specialist.
fn kept(country: &Country) -> u64 {
    let specialist = node(country.specialist());
    let status = country.province().app.road_status().unwrap();
    let peer = status.iter().find(|peer| peer.node == specialist).unwrap();
    peer.classes.iter().map(|class| class.messages_waiting).sum()
}

/// The envelopes that wait at the ministry for the specialist.
fn in_the_middle(country: &Country) -> Vec<(Outgoing, Envelope, Vec<u8>)> {
    let to = node(country.specialist());
    let all = Class::ALL
        .iter()
        .flat_map(|class| country.ministry().app.outgoing(to, *class, 1_000).unwrap());
    all.filter_map(|message| match Message::decode(&message.bytes) {
        Ok(Message::Relay { envelope, sealed }) => Some((message, envelope, sealed)),
        _ => None,
    })
    .collect()
}

/// The ministry says something to a neighbour, under a number that is free.
fn says(country: &Country, to: &Facility, message: &Message) -> Arrival {
    let from = node(country.ministry());
    let number = to.app.arrived_up_to(from, Class::Bulk).unwrap() + 1;
    to.app.arrive(from, Class::Bulk, number, &message.encode()).unwrap()
}

#[test]
fn an_acknowledgement_that_the_middle_forges_drops_nothing() {
    let country = Country::new();
    case(&country);
    let before = kept(&country);
    assert!(before > 0);
    let province = country.province();
    let thief = country.ministry().seat.keys().link;
    let epoch = province.app.own_epoch().unwrap();
    for class in Class::ALL {
        let (from, to) = (node(country.specialist()), node(province));
        let receipt = Receipt { from, to, class, epoch, up_to: 1_000 };
        let forged = receipt.prove(&province.seat.link_public(), &thief, &[1; 32]).unwrap();
        assert_eq!(says(&country, province, &forged), Arrival::Quarantined);
        let empty = Message::RelayDone { receipt, proof: vec![] };
        assert_eq!(says(&country, province, &empty), Arrival::Quarantined);
    }
    assert_eq!(kept(&country), before);
    country.carry();
    assert_eq!(kept(&country), 0);
}

#[test]
fn a_genuine_acknowledgement_that_the_middle_alters_drops_nothing() {
    let country = Country::new();
    case(&country);
    // Of all that is on its way, the middle lets one through, and keeps the receipt for it.
    let (message, ..) = in_the_middle(&country).remove(0);
    let (ministry, specialist) = (country.ministry(), country.specialist());
    specialist.app.arrive(node(ministry), message.class, message.number, &message.bytes).unwrap();
    let answers = Class::ALL
        .iter()
        .flat_map(|class| specialist.app.outgoing(node(ministry), *class, 100).unwrap());
    let receipts: Vec<(Receipt, Vec<u8>)> = answers
        .filter_map(|message| match Message::decode(&message.bytes) {
            Ok(Message::RelayDone { receipt, proof }) => Some((receipt, proof)),
            _ => None,
        })
        .collect();
    let (genuine, proof) = receipts.into_iter().next().unwrap();
    let province = country.province();
    let before = kept(&country);
    let altered = [
        Receipt { up_to: genuine.up_to + 1, ..genuine },
        Receipt { epoch: genuine.epoch + 1, ..genuine },
        Receipt { class: Class::Bulk, ..genuine },
    ];
    for receipt in altered {
        let message = Message::RelayDone { receipt, proof: proof.clone() };
        assert_eq!(says(&country, province, &message), Arrival::Quarantined, "{receipt:?}");
        assert_eq!(kept(&country), before);
    }
    let message = Message::RelayDone { receipt: genuine, proof };
    assert_eq!(says(&country, province, &message), Arrival::Done);
    assert_eq!(kept(&country), before - genuine.up_to);
}

#[test]
fn an_acknowledgement_of_another_epoch_drops_nothing() {
    let country = Country::new();
    case(&country);
    let (province, specialist) = (country.province(), country.specialist());
    let before = kept(&country);
    let receipt = Receipt {
        from: node(specialist),
        to: node(province),
        class: Class::Care,
        epoch: province.app.own_epoch().unwrap() - 1,
        up_to: 1_000,
    };
    // Made by the specialist's own key: it was true once.
    let key = specialist.seat.keys().link;
    for class in Class::ALL {
        let receipt = Receipt { class, ..receipt };
        let old = receipt.prove(&province.seat.link_public(), &key, &[1; 32]).unwrap();
        assert_eq!(says(&country, province, &old), Arrival::Done);
    }
    assert_eq!(kept(&country), before);
}

#[test]
fn a_number_that_the_middle_alters_hides_nothing() {
    let country = Country::new();
    let chart = case(&country);
    let specialist = country.specialist();
    for (_, envelope, sealed) in in_the_middle(&country) {
        for altered in [
            Envelope { number: envelope.number + 1, ..envelope },
            Envelope { first: envelope.number + 100, ..envelope },
            Envelope { epoch: envelope.epoch + 1, ..envelope },
            Envelope { class: Class::Emergency, ..envelope },
        ] {
            let message = Message::Relay { envelope: altered, sealed: sealed.clone() };
            assert_eq!(says(&country, specialist, &message), Arrival::Quarantined);
        }
    }
    assert!(specialist.all(&chart, "ServiceRequest").is_empty());
    country.carry();
    assert_eq!(specialist.all(&chart, "ServiceRequest").len(), 1);
    assert_eq!(kept(&country), 0);
}

#[test]
fn an_envelope_within_an_envelope_is_not_opened() {
    let country = Country::new();
    case(&country);
    country.carry();
    let (province, specialist) = (country.province(), country.specialist());
    let (from, to) = (node(province), node(specialist));
    let own = province.seat.keys().link;
    let epoch = province.app.own_epoch().unwrap();
    let mut bytes = b"nothing".to_vec();
    for _ in 0..3 {
        let envelope = Envelope { from, to, class: Class::Bulk, epoch, number: 1, first: 1 };
        let sealed = envelope.seal(&specialist.seat.link_public(), &own, &bytes, &[1; 32]);
        bytes = sealed.unwrap().encode();
    }
    let message = Message::decode(&bytes).unwrap();
    assert_eq!(says(&country, specialist, &message), Arrival::Quarantined);
}
