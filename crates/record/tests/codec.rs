//! Whatever an entry, a seal or a certificate says comes back from its bytes, and no other bytes
//! say the same: else two nodes could hold the same thing under two hashes.

use ed25519_dalek::SigningKey;
use ondol_kernel::{Class, Hlc, Millis, NodeId, ResourceId, bytes::Reader};
use ondol_record::{
    Address, Body, Certificate, Change, ChartId, Entry, EntryHash, Seal, Stream, VersionId,
    certificate::{Issuer, Tier},
    entry::{Content, Group, derive_id},
};
use proptest::prelude::*;
use serde_json::json;

fn stream() -> impl Strategy<Value = Stream> {
    (any::<[u8; 16]>(), any::<u32>(), 0..4_usize).prop_map(|(origin, incarnation, class)| Stream {
        origin: NodeId(origin),
        incarnation,
        class: Class::ALL[class],
    })
}

fn resource_id() -> impl Strategy<Value = ResourceId> {
    prop_oneof![
        "[A-Za-z0-9.-]{1,64}".prop_map(|id| ResourceId::new(&id).unwrap()),
        any::<[u8; 16]>().prop_map(ResourceId::from_uuid),
    ]
}

fn chart() -> impl Strategy<Value = ChartId> {
    prop_oneof![
        resource_id().prop_map(ChartId::Patient),
        resource_id().prop_map(ChartId::Facility),
        resource_id().prop_map(ChartId::Practitioner),
        Just(ChartId::Nation),
    ]
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        ("\\PC{0,40}", any::<i32>()).prop_map(|(text, number)| {
            let body = json!({"note": [{"text": text}], "n": number, "meta": {"tag": []}});
            Content::Put(Body::of(&body).unwrap())
        }),
        "\\PC{0,40}".prop_map(|reason| Content::Retract(reason.into())),
        chart().prop_map(Content::Forward),
    ]
}

/// The type, the id if it is given, what is superseded, and the content.
type Said = (String, Option<ResourceId>, Vec<[u8; 8]>, Content);

fn said() -> impl Strategy<Value = Said> {
    (
        "[A-Z][A-Za-z]{0,20}",
        proptest::option::of(resource_id()),
        prop::collection::vec(any::<[u8; 8]>(), 0..4),
        content(),
    )
}

fn changes(address: &Address, hlc: Hlc, said: Vec<Said>) -> Vec<Change> {
    (0..)
        .zip(said)
        .map(|(ordinal, (resource_type, given, supersedes, content))| Change {
            resource_type: resource_type.into(),
            id_is_derived: given.is_none(),
            id: given.unwrap_or_else(|| derive_id(address, hlc, ordinal)),
            supersedes: supersedes.into_iter().map(VersionId).collect(),
            content,
        })
        .collect()
}

fn entry() -> impl Strategy<Value = Entry> {
    let place = (stream(), 1..u64::MAX, chart(), 1..u64::MAX, any::<[u8; 32]>());
    let times = (any::<u64>(), any::<bool>(), proptest::option::of(any::<i64>()));
    let people = ("\\PC{0,30}", "\\PC{0,30}", proptest::option::of((2..9_u32, 0..2_u32)));
    (place, times, people, prop::collection::vec(said(), 1..5)).prop_map(
        |((stream, number, chart, chart_number, previous), (hlc, doubtful, care), who, said)| {
            let (address, hlc) = (stream.at(number), Hlc::from_bits(hlc));
            let is_first = chart_number == 1;
            Entry {
                address,
                chart,
                chart_number,
                previous: if is_first { EntryHash::NONE } else { EntryHash(previous) },
                hlc,
                clock_doubtful: doubtful,
                care_time: care.map(Millis),
                author: who.0.into(),
                typist: who.1.into(),
                group: who.2.map(|(size, index)| Group { size, index }),
                changes: changes(&address, hlc, said),
            }
        },
    )
}

fn seal() -> impl Strategy<Value = Seal> {
    (stream(), any::<u64>(), any::<u64>(), any::<[u8; 32]>(), any::<[[u8; 32]; 2]>()).prop_map(
        |(stream, first, last, root, signature)| {
            let signature = signature.concat().try_into().unwrap();
            Seal { stream, first, last, root, signature }
        },
    )
}

proptest! {
    #[test]
    fn entries_round_trip(entry in entry()) {
        prop_assert_eq!(Entry::from_bytes(&entry.to_bytes()), Ok(entry));
    }

    #[test]
    fn no_other_bytes_are_the_same_entry(entry in entry(), at: usize, to: u8, cut: usize) {
        let bytes = entry.to_bytes();
        let mut changed = bytes.clone();
        let at = at % changed.len();
        changed[at] = to;
        for other in [changed, bytes[..cut % bytes.len()].to_vec(), [&bytes[..], &[0]].concat()] {
            if let Ok(read) = Entry::from_bytes(&other) {
                prop_assert_eq!(read.to_bytes(), other);
            }
        }
    }

    #[test]
    fn seals_round_trip(seal in seal()) {
        let mut bytes = vec![];
        seal.put(&mut bytes);
        let mut from = Reader::new(&bytes);
        prop_assert_eq!(Seal::read(&mut from), Ok(seal));
        prop_assert!(from.is_empty());
    }

    #[test]
    fn certificates_round_trip(
        node: [u8; 16],
        link_key: [u8; 32],
        facility in resource_id(),
        tier in 0..5_usize,
        parent in proptest::option::of(any::<[u8; 16]>()),
        issued: i64,
    ) {
        let key = SigningKey::from_bytes(&[5; 32]);
        let certificate = Certificate {
            node: NodeId(node),
            signing_key: key.verifying_key().to_bytes(),
            link_key,
            facility,
            tier: Tier::ALL[tier],
            parent: parent.map(NodeId),
            issued: Millis(issued),
            issuer: Issuer::Root,
            signature: [0; 64],
            possession: [0; 64],
        }
        .signed(&SigningKey::from_bytes(&[6; 32]), &key);
        prop_assert_eq!(Certificate::from_bytes(&certificate.to_bytes()), Ok(certificate));
    }
}
