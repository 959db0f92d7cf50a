//! The operating system's random bytes.

use ondol_kernel::Rng;

/// Asks the operating system.
pub struct MachineChance;

impl Rng for MachineChance {
    fn fill(&self, to: &mut [u8]) {
        // Without randomness no key, token or id is safe: there is nothing sensible to go on with.
        getrandom::fill(to).expect("the operating system gives random bytes");
    }
}

/// 32 random bytes.
pub fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    MachineChance.fill(&mut seed);
    seed
}
