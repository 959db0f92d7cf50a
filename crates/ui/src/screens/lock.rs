//! The lock: the session stays, and its owner goes on with PIN, card or password.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use ondol_app::AppError;

use super::sign_in::{AskSecret, back_of, complain_of_secret, shown_secret};
use crate::form::Form;
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::{HELD_BACK, Held, Known, SignedIn};
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::words;

/// `/lock`, `/locked`, `/send-again`, `/lock-after`.
pub fn routes() -> Router<Ui> {
    Router::new()
        .route("/lock", post(lock))
        .route("/locked", get(locked).post(unlock))
        .route("/lock-after", get(ask_lock_after).post(set_lock_after))
        .route("/send-again", get(held_back).post(drop_held_back))
}

async fn lock(ui: State<Ui>, held: Held, form: Form) -> Result<Response, Trouble> {
    if let Some(session) = held.session {
        ui.at_door(move |door| door.lock(&session)).await?;
    }
    let back: String = form_urlencoded::byte_serialize(back_of(&form).as_bytes()).collect();
    Ok(Redirect::to(&format!("/locked?back={back}")).into_response())
}

async fn locked(page: Page, ui: State<Ui>, known: Known, held: Held, form: Form) -> Response {
    if !known.0.account.locked {
        return Redirect::to(&back_of(&form)).into_response();
    }
    ask(page, &ui, known, held, form).await
}

async fn ask(page: Page, ui: &Ui, known: Known, held: Held, form: Form) -> Response {
    let t = page.t;
    let account = known.0.account;
    // A PIN is enough only where the password was given today.
    let offered = match held.station {
        Some(station) => ui.at_door(move |door| door.people_of_station(&station)).await,
        None => Ok(vec![]),
    };
    let offered = match offered {
        Ok(people) => people.into_iter().find(|person| person.account == account.account),
        Err(why) => return Trouble::from(why).into_response(),
    };
    let (has_pin, card) = offered.map_or((false, false), |person| (person.pin, person.card));
    let pin = has_pin && form.value("with") != "password";
    let back = back_of(&form);
    let encoded: String = form_urlencoded::byte_serialize(back.as_bytes()).collect();
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let screen = AskSecret {
        t,
        title: t.get("door-locked"),
        name: account.actor.name().to_owned(),
        roles: words::roles(t, account.roles()),
        action: "/locked",
        account: String::new(),
        otherwise: match (has_pin, pin) {
            (true, true) => format!("/locked?with=password&back={encoded}"),
            (true, false) => format!("/locked?back={encoded}"),
            (false, _) => String::new(),
        },
        card,
        others: "/switch".to_owned(),
        back,
        pin,
        form,
        page,
    };
    (status, Screen(screen)).into_response()
}

async fn unlock(
    page: Page,
    ui: State<Ui>,
    known: Known,
    held: Held,
    mut form: Form,
) -> Result<Response, Trouble> {
    let (kind, shown) = shown_secret(&form);
    let (session, station) = (known.0.cookie.clone(), held.station.clone().unwrap_or_default());
    let unlocked = ui.at_door(move |door| door.unlock(&session, &station, kind.of(&shown))).await;
    match unlocked {
        Ok(_) => Ok(Redirect::to(&back_of(&form)).into_response()),
        Err(AppError::SignIn("ended")) => Ok(Redirect::to("/sign-in").into_response()),
        Err(why) => {
            complain_of_secret(page.t, &mut form, kind, why)?;
            Ok(ask(page, &ui, known, held, form).await)
        }
    }
}

#[derive(Template)]
#[template(path = "door/send_again.html")]
struct SendAgain {
    t: T,
    page: Page,
    path: String,
    fields: Vec<(String, String)>,
}

/// The form that came after the lock. It is not sent by itself: somebody else may have come first.
async fn held_back(page: Page, ui: State<Ui>, who: SignedIn) -> Result<Response, Trouble> {
    let actor = who.actor.clone();
    let kept = ui.at_door(move |door| door.draft(&actor, HELD_BACK)).await?;
    let kept = kept.and_then(|(_, bytes)| String::from_utf8(bytes).ok());
    let Some((path, typed)) = kept.as_deref().and_then(|kept| kept.split_once('\n')) else {
        return Ok(Redirect::to("/").into_response());
    };
    let fields = Form::parse(typed.as_bytes()).fields().to_vec();
    let fields = fields.into_iter().filter(|(name, _)| name != "csrf").collect();
    let path = super::base::own_path(path).to_owned();
    drop_it(&ui, &who).await?;
    Ok(Screen(SendAgain { t: page.t, page, path, fields }).into_response())
}

async fn drop_held_back(ui: State<Ui>, who: SignedIn) -> Result<Response, Trouble> {
    drop_it(&ui, &who).await?;
    Ok(Redirect::to("/").into_response())
}

async fn drop_it(ui: &Ui, who: &SignedIn) -> Result<(), AppError> {
    let actor = who.actor.clone();
    ui.at_door(move |door| door.drop_draft(&actor, HELD_BACK)).await
}

#[derive(Template)]
#[template(path = "door/lock_after.html")]
struct LockAfter {
    t: T,
    page: Page,
    form: Form,
}

async fn ask_lock_after(page: Page, ui: State<Ui>, _: SignedIn) -> Result<Response, Trouble> {
    let minutes = ui.at_door(|door| door.lock_after_minutes()).await?;
    let form = Form::of([("minutes", minutes.to_string())]);
    Ok(Screen(LockAfter { t: page.t, page, form }).into_response())
}

async fn set_lock_after(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    mut form: Form,
) -> Result<Response, Trouble> {
    let t = page.t;
    // What is no number, or no small one, is out of range like 0.
    let minutes = form.number("minutes").and_then(|n| n.parse().ok()).unwrap_or(0);
    match ui.at_door(move |door| door.set_lock_after(&who.actor, minutes)).await {
        Ok(()) => Ok(page.done("/me", key!("note-saved"))),
        Err(AppError::Field { .. }) => {
            form.complain("minutes", t.get("door-lock-after"), t.get("door-lock-after-range"));
            let screen = Screen(LockAfter { t, page, form });
            Ok((StatusCode::UNPROCESSABLE_ENTITY, screen).into_response())
        }
        Err(why) => Err(why.into()),
    }
}
