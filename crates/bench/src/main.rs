//! Every figure of the README, as a subcommand. Never shipped.

mod all;
mod arguments;
mod fhir;
mod figure;
mod ground;
mod inputs;
mod sample;
mod slow_disk;
mod visits;
mod works;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    arguments::{Arguments, run},
    figure::{HEAD, machine},
};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if !arguments.json {
        println!("machine: {}", machine());
        println!("\n{HEAD}");
    }
    let json = arguments.json;
    let done = run(&arguments, &mut |report| {
        println!("{}", if json { report.to_json() } else { report.rows() });
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("ondol-bench: {why:#}");
            ExitCode::FAILURE
        }
    }
}
