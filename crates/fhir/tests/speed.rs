//! What invariants add to the time of validation. The figures are printed; the bound is on their
//! ratio and wide, so that a busy machine does not fail it and an invariant without a gate does.
//! For figures: `cargo test --release -p ondol-fhir --test speed -- --nocapture`.

#![expect(clippy::disallowed_methods, reason = "a stopwatch for the figures, not a time of care")]

mod shared_data;

use std::time::Instant;

use ondol_fhir::{Issue, Limits, Resource, parse_json, validate, validate_structure};

/// Without optimisation a part of the documents says as much.
const EVERY: usize = if cfg!(debug_assertions) { 10 } else { 1 };

/// Resources of Synthea, as they would be imported: each by itself.
fn synthea() -> Option<Vec<Resource>> {
    let mut resources = Vec::new();
    for (_, bytes) in shared_data::archive("synthea_r4.tar.gz")?.into_iter().take(12) {
        let mut bundle = parse_json(&bytes, Limits::IMPORT).unwrap();
        for entry in bundle["entry"].as_array_mut().unwrap() {
            resources.push(Resource::from_json(entry["resource"].take()).unwrap());
        }
    }
    Some(resources)
}

/// The examples of the specification that are below 100 kB: the definitions among them are larger
/// than anything that is written at a clinic.
fn examples() -> Option<Vec<Resource>> {
    let files = shared_data::archive("fhir_r4_examples.tar.gz")?.into_iter();
    let small = files.filter(|(name, bytes)| {
        bytes.len() < 100_000
            && name != "package-min-ver.json"
            && !name.ends_with("questionnaire.json")
    });
    Some(small.map(|(_, bytes)| Resource::parse(&bytes).unwrap()).collect())
}

/// Seconds of the fastest of some rounds.
fn fastest(resources: &[Resource], check: fn(&Resource) -> Vec<Issue>) -> f64 {
    let round = || {
        let start = Instant::now();
        let issues: usize = resources.iter().map(|resource| check(resource).len()).sum();
        assert!(issues < 10_000);
        start.elapsed().as_secs_f64()
    };
    (0..4).map(|_| round()).fold(f64::INFINITY, f64::min)
}

#[test]
fn invariants_cost_no_more_than_the_structure() {
    for (name, resources) in [("Synthea", synthea()), ("examples", examples())] {
        let Some(resources) = resources else { return };
        let resources: Vec<Resource> = resources.into_iter().step_by(EVERY).collect();
        let (structure, all) =
            (fastest(&resources, validate_structure), fastest(&resources, validate));
        let count = f64::from(u32::try_from(resources.len()).unwrap());
        println!(
            "{name}: {count} resources; structure {:.1} µs each; with invariants {:.1} µs each \
             ({:.0} a second)",
            structure / count * 1e6,
            all / count * 1e6,
            count / all
        );
        assert!(all < structure * 10.0, "{name}: {structure} s, {all} s");
    }
}
