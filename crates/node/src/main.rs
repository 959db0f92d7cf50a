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
mod private;
mod road;
mod serve;
mod terminology;
mod ticket;

use std::process::ExitCode;

use clap::Parser;

/// Of 128 and the number of SIGPIPE: what a shell says of a program whose reader went away.
const READER_GONE: i32 = 141;

/// Ends quietly when whoever reads what is printed went away (`ondol … | head`).
fn end_with_the_reader() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload_as_str().is_some_and(|why| why.starts_with("failed printing to std")) {
            std::process::exit(READER_GONE);
        }
        usual(panic);
    }));
}

fn main() -> ExitCode {
    end_with_the_reader();
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
