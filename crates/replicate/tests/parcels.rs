//! What is packed comes out again, byte for byte; what was tampered with does not pass.

#[path = "../../record/tests/support/mod.rs"]
mod log;

use ed25519_dalek::SigningKey;
use log::Log;
use ondol_kernel::{Class, ResourceId};
use ondol_record::{
    ChartId, Draft, DraftChange, DraftId, Entry, Seal, SealedHead, draft::DraftContent, seal::Tree,
};
use ondol_replicate::{
    Batch, Parcel,
    parcel::{BadBatch, BadParcel},
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn key() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

fn put(url: &str, resource: Value) -> DraftChange {
    DraftChange {
        resource_type: resource["resourceType"].as_str().unwrap().into(),
        id: DraftId::New(url.into()),
        supersedes: vec![],
        chart: None,
        content: DraftContent::Put(resource),
    }
}

fn write(log: &mut Log, stamp: u64, changes: Vec<DraftChange>) -> Vec<Entry> {
    let draft = Draft {
        class: Class::Routine,
        care_time: None,
        author: "Practitioner/39455353-8cde-4e75-921e-bce6139f7110".into(),
        typist: "".into(),
        changes,
    };
    log.write(draft, stamp << 16).unwrap()
}

/// Two people, with some notes each.
fn log_of(notes: &[(bool, String)]) -> Log {
    let mut log = Log::default();
    let people: Vec<ResourceId> = (1..=2)
        .map(|at| {
            write(&mut log, at, vec![put("", json!({"resourceType": "Patient"}))])[0].changes[0]
                .id
                .clone()
        })
        .collect();
    for (at, (who, text)) in notes.iter().enumerate() {
        let id = &people[usize::from(*who)];
        write(
            &mut log,
            at as u64 + 3,
            vec![
                put(
                    "urn:uuid:e",
                    json!({"resourceType": "Encounter", "subject": {"reference": format!("Patient/{id}")}}),
                ),
                put(
                    "",
                    json!({"resourceType": "Condition", "encounter": {"reference": "urn:uuid:e"},
                "subject": {"reference": format!("Patient/{id}")}, "note": [{"text": text}]}),
                ),
            ],
        );
    }
    log
}

fn heads(entries: &[Entry]) -> Vec<SealedHead> {
    let mut heads: Vec<SealedHead> = vec![];
    for entry in entries {
        heads.retain(|head| head.chart != entry.chart);
        let (chart, chart_number) = (entry.chart.clone(), entry.chart_number);
        heads.push(SealedHead { chart, chart_number, hash: entry.hash() });
    }
    heads
}

fn whole(log: &Log) -> Batch {
    let root = Tree::new(&heads(&log.entries)).root();
    let last = log.entries.len() as u64;
    let seal = Seal::sign(&key(), log.entries[0].address.stream, 1, last, root);
    Batch { seal, entries: log.entries.clone(), paths: None }
}

fn selection(log: &Log, chart: &ChartId) -> Batch {
    let batch = whole(log);
    let path = Tree::new(&heads(&log.entries)).path(chart).unwrap();
    let entries = log.entries.iter().filter(|entry| entry.chart == *chart).cloned().collect();
    Batch { entries, paths: Some(vec![(chart.clone(), path)]), ..batch }
}

proptest! {
    #[test]
    fn parcels_round_trip(notes in prop::collection::vec((any::<bool>(), "\\PC{0,40}"), 0..12)) {
        let log = log_of(&notes);
        let parcel = Parcel { certificates: vec![], batches: vec![whole(&log), selection(&log, &log.entries[0].chart)] };
        let back = Parcel::decode(&parcel.encode()).unwrap();
        prop_assert_eq!(&back, &parcel);
        for batch in &back.batches {
            prop_assert_eq!(batch.check(&key().verifying_key()), Ok(()));
        }
    }

    #[test]
    fn decoding_never_panics(bytes: Vec<u8>) {
        let _ = Parcel::decode(&bytes);
        let mut framed = vec![1, 0];
        framed.extend(bytes);
        let _ = Parcel::decode(&framed);
    }

    #[test]
    fn a_damaged_parcel_never_passes_as_another(at: prop::sample::Index, bit in 0u8..8) {
        let log = log_of(&[(true, "기침".into()), (false, "열".into())]);
        let parcel = Parcel { certificates: vec![], batches: vec![whole(&log)] };
        let mut bytes = parcel.encode();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(back) = Parcel::decode(&bytes) {
            let sound = back.batches.iter().all(|batch| batch.check(&key().verifying_key()).is_ok());
            prop_assert!(!sound || back.batches == parcel.batches || back.batches.is_empty());
        }
    }
}

#[test]
fn who_forwards_cannot_leave_out_or_change_an_entry() {
    let log = log_of(&[(true, "a".into()), (true, "b".into()), (false, "c".into())]);
    let verifying = key().verifying_key();
    let mut without_last = selection(&log, &log.entries[1].chart);
    without_last.entries.pop();
    assert!(without_last.check(&verifying).is_err());
    let mut gap = whole(&log);
    gap.entries.remove(3);
    assert!(gap.check(&verifying).is_err());
    let mut changed = whole(&log);
    changed.entries[2].author = "Practitioner/other".into();
    assert!(changed.check(&verifying).is_err());
    let mut no_path = selection(&log, &log.entries[1].chart);
    no_path.paths = Some(vec![]);
    assert_eq!(no_path.check(&verifying), Err(BadBatch::Path));
}

#[test]
fn a_parcel_of_a_newer_node_says_so() {
    assert_eq!(Parcel::decode(&[3, 0]), Err(BadParcel::UnknownFormat(3)));
    assert_eq!(Parcel::certificates(&[0x83]), Err(BadParcel::UnknownFormat(0x83)));
}

#[test]
fn a_bomb_does_not_unpack() {
    let zeros = vec![0u8; 40 << 20];
    let mut bytes = vec![1, 1];
    bytes.extend(zstd::bulk::compress(&zeros, 3).unwrap());
    assert_eq!(Parcel::decode(&bytes), Err(BadParcel::Compression));
}
