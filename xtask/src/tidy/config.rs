//! The shape of `xtask/tidy.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Where the rules' tables stand, from the root.
pub const PATH: &str = "xtask/tidy.toml";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub arrows: Arrows,
    pub purity: Purity,
    pub sizes: Sizes,
    pub names: Names,
    pub texts: Texts,
}

/// Which crate may depend on which. Names are folder names: `kernel`, not `ondol-kernel`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrows {
    pub free: Vec<String>,
    /// Free crates with lints of their own, because they may use `unsafe`.
    #[serde(default)]
    pub own_lints: Vec<String>,
    pub may_use: BTreeMap<String, Vec<String>>,
}

/// Which crates do no IO, and what they may therefore not name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purity {
    pub crates: Vec<String>,
    pub dependencies: Vec<String>,
    /// Below `std::`, with `::` between.
    pub std_paths: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sizes {
    pub extensions: Vec<String>,
    pub file_lines_max: usize,
    pub function_lines_max: usize,
    pub generated: Vec<String>,
    pub exceptions: Vec<Exception>,
}

/// A file or function that is still too long, with its exact length.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    pub path: String,
    pub function: Option<String>,
    pub lines: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    pub extensions: Vec<String>,
    pub words: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    pub vendored: Vec<String>,
}
