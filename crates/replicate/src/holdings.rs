//! What a node holds of the charts that it shares with a peer: told when it counts anew, so that the
//! peer gives it the rest (ADR 0029).
//!
//! A chart is called by a hash of its name, and an entry by its count in the chart: of what one origin
//! wrote in a chart, a node holds all up to some number.

use std::collections::{BTreeMap, BTreeSet};

use ondol_kernel::{
    NodeId,
    bytes::{BadBytes, Reader, put_number},
};
use ondol_record::ChartId;

/// An origin and its incarnation. The class is that of the message.
pub type Writer = (NodeId, u32);

/// Up to which number entries of a chart are held, by who wrote them.
pub type Held = BTreeMap<Writer, u64>;

/// Everything that a node holds of one class in the charts whose hashes lie in a range, as far as
/// these charts concern the peer that is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holdings {
    /// Goes into the hashes: should two charts have the same one, they have others the next time.
    pub salt: u64,
    /// The first hash of the range.
    pub first: u64,
    /// The last hash of the range.
    pub last: u64,
    /// What is held, by the hash of the chart. Of charts that are not here nothing is held.
    pub charts: BTreeMap<u64, Held>,
}

/// The hash by which a chart is called.
pub fn hash(salt: u64, chart: &ChartId) -> u64 {
    let mut bytes = salt.to_be_bytes().to_vec();
    chart.put(&mut bytes);
    let hash = blake3::hash(&bytes);
    hash.as_bytes().first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

impl Holdings {
    /// Up to which number entries of a chart are held; 0 if none are. `None` if nothing is said
    /// about the chart.
    pub fn of(&self, chart: &ChartId, writer: &Writer) -> Option<u64> {
        let hash = hash(self.salt, chart);
        let held = || self.charts.get(&hash)?.get(writer).copied();
        (self.first..=self.last).contains(&hash).then(|| held().unwrap_or_default())
    }

    pub(crate) fn put(&self, to: &mut Vec<u8>) {
        for number in [self.salt, self.first, self.last] {
            to.extend_from_slice(&number.to_be_bytes());
        }
        let writers = self.charts.values().flat_map(Held::keys);
        let places: BTreeMap<Writer, u64> = writers.map(|writer| (*writer, 0)).collect();
        let places: BTreeMap<Writer, u64> = places.into_keys().zip(0..).collect();
        put_number(to, places.len() as u64);
        for (origin, incarnation) in places.keys() {
            to.extend_from_slice(&origin.0);
            put_number(to, u64::from(*incarnation));
        }
        put_number(to, self.charts.len() as u64);
        for (hash, held) in &self.charts {
            to.extend_from_slice(&hash.to_be_bytes());
            put_number(to, held.len() as u64);
            for (writer, number) in held {
                put_number(to, places.get(writer).copied().unwrap_or_default());
                put_number(to, *number);
            }
        }
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, BadBytes> {
        let mut number = || from.array().map(u64::from_be_bytes);
        let (salt, first, last) = (number()?, number()?, number()?);
        let mut writers: Vec<Writer> = vec![];
        for _ in 0..from.size(from.rest().len())? {
            let writer =
                (NodeId(from.array()?), u32::try_from(from.number()?).map_err(|_| BadBytes)?);
            if writers.last().is_some_and(|before| *before >= writer) {
                return Err(BadBytes);
            }
            writers.push(writer);
        }
        let mut charts = BTreeMap::new();
        for _ in 0..from.size(from.rest().len())? {
            let hash = u64::from_be_bytes(from.array()?);
            let is_later = charts.last_key_value().is_none_or(|(&before, _)| before < hash);
            if !is_later || !(first..=last).contains(&hash) {
                return Err(BadBytes);
            }
            let mut held = Held::new();
            for _ in 0..from.size(writers.len())? {
                let writer = *writers.get(from.size(writers.len())?).ok_or(BadBytes)?;
                if held.last_key_value().is_some_and(|(before, _)| *before >= writer) {
                    return Err(BadBytes);
                }
                held.insert(writer, from.number()?);
            }
            charts.insert(hash, held);
        }
        let used: BTreeSet<&Writer> = charts.values().flat_map(Held::keys).collect();
        if used.len() != writers.len() {
            return Err(BadBytes);
        }
        Ok(Self { salt, first, last, charts })
    }
}

/// Divides what is held into parts of so many charts at the most, which together say something about
/// every chart. There is at least one.
pub fn divide(salt: u64, charts: BTreeMap<u64, Held>, at_most: usize) -> Vec<Holdings> {
    let mut parts = vec![];
    let (mut first, mut part) = (0, BTreeMap::new());
    for (hash, held) in charts {
        if part.len() >= at_most.max(1) {
            let last = hash - 1;
            parts.push(Holdings { salt, first, last, charts: std::mem::take(&mut part) });
            first = hash;
        }
        part.insert(hash, held);
    }
    parts.push(Holdings { salt, first, last: u64::MAX, charts: part });
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;
    use ondol_kernel::ResourceId;
    use proptest::{collection::btree_map, prelude::*};

    fn writer() -> impl Strategy<Value = Writer> {
        (0..3_u8, 0..3_u32).prop_map(|(origin, incarnation)| (NodeId([origin; 16]), incarnation))
    }

    proptest! {
        #[test]
        fn parts_travel_and_say_something_about_every_chart(
            charts in btree_map(any::<u64>(), btree_map(writer(), any::<u64>(), 0..5), 0..40),
            at_most in 0..9_usize,
            salt: u64,
        ) {
            let parts = divide(salt, charts.clone(), at_most);
            prop_assert_eq!(parts[0].first, 0);
            prop_assert_eq!(parts[parts.len() - 1].last, u64::MAX);
            for two in parts.windows(2) {
                prop_assert_eq!(two[0].last + 1, two[1].first);
            }
            let mut together = BTreeMap::new();
            for part in parts {
                prop_assert!(part.charts.len() <= at_most.max(1));
                let message = Message::Holdings(part);
                prop_assert_eq!(Message::decode(&message.encode()), Ok(message.clone()));
                let Message::Holdings(part) = message else { unreachable!() };
                together.extend(part.charts);
            }
            prop_assert_eq!(together, charts);
        }

        #[test]
        fn bytes_that_are_something_else_are_refused(bytes: Vec<u8>, salt: u64) {
            let mut whole = vec![9];
            Holdings { salt, first: 0, last: u64::MAX, charts: BTreeMap::new() }.put(&mut whole);
            whole.truncate(25);
            whole.extend(bytes);
            if let Ok(message) = Message::decode(&whole) {
                prop_assert_eq!(message.encode(), whole);
            }
        }
    }

    #[test]
    fn what_is_not_named_is_not_held_and_of_what_is_elsewhere_nothing_is_said() {
        let chart = ChartId::Patient(ResourceId::new("p1").unwrap());
        let (salt, writer) = (7, (NodeId([1; 16]), 0));
        let at = hash(salt, &chart);
        assert_ne!(at, hash(8, &chart));
        let charts = BTreeMap::from([(at, Held::from([(writer, 4)]))]);
        let mut holdings = Holdings { salt, first: at, last: at, charts };
        assert_eq!(holdings.of(&chart, &writer), Some(4));
        assert_eq!(holdings.of(&chart, &(writer.0, 1)), Some(0));
        holdings.charts.clear();
        assert_eq!(holdings.of(&chart, &writer), Some(0));
        (holdings.first, holdings.last) = (at + 1, u64::MAX);
        assert_eq!(holdings.of(&chart, &writer), None);
    }
}
