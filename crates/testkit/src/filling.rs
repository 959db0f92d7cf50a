//! What stands in the demo's country before anybody works in it.

use std::fs;

use ondol_kernel::Date;

use crate::{
    node::{Country, NodeError, Seat},
    population,
};

/// Loads the made-up residents of the village at its clinic, once. The clinic must not run.
pub fn village(
    country: &mut Country,
    seed: u64,
    people: usize,
    today: Date,
) -> Result<(), NodeError> {
    country.once("village", |country| {
        let file = country.dir().join("village.ndjson");
        let bundles = population::village(seed, people, today);
        let lines: Vec<String> = bundles.iter().map(ToString::to_string).collect();
        fs::write(&file, lines.join("\n") + "\n").map_err(NodeError::io("the village's file"))?;
        country.command(Seat::Clinic, &["import", &file.display().to_string()])?;
        let _ = fs::remove_file(&file);
        Ok(())
    })
}
