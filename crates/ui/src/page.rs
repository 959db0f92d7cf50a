//! What every page needs to know.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use ondol_app::DiskTrouble;
use ondol_kernel::{Date, Millis};

use crate::cookies;
use crate::lang::Lang;
use crate::moments;
use crate::texts::T;
use crate::trouble::Trouble;

/// What the node says about itself on every page. The node implements it; it must answer from
/// memory.
pub trait Surroundings: Send + Sync {
    /// The name of the facility, as it is written on letters.
    fn facility(&self, lang: Lang) -> String;

    /// The state of the link to the tier above.
    fn road(&self) -> Road;

    /// What is wrong with the node's disk.
    fn disk(&self) -> Option<DiskTrouble>;

    /// Whether this node was revoked: it was reported stolen or lost, and sends nothing any more.
    fn revoked(&self) -> bool {
        false
    }

    /// Whether this node is for practice: its colour is another one and nothing leaves it.
    fn practice(&self) -> bool;

    /// The time now.
    fn now(&self) -> Millis;

    /// Minutes east of UTC in which pages show times.
    fn utc_offset_minutes(&self) -> i32;
}

/// The state of the link to the tier above, as the chip on every page says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Road {
    /// The link stands and everything is durable at the other end.
    Connected,
    /// The link stands and some entries are not yet durable at the other end.
    Waiting {
        /// Entries that wait.
        items: u32,
    },
    /// There is no link.
    Down {
        /// Since when.
        since: Millis,
        /// Entries that wait.
        items: u32,
    },
    /// This node has joined no tier above.
    Alone,
}

/// Who is signed in, as the header says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The name.
    pub name: String,
    /// What the person does here, in the language of the page.
    pub role: String,
    /// After how many seconds without a touch the page locks itself.
    pub lock_after_s: u32,
}

/// This node is believed no more by the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked;

/// What every page needs. Handlers take it as an argument (it is an extractor), templates hold
/// it as `page` beside `t`.
#[derive(Debug, Clone)]
pub struct Page {
    /// The language.
    pub lang: Lang,
    /// Its texts.
    pub t: T,
    /// The name of the facility.
    pub facility: String,
    /// Who is signed in; set by the layer that knows sessions, see [`Page::sign_in`].
    pub who: Option<SignedIn>,
    /// The state of the link.
    pub road: Road,
    /// What is wrong with the disk.
    pub disk: Option<DiskTrouble>,
    /// Whether this node was revoked.
    pub revoked: Option<Revoked>,
    /// Whether this node is for practice.
    pub practice: bool,
    /// The token that every form carries.
    pub csrf: String,
    /// Path and query of this page, to come back to.
    pub here: String,
    /// Whether htmx asks for a part of a page.
    pub part: bool,
    /// What was done just before, said once.
    pub note: Option<String>,
    /// The time now.
    pub now: Millis,
    /// Minutes east of UTC in which times are shown.
    pub utc_offset_minutes: i32,
    /// Whether cookies may travel by HTTPS only.
    pub https: bool,
}

impl Page {
    /// Tells the pages of a request who is signed in: for the layer that knows sessions.
    pub fn sign_in(extensions: &mut axum::http::Extensions, who: SignedIn) {
        if let Some(page) = extensions.get_mut::<Self>() {
            page.who = Some(who);
        }
    }

    /// The date today, where the node stands.
    pub fn today(&self) -> Date {
        self.now.local(self.utc_offset_minutes).0
    }

    /// A date in words.
    pub fn date(&self, date: &Date) -> String {
        moments::date(self.t, *date)
    }

    /// The time of the day, `08:12`.
    pub fn clock(&self, at: &Millis) -> String {
        moments::clock(*at, self.utc_offset_minutes)
    }

    /// A moment: `오늘 08:12`, `3월 2일 08:12`.
    pub fn when(&self, at: &Millis) -> String {
        moments::when(self.t, *at, self.now, self.utc_offset_minutes)
    }

    /// A moment with its whole date, for paper: `2026년 3월 2일 08:12`.
    pub fn stamp(&self, at: &Millis) -> String {
        moments::stamp(self.t, *at, self.utc_offset_minutes)
    }

    /// How long ago: `5분 전`.
    pub fn ago(&self, at: &Millis) -> String {
        moments::ago(self.t, *at, self.now, self.utc_offset_minutes)
    }

    /// The words with which the script keeps [`Page::ago`] true while a page stands open.
    pub fn ago_words(&self) -> String {
        let t = self.t;
        let (now, n) = (t.get("time-now"), "{n}");
        let minutes = t.msg("time-ago-minutes").arg("n", n);
        let hours = t.msg("time-ago-hours").arg("n", n);
        let days = t.msg("time-ago-days").arg("n", n);
        format!("{now}|{minutes}|{hours}|{days}")
    }

    /// What is wrong with the disk, and what to do.
    pub fn disk_text(&self) -> Option<String> {
        Some(match self.disk? {
            DiskTrouble::Full => self.t.get("disk-full"),
            DiskTrouble::ReadOnly => self.t.get("disk-read-only"),
            DiskTrouble::Failing => self.t.get("disk-failing"),
        })
    }

    /// The address of a static file.
    pub fn asset(&self, name: &str) -> &'static str {
        crate::assets::url(name)
    }

    /// After a form was carried out: go to `path` (303) and say there once what was done. `note`
    /// is a key that begins with `note-`; the call is written `page.done(path, key!("note-…"))`.
    pub fn done(&self, path: &str, note: &'static str) -> Response {
        let cookie = cookies::set(cookies::NOTE, note, Some(60), self.https);
        ([cookie], Redirect::to(path)).into_response()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Trouble> {
        parts.extensions.get::<Self>().cloned().ok_or(Trouble::NoPage)
    }
}
