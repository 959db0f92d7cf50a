//! The screens, one module for each area. An area has `fn routes() -> Router<…>`, templates in
//! `templates/AREA/` and texts in `locales/LANG/AREA.ftl`; the README of this crate shows how to
//! add one.

pub mod base;
pub mod chart;
pub mod confirm;
pub mod consult;
pub mod counts;
pub mod death;
pub mod drafts;
pub mod duty;
pub mod encounter;
pub mod first_run;
pub mod help;
pub mod home;
pub mod import;
pub mod lock;
pub mod me;
pub mod nodes;
pub mod papers;
pub mod people;
pub mod referral;
pub mod road;
pub mod sealed;
pub mod settings;
pub mod sign_in;
pub mod staff;
pub mod stock;
pub mod trust;

use axum::Router;

use crate::state::Ui;

/// The screens of all areas.
pub fn all() -> Router<Ui> {
    Router::new()
        .merge(people::routes())
        .merge(papers::routes())
        .merge(death::routes())
        .merge(home::routes())
        .merge(import::routes())
        .merge(encounter::routes())
        .merge(chart::routes())
        .merge(consult::routes())
        .merge(drafts::routes())
        .merge(lock::routes())
        .merge(me::routes())
        .merge(nodes::routes())
        .merge(referral::routes())
        .merge(sealed::routes())
        .merge(road::routes())
        .merge(counts::routes())
        .merge(trust::routes())
        .merge(help::routes())
        .merge(settings::routes())
        .merge(first_run::routes())
        .merge(staff::routes())
        .merge(stock::routes())
        .merge(duty::routes())
        .merge(sign_in::routes())
}
