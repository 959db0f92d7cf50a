//! The people of the facility, as an administrator keeps them.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ondol_access::{Coded as _, Role};
use ondol_app::AppError;
use ondol_app::accounts::{AccountState, NewPerson, OneTimePassword, PersonRow, SavedDraft};
use ondol_kernel::ResourceId;

use super::confirm::Confirm;
use crate::form::{Choice, Form};
use crate::key;
use crate::lang::Lang;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Fact;
use crate::words;

/// `/staff…`.
pub fn routes() -> Router<Ui> {
    Router::new()
        .route("/staff", get(list))
        .route("/staff/new", get(blank).post(add))
        .route("/staff/{id}", get(person).post(change))
        .route("/staff/{id}/password", get(ask_reset).post(reset))
        .route("/staff/{id}/lock", get(ask_lock).post(lock))
        .route("/staff/{id}/open", post(open))
        .route("/staff/{id}/leave", get(ask_leave).post(leave))
}

fn id_of(path: &str) -> Result<ResourceId, Trouble> {
    ResourceId::new(path).map_err(|_| Trouble::NotFound)
}

/// A line of the list.
struct Line {
    href: String,
    name: String,
    roles: String,
    state: String,
}

#[derive(Template)]
#[template(path = "staff/list.html")]
struct List {
    t: T,
    page: Page,
    lines: Vec<Line>,
    left: Vec<Line>,
}

async fn list(page: Page, ui: State<Ui>, who: SignedIn) -> Result<Response, Trouble> {
    let t = page.t;
    let people = ui.at_door(move |door| door.people(&who.actor)).await?;
    let line = |row: &PersonRow| Line {
        href: format!("/staff/{}", row.account),
        name: row.person.name.clone(),
        roles: words::roles(t, row.person.roles),
        state: state(t, row),
    };
    let (left, here): (Vec<_>, Vec<_>) =
        people.iter().partition(|row| row.state == AccountState::Left);
    let (lines, left) =
        (here.into_iter().map(line).collect(), left.into_iter().map(line).collect());
    Ok(Screen(List { t, page, lines, left }).into_response())
}

fn state(t: T, row: &PersonRow) -> String {
    match row.state {
        AccountState::Left => t.get("staff-left"),
        AccountState::Locked => t.get("staff-locked"),
        AccountState::Active if row.must_change => t.get("staff-must-change"),
        AccountState::Active => String::new(),
    }
}

#[derive(Template)]
#[template(path = "staff/person.html")]
struct Edit {
    t: T,
    page: Page,
    form: Form,
    roles: Vec<Choice>,
    specialties: Vec<Choice>,
    /// Set for somebody who has an account already.
    row: Option<PersonRow>,
    state: String,
    is_locked: bool,
}

fn show(page: Page, ui: &Ui, form: Form, row: Option<PersonRow>) -> Response {
    let tier = ui.door.place().tier.name();
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let t = page.t;
    let roles = words::roles_at(tier).into_iter();
    let roles = roles.map(|role| Choice::new(role.code(), words::role(t, role))).collect();
    let name = |one: &ondol_terms::Specialty| match t.lang() {
        Lang::Ko => one.ko,
        Lang::En => one.en,
    };
    let specialties = ondol_terms::specialties();
    let specialties = specialties.iter().map(|one| Choice::new(one.code, name(one))).collect();
    let state = row.as_ref().map(|row| state(t, row)).unwrap_or_default();
    let is_locked = row.as_ref().is_some_and(|row| row.state == AccountState::Locked);
    (status, Screen(Edit { t, page, form, roles, specialties, row, state, is_locked }))
        .into_response()
}

fn typed_person(form: &Form) -> NewPerson {
    let specialties = form.values("specialties").filter(|code| !code.is_empty());
    NewPerson {
        name: form.value("name").to_owned(),
        login: form.value("login").to_owned(),
        roles: form.values("roles").filter_map(Role::from_code).collect(),
        specialties: specialties.map(str::to_owned).collect(),
        phone: form.value("phone").to_owned(),
    }
}

fn complain(t: T, form: &mut Form, why: AppError) -> Result<(), AppError> {
    let labels = [
        ("roles", t.get("staff-roles")),
        ("name", t.get("door-name")),
        ("login", t.get("door-login")),
        ("specialties", t.get("staff-specialties")),
        ("phone", t.get("staff-phone")),
        ("heir", t.get("staff-heir")),
    ];
    words::complain(t, form, &labels, why)
}

async fn blank(page: Page, ui: State<Ui>, _: SignedIn) -> Response {
    show(page, &ui, Form::default(), None)
}

/// A password for somebody else, shown once.
#[derive(Template)]
#[template(path = "staff/given.html")]
struct Given {
    t: T,
    page: Page,
    name: String,
    login: String,
    password: String,
}

fn given(page: Page, name: String, login: String, password: OneTimePassword) -> Response {
    Screen(Given { t: page.t, page, name, login, password: password.0 }).into_response()
}

async fn add(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    mut form: Form,
) -> Result<Response, Trouble> {
    let person = typed_person(&form);
    let (name, login) = (person.name.clone(), person.login.clone());
    match ui.at_door(move |door| door.add_person(&who.actor, person)).await {
        Ok(password) => Ok(given(page, name, login, password)),
        Err(why) => {
            complain(page.t, &mut form, why)?;
            Ok(show(page, &ui, form, None))
        }
    }
}

async fn row(ui: &Ui, who: &SignedIn, id: &str) -> Result<PersonRow, Trouble> {
    let (actor, id) = (who.actor.clone(), id_of(id)?);
    Ok(ui.at_door(move |door| door.person(&actor, &id)).await?)
}

async fn person(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let row = row(&ui, &who, &id).await?;
    let mut fields = vec![
        ("name", row.person.name.clone()),
        ("login", row.login.clone()),
        ("phone", row.person.phone.clone()),
    ];
    fields.extend(row.person.roles.iter().map(|role| ("roles", role.code().to_owned())));
    fields.extend(row.person.specialties.iter().map(|code| ("specialties", code.clone())));
    Ok(show(page, &ui, Form::of(fields), Some(row)))
}

async fn change(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
    mut form: Form,
) -> Result<Response, Trouble> {
    let (actor, account, person) = (who.actor.clone(), id_of(&id)?, typed_person(&form));
    match ui.at_door(move |door| door.change_person(&actor, &account, person)).await {
        Ok(()) => Ok(page.done("/staff", key!("note-saved"))),
        Err(why) => {
            complain(page.t, &mut form, why)?;
            let row = row(&ui, &who, &id).await?;
            Ok(show(page, &ui, form, Some(row)))
        }
    }
}

async fn ask_reset(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let row = row(&ui, &who, &id).await?;
    let t = page.t;
    let question = (t.get("staff-reset"), t.get("staff-reset-what"), t.get("staff-reset-do"));
    Ok(confirm(page, &row, question, "password", false))
}

async fn ask_lock(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let row = row(&ui, &who, &id).await?;
    let t = page.t;
    let question = (t.get("staff-lock"), t.get("staff-lock-what"), t.get("staff-lock-do"));
    Ok(confirm(page, &row, question, "lock", true))
}

fn confirm(
    page: Page,
    row: &PersonRow,
    (title, text, yes): (String, String, String),
    deed: &str,
    danger: bool,
) -> Response {
    let t = page.t;
    let facts = vec![
        Fact::new(t.get("door-name"), row.person.name.clone()),
        Fact::new(t.get("door-login"), row.login.clone()),
        Fact::new(t.get("staff-roles"), words::roles(t, row.person.roles)),
    ];
    let back = format!("/staff/{}", row.account);
    Screen(Confirm {
        t,
        page,
        patient: None,
        title,
        text,
        facts,
        action: format!("{back}/{deed}"),
        fields: vec![],
        yes,
        danger,
        back,
    })
    .into_response()
}

async fn reset(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let row = row(&ui, &who, &id).await?;
    let account = row.account.clone();
    let password = ui.at_door(move |door| door.reset_password(&who.actor, &account)).await?;
    Ok(given(page, row.person.name, row.login, password))
}

async fn lock(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    set_locked(page, ui, who, &id, true).await
}

async fn open(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    set_locked(page, ui, who, &id, false).await
}

async fn set_locked(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    id: &str,
    locked: bool,
) -> Result<Response, Trouble> {
    let (actor, account) = (who.actor.clone(), id_of(id)?);
    match ui.at_door(move |door| door.set_locked(&actor, &account, locked)).await {
        Ok(()) if locked => Ok(page.done("/staff", key!("note-staff-locked"))),
        Ok(()) => Ok(page.done("/staff", key!("note-staff-open"))),
        Err(why) => {
            let mut form = Form::default();
            complain(page.t, &mut form, why)?;
            let row = row(&ui, &who, id).await?;
            Ok(show(page, &ui, form, Some(row)))
        }
    }
}

#[derive(Template)]
#[template(path = "staff/leave.html")]
struct Leave {
    t: T,
    page: Page,
    form: Form,
    name: String,
    back: String,
    work: Vec<SavedDraft>,
    heirs: Vec<Choice>,
}

async fn ask_leave(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    show_leave(page, &ui, &who, &id, Form::default()).await
}

async fn show_leave(
    page: Page,
    ui: &Ui,
    who: &SignedIn,
    id: &str,
    form: Form,
) -> Result<Response, Trouble> {
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let t = page.t;
    let row = row(ui, who, id).await?;
    let (actor, account) = (who.actor.clone(), row.account.clone());
    let (work, people) = ui
        .at_door(move |door| Ok((door.open_work(&actor, &account)?, door.people(&actor)?)))
        .await?;
    let back = format!("/staff/{}", row.account);
    let name = row.person.name.clone();
    let stays = |one: &&PersonRow| one.state == AccountState::Active && one.account != row.account;
    let heirs = people.iter().filter(stays);
    let heirs = heirs
        .map(|one| {
            let label = format!("{} ({})", one.person.name, words::roles(t, one.person.roles));
            Choice::new(one.account.to_string(), label)
        })
        .collect();
    Ok((status, Screen(Leave { t, page, form, name, back, work, heirs })).into_response())
}

async fn leave(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
    mut form: Form,
) -> Result<Response, Trouble> {
    let t = page.t;
    let (actor, account) = (who.actor.clone(), id_of(&id)?);
    let Ok(heir) = ResourceId::new(form.value("heir")) else {
        form.complain("heir", t.get("staff-heir"), t.get("error-missing"));
        return show_leave(page, &ui, &who, &id, form).await;
    };
    match ui.at_door(move |door| door.leave(&actor, &account, &heir)).await {
        Ok(_) => Ok(page.done("/staff", key!("note-staff-left"))),
        Err(why) => {
            complain(t, &mut form, why)?;
            show_leave(page, &ui, &who, &id, form).await
        }
    }
}
