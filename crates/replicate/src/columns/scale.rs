//! A side that weighs: what decisions would cost. For measuring alone.

use ondol_kernel::bytes::BadBytes;

use super::{
    coder::Side,
    model::{KINDS, Kind},
};

/// What was weighed.
#[derive(Debug)]
pub struct Scale {
    /// Bits by kind; at the end what belongs to none (hashes, signatures, low bits of numbers).
    pub bits: [f64; KINDS + 1],
    kind: usize,
}

impl Default for Scale {
    fn default() -> Self {
        Self { bits: [0.0; KINDS + 1], kind: KINDS }
    }
}

impl Side for Scale {
    const WRITES: bool = true;

    fn decide(&mut self, bit: bool, likely: u32) -> Result<bool, BadBytes> {
        let likely = if bit { likely } else { 65_536 - likely };
        self.bits[self.kind] -= (f64::from(likely) / 65_536.0).log2();
        self.kind = KINDS;
        Ok(bit)
    }

    fn charge(&mut self, _amount: usize) -> Result<(), BadBytes> {
        Ok(())
    }

    fn about(&mut self, kind: Kind) {
        self.kind = kind as usize;
    }
}
