//! Somebody without a relation to this facility: received because they are here, or, in an
//! emergency, opened by breaking the glass.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};

use super::{complain, id, same_chart, typed};
use crate::form::Form;
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;

/// A chart that stays closed: what can be done about it.
#[derive(Template)]
#[template(path = "people/closed.html")]
pub struct Closed {
    t: T,
    page: Page,
    chart: String,
}

impl Closed {
    /// The page for a chart.
    pub fn of(page: Page, chart: String) -> Response {
        (axum::http::StatusCode::FORBIDDEN, Screen(Self { t: page.t, page, chart })).into_response()
    }
}

/// Receives a person who is here.
pub async fn receive(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
    form: Form,
) -> Result<Response, Trouble> {
    let id = id(&path)?;
    same_chart(&form, &id)?;
    ui.run(move |app| app.receive(&who.actor, &id)).await?;
    Ok(page.done(&format!("/people/{path}"), key!("note-people-received")))
}

#[derive(Template)]
#[template(path = "people/glass.html")]
struct Glass {
    t: T,
    page: Page,
    chart: String,
    form: Form,
}

/// Asks for the reason.
pub async fn ask_glass(
    page: Page,
    _: SignedIn,
    Path(path): Path<String>,
) -> Result<Response, Trouble> {
    let chart = id(&path)?.to_string();
    Ok(Screen(Glass { t: page.t, page, chart, form: Form::default() }).into_response())
}

/// Breaks the glass.
pub async fn break_glass(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
    mut form: Form,
) -> Result<Response, Trouble> {
    let id = id(&path)?;
    same_chart(&form, &id)?;
    let reason = form.value("reason").to_owned();
    match ui.run(move |app| app.break_glass(&who.actor, &id, &reason)).await {
        Ok(()) => Ok(page.done(&format!("/people/{path}"), key!("note-people-glass"))),
        Err(why) => {
            complain(page.t, &mut form, &typed::labels(page.t), why)?;
            let screen = Glass { t: page.t, page, chart: path, form: form.clone() };
            Ok(super::shown(&form, Screen(screen)))
        }
    }
}
