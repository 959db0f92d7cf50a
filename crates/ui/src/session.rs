//! Who is signed in: the layer that finds it out for each request, and the extractor
//! [`SignedIn`] by which handlers ask for it.
//!
//! A handler that takes [`SignedIn`] is reached by signed-in people only. Others are led to the
//! sign-in (or the lock, or the change of a password that was given), and back to where they
//! wanted to go.

use axum::body::to_bytes;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use ondol_app::{Actor, accounts};

use crate::page::{self, Page};
use crate::screens::base::own_path;
use crate::state::Ui;
use crate::trouble::Trouble;
use crate::{cookies, words};

/// The cookie of a session.
pub const SESSION: &str = "ondol_session";
/// The cookie of a computer.
pub const STATION: &str = "ondol_station";

/// A session's cookie goes with the session, s.
const SESSION_S: u32 = 14 * 3_600;
/// As long as browsers keep a cookie at most, s: a shared computer stays known.
const STATION_S: u32 = 400 * 24 * 3_600;

/// Where a locked session's form is kept until its owner opens the session again.
pub(crate) const HELD_BACK: &str = "held-back";
/// The largest form that is held back.
const HELD_BACK_BYTES_MAX: usize = 200 * 1024;

/// A header of requests that a page makes by itself: they keep no session open. htmx sends it
/// with `hx-headers='{"x-by-itself":"yes"}'`.
pub const BY_ITSELF: &str = "x-by-itself";

/// Somebody who is signed in, with the session open. Handlers take it as an argument.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who does what the handler does.
    pub actor: Actor,
    /// Their account and session.
    pub account: accounts::SignedIn,
    /// The session's cookie.
    pub(crate) cookie: String,
}

/// Somebody whose session is there but closed: locked, or with a password that was given.
#[derive(Debug, Clone)]
pub(crate) struct Known(pub SignedIn);

/// Finds out who is signed in. It stands between [`crate::guard`] and the screens.
pub(crate) async fn find(State(ui): State<Ui>, mut request: Request, next: Next) -> Response {
    let Some(cookie) = cookies::read(request.headers(), SESSION).map(str::to_owned) else {
        return next.run(request).await;
    };
    let touch = is_touch(&request);
    let asked = cookie.clone();
    let found = match ui.at_door(move |door| door.session(&asked, touch)).await {
        Ok(found) => found,
        Err(why) => return Trouble::from(why).into_response(),
    };
    let Some(account) = found else { return next.run(request).await };
    let who = SignedIn { actor: account.actor.clone(), account, cookie };
    if who.account.locked {
        if *request.method() == Method::POST && !is_door(request.uri().path()) {
            return hold_back(&ui, who, request).await;
        }
    } else {
        let t = request.extensions().get::<Page>().map(|page| page.t);
        let role = t.map(|t| words::roles(t, who.actor.roles())).unwrap_or_default();
        let shown = page::SignedIn {
            name: who.actor.name().to_owned(),
            role,
            lock_after_s: who.account.lock_after_s,
        };
        Page::sign_in(request.extensions_mut(), shown);
        if !who.account.must_change {
            request.extensions_mut().insert(who.clone());
        }
    }
    request.extensions_mut().insert(Known(who));
    next.run(request).await
}

/// Where a page without script looks by itself how an import goes.
pub(crate) const WATCH_IMPORT: &str = "/import/watch";

/// Whether a person did something, rather than a page that stands open.
fn is_touch(request: &Request) -> bool {
    !request.headers().contains_key(BY_ITSELF)
        && !matches!(request.uri().path(), "/road/chip" | WATCH_IMPORT)
}

/// The pages around the sign-in: they look after themselves.
pub(crate) fn is_door(path: &str) -> bool {
    const DOOR: [&str; 8] = [
        "/sign-in",
        "/sign-out",
        "/locked",
        "/lock",
        "/switch",
        "/language",
        "/recover",
        "/first-run",
    ];
    DOOR.contains(&path)
}

/// A form that came after its session had locked is kept for its author, who can send it with one
/// touch after opening the session.
async fn hold_back(ui: &Ui, who: SignedIn, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let part = is_part(request.headers());
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_form = kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let keep = is_form && !path.starts_with("/drafts/");
    if keep && let Ok(typed) = to_bytes(request.into_body(), HELD_BACK_BYTES_MAX).await {
        let kept = [path.as_bytes(), b"\n", &typed].concat();
        let actor = who.actor.clone();
        let saved = ui.at_door(move |door| door.save_draft(&actor, HELD_BACK, &kept)).await;
        if let Err(why) = saved {
            return Trouble::from(why).into_response();
        }
        return lead(&address("/locked", "/send-again"), part);
    }
    lead(&address("/locked", "/"), part)
}

/// An address with the way back in it.
fn address(door: &str, back: &str) -> String {
    let back = own_path(back);
    let way: String = form_urlencoded::byte_serialize(back.as_bytes()).collect();
    format!("{door}?back={way}")
}

fn is_part(headers: &HeaderMap) -> bool {
    headers.contains_key("hx-request")
}

/// Leads a page, or the page around a part, to another address.
fn lead(to: &str, part: bool) -> Response {
    if !part {
        return Redirect::to(to).into_response();
    }
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/sign-in"));
    ([(HeaderName::from_static("hx-redirect"), to)], StatusCode::NO_CONTENT).into_response()
}

impl SignedIn {
    /// Whether the person has a role.
    pub fn is(&self, role: ondol_access::Role) -> bool {
        self.actor.roles().contains(role)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        if let Some(who) = parts.extensions.get::<Self>() {
            return Ok(who.clone());
        }
        let door = match parts.extensions.get::<Known>() {
            Some(Known(who)) if who.account.locked => "/locked",
            Some(_) => "/me/password",
            None => "/sign-in",
        };
        let part = is_part(&parts.headers);
        // A part has no address of its own: one comes back to the page around it.
        let back = if part {
            current_page(&parts.headers)
        } else if parts.method == Method::GET {
            parts.uri.path_and_query().map(|whole| whole.as_str().to_owned())
        } else {
            None
        };
        Err(lead(&address(door, back.as_deref().unwrap_or("/")), part))
    }
}

/// Path and query of the page that htmx says it stands on.
fn current_page(headers: &HeaderMap) -> Option<String> {
    let url = headers.get("hx-current-url")?.to_str().ok()?;
    let rest = url.split_once("://")?.1;
    rest.find('/').map(|at| rest[at..].to_owned())
}

/// The cookies of somebody who just signed in.
pub(crate) fn enter(entered: &accounts::Entered, https: bool) -> [(HeaderName, HeaderValue); 2] {
    [
        cookies::set(SESSION, &entered.session, Some(SESSION_S), https),
        cookies::set(STATION, &entered.station, Some(STATION_S), https),
    ]
}

/// The cookie of a session that ended.
pub(crate) fn leave(https: bool) -> (HeaderName, HeaderValue) {
    cookies::set(SESSION, "", Some(0), https)
}

/// The cookies of a request that are about the door.
pub(crate) struct Held {
    pub session: Option<String>,
    pub station: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Held {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let read = |name| cookies::read(&parts.headers, name).map(str::to_owned);
        Ok(Self { session: read(SESSION), station: read(STATION) })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Known {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let known = parts.extensions.get::<Self>().cloned();
        known.ok_or_else(|| Redirect::to("/sign-in").into_response())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_a_path_of_this_node_and_survives_the_address() {
        assert_eq!(
            address("/sign-in", "/people/1?tab=2&x=y"),
            "/sign-in?back=%2Fpeople%2F1%3Ftab%3D2%26x%3Dy"
        );
        assert_eq!(address("/sign-in", "//elsewhere/"), "/sign-in?back=%2F");
    }

    #[test]
    fn a_part_comes_back_to_the_page_around_it() {
        let mut headers = HeaderMap::new();
        let url = HeaderValue::from_static("https://clinic:8443/chart/1?tab=2");
        headers.insert("hx-current-url", url);
        assert_eq!(current_page(&headers).as_deref(), Some("/chart/1?tab=2"));
        headers.insert("hx-current-url", HeaderValue::from_static("nonsense"));
        assert_eq!(current_page(&headers), None);
    }
}
