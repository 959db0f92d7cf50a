//! The screens, one module for each area. An area has `fn routes() -> Router<…>`, templates in
//! `templates/AREA/` and texts in `locales/LANG/AREA.ftl`; the README of this crate shows how to
//! add one.

pub mod base;
pub mod confirm;
pub mod consult;
pub mod drafts;
pub mod duty;
pub mod first_run;
pub mod lock;
pub mod me;
pub mod referral;
pub mod sign_in;
pub mod staff;

use axum::Router;

use crate::state::Ui;

/// The screens of all areas.
pub fn all() -> Router<Ui> {
    Router::new()
        .merge(consult::routes())
        .merge(drafts::routes())
        .merge(lock::routes())
        .merge(me::routes())
        .merge(referral::routes())
        .merge(first_run::routes())
        .merge(staff::routes())
        .merge(duty::routes())
        .merge(sign_in::routes())
}
