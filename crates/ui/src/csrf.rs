//! Forms come from our own pages only.
//!
//! The token of a form is a keyed hash of a cookie that the browser holds: it needs no state,
//! and it stays good over restarts because the key does. Together with `SameSite=Strict` it
//! stands against forged requests; it is no proof of who is signed in.

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, header};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use ondol_kernel::Rng;

use crate::form::Form;

/// The name of the field that carries the token.
pub const FIELD: &str = "csrf";
/// The header that carries the token of a request of our script.
pub const HEADER: &str = "x-csrf-token";

/// The largest urlencoded form. Pictures and sound travel as multipart, which is not held here.
const FORM_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Within how many bytes of a multipart body the token must stand: it is the first field.
const PEEK_BYTES: usize = 4 * 1024;

/// What came of looking for the token.
pub(crate) enum Checked {
    /// The token is right, or none is needed; the request goes on.
    Fine(Request),
    /// The token is wrong or missing. A urlencoded form is handed back so that nothing that was
    /// typed is lost.
    Stale(Option<Form>),
    /// The form is larger than any of ours.
    TooLarge,
    /// The body broke off.
    Broken,
}

/// A new name for a browser: 128 random bits in hex.
pub(crate) fn new_visit(rng: &dyn Rng) -> String {
    let mut bytes = [0; 16];
    rng.fill(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}

/// Whether a cookie is one that [`new_visit`] could have made.
pub(crate) fn is_visit(cookie: &str) -> bool {
    cookie.len() == 32 && cookie.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The token that belongs to a browser.
pub(crate) fn token(secret: &[u8; 32], visit: &str) -> String {
    blake3::keyed_hash(secret, visit.as_bytes()).to_hex()[..32].to_owned()
}

/// Equality whose time does not tell where the first difference is.
fn same(a: &str, b: &str) -> bool {
    let differences = a.bytes().zip(b.bytes()).fold(0, |acc, (x, y)| acc | (x ^ y));
    a.len() == b.len() && differences == 0
}

/// Looks for the token in the header, in a urlencoded form, or in the first field of a
/// multipart form, and leaves the body as it was.
pub(crate) async fn check(request: Request, token: &str) -> Checked {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Checked::Fine(request);
    }
    if let Some(sent) = request.headers().get(HEADER).and_then(|v| v.to_str().ok()) {
        return if same(sent, token) { Checked::Fine(request) } else { Checked::Stale(None) };
    }
    let kind = content_type(request.headers());
    if kind.starts_with("application/x-www-form-urlencoded") {
        check_form(request, token).await
    } else if kind.starts_with("multipart/form-data") {
        check_multipart(request, token).await
    } else {
        Checked::Stale(None)
    }
}

fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    value.map(str::to_ascii_lowercase).unwrap_or_default()
}

async fn check_form(request: Request, token: &str) -> Checked {
    let (parts, body) = request.into_parts();
    if body.size_hint().lower() > FORM_BYTES_MAX as u64 {
        return Checked::TooLarge;
    }
    let Ok(bytes) = axum::body::to_bytes(body, FORM_BYTES_MAX).await else {
        return Checked::Broken;
    };
    let form = Form::parse(&bytes);
    if same(form.value(FIELD), token) {
        Checked::Fine(Request::from_parts(parts, Body::from(bytes)))
    } else {
        Checked::Stale(Some(form))
    }
}

async fn check_multipart(request: Request, token: &str) -> Checked {
    let (parts, mut body) = request.into_parts();
    let mut seen = Vec::new();
    while seen.len() < PEEK_BYTES && first_field(&seen).is_none() {
        match body.frame().await {
            None => break,
            Some(Err(_)) => return Checked::Broken,
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    seen.extend_from_slice(&data);
                }
            }
        }
    }
    if first_field(&seen).is_some_and(|sent| same(sent, token)) {
        Checked::Fine(Request::from_parts(parts, rejoin(seen, body)))
    } else {
        Checked::Stale(None)
    }
}

/// The value of the first part of a multipart body (RFC 7578) if it is the token's field and is
/// complete.
fn first_field(seen: &[u8]) -> Option<&str> {
    let seen = &seen[..seen.len().min(PEEK_BYTES)];
    let end = seen.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&seen[..end]).ok()?;
    let ours = head.lines().any(|line| {
        let line = line.to_ascii_lowercase();
        line.starts_with("content-disposition:") && line.ends_with("; name=\"csrf\"")
    });
    let rest = &seen[end + 4..];
    let length = rest.windows(2).position(|w| w == b"\r\n")?;
    ours.then(|| std::str::from_utf8(&rest[..length]).ok()).flatten()
}

/// The body with what was read of it put back in front.
fn rejoin(seen: Vec<u8>, rest: Body) -> Body {
    let front = http_body_util::Full::new(Bytes::from(seen)).map_err(|never| match never {});
    let joined = Joined { front: Some(front.boxed_unsync()), rest };
    Body::new(joined)
}

/// Two bodies, one after the other.
struct Joined {
    front: Option<UnsyncBoxBody<Bytes, axum::Error>>,
    rest: Body,
}

impl axum::body::HttpBody for Joined {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        if let Some(front) = &mut self.front {
            let poll = std::pin::Pin::new(front).poll_frame(context);
            if !matches!(poll, std::task::Poll::Ready(None)) {
                return poll;
            }
            self.front = None;
        }
        std::pin::Pin::new(&mut self.rest).poll_frame(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_field_of_a_multipart_form_is_found_only_when_complete() {
        let head = "--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n";
        let whole = format!("{head}abc\r\n--b\r\n");
        assert_eq!(first_field(whole.as_bytes()), Some("abc"));
        for cut in 0..head.len() + 4 {
            assert_eq!(first_field(&whole.as_bytes()[..cut]), None, "{cut}");
        }
        let other = "--b\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"csrf\"\
                     \r\n\r\nabc\r\n";
        assert_eq!(first_field(other.as_bytes()), None);
    }

    #[test]
    fn tokens_differ_by_browser_and_by_node() {
        assert_ne!(token(&[1; 32], "a"), token(&[1; 32], "b"));
        assert_ne!(token(&[1; 32], "a"), token(&[2; 32], "a"));
        assert!(same("ab", "ab") && !same("ab", "ac") && !same("ab", "abc") && !same("", "a"));
    }
}
