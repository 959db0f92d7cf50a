//! The stick: carry out is a file that is downloaded, carry in is files that are chosen.

use std::collections::HashMap;

use askama::Template;
use axum::extract::multipart::MultipartError;
use axum::extract::{Multipart, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ondol_app::road::{BadStick, CarriedIn, Reach, STICK_BYTES_MAX, StickIn};
use ondol_kernel::NodeId;

use super::say;
use crate::form::Form;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;

/// Both copies of the largest stick, and the form around them.
pub const UPLOAD_BYTES_MAX: usize = 2 * STICK_BYTES_MAX + (1 << 20);

/// Files that are taken at once.
const FILES_MAX: usize = 64;

#[derive(Template)]
#[template(path = "road/stick.html")]
struct StickPage {
    t: T,
    page: Page,
    form: Form,
    readers: Vec<Reader>,
}

/// A neighbour to whom a stick can go.
struct Reader {
    node: String,
    name: String,
    /// Things that wait for it.
    items: u64,
    /// What became of the last stick; empty if there was none.
    last: String,
    is_held: bool,
}

pub async fn ask(page: Page, who: SignedIn, ui: State<Ui>) -> Result<Response, Trouble> {
    blank(page, who, &ui, Form::default()).await
}

async fn blank(page: Page, who: SignedIn, ui: &Ui, form: Form) -> Result<Response, Trouble> {
    let t = page.t;
    let overview = ui.run(move |app| app.overview(&who.actor)).await?;
    let direct = overview.neighbours.iter().filter(|one| one.reach != Reach::Through);
    // A neighbour whose certificate is not here yet cannot be written to.
    let readers = direct.filter(|one| one.tier.is_some()).map(|one| Reader {
        node: one.node.to_string(),
        name: say::node(t, &one.name, one.tier, &one.node),
        items: one.classes.iter().map(ondol_app::road::ClassStatus::items).sum(),
        last: one.carried.map_or_else(String::new, |carried| say::carried(&page, &carried)),
        is_held: one.carried.is_some_and(|carried| carried.is_held),
    });
    let readers = readers.collect();
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, Screen(StickPage { t, page, form, readers })).into_response())
}

/// The file for a neighbour.
pub async fn out(who: SignedIn, ui: State<Ui>, form: Form) -> Result<Response, Trouble> {
    let to = NodeId::from_hex(form.value("to")).ok_or(Trouble::BadRequest)?;
    let stick = ui.run(move |app| app.stick_for(&who.actor, to)).await?;
    let kind = HeaderValue::from_static("application/octet-stream");
    let named = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", stick.file_name))
        .map_err(Trouble::broken)?;
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, named)];
    Ok((headers, stick.bytes).into_response())
}

#[derive(Template)]
#[template(path = "road/brought.html")]
struct Brought {
    t: T,
    page: Page,
    sticks: Vec<Said>,
    refused: Vec<(String, String)>,
    /// So many nodes were revoked by what was chosen.
    revocations: u64,
    placements: u64,
    /// Something was not here before.
    is_news: bool,
    /// Something was taken in, new or not: an acknowledgement can go back.
    is_read: bool,
}

/// What one stick brought.
struct Said {
    title: String,
    /// Sentences: how it is marked, the icon, the text.
    lines: Vec<Line>,
}

struct Line {
    kind: &'static str,
    icon: &'static str,
    text: String,
}

/// Takes in what was chosen. Doing it again does no harm, so that the answer is the page itself.
pub async fn carry_in(
    page: Page,
    who: SignedIn,
    ui: State<Ui>,
    parts: Multipart,
) -> Result<Response, Trouble> {
    let t = page.t;
    let files = match files(parts).await {
        Ok(files) => files,
        Err(why) if why.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return complain(page, who, &ui, t.get("stick-too-large")).await;
        }
        Err(_) => return Err(Trouble::BadRequest),
    };
    if files.is_empty() {
        return complain(page, who, &ui, t.get("stick-choose")).await;
    }
    let actor = who.actor;
    let (carried, names) = ui
        .run(move |app| {
            let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
            let carried = app.sticks_in(&actor, &files)?;
            let mut names = HashMap::new();
            for node in nodes(&carried) {
                names.insert(node, app.called(&node)?);
            }
            Ok((carried, names))
        })
        .await?;
    let called = |node: &NodeId| match names.get(node) {
        Some((name, tier)) => say::node(t, name, *tier, node),
        None => say::node(t, "", None, node),
    };
    let sticks: Vec<Said> = carried.brought.iter().map(|one| said(&page, one, &called)).collect();
    let refused = carried.refused.iter().map(|why| say::refusal(t, why, &called)).collect();
    let (is_news, is_read) = (carried.is_news(), !sticks.is_empty());
    let (revocations, placements) = (carried.revocations, carried.placements);
    Ok(Screen(Brought { t, page, sticks, refused, revocations, placements, is_news, is_read })
        .into_response())
}

async fn complain(page: Page, who: SignedIn, ui: &Ui, text: String) -> Result<Response, Trouble> {
    let mut form = Form::default();
    form.complain("files", page.t.get("stick-files"), text);
    blank(page, who, ui, form).await
}

/// The files that were chosen; a field without a file is none.
async fn files(mut parts: Multipart) -> Result<Vec<Vec<u8>>, MultipartError> {
    let mut files = vec![];
    while let Some(part) = parts.next_field().await? {
        let is_file =
            part.name() == Some("files") && part.file_name().is_some_and(|n| !n.is_empty());
        if is_file && files.len() < FILES_MAX {
            files.push(part.bytes().await?.to_vec());
        }
    }
    Ok(files)
}

/// The nodes that sentences name.
fn nodes(carried: &CarriedIn) -> Vec<NodeId> {
    let mut nodes: Vec<NodeId> = carried.brought.iter().filter_map(|one| one.from).collect();
    for why in &carried.refused {
        match why {
            BadStick::NotForUs { to } => nodes.extend(to),
            BadStick::UnknownSender { from }
            | BadStick::NotFromSender { from }
            | BadStick::Revoked { from } => {
                nodes.push(*from);
            }
            _ => {}
        }
    }
    nodes
}

fn said(page: &Page, one: &StickIn, called: &dyn Fn(&NodeId) -> String) -> Said {
    let t = page.t;
    let from = one.from.as_ref().map_or_else(String::new, called);
    let mut lines = vec![];
    let mut line = |kind, icon, text: String| lines.push(Line { kind, icon, text });
    if one.arrived > 0 {
        let text = t.msg("stick-arrived").arg("n", one.arrived).arg("known", one.known);
        line("good", "check", text.to_string());
    } else if one.lost_frames > 0 {
        line("", "clock", t.get("stick-nothing-new-read"));
    } else if !one.acknowledged {
        line("", "clock", t.get("stick-nothing-new"));
    }
    if one.acknowledged {
        line("good", "check", t.msg("stick-acknowledged").arg("from", &from).to_string());
    }
    if one.quarantined > 0 {
        line("ask", "warning", t.msg("stick-put-aside").arg("n", one.quarantined).to_string());
    }
    if one.truncated {
        line("ask", "warning", t.msg("stick-truncated").arg("n", one.lost_frames).to_string());
    } else if one.lost_frames > 0 {
        line("ask", "warning", t.msg("stick-lost").arg("n", one.lost_frames).to_string());
    } else if one.mended_frames > 0 {
        line("ask", "warning", t.msg("stick-mended").arg("n", one.mended_frames).to_string());
    }
    let when = page.when(&one.made_at);
    Said { title: t.msg("stick-from").arg("from", from).arg("when", when).to_string(), lines }
}
