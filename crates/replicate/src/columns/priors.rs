//! What every node knows before the first parcel: shapes, texts and chances (ADR 0013).
//!
//! `priors-1.bin` is part of the format: a parcel of format 2 can be read with exactly these
//! priors. Others get another format. `examples/train_parcel_priors.rs` made them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, OnceLock},
};

use ondol_kernel::bytes::{BadBytes, Reader, put_bytes, put_number};

use super::{
    model::{CONTEXTS, KINDS, Learnt, SLOT_BITS, SURE},
    shape::Shape,
};

static PRIORS: &[u8] = include_bytes!("priors-1.bin");

/// They unpack to fewer bytes.
const UNPACKED_MAX: usize = 1 << 20;

/// Texts of one column, numbered from 1.
#[derive(Debug, Clone, Default)]
pub struct Strings {
    list: Vec<Arc<[u8]>>,
    places: HashMap<Arc<[u8]>, u32>,
}

impl Strings {
    /// How many there are.
    pub fn count(&self) -> u32 {
        u32::try_from(self.list.len()).unwrap_or(u32::MAX)
    }

    /// The number of a text, if it has one.
    pub fn number(&self, text: &[u8]) -> Option<u32> {
        self.places.get(text).copied()
    }

    /// The text of a number.
    pub fn text(&self, number: u32) -> Option<&Arc<[u8]>> {
        self.list.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// Adds one that is not there, as long as there are fewer than `max`.
    pub fn add(&mut self, text: &[u8], max: usize) {
        if self.list.len() < max && !self.places.contains_key(text) {
            let text: Arc<[u8]> = text.into();
            self.list.push(text.clone());
            self.places.insert(text, u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        }
    }
}

/// Shapes, each with a number.
#[derive(Debug, Clone, Default)]
pub struct Shapes {
    list: Vec<Arc<Shape>>,
    places: HashMap<Box<str>, HashMap<Arc<[u8]>, u32>>,
}

impl Shapes {
    /// How many there are.
    pub fn count(&self) -> u32 {
        u32::try_from(self.list.len()).unwrap_or(u32::MAX)
    }

    /// The number of a shape.
    pub fn number(&self, resource_type: &str, text: &[u8]) -> Option<u32> {
        self.places.get(resource_type)?.get(text).copied()
    }

    /// The shape of a number.
    pub fn shape(&self, number: u32) -> Option<&Arc<Shape>> {
        self.list.get(usize::try_from(number).ok()?)
    }

    /// Adds one and gives its number.
    pub fn add(&mut self, shape: Arc<Shape>) -> u32 {
        let number = self.count();
        let of_type = self.places.entry(shape.resource_type.clone()).or_default();
        of_type.entry(shape.text.as_slice().into()).or_insert(number);
        self.list.push(shape);
        number
    }
}

/// What is known before.
#[derive(Clone)]
pub struct Priors {
    /// Shapes.
    pub shapes: Shapes,
    /// Texts by column.
    pub strings: HashMap<u32, Strings>,
    /// Chances.
    pub learnt: Learnt,
}

impl Priors {
    /// Those of this node's program. They are read once.
    pub fn known() -> Arc<Self> {
        static KNOWN: OnceLock<Arc<Priors>> = OnceLock::new();
        KNOWN.get_or_init(|| Arc::new(Self::unpack(PRIORS).expect("the priors are sound"))).clone()
    }

    /// None.
    pub fn nothing() -> Self {
        Self { shapes: Shapes::default(), strings: HashMap::new(), learnt: Learnt::nothing() }
    }

    fn unpack(packed: &[u8]) -> Option<Self> {
        let plain = zstd::bulk::decompress(packed, UNPACKED_MAX).ok()?;
        Self::read(&plain).ok()
    }

    /// The bytes of the file. `None` if they cannot be packed.
    pub fn pack(&self) -> Option<Vec<u8>> {
        zstd::bulk::compress(&self.plain(), 19).ok()
    }

    fn plain(&self) -> Vec<u8> {
        let mut to = vec![];
        put_number(&mut to, self.shapes.count().into());
        for shape in &self.shapes.list {
            put_bytes(&mut to, shape.resource_type.as_bytes());
            put_bytes(&mut to, &shape.text);
        }
        let columns: BTreeMap<_, _> = self.strings.iter().collect();
        put_number(&mut to, columns.len() as u64);
        for (column, strings) in columns {
            to.extend_from_slice(&column.to_le_bytes());
            put_number(&mut to, strings.list.len() as u64);
            for text in &strings.list {
                put_bytes(&mut to, text);
            }
        }
        for weight in self.learnt.weights.iter().flatten().flatten() {
            to.extend_from_slice(&weight.to_le_bytes());
        }
        let used: Vec<(usize, u8)> = self
            .learnt
            .slots
            .iter()
            .enumerate()
            .filter_map(|(at, &slot)| Some((at, shorten(slot)?)))
            .collect();
        put_number(&mut to, used.len() as u64);
        let mut next = 0;
        for &(at, _) in &used {
            put_number(&mut to, (at - next) as u64);
            next = at + 1;
        }
        to.extend(used.iter().map(|&(_, short)| short));
        to
    }

    fn read(plain: &[u8]) -> Result<Self, BadBytes> {
        let mut from = Reader::new(plain);
        let mut priors = Self::nothing();
        for _ in 0..from.size(plain.len())? {
            let resource_type = from.text()?;
            priors.shapes.add(Arc::new(Shape::of(resource_type, from.bytes()?.to_vec())));
        }
        for _ in 0..from.size(plain.len())? {
            let column = u32::from_le_bytes(from.array()?);
            let strings = priors.strings.entry(column).or_default();
            for _ in 0..from.size(plain.len())? {
                strings.add(from.bytes()?, usize::MAX);
            }
        }
        for kind in 0..KINDS {
            for sure in 0..SURE {
                for context in 0..CONTEXTS {
                    priors.learnt.weights[kind][sure][context] = i32::from_le_bytes(from.array()?);
                }
            }
        }
        let mut places = vec![];
        let mut next = 0;
        for _ in 0..from.size(1 << SLOT_BITS)? {
            let place = next + from.size(1 << SLOT_BITS)?;
            places.push(place);
            next = place + 1;
        }
        for place in places {
            *priors.learnt.slots.get_mut(place).ok_or(BadBytes)? = lengthen(from.byte()?);
        }
        if from.is_empty() { Ok(priors) } else { Err(BadBytes) }
    }
}

/// Counts that stand for others in the file; the first is not used.
const COUNTS: [u32; 4] = [3, 7, 20, 80];

/// A slot in a byte: a chance in 64 steps of its logit, a count in four. `None` for what was seen
/// too seldom to be worth a byte.
fn shorten(slot: u32) -> Option<u8> {
    let count = slot & 1023;
    let class = match count {
        0..=4 => return None,
        5..=11 => 1,
        12..=39 => 2,
        _ => 3u8,
    };
    let chance = slot >> 10;
    let step = (0..64u8).min_by_key(|&step| at_step(step).abs_diff(chance)).unwrap_or(32);
    Some(step << 2 | class)
}

fn lengthen(short: u8) -> u32 {
    at_step(short >> 2) << 10 | COUNTS[usize::from(short & 3)]
}

/// The lower half of the chances in the file, in 2^22ths: even steps of the logit.
const STEPS: [u32; 32] = [
    1042, 1357, 1766, 2299, 2993, 3896, 5071, 6600, 8588, 11175, 14537, 18907, 24583, 31950, 41502,
    53872, 69869, 90511, 117_079, 151_158, 194_683, 249_966, 319_693, 406_864, 514_646, 646_109,
    803_819, 989_290, 1_202_381, 1_440_737, 1_699_505, 1_971_474,
];

/// The chance at a step, in 2^22ths.
fn at_step(step: u8) -> u32 {
    let from_end = usize::from(step.min(63 - step));
    if step < 32 { STEPS[from_end] } else { (1 << 22) - 1 - STEPS[from_end] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_priors_of_the_program_can_be_read_and_are_small() {
        let priors = Priors::unpack(PRIORS).expect("the priors are sound");
        assert!(PRIORS.len() <= 64 << 10, "{}", PRIORS.len());
        assert!(priors.shapes.count() > 50);
        assert_eq!(Priors::read(&priors.plain()).unwrap().plain(), priors.plain());
    }

    #[test]
    fn steps_rise() {
        for step in 1..64 {
            assert!(at_step(step) > at_step(step - 1), "{step}");
        }
    }
}
