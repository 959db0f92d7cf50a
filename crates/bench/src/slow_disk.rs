//! A slower disk for a real node: a few lines of C, compiled here and loaded before the program,
//! wait in each fsync of it and count them. The node itself knows nothing of it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

const SOURCE: &str = include_str!("slow_fsync.c");

/// What makes the disk of a process slower.
#[derive(Debug, Clone)]
pub struct SlowDisk {
    library: PathBuf,
    count: PathBuf,
    /// What is added to each fsync, ms.
    pub extra_ms: u64,
}

impl SlowDisk {
    /// Compiles it into a folder.
    pub fn make(dir: &Path, extra_ms: u64) -> Result<Self> {
        let (source, library) = (dir.join("slow_fsync.c"), dir.join("slow_fsync.so"));
        fs::write(&source, SOURCE)?;
        let mut compiler = Command::new("cc");
        compiler.args(["-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o"]);
        let done = compiler.arg(&library).arg(&source).status().context("cc does not run")?;
        ensure!(done.success(), "cc could not compile the slower fsync");
        Ok(Self { library, count: dir.join("fsyncs"), extra_ms })
    }

    /// The environment of the process.
    pub fn variables(&self) -> Vec<(String, String)> {
        let path = |path: &Path| path.display().to_string();
        vec![
            ("LD_PRELOAD".into(), path(&self.library)),
            ("SLOW_FSYNC_US".into(), (self.extra_ms * 1_000).to_string()),
            ("SLOW_FSYNC_COUNT".into(), path(&self.count)),
        ]
    }

    /// How often the process synced until now.
    pub fn syncs(&self) -> Result<u64> {
        let bytes = fs::read(&self.count).context("the slower fsync is not in the process")?;
        let bytes = bytes.try_into().ok().context("the count of fsyncs has 8 bytes")?;
        Ok(u64::from_le_bytes(bytes))
    }
}
