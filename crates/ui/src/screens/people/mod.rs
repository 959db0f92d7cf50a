//! People: found, registered, received, linked; who they are allergic to; who has seen them.

pub mod allergies;
pub mod arrive;
pub mod edit;
pub mod elsewhere;
pub mod find;
pub mod link;
pub mod photo;
pub mod register;
pub mod same;
pub mod shown;
pub mod typed;
pub mod unlinked;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ondol_app::AppError;
use ondol_kernel::ResourceId;

use crate::form::Form;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::words;

/// `/people…`, but for charts, visits and papers.
pub fn routes() -> Router<Ui> {
    Router::new()
        .route("/people", get(find::blank).post(find::find))
        .route("/people/new", get(register::blank).post(register::register))
        .route("/people/same", get(same::list))
        .route("/people/{id}/same/{other}", get(same::compare).post(same::decide))
        .route("/people/{id}/elsewhere", get(elsewhere::show).post(elsewhere::act))
        .route("/people/{id}/unlinked/{note}", get(unlinked::show))
        .route("/people/{id}/unlinked/{note}/print", get(unlinked::print))
        .route("/people/{id}/edit", get(edit::ask).post(edit::save))
        .route("/people/{id}/photo", get(photo::show).post(photo::keep))
        .route("/people/{id}/photo/new", get(photo::ask))
        .route("/people/{id}/receive", post(arrive::receive))
        .route("/people/{id}/glass", get(arrive::ask_glass).post(arrive::break_glass))
        .route("/people/{id}/link", get(link::ask).post(link::link))
        .route("/people/{id}/unlink", post(link::unlink))
        .route("/people/{id}/allergies", get(allergies::list).post(allergies::add))
        .route("/people/{id}/allergies/none", post(allergies::none))
        .route("/people/{id}/allergies/not-asked", post(allergies::not_asked))
        .route("/people/{id}/allergies/{allergy}/refute", post(allergies::refute))
}

/// An id in an address.
pub fn id(text: &str) -> Result<ResourceId, Trouble> {
    ResourceId::new(text).map_err(|_| Trouble::NotFound)
}

/// A form says in a field of its own whose it is: one that was made for somebody else is never
/// carried out, whatever the address says.
pub fn same_chart(form: &Form, id: &ResourceId) -> Result<(), Trouble> {
    if form.value("chart") == id.as_str() { Ok(()) } else { Err(Trouble::BadRequest) }
}

/// What to do about a field, by the code of [`AppError::Field`].
pub fn what_to_mend(t: T, why: &str) -> String {
    match why {
        "future" => t.get("people-error-future"),
        "impossible" => t.get("people-error-impossible"),
        "before-birth" => t.get("people-error-before-birth"),
        "too-old" => t.get("people-error-too-old"),
        "gap" => t.get("people-error-gap"),
        "decimals" => t.get("people-error-decimals"),
        "number" => t.get("people-error-number"),
        "reason" => t.get("people-error-reason"),
        "photo" => t.get("people-error-photo"),
        "days" => t.get("people-error-days"),
        "same-name" => t.get("people-error-same-name"),
        "same-person" => t.get("people-error-same-chart"),
        other => words::what_to_mend(t, other),
    }
}

/// Puts what a use case refused beside its field; `labels` gives the fields' names in the form and
/// on the page. Gives the error back if no field can mend it.
pub fn complain(
    t: T,
    form: &mut Form,
    labels: &[(&str, String)],
    error: AppError,
) -> Result<(), AppError> {
    match error {
        AppError::Field { field, why } => {
            let known = labels.iter().find(|(name, _)| *name == field);
            let label = known.map_or_else(String::new, |(_, label)| label.clone());
            form.complain(field, label, what_to_mend(t, why));
            Ok(())
        }
        AppError::State(why) => {
            form.complain("", String::new(), state(t, why));
            Ok(())
        }
        other => Err(other),
    }
}

/// Why something is not possible now.
pub fn state(t: T, why: &str) -> String {
    match why {
        "search-limit" => t.get("people-state-search-limit"),
        "allergies-known" => t.get("people-state-allergies-known"),
        "died-already" | "not-died" => t.get("people-state-death-done"),
        "not-in-use" => t.get("people-state-not-in-use"),
        "one-already" => t.get("people-state-one-already"),
        "other-chart" => t.get("people-state-other-chart"),
        "chart-closed" => t.get("people-state-chart-closed"),
        "other-facility" => t.get("people-state-other-facility"),
        "visit-has-request" => t.get("people-state-visit-has-request"),
        "visit-has-visits" => t.get("people-state-visit-has-visits"),
        "seal-reader-unknown" => t.get("people-state-seal-reader"),
        "seal-impossible" => t.get("people-state-seal"),
        "row-done" => t.get("people-state-row-done"),
        other => words::state(t, other),
    }
}

/// A page with what is to be mended in it, or as it is.
pub fn shown(form: &Form, page: impl IntoResponse) -> Response {
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    (status, page).into_response()
}
