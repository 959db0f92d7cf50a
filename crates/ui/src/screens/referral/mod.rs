//! Sending a patient to another facility, and who is coming.

mod list;
mod new;
mod page;
mod words;

use axum::Router;
use axum::routing::get;

use crate::state::Ui;

/// `/refer/…`, `/referral/…`, `/referrals`.
pub fn routes() -> Router<Ui> {
    Router::new()
        .route("/refer/{patient}", get(new::blank).post(new::write))
        .route("/referrals", get(list::page))
        .route("/referral/{id}", get(page::page))
        .route("/referral/{id}/letter", get(page::letter))
        .route("/referral/{id}/do/{task}", get(page::ask).post(page::carry_out))
}
