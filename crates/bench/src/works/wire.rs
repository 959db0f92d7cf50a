//! Bytes between a clinic and its county hospital for the work of the clinic.

use std::{thread, time::Duration};

use anyhow::{Result, ensure};
use ondol_testkit::{
    contents::Contents,
    emulate::{Conditions, Controls},
    node::{Country, CountryConfig, Links, Seat},
    patience::Stopwatch,
};
use serde_json::Value;

use crate::{
    fhir::Server,
    figure::{Aim, Figure},
    ground::{self, LOGIN, NAME},
    inputs::{self, ClinicDays, Desk, Ids},
};

/// The link is quiet when so little passed in a window: less than a frame with its answer.
const QUIET_BYTES: u64 = 400;
/// The window.
const WINDOW: Duration = Duration::from_secs(12);
/// What was joined and registered has to be across within this.
const SETTLE: Duration = Duration::from_mins(5);
/// Encounters that are sent alone.
const ALONE: usize = 10;
/// An encounter alone, with its acknowledgement, is over within this.
const ALONE_WAIT: Duration = Duration::from_secs(8);
/// The quiet link is listened to for so long.
const IDLE: Duration = Duration::from_mins(1);

/// What passed, there and back.
fn passed(link: &Controls) -> u64 {
    let (up, down) = link.passed_bytes();
    up + down
}

/// Waits until nothing but signs of life passes. Gives what had passed when that began.
fn until_quiet(link: &Controls, within: Duration) -> Result<u64> {
    let watch = Stopwatch::start();
    loop {
        let before = passed(link);
        thread::sleep(WINDOW);
        if passed(link) - before <= QUIET_BYTES {
            return Ok(before);
        }
        let waited = watch.elapsed();
        ensure!(
            waited < within,
            "the link did not become quiet in {} s: {} B passed in the last {} s",
            waited.as_secs(),
            passed(link) - before,
            WINDOW.as_secs()
        );
    }
}

fn set(link: &Controls, to: &Conditions) {
    link.set(|conditions| {
        conditions.rate_bps = to.rate_bps;
        conditions.delay_ms = to.delay_ms;
        conditions.loss = to.loss;
        conditions.queue_bytes = to.queue_bytes;
    });
}

/// A country whose clinic has entered its people, all of it across. Then the clinic's link becomes
/// the slow one, and both ends begin anew: no modem turns from 2 Mbit/s into 9.6 kbit/s at work.
fn begin(days: &ClinicDays, ids: Ids, seed: u64) -> Result<(Country, Desk, Server)> {
    let config = CountryConfig { links: Links::Real, seed, ..CountryConfig::for_tests() };
    let name = if ids == Ids::Own { "bench-wire" } else { "bench-wire-foreign" };
    let mut country = Country::stopped_for_test(name, config)?;
    let link = clinic_link(&country)?;
    set(&link, &Conditions::new(2_000_000, 10));
    country.start_nodes(&mut |_| {})?;
    let server = ground::server(country.url(Seat::Clinic), LOGIN)?;
    let organization = format!("Organization/{}", country.ready(Seat::Clinic).facility);
    let desk = ground::enter_people(&server, &organization, NAME, days, ids)?;
    until_quiet(&link, SETTLE)?;
    for seat in [Seat::Clinic, Seat::County] {
        ensure!(country.terminate(seat), "{seat:?} did not stop cleanly");
    }
    if let Some(real) = Links::Real.above(Seat::Clinic) {
        set(&link, &real);
    }
    for seat in [Seat::County, Seat::Clinic] {
        country.start_node(seat)?;
    }
    let server = ground::server(country.url(Seat::Clinic), LOGIN)?;
    until_quiet(&link, SETTLE)?;
    Ok((country, desk, server))
}

fn clinic_link(country: &Country) -> Result<Controls> {
    let link = country.link(Seat::Clinic).cloned();
    link.ok_or_else(|| anyhow::anyhow!("the clinic has no link"))
}

/// What a run gave, bytes.
struct Run {
    daily: f64,
    alone: f64,
    idle_per_minute: f64,
    encounters: usize,
}

fn run(days: &ClinicDays, ids: Ids, seed: u64) -> Result<Run> {
    let (mut country, mut desk, server) = begin(days, ids, seed)?;
    let link = clinic_link(&country)?;
    let before = passed(&link);
    thread::sleep(IDLE);
    let idle = passed(&link) - before;
    let mut daily = 0;
    for day in days.days() {
        link.cut();
        for bundle in day {
            enter(&server, &mut desk, bundle)?;
        }
        let before = passed(&link);
        link.restore();
        daily += until_quiet(&link, SETTLE)? - before;
    }
    let mut alone = 0;
    if ids == Ids::Own {
        for bundle in days.encounters.iter().take(ALONE) {
            let before = passed(&link);
            enter(&server, &mut desk, bundle)?;
            thread::sleep(ALONE_WAIT);
            alone += passed(&link) - before;
        }
        until_quiet(&link, SETTLE)?;
    }
    all_arrived(&mut country)?;
    country.stop();
    Ok(Run {
        daily: per(daily, days.encounters.len()),
        alone: per(alone, ALONE.min(days.encounters.len())),
        idle_per_minute: per(idle * 60, usize::try_from(IDLE.as_secs())?),
        encounters: days.encounters.len(),
    })
}

fn enter(server: &Server, desk: &mut Desk, bundle: &Value) -> Result<()> {
    let entered = desk.enter(bundle).to_string();
    let answer = server.json("POST", "", Some(entered.as_bytes()))?;
    desk.learn(bundle, &answer)
}

/// A number of bytes is worth something only when everything arrived.
fn all_arrived(country: &mut Country) -> Result<()> {
    for seat in [Seat::Clinic, Seat::County] {
        ensure!(country.terminate(seat), "{seat:?} did not stop cleanly");
    }
    let sent = Contents::read(&country.data(Seat::Clinic))?.patient_entries();
    let there = Contents::read(&country.data(Seat::County))?.patient_entries();
    let missing = sent.difference(&there).count();
    ensure!(missing == 0, "{missing} of {} entries did not arrive", sent.len());
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "bytes and encounters of a few days")]
fn per(bytes: u64, count: usize) -> f64 {
    bytes as f64 / count.max(1) as f64
}

/// Transactions as they stand in the file, some gzipped together; bytes for each encounter.
fn gzipped<'a>(together: impl Iterator<Item = &'a [Value]>) -> Result<f64> {
    let (mut bytes, mut count) = (0, 0);
    for some in together {
        let lines: Vec<String> = some.iter().map(ToString::to_string).collect();
        bytes += inputs::gzipped(lines.join("\n").as_bytes())?;
        count += some.len();
    }
    Ok(per(u64::try_from(bytes)?, count))
}

fn how(days: &ClinicDays, run: &Run) -> String {
    format!(
        "{}: {} encounters in {} days, each day saved while the link was cut, then sent at 9.6 \
         kbit/s, 600 ms, 2 % loss; both directions with IP and UDP headers, acknowledgements, \
         audit and repeats; joining, accounts and the registered people were across before; every \
         entry was found at the county",
        days.source,
        run.encounters,
        days.days().len()
    )
}

/// Takes the figures as a clinic writes.
pub fn own(days: &ClinicDays, seed: u64) -> Result<Vec<Figure>> {
    let gzip = gzipped(days.days().into_iter())?;
    let gzip_alone = gzipped(days.encounters.chunks(1).take(ALONE))?;
    let run = run(days, Ids::Own, seed)?;
    Ok(vec![
        Figure::new("bytes_per_encounter", run.daily, "B")
            .aim(Aim::AtMost(80.0))
            .peer(format!("gzip FHIR {gzip:.0}"))
            .how(how(days, &run)),
        Figure::new("bytes_per_encounter_alone", run.alone, "B")
            .aim(Aim::AtMost(220.0))
            .peer(format!("gzip FHIR each {gzip_alone:.0}"))
            .how(format!(
                "{ALONE} encounters, one at a time on the open link, {} s each, the link's signs \
                 of life in it",
                ALONE_WAIT.as_secs()
            )),
        Figure::new("gzip_bytes_per_encounter", gzip, "B")
            .how("the file's own lines, gzip -9 of each day"),
        Figure::new("idle_bytes_per_minute", run.idle_per_minute, "B")
            .how("what passes while nobody works"),
    ])
}

/// Takes the figure with the ids of the file kept.
pub fn foreign(days: &ClinicDays, seed: u64) -> Result<Vec<Figure>> {
    let gzip = gzipped(days.days().into_iter())?;
    let run = run(days, Ids::Foreign, seed)?;
    Ok(vec![
        Figure::new("bytes_per_encounter_foreign_ids", run.daily, "B")
            .peer(format!("gzip FHIR {gzip:.0}"))
            .how(format!("with the ids of the file kept; {}", how(days, &run))),
    ])
}
