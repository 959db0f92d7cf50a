//! Which pairs are looked at: those that have two things in common, or a rare one.
//!
//! No pass rests on a surname alone: it counts only together with another field. Fields that are
//! sometimes mixed up count as one here.

use std::collections::HashMap;

use super::{Record, Records, Schema};

/// Two records by their places, the smaller first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pair {
    /// The one.
    pub a: u32,
    /// The other.
    pub b: u32,
}

/// Records that have two things in common are compared if no more than so many have both.
const BLOCK_MAX: usize = 100;

/// Records that have one thing in common are compared if no more than so many have it.
const ALONE_MAX: usize = 30;

/// A number for each value of each field; the same for the same value in fields that are mixed up.
struct Numbers {
    /// For each slot its fields, with the number of each record's value.
    slots: Vec<Slot>,
}

struct Slot {
    fields: Vec<Vec<Option<u32>>>,
    alone: bool,
}

impl Numbers {
    fn of(schema: &Schema, records: &[Record]) -> Self {
        let mut slots = vec![];
        for (at, field) in schema.fields().iter().enumerate() {
            // The second of two that are mixed up stands with the first.
            if field.crosses.is_some_and(|other| other < at) {
                continue;
            }
            let mut known: HashMap<&str, u32> = HashMap::new();
            let places = std::iter::once(at).chain(field.crosses);
            let fields = places.map(|place| numbered(records, place, &mut known)).collect();
            slots.push(Slot { fields, alone: field.alone });
        }
        Self { slots }
    }
}

fn numbered<'a>(
    records: &'a [Record],
    place: usize,
    known: &mut HashMap<&'a str, u32>,
) -> Vec<Option<u32>> {
    let number = |record: &'a Record| {
        let value = record.get(place)?.as_ref()?;
        let next = u32::try_from(known.len()).ok()?;
        Some(*known.entry(&value.same).or_insert(next))
    };
    records.iter().map(number).collect()
}

/// The pairs that are to be compared, in order, each once.
pub fn candidates(schema: &Schema, records: Records<'_>) -> Vec<Pair> {
    let numbers = Numbers::of(schema, records.all);
    let mut pairs = vec![];
    for (at, slot) in numbers.slots.iter().enumerate() {
        if slot.alone {
            let block = |record: usize, see: &mut dyn FnMut(u64)| {
                slot.values(record).for_each(|value| see(u64::from(value)));
            };
            pass(records, ALONE_MAX, &block, &mut pairs);
        }
        // Both values of two that are mixed up, in either order.
        if let [one, two] = &slot.fields[..] {
            let block = |record: usize, see: &mut dyn FnMut(u64)| {
                if let (Some(one), Some(two)) = (one[record], two[record]) {
                    see(both(one.min(two), one.max(two)));
                }
            };
            pass(records, BLOCK_MAX, &block, &mut pairs);
        }
        for other in numbers.slots.iter().skip(at + 1) {
            let block = |record: usize, see: &mut dyn FnMut(u64)| {
                for one in slot.values(record) {
                    other.values(record).for_each(|two| see(both(one, two)));
                }
            };
            pass(records, BLOCK_MAX, &block, &mut pairs);
        }
        pairs.sort_unstable();
        pairs.dedup();
    }
    pairs
}

impl Slot {
    fn values(&self, record: usize) -> impl Iterator<Item = u32> {
        self.fields.iter().filter_map(move |field| field[record])
    }
}

fn both(one: u32, two: u32) -> u64 {
    u64::from(one) << 32 | u64::from(two)
}

/// Tells the keys of a record, one for each block in which it stands.
type Keys<'a> = &'a dyn Fn(usize, &mut dyn FnMut(u64));

/// Adds the pairs within each block of no more than `most` records.
fn pass(records: Records<'_>, most: usize, block: Keys<'_>, pairs: &mut Vec<Pair>) {
    let mut keyed: Vec<(u64, u32)> = vec![];
    for (at, place) in (0..records.all.len()).zip(0_u32..) {
        block(at, &mut |key| keyed.push((key, place)));
    }
    keyed.sort_unstable();
    keyed.dedup();
    for block in keyed.chunk_by(|one, two| one.0 == two.0) {
        if block.len() > most {
            continue;
        }
        for (at, (_, a)) in block.iter().enumerate() {
            for (_, b) in &block[at + 1..] {
                if records.is_pair(*a as usize, *b as usize) {
                    pairs.push(Pair { a: *a, b: *b });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linkage::{Field, Kind, Shared};

    fn schema() -> Schema {
        let field = |name: &str, crosses| Field {
            name: name.into(),
            kind: Kind::Words,
            crosses,
            alone: name == "number",
            shared: Shared::default(),
            chance: None,
        };
        let fields =
            vec![field("given", Some(1)), field("surname", Some(0)), field("number", None)];
        Schema::new(fields).unwrap()
    }

    fn pairs(records: &[[&str; 3]], second_from: Option<usize>) -> Vec<(u32, u32)> {
        let schema = schema();
        let all: Vec<Record> = records.iter().map(|texts| schema.record(texts)).collect();
        let pairs = candidates(&schema, Records { all: &all, second_from });
        pairs.iter().map(|pair| (pair.a, pair.b)).collect()
    }

    #[test]
    fn a_surname_alone_is_no_reason_to_look() {
        let records = [["ann", "kim", "1"], ["bob", "kim", "2"], ["cat", "kim", "1"]];
        assert_eq!(pairs(&records, None), [(0, 2)]);
    }

    #[test]
    fn names_that_stand_in_each_others_place_are_seen() {
        assert_eq!(pairs(&[["ann", "kim", ""], ["kim", "ann", "7"]], None), [(0, 1)]);
        assert_eq!(pairs(&[["ann", "kim", "7"], ["kim", "bob", "8"]], None), []);
    }

    #[test]
    fn of_two_lists_only_pairs_across_are_looked_at() {
        let records = [["ann", "kim", "1"], ["ann", "kim", "1"], ["ann", "kim", "1"]];
        assert_eq!(pairs(&records, Some(1)), [(0, 1), (0, 2)]);
        assert_eq!(pairs(&records, None).len(), 3);
    }

    #[test]
    fn what_everybody_has_is_no_reason_to_look() {
        let names: Vec<String> = (0..40).map(|n| format!("n{n}")).collect();
        let records: Vec<[&str; 3]> = names.iter().map(|name| [name, "", "7"]).collect();
        assert_eq!(pairs(&records, None), []);
        assert_eq!(pairs(&records[..30], None).len(), 30 * 29 / 2);
    }
}
