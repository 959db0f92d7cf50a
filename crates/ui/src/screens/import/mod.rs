//! Bringing records along: an administrator sends files, sees how the import goes, and gets back
//! what was left out. The import goes on whoever looks on.

mod hand;
mod receive;
mod say;

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use ondol_app::intake::{Discard, IntakeError, Phase, Seen};
use ondol_app::rest::import::Mode;

use super::road;
use crate::form::Form;
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::{SignedIn, WATCH_IMPORT};
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Fact;

/// `/import…`. Files pass through without being held, so that only the node's own limit counts.
pub fn routes() -> Router<Ui> {
    Router::new()
        .route("/import", get(show).post(receive::receive))
        .layer(DefaultBodyLimit::disable())
        .route(WATCH_IMPORT, get(show))
        .route("/import/do", post(carry_out))
        .route("/import/refused/{number}", get(hand::refused))
}

/// A file that is kept, or one of what was left out.
struct Line {
    name: String,
    text: String,
    /// Where it can be had; empty if it cannot.
    href: String,
}

/// Something that was left out.
struct Left {
    at: String,
    why: String,
}

#[derive(Template)]
#[template(path = "import/import.html")]
#[allow(clippy::struct_excessive_bools, reason = "each shows or hides a part of the page")]
struct Import {
    t: T,
    page: Page,
    form: Form,
    /// The practice room: nothing is brought along.
    nowhere: bool,
    /// The name of the phase, by which a page that stands open sees that it is another.
    phase: &'static str,
    is_trial: bool,
    /// What is said about it first: how it is marked, the icon, a sentence.
    said: Option<(&'static str, &'static str, String)>,
    /// When it ended, and who brought the files.
    about: String,
    bar: (u64, u64, String),
    facts: Vec<Fact>,
    files: Vec<Line>,
    left: Vec<Left>,
    /// There are more than are shown.
    left_more: String,
    refused: Vec<Line>,
    /// Somebody else brought some of it.
    others: bool,
}

impl Import {
    /// Whether it changes while somebody looks on.
    fn is_moving(&self) -> bool {
        matches!(self.phase, "receiving" | "running" | "stopping")
    }

    /// Whether it can go on.
    fn can_go_on(&self) -> bool {
        matches!(self.phase, "stopped" | "cut" | "failed")
    }

    fn is(&self, phase: &str) -> bool {
        self.phase == phase
    }
}

const fn name_of(phase: &Phase) -> &'static str {
    match phase {
        Phase::Empty => "empty",
        Phase::Receiving => "receiving",
        Phase::Ready => "ready",
        Phase::Running { is_stopping: false } => "running",
        Phase::Running { is_stopping: true } => "stopping",
        Phase::Done => "done",
        Phase::Stopped => "stopped",
        Phase::Cut => "cut",
        Phase::Failed(_) => "failed",
    }
}

async fn show(page: Page, who: SignedIn, ui: State<Ui>, uri: Uri) -> Result<Response, Trouble> {
    let was = uri.query().and_then(|query| query.strip_prefix("was=")).map(str::to_owned);
    shown(page, &who, &ui, Form::default(), was.as_deref()).await
}

/// The page. `was` is the phase that a page shows which stands open.
async fn shown(
    page: Page,
    who: &SignedIn,
    ui: &Ui,
    form: Form,
    was: Option<&str>,
) -> Result<Response, Trouble> {
    let actor = who.actor.clone();
    let seen = match ui.run_or(move |app| app.intake(&actor)).await {
        Ok(seen) => Some(seen),
        Err(IntakeError::NotHere) => None,
        Err(IntakeError::App(why)) => return Err(why.into()),
        Err(why) => return Err(Trouble::broken(why)),
    };
    let nowhere = seen.is_none();
    let import = import(page, who, form, &seen.unwrap_or_default(), nowhere);
    if import.page.part && was.is_some_and(|was| was != import.phase) {
        // Another state has other buttons below: the page around is shown anew.
        let refresh = (HeaderName::from_static("hx-refresh"), HeaderValue::from_static("true"));
        return Ok(([refresh], StatusCode::NO_CONTENT).into_response());
    }
    let fine = import.form.is_fine();
    let status = if fine { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, Screen(import)).into_response())
}

fn import(page: Page, who: &SignedIn, form: Form, seen: &Seen, nowhere: bool) -> Import {
    let t = page.t;
    let own = who.actor.reference();
    let p = seen.progress;
    let bar = (p.bytes_read, p.bytes.max(1), say::bar(t, &p));
    let files = seen.files.iter().map(|(name, bytes)| Line {
        name: name.clone(),
        text: road::size(t, *bytes),
        href: String::new(),
    });
    let left: Vec<Left> = seen
        .left_out
        .iter()
        .map(|left| Left {
            at: say::place(t, left),
            why: say::why(t, &left.code, left.at.as_deref().unwrap_or_default()),
        })
        .collect();
    let more = p.left_out.saturating_sub(left.len() as u64);
    let refused = seen.refused.iter().map(|file| Line {
        name: file.name.clone(),
        text: format!("{} · {}", road::size(t, file.bytes), page.when(&file.at)),
        href: if file.by.who == own {
            format!("/import/refused/{}", file.number)
        } else {
            String::new()
        },
    });
    let refused: Vec<Line> = refused.collect();
    Import {
        form,
        nowhere,
        phase: name_of(&seen.phase),
        is_trial: seen.is_trial,
        said: say::phase(t, seen),
        about: say::about(&page, seen),
        bar,
        facts: say::facts(t, seen),
        files: files.collect(),
        left_more: if more == 0 {
            String::new()
        } else {
            t.msg("import-left-more").arg("n", more).to_string()
        },
        left,
        others: refused.iter().any(|one| one.href.is_empty()),
        refused,
        t,
        page,
    }
}

/// Tries, imports, goes on, stops, takes away.
async fn carry_out(
    page: Page,
    who: SignedIn,
    ui: State<Ui>,
    form: Form,
) -> Result<Response, Trouble> {
    let wish = form.value("do").to_owned();
    let actor = who.actor.clone();
    let done = ui
        .run_or(move |app| match wish.as_str() {
            "try" => app.start_intake(&actor, Mode::Try).map(|()| None),
            "import" => app.start_intake(&actor, Mode::Write).map(|()| None),
            "stop" => app.stop_intake(&actor).map(|()| None),
            "finish" => app.discard_intake(&actor, Discard::Brought).map(|()| None),
            "discard" => app
                .discard_intake(&actor, Discard::Brought)
                .map(|()| Some(key!("note-import-gone"))),
            "discard-refused" => app
                .discard_intake(&actor, Discard::Refused)
                .map(|()| Some(key!("note-import-gone"))),
            _ => Err(IntakeError::Nothing),
        })
        .await;
    match done {
        Ok(Some(note)) => Ok(page.done("/import", note)),
        Ok(None) => Ok(Redirect::to("/import").into_response()),
        Err(why) => refuse(page, &who, &ui, why).await,
    }
}

/// Shows the page with what was refused beside the files.
async fn refuse(
    page: Page,
    who: &SignedIn,
    ui: &Ui,
    why: IntakeError,
) -> Result<Response, Trouble> {
    let t = page.t;
    let text = match why {
        IntakeError::App(why) => return Err(why.into()),
        IntakeError::NotYours => return Err(Trouble::NotAllowed),
        why => say::refusal(t, &why),
    };
    let mut form = Form::default();
    form.complain("files", t.get("import-files"), text);
    shown(page, who, ui, form, None).await
}
