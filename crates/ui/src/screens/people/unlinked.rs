//! A link that was taken back, with what was decided while it stood: on a page and on paper.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use ondol_app::people::{Decided, DecidedKind, Unlinked};

use super::{id, shown};
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;
use crate::words;

/// What was decided, in words.
struct Line {
    href: String,
    icon: &'static str,
    what: String,
    words: String,
    when: String,
    by: String,
}

/// What was decided in one of the two charts.
struct Part {
    patient: Patient,
    lines: Vec<Line>,
}

/// What page and paper say.
struct Told {
    patient: Patient,
    back: String,
    print: String,
    since: String,
    until: String,
    by: String,
    reason: String,
    parts: Vec<Part>,
    /// Whether the other chart may not be read here.
    other_closed: bool,
    none: bool,
}

#[derive(Template)]
#[template(path = "people/unlinked.html")]
struct Show {
    t: T,
    page: Page,
    told: Told,
}

#[derive(Template)]
#[template(path = "people/unlinked_paper.html")]
struct Paper {
    t: T,
    page: Page,
    told: Told,
}

fn what(t: T, kind: DecidedKind) -> (String, &'static str) {
    match kind {
        DecidedKind::Visit => (t.get("people-decided-visit"), "paper"),
        DecidedKind::Medicine => (t.get("people-decided-medicine"), "pill"),
        DecidedKind::Allergy => (t.get("people-decided-allergy"), "warning"),
        DecidedKind::Diagnosis => (t.get("people-decided-diagnosis"), "heart"),
        DecidedKind::Consult => (t.get("people-decided-consult"), "send"),
        DecidedKind::Answer => (t.get("people-decided-answer"), "send"),
        DecidedKind::Referral => (t.get("people-decided-referral"), "road"),
        DecidedKind::Reply => (t.get("people-decided-reply"), "road"),
        DecidedKind::Other => (t.get("people-decided-other"), "paper"),
    }
}

fn line(page: &Page, one: &Decided) -> Line {
    let t = page.t;
    let (what, icon) = what(t, one.kind);
    let code = one.code.as_deref();
    let words = match one.kind {
        DecidedKind::Medicine | DecidedKind::Allergy => {
            shown::medicine(t, code.unwrap_or_default(), &one.words)
        }
        DecidedKind::Diagnosis => shown::diagnosis(t, code, &one.words),
        DecidedKind::Consult | DecidedKind::Referral => {
            code.map(|code| words::specialty(t, code)).unwrap_or_default()
        }
        _ => one.words.clone(),
    };
    let href = match one.kind {
        DecidedKind::Consult => format!("/consult/{}", one.id),
        DecidedKind::Referral => format!("/referral/{}", one.id),
        DecidedKind::Visit => format!("/people/{}#v-{}", one.chart, one.id),
        _ => format!("/people/{}", one.chart),
    };
    Line { href, icon, what, words, when: page.stamp(&one.at), by: one.by.clone() }
}

fn told(page: &Page, path: (&str, &str), of: &Unlinked) -> Told {
    let own = &of.banner.person;
    let people = std::iter::once(own).chain(&of.other);
    let parts: Vec<Part> = people
        .map(|person| Part {
            patient: shown::in_list(page, person),
            lines: of
                .decided
                .iter()
                .filter(|one| one.chart == person.id)
                .map(|one| line(page, one))
                .collect(),
        })
        .collect();
    Told {
        patient: shown::banner(page, &of.banner),
        back: format!("/people/{}", path.0),
        print: format!("/people/{}/unlinked/{}/print", path.0, path.1),
        since: of.since.map_or_else(String::new, |at| page.stamp(&at)),
        until: page.stamp(&of.until),
        by: of.by.clone(),
        reason: of.reason.clone(),
        none: parts.iter().all(|part| part.lines.is_empty()),
        other_closed: of.other.is_none(),
        parts,
    }
}

async fn read(ui: &Ui, who: &SignedIn, path: (&str, &str)) -> Result<Unlinked, Trouble> {
    let (actor, one, note) = (who.actor.clone(), id(path.0)?, id(path.1)?);
    Ok(ui.run(move |app| app.unlinked(&actor, &one, &note)).await?)
}

/// What was decided, to look at each.
pub async fn show(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path((path, note)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let of = read(&ui, &who, (&path, &note)).await?;
    let told = told(&page, (&path, &note), &of);
    Ok(Screen(Show { t: page.t, page, told }).into_response())
}

/// The same on paper.
pub async fn print(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path((path, note)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let of = read(&ui, &who, (&path, &note)).await?;
    let told = told(&page, (&path, &note), &of);
    Ok(Screen(Paper { t: page.t, page, told }).into_response())
}
