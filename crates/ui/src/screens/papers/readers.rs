//! Who has seen a chart, for the patient.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use ondol_access::{Action, Relation};
use ondol_app::AppError;
use ondol_app::encounter::{GlassAlert, Reader};
use ondol_app::national::ASKED_INDEX;

use crate::page::Page;
use crate::screen::Screen;
use crate::screens::people::{id, shown};
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;
use crate::words;

/// A line of the list.
struct Line {
    at: String,
    name: String,
    role: String,
    what: String,
    why: String,
}

#[derive(Template)]
#[template(path = "papers/readers.html")]
struct Print {
    t: T,
    page: Page,
    patient: Patient,
    lines: Vec<Line>,
    alerts: Vec<GlassAlert>,
}

fn what(t: T, action: Option<Action>) -> String {
    match action {
        Some(Action::SearchPerson) => t.get("papers-did-search"),
        Some(Action::ReadSafetySummary) => t.get("papers-did-summary"),
        Some(Action::ReadPrescription) => t.get("papers-did-prescription"),
        Some(Action::ReadChart) => t.get("papers-did-chart"),
        Some(Action::PrintChart) => t.get("papers-did-print"),
        Some(Action::PrintReaders) => t.get("papers-did-readers"),
        Some(Action::ReviewAlerts) => t.get("papers-did-alerts"),
        Some(Action::BreakGlass) => t.get("papers-did-glass"),
        Some(
            Action::ReadConsult
            | Action::FollowConsult
            | Action::TakeConsult
            | Action::AnswerConsult,
        ) => t.get("papers-did-consult"),
        Some(Action::FollowReferral | Action::ReceiveReferral) => t.get("papers-did-referral"),
        _ => t.get("papers-did-other"),
    }
}

fn why(t: T, relation: Option<Relation>) -> String {
    match relation {
        Some(Relation::HomeFacility) => t.get("papers-why-home"),
        Some(Relation::SectionDoctor) => t.get("papers-why-section-doctor"),
        Some(Relation::OpenEncounter) => t.get("papers-why-visit"),
        Some(Relation::ReferredHere | Relation::ReferredFromHere) => t.get("papers-why-referral"),
        Some(Relation::EmergencyDuty) => t.get("papers-why-emergency"),
        Some(
            Relation::ConsultFromHere
            | Relation::ConsultAddressed
            | Relation::ConsultTaken
            | Relation::ConsultOversight,
        ) => t.get("papers-why-consult"),
        Some(Relation::EntryAuthor) => t.get("papers-why-author"),
        Some(Relation::BrokenGlass) => t.get("papers-why-glass"),
        _ => t.get("papers-why-none"),
    }
}

fn line(page: &Page, reader: &Reader) -> Line {
    let t = page.t;
    let role = reader.role.map_or_else(String::new, |role| words::role(t, role));
    let mut why = why(t, reader.relation);
    if &*reader.reason == ASKED_INDEX {
        why = format!("{why}: {}", t.get("papers-why-index"));
    } else if !reader.reason.is_empty() {
        why = format!("{why}: {}", reader.reason);
    }
    let name =
        if reader.name.is_empty() { t.get("papers-name-unknown") } else { reader.name.clone() };
    Line { at: page.stamp(&reader.at), name, role, what: what(t, reader.action), why }
}

/// The list.
pub async fn readers(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
) -> Result<Response, Trouble> {
    let (actor, patient) = (who.actor.clone(), id(&path)?);
    let (banner, readers, alerts) = ui
        .run(move |app| {
            let banner = app.banner(&actor, &patient)?;
            let readers = app.readers(&actor, &patient)?;
            // Only the home facility was told of broken glass.
            let alerts = match app.glass_alerts(&actor, &patient) {
                Err(AppError::Denied(_)) => vec![],
                other => other?,
            };
            Ok((banner, readers, alerts))
        })
        .await?;
    let lines = readers.iter().map(|reader| line(&page, reader)).collect();
    let patient = shown::banner(&page, &banner);
    Ok(Screen(Print { t: page.t, page, patient, lines, alerts }).into_response())
}
