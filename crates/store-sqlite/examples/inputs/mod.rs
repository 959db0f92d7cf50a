//! Bundles from files.

use std::{
    error::Error,
    fs::File,
    io::{BufRead, BufReader, Read},
};

use flate2::read::GzDecoder;
use serde_json::Value;

/// The bundles of an input: a FHIR bundle (`.json`), one bundle a line (`.ndjson.gz`) or a
/// `.tar.gz` of bundles.
pub fn bundles(input: &str) -> Result<Vec<Value>, Box<dyn Error>> {
    let mut bundles = vec![];
    if input.ends_with(".tar.gz") {
        let mut archive = tar::Archive::new(GzDecoder::new(File::open(input)?));
        for file in archive.entries()? {
            let mut file = file?;
            if file.path()?.extension().is_some_and(|extension| extension == "json") {
                let mut text = String::new();
                file.read_to_string(&mut text)?;
                bundles.push(serde_json::from_str(&text)?);
            }
        }
    } else if input.ends_with(".ndjson.gz") {
        for line in BufReader::new(GzDecoder::new(File::open(input)?)).lines() {
            bundles.push(serde_json::from_str(&line?)?);
        }
    } else {
        bundles.push(serde_json::from_reader(BufReader::new(File::open(input)?))?);
    }
    Ok(bundles)
}
