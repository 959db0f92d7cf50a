//! FHIR R4 REST over the use cases (docs/api.md): reads requests, calls `ondol_app::rest` on a
//! thread made for blocking work, and writes answers. Nothing is decided here.

mod answer;
mod authenticate;
mod base64;
mod body;
mod capability;
mod dispatch;
mod error;
mod headers;
mod history;
mod http_date;
mod routes;
mod write;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    routing::any,
};
use ondol_app::App;
use tokio::sync::Semaphore;

pub use authenticate::{AccountAuthenticator, Authenticate, Refusal};
pub use capability::statement;
pub use routes::{Interaction, ROUTES, Route, Shape};

/// Where the API stands: addresses in answers begin with it.
pub const MOUNT: &str = "/fhir";

/// Requests that are worked on at the same time; others wait. Those that write wait for the disk
/// most of the time, and the more there are, the more share one sync.
const AT_ONCE: usize = 64;

/// What the API works with.
#[derive(Clone)]
pub struct ApiState {
    pub(crate) app: Arc<App>,
    pub(crate) authenticate: Arc<dyn Authenticate>,
    /// `https`, or `http` where something else encrypts.
    pub(crate) scheme: &'static str,
    pub(crate) permits: Arc<Semaphore>,
}

impl ApiState {
    /// The API of a node whose pages are served by `scheme` (`http` or `https`).
    pub fn new(app: Arc<App>, authenticate: Arc<dyn Authenticate>, scheme: &'static str) -> Self {
        Self { app, authenticate, scheme, permits: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

/// The API at [`MOUNT`], with and without a slash at its end: clients post bundles to either.
/// To be merged with whatever else a node serves.
pub fn mounted(state: ApiState) -> Router {
    let slash = format!("{MOUNT}/");
    let nested = Router::new().fallback(handle).with_state(state.clone());
    Router::new().route(&slash, any(handle).with_state(state)).nest(MOUNT, nested)
}

async fn handle(State(state): State<ApiState>, request: Request) -> Response {
    dispatch::handle(state, request).await
}
