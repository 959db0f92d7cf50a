//! Countries for tests: founded and filled once for a build of the node, then copied. Founding
//! takes ten seconds; a copy takes a moment.

use std::{
    env, fs,
    fs::File,
    io,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use ondol_kernel::Date;

use super::{Binary, Country, CountryConfig, NodeError};
use crate::filling;

/// The size of the village.
const PEOPLE: usize = 60;

/// The template of this build is made under this lock.
const LOCK: &str = "template.lock";

impl Country {
    /// A running country for a test: founded, with a village of sixty people, and nobody has
    /// signed in yet. What an earlier run left is removed.
    pub fn for_test(name: &str, config: CountryConfig) -> Result<Self, NodeError> {
        let mut country = Self::stopped_for_test(name, config)?;
        country.start_nodes(&mut |_| {})?;
        Ok(country)
    }

    /// The same before its nodes are started.
    pub fn stopped_for_test(name: &str, config: CountryConfig) -> Result<Self, NodeError> {
        let dir = test_dir(name).map_err(NodeError::io("the test's directory"))?;
        copy(&template(&config)?, &dir).map_err(NodeError::io("the template's copy"))?;
        Self::prepare(&dir, config, &mut |_| {})
    }
}

/// The template of this build of the node, made when it is missing.
fn template(config: &CountryConfig) -> Result<PathBuf, NodeError> {
    let binary = Binary::find()?;
    let failed = || NodeError::io("the node's program");
    let about = fs::metadata(binary.path()).map_err(failed())?;
    let changed = about.modified().map_err(failed())?.duration_since(UNIX_EPOCH);
    let stamp = changed.map_or(0, |since| since.as_millis());
    let root = countries();
    fs::create_dir_all(&root).map_err(NodeError::io("the directory of countries"))?;
    let lock = File::create(root.join(LOCK)).map_err(NodeError::io("the template's lock"))?;
    lock.lock().map_err(NodeError::io("the template's lock"))?;
    let dir = root.join(format!("template-{stamp}-{}", about.len()));
    if dir.join("whole").exists() {
        return Ok(dir);
    }
    for old in fs::read_dir(&root).into_iter().flatten().flatten() {
        if old.file_name().to_string_lossy().starts_with("template-") {
            let _ = fs::remove_dir_all(old.path());
        }
    }
    let mut country = Country::prepare(&dir, config.clone(), &mut |_| {})?;
    // A fixed day: the same village in every run.
    let day = Date::parse("2026-03-02").ok_or_else(|| NodeError::State("the day".into()))?;
    filling::village(&mut country, 1, PEOPLE, day)?;
    country.forget_doors()?;
    drop(country);
    fs::write(dir.join("whole"), "").map_err(NodeError::io("the template"))?;
    Ok(dir)
}

fn countries() -> PathBuf {
    env::var_os("ONDOL_TEST_DIR").map_or_else(crate::target_dir, PathBuf::from).join("countries")
}

/// A directory for a test, emptied first, below Cargo's target directory.
pub fn test_dir(name: &str) -> io::Result<PathBuf> {
    let dir = countries().join(name);
    match fs::remove_dir_all(&dir) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
        _ => fs::create_dir_all(&dir)?,
    }
    Ok(dir)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
