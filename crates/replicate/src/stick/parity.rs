//! Reed–Solomon parity over the shards of a stick (ADR 0010, 'Correction').
//!
//! The field is GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1. Parity shard `i` of a group is the sum
//! over its data shards `j` of `d_j / (i + (20 + j))`: a Cauchy matrix, of which every square
//! part can be inverted, so that as many lost shards can be restored as parity shards are left.
//! (Plank and Xu, 'Optimizing Cauchy Reed-Solomon Codes for Fault-Tolerant Network Storage
//! Applications', IEEE NCA 2006, section 2, has the construction.)

use std::collections::BTreeMap;

use super::frame::{SHARD_BYTES, Shard};

/// Parity shards of a group.
pub(super) const GROUP_PARITY: usize = 20;
/// The most data shards of a group: the field has 256 elements.
pub(super) const GROUP_DATA_MAX: usize = 256 - GROUP_PARITY;

const LANES: usize = SHARD_BYTES / 8;
/// The polynomial without x^8.
const REDUCE: u8 = 0x1d;

type Words = [u64; LANES];

/// How the shards of a file are spread over groups: shard `n` belongs to group `n mod groups`,
/// so that a run of lost neighbours is shared out among all groups.
#[derive(Debug, Clone, Copy)]
pub(super) struct Groups {
    data: usize,
    groups: usize,
}

impl Groups {
    pub const fn of(data: usize) -> Self {
        Self { data, groups: data.div_ceil(GROUP_DATA_MAX) }
    }

    /// Data and parity shards together.
    pub const fn total(self) -> usize {
        self.data + self.groups * GROUP_PARITY
    }

    /// The file's numbers of a group's data shards, in the order of `j`.
    fn data_of(self, group: usize) -> impl Iterator<Item = usize> {
        (group..self.data).step_by(self.groups)
    }

    /// The file's number of parity shard `i` of a group.
    const fn parity_of(self, group: usize, i: usize) -> usize {
        self.data + i * self.groups + group
    }
}

/// The parity shards of a file, in the order of their numbers.
pub(super) fn parity(data: &[Shard]) -> Vec<Shard> {
    let groups = Groups::of(data.len());
    let mut sums = vec![[0; LANES]; groups.total() - data.len()];
    for group in 0..groups.groups {
        for (j, number) in groups.data_of(group).enumerate() {
            let multiples = Multiples::of(&data[number]);
            for i in 0..GROUP_PARITY {
                let sum = &mut sums[groups.parity_of(group, i) - data.len()];
                multiples.add(coefficient(i, j), sum);
            }
        }
    }
    sums.iter().map(bytes).collect()
}

/// Restores what can be restored of the data shards that are missing in `shards`, which holds
/// as many places as [`Groups::total`] says.
pub(super) fn restore(data: usize, shards: &[Option<&Shard>]) -> BTreeMap<usize, Shard> {
    let groups = Groups::of(data);
    let mut restored = BTreeMap::new();
    for group in 0..groups.groups {
        let lost: Vec<(usize, usize)> = groups
            .data_of(group)
            .enumerate()
            .filter(|&(_, number)| shards[number].is_none())
            .collect();
        let left: Vec<(usize, &Shard)> = (0..GROUP_PARITY)
            .filter_map(|i| Some((i, shards[groups.parity_of(group, i)]?)))
            .take(lost.len())
            .collect();
        if lost.is_empty() || left.len() < lost.len() {
            continue;
        }
        let known = groups.data_of(group).enumerate();
        let known = known.filter_map(|(j, number)| Some((j, shards[number]?)));
        let found = solve(&lost, &left, known);
        restored.extend(lost.iter().map(|&(_, number)| number).zip(found));
    }
    restored
}

/// The lost shards of one group, given as many parity shards.
fn solve<'a>(
    lost: &[(usize, usize)],
    left: &[(usize, &Shard)],
    known: impl Iterator<Item = (usize, &'a Shard)>,
) -> Vec<Shard> {
    let mut sums: Vec<Words> = left.iter().map(|(_, shard)| words(shard)).collect();
    for (j, shard) in known {
        let multiples = Multiples::of(shard);
        for (&(i, _), sum) in left.iter().zip(&mut sums) {
            multiples.add(coefficient(i, j), sum);
        }
    }
    // What is left: for each parity shard i, sums_i = Σ over the lost j of lost_j / (i + j).
    let matrix =
        left.iter().map(|&(i, _)| lost.iter().map(|&(j, _)| coefficient(i, j)).collect()).collect();
    let inverse = inverse_of(matrix);
    let multiples: Vec<Multiples> = sums.iter().map(Multiples::of_words).collect();
    let rows = inverse.iter().map(|row| {
        let mut shard = [0; LANES];
        for (&factor, multiples) in row.iter().zip(&multiples) {
            multiples.add(factor, &mut shard);
        }
        bytes(&shard)
    });
    rows.collect()
}

/// Gauss–Jordan elimination. A square part of a Cauchy matrix always has an inverse, and so
/// have all of its leading parts: no pivot is ever zero.
fn inverse_of(mut matrix: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let size = matrix.len();
    for (at, row) in matrix.iter_mut().enumerate() {
        row.extend((0..size).map(|column| u8::from(column == at)));
    }
    for pivot in 0..size {
        let scale = reciprocal(matrix[pivot][pivot]);
        for value in &mut matrix[pivot] {
            *value = times(*value, scale);
        }
        let pivot_row = matrix[pivot].clone();
        for (_, row) in matrix.iter_mut().enumerate().filter(|&(at, _)| at != pivot) {
            let factor = row[pivot];
            for (value, &subtract) in row.iter_mut().zip(&pivot_row) {
                *value ^= times(subtract, factor);
            }
        }
    }
    matrix.into_iter().map(|row| row[size..].to_vec()).collect()
}

fn coefficient(i: usize, j: usize) -> u8 {
    // i < 20 and 20 + j < 256 are never the same, so their sum is never zero.
    reciprocal(u8::try_from(i ^ (GROUP_PARITY + j)).unwrap_or(0))
}

const fn twice(value: u8) -> u8 {
    (value << 1) ^ ((value >> 7) * REDUCE)
}

const fn times(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    while b != 0 {
        product ^= a * (b & 1);
        a = twice(a);
        b >>= 1;
    }
    product
}

/// 1/a, as a^254; 0 of 0.
const fn reciprocal(a: u8) -> u8 {
    let (mut power, mut product, mut step) = (a, 1, 1);
    while step < 8 {
        power = times(power, power);
        product = times(product, power);
        step += 1;
    }
    product
}

/// A shard times 1, x, x^2 … x^7: any multiple of it is a sum of some of these.
struct Multiples([Words; 8]);

impl Multiples {
    fn of(shard: &Shard) -> Self {
        Self::of_words(&words(shard))
    }

    fn of_words(first: &Words) -> Self {
        const LOW: u64 = 0x0101_0101_0101_0101;
        let mut multiples = [*first; 8];
        for power in 1..8 {
            multiples[power] = multiples[power - 1]
                .map(|w| ((w & (LOW * 0x7f)) << 1) ^ (((w >> 7) & LOW) * u64::from(REDUCE)));
        }
        Self(multiples)
    }

    fn add(&self, factor: u8, to: &mut Words) {
        for (bit, multiple) in self.0.iter().enumerate() {
            if factor >> bit & 1 == 1 {
                for (sum, word) in to.iter_mut().zip(multiple) {
                    *sum ^= word;
                }
            }
        }
    }
}

fn words(shard: &Shard) -> Words {
    let mut words = [0; LANES];
    for (word, bytes) in words.iter_mut().zip(shard.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    words
}

fn bytes(words: &Words) -> Shard {
    let mut shard = [0; SHARD_BYTES];
    for (bytes, word) in shard.as_chunks_mut::<8>().0.iter_mut().zip(words) {
        *bytes = word.to_le_bytes();
    }
    shard
}

#[cfg(test)]
mod tests;
