//! The card and the wristband of a person.

use askama::Template;
use askama::filters::Safe;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use ondol_app::papers::Card;

use crate::page::Page;
use crate::qr;
use crate::screen::Screen;
use crate::screens::people::{id, shown};
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;

#[derive(Template)]
#[template(path = "papers/card.html")]
struct Print {
    t: T,
    page: Page,
    patient: Patient,
    card: Card,
    born: String,
    qr: Safe<String>,
    wristband: bool,
}

async fn print(
    page: Page,
    ui: &Ui,
    who: SignedIn,
    path: &str,
    wristband: bool,
) -> Result<Response, Trouble> {
    let id = id(path)?;
    let card = ui.run(move |app| app.card(&who.actor, &id)).await?;
    let number = card.banner.person.number().map(|number| number.value.clone());
    let number = number.unwrap_or_default();
    let code = format!("ondol:p:{number}");
    let qr = qr::svg(&code, &number).map_err(Trouble::broken)?;
    let patient = shown::banner(&page, &card.banner);
    let born = card.banner.person.birth.to_fhir().unwrap_or_default();
    Ok(Screen(Print { t: page.t, page, patient, card, born, qr, wristband }).into_response())
}

/// The card.
pub async fn card(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
) -> Result<Response, Trouble> {
    print(page, &ui, who, &path, false).await
}

/// The wristband.
pub async fn wristband(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
) -> Result<Response, Trouble> {
    print(page, &ui, who, &path, true).await
}
