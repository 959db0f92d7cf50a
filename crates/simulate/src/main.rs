//! `ondol-simulate --seeds 1000 --first 1 --steps 400`: many worlds, one line for each that fails.

use std::process::ExitCode;

use clap::Parser;
use ondol_simulate::World;

/// Simulates nodes on bad links and bad disks.
#[derive(Debug, Parser)]
struct Arguments {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// How many seeds.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// How many things happen in each world.
    #[arg(long, default_value_t = 300)]
    steps: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut failed = 0;
    let mut all = [0; 6];
    for seed in arguments.first..arguments.first + arguments.seeds {
        let result = World::new(seed, &format!("s{seed}"))
            .map_err(|why| why.to_string())
            .and_then(|mut world| world.run(arguments.steps));
        match result {
            Ok(t) => {
                let sums = [t.written, t.arrived, t.crashes, t.jumps, t.sticks, t.lost];
                for (all, sum) in all.iter_mut().zip(sums) {
                    *all += sum;
                }
            }
            Err(why) => {
                failed += 1;
                println!("seed {seed}: {why}");
            }
        }
    }
    println!(
        "{} worlds, {failed} failed; written {}, arrived {}, crashes {}, clock jumps {}, sticks {}, lost {}",
        arguments.seeds, all[0], all[1], all[2], all[3], all[4], all[5]
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
