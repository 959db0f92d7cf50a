//! Help: six steps with a picture each.

use askama::Template;
use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::page::Page;
use crate::screen::Screen;
use crate::state::Ui;
use crate::texts::T;

/// `/help`.
pub fn routes() -> Router<Ui> {
    Router::new().route("/help", get(show))
}

#[derive(Template)]
#[template(path = "help/help.html")]
struct Help {
    t: T,
    page: Page,
}

/// Also for those who are not signed in: whoever cannot get in needs it most.
async fn show(page: Page) -> impl IntoResponse {
    Screen(Help { t: page.t, page })
}
