//! What was learnt of a set of records, and what it says of a pair.

use std::collections::HashMap;

use super::{
    Kind, Level, Record, Schema,
    compare::{LEVELS, Pattern},
};

/// What a pair of records is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// One person.
    Same,
    /// Two of one household.
    Household,
    /// Two with the same name, in one village.
    Namesakes,
    /// Two others.
    Others,
}

/// How many classes there are.
pub(crate) const CLASSES: usize = 4;

impl Class {
    /// All of them.
    pub(crate) const ALL: [Self; CLASSES] =
        [Self::Same, Self::Household, Self::Namesakes, Self::Others];
}

/// For each class and level of a field how often it is met, 0 to 1.
pub(crate) type Weights = [[f64; LEVELS]; CLASSES];

/// For each class the natural logarithm of how likely a pair is of it, but for a factor that is the
/// same for all.
pub(crate) type Sums = [f64; CLASSES];

/// How likely each class is, 0 to 1.
pub(crate) fn likely(sums: Sums) -> [f64; CLASSES] {
    let most = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let of = sums.map(|sum| (sum - most).exp());
    let all: f64 = of.iter().sum();
    of.map(|one| one / all)
}

fn log_odds([same, two @ ..]: Sums) -> f64 {
    let most = two.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    same - most - two.iter().map(|sum| (sum - most).exp()).sum::<f64>().ln()
}

/// What was learnt.
#[derive(Clone)]
pub struct Model {
    pub(crate) schema: Schema,
    pub(crate) weights: Vec<Weights>,
    /// For each class the share of pairs that are of it; the last is what the others leave.
    pub(crate) classes: [f64; CLASSES],
    pub(crate) shares: Vec<Shares>,
}

/// How frequent the values of a field are.
#[derive(Clone, Default)]
pub(crate) struct Shares {
    /// How many have each value, by the letters as they stand and by what is the same by rule.
    written: HashMap<Box<str>, f64>,
    same: HashMap<Box<str>, f64>,
    /// How many have any.
    all: f64,
    /// So many records of strangers are believed to be there too,
    strangers: f64,
    /// and this share of them has any one value.
    chance: f64,
}

/// So many of one household, and as many namesakes, are believed to be among those of whom one is
/// asked about.
const NEAR_HERE: f64 = 0.25;

/// What is believed of a field's frequencies is worth so many records.
pub(crate) const STRANGERS: f64 = 200.0;

impl Shares {
    pub(crate) fn of(records: &[Record], at: usize) -> Self {
        let mut shares = Self::default();
        for value in records.iter().filter_map(|record| record.get(at)?.as_ref()) {
            *shares.written.entry(value.written.clone()).or_default() += 1.0;
            *shares.same.entry(value.same.clone()).or_default() += 1.0;
            shares.all += 1.0;
        }
        shares
    }

    /// With a belief of how often two people agree by chance.
    pub(crate) fn believing(mut self, chance: Option<f64>) -> Self {
        if let Some(chance) = chance {
            (self.chance, self.strangers) = (chance, STRANGERS);
        }
        self
    }

    /// The share of all people that have a value which is counted so often here, the one who is
    /// asked about left out.
    fn share(&self, counted: f64) -> f64 {
        if self.strangers == 0.0 {
            return counted.max(1.0) / self.all.max(1.0);
        }
        let others = (counted - 1.0).max(0.0);
        (others + self.chance * self.strangers) / ((self.all - 1.0).max(0.0) + self.strangers)
    }

    /// How often two values taken by chance are written the same.
    pub(crate) fn collision(&self) -> f64 {
        let all = self.all.max(1.0);
        let mean = |counted: &f64| counted / all * self.share(*counted);
        let sum: f64 = self.written.values().map(mean).sum();
        sum.max(1.0 / (all * all))
    }

    /// How often a value of this field and one of another are written the same by chance.
    pub(crate) fn collision_with(&self, other: &Self) -> f64 {
        let both = self.all.max(1.0) * other.all.max(1.0);
        let of_other = |value: &str| other.written.get(value).copied().unwrap_or(0.0);
        let sum: f64 = self.written.iter().map(|(value, count)| count * of_other(value)).sum();
        sum.max(1.0) / both
    }
}

impl Model {
    /// How often each level of a field is met in a class, 0 to 1.
    pub fn met(&self, field: usize, class: Class) -> Option<[f64; LEVELS]> {
        self.weights.get(field).map(|weights| weights[class as usize])
    }

    /// The share of all pairs that are of a class, 0 to 1.
    pub fn share(&self, class: Class) -> f64 {
        self.classes[class as usize]
    }

    /// The same weights for one record against a population of this size, of which it is as likely
    /// as not one.
    #[must_use]
    pub fn against(mut self, population: usize) -> Self {
        let all = super::real(population.max(1));
        self.classes[0] = 0.5 / all;
        for class in [Class::Household, Class::Namesakes] {
            let share = &mut self.classes[class as usize];
            if *share > 0.0 {
                *share = share.max(NEAR_HERE / all).min(0.2);
            }
        }
        self.settle();
        self
    }

    /// The others are what is left.
    pub(crate) fn settle(&mut self) {
        let [same, household, namesakes, others] = &mut self.classes;
        *others = 1.0 - *same - *household - *namesakes;
    }

    /// The natural logarithm of the odds that two records are of one person.
    pub fn log_odds(&self, a: &Record, b: &Record) -> f64 {
        self.weigh(Pattern::of(&self.schema, a, b), a, b)
    }

    /// How likely two records are of one person, 0 to 1.
    pub fn probability(&self, a: &Record, b: &Record) -> f64 {
        1.0 / (1.0 + (-self.log_odds(a, b)).exp())
    }

    pub(crate) fn weigh(&self, pattern: Pattern, a: &Record, b: &Record) -> f64 {
        let mut sums = self.before();
        for (at, level) in pattern.known(self.weights.len()) {
            let by_chance = self.by_chance(at, level, a, b);
            for (class, sum) in Class::ALL.into_iter().zip(&mut sums) {
                let met = self.weights[at][class as usize][level];
                *sum += match (class, by_chance) {
                    (Class::Same, _) | (_, None) => met,
                    (Class::Others, Some(share)) => share,
                    (Class::Household | Class::Namesakes, Some(share)) => met.max(share),
                }
                .ln();
            }
        }
        log_odds(sums)
    }

    /// What is to be said of a pair before it was looked at.
    pub(crate) fn before(&self) -> Sums {
        self.classes.map(f64::ln)
    }

    /// How often just this agreement is met by chance: what is rare says more.
    fn by_chance(&self, at: usize, level: usize, a: &Record, b: &Record) -> Option<f64> {
        let shares = self.shares.get(at)?;
        let (one, two) = (a.get(at)?.as_ref()?, b.get(at)?.as_ref()?);
        let share = |of: Option<&f64>| shares.share(of.copied().unwrap_or(0.0));
        match level {
            same if same == Level::Same as usize => Some(share(shares.written.get(&one.written))),
            alike if alike == Level::Alike as usize => {
                let is_name = self.schema.fields().get(at)?.kind == Kind::Name;
                let of = |same| share(shares.same.get(same));
                is_name.then(|| of(&one.same).max(of(&two.same)))
            }
            _ => None,
        }
    }
}
