//! Bytes of formats 1 and 2 that never change (ADR 0009, 0013). `ONDOL_WRITE_VECTORS=1` writes
//! them where there are none, for a new format.

use std::{fs, path::Path};

use ed25519_dalek::SigningKey;
use ondol_kernel::{
    Class, Hlc, Millis, NodeId, ResourceId,
    bytes::{hex_to, to_hex},
};
use ondol_record::{
    Body, Change, ChartId, Entry, EntryHash, Seal, SealedHead, Stream,
    entry::{Content, derive_id},
    seal::Tree,
};
use ondol_replicate::{Batch, Parcel};
use serde_json::json;

fn parcel() -> Parcel {
    let stream = Stream { origin: NodeId([7; 16]), incarnation: 1, class: Class::Care };
    let address = stream.at(41);
    let hlc = Hlc::at(Millis(1_772_000_123_456));
    let chart = ChartId::Patient(ResourceId::from_uuid([0x8b; 16]));
    let subject = json!({"reference": chart.reference()});
    let bodies = [
        json!({"resourceType": "Encounter", "status": "finished", "subject": subject,
            "period": {"start": "2026-02-25T15:10:00+09:00", "end": "2026-02-25T15:19:30+09:00"}}),
        json!({"resourceType": "Observation", "status": "final", "subject": subject,
            "encounter": {"reference": format!("Encounter/{}", derive_id(&address, hlc, 0))},
            "code": {"coding": [{"system": "http://loinc.org", "code": "8310-5"}]},
            "valueQuantity": {"value": 38.5, "unit": "Cel"}, "note": [{"text": "열이 나고 기침을 한다"}]}),
    ];
    let changes = bodies.iter().zip(0..).map(|(resource, ordinal)| Change {
        resource_type: resource["resourceType"].as_str().unwrap().into(),
        id: derive_id(&address, hlc, ordinal),
        id_is_derived: true,
        supersedes: vec![],
        content: Content::Put(Body::of(resource).unwrap()),
    });
    let entry = Entry {
        address,
        chart: chart.clone(),
        chart_number: 1,
        previous: EntryHash::NONE,
        hlc,
        clock_doubtful: false,
        care_time: Some(Millis(1_772_000_100_000)),
        author: "Practitioner/39455353-8cde-8e75-921e-bce6139f7110".into(),
        typist: "".into(),
        group: None,
        changes: changes.collect(),
    };
    let head = SealedHead { chart, chart_number: 1, hash: entry.hash() };
    let key = SigningKey::from_bytes(&[3; 32]);
    let seal = Seal::sign(&key, stream, 41, 41, Tree::new(&[head]).root());
    Parcel {
        certificates: vec![],
        batches: vec![Batch { seal, entries: vec![entry], paths: None }],
    }
}

/// The bytes of a file of hexadecimal digits, written first where that is asked for.
fn vector(name: &str, now: &[u8]) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name);
    if std::env::var_os("ONDOL_WRITE_VECTORS").is_some() && !path.exists() {
        fs::write(&path, to_hex(now) + "\n").unwrap();
    }
    let text = fs::read_to_string(path).unwrap();
    let mut bytes = vec![0; text.trim().len() / 2];
    assert!(hex_to(text.trim(), &mut bytes));
    bytes
}

#[test]
fn parcels_of_format_1_are_read_for_ever() {
    let bytes = vector("parcel-1.hex", &parcel().encode_1());
    assert_eq!(Parcel::decode(&bytes), Ok(parcel()));
}

#[test]
fn parcels_of_format_2_are_read_for_ever_and_written_the_same() {
    let bytes = vector("parcel-2.hex", &parcel().encode());
    assert_eq!(Parcel::decode(&bytes), Ok(parcel()));
    assert_eq!(to_hex(&parcel().encode()), to_hex(&bytes));
}
