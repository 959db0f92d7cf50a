//! What stands around all pages: the page's surroundings, the check of forms, headers, gzip.

use std::sync::Arc;

use askama::Template;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ondol_kernel::Rng;

use crate::csrf::{self, Checked};
use crate::form::Form;
use crate::lang::Lang;
use crate::page::{Page, Revoked, Surroundings};
use crate::screen::Screen;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::{assets, cookies};

/// What the pages need of their node.
pub struct Frame {
    /// What the node says about itself.
    pub surroundings: Arc<dyn Surroundings>,
    /// Where chance comes from.
    pub rng: Arc<dyn Rng>,
    /// The key of the tokens of forms. It stays the same over restarts, so that a form that was
    /// open during a power cut can still be sent.
    pub secret: [u8; 32],
    /// Whether pages travel by HTTPS (cookies are then marked so).
    pub https: bool,
}

/// Scripts, styles, pictures and sound come from this node alone; nothing inline runs; no other
/// page can frame ours.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; form-action 'self'; \
    manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Fields that are never written back into a page.
pub(crate) const SECRET_FIELDS: [&str; 6] = ["password", "pin", "recovery", "card", "old", "again"];

/// The outermost layer around the pages.
pub(crate) async fn around(
    State(frame): State<Arc<Frame>>,
    request: Request,
    next: Next,
) -> Response {
    let gzip = assets::accepts_gzip(request.headers());
    if request.uri().path().starts_with("/static/") {
        return with_headers(next.run(request).await);
    }
    let known = cookies::read(request.headers(), cookies::VISIT).filter(|v| csrf::is_visit(v));
    let new = known.is_none().then(|| csrf::new_visit(frame.rng.as_ref()));
    let visit = known.or(new.as_deref()).unwrap_or_default();
    let page = page(&frame, &request, csrf::token(&frame.secret, visit));
    let said = page.note.is_some();
    let path = request.uri().path().to_owned();

    let response = match csrf::check(request, &page.csrf).await {
        Checked::Fine(mut request) => {
            request.extensions_mut().insert(page);
            next.run(request).await
        }
        Checked::Stale(form) => stale(page, path, form),
        Checked::TooLarge => Trouble::TooLarge.into_response(),
        Checked::Broken => Trouble::BadRequest.into_response(),
    };

    let mut response = with_headers(response);
    if let Some(visit) = new {
        let (name, value) = cookies::set(cookies::VISIT, &visit, None, frame.https);
        response.headers_mut().append(name, value);
    }
    if said && response.status() == StatusCode::OK && is_html(response.headers()) {
        let (name, value) = cookies::set(cookies::NOTE, "", Some(0), frame.https);
        response.headers_mut().append(name, value);
    }
    if gzip { gzipped(response).await } else { response }
}

fn page(frame: &Frame, request: &Request, csrf: String) -> Page {
    let headers = request.headers();
    let accept = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok());
    let lang = Lang::choose(cookies::read(headers, cookies::LANG), accept);
    let t = T::new(lang);
    let note = cookies::read(headers, cookies::NOTE)
        .filter(|key| key.starts_with("note-") && t.has(key))
        .map(|key| t.get(key));
    let uri = request.uri();
    let here = match uri.path_and_query() {
        Some(whole) if *request.method() == Method::GET => whole.as_str(),
        _ => uri.path(),
    };
    let around = &frame.surroundings;
    Page {
        lang,
        t,
        facility: around.facility(lang),
        who: None,
        road: around.road(),
        disk: around.disk(),
        revoked: around.revoked().then_some(Revoked),
        practice: around.practice(),
        csrf,
        here: here.to_owned(),
        part: headers.contains_key("hx-request"),
        note,
        now: around.now(),
        utc_offset_minutes: around.utc_offset_minutes(),
        https: frame.https,
    }
}

#[derive(Template)]
#[template(path = "base/stale.html")]
struct Stale {
    t: T,
    page: Page,
    path: String,
    fields: Vec<(String, String)>,
}

/// A form whose token is not right is not carried out. What was typed is put into a form that
/// can be sent again with one touch.
fn stale(page: Page, path: String, form: Option<Form>) -> Response {
    let fields = form.map(|f| f.fields().to_vec()).unwrap_or_default();
    let secret = fields.iter().any(|(name, _)| SECRET_FIELDS.contains(&name.as_str()));
    let fields = if secret { Vec::new() } else { fields };
    let fields = fields.into_iter().filter(|(name, _)| name != csrf::FIELD).collect();
    let t = page.t;
    (StatusCode::FORBIDDEN, Screen(Stale { t, page, path, fields })).into_response()
}

fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let own = HeaderValue::from_static("same-origin");
    headers.insert("cross-origin-opener-policy", own.clone());
    headers.insert("cross-origin-resource-policy", own);
    let devices = HeaderValue::from_static("camera=(self), microphone=(self), geolocation=()");
    headers.insert("permissions-policy", devices);
    // A page may be about a person: unless a handler says otherwise, nothing keeps it.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn is_html(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/html"))
}

/// Compresses a page whose length is known. Streams, pictures and sound pass as they are.
async fn gzipped(response: Response) -> Response {
    let worth = response.body().size_hint().exact().is_some_and(|n| n > 512);
    let has_coding = response.headers().contains_key(header::CONTENT_ENCODING);
    if !worth || has_coding || !is_html(response.headers()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, usize::MAX).await else {
        return Trouble::BadRequest.into_response();
    };
    let small = assets::gzip(&bytes, flate2::Compression::new(6));
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    parts.headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    Response::from_parts(parts, Body::from(small))
}
