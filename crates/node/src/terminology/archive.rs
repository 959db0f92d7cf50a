//! FHIR packages as npm archives: `package/*.json` in a `.tgz`.

use std::io::{self, Read};

use anyhow::{Context, Result};
use flate2::read::MultiGzDecoder;
use ondol_terms::load::{Sink, json};
use serde_json::Value;

/// Files in an archive at most.
const FILES_MAX: usize = 200_000;

/// `package.json` is not larger, bytes.
const MANIFEST_MAX: u64 = 1 << 20;

/// Reads the resources of an archive; its name and version, as it says them. What it unpacks to
/// has a limit, so that a small file cannot fill the disk.
pub fn read(source: impl Read, unpacked_max: u64, to: &mut dyn Sink) -> Result<Option<String>> {
    let limited = Limited { inner: MultiGzDecoder::new(source), left: unpacked_max };
    let mut archive = tar::Archive::new(limited);
    let mut name = None;
    let damaged =
        "the archive cannot be read to its end: it is cut short or damaged. Copy it again";
    for (count, entry) in archive.entries().context(damaged)?.enumerate() {
        let mut entry = entry.map_err(|why| said(why, damaged))?;
        if count >= FILES_MAX {
            anyhow::bail!("the archive has more than {FILES_MAX} files");
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let Some(file) = wanted(&path) else { continue };
        if file == "package.json" {
            let mut text = String::new();
            entry.by_ref().take(MANIFEST_MAX).read_to_string(&mut text).context(damaged)?;
            name = name_in(&text);
            continue;
        }
        json(&mut entry, to).with_context(|| format!("{file} in the archive"))?;
    }
    // The end of the archive has the sum by which damage is noticed.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(|why| said(why, damaged))?;
    Ok(name)
}

fn said(why: io::Error, damaged: &'static str) -> anyhow::Error {
    if why.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<TooMuch>) {
        anyhow::Error::new(TooMuch)
    } else {
        anyhow::Error::new(why).context(damaged)
    }
}

/// The name of a file in the folder `package` itself, if it is one that is read. Examples and
/// indexes stand in others, or begin with a full stop.
fn wanted(path: &str) -> Option<&str> {
    let file = path.trim_start_matches("./").strip_prefix("package/")?;
    let is_json = file.rsplit_once('.').is_some_and(|(_, kind)| kind.eq_ignore_ascii_case("json"));
    (is_json && !file.contains('/') && !file.starts_with('.')).then_some(file)
}

fn name_in(text: &str) -> Option<String> {
    let manifest: Value = serde_json::from_str(text).ok()?;
    let name = manifest["name"].as_str().filter(|name| !name.is_empty())?;
    Some(name.to_owned())
}

/// It unpacks to more than any package has.
#[derive(Debug, thiserror::Error)]
#[error("the archive unpacks to more than any package of terminology has: it is not taken")]
struct TooMuch;

struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(to)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| io::Error::other(TooMuch))?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_resources_of_the_package_itself_are_read() {
        for (path, file) in [
            ("package/CodeSystem-x.json", Some("CodeSystem-x.json")),
            ("./package/package.json", Some("package.json")),
            ("package/.index.json", None),
            ("package/example/Patient-1.json", None),
            ("package/readme.md", None),
            ("other/CodeSystem-x.json", None),
            ("../package/x.json", None),
        ] {
            assert_eq!(wanted(path), file, "{path}");
        }
    }
}
