//! What was left out, as files for the one who brought it.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use ondol_app::intake::{Handed, IntakeError};
use tokio::sync::mpsc::{Receiver, channel};

use crate::session::SignedIn;
use crate::state::Ui;
use crate::trouble::Trouble;

/// So much is read at once, bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// A file of what was left out.
pub(super) async fn refused(
    who: SignedIn,
    ui: State<Ui>,
    Path(number): Path<u32>,
) -> Result<Response, Trouble> {
    let handed = ui.run_or(move |app| app.refused_rows(&who.actor, number)).await;
    let Handed { name, bytes, from } = handed.map_err(|why| match why {
        IntakeError::App(why) => why.into(),
        IntakeError::NotYours => Trouble::NotAllowed,
        IntakeError::NotHere => Trouble::NotFound,
        IntakeError::Disk(trouble) => Trouble::Disk(trouble),
        why => Trouble::broken(why),
    })?;
    let (to, pieces) = channel(2);
    tokio::task::spawn_blocking(move || {
        let mut from = from.take(bytes);
        loop {
            let mut piece = vec![0; PIECE_BYTES];
            let (read, is_over) = match from.read(&mut piece) {
                Ok(0) => return,
                Ok(count) => {
                    piece.truncate(count);
                    (Ok(Bytes::from(piece)), false)
                }
                Err(why) => (Err(why), true),
            };
            // Whoever asked may have gone away.
            if to.blocking_send(read).is_err() || is_over {
                return;
            }
        }
    });
    let kind = HeaderValue::from_static("application/octet-stream");
    let named = HeaderValue::from_str(&attachment(number, &name)).map_err(Trouble::broken)?;
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, named),
        (header::CONTENT_LENGTH, HeaderValue::from(bytes)),
    ];
    Ok((headers, Body::new(Pieces(pieces))).into_response())
}

/// A file's name for the browser (RFC 6266; the encoding is RFC 8187's).
fn attachment(number: u32, name: &str) -> String {
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    let end: String = end.chars().filter(char::is_ascii_alphanumeric).collect();
    let encoded: String = name
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect();
    format!("attachment; filename=\"left-out-{number}.{end}\"; filename*=UTF-8''{encoded}")
}

/// Pieces that come from a thread.
struct Pieces(Receiver<io::Result<Bytes>>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<http_body::Frame<Bytes>>>> {
        let piece = self.0.poll_recv(context);
        piece.map(|piece| piece.map(|piece| piece.map(http_body::Frame::data)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_any_letters_stands_in_the_header_as_it_may() {
        let named = attachment(3, "방문 2024\".csv");
        assert!(named.starts_with("attachment; filename=\"left-out-3.csv\"; filename*=UTF-8''%EB"));
        assert!(named.ends_with("%202024%22.csv") && named.is_ascii(), "{named}");
    }
}
