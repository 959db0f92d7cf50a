//! Correcting what is known of a person.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ondol_app::AppError;
use ondol_app::encounter::Banner;

use super::{complain, id, register, same_chart, shown, typed};
use crate::form::{Choice, Form};
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;

#[derive(Template)]
#[template(path = "people/edit.html")]
struct Edit {
    t: T,
    page: Page,
    patient: Patient,
    chart: String,
    form: Form,
    kind: &'static str,
    sexes: Vec<Choice>,
    orders: Vec<Choice>,
    doctors: Vec<Choice>,
    homes: Vec<Choice>,
}

async fn show(
    page: Page,
    ui: &Ui,
    who: &SignedIn,
    banner: &Banner,
    form: Form,
) -> Result<Response, Trouble> {
    let t = page.t;
    let screen = Edit {
        t,
        patient: shown::banner(&page, banner),
        chart: banner.person.id.to_string(),
        kind: typed::kind(&form),
        sexes: typed::sexes(t),
        orders: vec![],
        doctors: register::doctors(ui, who).await?,
        homes: vec![
            Choice::new("yes", t.get("people-resident-yes")),
            Choice::new("no", t.get("people-resident-no")),
        ],
        page,
        form: form.clone(),
    };
    Ok(super::shown(&form, Screen(screen)))
}

async fn banner(ui: &Ui, who: &SignedIn, path: &str) -> Result<Banner, Trouble> {
    let (actor, id) = (who.actor.clone(), id(path)?);
    Ok(ui.run(move |app| app.banner(&actor, &id)).await?)
}

/// The form with what is known.
pub async fn ask(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
) -> Result<Response, Trouble> {
    let banner = banner(&ui, &who, &path).await?;
    let mut form = typed::form_of(&banner.person);
    let here = ui.run(|app| Ok(app.place().organization())).await?;
    // At home elsewhere is not at home here: saved as it stands, it must not move.
    let resident = banner.person.home.as_ref() == Some(&here);
    form.put("resident", if resident { "yes" } else { "no" });
    show(page, &ui, &who, &banner, form).await
}

/// Saves it.
pub async fn save(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
    mut form: Form,
) -> Result<Response, Trouble> {
    let id = id(&path)?;
    same_chart(&form, &id)?;
    let banner = banner(&ui, &who, &path).await?;
    let mut registration = typed::read(&page, &mut form);
    // What a stranger was registered by stays until somebody says who it is.
    registration.birth_order =
        banner.person.birth_order.and_then(|order| u32::try_from(order).ok());
    registration.birth_time =
        banner.person.birth_time.as_deref().and_then(ondol_kernel::Millis::parse_fhir);
    if registration.name.is_empty() && registration.stranger.is_none() {
        registration.stranger.clone_from(&banner.person.stranger);
    }
    if !form.is_fine() {
        return show(page, &ui, &who, &banner, form).await;
    }
    let actor = who.actor.clone();
    match ui.run(move |app| app.edit_person(&actor, &id, registration)).await {
        Ok(()) => Ok(page.done(&format!("/people/{path}"), key!("note-saved"))),
        // The person's data may be written here; the home is what may not be changed.
        Err(AppError::Denied(_)) => {
            form.complain(
                "resident",
                page.t.get("people-resident"),
                page.t.get("people-error-home"),
            );
            let screen = show(page, &ui, &who, &banner, form).await?;
            Ok((StatusCode::FORBIDDEN, screen).into_response())
        }
        Err(why) => {
            complain(page.t, &mut form, &typed::labels(page.t), why)?;
            show(page, &ui, &who, &banner, form).await
        }
    }
}
