//! Many nodes, bad links, bad disks, wrong clocks: from a seed, so that every bad day can be had
//! again.
//!
//! Each node is the real thing: the use cases of `app` over `store-sqlite`, on a disk in memory
//! that loses what was not synced when the power goes. What is simulated is the world: who writes
//! when, which messages arrive, in which order and how often, whose clock jumps, whose power is
//! cut, which stick gets lost or delivered twice.

pub mod bag;
pub mod chance;
pub mod check;
pub mod node;
pub mod world;

pub use world::{Tally, World};
