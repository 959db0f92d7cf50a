//! Chores of the house: `cargo xtask tidy` reads the whole tree and names what breaks its rules.

mod fhir_tables;
mod tidy;

use std::{path::Path, process::ExitCode};

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask tidy | fhir-tables [ARGUMENT...]";

fn main() -> Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("tidy") => tidy_repository(),
        Some("fhir-tables") => fhir_tables::run(&args[1..]).map(|()| ExitCode::SUCCESS),
        _ => bail!(USAGE),
    }
}

/// The folder that holds the workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask stands in the workspace")
}

fn tidy_repository() -> Result<ExitCode> {
    let findings = tidy::run(root())?;
    for finding in &findings {
        eprintln!("{finding}");
    }
    if findings.is_empty() {
        println!("tidy: nothing to mend");
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("tidy: {} to mend", findings.len());
    Ok(ExitCode::FAILURE)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_repository_is_tidy() {
        let findings = crate::tidy::run(crate::root()).unwrap();
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "\n{}", lines.join("\n"));
    }
}
