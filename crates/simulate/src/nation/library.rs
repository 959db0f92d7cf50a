//! What was ever written and sealed in a country, by the hashes of entries. A node keeps the heads of
//! its chains alone, since a backup of it is a copy of everything; what it gives a second time is
//! looked up here. An entry names the one before it, so that a head says which entries a node has.

use std::{
    cell::RefCell,
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use ondol_record::{ChartId, Entry, EntryHash};
use ondol_replicate::Batch;

use super::state::Head;

#[derive(Default)]
struct Known {
    previous: Option<EntryHash>,
    ranges: Vec<Arc<Batch>>,
}

/// All entries with the ranges in which they were sealed.
#[derive(Default)]
pub struct Library(RefCell<HashMap<EntryHash, Known>>);

/// What stands in a chain after a number.
pub struct Rest {
    /// The ranges that hold it.
    pub ranges: Vec<Arc<Batch>>,
    /// Entries that stand in no range of which all of the chart is there.
    pub unsealed: Vec<EntryHash>,
}

impl Library {
    /// Somebody wrote something.
    pub fn wrote(&self, entry: &Entry) {
        let mut all = self.0.borrow_mut();
        all.entry(entry.hash()).or_default().previous = Some(entry.previous);
    }

    /// A range was sealed.
    pub fn sealed(&self, range: &Arc<Batch>) {
        let mut all = self.0.borrow_mut();
        for entry in &range.entries {
            all.entry(entry.hash()).or_default().ranges.push(range.clone());
        }
    }

    /// What stands in a chain of a chart after a number up to its head; `None` if the head is of
    /// entries that nobody wrote. Ranges that were never synced are here too: one counts only if
    /// what it has of the chart stands in the chain.
    pub fn rest(&self, chart: &ChartId, head: Head, after: u64) -> Option<Rest> {
        let all = self.0.borrow();
        let mut chain = BTreeMap::new();
        let mut hash = head.hash;
        for number in (after + 1..=head.number).rev() {
            chain.insert(number, hash);
            hash = all.get(&hash)?.previous?;
        }
        let is_there = |range: &&Arc<Batch>| {
            let last = range.entries.iter().rev().find(|entry| entry.chart == *chart);
            last.is_some_and(|last| chain.get(&last.chart_number) == Some(&last.hash()))
        };
        let mut rest = Rest { ranges: vec![], unsealed: vec![] };
        for hash in chain.values() {
            let ranges = all.get(hash)?.ranges.iter().filter(is_there);
            // The product takes the same one of several.
            match ranges.min_by_key(|range| (range.seal.last, Reverse(range.seal.first))) {
                Some(range) => rest.ranges.push(range.clone()),
                None => rest.unsealed.push(*hash),
            }
        }
        Some(rest)
    }
}
