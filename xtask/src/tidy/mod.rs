//! The rules of the house that a compiler does not know (ARCHITECTURE.md, 'What tidy checks').

mod arrows;
mod config;
mod docs;
mod house;
mod names;
mod programs;
mod purity;
mod rust_code;
mod sizes;
mod texts;

use std::{fmt, path::Path};

use anyhow::{Context, Result};

use config::Config;
use house::House;

/// One thing to mend.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    path: String,
    /// 0 when the finding is about the whole file.
    line: usize,
    what: String,
}

impl Finding {
    fn of_file(path: &str, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: 0, what: what.into() }
    }

    fn at(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

/// Reads the tree under `root` and returns what breaks a rule, sorted by place.
pub fn run(root: &Path) -> Result<Vec<Finding>> {
    let house = House::read(root)?;
    let config = house.text(config::PATH).context("xtask/tidy.toml is missing")?;
    let config: Config = toml::from_str(config).context("xtask/tidy.toml")?;
    let mut findings = Vec::new();
    findings.extend(arrows::check(&config.arrows, &house)?);
    findings.extend(purity::check(&config.purity, &house)?);
    findings.extend(sizes::check(&config.sizes, &house));
    findings.extend(names::check(&config.names, &house));
    findings.extend(texts::check(&config.texts, &house));
    findings.extend(docs::check(&house));
    findings.extend(programs::check(&house));
    findings.sort();
    Ok(findings)
}
