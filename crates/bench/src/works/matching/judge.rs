//! How right the pairs are that were told.

use std::collections::HashMap;

use ondol_identity::linkage::Pair;

/// Pairs that were told, by whether they are one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    pub right: usize,
    pub wrong: usize,
    pub missing: usize,
}

impl Judged {
    pub fn of(people: &[String], second_from: Option<usize>, told: &[Pair]) -> Self {
        let from = second_from.unwrap_or(people.len());
        let mut sizes: HashMap<&str, (usize, usize)> = HashMap::new();
        for (at, person) in people.iter().enumerate() {
            let size = sizes.entry(person).or_default();
            if at < from { size.0 += 1 } else { size.1 += 1 }
        }
        let pairs = |(one, two): &(usize, usize)| match second_from {
            Some(_) => one * two,
            None => one * one.saturating_sub(1) / 2,
        };
        let all: usize = sizes.values().map(pairs).sum();
        let same = |pair: &&Pair| people.get(pair.a as usize) == people.get(pair.b as usize);
        let right = told.iter().filter(same).count();
        Self { right, wrong: told.len() - right, missing: all.saturating_sub(right) }
    }

    pub fn precision(self) -> f64 {
        share(self.right, self.right + self.wrong)
    }

    pub fn recall(self) -> f64 {
        share(self.right, self.right + self.missing)
    }

    pub fn f1(self) -> f64 {
        share(2 * self.right, 2 * self.right + self.wrong + self.missing)
    }
}

#[expect(clippy::cast_precision_loss, reason = "pairs of lists that fit in memory")]
fn share(of: usize, all: usize) -> f64 {
    of as f64 / all.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_and_missing_pairs_are_counted() {
        let people = ["1", "1", "1", "2", "2"].map(str::to_owned);
        let told = [Pair { a: 0, b: 1 }, Pair { a: 2, b: 3 }];
        let judged = Judged::of(&people, None, &told);
        assert_eq!(judged, Judged { right: 1, wrong: 1, missing: 3 });
        assert!((judged.f1() - 2.0 / 6.0).abs() < 1e-9);
        let across = Judged::of(&people, Some(2), &[Pair { a: 0, b: 2 }]);
        assert_eq!(across, Judged { right: 1, wrong: 0, missing: 1 });
    }
}
