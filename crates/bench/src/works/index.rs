//! The nation's index of persons: what a question and its answer cost on a slow line, and whom it finds
//! (ADR 0027).

#[path = "../../../replicate/tests/index_exchange/mod.rs"]
#[allow(dead_code, reason = "the test takes another part")]
pub(super) mod index_exchange;

use std::collections::{BTreeMap, BTreeSet};

use ondol_identity::{
    linkage::Described,
    national::{DIGEST_BYTES, Known},
};
use ondol_replicate::{
    message::Message,
    national::{Index, PERSONS_MAX, Person},
};

use super::matching::made_up;
use crate::figure::{Aim, Figure};

/// What the tiers above the county take for an answer, ms.
const ABOVE_MS: u64 = 800;

/// People of the nation, digests that each has, and bits of a digest.
const NATION: f64 = 25e6;
const DIGESTS_EACH: f64 = 3.0;

/// Takes the figures.
pub fn figures(rtt_ms: u64, seed: u64) -> Vec<Figure> {
    let (asked, answered) = (index_exchange::question(2), index_exchange::answer(1));
    let (bytes, took) = index_exchange::exchange(rtt_ms, ABOVE_MS, (asked, answered));
    let how = format!(
        "two digests, one found; {asked} B and {answered} B of messages, both ways with \
         acknowledgements, encryption, UDP and IP"
    );
    let mut figures = vec![
        Figure::new("exchange_bytes", real(bytes), "B").aim(Aim::AtMost(300.0)).how(how),
        Figure::new("answer_ms", real(usize::try_from(took).unwrap_or(usize::MAX)), "ms").how(format!(
            "9.6 kbit/s, {rtt_ms} ms round trip, {ABOVE_MS} ms of it above the county"
        )),
        Figure::new("bytes_per_1000_told", told_in_bulk(), "B")
            .how("messages of people told of in bulk, two or three digests each"),
        Figure::new("chance_hits", by_chance(), "in the nation").how(
            "expected number of hits between unlike people if each of 25 million is asked about once",
        ),
    ];
    figures.extend(found(seed));
    figures
}

fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn told_in_bulk() -> f64 {
    let person = |n: usize| Person {
        token: [1; 8],
        stamp: 1_772_406_000_000,
        digests: vec![[3; DIGEST_BYTES]; 2 + n % 2],
    };
    let persons: Vec<Person> = (0..1_000).map(person).collect();
    let messages = persons.chunks(PERSONS_MAX).map(|some| {
        let tell = Index::Tell { from: None, epoch: 256, asks: false, persons: some.to_vec() };
        Message::Index(tell).encode().len()
    });
    real(messages.sum())
}

/// Digests of unlike people that are equal: each question against all that are there.
fn by_chance() -> f64 {
    let bits = i32::try_from(DIGEST_BYTES * 8).unwrap_or(i32::MAX);
    NATION * DIGESTS_EACH * (NATION * DIGESTS_EACH) / 2_f64.powi(bits) / 2.0
}

/// Of people made up by the seed, half of them entered twice with errors (ADR 0015).
fn found(seed: u64) -> Vec<Figure> {
    let people = made_up::people(seed);
    let mut by_digest: BTreeMap<[u8; DIGEST_BYTES], Vec<usize>> = BTreeMap::new();
    for (at, one) in people.iter().enumerate() {
        for digest in known(&one.of).digests(&[1; 32]) {
            by_digest.entry(digest).or_default().push(at);
        }
    }
    let mut pairs = BTreeSet::new();
    for all in by_digest.values() {
        let of =
            all.iter().enumerate().flat_map(|(n, a)| all[n + 1..].iter().map(move |b| (*a, *b)));
        pairs.extend(of);
    }
    let right = pairs.iter().filter(|(a, b)| people[*a].person == people[*b].person).count();
    let wrong = pairs.len() - right;
    vec![
        Figure::new("found", real(right) / 10.0, "%").how(
            "of 1,000 people made up by the seed who were entered twice with ADR 0015's errors, by \
             equal digests; the rest is left to linkage where both charts are",
        ),
        Figure::new("wrong", real(wrong), "pairs")
            .how("unlike people told of, among those 3,000 records"),
    ]
}

fn known(of: &Described) -> Known {
    let is_day = of.birth.len() == 10;
    Known {
        names: vec![of.name.clone()],
        sex: of.sex.clone(),
        birth: if is_day { of.birth.clone() } else { String::new() },
        mother: of.mother.clone(),
        ri: of.ri.clone(),
        numbers: vec![],
    }
}
