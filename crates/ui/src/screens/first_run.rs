//! The first run: two administrators and the sealed code; and the way back in by that code.

use askama::Template;
use askama::filters::Safe;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use ondol_access::{Coded as _, Role, RoleSet};
use ondol_app::AppError;
use ondol_app::accounts::{NewPerson, RecoveryCode};

use super::sign_in::typed;
use crate::form::{Choice, Form};
use crate::page::Page;
use crate::screen::Screen;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::words;

/// `/first-run`, `/recover`.
pub fn routes() -> Router<Ui> {
    Router::new()
        .route("/first-run", get(ask).post(found))
        .route("/recover", get(ask_code).post(recover))
}

/// The boxes of one administrator.
struct Boxes {
    number: String,
    name: String,
    login: String,
    password: String,
    again: String,
    roles: String,
}

impl Boxes {
    fn of(number: u8) -> Self {
        let name = |what: &str| format!("{what}-{number}");
        Self {
            number: number.to_string(),
            name: name("name"),
            login: name("login"),
            password: name("password"),
            again: name("again"),
            roles: name("roles"),
        }
    }
}

#[derive(Template)]
#[template(path = "door/first_run.html")]
struct FirstRun {
    t: T,
    page: Page,
    form: Form,
    both: Vec<Boxes>,
    choices: Vec<Choice>,
}

/// The roles that somebody may have beside that of an administrator.
fn other_roles(t: T, ui: &Ui) -> Vec<Choice> {
    let offered = words::roles_at(ui.door.place().tier.name()).into_iter();
    let offered = offered.filter(|role| *role != Role::Administrator);
    offered.map(|role| Choice::new(role.code(), words::role(t, role))).collect()
}

async fn ask(page: Page, ui: State<Ui>) -> Result<Response, Trouble> {
    if !ui.at_door(|door| door.is_first_run()).await? {
        return Ok(Redirect::to("/sign-in").into_response());
    }
    Ok(show(page, &ui, Form::default()))
}

fn show(page: Page, ui: &Ui, form: Form) -> Response {
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let t = page.t;
    let both = vec![Boxes::of(1), Boxes::of(2)];
    (status, Screen(FirstRun { t, page, form, both, choices: other_roles(t, ui) })).into_response()
}

async fn found(page: Page, ui: State<Ui>, mut form: Form) -> Result<Response, Trouble> {
    let t = page.t;
    let mut people = vec![];
    for boxes in [Boxes::of(1), Boxes::of(2)] {
        if typed(&form, &boxes.password) != typed(&form, &boxes.again) {
            form.complain(&boxes.again, t.get("door-password-again"), t.get("error-not-the-same"));
        }
        let mut roles = RoleSet::EMPTY.with(Role::Administrator);
        form.values(&boxes.roles).filter_map(Role::from_code).for_each(|role| roles.insert(role));
        let person = NewPerson {
            name: form.value(&boxes.name).to_owned(),
            login: form.value(&boxes.login).to_owned(),
            roles,
            specialties: vec![],
            phone: String::new(),
        };
        people.push((person, typed(&form, &boxes.password)));
    }
    if !form.is_fine() {
        return Ok(show(page, &ui, form));
    }
    // Each person is checked alone, so that a complaint stands beside the right box.
    for (boxes, (person, password)) in [Boxes::of(1), Boxes::of(2)].iter().zip(&people) {
        if let Err(AppError::Field { field, why }) =
            ondol_app::accounts::check_person(person, password)
        {
            let (name, label) = match field {
                "name" => (&boxes.name, t.get("door-name")),
                "login" => (&boxes.login, t.get("door-login")),
                _ => (&boxes.password, t.get("door-password")),
            };
            form.complain(name, label, words::what_to_mend(t, why));
        }
    }
    if !form.is_fine() {
        return Ok(show(page, &ui, form));
    }
    let setup = form.value("setup").to_owned();
    match ui.at_door(move |door| door.first_run_with(&setup, people)).await {
        Ok(code) => Ok(sealed(page, &code)),
        Err(AppError::SignIn(_)) => {
            form.complain("setup", t.get("door-setup-code"), t.get("refused-setup-code"));
            Ok(show(page, &ui, form))
        }
        Err(AppError::Wait { seconds }) => {
            form.complain("setup", t.get("door-setup-code"), words::wait(t, seconds));
            Ok(show(page, &ui, form))
        }
        Err(AppError::State("not-first-run")) => Ok(Redirect::to("/sign-in").into_response()),
        Err(why) => {
            let labels = [("login-2", t.get("door-login"))];
            words::complain(t, &mut form, &labels, why)?;
            Ok(show(page, &ui, form))
        }
    }
}

/// The code, to be printed and sealed: it is shown once.
#[derive(Template)]
#[template(path = "door/recovery.html")]
struct Sealed {
    t: T,
    page: Page,
    code: String,
    qr: Safe<String>,
}

fn sealed(page: Page, code: &RecoveryCode) -> Response {
    let t = page.t;
    // Without its drawing the code can still be read.
    let qr = crate::qr::svg(&code.0, &t.get("door-recovery")).unwrap_or(Safe(String::new()));
    Screen(Sealed { t, page, code: code.0.clone(), qr }).into_response()
}

#[derive(Template)]
#[template(path = "door/recover.html")]
struct Recover {
    t: T,
    page: Page,
    form: Form,
}

fn show_code(page: Page, form: Form) -> Response {
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    (status, Screen(Recover { t: page.t, page, form })).into_response()
}

async fn ask_code(page: Page) -> Response {
    show_code(page, Form::default())
}

async fn recover(page: Page, ui: State<Ui>, mut form: Form) -> Result<Response, Trouble> {
    let t = page.t;
    let (code, login) = (form.value("recovery").to_owned(), form.value("login").to_owned());
    let password = typed(&form, "password");
    if password != typed(&form, "again") {
        form.complain("again", t.get("door-password-again"), t.get("error-not-the-same"));
        return Ok(show_code(page, form));
    }
    match ui.at_door(move |door| door.recover(&code, &login, &password)).await {
        Ok(code) => Ok(sealed(page, &code)),
        Err(AppError::SignIn(_)) => {
            form.complain("recovery", t.get("door-recovery"), t.get("refused-wrong-code"));
            Ok(show_code(page, form))
        }
        Err(AppError::Wait { seconds }) => {
            form.complain("recovery", t.get("door-recovery"), words::wait(t, seconds));
            Ok(show_code(page, form))
        }
        Err(why) => {
            let labels = [("login", t.get("door-login")), ("password", t.get("door-password-new"))];
            words::complain(t, &mut form, &labels, why)?;
            Ok(show_code(page, form))
        }
    }
}
