//! Chance from a seed: `SplitMix64` (Steele, Lea, Flood 2014), which is enough for a world.

use std::sync::atomic::{AtomicU64, Ordering};

use ondol_kernel::Rng;

/// Random numbers that depend on the seed alone.
#[derive(Debug)]
pub struct Chance(AtomicU64);

impl Chance {
    /// Chance of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next 64 bits.
    pub fn next(&self) -> u64 {
        let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A place below `length`, which is not 0.
    pub fn place(&self, length: usize) -> usize {
        usize::try_from(self.next() % length as u64).unwrap_or(0)
    }

    /// Whether something happens that happens `percent` times in a hundred.
    pub fn happens(&self, percent: u64) -> bool {
        self.next() % 100 < percent
    }
}

impl Rng for Chance {
    fn fill(&self, to: &mut [u8]) {
        for chunk in to.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}
