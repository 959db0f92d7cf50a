//! Archives of definitions and examples beside the project.

use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// The JSON files of an archive beside the project whose names pass, none if it is not there.
pub fn archive(name: &str, wanted: impl Fn(&str) -> bool) -> Option<BTreeMap<String, Value>> {
    let path: PathBuf =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if !path.exists() {
        assert!(std::env::var_os("CI").is_none(), "{name} is expected in CI");
        eprintln!("skipped: {name} is not in ../shared/data");
        return None;
    }
    let file = std::fs::File::open(path).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name =
            entry.path().unwrap().file_name().unwrap_or_default().to_string_lossy().into_owned();
        if Path::new(&name).extension().is_some_and(|end| end == "json") && wanted(&name) {
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            files.insert(name, serde_json::from_str(&text).unwrap());
        }
    }
    Some(files)
}
