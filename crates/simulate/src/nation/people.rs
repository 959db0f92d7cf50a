//! What people write in a country.

use std::sync::Arc;

use ondol_kernel::Class;
use ondol_record::{
    Body, Change, ChartId, Entry, Stream, certificate::Tier, entry::Content, entry::derive_id,
};
use ondol_replicate::message::BLOB_PART_BYTES;

use super::{
    library::Library,
    machine::Machine,
    state::{Op, place},
    tree::{self, Tree},
};
use crate::chance::Chance;

/// Whoever takes pictures waits when so many parts do.
const PICTURES_MAX: usize = 60;
/// So many persons are at home at a clinic.
const PERSONS: usize = 30;

/// Three in a hundred are emergencies.
fn class(chance: &Chance) -> Class {
    match chance.next() % 100 {
        0..=2 => Class::Emergency,
        3..=14 => Class::Care,
        15..=84 => Class::Routine,
        _ => Class::Bulk,
    }
}

/// In whose chart a node writes: of its people, of its own, or of somebody's below.
fn chart(at: usize, tree: &Tree, chance: &Chance) -> ChartId {
    let seat = &tree.seats[at];
    let below = match seat.below.as_slice() {
        [] => None,
        some => Some(some[chance.place(some.len())]),
    };
    let person = |home| tree::person(home, chance.place(PERSONS));
    match (seat.tier, below) {
        (Tier::Ministry, _) => ChartId::Nation,
        (Tier::Clinic, _) if chance.happens(85) => person(at),
        (Tier::County, Some(clinic)) if chance.happens(60) => person(clinic),
        (Tier::County | Tier::Province, Some(other)) if chance.happens(50) => tree::facility(other),
        _ => tree::facility(at),
    }
}

fn text(chance: &Chance, bytes: usize) -> String {
    const LETTERS: &[u8; 64] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-";
    let mut text = String::with_capacity(bytes);
    while text.len() < bytes {
        let mut dice = chance.next();
        for _ in 0..10 {
            text.push(char::from(LETTERS[(dice & 63) as usize]));
            dice >>= 6;
        }
    }
    text
}

fn body(class: Class, chance: &Chance) -> (&'static str, String) {
    let some = chance.next() % 1_000;
    match (class, chance.next() % 4) {
        // Something long that hardly compresses.
        (Class::Bulk, 0) => {
            let length = 600 + chance.place(2_000);
            let data = text(chance, length);
            ("DocumentReference", format!(r#"{{"status":"current","description":"{data}"}}"#))
        }
        (Class::Emergency, _) => (
            "ServiceRequest",
            format!(
                r#"{{"status":"active","intent":"order","priority":"stat","note":[{{"text":"{}"}}]}}"#,
                text(chance, 40)
            ),
        ),
        (_, 0) => (
            "Condition",
            format!(r#"{{"clinicalStatus":{{"text":"active"}},"code":{{"text":"{some}"}}}}"#),
        ),
        _ => (
            "Observation",
            format!(
                r#"{{"status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"8867-4"}}]}},"valueQuantity":{{"value":{},"unit":"/min"}}}}"#,
                40 + some % 120
            ),
        ),
    }
}

/// Somebody writes at a node: the change, which is not acknowledged before it is synced.
pub fn write(machine: &mut Machine, now: u64, (tree, library): (&Tree, &Library), chance: &Chance) {
    let class = class(chance);
    let chart = chart(machine.at, tree, chance);
    let state = &machine.memory;
    let stream =
        Stream { origin: tree.seats[machine.at].id, incarnation: state.incarnation, class };
    let address = stream.at(state.numbers[place(class)] + 1);
    let head = state.head(&(stream, chart.clone()));
    let hlc = state.hlc.next(machine.wall(now));
    let changes = (0..=u32::from(chance.happens(30))).filter_map(|ordinal| {
        let (resource_type, text) = body(class, chance);
        Some(Change {
            resource_type: resource_type.into(),
            id: derive_id(&address, hlc, ordinal),
            id_is_derived: true,
            supersedes: vec![],
            content: Content::Put(Body::from_canonical(&text)?),
        })
    });
    let entry = Entry {
        address,
        chart_number: head.number + 1,
        previous: head.hash,
        chart,
        hlc,
        clock_doubtful: false,
        care_time: None,
        author: "".into(),
        typist: "".into(),
        group: None,
        changes: changes.collect(),
    };
    library.wrote(&entry);
    machine.change(Op::Wrote(Arc::new(entry)), tree);
}

/// Somebody takes a picture for the node above: parts of it, which nothing makes shorter.
pub fn picture(machine: &mut Machine, tree: &Tree, chance: &Chance) {
    let Some(above) = tree.seats[machine.at].above else { return };
    let waits = |machine: &Machine| {
        let to = machine.memory.neighbours.get(&above);
        to.map_or(0, |to| to.kept[place(Class::Bulk)].len())
    };
    for _ in 0..2 + chance.place(8) {
        if waits(machine) > PICTURES_MAX {
            return;
        }
        let mut part = vec![0; 512 + chance.place(BLOB_PART_BYTES - 512)];
        for bytes in part.as_chunks_mut::<8>().0 {
            *bytes = chance.next().to_le_bytes();
        }
        machine.picture(above, part, tree);
    }
}
