//! The consultation sheet with its answer, on paper.

use askama::Template;
use askama::filters::Safe;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};

use super::given_id;
use super::page::AboutShown;
use super::shown::Shown;
use crate::page::Page;
use crate::qr;
use crate::screen::Screen;
use crate::screens::people;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;

#[derive(Template)]
#[template(path = "consult/sheet.html")]
struct Sheet {
    t: T,
    page: Page,
    patient: Patient,
    about: AboutShown,
    c: Shown,
    qr: Safe<String>,
}

/// The sheet.
pub async fn sheet(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let request = given_id(&id)?;
    let view = ui.run(move |app| app.consult(&who.actor, &request)).await?;
    let t = page.t;
    let qr = qr::svg(&format!("ondol:c:{id}"), &t.get("consult-qr")).map_err(Trouble::broken)?;
    let patient = people::shown::banner(&page, &view.about.banner);
    let about = AboutShown::on_paper(&page, &view.about);
    let c = Shown::of(&page, &view);
    Ok(Screen(Sheet { t, page, patient, about, c, qr }).into_response())
}
