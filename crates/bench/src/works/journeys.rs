//! Whether memory grows while people work.

use anyhow::{Result, bail, ensure};

use crate::{
    figure::{Aim, Figure},
    ground::Clinic,
    inputs::{ClinicDays, Ids},
};

/// So many journeys fill the caches of pages, which are bounded; from then on nothing should grow.
const WARM_UP: usize = 2_000;
/// The curve has a point after so many.
const STEP: usize = 1_000;
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
    let mut curve = vec![(0, clinic.resident_mb()?)];
    let mut done = 0;
    let until = WARM_UP + count;
    let points = (STEP..until).step_by(STEP).chain([until]);
    for point in points {
        (done..point).try_for_each(&mut journey)?;
        done = point;
        curve.push((point, clinic.resident_mb()?));
    }
    clinic.stop()?;
    let at = |journeys| curve.iter().find(|(at, _)| *at == journeys).map(|(_, mb)| *mb);
    let (Some(cold), Some(warm), Some(last)) = (at(0), at(WARM_UP), at(until)) else {
        bail!("the curve is too short")
    };
    let points = curve.iter().map(|(at, mb)| format!("{at}: {mb:.1}"));
    let how = format!(
        "VmRSS after journeys, MB: {}; {:.1} MB on disk at the end",
        points.collect::<Vec<_>>().join(", "),
        super::start::size_mb(&clinic.data().join("ondol.db"))?
    );
    Ok(vec![
        Figure::new("resident_before_mb", cold, "MB").how("when the people were entered"),
        Figure::new("resident_warm_mb", warm, "MB").how(format!("after {WARM_UP} journeys")),
        Figure::new("resident_after_mb", last, "MB").how(format!("after {count} more")),
        Figure::new("growth", last / warm, "×").aim(Aim::AtMost(GROWTH)).how(how),
    ])
}
