//! Asking a specialist, and answering: the question, its page for both ends, the inbox.

mod add;
mod ask;
mod check;
mod inbox;
pub(crate) mod page;
pub(crate) mod picture;
mod sheet;
pub(crate) mod shown;
mod states;
mod task;
pub(crate) mod upload;
pub(crate) mod words;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use ondol_kernel::ResourceId;

use crate::state::Ui;
use crate::trouble::Trouble;

/// An id of an address. What is none leads nowhere.
pub(crate) fn given_id(text: &str) -> Result<ResourceId, Trouble> {
    ResourceId::new(text).map_err(|_| Trouble::NotFound)
}

/// `/ask/…`, `/consult/…`, `/inbox`.
pub fn routes() -> Router<Ui> {
    let uploads = Router::new()
        .route("/ask/{patient}/{specialty}", get(ask::blank).post(ask::keep))
        .route("/consult/{id}/add", get(add::more).post(add::add))
        .layer(DefaultBodyLimit::max(upload::BYTES_MAX));
    Router::new()
        .merge(uploads)
        .route("/ask/{patient}", get(ask::specialties))
        .route("/ask/{patient}/{specialty}/check", get(check::check).post(check::send))
        .route("/alarm", get(inbox::alarm))
        .route("/inbox", get(inbox::page))
        .route("/inbox/{list}", get(inbox::list))
        .route("/consult/{id}", get(page::page))
        .route("/consult/{id}/live", get(page::live))
        .route("/consult/{id}/pictures", get(page::pictures))
        .route("/consult/{id}/do/{task}", get(task::ask).post(task::carry_out))
        .route("/consult/{id}/picture/{picture}/{size}", get(picture::show))
        .route("/consult/{id}/want/{picture}/{size}", post(picture::want))
        .route("/consult/{id}/states", get(states::page).post(states::redirect))
        .route("/consult/{id}/states/release", post(states::release))
        .route("/consult/{id}/sheet", get(sheet::sheet))
}
