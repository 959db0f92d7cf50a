//! Who are you? Signing in and switching on a shared computer.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use ondol_app::AppError;
use ondol_app::accounts::{Entered, Secret, StationPerson};
use ondol_kernel::ResourceId;

use super::base::own_path;
use crate::form::Form;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::{self, Held, is_door};
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::words;

/// `/sign-in`, `/switch`, `/sign-out`.
pub fn routes() -> Router<Ui> {
    Router::new()
        .route("/sign-in", get(ask).post(sign_in))
        .route("/switch", get(ask_to_switch).post(switch))
        .route("/sign-out", post(sign_out))
}

/// The names that this computer knows, the card, and the form for everybody else.
#[derive(Template)]
#[template(path = "door/who.html")]
struct Who {
    t: T,
    page: Page,
    form: Form,
    people: Vec<StationPerson>,
    back: String,
    /// Somebody is signed in: the page offers to leave, too.
    switching: bool,
}

/// PIN or password of somebody who was chosen.
#[derive(Template)]
#[template(path = "door/secret.html")]
pub(super) struct AskSecret {
    pub t: T,
    pub page: Page,
    pub form: Form,
    /// What is said beside the name; may be empty.
    pub title: String,
    pub name: String,
    pub roles: String,
    /// Where the secret is posted.
    pub action: &'static str,
    /// The account; empty where the session says it.
    pub account: String,
    pub back: String,
    /// Whether the PIN is asked for, else the password.
    pub pin: bool,
    /// The address of the other way; empty if there is none.
    pub otherwise: String,
    /// Whether the card opens too.
    pub card: bool,
    /// The address of the list of names.
    pub others: String,
}

/// Where somebody wants to go after the door.
pub(super) fn back_of(form: &Form) -> String {
    let back = own_path(form.value("back"));
    let path = back.split('?').next().unwrap_or(back);
    if is_door(path) { "/".to_owned() } else { back.to_owned() }
}

fn with_back(path: &str, back: &str) -> String {
    let back: String = form_urlencoded::byte_serialize(back.as_bytes()).collect();
    let mark = if path.contains('?') { '&' } else { '?' };
    format!("{path}{mark}back={back}")
}

async fn ask(page: Page, ui: State<Ui>, held: Held, form: Form) -> Result<Response, Trouble> {
    if ui.at_door(|door| door.is_first_run()).await? {
        return Ok(Redirect::to("/first-run").into_response());
    }
    show(page, &ui, held, form, false).await
}

async fn ask_to_switch(
    page: Page,
    ui: State<Ui>,
    held: Held,
    form: Form,
) -> Result<Response, Trouble> {
    let switching = held.session.is_some();
    show(page, &ui, held, form, switching).await
}

/// The list of names, or the question for the secret of the one who was chosen.
async fn show(
    page: Page,
    ui: &Ui,
    held: Held,
    form: Form,
    switching: bool,
) -> Result<Response, Trouble> {
    let back = back_of(&form);
    let people = people(ui, &held).await?;
    let chosen = people.iter().find(|person| person.account.as_str() == form.value("account"));
    let response = if let Some(person) = chosen {
        Screen(secret(page, form.clone(), person, back)).into_response()
    } else {
        let t = page.t;
        Screen(Who { t, page, form: form.clone(), people, back, switching }).into_response()
    };
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, response).into_response())
}

async fn people(ui: &Ui, held: &Held) -> Result<Vec<StationPerson>, Trouble> {
    let Some(station) = held.station.clone() else { return Ok(vec![]) };
    Ok(ui.at_door(move |door| door.people_of_station(&station)).await?)
}

fn secret(page: Page, form: Form, person: &StationPerson, back: String) -> AskSecret {
    let t = page.t;
    let pin = person.pin && form.value("with") != "password";
    let account = person.account.to_string();
    let this = format!("/switch?account={account}");
    AskSecret {
        t,
        title: String::new(),
        name: person.name.clone(),
        roles: words::roles(t, person.roles),
        action: "/switch",
        otherwise: match (person.pin, pin) {
            (true, true) => with_back(&format!("{this}&with=password"), &back),
            (true, false) => with_back(&this, &back),
            (false, _) => String::new(),
        },
        card: person.card,
        others: with_back("/switch", &back),
        account,
        back,
        pin,
        form,
        page,
    }
}

async fn sign_in(
    page: Page,
    ui: State<Ui>,
    held: Held,
    mut form: Form,
) -> Result<Response, Trouble> {
    let (login, password) = (form.value("login").to_owned(), typed(&form, "password"));
    let (station, session) = (held.station.clone(), held.session.clone());
    let entered = ui.at_door(move |door| {
        door.sign_in(&login, &password, station.as_deref(), session.as_deref())
    });
    match entered.await {
        Ok(entered) => Ok(let_in(&page, &entered, &back_of(&form))),
        Err(why) => {
            let t = page.t;
            match why {
                AppError::Field { .. } => {
                    words::complain(t, &mut form, &[("login", t.get("door-login"))], why)?;
                }
                why => complain_of_secret(t, &mut form, Kind::Password, why)?,
            }
            show(page, &ui, held, form, false).await
        }
    }
}

async fn switch(
    page: Page,
    ui: State<Ui>,
    held: Held,
    mut form: Form,
) -> Result<Response, Trouble> {
    let account = ResourceId::new(form.value("account")).ok();
    let (kind, shown) = shown_secret(&form);
    let (station, session) = (held.station.clone().unwrap_or_default(), held.session.clone());
    let entered = ui
        .at_door(move |door| {
            door.switch(&station, account.as_ref(), kind.of(&shown), session.as_deref())
        })
        .await;
    match entered {
        Ok(entered) => Ok(let_in(&page, &entered, &back_of(&form))),
        Err(why) => {
            complain_of_secret(page.t, &mut form, kind, why)?;
            show(page, &ui, held, form, false).await
        }
    }
}

async fn sign_out(page: Page, ui: State<Ui>, held: Held) -> Result<Response, Trouble> {
    if let Some(session) = held.session {
        ui.at_door(move |door| door.sign_out(&session)).await?;
    }
    Ok(([session::leave(page.https)], Redirect::to("/sign-in")).into_response())
}

/// Which secret a form shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Password,
    Pin,
    Card,
}

impl Kind {
    pub fn of(self, typed: &str) -> Secret<'_> {
        match self {
            Self::Password => Secret::Password(typed),
            Self::Pin => Secret::Pin(typed),
            Self::Card => Secret::Card(typed),
        }
    }
}

/// The secret that was filled in: the card's reader types into its own field.
pub(super) fn shown_secret(form: &Form) -> (Kind, String) {
    if !form.value("card").is_empty() {
        return (Kind::Card, form.value("card").to_owned());
    }
    if !form.value("pin").is_empty() || form.value("with") == "pin" {
        return (Kind::Pin, form.value("pin").to_owned());
    }
    (Kind::Password, typed(form, "password"))
}

/// A password as it was typed: blanks at its ends belong to it.
pub(super) fn typed(form: &Form, name: &str) -> String {
    let fields = form.fields().iter();
    fields.rev().find(|(n, _)| n == name).map(|(_, value)| value.clone()).unwrap_or_default()
}

/// Says beside the field that was used why it opened nothing.
pub(super) fn complain_of_secret(
    t: T,
    form: &mut Form,
    kind: Kind,
    why: AppError,
) -> Result<(), AppError> {
    let (field, label) = match kind {
        Kind::Password => ("password", t.get("door-password")),
        Kind::Pin => ("pin", t.get("door-pin")),
        Kind::Card => ("card", t.get("door-card")),
    };
    if matches!(why, AppError::SignIn("password-needed")) {
        form.put("with", "password");
    }
    let text = match why {
        AppError::SignIn("wrong") if kind == Kind::Pin => t.get("refused-wrong-pin"),
        AppError::SignIn("wrong") if kind == Kind::Card => t.get("refused-wrong-card"),
        AppError::SignIn("wrong") => t.get("refused-wrong-password"),
        AppError::SignIn(why) => words::refusal(t, why),
        AppError::Wait { seconds } => words::wait(t, seconds),
        other => return Err(other),
    };
    form.complain(field, label, text);
    Ok(())
}

fn let_in(page: &Page, entered: &Entered, back: &str) -> Response {
    let to =
        if entered.who.must_change { with_back("/me/password", back) } else { back.to_owned() };
    // Two cookies: the same header twice.
    let mut response = Redirect::to(&to).into_response();
    for (name, value) in session::enter(entered, page.https) {
        response.headers_mut().append(name, value);
    }
    response
}
