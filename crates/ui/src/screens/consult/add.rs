//! More pictures for a consult that was sent.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ondol_app::AppError;
use ondol_kernel::ResourceId;

use super::upload::Upload;
use super::{given_id, words};
use crate::form::Form;
use crate::page::Page;
use crate::screen::Screen;
use crate::screens::people;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;

#[derive(Template)]
#[template(path = "consult/add.html")]
struct Add {
    t: T,
    page: Page,
    form: Form,
    patient: Patient,
    id: String,
}

/// The form.
pub async fn more(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    show_add(page, &ui, &who, &given_id(&id)?, Form::default()).await
}

async fn show_add(
    page: Page,
    ui: &Ui,
    who: &SignedIn,
    id: &ResourceId,
    form: Form,
) -> Result<Response, Trouble> {
    let (actor, request) = (who.actor.clone(), id.clone());
    let view = ui.run(move |app| app.consult(&actor, &request)).await?;
    let patient = people::shown::banner(&page, &view.about.banner);
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let screen = Add { t: page.t, form, patient, id: id.to_string(), page };
    Ok((status, Screen(screen)).into_response())
}

/// Adds them.
pub async fn add(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
    upload: Upload,
) -> Result<Response, Trouble> {
    let id = given_id(&id)?;
    let Upload { mut form, files } = upload;
    let (actor, request) = (who.actor.clone(), id.clone());
    let sure = form.chose("sure", "yes");
    let added = ui
        .run(move |app| {
            let view = app.consult(&actor, &request)?;
            let patient = ResourceId::new(view.patient()).map_err(|_| AppError::NotFound)?;
            let mut parts = vec![];
            for file in &files {
                parts.push(app.prepare_part(&actor, &patient, file)?);
            }
            if !sure && parts.iter().any(|part| !part.differs.is_empty()) {
                return Err(AppError::Field { field: "file", why: "whose" });
            }
            app.add_parts(&actor, &request, parts)
        })
        .await;
    match added {
        Ok(()) => Ok(page.done(&format!("/consult/{id}"), crate::key!("note-saved"))),
        Err(AppError::Field { field: "file", why: "whose" }) => {
            let t = page.t;
            form.complain("file", t.get("consult-pictures"), t.get("consult-mend-whose"));
            show_add(page, &ui, &who, &id, form).await
        }
        Err(AppError::State(_)) => {
            Ok(page.done(&format!("/consult/{id}"), crate::key!("note-consult-changed")))
        }
        Err(why) => {
            words::complain(page.t, &mut form, why)?;
            show_add(page, &ui, &who, &id, form).await
        }
    }
}
