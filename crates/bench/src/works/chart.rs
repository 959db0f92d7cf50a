//! How long a chart takes: its page, and everything in it over the API.

use anyhow::Result;

use crate::{
    figure::{Aim, Figure},
    ground::{self, Clinic},
    sample::{Times, drive, timed},
};

/// So many charts are opened.
const CHARTS: usize = 200;

/// Takes the figures on a filled clinic.
pub fn figures(clinic: &mut Clinic, resources: usize) -> Result<Vec<Figure>> {
    clinic.start()?;
    let server = clinic.server()?;
    let people = ground::people(&server, CHARTS)?;
    let everything = drive(1, people.len(), &|at| {
        server.done("GET", &format!("/Patient/{}/$everything", people[at]), None).map(drop)
    })?;
    let count = people.len();
    let figures = vec![
        page(clinic, &people, resources)?,
        Figure::new("everything_p95_ms", everything.ms(0.95), "ms").how(format!(
            "Patient/$everything of {count} charts; p50 {:.1} ms",
            everything.ms(0.5)
        )),
    ];
    clinic.stop()?;
    Ok(figures)
}

fn page(clinic: &Clinic, people: &[String], resources: usize) -> Result<Figure> {
    let mut visitor = clinic.visitor()?;
    let mut times = vec![];
    let mut bytes = 0;
    for person in people {
        let path = format!("/people/{person}");
        let (seen, took) = timed(|| Ok(visitor.get(&path)?))?;
        if seen.status == 404 {
            let why = "the node serves no chart page at /people/ID in this version";
            return Ok(Figure::missing("p95_ms", why).aim(Aim::AtMost(30.0)));
        }
        anyhow::ensure!(seen.status == 200, "the chart page is answered with {}", seen.status);
        bytes = bytes.max(seen.body.len());
        times.push(took);
    }
    let whole = times.iter().sum();
    let times = Times::new(times, whole)?;
    Ok(Figure::new("p95_ms", times.ms(0.95), "ms").aim(Aim::AtMost(30.0)).how(format!(
        "{resources} resources, {} chart pages once each, largest {bytes} B plain; p50 {:.1} ms",
        people.len(),
        times.ms(0.5)
    )))
}
