//! Trains the dictionary of parcels: `train_parcel_dictionary OUT FILE.ndjson...`, each line of a file
//! a FHIR transaction. The files must not hold anybody's data.
//!
//! Kept beside the format so that anyone can see what the dictionary was made of (ADR 0009).

#[path = "../../record/tests/support/mod.rs"]
mod log;

use ed25519_dalek::SigningKey;
use log::Log;
use ondol_kernel::Class;
use ondol_record::{
    Draft, DraftChange, DraftId, Seal, SealedHead, draft::DraftContent, seal::Tree,
};
use ondol_replicate::{Batch, Parcel};
use serde_json::Value;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let out = arguments.next().expect("train_parcel_dictionary OUT FILE...");
    let mut samples = vec![];
    for file in arguments {
        let text = std::fs::read_to_string(&file).expect("the file is readable");
        let mut log = Log::default();
        let mut stamp = 1_767_225_600_000u64 << 16;
        for line in text.lines() {
            let bundle: Value = serde_json::from_str(line).expect("a line is a bundle");
            let changes = bundle["entry"].as_array().expect("entries").iter().map(|entry| {
                let mut resource = entry["resource"].clone();
                let id = resource["id"].as_str().unwrap_or("").to_owned();
                let kind: Box<str> = resource["resourceType"].as_str().expect("a type").into();
                let url = format!("{kind}/{id}");
                resource.as_object_mut().expect("an object").remove("id");
                DraftChange {
                    resource_type: kind,
                    id: DraftId::New(url.into()),
                    supersedes: vec![],
                    chart: None,
                    content: DraftContent::Put(resource),
                }
            });
            let draft = Draft {
                class: Class::Routine,
                care_time: None,
                author: "Practitioner/39455353-8cde-4e75-921e-bce6139f7110".into(),
                typist: "".into(),
                changes: changes.collect(),
            };
            stamp += 300_000 << 16;
            let entries = log.write(draft, stamp).expect("it is a transaction");
            for entry in entries {
                let head = SealedHead {
                    chart: entry.chart.clone(),
                    chart_number: entry.chart_number,
                    hash: entry.hash(),
                };
                let root = Tree::new(&[head]).root();
                let number = entry.address.number;
                let key = SigningKey::from_bytes(&[3; 32]);
                let seal = Seal::sign(&key, entry.address.stream, number, number, root);
                let batches = vec![Batch { seal, entries: vec![entry], paths: None }];
                samples.push(Parcel { certificates: vec![], batches }.plain());
            }
        }
    }
    let dictionary = zstd::dict::from_samples(&samples, 32 << 10).expect("enough samples");
    std::fs::write(&out, &dictionary).expect("the dictionary can be written");
    println!("{} samples, {} bytes", samples.len(), dictionary.len());
}
