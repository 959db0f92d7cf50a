//! The first page: find or register, today's patients, waiting work.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ondol_access::Role;
use ondol_app::AppError;
use ondol_app::encounter::GlassAlert;
use ondol_app::papers::{Day, DayRow};

use super::people::shown;
use crate::form::Form;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;

/// `/`.
pub fn routes() -> Router<Ui> {
    Router::new().route("/", get(home))
}

/// A large door.
struct Door {
    href: &'static str,
    icon: &'static str,
    label: String,
    text: String,
}

/// A line of today's list.
struct Line {
    patient: Patient,
    at: String,
    what: String,
    open: bool,
}

#[derive(Template)]
#[template(path = "home/home.html")]
struct Home {
    t: T,
    page: Page,
    form: Form,
    doors: Vec<Door>,
    treats: bool,
    today: Vec<Line>,
    still_open: Vec<Line>,
    /// Charts of this facility that were opened elsewhere in an emergency.
    glass: Vec<GlassAlert>,
    /// How many pairs of charts are probably of one person, those elsewhere counted; empty if not all
    /// were looked at.
    pairs: Option<String>,
}

/// Those who treat.
fn treats(who: &SignedIn) -> bool {
    [Role::HealthWorker, Role::Nurse, Role::Doctor, Role::Specialist, Role::SectionDoctor]
        .into_iter()
        .any(|role| who.is(role))
}

/// Where everybody can go from the first page, by what they do here.
fn doors(t: T, who: &SignedIn) -> Vec<Door> {
    let door = |href, icon, label, text| Door { href, icon, label, text };
    let mut doors = vec![];
    if treats(who) {
        doors.push(door("/people/new", "plus", t.get("home-new"), t.get("home-new-what")));
        doors.push(door("/inbox", "send", t.get("home-consults"), t.get("home-consults-what")));
        doors.push(door("/stock", "pill", t.get("stock-title"), t.get("stock-short")));
        doors.push(door(
            "/papers/downtime",
            "paper",
            t.get("home-paper"),
            t.get("home-paper-what"),
        ));
    }
    if treats(who) || who.is(Role::FacilityManager) {
        doors.push(door("/papers", "printer", t.get("home-papers"), t.get("home-papers-what")));
    }
    let officer = [Role::CountyOfficer, Role::ProvinceOfficer, Role::MinistryOfficer]
        .into_iter()
        .any(|role| who.is(role));
    if officer || who.is(Role::FacilityManager) {
        doors.push(door("/counts", "check", t.get("counts-title"), t.get("counts-no-names")));
    }
    if officer {
        let (title, what) = (t.get("facilities-title"), t.get("facilities-short"));
        doors.push(door("/facilities", "road", title, what));
    }
    doors.push(door("/duty", "clock", t.get("home-duty"), t.get("home-duty-what")));
    if who.is(Role::Administrator) {
        doors.push(door("/staff", "people", t.get("home-staff"), t.get("home-staff-what")));
    }
    if who.is(Role::Administrator) || who.is(Role::FacilityManager) {
        let (title, what) = (t.get("settings-title"), t.get("settings-short"));
        doors.push(door("/settings", "pencil", title, what));
    }
    doors
}

fn line(page: &Page, row: &DayRow) -> Line {
    let t = page.t;
    let visit = &row.visit;
    let first = visit.diagnoses.first();
    let what = match first {
        Some(one) => shown::diagnosis(t, one.code.as_deref(), &one.words),
        None => visit.complaint.clone(),
    };
    Line {
        patient: shown::in_list(page, &row.person),
        at: page.when(&visit.at),
        what: if visit.only_arrived { t.get("home-waits") } else { what },
        open: visit.open,
    }
}

async fn home(page: Page, ui: State<Ui>, who: SignedIn) -> Result<Response, Trouble> {
    let t = page.t;
    let (actor, today) = (who.actor.clone(), page.today());
    let day = if treats(&who) {
        match ui.run(move |app| app.day(&actor, today)).await {
            Err(AppError::Denied(_)) => None,
            other => Some(other?),
        }
    } else {
        None
    };
    let treats = day.is_some();
    let Day { mut rows, still_open, .. } =
        day.unwrap_or(Day { date: today, rows: vec![], still_open: vec![] });
    // The newest stands first here; those who wait before those who were seen.
    rows.reverse();
    rows.sort_by_key(|row| !row.visit.open);
    let lines = |rows: &[DayRow]| rows.iter().map(|row| line(&page, row)).collect();
    let (today, still_open) = (lines(&rows), lines(&still_open));
    let doors = doors(t, &who);
    let glass = if treats {
        let actor = who.actor.clone();
        ui.run(move |app| app.new_glass_alerts(&actor)).await?
    } else {
        vec![]
    };
    let pairs = if treats {
        let actor = who.actor.clone();
        let count = ui
            .run(move |app| Ok((app.possible_pairs_count(&actor)?, app.elsewhere_count(&actor)?)));
        match count.await? {
            ((0, true), 0) => None,
            ((count, true), elsewhere) => Some((count + elsewhere).to_string()),
            ((_, false), _) => Some(String::new()),
        }
    } else {
        None
    };
    let form = Form::default();
    Ok(Screen(Home { t, page, form, doors, treats, today, still_open, glass, pairs })
        .into_response())
}
