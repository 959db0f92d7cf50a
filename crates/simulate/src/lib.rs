//! Many nodes, bad links, bad disks, wrong clocks: from a seed, so that every bad day can be had
//! again.
//!
//! Each node is the real thing: the use cases of `app` over `store-sqlite`, on a disk in memory
//! that loses what was not synced when the power goes; seals and certificates are real too. What
//! is simulated is the world: who writes when, which messages arrive, in which order and how
//! often, whose clock jumps, whose power is cut or disk is full, which stick gets lost, damaged,
//! delivered twice or years late, and what others try to slip in.
//!
//! A world that failed is had again with `cargo run -p ondol-simulate -- --seed N`.

pub mod bag;
mod carry;
pub mod chance;
pub mod check;
pub mod land;
mod loss;
pub mod nation;
pub mod node;
pub mod plant;
mod theft;
pub mod world;
mod write;

pub use plant::Bug;
pub use world::{Tally, World};

/// How many things happen in the world of a seed: little in most, so that there can be many
/// worlds, and a lot in some.
pub const fn steps(seed: u64) -> u64 {
    match seed % 20 {
        0 => 400,
        1..=4 => 160,
        _ => 80,
    }
}

/// Runs the world of a seed.
pub fn run(seed: u64, steps: u64, bug: Option<Bug>) -> Result<Tally, String> {
    ondol_record::signature::remember();
    World::with_bug(seed, bug)
        .map_err(|why| format!("the beginning: {why}"))
        .and_then(|mut world| world.run(steps))
}

/// The command that runs a world again.
pub fn again(seed: u64) -> String {
    format!("cargo run -p ondol-simulate -- --seed {seed}")
}
