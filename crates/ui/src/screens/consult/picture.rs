//! Pictures and sound of a case.

use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use ondol_app::attachment::Size;
use ondol_app::consult::RequestKind;

use super::given_id;
use crate::key;
use crate::page::Page;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::trouble::Trouble;

/// The bytes, if they are here. What no browser shows is saved as a file.
pub async fn show(
    ui: State<Ui>,
    who: SignedIn,
    Path((id, picture, size)): Path<(String, String, String)>,
) -> Result<Response, Trouble> {
    let id = given_id(&id)?;
    let size = Size::from_word(&size).ok_or(Trouble::NotFound)?;
    let fetched = ui
        .run(move |app| app.picture(&who.actor, RequestKind::Consult, &id, &picture, size))
        .await?;
    let kind = fetched.media_type.as_str();
    let shown = kind.starts_with("image/") || kind.starts_with("audio/");
    // A file from outside never runs as a page of ours, whatever it claims to be.
    let disposition = if shown { "inline" } else { "attachment" };
    let kind =
        HeaderValue::from_str(kind).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let headers: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static(disposition)),
    ];
    Ok((headers, fetched.bytes).into_response())
}

/// Asks for what is not here.
pub async fn want(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path((id, picture, size)): Path<(String, String, String)>,
) -> Result<Response, Trouble> {
    let request = given_id(&id)?;
    let size = Size::from_word(&size).ok_or(Trouble::NotFound)?;
    ui.run(move |app| app.want_picture(&who.actor, RequestKind::Consult, &request, &picture, size))
        .await?;
    Ok(page.done(&format!("/consult/{id}"), key!("note-consult-wanted")))
}
