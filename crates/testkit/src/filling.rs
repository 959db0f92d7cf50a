//! What stands in the demo's country before anybody works in it.

use std::fs;

use ondol_kernel::Date;

use crate::{
    http::HttpError,
    node::{Country, DutyPost, NodeError, PASSWORD, Seat},
    population,
    visitor::{Seen, Visitor},
};

/// Loads the made-up residents of the village at its clinic, once. The clinic must not run.
pub fn village(
    country: &mut Country,
    seed: u64,
    people: usize,
    today: Date,
) -> Result<(), NodeError> {
    country.once("village", |country| {
        let file = country.dir().join("village.ndjson");
        let bundles = population::village(seed, people, today);
        let lines: Vec<String> = bundles.iter().map(ToString::to_string).collect();
        fs::write(&file, lines.join("\n") + "\n").map_err(NodeError::io("the village's file"))?;
        country.command(Seat::Clinic, &["import", &file.display().to_string()])?;
        let _ = fs::remove_file(&file);
        Ok(())
    })
}

/// Puts people on duty for this week, on the screens, as the managers of the facilities would,
/// and lets them check in. What is there already stays. The nodes must run.
pub fn rosters(country: &Country) -> Result<(), NodeError> {
    for seat in Seat::ALL {
        let (posts, Some(manager)) = (seat.duties(), seat.manager()) else { continue };
        if posts.is_empty() {
            continue;
        }
        let base = country.url(seat);
        let mut visitor = signed_in(base, manager.login)?;
        for post in posts {
            list(&mut visitor, seat, post)?;
        }
        for post in posts {
            let mut visitor = signed_in(base, post.login)?;
            let duty = visitor.get("/duty")?;
            if duty.body.contains("action=\"/duty/in\"") {
                done("check-in", &visitor.post("/duty/in", &[("service", post.service)])?)?;
            }
        }
    }
    Ok(())
}

/// Lists somebody for each day of this week that has nobody.
fn list(visitor: &mut Visitor, seat: Seat, post: &DutyPost) -> Result<(), NodeError> {
    let duty = visitor.get("/duty")?;
    if !duty.body.contains(&format!("service={}\"", post.service)) {
        visitor.get("/duty/service")?;
        let fields = [("service", post.service), ("phone", post.phone), ("coordinator", "")];
        done("a service", &visitor.post("/duty/service", &fields)?)?;
    }
    let week = visitor.get("/duty/week")?;
    let name = seat.person(post.login).map_or("", |person| person.name);
    let days = week.values_of("days");
    if week.body.contains(&format!("<br>{name}")) || days.is_empty() {
        return Ok(());
    }
    let who = week.choice(name).unwrap_or_default().to_owned();
    let mut fields = vec![("service", post.service), ("who", &who), ("shift", "whole")];
    fields.extend(days.iter().map(|day| ("days", *day)));
    done("a roster", &visitor.post("/duty/week", &fields)?)
}

fn signed_in(base: &str, login: &str) -> Result<Visitor, HttpError> {
    let mut visitor = Visitor::new(base, "ko-KP");
    visitor.sign_in(login, PASSWORD)?;
    Ok(visitor)
}

fn done(what: &str, seen: &Seen) -> Result<(), NodeError> {
    if seen.status < 400 {
        return Ok(());
    }
    let said = format!("HTTP {} at {}", seen.status, seen.path);
    Err(NodeError::Command { command: what.to_owned(), said })
}
