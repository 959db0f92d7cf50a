//! The states of a consult for coordinators and officers: no patient, no content. Whoever
//! coordinates sends it on from here.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ondol_app::AppError;
use ondol_app::consult::Phase;
use ondol_kernel::{Class, ResourceId};

use super::{given_id, shown, words};
use crate::form::{Choice, Form};
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::{Fact, Step};

#[derive(Template)]
#[template(path = "consult/states.html")]
#[allow(clippy::struct_excessive_bools, reason = "each shows or hides a part of the page")]
struct States {
    t: T,
    page: Page,
    form: Form,
    id: String,
    specialty: String,
    urgency: String,
    emergency: bool,
    alarm: bool,
    steps: Vec<Step>,
    facts: Vec<Fact>,
    phone: String,
    can_redirect: bool,
    can_release: bool,
    places: Vec<Choice>,
    specialties: Vec<Choice>,
}

/// The page.
pub async fn page(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    show(page, &ui, &who, &given_id(&id)?, Form::default()).await
}

async fn show(
    page: Page,
    ui: &Ui,
    who: &SignedIn,
    id: &ResourceId,
    mut form: Form,
) -> Result<Response, Trouble> {
    let (actor, request) = (who.actor.clone(), id.clone());
    let (states, places) = ui
        .run(move |app| {
            let states = app.consult_states(&actor, &request)?;
            let places =
                if states.can_redirect { app.redirect_places(&actor, &request)? } else { vec![] };
            Ok((states, places))
        })
        .await?;
    let (t, state) = (page.t, &states.state);
    if form.value("specialty").is_empty() {
        form.put("specialty", state.specialty.clone());
    }
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let own = ui.app.place();
    let here = t.msg("consult-here").arg("place", &*own.name).to_string();
    let mut choices = vec![Choice::new(own.facility.as_str(), here)];
    choices.extend(places.iter().map(|one| {
        let id = one.reference.rsplit('/').next().unwrap_or_default();
        Choice::new(id, one.name.clone())
    }));
    let screen = States {
        t,
        id: id.to_string(),
        specialty: crate::words::specialty(t, &state.specialty),
        urgency: words::urgency(t, state.urgency),
        emergency: state.urgency == Class::Emergency,
        alarm: state.is_alarm(),
        steps: shown::steps(&page, state),
        facts: vec![
            Fact::new(t.get("consult-asks"), states.from.clone()),
            Fact::new(t.get("consult-where"), state.address.name.clone()),
            Fact::new(t.get("consult-stands"), words::phase(t, state.phase())),
            Fact::new(t.get("consult-duty"), shown::on_duty(&page, &states.contacts)),
        ],
        phone: states.contacts.phone.clone(),
        can_redirect: states.can_redirect && state.phase() != Phase::Closed,
        can_release: states.can_release,
        places: choices,
        specialties: ondol_terms::specialties()
            .iter()
            .map(|one| Choice::new(one.code, crate::words::specialty(t, one.code)))
            .collect(),
        form,
        page,
    };
    Ok((status, Screen(screen)).into_response())
}

/// Sends it on.
pub async fn redirect(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
    mut form: Form,
) -> Result<Response, Trouble> {
    let id = given_id(&id)?;
    let (actor, request, typed) = (who.actor.clone(), id.clone(), form.clone());
    let done = ui
        .run(move |app| {
            let facility = ResourceId::new(typed.value("facility"))
                .map_err(|_| AppError::Field { field: "facility", why: "missing" })?;
            let (specialty, why) = (typed.value("specialty"), typed.value("reason"));
            app.redirect_consult(&actor, &request, &facility, specialty, why)
        })
        .await;
    let here = format!("/consult/{id}/states");
    match done {
        Ok(()) => Ok(page.done(&here, key!("note-consult-redirected"))),
        Err(AppError::State(_)) => Ok(page.done(&here, key!("note-consult-changed"))),
        Err(why) => {
            words::complain(page.t, &mut form, why)?;
            show(page, &ui, &who, &id, form).await
        }
    }
}

/// Releases it to others: whoever took it has not been heard of.
pub async fn release(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Trouble> {
    let id = given_id(&id)?;
    let (actor, request) = (who.actor.clone(), id.clone());
    let why = form.value("reason").to_owned();
    let done = ui.run(move |app| app.release_silent(&actor, &request, &why)).await;
    let here = format!("/consult/{id}/states");
    match done {
        Ok(()) => Ok(page.done(&here, key!("note-consult-released"))),
        Err(AppError::State(_)) => Ok(page.done(&here, key!("note-consult-changed"))),
        Err(other) => Err(other.into()),
    }
}
