//! Create, read and search over the API of any FHIR server.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{
    fhir::Server,
    figure::{Aim, Figure},
    ground,
    sample::{Times, drive},
    slow_disk::SlowDisk,
};

/// What the recorded peer did on a like machine, per second with 1 and 8 clients.
struct Recorded {
    work: &'static str,
    one: f64,
    eight: f64,
    /// So many times of that we aim at.
    times: f64,
}

const fn recorded(work: &'static str, one: f64, eight: f64, times: f64) -> Recorded {
    Recorded { work, one, eight, times }
}

/// helios-hfs 0.2.7 on its `SQLite` default, which does not wait for the disk.
const PEER: &[Recorded] = &[
    recorded("create Patient", 244.0, 275.0, 3.0),
    recorded("create Observation", 419.0, 547.0, 3.0),
    recorded("read", 3_223.0, 5_885.0, 3.0),
    recorded("search identifier", 2_434.0, 4_210.0, 4.0),
    recorded("search family prefix", 59.0, 47.0, 20.0),
    recorded("search patient+code", 64.0, 119.0, 20.0),
    recorded("search code, sorted by date", 63.0, 57.0, 20.0),
    recorded("search birthdate range", 100.0, 194.0, 20.0),
    recorded("search chained identifier", 69.0, 147.0, 20.0),
    recorded("search _revinclude", 352.0, 573.0, 5.0),
    recorded("search _include", 60.0, 94.0, 20.0),
    recorded("search count", 76.0, 84.0, 10.0),
];

/// What is asked of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// One resource saved at a time.
    Create,
    /// Read by id.
    Read,
    /// The searches that the peer was measured with.
    Search,
}

/// Takes the figures of one work.
pub fn figures(
    server: &Server,
    work: Work,
    clients: usize,
    slow: Option<&SlowDisk>,
) -> Result<Vec<Figure>> {
    match work {
        Work::Create => create(server, clients, slow),
        Work::Read => read(server, clients),
        Work::Search => search(server, clients),
    }
}

/// With a slower disk the aim is the one for that: 64 clients share its fsyncs.
const SLOW_AIM: f64 = 2_000.0;

fn shown_slow(work: &str, clients: usize, times: &Times, slow: &SlowDisk, syncs: u64) -> Figure {
    let extra = slow.extra_ms;
    let figure = Figure::new(
        format!("{work} per_s ({clients} clients, {extra} ms more each fsync)"),
        times.per_s(),
        "/s",
    );
    let figure = if clients >= 64 { figure.aim(Aim::AtLeast(SLOW_AIM)) } else { figure };
    figure.how(format!(
        "p50 {:.2} ms, p99 {:.2} ms, {:.0} requests in {syncs} fsyncs, connections kept",
        times.ms(0.5),
        times.ms(0.99),
        times.count()
    ))
}

fn shown(work: &str, clients: usize, times: &Times) -> Vec<Figure> {
    let peer = PEER.iter().find(|one| one.work == work);
    let peer = peer.and_then(|one| match clients {
        1 => Some((one.one, one.times)),
        8 => Some((one.eight, one.times)),
        _ => None,
    });
    let name = format!("{work} per_s ({clients} clients)");
    let mut rate = Figure::new(name, times.per_s(), "/s").how(format!(
        "p50 {:.2} ms, p99 {:.2} ms, {:.0} requests, connections kept",
        times.ms(0.5),
        times.ms(0.99),
        times.count()
    ));
    if let Some((peer, aim)) = peer {
        let ratio = times.per_s() / peer;
        rate = rate
            .aim(Aim::AtLeast(aim * peer))
            .peer(format!("{ratio:.2} × helios-hfs 0.2.7 as recorded ({peer}/s)"));
    }
    vec![rate]
}

fn create(server: &Server, clients: usize, slow: Option<&SlowDisk>) -> Result<Vec<Figure>> {
    let patient = json!({
        "resourceType": "Patient", "active": true, "gender": "female", "birthDate": "1984-05-01",
        "name": [{ "use": "official", "family": "김", "given": ["은하"] }],
        "identifier": [{ "system": "urn:ondol:bench", "value": "0" }],
        "address": [{ "text": "은정리 3인민반 12호", "district": "맹산군" }],
    });
    let body = |at: usize| {
        let mut patient = patient.clone();
        patient["identifier"][0]["value"] = at.to_string().into();
        patient.to_string().into_bytes()
    };
    let count = 400.max(clients * 100);
    let people: Vec<Vec<u8>> = (0..count).map(body).collect();
    let first = server.done("POST", "/Patient", Some(&body(usize::MAX)))?;
    let id = id_of(first.header("location").context("the server gives no Location")?)?;
    let observation = json!({
        "resourceType": "Observation", "status": "final",
        "code": { "coding": [{ "system": "http://loinc.org", "code": "8867-4" }] },
        "subject": { "reference": format!("Patient/{id}") },
        "effectiveDateTime": "2026-03-02T08:00:00+09:00",
        "valueQuantity": {
            "value": 72, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"
        },
    });
    let observation = observation.to_string().into_bytes();
    let patient = |at: usize| server.done("POST", "/Patient", Some(&people[at])).map(drop);
    let reading = |_| server.done("POST", "/Observation", Some(&observation)).map(drop);
    let works: [(&str, &Asking<'_>); 2] =
        [("create Patient", &patient), ("create Observation", &reading)];
    let mut figures = vec![];
    for (work, act) in works {
        let before = slow.map(SlowDisk::syncs).transpose()?;
        let times = drive(clients, count, act)?;
        match (slow, before) {
            (Some(slow), Some(before)) => {
                let syncs = slow.syncs()? - before;
                figures.push(shown_slow(work, clients, &times, slow, syncs));
            }
            _ => figures.extend(shown(work, clients, &times)),
        }
    }
    Ok(figures)
}

/// One request: the number of the one that is made.
type Asking<'a> = dyn Fn(usize) -> Result<()> + Sync + 'a;

/// The id in `…/Patient/ID/_history/…`.
fn id_of(location: &str) -> Result<&str> {
    let path = location.split("/_history").next().unwrap_or_default();
    path.rsplit('/').next().filter(|id| !id.is_empty()).context("the Location has no id")
}

fn read(server: &Server, clients: usize) -> Result<Vec<Figure>> {
    let people = ground::people(server, 200)?;
    ensure!(!people.is_empty(), "the server shows nobody to read");
    let times = drive(clients, 1_000.max(clients * 200), &|at| {
        server.done("GET", &format!("/Patient/{}", people[at % people.len()]), None).map(drop)
    })?;
    Ok(shown("read", clients, &times))
}

/// Somebody to search for.
struct Person {
    id: String,
    identifier: String,
    family: String,
    year: String,
}

fn person(patient: &Value) -> Option<Person> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Some(Person {
        id: text(&patient["id"])?,
        identifier: text(&patient["identifier"][0]["value"])?,
        family: text(&patient["name"][0]["family"])
            .or_else(|| text(&patient["name"][0]["text"]))?
            .chars()
            .take(2)
            .collect(),
        year: text(&patient["birthDate"])?.get(..4)?.to_owned(),
    })
}

type Query = fn(&Person) -> String;

const SEARCHES: &[(&str, Query)] = &[
    ("search identifier", |p| format!("/Patient?identifier={}", p.identifier)),
    ("search family prefix", |p| format!("/Patient?family={}&_count=20", escaped(&p.family))),
    ("search patient+code", |p| format!("/Observation?patient={}&code=8867-4", p.id)),
    ("search code, sorted by date", |_| "/Observation?code=8867-4&_sort=-date&_count=20".into()),
    ("search birthdate range", |p| {
        format!("/Patient?birthdate=ge{0}-01-01&birthdate=le{0}-12-31", p.year)
    }),
    ("search chained identifier", |p| {
        format!("/Observation?subject:Patient.identifier={}", p.identifier)
    }),
    ("search _revinclude", |p| format!("/Patient?_id={}&_revinclude=Observation:subject", p.id)),
    ("search _include", |_| {
        "/Observation?code=8867-4&_include=Observation:subject&_count=20".into()
    }),
    ("search count", |_| "/Observation?_summary=count".into()),
];

fn escaped(text: &str) -> String {
    text.bytes().flat_map(|byte| [b'%', hex(byte >> 4), hex(byte & 15)]).map(char::from).collect()
}

fn hex(digit: u8) -> u8 {
    b"0123456789ABCDEF"[usize::from(digit)]
}

fn search(server: &Server, clients: usize) -> Result<Vec<Figure>> {
    let found = server.json("GET", "/Patient?_count=200", None)?;
    let entries = found["entry"].as_array().into_iter().flatten();
    let people: Vec<Person> = entries.filter_map(|entry| person(&entry["resource"])).collect();
    ensure!(!people.is_empty(), "the server shows nobody to search for");
    let mut figures = vec![];
    for (name, query) in SEARCHES {
        let answer = server.send("GET", &query(&people[0]), None)?;
        if answer.status != 200 {
            let why = format!("the server answers {} to this search", answer.status);
            figures.push(Figure::missing(format!("{name} per_s ({clients} clients)"), why));
            continue;
        }
        let times = drive(clients, 200.max(clients * 40), &|at| {
            server.done("GET", &query(&people[at % people.len()]), None).map(drop)
        })?;
        figures.extend(shown(name, clients, &times));
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_taken_from_a_location() {
        let version = "http://node/fhir/Patient/a-1/_history/2";
        assert_eq!(id_of(version).unwrap(), "a-1");
        assert_eq!(id_of("http://node/fhir/Patient/b").unwrap(), "b");
        assert!(id_of("").is_err());
    }

    #[test]
    fn every_search_has_a_recorded_peer() {
        for (name, _) in SEARCHES {
            assert!(PEER.iter().any(|one| one.work == *name), "{name}");
        }
    }
}
