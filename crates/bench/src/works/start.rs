//! How long a node takes to start, and what it holds in memory while nobody works.

use std::{path::Path, thread, time::Duration};

use anyhow::Result;

use crate::{
    figure::{Aim, Figure},
    ground::{self, Clinic},
};

/// A node is started so often.
const STARTS: u32 = 5;
/// So long it is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(15);

/// Takes the figures on a filled clinic that does not run.
pub fn figures(clinic: &mut Clinic, resources: usize) -> Result<Vec<Figure>> {
    let mut slowest = Duration::ZERO;
    for _ in 0..STARTS {
        for name in ["ondol.db", "practice.db"] {
            let path = clinic.data().join(name);
            if path.exists() {
                ground::forget(&path)?;
            }
        }
        ground::forget_program(clinic.binary().path())?;
        slowest = slowest.max(clinic.start()?);
        clinic.stop()?;
    }
    clinic.start()?;
    thread::sleep(IDLE);
    let idle = clinic.resident_mb()?;
    clinic.stop()?;
    let megabytes = size_mb(&clinic.data().join("ondol.db"))?;
    let how = format!(
        "{resources} resources, {megabytes:.0} MB; slowest of {STARTS}, from the command to the \
         first page, program and record dropped from the file cache before"
    );
    Ok(vec![
        Figure::new("cold_start_ms", slowest.as_secs_f64() * 1_000.0, "ms")
            .aim(Aim::AtMost(300.0))
            .how(how),
        Figure::new("resident_idle_mb", idle, "MB")
            .aim(Aim::AtMost(60.0))
            .how(format!("{resources} resources, VmRSS after {} s", IDLE.as_secs())),
    ])
}

/// A file's size.
#[expect(clippy::cast_precision_loss, reason = "a file's size for people")]
pub fn size_mb(path: &Path) -> Result<f64> {
    Ok(std::fs::metadata(path)?.len() as f64 / 1e6)
}
