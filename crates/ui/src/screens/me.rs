//! My account: password, PIN, card, the practice room.

use askama::Template;
use askama::filters::Safe;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use ondol_access::{Action, Role};
use ondol_app::AppError;
use ondol_app::accounts::QuickKeys;

use super::sign_in::{back_of, typed};
use crate::form::Form;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::{Known, SignedIn};
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::{cookies, key, qr, rooms, words};

/// `/me…`, `/practice`.
pub fn routes() -> Router<Ui> {
    Router::new()
        .route("/me", get(me))
        .route("/me/password", get(ask_password).post(change_password))
        .route("/me/pin", get(ask_pin).post(set_pin))
        .route("/me/card", get(ask_card).post(new_card))
        .route("/me/card/drop", post(drop_card))
        .route("/practice", post(practice))
}

#[derive(Template)]
#[template(path = "door/me.html")]
struct Me {
    t: T,
    page: Page,
    name: String,
    roles: String,
    keys: QuickKeys,
    is_administrator: bool,
}

async fn me(page: Page, who: SignedIn) -> impl IntoResponse {
    let t = page.t;
    Screen(Me {
        t,
        page,
        name: who.actor.name().to_owned(),
        roles: words::roles(t, who.actor.roles()),
        keys: who.account.keys,
        is_administrator: who.is(Role::Administrator),
    })
}

#[derive(Template)]
#[template(path = "door/password.html")]
struct AskPassword {
    t: T,
    page: Page,
    form: Form,
    back: String,
    /// The password was given by somebody else.
    given: bool,
}

/// Also for those whose password was given to them, and who can do nothing else yet.
async fn ask_password(page: Page, known: Known, form: Form) -> Response {
    if known.0.account.locked {
        return Redirect::to("/locked").into_response();
    }
    show_password(page, &known, form)
}

fn show_password(page: Page, known: &Known, form: Form) -> Response {
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let (back, given) = (back_of(&form), known.0.account.must_change);
    (status, Screen(AskPassword { t: page.t, page, form, back, given })).into_response()
}

async fn change_password(
    page: Page,
    ui: State<Ui>,
    known: Known,
    mut form: Form,
) -> Result<Response, Trouble> {
    let t = page.t;
    if known.0.account.locked {
        return Ok(Redirect::to("/locked").into_response());
    }
    let (old, new) = (typed(&form, "old"), typed(&form, "password"));
    if new != typed(&form, "again") {
        form.complain("again", t.get("door-password-again"), t.get("error-not-the-same"));
        return Ok(show_password(page, &known, form));
    }
    let (account, cookie) = (known.0.account.clone(), known.0.cookie.clone());
    let changed =
        ui.at_door(move |door| door.change_password(&account, &cookie, (&old, &new))).await;
    match changed {
        Ok(()) => Ok(page.done(&back_of(&form), key!("note-password-changed"))),
        Err(why) => {
            complain_of_own(t, &mut form, "old", why)?;
            Ok(show_password(page, &known, form))
        }
    }
}

/// Says what is wrong: about the password that was asked for, or about the new secret.
fn complain_of_own(
    t: T,
    form: &mut Form,
    asked: &'static str,
    why: AppError,
) -> Result<(), AppError> {
    match why {
        AppError::SignIn(_) => {
            form.complain(asked, t.get("door-password-now"), t.get("refused-wrong-password"));
            Ok(())
        }
        AppError::Wait { seconds } => {
            form.complain(asked, t.get("door-password-now"), words::wait(t, seconds));
            Ok(())
        }
        other => {
            let labels = [("password", t.get("door-password-new")), ("pin", t.get("door-pin-new"))];
            words::complain(t, form, &labels, other)
        }
    }
}

#[derive(Template)]
#[template(path = "door/pin.html")]
struct AskPin {
    t: T,
    page: Page,
    form: Form,
}

fn show_pin(page: Page, form: Form) -> Response {
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    (status, Screen(AskPin { t: page.t, page, form })).into_response()
}

async fn ask_pin(page: Page, _: SignedIn) -> Response {
    show_pin(page, Form::default())
}

async fn set_pin(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    mut form: Form,
) -> Result<Response, Trouble> {
    let t = page.t;
    let (password, pin) = (typed(&form, "old"), form.value("pin").to_owned());
    if pin != form.value("again") {
        form.complain("again", t.get("door-pin-again"), t.get("error-not-the-same"));
        return Ok(show_pin(page, form));
    }
    match ui.at_door(move |door| door.set_pin(&who.account, &password, &pin)).await {
        Ok(()) => Ok(page.done("/me", key!("note-pin-set"))),
        Err(why) => {
            complain_of_own(t, &mut form, "old", why)?;
            Ok(show_pin(page, form))
        }
    }
}

#[derive(Template)]
#[template(path = "door/card_ask.html")]
struct AskCard {
    t: T,
    page: Page,
    form: Form,
    has_card: bool,
}

fn show_card(page: Page, form: Form, has_card: bool) -> Response {
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    (status, Screen(AskCard { t: page.t, page, form, has_card })).into_response()
}

async fn ask_card(page: Page, who: SignedIn) -> Response {
    show_card(page, Form::default(), who.account.keys.card)
}

/// The card itself: it is shown once, to be printed.
#[derive(Template)]
#[template(path = "door/card.html")]
struct Card {
    t: T,
    page: Page,
    name: String,
    roles: String,
    qr: Safe<String>,
}

async fn new_card(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    mut form: Form,
) -> Result<Response, Trouble> {
    let t = page.t;
    let (password, account) = (typed(&form, "old"), who.account.clone());
    match ui.at_door(move |door| door.new_card(&account, &password)).await {
        Ok(text) => {
            let qr = qr::svg(&text, &t.get("door-card")).map_err(Trouble::broken)?;
            let name = who.actor.name().to_owned();
            let roles = words::roles(t, who.actor.roles());
            Ok(Screen(Card { t, page, name, roles, qr }).into_response())
        }
        Err(why) => {
            complain_of_own(t, &mut form, "old", why)?;
            Ok(show_card(page, form, who.account.keys.card))
        }
    }
}

async fn drop_card(page: Page, ui: State<Ui>, who: SignedIn) -> Result<Response, Trouble> {
    ui.at_door(move |door| door.drop_card(&who.account)).await?;
    Ok(page.done("/me", key!("note-card-dropped")))
}

/// Goes into the practice room, or out of it.
async fn practice(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    form: Form,
) -> Result<Response, Trouble> {
    let enter = form.value("on") == "yes";
    if enter {
        let actor = who.actor;
        ui.at_door(move |door| {
            door.reading(&actor, Action::Practise, &door.facility_chart(), |_| Ok(()))
        })
        .await?;
    }
    let room = if enter { rooms::PRACTICE } else { "" };
    let age = if enter { None } else { Some(0) };
    let cookie = cookies::set(rooms::ROOM, room, age, page.https);
    Ok(([cookie], Redirect::to("/")).into_response())
}
