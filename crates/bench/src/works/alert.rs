//! How long an emergency takes from 'send' at the clinic to the specialist's inbox, while bulk
//! waits on the same line.

use std::{fs::File, io::Write, thread, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use data_encoding::BASE64;
use ondol_testkit::{
    emulate::Conditions,
    node::{Country, CountryConfig, Links, Seat},
    patience::{self, Stopwatch},
    population::Chance,
    visitor::Visitor,
};
use serde_json::json;

use crate::{
    figure::{Aim, Figure},
    ground::{self, LOGIN},
    sample::Times,
};

/// A photograph in the queue, bytes.
const PICTURE: usize = 40_000;
/// The links come up and the bulk begins to flow in so long.
const WARM_UP: Duration = Duration::from_secs(20);
/// An emergency that is not there in this time is not there.
const PATIENCE: Duration = Duration::from_mins(2);
/// Between two alerts, so that each meets another moment of the bulk, ms.
const PAUSE_MS: (i64, i64) = (1_500, 3_500);
/// Who looks at the inbox.
const SPECIALIST: &str = "ryonhwa";

/// The clinic's link and what waits on it.
#[derive(Debug, Clone, Copy)]
pub struct Road {
    /// Bits per second.
    pub rate: u64,
    /// Round trip, ms.
    pub rtt_ms: u64,
    /// The share of packets lost each way, 0 to 1.
    pub loss: f64,
    /// Pictures that wait, MB.
    pub queued_mb: usize,
    /// Alerts that are sent.
    pub alerts: usize,
}

/// Takes the figures.
pub fn figures(road: Road, seed: u64) -> Result<Vec<Figure>> {
    ensure!(road.alerts > 0 && road.rate > 0, "at least one alert, and a rate");
    let config = CountryConfig { links: Links::Real, seed, ..CountryConfig::for_tests() };
    let mut country = Country::stopped_for_test("bench-alert", config)?;
    queue(&country, road.queued_mb, seed)?;
    let link = country.link(Seat::Clinic).context("the clinic has no link")?.clone();
    let wanted = Conditions::new(road.rate, road.rtt_ms / 2).with_loss(road.loss);
    link.set(|conditions| *conditions = wanted.clone());
    country.start_nodes(&mut |_| {})?;
    let clinic = country.url(Seat::Clinic).to_owned();
    let people = ground::people(&ground::server(&clinic, LOGIN)?, 200)?;
    ensure!(!people.is_empty(), "nobody lives in the village");
    let mut asking = ground::signed_in(&clinic, LOGIN)?;
    let mut asked = ground::signed_in(country.url(Seat::Specialist), SPECIALIST)?;
    let facility = country.ready(Seat::Specialist).facility.clone();
    thread::sleep(WARM_UP);
    let (up, _) = link.passed_bytes();
    let mut chance = Chance::new(seed);
    let mut times = vec![];
    let mut lost = 0;
    for at in 0..road.alerts {
        let Some(sent) = ask(&mut asking, &people[at % people.len()], &facility, at)? else {
            let why = "the node serves no pages for asking (/ask/PATIENT) in this version";
            return Ok(vec![Figure::missing("p95_ms", why).aim(Aim::AtMost(5_000.0))]);
        };
        match shown(&mut asked, &sent)? {
            Some(took) => times.push(took),
            None => lost += 1,
        }
        let pause = chance.from_to(PAUSE_MS.0, PAUSE_MS.1);
        thread::sleep(Duration::from_millis(pause.unsigned_abs()));
    }
    let bulk = link.passed_bytes().0 - up;
    country.stop();
    ensure!(lost == 0, "{lost} of {} alerts were not there after two minutes", road.alerts);
    Ok(reported(road, &Times::new(times, Duration::ZERO)?, bulk))
}

fn reported(road: Road, times: &Times, bulk: u64) -> Vec<Figure> {
    let how = format!(
        "{} alerts through four links to the specialist's inbox, clinic's link {} bit/s, {} ms, \
         {} % loss each way, {} MB of pictures queued; {bulk} B passed it meanwhile; looked at \
         every 50 ms",
        road.alerts,
        road.rate,
        road.rtt_ms,
        road.loss * 100.0,
        road.queued_mb
    );
    let mut figures = vec![
        Figure::new("p50_ms", times.ms(0.5), "ms").peer("68600 behind one TCP flow").how(how),
        Figure::new("p95_ms", times.ms(0.95), "ms").aim(Aim::AtMost(5_000.0)),
    ];
    // Below a hundred the 99th of a hundred is the slowest.
    let last = if road.alerts >= 100 { "p99_ms" } else { "slowest_ms" };
    figures.push(Figure::new(last, times.ms(0.99), "ms"));
    figures
}

/// Imports pictures at the clinic, which is stopped: they wait for the county as bulk.
fn queue(country: &Country, megabytes: usize, seed: u64) -> Result<()> {
    let path = country.dir().join("pictures.ndjson");
    let mut file = std::io::BufWriter::new(File::create(&path)?);
    let mut chance = Chance::new(seed);
    let owner = chance.uuid();
    writeln!(file, "{}", json!({ "resourceType": "Patient", "id": owner }))?;
    for _ in 0..megabytes * 1_000_000 / PICTURE {
        // Chance does not compress, and neither does a photograph.
        let noise: Vec<u8> = (0..PICTURE / 8).flat_map(|_| chance.bits().to_le_bytes()).collect();
        let picture = json!({
            "resourceType": "Media", "id": chance.uuid(), "status": "completed",
            "subject": { "reference": format!("Patient/{owner}") },
            "content": { "contentType": "image/jpeg", "data": BASE64.encode(&noise) },
        });
        writeln!(file, "{picture}")?;
    }
    file.flush()?;
    let said = country.command(Seat::Clinic, &["import", &path.display().to_string()])?;
    std::fs::remove_file(&path)?;
    ensure!(said.contains(" 0 left out"), "pictures were left out: {}", said.trim());
    Ok(())
}

/// An alert that was sent.
struct Sent {
    id: String,
    since: Stopwatch,
}

/// Asks on the pages as the health worker does. `None` if there are no such pages.
fn ask(visitor: &mut Visitor, patient: &str, facility: &str, at: usize) -> Result<Option<Sent>> {
    let path = format!("/ask/{patient}/emergency");
    if visitor.get(&path)?.status == 404 {
        return Ok(None);
    }
    let question = format!("의식이 흐리고 숨이 가쁨. 어떻게 하면 됩니까? ({at})");
    let fields = [
        ("patient", patient),
        ("question", &question),
        ("urgency", "stat"),
        ("facility", facility),
        ("power", "battery"),
        ("do", "check"),
    ];
    let check = visitor.post_parts(&path, &fields, &[])?;
    if !check.path.ends_with("/check") {
        bail!("the question was answered with {} at {}", check.status, check.path);
    }
    let since = Stopwatch::start();
    let sent = visitor.post(&check.path, &[("patient", patient)])?;
    let id = sent.path.strip_prefix("/consult/").map(|rest| rest.split(['?', '#']).next());
    let id = id.flatten().map(str::to_owned);
    let id = id.with_context(|| format!("sending led to {} at {}", sent.status, sent.path))?;
    Ok(Some(Sent { id, since }))
}

/// Looks until the specialist's inbox shows the alert. `None` if it never does.
fn shown(visitor: &mut Visitor, sent: &Sent) -> Result<Option<Duration>> {
    let link = format!("/consult/{}", sent.id);
    let mut failed = None;
    let found = patience::until(PATIENCE, || match visitor.get("/inbox/here") {
        Ok(seen) => seen.body.contains(&link).then(|| sent.since.elapsed()),
        Err(why) => {
            failed = Some(why);
            None
        }
    });
    match (found, failed) {
        (None, Some(why)) => Err(why.into()),
        (found, _) => Ok(found),
    }
}
