//! `ondol-simulate --seeds 1000 --first 1`: many worlds, one line for each that fails.
//! `ondol-simulate --seed 17`: that one again.

use std::process::ExitCode;

use clap::Parser;
use ondol_simulate::{Bug, Tally};

/// Simulates nodes on bad links and bad disks.
#[derive(Debug, Parser)]
struct Arguments {
    /// One seed.
    #[arg(long, conflicts_with_all = ["first", "seeds"])]
    seed: Option<u64>,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// How many seeds.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// How many things happen in each world; without it as many as the tests let happen.
    #[arg(long)]
    steps: Option<u64>,
    /// Plants a bug, by its name in `plant.rs`: a world should find it.
    #[arg(long, value_parser = |name: &str| Bug::from_name(name).ok_or("no such bug"))]
    bug: Option<Bug>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let seeds = match arguments.seed {
        Some(seed) => seed..seed + 1,
        None => arguments.first..arguments.first + arguments.seeds,
    };
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
    println!("{count} worlds, {failed} failed; {all:?}");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
