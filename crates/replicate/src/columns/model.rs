//! How likely each decision is: chances by context, mixed (ADR 0013).
//!
//! Whole numbers alone, so that every machine finds the same chances. A decision is looked up in
//! three contexts; what each of them saw is weighted by how right it was before. The method is
//! that of the PAQ family of compressors, written anew and made small.

use std::sync::OnceLock;

use ondol_kernel::bytes::BadBytes;

use super::coder::Side;

/// Bits of the number of a slot.
pub const SLOT_BITS: u32 = 17;

/// Contexts of one decision.
pub const CONTEXTS: usize = 3;

/// A slot's count stops here: from then on the last decisions count more than old ones.
pub const COUNT_MAX: u32 = 255;

/// The chance of `true` in the upper 22 bits, how often it was asked in the lower 10.
pub const SLOT_NEW: u32 = 1 << 31;

/// Kinds of decisions that share weights. The numbers are part of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Fields of parcel and batch.
    Parcel = 0,
    /// Fields of entries.
    Entry = 1,
    /// Which shape.
    Shape = 2,
    /// Which id.
    Id = 3,
    /// Times.
    Time = 4,
    /// Numbers.
    Number = 5,
    /// Which text.
    Text = 6,
    /// Letters.
    Letter = 7,
}

/// Kinds there are.
pub const KINDS: usize = 8;

/// How sure the most exact context is: it chooses the weights.
pub const SURE: usize = 4;

/// All weights: kind, sureness, context.
pub type Weights = [[[i32; CONTEXTS]; SURE]; KINDS];

/// Weights before anything was learnt, in 65,536ths.
pub const WEIGHTS_NEW: Weights = [[[26_000; CONTEXTS]; SURE]; KINDS];

/// What was learnt: slots and weights.
#[derive(Clone, PartialEq, Eq)]
pub struct Learnt {
    /// Chances by context.
    pub slots: Vec<u32>,
    /// How contexts are mixed.
    pub weights: Weights,
}

impl Learnt {
    /// Nothing.
    pub fn nothing() -> Self {
        Self { slots: vec![SLOT_NEW; 1 << SLOT_BITS], weights: WEIGHTS_NEW }
    }
}

/// A side with its chances.
pub struct Model<S> {
    /// Where decisions go or come from.
    pub side: S,
    learnt: Learnt,
}

/// The logistic function at every 128th from -2,048 to 2,048 (of 256ths), in 65,536ths.
const SQUASHED: [i32; 33] = [
    22, 36, 60, 98, 162, 267, 439, 720, 1179, 1921, 3108, 4971, 7812, 11955, 17625, 24743, 32768,
    40793, 47911, 53581, 57724, 60565, 62428, 63615, 64357, 64816, 65097, 65269, 65374, 65438,
    65476, 65500, 65514,
];

/// The chance of a logit in 256ths.
fn squash(logit: i32) -> i32 {
    let at = logit.clamp(-2047, 2047) + 2048;
    #[expect(clippy::cast_sign_loss, reason = "from 1 to 4,095")]
    let (step, rest) = ((at >> 7) as usize, at & 127);
    (SQUASHED[step] * (128 - rest) + SQUASHED[step + 1] * rest) >> 7
}

/// The logits of chances in 4,096ths: the inverse of [`squash`].
fn logits() -> &'static [i16; 4096] {
    static LOGITS: OnceLock<[i16; 4096]> = OnceLock::new();
    LOGITS.get_or_init(|| {
        let mut table = [2047; 4096];
        let mut from = 0;
        for logit in -2047i16..=2047 {
            #[expect(clippy::cast_sign_loss, reason = "chances are positive")]
            let to = (squash(i32::from(logit)) >> 4) as usize;
            while from <= to {
                table[from] = logit;
                from += 1;
            }
        }
        table
    })
}

/// 65,536 / (n + 1.5): how far a chance moves when it was asked n times before.
fn step(count: u32) -> u32 {
    131_072 / (2 * count + 3)
}

/// A context's number from what it consists of.
pub fn mix(parts: &[u32]) -> u32 {
    parts.iter().fold(0x811c_9dc5, |hash, part| {
        let hash = (hash ^ part).wrapping_mul(0x9e37_79b1);
        hash ^ hash >> 15
    })
}

/// A text's number, for contexts.
pub fn number_of(text: &[u8]) -> u32 {
    text.iter().fold(0x1234_5678, |hash, &byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193).rotate_left(5)
    })
}

/// The slot of a node in a context, among `1 << bits` slots.
pub fn place(context: u32, node: u32, bits: u32) -> usize {
    let hash = (context ^ node.wrapping_mul(0x85eb_ca6b)).wrapping_mul(0xc2b2_ae35);
    ((hash ^ hash >> 13).wrapping_mul(0x9e37_79b1) >> (32 - bits)) as usize
}

/// One decision by the chances of some slots, which learn from it, as do the weights.
pub fn mixed<S: Side, const N: usize>(
    side: &mut S,
    slots: &mut [u32],
    weights: &mut [i32; N],
    places: [usize; N],
    bit: bool,
) -> Result<bool, BadBytes> {
    let logits = logits();
    let inputs = places.map(|place| i32::from(logits[(slots[place] >> 20) as usize]));
    let sum: i64 = inputs.iter().zip(&*weights).map(|(&x, &w)| i64::from(x) * i64::from(w)).sum();
    let likely = squash(i32::try_from((sum >> 16).clamp(-2047, 2047)).unwrap_or(0));
    let bit = side.decide(bit, likely.clamp(1, 65_535).cast_unsigned())?;
    let wrong = ((i32::from(bit) << 16) - likely) >> 4;
    for (weight, input) in weights.iter_mut().zip(inputs) {
        *weight = (*weight + ((input * wrong * 3 + 0x2000) >> 14)).clamp(-400_000, 400_000);
    }
    for place in places {
        let (chance, count) = (slots[place] >> 10, slots[place] & 1023);
        let goal = if bit { (1 << 22) - 1 } else { 0 };
        let way = (i64::from(goal) - i64::from(chance)) * i64::from(step(count));
        #[expect(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "0 to 2^22")]
        let moved = (i64::from(chance) + (way >> 16)) as u32;
        slots[place] = moved << 10 | (count + 1).min(COUNT_MAX);
    }
    Ok(bit)
}

impl<S: Side> Model<S> {
    /// A side that knows what was learnt.
    pub const fn new(side: S, learnt: Learnt) -> Self {
        Self { side, learnt }
    }

    /// Ends it.
    pub fn into_parts(self) -> (S, Learnt) {
        (self.side, self.learnt)
    }

    /// See [`Side::charge`].
    pub fn charge(&mut self, amount: usize) -> Result<(), BadBytes> {
        self.side.charge(amount)
    }

    /// One decision in three contexts, the last being the most exact.
    fn decide(
        &mut self,
        kind: Kind,
        contexts: &[u32; CONTEXTS],
        node: u32,
        bit: bool,
    ) -> Result<bool, BadBytes> {
        let places = contexts.map(|context| place(context, node, SLOT_BITS));
        let sure = match self.learnt.slots[places[CONTEXTS - 1]] & 1023 {
            0 => 0,
            1..=2 => 1,
            3..=15 => 2,
            _ => 3,
        };
        self.side.about(kind);
        let weights = &mut self.learnt.weights[kind as usize][sure];
        mixed(&mut self.side, &mut self.learnt.slots, weights, places, bit)
    }

    /// A decision of its own.
    pub fn flag(
        &mut self,
        kind: Kind,
        contexts: &[u32; CONTEXTS],
        bit: bool,
    ) -> Result<bool, BadBytes> {
        self.decide(kind, contexts, 1, bit)
    }

    /// A symbol of so many bits (at most 16), the highest first.
    pub fn symbol(
        &mut self,
        kind: Kind,
        contexts: &[u32; CONTEXTS],
        bits: u32,
        symbol: u32,
    ) -> Result<u32, BadBytes> {
        let mut node = 1;
        for at in (0..bits).rev() {
            let bit = self.decide(kind, contexts, node, symbol >> at & 1 == 1)?;
            node = node << 1 | u32::from(bit);
        }
        Ok(node & ((1 << bits) - 1))
    }

    /// A number: how many bits it has, then the bits. The first twelve are learnt, the rest are
    /// taken as they come.
    pub fn number(
        &mut self,
        kind: Kind,
        contexts: &[u32; CONTEXTS],
        number: u64,
    ) -> Result<u64, BadBytes> {
        let bits = self.symbol(kind, contexts, 7, 64 - number.leading_zeros())?;
        if bits <= 1 {
            return Ok(u64::from(bits));
        }
        if bits > 64 {
            return Err(BadBytes);
        }
        let mut read = 1u64;
        for at in (0..bits - 1).rev() {
            let told = number >> at & 1 == 1;
            let bit = if read < 1 << 12 {
                #[expect(clippy::cast_possible_truncation, reason = "below 4,096")]
                let node = bits << 13 | read as u32 | 1 << 20;
                self.decide(kind, contexts, node, told)?
            } else {
                self.side.decide(told, 1 << 15)?
            };
            read = read << 1 | u64::from(bit);
        }
        Ok(read)
    }

    /// A signed number.
    pub fn signed(
        &mut self,
        kind: Kind,
        contexts: &[u32; CONTEXTS],
        number: i64,
    ) -> Result<i64, BadBytes> {
        let folded = (number << 1 ^ number >> 63).cast_unsigned();
        let folded = self.number(kind, contexts, folded)?;
        Ok((folded >> 1).cast_signed() ^ -(folded & 1).cast_signed())
    }

    /// Bytes of which nothing can be learnt: hashes, signatures.
    pub fn raw<const N: usize>(&mut self, bytes: &[u8; N]) -> Result<[u8; N], BadBytes> {
        let mut read = [0; N];
        for (to, from) in read.iter_mut().zip(bytes) {
            for at in (0..8).rev() {
                *to = *to << 1 | u8::from(self.side.decide(from >> at & 1 == 1, 1 << 15)?);
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::coder::{Reader, Writer};
    use proptest::prelude::*;

    #[test]
    fn chances_and_logits_are_each_others_inverse() {
        for logit in -2047..=2047 {
            let back = logits()[usize::try_from(squash(logit) >> 4).unwrap()];
            // Where the curve is flat, many logits share a chance.
            assert!(squash(i32::from(back)).abs_diff(squash(logit)) <= 130, "{logit} {back}");
        }
    }

    proptest! {
        #[test]
        fn numbers_come_back(all: Vec<(i64, u64, u16)>) {
            let contexts = [1, 2, 3];
            let mut model = Model::new(Writer::new(), Learnt::nothing());
            for &(signed, number, symbol) in &all {
                model.signed(Kind::Time, &contexts, signed).unwrap();
                model.number(Kind::Number, &contexts, number).unwrap();
                model.symbol(Kind::Shape, &contexts, 16, symbol.into()).unwrap();
                model.raw(&number.to_be_bytes()).unwrap();
            }
            let bytes = model.into_parts().0.finish();
            let mut model = Model::new(Reader::new(&bytes, 1 << 20), Learnt::nothing());
            for &(signed, number, symbol) in &all {
                prop_assert_eq!(model.signed(Kind::Time, &contexts, 0), Ok(signed));
                prop_assert_eq!(model.number(Kind::Number, &contexts, 0), Ok(number));
                prop_assert_eq!(model.symbol(Kind::Shape, &contexts, 16, 0), Ok(symbol.into()));
                prop_assert_eq!(model.raw(&[0; 8]), Ok(number.to_be_bytes()));
            }
        }
    }
}
