//! Papers: registers, tallies, forms for power cuts, cards, who has seen a chart.

mod card;
mod day;
mod downtime;
mod grid;
mod month;
mod readers;
mod summary;

use askama::Template;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;

/// `/papers…`, and the prints of a person.
pub fn routes() -> Router<Ui> {
    Router::new()
        .route("/papers", get(list))
        .route("/papers/day", get(day::day))
        .route("/papers/month", get(month::month))
        .route("/papers/downtime", get(downtime::list).post(downtime::make))
        .route("/papers/downtime/{form}", get(downtime::print))
        .route("/papers/downtime/{form}/type", get(grid::show).post(grid::save))
        .route("/people/{id}/card", get(card::card))
        .route("/people/{id}/wristband", get(card::wristband))
        .route("/people/{id}/readers", get(readers::readers))
        .route("/people/{id}/summary", get(summary::summary))
}

#[derive(Template)]
#[template(path = "papers/list.html")]
struct List {
    t: T,
    page: Page,
}

async fn list(page: Page, _: SignedIn) -> Response {
    Screen(List { t: page.t, page }).into_response()
}
