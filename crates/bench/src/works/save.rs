//! How long it takes to save an encounter of eight resources, durably.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::{
    fhir::Server,
    figure::Figure,
    ground::{self, Clinic},
    inputs::{ClinicDays, Desk, Ids},
    sample::{Times, drive},
    slow_disk::SlowDisk,
};

/// An encounter of the aim.
const RESOURCES: usize = 8;

/// Encounters of eight resources as they are sent, of people whom the desk knows.
pub fn bodies(days: &ClinicDays, desk: &Desk) -> Result<Vec<Vec<u8>>> {
    let count = |bundle: &&Value| bundle["entry"].as_array().map_or(0, Vec::len);
    let known: Vec<&Value> = days.encounters.iter().filter(|bundle| desk.knows(bundle)).collect();
    let eight: Vec<&Value> = known.iter().copied().filter(|b| count(b) == RESOURCES).collect();
    // Made-up visits are smaller; what is saved is told in the table.
    let all = if eight.is_empty() { known } else { eight };
    ensure!(!all.is_empty(), "there are no encounters to save");
    Ok(all.into_iter().map(|bundle| desk.enter(bundle).to_string().into_bytes()).collect())
}

/// Saves with so many clients at once.
pub fn run(server: &Server, bodies: &[Vec<u8>], clients: usize) -> Result<Times> {
    let save = |at: usize| server.done("POST", "", Some(&bodies[at % bodies.len()])).map(drop);
    // The first requests sign in, and that is slow by design.
    drive(1, 5, &save)?;
    drive(clients, 400.max(clients * 50), &save)
}

/// Takes the figures at a clinic that was founded and does not run.
pub fn figures(
    clinic: &mut Clinic,
    days: &ClinicDays,
    clients: &[usize],
    fsync_extra_ms: u64,
) -> Result<Vec<Figure>> {
    let slow = match fsync_extra_ms {
        0 => None,
        extra => Some(clinic.slow_disk(extra)?),
    };
    clinic.start()?;
    let desk = clinic.enter_people(days, Ids::Own)?;
    let bodies = bodies(days, &desk)?;
    let server = clinic.server()?;
    let mut figures = vec![];
    for &clients in clients {
        let before = ground::fsync_times(&clinic.data())?;
        let synced = slow.as_ref().map(SlowDisk::syncs).transpose()?;
        let times = run(&server, &bodies, clients)?;
        let syncs = slow.as_ref().map(SlowDisk::syncs).transpose()?;
        let after = ground::fsync_times(&clinic.data())?;
        let disk = match (synced, syncs) {
            (Some(before), Some(after)) => format!(
                "{fsync_extra_ms} ms added to each fsync of the node, {} of them",
                after - before
            ),
            _ => "the disk as it is".to_owned(),
        };
        figures.extend(shown(&times, clients, &disk, &against(&before, &after, fsync_extra_ms)));
    }
    clinic.stop()?;
    Ok(figures)
}

/// The disk's fsync, ms, and how it was taken.
struct Against {
    ms: f64,
    how: String,
}

/// The fastest: on a machine that does other work too, waiting for a processor would otherwise
/// count as the disk's, and flatter the ratio.
fn against(before: &Times, after: &Times, extra_ms: u64) -> Against {
    let fastest = before.ms(0.0).min(after.ms(0.0));
    let extra = Duration::from_millis(extra_ms).as_secs_f64() * 1_000.0;
    let added = if extra_ms > 0 { format!(" and the {extra_ms} ms") } else { String::new() };
    let how = format!(
        "against the fastest of 400 fsyncs of a 4 KiB append, {fastest:.3} ms (p50 before {:.3}, \
         after {:.3}){added}",
        before.ms(0.5),
        after.ms(0.5)
    );
    Against { ms: fastest + extra, how }
}

/// The figures of a run.
fn shown(times: &Times, clients: usize, disk: &str, against: &Against) -> Vec<Figure> {
    let name = |what: &str| format!("{what} ({clients} clients)");
    let how = format!("{disk}; {:.0} encounters", times.count());
    vec![
        Figure::new(name("p50_ms"), times.ms(0.5), "ms").how(how.clone()),
        Figure::new(name("p95_ms"), times.ms(0.95), "ms").how(how.clone()),
        Figure::new(name("per_s"), times.per_s(), "encounters/s").how(how),
        Figure::new(name("times_fsync"), times.ms(0.5) / against.ms, "×").how(&against.how),
    ]
}
