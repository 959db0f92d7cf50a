//! A clinic's days as its node writes and packs them, from the files of made-up clinics.

#![allow(dead_code, reason = "each example uses a part")]

use std::{collections::HashMap, fs, io::Read, path::Path, rc::Rc};

use ed25519_dalek::SigningKey;
use ondol_kernel::{Class, NodeId};
use ondol_record::{
    Address, Draft, DraftChange, DraftId, Entry, EntryHash, Seal, SealedHead, Stream,
    draft::DraftContent, seal::Tree,
};
use ondol_replicate::{Batch, Parcel, columns::Shared};
use serde_json::Value;

#[path = "../../../record/tests/support/mod.rs"]
mod log;
use log::Log;

const ORGANIZATION: &str = "Organization/5d0c4a3e-7d5b-8c1f-9a3e-6d2b1f0e9c8a";
const PRACTITIONER: &str = "Practitioner/39455353-8cde-8e75-921e-bce6139f7110";

/// When entries are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// When the encounter ends, as in a clinic.
    AtWork,
    /// One after the other, as a program enters what is in a file.
    Entered,
}

/// A clinic whose people are registered, and what it wrote on each day.
pub struct Clinic {
    log: Log,
    /// The entries of each encounter, by days.
    pub days: Vec<Vec<Vec<Entry>>>,
}

/// The receiver holds everything up to a number.
#[derive(Clone)]
pub struct HeldUpTo {
    entries: Rc<HashMap<Address, Entry>>,
    hashes: Rc<HashMap<EntryHash, Address>>,
    number: u64,
}

impl HeldUpTo {
    /// The same log, up to another number.
    pub fn up_to(&self, number: u64) -> Self {
        Self { number, ..self.clone() }
    }
}

impl Shared for HeldUpTo {
    fn ends(&self) -> Option<[NodeId; 2]> {
        Some([NodeId([7; 16]), NodeId([8; 16])])
    }
    fn newest(&self, stream: &Stream) -> Option<Entry> {
        self.entry(&stream.at(self.number))
    }
    fn before(&self, entry: &Entry) -> Option<Entry> {
        self.entry(self.hashes.get(&entry.previous)?)
    }
    fn entry(&self, address: &Address) -> Option<Entry> {
        self.entries.get(address).filter(|_| address.number <= self.number).cloned()
    }
}

fn reference(resource: &Value) -> String {
    let text = |name: &str| resource[name].as_str().unwrap_or_default().to_owned();
    format!("{}/{}", text("resourceType"), text("id"))
}

fn rewrite(value: &mut Value, known: &HashMap<String, String>) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(|one| rewrite(one, known)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(to) if name == "reference" => {
                        if to.starts_with("Organization/") {
                            ORGANIZATION.clone_into(to);
                        } else if to.starts_with("Practitioner/") {
                            PRACTITIONER.clone_into(to);
                        } else if let Some(known) = known.get(to) {
                            to.clone_from(known);
                        }
                    }
                    other => rewrite(other, known),
                }
            }
        }
        _ => {}
    }
}

/// A file, gzipped or not.
fn text_of(path: &str) -> String {
    let bytes = fs::read(path).expect("the file is readable");
    let mut text = String::new();
    if Path::new(path).extension().is_some_and(|kind| kind == "gz") {
        let mut from = flate2::read::GzDecoder::new(&bytes[..]);
        from.read_to_string(&mut text).expect("the file is whole");
    } else {
        text = String::from_utf8(bytes).expect("the file is text");
    }
    text
}

impl Clinic {
    /// Reads a population (a transaction) and encounters (a transaction a line).
    pub fn read(population: &str, encounters: &str, clock: Clock) -> Self {
        let mut clinic = Self { log: Log::default(), days: vec![] };
        let mut known = HashMap::new();
        let people = text_of(population);
        let people: Value = serde_json::from_str(&people).expect("a bundle");
        let mut now = 1_772_000_000_000;
        clinic.write(&people, &mut now, &mut known);
        let mut day = String::new();
        for line in text_of(encounters).lines() {
            let bundle: Value = serde_json::from_str(line).expect("a line is a bundle");
            let find = |kind: &str| {
                let all = bundle["entry"].as_array().expect("entries").iter();
                all.map(|e| &e["resource"]).find(|r| r["resourceType"] == kind)
            };
            let period = &find("Encounter").expect("an encounter")["period"];
            let start = period["start"].as_str().expect("a start")[..10].to_owned();
            match clock {
                Clock::Entered => now += 11 + u64::try_from(line.len()).unwrap() % 17,
                Clock::AtWork => {
                    let end = period["end"].as_str().expect("an end");
                    let end = ondol_kernel::Millis::parse_fhir(end).expect("an instant").0;
                    let late = 20_000 + u64::try_from(line.len()).unwrap() * 7919 % 100_000;
                    now = u64::try_from(end).unwrap() + late;
                }
            }
            let entries = clinic.write(&bundle, &mut now, &mut known);
            if day != start {
                clinic.days.push(vec![]);
                day = start;
            }
            clinic.days.last_mut().expect("a day").push(entries);
        }
        clinic
    }

    /// Residents of a made-up village with their visits, as the demo has them: each a transaction.
    pub fn made_up(seed: u64, people: usize) -> Self {
        let mut clinic = Self { log: Log::default(), days: vec![] };
        let day = ondol_kernel::Date::parse("2026-03-02").expect("a day");
        let mut now = 1_772_000_000_000;
        for some in ondol_testkit::population::village(seed, people, day).chunks(30) {
            let mut day = vec![];
            for bundle in some {
                now += 240_000;
                day.push(clinic.write(bundle, &mut now, &mut HashMap::new()));
            }
            clinic.days.push(day);
        }
        clinic
    }

    fn write(
        &mut self,
        bundle: &Value,
        now: &mut u64,
        known: &mut HashMap<String, String>,
    ) -> Vec<Entry> {
        let resources = bundle["entry"].as_array().expect("entries").iter().map(|e| &e["resource"]);
        let kept: Vec<&Value> = resources
            .filter(|r| {
                !matches!(r["resourceType"].as_str(), Some("Organization" | "Practitioner"))
            })
            .collect();
        let changes = kept.iter().map(|&resource| {
            let mut body = resource.clone();
            rewrite(&mut body, known);
            DraftChange {
                resource_type: resource["resourceType"].as_str().expect("a type").into(),
                id: DraftId::New(reference(resource).into()),
                supersedes: vec![],
                chart: None,
                content: DraftContent::Put(body),
            }
        });
        let draft = Draft {
            class: Class::Routine,
            care_time: None,
            author: PRACTITIONER.into(),
            typist: "".into(),
            changes: changes.collect(),
        };
        let entries = self.log.write(draft, *now << 16).expect("it is a transaction");
        let made =
            entries.iter().flat_map(|e| &e.changes).filter(|c| &*c.resource_type == "Patient");
        let patients = kept.iter().filter(|r| r["resourceType"] == "Patient");
        for (change, patient) in made.zip(patients) {
            known.insert(reference(patient), format!("Patient/{}", change.id));
        }
        entries
    }

    /// What stands at the receiver when it holds everything before some entries.
    pub fn held_before(&self, entries: &[Entry]) -> HeldUpTo {
        let all = self.log.entries.iter();
        let hashes = all.clone().map(|entry| (entry.hash(), entry.address)).collect();
        let all = all.map(|entry| (entry.address, entry.clone())).collect();
        let number = entries[0].address.number - 1;
        HeldUpTo { entries: Rc::new(all), hashes: Rc::new(hashes), number }
    }
}

/// Entries that follow each other, sealed and in a parcel.
pub fn parcel(entries: Vec<Entry>) -> Parcel {
    let mut heads: Vec<SealedHead> = vec![];
    for entry in &entries {
        heads.retain(|head| head.chart != entry.chart);
        let (chart, chart_number) = (entry.chart.clone(), entry.chart_number);
        heads.push(SealedHead { chart, chart_number, hash: entry.hash() });
    }
    let (first, last) = (entries[0].address, entries[entries.len() - 1].address.number);
    let key = SigningKey::from_bytes(&[3; 32]);
    let seal = Seal::sign(&key, first.stream, first.number, last, Tree::new(&heads).root());
    Parcel { certificates: vec![], batches: vec![Batch { seal, entries, paths: None }] }
}
