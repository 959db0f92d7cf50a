//! Finds the test data that is not part of the project.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use flate2::read::GzDecoder;

/// A file of the test data. Without it the test is skipped with a message, but in CI it fails.
pub fn find(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("ONDOL_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{} is missing", path.display());
    println!("skipped: {} is missing (set ONDOL_DATA)", path.display());
    None
}

/// The files of a `.tar.gz` as (name, bytes).
pub fn archive(name: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let file = File::open(find(name)?).unwrap();
    let mut tar = tar::Archive::new(GzDecoder::new(file));
    let mut files = Vec::new();
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.push((path, bytes));
    }
    Some(files)
}

/// The bytes of a gzipped file.
pub fn gunzip(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}
