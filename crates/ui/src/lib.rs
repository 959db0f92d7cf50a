//! Pages: server-rendered, Korean and English.
//!
//! Every page works without script: forms post and are answered by a redirect. Layout, texts,
//! parts and the rules of HTTP are here; the screens are in [`screens`]. The README of this
//! crate shows how to add one.

// Templates name this crate by its name, so that examples can extend them.
extern crate self as ondol_ui;

pub mod assets;
pub mod cookies;
mod csrf;
mod form;
mod guard;
mod lang;
pub mod moments;
mod page;
pub mod qr;
mod rooms;
mod screen;
pub mod screens;
pub mod session;
mod state;
mod texts;
mod trouble;
pub mod view;
pub mod words;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;

pub use form::{Choice, Complaint, Form, PartialDate, TypedDate};
pub use guard::Frame;
pub use lang::Lang;
pub use ondol_app::DiskTrouble;
pub use page::{Page, Road, SignedIn, Surroundings};
pub use rooms::rooms;
pub use screen::Screen;
pub use screens::trust::{Trust, with_trust};
pub use state::Ui;
pub use texts::{Arg, Msg, T};
pub use trouble::Trouble;

/// All screens of a facility, ready to be served. [`rooms`] puts the practice room beside it.
pub fn router(ui: Ui, frame: Frame) -> Router {
    let sessions = from_fn_with_state(ui.clone(), session::find);
    guard(pages(screens::all()).layer(sessions).with_state(ui), frame)
}

/// The screens together with static files, the language switch, and error pages for whatever
/// fails. A layer that knows sessions goes around the result, and [`guard`] around that:
/// `guard(pages(screens).layer(sessions), frame)`.
pub fn pages<S: Clone + Send + Sync + 'static>(screens: Router<S>) -> Router<S> {
    screens
        .merge(screens::base::routes())
        .route("/static/{file}", get(assets::serve))
        .fallback(screens::base::not_found)
        .layer(from_fn(trouble::dress))
}

/// The outermost layer: makes the [`Page`] of each request, refuses forms that are not ours,
/// sets the headers of safety, compresses.
pub fn guard(pages: Router, frame: Frame) -> Router {
    pages.layer(from_fn_with_state(Arc::new(frame), guard::around))
}
