//! The patient summary on paper: what whoever treats next has to know.

use askama::Template;
use askama::filters::Safe;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use ondol_app::encounter::Allergies;
use ondol_app::rest::{Listed, SummaryItem};

use crate::page::Page;
use crate::qr;
use crate::screen::Screen;
use crate::screens::encounter;
use crate::screens::people::{id, shown};
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;

/// A section.
struct Part {
    title: String,
    lines: Vec<Line>,
    /// What is said where there is nothing.
    none: String,
}

/// A statement.
struct Line {
    words: String,
    detail: String,
    day: String,
}

#[derive(Template)]
#[template(path = "papers/summary.html")]
struct Print {
    t: T,
    page: Page,
    patient: Patient,
    parts: Vec<Part>,
    home: String,
    qr: Safe<String>,
}

fn words(t: T, item: &SummaryItem) -> String {
    match &item.listed {
        Some(Listed::Medicine(atc)) => shown::medicine(t, atc, &item.words),
        Some(Listed::Illness(code)) => shown::diagnosis(t, Some(code), &item.words),
        Some(Listed::Pressure) => t.get("encounter-pressure"),
        Some(Listed::Vital(key)) => encounter::said::label(t, key),
        None => item.words.clone(),
    }
}

/// What was measured, and how much is taken or what happened.
fn detail(t: T, item: &SummaryItem) -> String {
    let measured = item.measured_in_words(|unit| encounter::said::unit(t, unit));
    let parts = [measured, item.detail.clone()].into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(", ")
}

/// What a section is called here, by its LOINC code.
fn title(t: T, code: &str) -> String {
    match code {
        "48765-2" => t.get("people-allergies"),
        "10160-0" => t.get("papers-summary-medicines"),
        "11450-4" => t.get("papers-summary-problems"),
        "11369-6" => t.get("papers-summary-shots"),
        "47519-4" => t.get("papers-summary-procedures"),
        "46264-8" => t.get("papers-summary-devices"),
        "30954-2" => t.get("papers-summary-results"),
        "8716-3" => t.get("papers-summary-vitals"),
        "11348-0" => t.get("papers-summary-past"),
        _ => t.get("papers-summary-pregnancy"),
    }
}

/// The sheet.
pub async fn summary(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
) -> Result<Response, Trouble> {
    let id = id(&path)?;
    let (card, safety, summary) = ui
        .run(move |app| {
            let card = app.card(&who.actor, &id)?;
            let (_, safety) = app.safety(&who.actor, &id)?;
            Ok((card, safety, app.printed_summary(&who.actor, &id)?))
        })
        .await?;
    let t = page.t;
    let none = |code: &str| match (code, &safety.allergies) {
        ("48765-2", Allergies::NotAsked) => t.get("allergy-not-asked"),
        ("48765-2", _) => t.get("allergy-none"),
        _ => t.get("papers-summary-none"),
    };
    let part = |(code, items): (&str, &[SummaryItem])| {
        let nothing_known = code == "48765-2" && !matches!(safety.allergies, Allergies::Known(_));
        let line = |item: &SummaryItem| Line {
            words: words(t, item),
            detail: detail(t, item),
            day: page.date(&item.at.local(page.utc_offset_minutes).0),
        };
        let lines = if nothing_known { vec![] } else { items.iter().map(line).collect() };
        Part { title: title(t, code), lines, none: none(code) }
    };
    let parts = summary.sections().map(part).collect();
    let number = card.banner.person.number().map(|number| number.value.clone());
    let number = number.unwrap_or_default();
    let qr = qr::svg(&format!("ondol:p:{number}"), &number).map_err(Trouble::broken)?;
    let patient = shown::banner(&page, &card.banner);
    Ok(Screen(Print { t, page, patient, parts, home: card.home, qr }).into_response())
}
