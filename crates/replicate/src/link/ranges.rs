//! Sets of numbers kept as ranges.

use std::collections::BTreeMap;

/// A set of numbers as half-open ranges, joined where they touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ranges(BTreeMap<u32, u32>);

impl Ranges {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The lowest range.
    pub fn first(&self) -> Option<(u32, u32)> {
        self.0.first_key_value().map(|(&from, &to)| (from, to))
    }

    /// The lowest number that is not in the set.
    pub fn first_gap(&self) -> u32 {
        match self.first() {
            Some((0, to)) => to,
            _ => 0,
        }
    }

    pub fn insert(&mut self, mut from: u32, mut to: u32) {
        if from >= to {
            return;
        }
        if let Some((&start, &end)) = self.0.range(..=from).next_back()
            && end >= from
        {
            from = start;
            to = to.max(end);
        }
        while let Some((&start, &end)) = self.0.range(from..=to).next() {
            to = to.max(end);
            self.0.remove(&start);
        }
        self.0.insert(from, to);
    }

    pub fn remove(&mut self, from: u32, to: u32) {
        if from >= to {
            return;
        }
        if let Some((&start, &end)) = self.0.range(..from).next_back()
            && end > from
        {
            self.0.insert(start, from);
            if end > to {
                self.0.insert(to, end);
            }
        }
        while let Some((&start, &end)) = self.0.range(from..to).next() {
            self.0.remove(&start);
            if end > to {
                self.0.insert(to, end);
            }
        }
    }

    /// Inserts `from..to` without what is in `other`.
    pub fn insert_except(&mut self, from: u32, to: u32, other: &Self) {
        let mut at = from;
        let start = other.0.range(..=from).next_back().map_or(from, |(&start, _)| start);
        for (&low, &high) in other.0.range(start..to) {
            if high <= at {
                continue;
            }
            self.insert(at, low.min(to));
            at = at.max(high);
        }
        self.insert(at, to);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn numbers(ranges: &Ranges) -> BTreeSet<u32> {
        ranges.0.iter().flat_map(|(&from, &to)| from..to).collect()
    }

    proptest! {
        #[test]
        fn ranges_behave_as_a_set(steps in prop::collection::vec((0u8..3, 0u32..60, 0u32..20), 0..40)) {
            let (mut ranges, mut set) = (Ranges::default(), BTreeSet::new());
            let mut other = Ranges::default();
            for (what, from, length) in steps {
                let to = from + length;
                match what {
                    0 => { ranges.insert(from, to); set.extend(from..to); }
                    1 => { ranges.remove(from, to); set.retain(|n| !(from..to).contains(n)); }
                    _ => {
                        ranges.insert_except(from, to, &other);
                        let others = numbers(&other);
                        set.extend((from..to).filter(|n| !others.contains(n)));
                        other.insert(from, from + length / 2);
                    }
                }
                prop_assert_eq!(&numbers(&ranges), &set);
                prop_assert!(ranges.0.iter().zip(ranges.0.keys().skip(1)).all(|((_, end), next)| end < next));
                prop_assert_eq!(ranges.first_gap(), (0..200).find(|n| !set.contains(n)).unwrap());
            }
        }
    }
}
