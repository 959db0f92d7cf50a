//! A whole country on the protocol's core: thousands of nodes with real links, parcels, seals and
//! sticks over a store in memory (ADR 0028).
//!
//! The worlds beside this module run the whole program, and twenty nodes of it. Here is what goes
//! between nodes alone, and so much more of it: each datagram of a link is one that the real state
//! machine made, sealed and read, on lines that lose, double, delay, reorder and change it. A node
//! is memory and a disk, on which stands what was synced. Chance comes from the seed.

mod check;
mod compare;
mod country;
mod courier;
mod dial;
mod due;
mod end;
mod faults;
mod library;
mod machine;
mod neighbour;
mod outcome;
mod people;
mod power;
mod select;
mod service;
mod slip;
mod state;
mod tree;
mod urgency;
mod weather;
mod wire;

pub use country::Country;
pub use faults::Faults;
pub use outcome::{Outcome, Traffic};
pub use slip::Slip;
pub use weather::{DAY, HOUR, MINUTE, Weather};

/// What is simulated.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The seed of all chance.
    pub seed: u64,
    /// How many nodes.
    pub nodes: usize,
    /// For how long things happen, ms. Then everything is mended, and has to come to rest.
    pub ms: u64,
    /// How bad it is.
    pub weather: Weather,
    /// A bug.
    pub slip: Option<Slip>,
}

impl Plan {
    /// The country of a seed in which everything goes wrong: large for some seeds, long for
    /// others.
    pub const fn bad(seed: u64) -> Self {
        let (nodes, hours) = match seed % 4 {
            0 => (40, 1),
            1 => (6, 8),
            _ => (14, 3),
        };
        Self { seed, nodes, ms: hours * HOUR, weather: Weather::Bad, slip: None }
    }

    /// The country of a seed in which disks break all the time.
    pub const fn worst(seed: u64) -> Self {
        Self { nodes: 7, ms: 12 * HOUR, weather: Weather::Worst, ..Self::bad(seed) }
    }
}

/// Runs a country. The error says what did not hold.
pub fn run(plan: Plan) -> Result<Outcome, String> {
    ondol_record::signature::remember();
    Country::new(plan).run()
}

/// The command that runs a country of the tests again.
pub fn again(plan: &Plan) -> String {
    let kind = match plan.weather {
        Weather::Bad => " --bad",
        Weather::Worst => " --worst",
        Weather::Usual => "",
    };
    let (seed, nodes, hours) = (plan.seed, plan.nodes, plan.ms / HOUR);
    format!("cargo run -p ondol-simulate --{kind} --seed {seed} --nodes {nodes} --hours {hours}")
}
