//! `ondol-simulate --seeds 1000 --first 1`: many worlds of the whole program, one line for each
//! that fails. `--seed 17`: that one again.
//!
//! `ondol-simulate --nodes 10000 --days 90`: a nation on the protocol's core, with days as they
//! usually are. `--bad` lets everything go wrong all the time; `--bad --seed 17` is the country of
//! a seed of the tests again. `--years 10` for long runs.

use std::process::ExitCode;

use clap::Parser;
use ondol_simulate::{
    Bug, Tally,
    nation::{self, DAY, HOUR, Outcome, Plan, Slip, Weather},
};

/// Simulates nodes on bad links and bad disks.
#[derive(Debug, Parser)]
struct Arguments {
    /// One seed.
    #[arg(long, conflicts_with_all = ["first", "seeds"])]
    seed: Option<u64>,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// How many seeds; 100 worlds without it, or one country.
    #[arg(long)]
    seeds: Option<u64>,
    /// How many things happen in each world; without it as many as the tests let happen.
    #[arg(long)]
    steps: Option<u64>,
    /// Plants a bug, by its name in `plant.rs`: a world should find it.
    #[arg(long, value_parser = |name: &str| Bug::from_name(name).ok_or("no such bug"))]
    bug: Option<Bug>,
    /// A country of so many nodes, on the protocol's core alone.
    #[arg(long)]
    nodes: Option<usize>,
    /// For so many hours.
    #[arg(long, conflicts_with_all = ["days", "years"])]
    hours: Option<u64>,
    /// For so many days.
    #[arg(long, conflicts_with = "years")]
    days: Option<u64>,
    /// For so many years.
    #[arg(long)]
    years: Option<u64>,
    /// A country in which everything goes wrong all the time; without --nodes and --days as large
    /// and as long as the tests make that of its seed.
    #[arg(long)]
    bad: bool,
    /// The same with disks that break all the time, and lines that are closed most of it.
    #[arg(long, conflicts_with = "bad")]
    worst: bool,
    /// Plants a bug in a country, by its name in `nation/slip.rs`: it should find it.
    #[arg(long, value_parser = |name: &str| Slip::from_name(name).ok_or("no such slip"))]
    slip: Option<Slip>,
}

impl Arguments {
    fn seeds(&self, usual: u64) -> std::ops::Range<u64> {
        match self.seed {
            Some(seed) => seed..seed + 1,
            None => self.first..self.first + self.seeds.unwrap_or(usual),
        }
    }

    fn is_of_a_country(&self) -> bool {
        let is_long = self.hours.or(self.days).or(self.years).is_some();
        self.nodes.is_some() || is_long || self.bad || self.worst || self.slip.is_some()
    }

    fn plan(&self, seed: u64) -> Plan {
        let mut plan = if self.bad {
            Plan::bad(seed)
        } else if self.worst {
            Plan::worst(seed)
        } else {
            Plan { seed, nodes: 500, ms: 7 * DAY, weather: Weather::Usual, slip: None }
        };
        plan.nodes = self.nodes.unwrap_or(plan.nodes);
        plan.slip = self.slip;
        let hours = self.hours.or(self.days.map(|days| days * 24));
        if let Some(hours) = hours.or(self.years.map(|years| years * 365 * 24)) {
            plan.ms = hours * HOUR;
        }
        plan
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let failed =
        if arguments.is_of_a_country() { countries(&arguments) } else { worlds(&arguments) };
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn worlds(arguments: &Arguments) -> u64 {
    let seeds = arguments.seeds(100);
    let (count, mut failed, mut all) = (seeds.end - seeds.start, 0, Tally::default());
    for seed in seeds {
        let steps = arguments.steps.unwrap_or_else(|| ondol_simulate::steps(seed));
        match ondol_simulate::run(seed, steps, arguments.bug) {
            Ok(tally) => all += tally,
            Err(why) => {
                failed += 1;
                println!("seed {seed}: {why}\n  {}", ondol_simulate::again(seed));
            }
        }
    }
    println!("{count} worlds, {failed} failed; {all:?}; {} faults", all.faults());
    failed
}

#[expect(clippy::disallowed_methods, reason = "how long it took is told, and decides nothing")]
fn countries(arguments: &Arguments) -> u64 {
    let (mut failed, mut all) = (0, Outcome::default());
    let begun = std::time::Instant::now();
    for seed in arguments.seeds(1) {
        let plan = arguments.plan(seed);
        let start = std::time::Instant::now();
        let hours = plan.ms / HOUR;
        match nation::run(plan) {
            Ok(outcome) => {
                let took = start.elapsed().as_secs_f64();
                println!("seed {seed}, {} nodes, {hours} h, {took:.1} s: {outcome}", plan.nodes);
                all += outcome;
            }
            Err(why) => {
                failed += 1;
                println!("seed {seed}: {why}\n  {}", nation::again(&plan));
            }
        }
    }
    println!(
        "{failed} failed; {} faults in {:.1} s of this machine",
        all.faults.total(),
        begun.elapsed().as_secs_f64()
    );
    failed
}
