//! Decisions to bytes and back: binary arithmetic coding with 32 bits (ADR 0013).
//!
//! Writer and reader are two sides of one trait, so that everything above is written once: what
//! the writer is told, the reader finds out.

use ondol_kernel::bytes::BadBytes;

use super::model::Kind;

/// One end of a stream of decisions.
pub trait Side {
    /// Whether this side is told the values.
    const WRITES: bool;

    /// One decision. `bit` counts for the writer alone; `likely` is the chance of `true` in
    /// 65,536ths, from 1 to 65,535. Both sides give the bit.
    fn decide(&mut self, bit: bool, likely: u32) -> Result<bool, BadBytes>;

    /// Counts work, so that a reader can refuse what never ends.
    fn charge(&mut self, amount: usize) -> Result<(), BadBytes>;

    /// Says of what kind the next decision is: for those who weigh.
    fn about(&mut self, _kind: Kind) {}
}

/// Where the range is split for a chance.
fn middle(low: u32, high: u32, likely: u32) -> u32 {
    let range = high - low;
    low + (range >> 16) * likely + (((range & 0xffff) * likely) >> 16)
}

/// Turns decisions into bytes.
#[derive(Debug)]
pub struct Writer {
    low: u32,
    high: u32,
    bytes: Vec<u8>,
}

impl Writer {
    /// Nothing written yet.
    pub const fn new() -> Self {
        Self { low: 0, high: u32::MAX, bytes: vec![] }
    }

    /// The bytes. Zeros at the end are left out: a reader goes on with zeros behind the end.
    pub fn finish(mut self) -> Vec<u8> {
        for shift in [32u32, 24, 16, 8, 0] {
            let rest = 1u64 << shift;
            let value = u64::from(self.low).div_ceil(rest) * rest;
            if value <= u64::from(self.high) {
                let bytes = u32::try_from(value).unwrap_or(0).to_be_bytes();
                self.bytes.extend_from_slice(&bytes[..(4 - shift as usize / 8)]);
                break;
            }
        }
        while self.bytes.last() == Some(&0) {
            self.bytes.pop();
        }
        self.bytes
    }
}

impl Side for Writer {
    const WRITES: bool = true;

    fn decide(&mut self, bit: bool, likely: u32) -> Result<bool, BadBytes> {
        let middle = middle(self.low, self.high, likely);
        if bit {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        while (self.low ^ self.high) >> 24 == 0 {
            self.bytes.push((self.high >> 24) as u8);
            self.low <<= 8;
            self.high = self.high << 8 | 0xff;
        }
        Ok(bit)
    }

    fn charge(&mut self, _amount: usize) -> Result<(), BadBytes> {
        Ok(())
    }
}

/// Finds decisions in bytes.
#[derive(Debug)]
pub struct Reader<'a> {
    low: u32,
    high: u32,
    value: u32,
    bytes: &'a [u8],
    /// How much work is left.
    left: usize,
}

impl<'a> Reader<'a> {
    /// Reads what a [`Writer`] finished, with so much work at the most: one for each decision,
    /// and what is charged.
    pub fn new(bytes: &'a [u8], work: usize) -> Self {
        let mut reader = Self { low: 0, high: u32::MAX, value: 0, bytes, left: work };
        for _ in 0..4 {
            reader.take();
        }
        reader
    }

    fn take(&mut self) {
        let next = self.bytes.split_first().map_or(0, |(first, rest)| {
            self.bytes = rest;
            *first
        });
        self.value = self.value << 8 | u32::from(next);
    }
}

impl Side for Reader<'_> {
    const WRITES: bool = false;

    fn decide(&mut self, _bit: bool, likely: u32) -> Result<bool, BadBytes> {
        self.left = self.left.checked_sub(1).ok_or(BadBytes)?;
        let middle = middle(self.low, self.high, likely);
        let bit = self.value <= middle;
        if bit {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        while (self.low ^ self.high) >> 24 == 0 {
            self.low <<= 8;
            self.high = self.high << 8 | 0xff;
            self.take();
        }
        Ok(bit)
    }

    fn charge(&mut self, amount: usize) -> Result<(), BadBytes> {
        self.left = self.left.checked_sub(amount).ok_or(BadBytes)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn decisions_come_back(all in prop::collection::vec((any::<bool>(), 1u32..65_536), 0..600)) {
            let mut writer = Writer::new();
            for &(bit, likely) in &all {
                writer.decide(bit, likely).unwrap();
            }
            let bytes = writer.finish();
            let mut reader = Reader::new(&bytes, all.len());
            for &(bit, likely) in &all {
                prop_assert_eq!(reader.decide(false, likely), Ok(bit));
            }
            prop_assert_eq!(reader.decide(false, 1), Err(BadBytes), "work has an end");
        }
    }

    #[test]
    fn what_was_likely_costs_little() {
        let mut writer = Writer::new();
        for _ in 0..1_000 {
            writer.decide(true, 65_000).unwrap();
        }
        assert!(writer.finish().len() < 4);
    }
}
