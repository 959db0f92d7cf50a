//! The register of a day.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use ondol_app::papers::DayRow;
use ondol_kernel::Date;

use crate::form::Form;
use crate::page::Page;
use crate::screen::Screen;
use crate::screens::encounter::said;
use crate::screens::people::shown;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;

/// A line of the register.
struct Line {
    patient: Patient,
    at: String,
    address: String,
    complaint: String,
    diagnoses: String,
    medicines: String,
    outcome: String,
    by: String,
}

#[derive(Template)]
#[template(path = "papers/day.html")]
struct Register {
    t: T,
    page: Page,
    date: String,
    before: Option<String>,
    after: Option<String>,
    lines: Vec<Line>,
}

fn line(page: &Page, row: &DayRow) -> Line {
    let t = page.t;
    let visit = &row.visit;
    let diagnoses: Vec<String> = visit
        .diagnoses
        .iter()
        .map(|one| shown::diagnosis(t, one.code.as_deref(), &one.words))
        .collect();
    let medicines: Vec<String> = visit.medicines.iter().map(|one| said::medicine(t, one)).collect();
    Line {
        patient: shown::in_list(page, &row.person),
        at: page.clock(&visit.at),
        address: shown::address(&row.person),
        complaint: visit.complaint.clone(),
        diagnoses: diagnoses.join("; "),
        medicines: medicines.join("; "),
        outcome: if visit.open { t.get("papers-stays") } else { t.get("papers-went-home") },
        by: visit.by.clone(),
    }
}

/// `?date=2026-03-02`; today without it.
pub async fn day(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    asked: Form,
) -> Result<Response, Trouble> {
    let date = match asked.value("date") {
        "" => page.today(),
        text => Date::parse(text).ok_or(Trouble::NotFound)?,
    };
    let day = ui.run(move |app| app.day(&who.actor, date)).await?;
    let href = |days: i64| {
        let other = Date::from_days(date.days() + days).filter(|other| *other <= page.today());
        other.map(|other| format!("/papers/day?date={other}"))
    };
    let (before, after) = (href(-1), href(1));
    let lines = day.rows.iter().map(|row| line(&page, row)).collect();
    let shown = page.date(&date);
    Ok(Screen(Register { t: page.t, page, date: shown, before, after, lines }).into_response())
}
