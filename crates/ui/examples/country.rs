//! Several levels of a country, to look at the pages of the road, of counts and of facilities:
//! `cargo run -p ondol-ui --example country 8090`. It prints an address and the cookies of
//! somebody who is signed in there for each. Its clock stands still, and nothing is kept.

#[path = "../tests/browser/mod.rs"]
mod browser;
#[path = "../../app/tests/support/mod.rs"]
mod support;

use ondol_access::Role;
use ondol_app::road::LinkReport;
use ondol_kernel::NodeId;
use ondol_ui::Trust;
use serde_json::json;
use support::{Country, Facility};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let first: u16 = std::env::args().nth(1).unwrap_or_default().parse().unwrap_or(8090);
    let country = Country::new();
    fill(&country)?;
    let practice = Facility::practice();
    let mut servers = tokio::task::JoinSet::new();
    let seats = [
        (country.clinic(), Role::HealthWorker),
        (country.county(), Role::FacilityManager),
        (country.province(), Role::ProvinceOfficer),
        (country.ministry(), Role::MinistryOfficer),
    ];
    for (port, (facility, role)) in (first..).zip(seats) {
        let entered = facility.signed_in("리영희", &[role]);
        let root_der = (0..180).collect();
        let trust = Trust { root_der, https: "https://192.168.1.5:8443".into() };
        let room = ondol_ui::Ui::new(practice.app.clone()).with_door(facility.app.clone());
        let room = ondol_ui::router(room, browser::frame(&practice.app));
        let pages = ondol_ui::rooms(browser::pages(&facility.app), room);
        let pages = ondol_ui::with_trust(pages, trust);
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        println!("http://127.0.0.1:{port} {} {}", entered.session, entered.station);
        servers.spawn(async move { axum::serve(listener, pages).await });
    }
    while let Some(ended) = servers.join_next().await {
        ended??;
    }
    Ok(())
}

fn fill(country: &Country) -> Result<(), ondol_app::AppError> {
    country.carry();
    for facility in [country.clinic(), country.county(), country.specialist()] {
        work(facility, if facility.seat.id == "clinic" { 7 } else { 31 });
    }
    let county = country.county();
    let manager = county.person(Role::FacilityManager);
    county.app.set_duty_service(&manager, "emergency", "02-381-119", None)?;
    country.pass_minutes(31);
    for facility in country.all() {
        facility.app.count_tick()?;
    }
    country.carry();
    // The specialist falls silent, the clinic's line is cut while much waits.
    country.pass_minutes(3 * 24 * 60);
    for facility in country.all().iter().filter(|one| one.seat.id != "specialist") {
        facility.app.count_tick()?;
    }
    country.carry();
    work(country.clinic(), 12);
    let picture: Vec<u8> = vec![1; 640_000];
    let hash = country.clinic().app.keep_blob(&picture)?;
    let (clinic, county) = (country.clinic(), country.county());
    county.app.want_blob(hash, ondol_kernel::Class::Bulk)?;
    for message in county.app.outgoing(clinic.seat.node(), ondol_kernel::Class::Bulk, 9)? {
        let (from, class) = (county.seat.node(), ondol_kernel::Class::Bulk);
        clinic.app.arrive(from, class, message.number, &message.bytes)?;
    }
    let courier = clinic.person(Role::HealthWorker);
    clinic.app.stick_for(&courier, county.seat.node())?;
    link(clinic, county.seat.node(), false, 9_600, 612);
    link(county, clinic.seat.node(), false, 9_600, 612);
    link(county, country.province().seat.node(), true, 64_000, 304);
    link(country.province(), county.seat.node(), true, 64_000, 304);
    link(country.ministry(), country.province().seat.node(), true, 256_000, 151);
    Ok(())
}

fn link(at: &Facility, to: NodeId, is_up: bool, rate_bps: u64, rtt_ms: u64) {
    let now = at.app.now();
    let report = LinkReport {
        is_up,
        since: now.plus(-47 * 60_000),
        rate_bps,
        rtt_ms: Some(rtt_ms),
        loss: 0.021,
        acknowledged: Some(now.plus(-49 * 60_000)),
        ..LinkReport::default()
    };
    at.app.report_link(to, report);
}

/// A morning's work, of people without a story.
fn work(facility: &Facility, many: u64) {
    let here = facility.app.place().organization();
    let now = facility.app.now();
    for number in 0..many {
        let id = format!("{}-{}-{number}", facility.seat.id, now.0);
        let patient = json!({"resourceType": "Patient", "name": [{"text": "김보배"}],
            "managingOrganization": {"reference": here}});
        facility.put(&id, patient);
        let visit = json!({"resourceType": "Encounter", "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": {"reference": format!("Patient/{id}")},
            "serviceProvider": {"reference": here},
            "period": {"start": now.to_fhir(540), "end": now.to_fhir(540)}});
        facility.put(&format!("v-{id}"), visit);
    }
}
