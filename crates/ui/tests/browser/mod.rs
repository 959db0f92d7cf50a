//! A browser for tests, without script: it keeps cookies, sends forms with their token, and
//! follows redirects. `#[path]` modules: `browser` and `support` (the facilities of ondol-app).

#![allow(dead_code, reason = "each test takes what it needs")]

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use ondol_app::App;
use ondol_app::accounts::Entered;
use ondol_kernel::{Millis, Rng};
use ondol_ui::{DiskTrouble, Frame, Lang, Road, Surroundings, Ui};
use tower::ServiceExt as _;

/// What a node says about itself.
struct Around(Arc<App>);

impl Surroundings for Around {
    fn facility(&self, _: Lang) -> String {
        self.0.place().name.to_string()
    }

    fn road(&self) -> Road {
        Road::Alone
    }

    fn disk(&self) -> Option<DiskTrouble> {
        self.0.disk_trouble().map(|(trouble, _)| trouble)
    }

    fn revoked(&self) -> bool {
        self.0.own_revocation().is_some()
    }

    fn practice(&self) -> bool {
        self.0.is_practice()
    }

    fn now(&self) -> Millis {
        self.0.now()
    }

    fn utc_offset_minutes(&self) -> i32 {
        self.0.utc_offset_minutes()
    }
}

/// Numbers that only count.
struct Counting(std::sync::atomic::AtomicU8);

impl Rng for Counting {
    fn fill(&self, to: &mut [u8]) {
        to.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    }
}

/// The frame of a facility's pages.
pub fn frame(app: &Arc<App>) -> Frame {
    Frame {
        surroundings: Arc::new(Around(app.clone())),
        rng: Arc::new(Counting(1.into())),
        secret: [3; 32],
        https: false,
    }
}

/// All pages of a facility.
pub fn pages(app: &Arc<App>) -> Router {
    ondol_ui::router(Ui::new(app.clone()), frame(app))
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The status.
    pub status: StatusCode,
    /// Where a redirect leads; empty if it is none.
    pub to: String,
    /// The page.
    pub html: String,
    /// `HX-Redirect`; empty if there is none.
    pub part_to: String,
}

impl Shown {
    /// Whether the page says all of these.
    pub fn says(&self, words: &[&str]) -> bool {
        words.iter().all(|word| self.html.contains(word))
    }
}

/// A browser at a facility's pages.
pub struct Browser {
    pages: Router,
    /// Its cookies.
    pub cookies: BTreeMap<String, String>,
    token: String,
    /// The language it asks for.
    pub lang: &'static str,
}

impl Browser {
    /// A new browser.
    pub fn at(pages: Router) -> Self {
        Self { pages, cookies: BTreeMap::new(), token: String::new(), lang: "en" }
    }

    /// A browser at which somebody is signed in.
    pub fn of(app: &Arc<App>, entered: &Entered) -> Self {
        let mut browser = Self::at(pages(app));
        browser.cookies.insert("ondol_session".into(), entered.session.clone());
        browser.cookies.insert("ondol_station".into(), entered.station.clone());
        browser
    }

    /// Opens a page and follows redirects.
    pub async fn get(&mut self, path: &str) -> Shown {
        let first = self.ask("GET", path, "", &[]).await;
        self.follow(first).await
    }

    /// Opens a page and does not follow.
    pub async fn look(&mut self, path: &str, headers: &[(&str, &str)]) -> Shown {
        self.ask("GET", path, "", headers).await
    }

    /// Sends a form and follows redirects.
    pub async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let first = self.post(path, fields).await;
        self.follow(first).await
    }

    /// Sends a form and does not follow.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        if self.token.is_empty() {
            self.get("/sign-in").await;
        }
        let token = self.token.clone();
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("csrf", &token)
            .extend_pairs(fields)
            .finish();
        self.ask("POST", path, &body, &[]).await
    }

    /// Sends a form as htmx does, and does not follow.
    pub async fn post_part(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        if self.token.is_empty() {
            self.get("/sign-in").await;
        }
        let token = self.token.clone();
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("csrf", &token)
            .extend_pairs(fields)
            .finish();
        self.ask("POST", path, &body, &[("hx-request", "true")]).await
    }

    /// Sends a form with files (RFC 7578) and follows redirects.
    pub async fn upload(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &[u8])],
    ) -> Shown {
        let files: Vec<_> = files.iter().map(|(name, bytes)| (*name, "x", *bytes)).collect();
        let body = self.form_with(fields, &files).await;
        self.send_parts(path, body).await
    }

    /// The body of a form with files: the field, the name where they come from, the bytes.
    pub async fn form_with(
        &mut self,
        fields: &[(&str, &str)],
        files: &[(&str, &str, &[u8])],
    ) -> Vec<u8> {
        if self.token.is_empty() {
            self.get("/sign-in").await;
        }
        let token = self.token.clone();
        let mut body = vec![];
        for (name, value) in std::iter::once(&("csrf", token.as_str())).chain(fields) {
            let head = format!("--part\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(value.as_bytes());
            body.extend_from_slice(b"\r\n");
        }
        for (name, called, bytes) in files {
            let head = format!(
                "--part\r\nContent-Disposition: form-data; name=\"{name}\"; \
                 filename=\"{called}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--part--\r\n");
        body
    }

    /// Sends the body of a form with files, or some of it, and follows redirects.
    pub async fn send_parts(&mut self, path: &str, body: Vec<u8>) -> Shown {
        let first = self.ask_with("POST", path, body, "multipart/form-data; boundary=part", &[]);
        let first = first.await;
        self.follow(first).await
    }

    async fn follow(&mut self, mut shown: Shown) -> Shown {
        for _ in 0..5 {
            if shown.to.is_empty() {
                return shown;
            }
            shown = self.ask("GET", &shown.to.clone(), "", &[]).await;
        }
        panic!("redirects without end, last to {}", shown.to);
    }

    async fn ask(
        &mut self,
        method: &str,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Shown {
        let form = "application/x-www-form-urlencoded";
        self.ask_with(method, path, body.as_bytes().to_vec(), form, headers).await
    }

    async fn ask_with(
        &mut self,
        method: &str,
        path: &str,
        body: Vec<u8>,
        kind: &str,
        headers: &[(&str, &str)],
    ) -> Shown {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::COOKIE, cookies.join("; "))
            .header(header::ACCEPT_LANGUAGE, self.lang)
            .header(header::CONTENT_TYPE, kind);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body)).unwrap();
        let response = self.pages.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            self.keep(cookie.to_str().unwrap());
        }
        let header = |name: &str| {
            let value = parts.headers.get(name).and_then(|v| v.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let html = to_bytes(body, usize::MAX).await.unwrap();
        let html = String::from_utf8_lossy(&html).into_owned();
        if let Some((_, rest)) = html.split_once("name=\"csrf\" content=\"") {
            rest.split('"').next().unwrap_or_default().clone_into(&mut self.token);
        }
        Shown { status: parts.status, to: header("location"), html, part_to: header("hx-redirect") }
    }

    fn keep(&mut self, cookie: &str) {
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
        if cookie.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}
