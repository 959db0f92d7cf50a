//! Which pairs are one person, seen together.

use std::collections::{HashMap, HashSet};

use super::{Model, Pair, Records, learn::both};

/// How many records a person may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Any number: records are grouped.
    Groups,
    /// One, or one in each of two lists: each record is paired once.
    OneToOne,
}

/// The pairs that are rather one person than two, best first as they were joined. A pair by itself
/// is likely from log-odds of 0, that is from even odds: no other limit is set.
pub fn decide(model: &Model, records: Records<'_>, pairs: &[Pair], shape: Shape) -> Vec<Pair> {
    let mut likely: Vec<(f64, Pair)> = pairs
        .iter()
        .filter_map(|pair| Some((weigh(model, records, *pair)?, *pair)))
        .filter(|(odds, _)| *odds > 0.0)
        .collect();
    likely.sort_by(|one, two| two.0.total_cmp(&one.0).then(one.1.cmp(&two.1)));
    match shape {
        Shape::OneToOne => one_to_one(&likely),
        Shape::Groups => Groups::of(model, records, &likely).pairs(records),
    }
}

fn weigh(model: &Model, records: Records<'_>, pair: Pair) -> Option<f64> {
    match both(records.all, pair) {
        (Some(a), Some(b)) => Some(model.log_odds(a, b)),
        _ => None,
    }
}

fn one_to_one(likely: &[(f64, Pair)]) -> Vec<Pair> {
    let mut taken = HashSet::new();
    let mut same = vec![];
    for (_, pair) in likely {
        if !taken.contains(&pair.a) && !taken.contains(&pair.b) {
            taken.extend([pair.a, pair.b]);
            same.push(*pair);
        }
    }
    same
}

/// Groups are joined as long as the pairs between them are on average rather one person than two:
/// one likely pair alone does not make one person of two groups that do not fit.
struct Groups {
    of: HashMap<u32, usize>,
    all: Vec<Vec<u32>>,
}

impl Groups {
    fn of(model: &Model, records: Records<'_>, likely: &[(f64, Pair)]) -> Self {
        let known: HashMap<Pair, f64> = likely.iter().map(|(odds, pair)| (*pair, *odds)).collect();
        let mut groups = Self { of: HashMap::new(), all: vec![] };
        for (_, pair) in likely {
            let (one, two) = (groups.place(pair.a), groups.place(pair.b));
            if one == two {
                continue;
            }
            let between = groups.all[one].iter().flat_map(|a| {
                groups.all[two].iter().map(|b| Pair { a: (*a).min(*b), b: (*a).max(*b) })
            });
            let odds = |pair: Pair| match known.get(&pair) {
                Some(odds) => Some(*odds),
                None => weigh(model, records, pair),
            };
            if between.filter_map(odds).sum::<f64>() > 0.0 {
                let joined = std::mem::take(&mut groups.all[two]);
                groups.of.extend(joined.iter().map(|record| (*record, one)));
                groups.all[one].extend(joined);
            }
        }
        groups
    }

    fn place(&mut self, record: u32) -> usize {
        *self.of.entry(record).or_insert_with(|| {
            self.all.push(vec![record]);
            self.all.len() - 1
        })
    }

    fn pairs(&self, records: Records<'_>) -> Vec<Pair> {
        let mut pairs = vec![];
        for group in &self.all {
            for (at, a) in group.iter().enumerate() {
                for b in &group[at + 1..] {
                    if records.is_pair(*a as usize, *b as usize) {
                        pairs.push(Pair { a: (*a).min(*b), b: (*a).max(*b) });
                    }
                }
            }
        }
        pairs.sort_unstable();
        pairs
    }
}
