//! The facility and its practice room, side by side at the same addresses. A cookie says in which
//! of the two somebody is.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use tower::ServiceExt as _;

use crate::cookies;

/// The cookie of the room.
pub(crate) const ROOM: &str = "ondol_room";
/// Its value in the practice room.
pub(crate) const PRACTICE: &str = "practice";

/// Serves each request from the room that it is in.
pub fn rooms(facility: Router, practice: Router) -> Router {
    Router::new().fallback(choose).with_state((facility, practice))
}

async fn choose(
    State((facility, practice)): State<(Router, Router)>,
    request: Request,
) -> Response {
    let room = cookies::read(request.headers(), ROOM);
    let room = if room == Some(PRACTICE) { practice } else { facility };
    match room.oneshot(request).await {
        Ok(response) => response,
        Err(never) => never.into_response(),
    }
}
