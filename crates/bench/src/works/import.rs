//! How fast a directory of FHIR bundles is imported, and what it takes in memory and on disk.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use flate2::read::GzDecoder;
use ondol_testkit::patience::Stopwatch;

use crate::{
    figure::{Aim, Figure},
    ground::{self, Clinic},
    inputs,
};

/// The process's memory is looked at this often; the kernel keeps the peak.
const LOOK: Duration = Duration::from_millis(100);

/// The input if none is named: the Synthea patients of the test data, unpacked into `to`.
pub fn default_input(to: &Path) -> Result<Option<PathBuf>> {
    let packed = inputs::data_dir().join("synthea_r4.tar.gz");
    if !packed.exists() {
        return Ok(None);
    }
    let mut archive = tar::Archive::new(GzDecoder::new(File::open(packed)?));
    for (at, entry) in archive.entries()?.enumerate() {
        let mut entry = entry?;
        if entry.path()?.extension().is_some_and(|extension| extension == "json") {
            entry.unpack(to.join(format!("{at:04}.json")))?;
        }
    }
    Ok(Some(to.to_owned()))
}

/// Imports with the node's own command.
pub fn figures(clinic: &Clinic, input: &Path) -> Result<Vec<Figure>> {
    let data = clinic.data();
    let before = store_bytes(&data)?;
    let watch = Stopwatch::start();
    let mut child = Command::new(clinic.binary().path())
        .arg("import")
        .arg("--data")
        .arg(&data)
        .arg(input)
        .env("ONDOL_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut peak = 0.0_f64;
    while child.try_wait()?.is_none() {
        if let Ok(now) = ground::memory_mb(child.id(), "VmHWM") {
            peak = peak.max(now);
        }
        thread::sleep(LOOK);
    }
    let took = watch.elapsed();
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "the import failed");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = said.lines().next().unwrap_or_default().to_owned();
    let saved: Option<f64> = line.split(' ').next().and_then(|count| count.parse().ok());
    let saved = saved.context("the import does not say how much it saved")?;
    ensure!(saved > 0.0, "nothing was imported");
    let how = format!("{}: {line}", input.display());
    Ok(vec![
        Figure::new("resources_per_s", saved / took.as_secs_f64(), "/s")
            .aim(Aim::AtLeast(15_000.0))
            .peer("helios-hfs 0.2.7 as recorded: 809/s, but over HTTP and not synced")
            .how(how),
        Figure::new("peak_mb", peak, "MB").how("VmHWM of the importing process"),
        Figure::new("bytes_per_resource", (store_bytes(&data)? - before) / saved, "B")
            .aim(Aim::AtMost(3.0 * 1_024.0))
            .peer("helios-hfs 9.8 KB")
            .how("growth of the record's files, history and queues included"),
    ])
}

/// The files of the record, bytes.
#[expect(clippy::cast_precision_loss, reason = "a size to divide")]
fn store_bytes(data: &Path) -> Result<f64> {
    let mut bytes = 0;
    for entry in fs::read_dir(data)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("ondol.db") {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes as f64)
}
