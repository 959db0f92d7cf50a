//! The weights, learnt by EM from the records alone.
//!
//! All pairs count: those that were not looked at have too little in common to be one person, and
//! how they agree is known from a sample. So u is that of all pairs and not of the likely ones.

use std::collections::HashMap;

use super::{
    Field, Kind, Level, Pair, Record, Records, Schema,
    compare::{LEVELS, Pattern},
    model::{CLASSES, Class, Model, STRANGERS, Shares, Weights, likely},
    real,
};

/// Pairs drawn by chance to see how records of two persons agree.
const SAMPLE: u32 = 20_000;

/// EM ends when the share of pairs that are one person moves by less than this part of itself.
const STILL: f64 = 1e-6;
const ROUNDS_MAX: usize = 100;

/// The levels on which records of one person agree before anything was learnt, and so many pairs
/// that this assumption is worth: small sets lean on it, large ones do not notice it.
const BELIEF: f64 = 10.0;
const WORDS: [f64; LEVELS] = [0.77, 0.06, 0.06, 0.03, 0.02, 0.04, 0.01, 0.01];
const CODE: [f64; LEVELS] = [0.85, 0.0, 0.07, 0.02, 0.0, 0.06, 0.0, 0.0];
const DATE: [f64; LEVELS] = [0.80, 0.06, 0.05, 0.03, 0.02, 0.04, 0.0, 0.0];

/// Namesakes: the year is the same.
const SAME_YEAR: [f64; LEVELS] = [0.003, 0.01, 0.02, 0.05, 0.8, 0.117, LEAST, LEAST];

/// The share of records that have another of the same person, before anything was learnt.
const TWICE: f64 = 0.1;

type Counts = Vec<[f64; LEVELS]>;

impl Model {
    /// Learns from records; `pairs` are those that are worth a look.
    pub fn learn(schema: &Schema, records: Records<'_>, pairs: &[Pair]) -> Self {
        let fields = schema.fields().len();
        let known = schema.fields().iter().enumerate();
        let shares: Vec<Shares> =
            known.map(|(at, field)| Shares::of(records.all, at).believing(field.chance)).collect();
        let total = records.pairs().max(1.0);
        let patterns = count(schema, records, pairs);
        let chance = by_chance(schema, records, &shares);
        // What was not looked at: all that is met by chance but for the pairs that were.
        let mut others: Counts = chance.iter().map(|row| row.map(|share| share * total)).collect();
        for (pattern, count) in &patterns {
            for (at, level) in pattern.known(fields) {
                others[at][level] = (others[at][level] - count).max(0.0);
            }
        }
        let often = (real(records.all.len()) * TWICE / total).min(0.2);
        let mut classes = [often, 0.0, 0.0, 0.0];
        for class in [Class::Household, Class::Namesakes] {
            if schema.fields().iter().any(|field| has_in_common(field, class)) {
                classes[class as usize] = often;
            }
        }
        let weights = schema.fields().iter().zip(&chance).map(|(field, by_chance)| {
            let mut rows = believed(field);
            rows[Class::Others as usize] = by_chance.map(|share| share.max(LEAST));
            rows
        });
        let weights = weights.collect();
        let mut model = Self { schema: schema.clone(), weights, classes, shares };
        model.settle();
        for _ in 0..ROUNDS_MAX {
            let before = model.share(Class::Same);
            model.improve(&patterns, &others, total);
            if (model.share(Class::Same) - before).abs() < STILL * before {
                break;
            }
        }
        model
    }

    /// One round: how likely each pattern is of one person, and what follows for the weights.
    fn improve(&mut self, patterns: &[(Pattern, f64)], others: &Counts, total: f64) {
        let fields = self.schema.fields();
        let start = fields.iter().zip(others).map(|(field, others)| {
            let mut rows = believed(field).map(|row| row.map(|share| share * BELIEF));
            rows[Class::Others as usize] = *others;
            rows
        });
        let mut counts: Vec<Weights> = start.collect();
        let mut of_class = [0.0; CLASSES];
        for (pattern, count) in patterns {
            let mut sums = self.before();
            for (at, level) in pattern.known(fields.len()) {
                for (sum, row) in sums.iter_mut().zip(&self.weights[at]) {
                    *sum += row[level].ln();
                }
            }
            let likely = likely(sums).map(|share| share * count);
            for (sum, likely) in of_class.iter_mut().zip(likely) {
                *sum += likely;
            }
            for (at, level) in pattern.known(fields.len()) {
                for (row, likely) in counts[at].iter_mut().zip(likely) {
                    row[level] += likely;
                }
            }
        }
        for (share, count) in self.classes.iter_mut().zip(of_class) {
            // A share of 0 never moves again: so it stays, or never becomes one.
            if *share > 0.0 {
                *share = (count.max(0.5) / total).min(0.2);
            }
        }
        self.settle();
        let share = |row: [f64; LEVELS]| {
            let all: f64 = row.iter().sum::<f64>().max(f64::MIN_POSITIVE);
            row.map(|count| (count / all).max(LEAST))
        };
        self.weights = counts.into_iter().map(|rows| rows.map(share)).collect();
    }
}

/// Nothing is impossible.
const LEAST: f64 = 1e-9;

fn belief(kind: Kind) -> [f64; LEVELS] {
    match kind {
        Kind::Name | Kind::Words => WORDS,
        Kind::Code => CODE,
        Kind::Date => DATE,
    }
    .map(|m| m.max(LEAST))
}

fn has_in_common(field: &Field, class: Class) -> bool {
    match class {
        Class::Same => true,
        Class::Household => field.shared.household,
        Class::Namesakes => field.shared.namesakes,
        Class::Others => false,
    }
}

/// How each class is believed to agree: on what it has in common like one person, else like
/// others; two of one household have half of the name in common, and namesakes the year of birth.
fn believed(field: &Field) -> Weights {
    let by_chance = believed_chance(field);
    let all: f64 = by_chance.iter().sum();
    let others = by_chance.map(|count| (count / all).max(LEAST));
    Class::ALL.map(|class| match (class, field.kind) {
        (Class::Namesakes, Kind::Date) if has_in_common(field, class) => SAME_YEAR,
        _ if has_in_common(field, class) => belief(field.kind),
        (Class::Household, Kind::Name) => {
            let mut half = others;
            half[Level::Apart as usize] /= 2.0;
            half[Level::Loose as usize] += half[Level::Apart as usize];
            half
        }
        _ => others,
    })
}

/// The patterns of the pairs that were looked at, with how often each is met.
fn count(schema: &Schema, records: Records<'_>, pairs: &[Pair]) -> Vec<(Pattern, f64)> {
    let mut counted: HashMap<Pattern, f64> = HashMap::new();
    for pair in pairs {
        if let (Some(a), Some(b)) = both(records.all, *pair) {
            *counted.entry(Pattern::of(schema, a, b)).or_default() += 1.0;
        }
    }
    // The order in which sums are taken is fixed, so that the same records give the same weights.
    let mut patterns: Vec<_> = counted.into_iter().collect();
    patterns.sort_unstable_by_key(|(pattern, _)| *pattern);
    patterns
}

pub(super) fn both(records: &[Record], pair: Pair) -> (Option<&Record>, Option<&Record>) {
    (records.get(pair.a as usize), records.get(pair.b as usize))
}

/// On which levels records agree by chance: counted where values are the same, drawn elsewhere.
/// A level that was never drawn is met half as often as one that was drawn once.
fn by_chance(schema: &Schema, records: Records<'_>, shares: &[Shares]) -> Counts {
    let fields = schema.fields().len();
    let mut drawn: Counts = schema.fields().iter().map(believed_chance).collect();
    let all = records.all.len();
    let mut see = |a: usize, b: usize| {
        if records.is_pair(a, b) {
            let pattern = Pattern::of(schema, &records.all[a], &records.all[b]);
            for (at, level) in pattern.known(fields) {
                drawn[at][level] += 1.0;
            }
        }
    };
    if records.pairs() <= f64::from(SAMPLE) {
        (0..all).for_each(|a| (a + 1..all).for_each(|b| see(a, b)));
    } else {
        let mut chance = Chance(0x0015);
        (0..SAMPLE).for_each(|_| see(chance.below(all), chance.below(all)));
    }
    for (at, field) in schema.fields().iter().enumerate() {
        let row = &mut drawn[at];
        let sum: f64 = row.iter().sum();
        *row = row.map(|count| count / sum);
        row[Level::Same as usize] = shares[at].collision();
        match field.crosses {
            Some(other) => {
                row[Level::Crossed as usize] = shares[at].collision_with(&shares[other]);
            }
            None => {
                row[Level::Crossed as usize] = 0.0;
                row[Level::CrossedNear as usize] = 0.0;
            }
        }
    }
    drawn
}

/// How records of two persons are believed to agree, in pairs that were never drawn.
fn believed_chance(field: &Field) -> [f64; LEVELS] {
    let Some(same) = field.chance else { return [0.5; LEVELS] };
    let loose = (same * 20.0).min(0.1);
    let of = [same, same / 2.0, same, same * 2.0, loose, 0.0, same / 10.0, same / 10.0];
    let rest = (1.0 - of.iter().sum::<f64>()).max(0.1);
    let mut of = of.map(|share| share * STRANGERS);
    of[Level::Apart as usize] = rest * STRANGERS;
    of
}

/// Splitmix64 (Steele, Lea, Flood 2014): the sample is always the same.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        let bound = bound.max(1) as u64;
        usize::try_from(mixed % bound).unwrap_or(0)
    }
}
