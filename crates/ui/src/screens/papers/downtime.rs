//! Blank forms for power cuts.

use askama::Template;
use askama::filters::Safe;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use ondol_app::papers::{DowntimeForm, FORM_ROWS, PaperRow};
use ondol_app::people::grouped;

use crate::page::Page;
use crate::qr;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;

#[derive(Template)]
#[template(path = "papers/forms.html")]
struct List {
    t: T,
    page: Page,
    forms: Vec<DowntimeForm>,
}

impl List {
    fn rows(&self) -> usize {
        let _ = self;
        FORM_ROWS
    }

    fn number(&self, form: &DowntimeForm) -> String {
        let _ = self;
        grouped(&form.name)
    }
}

/// The forms that were printed.
pub async fn list(page: Page, ui: State<Ui>, who: SignedIn) -> Result<Response, Trouble> {
    let forms = ui.run(move |app| app.downtime_forms(&who.actor)).await?;
    Ok(Screen(List { t: page.t, page, forms }).into_response())
}

/// Reserves the numbers of a new form, and shows it for printing.
pub async fn make(ui: State<Ui>, who: SignedIn) -> Result<Response, Trouble> {
    let form = ui.run(move |app| app.reserve_form(&who.actor)).await?;
    Ok(Redirect::to(&format!("/papers/downtime/{}", form.name)).into_response())
}

#[derive(Template)]
#[template(path = "papers/form.html")]
struct Print {
    t: T,
    page: Page,
    form: DowntimeForm,
    rows: Vec<PaperRow>,
    qr: Safe<String>,
}

impl Print {
    fn number(&self, number: &str) -> String {
        let _ = self;
        grouped(number)
    }
}

/// The blank form, to be printed.
pub async fn print(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(name): Path<String>,
) -> Result<Response, Trouble> {
    let (form, rows) = ui.run(move |app| app.downtime_form(&who.actor, &name)).await?;
    let code = format!("ondol:f:{}", form.name);
    let qr = qr::svg(&code, &form.name).map_err(Trouble::broken)?;
    Ok(Screen(Print { t: page.t, page, form, rows, qr }).into_response())
}
