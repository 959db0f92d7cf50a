//! The tally of a month.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use ondol_app::papers::{AGE_GROUPS, Cell, Tally, TallyLine};

use crate::form::Form;
use crate::page::Page;
use crate::screen::Screen;
use crate::screens::people::shown;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;

/// A line in words.
struct Line {
    label: String,
    code: String,
    cells: Vec<String>,
    all: String,
}

#[derive(Template)]
#[template(path = "papers/month.html")]
struct Month {
    t: T,
    page: Page,
    title: String,
    before: String,
    after: Option<String>,
    groups: Vec<String>,
    people: String,
    lines: Vec<Line>,
}

fn cell(cell: Cell) -> String {
    match cell {
        Cell::Count(0) => "·".to_owned(),
        Cell::Count(count) => count.to_string(),
        Cell::Few => "<5".to_owned(),
    }
}

fn line(label: String, of: &TallyLine) -> Line {
    let mut cells: Vec<String> = of.groups.iter().flatten().map(|one| cell(*one)).collect();
    cells.push(cell(of.other));
    Line { label, code: of.code.clone().unwrap_or_default(), cells, all: cell(of.all) }
}

fn lines(t: T, tally: &Tally) -> Vec<Line> {
    let mut lines = vec![line(t.get("papers-visits"), &tally.visits)];
    lines.extend(
        tally.diagnoses.iter().map(|of| line(shown::diagnosis(t, of.code.as_deref(), ""), of)),
    );
    if tally.uncoded.all != Cell::Count(0) {
        lines.push(line(t.get("papers-uncoded"), &tally.uncoded));
    }
    lines
}

fn groups(t: T) -> Vec<String> {
    let mut groups: Vec<String> = AGE_GROUPS
        .iter()
        .map(|group| match group.below {
            Some(1) => t.get("papers-below-one"),
            Some(below) => format!("{}–{}", group.from, below - 1),
            None => format!("{}+", group.from),
        })
        .collect();
    groups.push(t.get("papers-age-unknown"));
    groups
}

/// `?month=2026-03`; this month without it.
pub async fn month(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    asked: Form,
) -> Result<Response, Trouble> {
    let t = page.t;
    let today = page.today();
    let (year, month) = match asked.value("month") {
        "" => (today.year(), today.month()),
        text => parse(text).ok_or(Trouble::NotFound)?,
    };
    let tally = ui.run(move |app| app.tally(&who.actor, year, month)).await?;
    let href = |year: i32, month: u8| format!("/papers/month?month={year:04}-{month:02}");
    let before = if month == 1 { href(year - 1, 12) } else { href(year, month - 1) };
    let is_past = (year, month) < (today.year(), today.month());
    let after =
        is_past.then(|| if month == 12 { href(year + 1, 1) } else { href(year, month + 1) });
    let title = t
        .msg("papers-month")
        .arg("year", year.to_string())
        .arg("month", month.to_string())
        .to_string();
    let (groups, lines, people) = (groups(t), lines(t, &tally), cell(tally.people));
    Ok(Screen(Month { t, page, title, before, after, groups, people, lines }).into_response())
}

fn parse(text: &str) -> Option<(i32, u8)> {
    let (year, month) = text.split_once('-')?;
    let (year, month): (i32, u8) = (year.parse().ok()?, month.parse().ok()?);
    ((1..=9999).contains(&year) && (1..=12).contains(&month)).then_some((year, month))
}
