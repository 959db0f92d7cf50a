//! The facility's settings: after how long somebody is told.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ondol_access::Role;
use ondol_app::consult::ConsultSettings;

use crate::form::Form;
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;

/// `/settings`.
pub fn routes() -> Router<Ui> {
    Router::new().route("/settings", get(ask).post(save))
}

/// More than this is no time in which anybody would still be helped: 30 days in minutes.
const LONGEST_MIN: u32 = 30 * 24 * 60;

#[derive(Template)]
#[template(path = "settings/settings.html")]
struct Settings {
    t: T,
    page: Page,
    form: Form,
    may_change: bool,
    /// The policy `bring-records` lets administrators.
    may_import: bool,
}

/// The policy `set-own-facility` lets these change settings; the page is for all to read.
fn may_change(who: &SignedIn) -> bool {
    who.is(Role::Administrator) || who.is(Role::FacilityManager)
}

async fn ask(page: Page, who: SignedIn, ui: State<Ui>) -> Result<Response, Trouble> {
    let now = ui.run(|app| app.consult_settings()).await?;
    let form = Form::of([
        ("escalate", now.escalate_after_min.to_string()),
        ("acknowledge", now.acknowledge_within_h.to_string()),
        ("outcome", now.outcome_after_h.to_string()),
        ("arrival", now.arrival_grace_h.to_string()),
        ("release-emergency", now.release_emergency_min.to_string()),
        ("release-urgent", now.release_urgent_h.to_string()),
        ("release-routine", now.release_routine_h.to_string()),
    ]);
    Ok(show(page, &who, form))
}

fn show(page: Page, who: &SignedIn, form: Form) -> Response {
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let t = page.t;
    let (may_change, may_import) = (may_change(who), who.is(Role::Administrator));
    (status, Screen(Settings { t, page, form, may_change, may_import })).into_response()
}

async fn save(
    page: Page,
    who: SignedIn,
    ui: State<Ui>,
    mut form: Form,
) -> Result<Response, Trouble> {
    let t = page.t;
    let mut number = |name: &str, label: String, max: u32| {
        let typed = form.number(name).and_then(|text| text.parse::<u32>().ok());
        let fine = typed.filter(|number| (1..=max).contains(number));
        if fine.is_none() {
            form.complain(name, label, t.msg("settings-range").arg("max", max));
        }
        fine.unwrap_or(1)
    };
    let hours = LONGEST_MIN / 60;
    let settings = ConsultSettings {
        escalate_after_min: number("escalate", t.get("settings-escalate"), LONGEST_MIN),
        acknowledge_within_h: number("acknowledge", t.get("settings-acknowledge"), hours),
        outcome_after_h: number("outcome", t.get("settings-outcome"), hours),
        arrival_grace_h: number("arrival", t.get("settings-arrival"), hours),
        release_emergency_min: number(
            "release-emergency",
            t.get("settings-release-emergency"),
            LONGEST_MIN,
        ),
        release_urgent_h: number("release-urgent", t.get("settings-release-urgent"), hours),
        release_routine_h: number("release-routine", t.get("settings-release-routine"), hours),
    };
    if !form.is_fine() {
        return Ok(show(page, &who, form));
    }
    ui.run(move |app| app.set_consult_settings(&who.actor, settings)).await?;
    Ok(page.done("/settings", key!("note-saved")))
}
