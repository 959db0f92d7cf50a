//! The photograph of a person.

use askama::Template;
use axum::body::Body;
use axum::extract::{Multipart, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{id, shown};
use crate::form::Form;
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;

#[derive(Template)]
#[template(path = "people/photo.html")]
struct Ask {
    t: T,
    page: Page,
    patient: Patient,
    chart: String,
    form: Form,
}

/// The picture itself.
pub async fn show(
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
) -> Result<Response, Trouble> {
    let id = id(&path)?;
    let photo = ui.run(move |app| app.photo_of(&who.actor, &id)).await?;
    let Some(photo) = photo else { return Ok(StatusCode::NOT_FOUND.into_response()) };
    Ok(([(header::CONTENT_TYPE, "image/jpeg")], Body::from(photo)).into_response())
}

async fn asked(
    page: Page,
    ui: &Ui,
    who: &SignedIn,
    path: &str,
    form: Form,
) -> Result<Response, Trouble> {
    let (actor, id) = (who.actor.clone(), id(path)?);
    let banner = ui.run(move |app| app.banner(&actor, &id)).await?;
    let patient = shown::banner(&page, &banner);
    let screen = Ask { t: page.t, page, patient, chart: path.to_owned(), form: form.clone() };
    Ok(super::shown(&form, Screen(screen)))
}

/// Asks for a picture.
pub async fn ask(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
) -> Result<Response, Trouble> {
    asked(page, &ui, &who, &path, Form::default()).await
}

/// Keeps a picture.
pub async fn keep(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
    mut parts: Multipart,
) -> Result<Response, Trouble> {
    let (mut chart, mut photo) = (String::new(), vec![]);
    while let Some(part) = parts.next_field().await.map_err(|_| Trouble::BadRequest)? {
        match part.name() {
            Some("chart") => chart = part.text().await.map_err(|_| Trouble::BadRequest)?,
            Some("photo") => {
                photo = part.bytes().await.map_err(|_| Trouble::TooLarge)?.to_vec();
            }
            _ => {}
        }
    }
    if chart != path {
        return Err(Trouble::BadRequest);
    }
    let mut form = Form::default();
    if photo.is_empty() {
        form.complain("photo", page.t.get("people-photo"), page.t.get("people-error-photo"));
        return asked(page, &ui, &who, &path, form).await;
    }
    let (actor, id) = (who.actor.clone(), id(&path)?);
    match ui.run(move |app| app.set_photo(&actor, &id, &photo)).await {
        Ok(()) => Ok(page.done(&format!("/people/{path}"), key!("note-saved"))),
        Err(why) => {
            let labels = super::typed::labels(page.t);
            super::complain(page.t, &mut form, &labels, why)?;
            asked(page, &ui, &who, &path, form).await
        }
    }
}
