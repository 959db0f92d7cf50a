//! Whether memory grows while people work.

use anyhow::{Result, ensure};

use crate::{
    figure::{Aim, Figure},
    ground::Clinic,
    inputs::{ClinicDays, Ids},
};

/// Caches fill in so many journeys; from then on nothing should grow.
const WARM_UP: usize = 500;
/// What counts as no growth: a twentieth, for the allocator's moods.
const GROWTH: f64 = 1.05;

/// Journeys: a person is looked for, the chart is opened, a visit is saved, the chart is read.
pub fn figures(clinic: &mut Clinic, days: &ClinicDays, count: usize) -> Result<Vec<Figure>> {
    clinic.start()?;
    let desk = clinic.enter_people(days, Ids::Own)?;
    let bodies = super::save::bodies(days, &desk)?;
    let people = desk.people();
    ensure!(!people.is_empty(), "nobody was entered");
    let (server, mut visitor) = (clinic.server()?, clinic.visitor()?);
    let mut journey = |at: usize| -> Result<()> {
        let person = &people[at % people.len()];
        let id = person.trim_start_matches("Patient/");
        server.done("GET", &format!("/Patient?_id={id}"), None)?;
        let page = visitor.get(&format!("/people/{id}"))?;
        ensure!(page.status < 500, "a page is answered with {}", page.status);
        server.done("POST", "", Some(&bodies[at % bodies.len()]))?;
        server.done("GET", &format!("/Encounter?subject={person}&_count=5"), None)?;
        Ok(())
    };
    (0..WARM_UP).try_for_each(&mut journey)?;
    let before = clinic.resident_mb()?;
    (0..count).try_for_each(&mut journey)?;
    let after = clinic.resident_mb()?;
    clinic.stop()?;
    let how =
        format!("VmRSS {before:.1} MB after {WARM_UP} journeys, {after:.1} MB after {count} more");
    Ok(vec![Figure::new("growth", after / before, "×").aim(Aim::AtMost(GROWTH)).how(how)])
}
