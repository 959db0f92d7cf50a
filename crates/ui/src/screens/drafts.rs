//! What is typed is kept every few seconds: `data-draft="/drafts/KEY"` on a form.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::routing::post;

use crate::form::Form;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::trouble::Trouble;

/// The largest form that is kept.
const FORM_BYTES_MAX: usize = 256 * 1024;

/// `/drafts/{*key}`.
pub fn routes() -> Router<Ui> {
    Router::new().route("/drafts/{*key}", post(keep)).layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
}

async fn keep(
    who: SignedIn,
    ui: State<Ui>,
    Path(key): Path<String>,
    typed: Bytes,
) -> Result<StatusCode, Trouble> {
    // The token of the form is no business of its draft, and secrets are none either.
    let kept = without_secrets(&Form::parse(&typed));
    let actor = who.actor;
    ui.run(move |app| app.save_draft(&actor, &key, kept.as_bytes())).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn without_secrets(form: &Form) -> String {
    let fields = form.fields().iter().filter(|(name, _)| !is_withheld(name));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn is_withheld(name: &str) -> bool {
    name == crate::csrf::FIELD || crate::guard::SECRET_FIELDS.contains(&name)
}
