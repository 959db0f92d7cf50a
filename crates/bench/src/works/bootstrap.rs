//! A clinic that lost everything: what comes back from its county.

use anyhow::{Result, ensure};
use ondol_kernel::ResourceId;
use ondol_record::ChartId;
use ondol_testkit::{patience::Stopwatch, population::Chance};

use super::country::{self, Carried, carry, practitioner, support::Country};
use crate::{
    figure::{Aim, Figure},
    inputs::ClinicDays,
    visits::{self, Visits},
};

/// Each of the people has so many encounters on the average.
const EACH: usize = 12;
/// Encounters of a day.
const DAY: usize = 60;

/// Takes the figures of a clinic with so many encounters.
pub fn figures(encounters: usize, seed: u64) -> Result<Vec<Figure>> {
    let mut country = country::founded()?;
    let backup = country.clinic().backup();
    let clinic = country.clinic();
    let (here, doctor) = (clinic.app.place().organization(), practitioner(clinic));
    let mut visits = Visits::new(&ClinicDays::load(None, None, seed)?, &here, &doctor, seed)?;
    let mut chance = Chance::new(seed);
    let mut people = vec![];
    for _ in 0..encounters.div_ceil(EACH) {
        let draft = visits::person(&chance.uuid(), &here, &mut chance);
        people.push(country::register(clinic, draft)?);
    }
    let mut up = vec![];
    for at in 0..encounters {
        let who = chance.one_of(&people).clone();
        clinic.clock.pass_minutes(8);
        country::save(clinic, visits.one(&who, i64::try_from(at / DAY)?, &doctor))?;
        if (at + 1) % DAY == 0 || at + 1 == encounters {
            // The road carries each evening.
            up.extend(carry(clinic, country.county())?);
        }
    }
    ensure!(found(&country, &people)? == encounters, "the clinic holds its encounters");
    country.again("clinic", |clinic| clinic.put_back(&backup));
    ensure!(found(&country, &people)? == 0, "the clinic lost its encounters");
    // It tells its county what it holds, and is given the rest; a parcel that builds upon what it
    // lost goes back, and is sent in full.
    let watch = Stopwatch::start();
    let (clinic, county) = (country.clinic(), country.county());
    clinic.app.reads_parcels(county.seat.node(), ondol_replicate::parcel::FORMAT)?;
    let (mut told, mut back, mut rounds) = (vec![], vec![], 0);
    loop {
        let (asked, given) = (carry(clinic, county)?, carry(county, clinic)?);
        if asked.is_empty() && given.is_empty() {
            break;
        }
        rounds += 1;
        told.extend(asked);
        back.extend(given);
    }
    let took = watch.elapsed().as_secs_f64();
    let there = found(&country, &people)?;
    ensure!(there == encounters, "{there} of {encounters} encounters came back");
    let (up, back, told) = (sum(&up), sum(&back), sum(&told));
    let each = back / real(encounters);
    let how = format!(
        "{each:.1} B an encounter; messages from the county, before IP, UDP and acknowledgements \
         (about 4 % at 256 kbit/s, 15 % at 9.6); the clinic asked and sent back {told:.0} B, \
         {rounds} rounds; {} people, each \
         encounter found again; written day by day they took {:.1} B each on the way up; {}",
        people.len(),
        up / real(encounters),
        visits.source
    );
    Ok(vec![
        Figure::new("bytes", back, "B")
            .aim(Aim::AtMost(2e6 * real(encounters) / 25_000.0))
            .how(how),
        Figure::new("bytes_per_encounter", each, "B").aim(Aim::AtMost(80.0)),
        Figure::new("encounters_per_s", real(encounters) / took, "/s").how(
            "packed by the county and taken in by the clinic, one after the other in one process",
        ),
    ])
}

/// Encounters of some people that are at the clinic.
fn found(country: &Country, people: &[String]) -> Result<usize> {
    let view = country.clinic().store().read()?;
    let mut count = 0;
    for who in people {
        let chart = ChartId::Patient(ResourceId::new(who.trim_start_matches("Patient/"))?);
        count += view.chart(&chart, &["Encounter"])?.len();
    }
    Ok(count)
}

fn sum(carried: &[Carried]) -> f64 {
    carried.iter().map(|one| real(one.bytes)).sum()
}

fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
