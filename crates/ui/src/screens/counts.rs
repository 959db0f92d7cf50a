//! How much was done, here and below: numbers, and no names.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use ondol_app::reports::{Cell, SMALL_MAX, THINGS};
use ondol_kernel::Date;

use super::road::tier_of;
use crate::form::Form;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Tab;

/// `/counts`.
pub fn routes() -> Router<Ui> {
    Router::new().route("/counts", get(show))
}

/// The spans that can be chosen, days. There are three and no free choice: of two spans that
/// differ by a day the difference would tell the day.
const SPANS: [i64; 3] = [1, 7, 30];

#[derive(Template)]
#[template(path = "counts/counts.html")]
struct CountsPage {
    t: T,
    page: Page,
    tabs: Vec<Tab>,
    from: Date,
    to: Date,
    things: Vec<String>,
    rows: Vec<Row>,
    total: Vec<Shown>,
    small_hidden: bool,
    small_max: u64,
    /// The facilities of which a number is missing.
    lacking: String,
}

struct Row {
    name: String,
    tier: String,
    cells: Vec<Shown>,
    /// The last day with a report, as far as that is not today.
    last: String,
}

/// A number as it is shown.
struct Shown {
    thing: String,
    text: String,
    is_zero: bool,
}

async fn show(
    page: Page,
    who: SignedIn,
    ui: State<Ui>,
    form: Form,
) -> Result<impl IntoResponse, Trouble> {
    let t = page.t;
    let days = SPANS.into_iter().find(|days| form.value("days") == days.to_string());
    let days = days.unwrap_or(SPANS[0]);
    let to = page.today();
    let from = Date::from_days(to.days() - days + 1).unwrap_or(to);
    let counts = ui.run(move |app| app.counts(&who.actor, from, to)).await?;
    let tabs = SPANS.into_iter().map(|span| Tab {
        href: format!("/counts?days={span}"),
        label: if span == 1 {
            t.get("counts-today")
        } else {
            t.msg("counts-days").arg("n", span).to_string()
        },
        current: span == days,
        count: None,
    });
    let tabs = tabs.collect();
    let things: Vec<String> = THINGS.iter().map(|thing| named(t, thing)).collect();
    let cells = |cells: &[Cell]| -> Vec<Shown> {
        cells.iter().zip(&things).map(|(cell, thing)| shown(t, *cell, thing)).collect()
    };
    let rows = counts.rows.iter().map(|row| Row {
        name: if row.name.is_empty() { row.facility.to_string() } else { row.name.clone() },
        tier: row.tier.map_or_else(String::new, |tier| tier_of(t, tier)),
        cells: cells(&row.cells),
        last: match row.last_day {
            Some(day) if day >= to => String::new(),
            Some(day) => t.msg("counts-last").arg("date", page.date(&day)).to_string(),
            None => t.get("counts-never"),
        },
    });
    let rows = rows.collect();
    let total = cells(&counts.total);
    let small_hidden = counts.small_hidden;
    let small_max = SMALL_MAX;
    let lacking = counts.lacking.join(", ");
    Ok(Screen(CountsPage {
        t,
        page,
        tabs,
        from,
        to,
        things,
        rows,
        total,
        small_hidden,
        small_max,
        lacking,
    }))
}

fn shown(t: T, cell: Cell, thing: &str) -> Shown {
    let text = match cell {
        Cell::Exact(number) => number.to_string(),
        Cell::Small => t.msg("counts-small").arg("max", SMALL_MAX).to_string(),
        Cell::Missing => t.get("counts-missing"),
        Cell::AtLeast(number) => t.msg("counts-at-least").arg("n", number).to_string(),
    };
    Shown { thing: thing.to_owned(), text, is_zero: cell == Cell::Exact(0) }
}

fn named(t: T, thing: &str) -> String {
    match thing {
        "encounters" => t.get("counts-encounters"),
        "registered" => t.get("counts-registered"),
        "consults-asked" => t.get("counts-consults-asked"),
        "consults-answered" => t.get("counts-consults-answered"),
        "referrals" => t.get("counts-referrals"),
        "emergencies" => t.get("counts-emergencies"),
        other => other.to_owned(),
    }
}
