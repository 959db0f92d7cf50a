//! `ondol`: the program that runs at every facility.

mod allocator;
mod around;
mod backup;
mod carry;
mod chance;
mod clock;
mod commands;
mod copy;
mod data_dir;
mod durable;
mod https;
mod import;
mod metrics;
mod nodes;
mod private;
mod road;
mod serve;
mod terminology;
mod ticket;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = commands::Arguments::parse();
    match commands::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // The whole chain, on one line each: what failed, and why.
            eprintln!("ondol: {why}");
            for cause in why.chain().skip(1) {
                eprintln!("  because: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}
