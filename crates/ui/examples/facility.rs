//! A clinic with some people, to look at its pages:
//! `cargo run -p ondol-ui --example facility 8080`, then sign in as `admin1`, `manager` or
//! `worker` with the password that is printed. Its clock stands still, and nothing is kept.
//! `--empty` shows the first run.

#[path = "../tests/browser/mod.rs"]
mod browser;
#[path = "../../app/tests/support/mod.rs"]
mod support;

use ondol_access::{Role, RoleSet};
use ondol_app::duty::NewTurn;
use support::{Facility, MONDAY_8, PASSWORD};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().unwrap_or_default().parse().unwrap_or(8080);
    let facility = Facility::new();
    if arguments.next().as_deref() != Some("--empty") {
        fill(&facility)?;
        println!("password: {PASSWORD}");
    }
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, browser::pages(&facility.app)).await?;
    Ok(())
}

fn fill(facility: &Facility) -> Result<(), ondol_app::AppError> {
    let admin = facility.administrator();
    let app = &facility.app;
    for (login, name, roles) in [
        ("manager", "박정숙", RoleSet::EMPTY.with(Role::FacilityManager).with(Role::Doctor)),
        ("worker", "리용희", RoleSet::EMPTY.with(Role::HealthWorker)),
        ("nurse", "최은경", RoleSet::EMPTY.with(Role::Nurse)),
        ("doctor", "김철민", RoleSet::EMPTY.with(Role::Doctor)),
    ] {
        let given = app.add_person(&admin, support::new_person(name, login, roles))?;
        if login != "doctor" {
            let first = app.sign_in(login, &given.0, None, None)?;
            app.change_password(&first.who, &first.session, (&given.0, PASSWORD))?;
            app.set_pin(&first.who, PASSWORD, "4711")?;
        }
    }
    let manager = app.sign_in("manager", PASSWORD, None, None)?.who.actor;
    let worker = app.sign_in("worker", PASSWORD, None, None)?.who.actor;
    let nurse = app.sign_in("nurse", PASSWORD, None, None)?.who.actor;
    app.set_duty_service(&manager, "emergency", "02-381-119", Some(manager.id()))?;
    app.set_duty_service(&manager, "general-practice", "02-381-120", None)?;
    for (day, who, deputy) in [(0, &worker, &nurse), (1, &nurse, &manager), (3, &worker, &manager)]
    {
        app.add_turn(
            &manager,
            NewTurn {
                service: "emergency".into(),
                who: who.id().clone(),
                deputy: Some(deputy.id().clone()),
                from: MONDAY_8.plus(day * 86_400_000 - 3_600_000),
                to: MONDAY_8.plus(day * 86_400_000 + 43_200_000),
            },
        )?;
    }
    app.check_in(&nurse, "general-practice")
}
