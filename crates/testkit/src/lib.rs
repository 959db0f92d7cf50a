//! Starts real nodes, links between them and browsers, for tests and the demo. Never shipped.

pub mod browser;
pub mod chaos;
pub mod contents;
pub mod desk;
pub mod emulate;
pub mod fhir;
pub mod filling;
pub mod http;
pub mod node;
pub mod patience;
pub mod population;
pub mod visitor;
pub mod words;

use std::{env, path::PathBuf};

/// Cargo's target directory, in which this program stands: evidence of failures goes there.
pub fn target_dir() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let profile = program
        .ancestors()
        .find(|dir| dir.file_name().is_some_and(|name| name == "debug" || name == "release"));
    profile.and_then(|dir| dir.parent()).map_or_else(env::temp_dir, PathBuf::from)
}
