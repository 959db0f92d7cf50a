//! Files on their way from a browser to the node: piece by piece, none of them held whole.

use axum::body::Bytes;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{Multipart, State};
use axum::response::{IntoResponse, Redirect, Response};
use ondol_app::AppError;
use ondol_app::intake::{BYTES_MAX, IntakeError};
use ondol_app::rest::import::Mode;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::page::Page;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::trouble::Trouble;

/// So many pieces wait for the disk at most.
const PIECES_WAITING: usize = 8;

/// The longest name of a file, bytes; what is longer is cut.
const NAME_BYTES_MAX: usize = 4_096;

enum Piece {
    File(String),
    Bytes(Bytes),
    /// All files are there. What ends without it was cut off.
    End,
}

/// Takes the files that were chosen, and does with them what the button said.
pub(super) async fn receive(
    page: Page,
    who: SignedIn,
    ui: State<Ui>,
    mut parts: Multipart,
) -> Result<Response, Trouble> {
    let (to, from) = channel(PIECES_WAITING);
    let (app, actor) = (ui.app.clone(), who.actor.clone());
    let keeping = tokio::task::spawn_blocking(move || {
        let incoming = app.bring(&actor)?;
        keep(incoming, from)
    });
    let sent = pass_on(&mut parts, &to).await;
    if sent.is_ok() {
        // Whoever does not listen any more has said why.
        let _ = to.send(Piece::End).await;
    }
    drop(to);
    let kept = keeping.await.unwrap_or_else(|_| Err(AppError::Unexpected("bringing").into()));
    let is_trial = match (sent, kept) {
        (_, Err(why)) => return super::refuse(page, &who, &ui, why).await,
        (Err(_), Ok(())) => return Err(Trouble::BadRequest),
        (Ok(is_trial), Ok(())) => is_trial,
    };
    let mode = if is_trial { Mode::Try } else { Mode::Write };
    let actor = who.actor.clone();
    match ui.run_or(move |app| app.start_intake(&actor, mode)).await {
        Ok(()) => Ok(Redirect::to("/import").into_response()),
        Err(why) => super::refuse(page, &who, &ui, why).await,
    }
}

fn keep(
    mut incoming: Box<dyn ondol_app::intake::Incoming>,
    mut from: Receiver<Piece>,
) -> Result<(), IntakeError> {
    while let Some(piece) = from.blocking_recv() {
        match piece {
            Piece::File(name) => incoming.file(&name)?,
            Piece::Bytes(bytes) => incoming.bytes(&bytes)?,
            Piece::End => return incoming.end(),
        }
    }
    Ok(())
}

/// Passes the files on; whether they are only to be tried. After a refusal the rest is read and
/// forgotten, so that the browser hears why instead of a line that breaks.
async fn pass_on(parts: &mut Multipart, to: &Sender<Piece>) -> Result<bool, MultipartError> {
    let mut is_trial = true;
    let mut bytes = 0;
    while let Some(mut part) = parts.next_field().await? {
        if part.name() == Some("do") {
            is_trial = text(&mut part).await? != b"import";
            continue;
        }
        let name = part.file_name().unwrap_or_default();
        if part.name() != Some("files") || name.is_empty() {
            continue;
        }
        let name = name.chars().rev().take(NAME_BYTES_MAX / 4).collect::<Vec<_>>();
        let _ = to.send(Piece::File(name.into_iter().rev().collect())).await;
        while let Some(piece) = part.chunk().await? {
            bytes += piece.len() as u64;
            if bytes > 2 * BYTES_MAX {
                return Ok(is_trial);
            }
            let _ = to.send(Piece::Bytes(piece)).await;
        }
    }
    Ok(is_trial)
}

/// The beginning of a short field.
async fn text(part: &mut Field<'_>) -> Result<Vec<u8>, MultipartError> {
    let mut text = vec![];
    while let Some(piece) = part.chunk().await? {
        text.extend_from_slice(&piece[..piece.len().min(16)]);
        text.truncate(16);
    }
    Ok(text)
}
