//! Trains the dictionary with which bodies are packed.
//!
//! `cargo run -p ondol-store-sqlite --example train_dictionary -- OUT KIB INPUT...`, where an
//! input is a FHIR bundle (`.json`), one bundle a line (`.ndjson.gz`) or a `.tar.gz` of bundles.

mod inputs;

use std::error::Error;

use ondol_record::Body;
use serde_json::Value;

/// Of a large input every n-th resource is taken, so that it does not drown the others.
const SAMPLES_PER_INPUT: usize = 12_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let out = arguments.next().ok_or("OUT is missing")?;
    let kib: usize = arguments.next().ok_or("KIB is missing")?.parse()?;
    let mut samples = vec![];
    for input in arguments {
        let bodies = bodies_of(&input)?;
        let step = bodies.len().div_ceil(SAMPLES_PER_INPUT).max(1);
        println!("{input}: {} resources, every {step}. taken", bodies.len());
        samples.extend(bodies.into_iter().step_by(step));
    }
    let dictionary = zstd::dict::from_samples(&samples, kib * 1024)?;
    println!("{} samples, {} bytes of dictionary", samples.len(), dictionary.len());
    std::fs::write(out, dictionary)?;
    Ok(())
}

fn bodies_of(input: &str) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut bodies = vec![];
    for bundle in inputs::bundles(input)? {
        add(&bundle, &mut bodies)?;
    }
    Ok(bodies)
}

fn add(bundle: &Value, to: &mut Vec<Vec<u8>>) -> Result<(), Box<dyn Error>> {
    for entry in bundle["entry"].as_array().ok_or("a bundle has entries")? {
        let body = Body::of(&entry["resource"])?;
        // Attachments are blobs of their own in the long run, and no prose to learn from.
        if body.as_str().len() < 20_000 {
            to.push(body.as_str().as_bytes().to_vec());
        }
    }
    Ok(())
}
