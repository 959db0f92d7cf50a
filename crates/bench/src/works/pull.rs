//! A chart that another facility needs: what it costs on a slow line, and when it is there.

use anyhow::{Context, Result, ensure};
use ondol_kernel::{Class, ResourceId};
use ondol_record::ChartId;
use ondol_testkit::{emulate::Conditions, population::Chance};
use serde_json::json;

use super::{
    country::{self, Carried, practitioner},
    index::index_exchange::link_world::World,
};
use crate::{
    figure::{Aim, Figure},
    inputs::{self, ClinicDays},
    visits::{self, Visits},
};

/// Of the people who come to the county hospital meanwhile, one in so many is the one.
const OTHERS: usize = 8;
/// The line to the clinic.
const RATE: u64 = 9_600;
const RTT_MS: u64 = 600;
/// What went over it before, bytes.
const WARM: usize = 60_000;
/// IPv4 and UDP.
const HEADERS: usize = 28;

/// Takes the figures of a chart of so many encounters, on a line that loses so many of a hundred.
pub fn figures(encounters: usize, loss: f64, seed: u64) -> Result<Vec<Figure>> {
    let country = country::founded()?;
    let (county, clinic) = (country.county(), country.clinic());
    let (here, doctor) = (county.app.place().organization(), practitioner(county));
    let mut visits = Visits::new(&ClinicDays::load(None, None, seed)?, &here, &doctor, seed)?;
    let mut chance = Chance::new(seed);
    let mut people = vec![];
    for _ in 0..OTHERS {
        let draft = visits::person(&chance.uuid(), &here, &mut chance);
        people.push(country::register(county, draft)?);
    }
    for at in 0..encounters * OTHERS {
        let days = i64::try_from(at / OTHERS)? * 7;
        county.clock.pass_minutes(10);
        country::save(county, visits.one(&people[at % OTHERS], days, &doctor))?;
    }
    country::carry(county, clinic)?;
    // The county's doctor refers the person to the clinic, and the chart is led there.
    let referral = json!({ "entry": [{ "fullUrl": "urn:uuid:referral", "resource": {
        "resourceType": "ServiceRequest", "status": "active", "intent": "order",
        "subject": { "reference": people[0] },
        "performer": [{ "reference": clinic.app.place().organization() }],
    } }] });
    country::save(county, visits::draft(&referral, &doctor))?;
    let carried = country::carry(county, clinic)?;
    let gzipped = arrived(clinic, &people[0], encounters)?;
    let road = Conditions::new(RATE, RTT_MS / 2).with_loss(loss);
    let (bytes, whole_ms) = on_the_line(road, &carried, seed)?;
    let messages: usize = carried.iter().map(|one| one.bytes).sum();
    let how = format!(
        "{} messages, {messages} B of them; both ways with IP, UDP, acknowledgements and repeats, \
         {RATE} bit/s, {RTT_MS} ms, {} % lost each way; {encounters} encounters at the county \
         between those of {} others; {}",
        carried.len(),
        loss * 100.0,
        OTHERS - 1,
        visits.source
    );
    Ok(vec![
        Figure::new("bytes", real(bytes), "B")
            .aim(Aim::AtMost(3_500.0))
            .peer(format!("gzipped FHIR {gzipped}; 22721 of the anchor's chart"))
            .how(how),
        Figure::new("first_screen_s", real(whole_ms) / 1_000.0, "s").aim(Aim::AtMost(1.5)).how(
            "from the holder's first datagram until the whole chart is there: no summary goes before \
             it, so that nothing can be shown earlier",
        ),
    ])
}

/// Looks that the chart is there; gives its resources' bytes as gzipped FHIR.
fn arrived(at: &super::country::support::Facility, who: &str, encounters: usize) -> Result<usize> {
    let id = who.strip_prefix("Patient/").and_then(|id| ResourceId::new(id).ok());
    let chart = ChartId::Patient(id.context("a person")?);
    let all: Vec<_> = ["Patient", "Encounter", "Observation", "Condition", "MedicationRequest"]
        .iter()
        .flat_map(|kind| at.all(&chart, kind))
        .collect();
    let there = all.iter().filter(|one| one["resourceType"] == "Encounter").count();
    ensure!(there == encounters, "{there} of {encounters} encounters arrived");
    let entries: Vec<_> = all.iter().map(|one| json!({ "resource": one })).collect();
    let bundle = json!({ "resourceType": "Bundle", "type": "searchset", "entry": entries });
    inputs::gzipped(bundle.to_string().as_bytes())
}

/// Sends messages of these lengths over a link that is up; bytes both ways until nothing about
/// them is on the line any more, and when the last was whole, ms.
fn on_the_line(road: Conditions, carried: &[Carried], seed: u64) -> Result<(usize, usize)> {
    let mut world = World::new(road, seed);
    world.run_to(10_000);
    // The rate is known, as on any link that was used.
    world.send(0, Class::Routine, 0, WARM);
    world.run_to(120_000);
    world.tap = Some(vec![]);
    let begun = world.now;
    let mut numbers = [0, 0, 1, 0];
    let mut expected = vec![];
    for one in carried {
        let no = &mut numbers[usize::from(one.class.code())];
        world.send(0, one.class, *no, one.bytes);
        expected.push((one.class.code(), *no));
        *no += 1;
    }
    let all = |world: &mut World| {
        expected.iter().all(|key| world.sides[1].memory.whole_at.contains_key(key))
    };
    ensure!(world.run(begun + 600_000, all), "the chart did not arrive");
    let took = world.now - begun;
    // What is acknowledged and told once more follows.
    world.run_to(world.now + 8_000);
    let tap = world.tap.take().unwrap_or_default();
    let bytes = tap.iter().map(|(_, datagram)| datagram.len() + HEADERS).sum();
    Ok((bytes, usize::try_from(took)?))
}

fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
