//! What belongs to no area: the language, the state of the road.

use askama::Template;
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use crate::cookies;
use crate::form::Form;
use crate::lang::Lang;
use crate::page::Page;
use crate::screen::Screen;
use crate::texts::T;

/// `POST /language`, `GET /road/chip`.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/language", post(language)).route("/road/chip", get(road_chip))
}

const YEAR_S: u32 = 365 * 24 * 3_600;

async fn language(page: Page, form: Form) -> Response {
    let back = own_path(form.value("back"));
    let Some(lang) = Lang::from_tag(form.value("lang")) else {
        return Redirect::to(back).into_response();
    };
    let cookie = cookies::set(cookies::LANG, lang.tag(), Some(YEAR_S), page.https);
    ([cookie], Redirect::to(back)).into_response()
}

/// A path of this node; anything else becomes the first page. `//host` and `/\host` are read by
/// browsers as other hosts.
pub fn own_path(path: &str) -> &str {
    let second = path.as_bytes().get(1);
    let plain = path.bytes().all(|b| b.is_ascii_graphic());
    if path.starts_with('/') && !matches!(second, Some(b'/' | b'\\')) && plain { path } else { "/" }
}

#[derive(Template)]
#[template(path = "base/road_chip.html")]
struct RoadChip {
    t: T,
    page: Page,
}

/// The chip alone, for the script that keeps it true on a page that stands open.
async fn road_chip(page: Page) -> Response {
    Screen(RoadChip { t: page.t, page }).into_response()
}

/// What nobody else answers.
pub(crate) async fn not_found(_: Request) -> StatusCode {
    StatusCode::NOT_FOUND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_never_leaves_the_node() {
        for (path, safe) in [
            ("/people?page=2", "/people?page=2"),
            ("/", "/"),
            ("", "/"),
            ("//elsewhere", "/"),
            ("/\\elsewhere", "/"),
            ("https://elsewhere", "/"),
            ("/a\r\nSet-Cookie: x", "/"),
        ] {
            assert_eq!(own_path(path), safe, "{path}");
        }
    }
}
