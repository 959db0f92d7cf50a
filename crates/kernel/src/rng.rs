//! Where chance comes from.

/// A source of random bytes. The real one asks the operating system; tests bring a seed.
pub trait Rng: Send + Sync {
    /// Fills the whole of `to` with random bytes.
    fn fill(&self, to: &mut [u8]);

    /// A random number below `bound` (which must not be 0), without modulo bias worth noting:
    /// 64 bits are folded, and bounds here are far below 2^32.
    fn below(&self, bound: u64) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes) % bound
    }
}
