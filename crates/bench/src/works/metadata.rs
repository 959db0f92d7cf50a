//! How large the capability statement is, and how long it takes.

use anyhow::Result;
use ondol_testkit::http::Request;

use crate::{
    figure::{Aim, Figure},
    ground::Clinic,
    sample::drive,
};

/// Takes the figures at a clinic that does not run.
pub fn figures(clinic: &mut Clinic) -> Result<Vec<Figure>> {
    clinic.start()?;
    let base = clinic.base()?;
    let address = base.trim_start_matches("http://");
    let request = Request::new("GET", "/fhir/metadata").header("Accept-Encoding", "gzip");
    let answer = request.send(address)?;
    let times = drive(1, 100, &|_| Ok(request.send(address).map(drop)?))?;
    clinic.stop()?;
    let coding = answer.header("content-encoding").unwrap_or("none").to_owned();
    let bytes = f64::from(u32::try_from(answer.body.len())?);
    Ok(vec![
        Figure::new("bytes", bytes, "B")
            .aim(Aim::AtMost(30.0 * 1_024.0))
            .peer("helios-hfs 2.5 MB")
            .how(format!("body as sent, content-encoding {coding}")),
        Figure::new("p50_ms", times.ms(0.5), "ms").how("asked 100 times"),
    ])
}
