//! One thing to do with a consult, each on a page of its own.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ondol_app::consult::{Answer, ConsultView, OUTCOMES, UNKNOWN_AFTER_MS, priority_of};
use ondol_app::{Actor, App, AppError};
use ondol_kernel::{Class, ResourceId};

use super::page::AboutShown;
use super::shown::Shown;
use super::{given_id, words};
use crate::form::{Choice, Form};
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::screens::people;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;

/// What can be done, by the word in the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Take,
    Join,
    Release,
    ReleaseSilent,
    Message,
    Answer,
    Acknowledge,
    Regrade,
    Redirect,
    Outcome,
    Close,
}

impl Task {
    const ALL: [Self; 11] = [
        Self::Take,
        Self::Join,
        Self::Release,
        Self::ReleaseSilent,
        Self::Message,
        Self::Answer,
        Self::Acknowledge,
        Self::Regrade,
        Self::Redirect,
        Self::Outcome,
        Self::Close,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Take => "take",
            Self::Join => "join",
            Self::Release => "release",
            Self::ReleaseSilent => "release-silent",
            Self::Message => "message",
            Self::Answer => "answer",
            Self::Acknowledge => "acknowledge",
            Self::Regrade => "regrade",
            Self::Redirect => "redirect",
            Self::Outcome => "outcome",
            Self::Close => "close",
        }
    }

    fn of(word: &str) -> Result<Self, Trouble> {
        Self::ALL.into_iter().find(|task| task.word() == word).ok_or(Trouble::NotFound)
    }

    fn title(self, t: T) -> String {
        match self {
            Self::Take => t.get("consult-do-take"),
            Self::Join => t.get("consult-do-join"),
            Self::Release => t.get("consult-do-release"),
            Self::ReleaseSilent => t.get("consult-do-release-silent"),
            Self::Message => t.get("consult-do-message"),
            Self::Answer => t.get("consult-do-answer"),
            Self::Acknowledge => t.get("consult-do-acknowledge"),
            Self::Regrade => t.get("consult-do-regrade"),
            Self::Redirect => t.get("consult-do-redirect"),
            Self::Outcome => t.get("consult-do-outcome"),
            Self::Close => t.get("consult-do-close"),
        }
    }

    const fn done(self) -> &'static str {
        match self {
            Self::Take | Self::Join => key!("note-consult-taken"),
            Self::Answer => key!("note-consult-answered"),
            Self::Acknowledge => key!("note-consult-acknowledged"),
            Self::Redirect => key!("note-consult-redirected"),
            Self::ReleaseSilent => key!("note-consult-released"),
            _ => key!("note-saved"),
        }
    }

    fn is_allowed(self, view: &ConsultView) -> bool {
        let can = view.can;
        match self {
            Self::Take => can.take,
            Self::Join => can.join,
            Self::Release => can.release,
            Self::ReleaseSilent => can.release_silent,
            Self::Message => can.answer || can.reply,
            Self::Answer => can.answer,
            Self::Acknowledge => can.acknowledge,
            Self::Regrade => can.regrade,
            Self::Redirect => can.redirect,
            Self::Outcome | Self::Close => can.outcome,
        }
    }
}

#[derive(Template)]
#[template(path = "consult/task.html")]
struct TaskScreen {
    t: T,
    page: Page,
    form: Form,
    patient: Patient,
    about: AboutShown,
    c: Shown,
    task: &'static str,
    title: String,
    urgencies: Vec<Choice>,
    outcomes: Vec<Choice>,
    specialties: Vec<Choice>,
    places: Vec<Choice>,
}

/// The page that asks for what is needed.
pub async fn ask(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path((id, task)): Path<(String, String)>,
    form: Form,
) -> Result<Response, Trouble> {
    let (id, task) = (given_id(&id)?, Task::of(&task)?);
    let draft = match task {
        Task::Answer => ui.draft(&who, &draft_key(&id)).await?,
        _ => None,
    };
    show(page, &ui, &who, &id, task, draft.unwrap_or(form)).await
}

/// The name under which an answer that is being written is kept.
fn draft_key(id: &ResourceId) -> String {
    format!("answer-{id}")
}

async fn show(
    page: Page,
    ui: &Ui,
    who: &SignedIn,
    id: &ResourceId,
    task: Task,
    mut form: Form,
) -> Result<Response, Trouble> {
    let (actor, request) = (who.actor.clone(), id.clone());
    let (view, places) = ui
        .run(move |app| {
            let view = app.consult_again(&actor, &request)?;
            let places = match task {
                Task::Redirect if view.can.redirect => app.redirect_places(&actor, &request)?,
                _ => vec![],
            };
            Ok((view, places))
        })
        .await?;
    if !task.is_allowed(&view) {
        return Ok(page.done(&format!("/consult/{id}"), key!("note-consult-changed")));
    }
    let t = page.t;
    if task == Task::Redirect && form.value("specialty").is_empty() {
        form.put("specialty", view.state.specialty.clone());
    }
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let own = ui.app.place();
    let own = Choice::new(
        own.facility.as_str(),
        t.msg("consult-here").arg("place", &*own.name).to_string(),
    );
    let others = places.iter().map(|one| {
        let id = one.reference.rsplit('/').next().unwrap_or_default();
        Choice::new(id, one.name.clone())
    });
    let screen = TaskScreen {
        t,
        patient: people::shown::banner(&page, &view.about.banner),
        about: AboutShown::of(&page, &view.about),
        c: Shown::of(&page, &view),
        task: task.word(),
        title: task.title(t),
        urgencies: urgencies(t, view.state.urgency),
        outcomes: outcomes(&page, &view),
        specialties: ondol_terms::specialties()
            .iter()
            .map(|one| Choice::new(one.code, crate::words::specialty(t, one.code)))
            .collect(),
        places: std::iter::once(own).chain(others).collect(),
        form,
        page,
    };
    Ok((status, Screen(screen)).into_response())
}

fn urgencies(t: T, now: Class) -> Vec<Choice> {
    let mut all = words::urgencies(t);
    all.retain(|choice| choice.value != priority_of(now));
    all
}

/// 'Unknown' is offered when it may be said.
fn outcomes(page: &Page, view: &ConsultView) -> Vec<Choice> {
    let since = view.state.answered.as_ref().map_or(view.state.sent.at, |answer| answer.at);
    let late = page.now.0 - since.0 >= UNKNOWN_AFTER_MS;
    let codes = OUTCOMES.iter().filter(|code| late || **code != "unknown");
    codes.map(|code| Choice::new(*code, words::outcome(page.t, code))).collect()
}

/// Does it.
pub async fn carry_out(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path((id, task)): Path<(String, String)>,
    mut form: Form,
) -> Result<Response, Trouble> {
    let (id, task) = (given_id(&id)?, Task::of(&task)?);
    let (actor, request, typed) = (who.actor.clone(), id.clone(), form.clone());
    let done = ui
        .run(move |app| {
            is_about(app, &actor, &request, &typed)?;
            doing(app, &actor, &request, task, &typed)
        })
        .await;
    match done {
        Ok(()) => {
            if task == Task::Answer {
                ui.drop_draft(&who, &draft_key(&id)).await?;
            }
            Ok(page.done(&format!("/consult/{id}"), task.done()))
        }
        Err(AppError::State(_)) => {
            Ok(page.done(&format!("/consult/{id}"), key!("note-consult-changed")))
        }
        Err(why) => {
            words::complain(page.t, &mut form, why)?;
            show(page, &ui, &who, &id, task, form).await
        }
    }
}

/// A form is bound to the chart that it was opened for.
fn is_about(
    app: &Arc<App>,
    actor: &Actor,
    request: &ResourceId,
    form: &Form,
) -> Result<(), AppError> {
    let view = app.consult_again(actor, request)?;
    if view.patient() == form.value("patient") { Ok(()) } else { Err(AppError::NotFound) }
}

fn doing(
    app: &Arc<App>,
    actor: &Actor,
    id: &ResourceId,
    task: Task,
    form: &Form,
) -> Result<(), AppError> {
    let missing = |field| AppError::Field { field, why: "missing" };
    match task {
        Task::Take | Task::Join => {
            // Somebody may have taken it in the meantime: whoever presses works along then.
            let view = app.consult_again(actor, id)?;
            if view.side == ondol_app::consult::Side::Watching && view.state.holder.is_some() {
                app.join_consult(actor, id)
            } else {
                app.take_consult(actor, id)
            }
        }
        Task::Release => app.release_consult(actor, id, form.value("reason")),
        Task::ReleaseSilent => app.release_silent(actor, id, form.value("reason")),
        Task::Message => app.consult_message(actor, id, form.value("message")),
        Task::Answer => {
            let answer = Answer {
                findings: form.value("findings").to_owned(),
                advice: form.value("advice").to_owned(),
                worry: form.value("worry").to_owned(),
            };
            app.answer_consult(actor, id, answer, form.value("basis"))
        }
        Task::Acknowledge => app.acknowledge_consult(actor, id, form.value("message")),
        Task::Regrade => {
            let urgency = words::chosen_urgency(form).ok_or_else(|| missing("urgency"))?;
            app.regrade_consult(actor, id, urgency, form.value("reason"))
        }
        Task::Redirect => {
            let facility = form.value("facility");
            let facility = ResourceId::new(facility).map_err(|_| missing("facility"))?;
            let (specialty, why) = (form.value("specialty"), form.value("reason"));
            app.redirect_consult(actor, id, &facility, specialty, why)
        }
        Task::Outcome => {
            app.record_outcome(actor, id, form.value("outcome"), form.value("message"))
        }
        Task::Close => app.close_consult(actor, id, form.value("reason")),
    }
}
