//! The computers of the facilities: which are trusted, what to do when one was stolen or lost, and where
//! they hang.

mod moving;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ondol_app::AppError;
use ondol_app::road::{NodeRow, Piece, RevokedNode, Revoking, Why, read_trusted, trusted_text};
use ondol_kernel::{Millis, NodeId};

use super::people::typed::{at, minutes_of};
use super::road::{node_of, tier_of};
use crate::form::{Choice, Form, PartialDate, TypedDate};
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Fact;

/// `/nodes…`.
pub fn routes() -> Router<Ui> {
    Router::new()
        .route("/nodes", get(list))
        .route("/nodes/{node}", get(node))
        .route("/nodes/{node}/file", get(file))
        .route("/nodes/{node}/revoke", get(ask).post(revoke))
        .merge(moving::routes())
}

/// A line of the list.
struct Line {
    href: String,
    name: String,
    text: String,
    is_revoked: bool,
}

#[derive(Template)]
#[template(path = "nodes/list.html")]
struct List {
    t: T,
    page: Page,
    lines: Vec<Line>,
    revoked: Vec<Line>,
}

async fn list(page: Page, ui: State<Ui>, who: SignedIn) -> Result<Response, Trouble> {
    let t = page.t;
    let rows = ui.run(move |app| app.nodes(&who.actor)).await?;
    let line = |row: &NodeRow| {
        let tier = tier_of(t, row.tier);
        let text = match &row.revoked {
            Some(revoked) => state(&page, revoked),
            None if row.is_own => t.msg("nodes-this").arg("tier", tier).to_string(),
            None => tier,
        };
        let (href, name) = (format!("/nodes/{}", row.node), name(t, row));
        Line { href, name, text, is_revoked: row.revoked.is_some() }
    };
    let all: Vec<Line> = rows.iter().map(line).collect();
    let (revoked, lines) = all.into_iter().partition(|line| line.is_revoked);
    Ok(Screen(List { t, page, lines, revoked }).into_response())
}

fn name(t: T, row: &NodeRow) -> String {
    node_of(t, &row.name, Some(row.tier), &row.node)
}

fn why(t: T, why: Why) -> String {
    match why {
        Why::Stolen => t.get("nodes-why-stolen"),
        Why::Lost => t.get("nodes-why-lost"),
        Why::Copied => t.get("nodes-why-copied"),
        Why::Closed => t.get("nodes-why-closed"),
    }
}

fn state(page: &Page, revoked: &RevokedNode) -> String {
    let (t, when) = (page.t, page.when(&revoked.at));
    t.msg("nodes-revoked-since").arg("when", when).arg("why", why(t, revoked.why)).to_string()
}

/// The row of a node, if it is one of the list.
async fn row(ui: &Ui, who: &SignedIn, node: &str) -> Result<NodeRow, Trouble> {
    let node = NodeId::from_hex(node).ok_or(Trouble::NotFound)?;
    let actor = who.actor.clone();
    Ok(ui.run(move |app| app.node(&actor, &node)).await?)
}

#[derive(Template)]
#[template(path = "nodes/node.html")]
struct Shown {
    t: T,
    page: Page,
    name: String,
    href: String,
    row: NodeRow,
    state: String,
    facts: Vec<Fact>,
    pieces: Vec<PieceLine>,
}

/// An entry that is not trusted, in words.
struct PieceLine {
    when: String,
    what: String,
    state: String,
    /// Where it stands; empty if who looks may not read there.
    href: String,
}

async fn node(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let t = page.t;
    let row = row(&ui, &who, &id).await?;
    let node = row.node;
    let pieces = match &row.revoked {
        Some(_) => ui.run(move |app| app.pieces_of(&who.actor, &node)).await?,
        None => vec![],
    };
    let mut facts = vec![Fact::new(t.get("nodes-tier"), tier_of(t, row.tier))];
    if !row.above.is_empty() {
        facts.push(Fact::new(t.get("nodes-above"), row.above.clone()));
    }
    if let Some(moved) = &row.moved {
        facts.push(Fact::new(t.get("nodes-moved"), page.when(moved)));
    }
    facts.push(Fact::new(t.get("nodes-id"), row.node.to_string()));
    if let Some(revoked) = &row.revoked {
        let trusted = trusted_text(&revoked.trusted).replace('\n', " · ");
        let or_none = |text: String| if text.is_empty() { t.get("nodes-nothing") } else { text };
        facts.push(Fact::new(t.get("nodes-trusted"), or_none(trusted)));
        facts.push(Fact::new(t.get("nodes-apart"), revoked.apart.to_string()));
        facts.push(Fact::new(t.get("nodes-doubted"), revoked.doubted.to_string()));
        let dropped = t
            .msg("nodes-dropped-count")
            .arg("entries", revoked.entries_dropped)
            .arg("messages", revoked.messages_dropped);
        facts.push(Fact::new(t.get("nodes-dropped"), dropped.to_string()));
    }
    let state = row.revoked.as_ref().map_or_else(String::new, |revoked| state(&page, revoked));
    let pieces = pieces.iter().map(|piece| piece_line(&page, piece)).collect();
    let (name, href) = (name(t, &row), format!("/nodes/{}", row.node));
    Ok(Screen(Shown { t, page, name, href, row, state, facts, pieces }).into_response())
}

fn piece_line(page: &Page, piece: &Piece) -> PieceLine {
    let t = page.t;
    let href = match &piece.chart {
        Some(ondol_app::road::ChartId::Patient(id)) if piece.is_here => format!("/people/{id}"),
        _ => String::new(),
    };
    let state = if piece.is_here { t.get("nodes-piece-here") } else { t.get("nodes-piece-apart") };
    PieceLine { when: page.when(&piece.written), what: what(t, piece), state, href }
}

/// What an entry is about.
pub(super) fn what(t: T, piece: &Piece) -> String {
    let mut words: Vec<String> = piece.types.iter().map(|name| word(t, name)).collect();
    words.sort();
    words.dedup();
    words.join(", ")
}

fn word(t: T, resource_type: &str) -> String {
    match resource_type {
        "Patient" | "RelatedPerson" => t.get("nodes-piece-person"),
        "Encounter" => t.get("nodes-piece-visit"),
        "Observation" => t.get("nodes-piece-value"),
        "Condition" => t.get("nodes-piece-diagnosis"),
        "AllergyIntolerance" => t.get("nodes-piece-allergy"),
        "MedicationRequest" | "MedicationDispense" | "MedicationStatement" => {
            t.get("nodes-piece-medicine")
        }
        "ServiceRequest" | "Communication" => t.get("nodes-piece-request"),
        _ => t.get("nodes-piece-other"),
    }
}

/// The revocation as a file, for nodes that no link reaches.
async fn file(ui: State<Ui>, who: SignedIn, Path(id): Path<String>) -> Result<Response, Trouble> {
    let node = row(&ui, &who, &id).await?.node;
    let all = ui.run(move |app| Ok(app.revocations_of(&node))).await?;
    // Of several the last one was signed because those before were not strict enough.
    let bytes = all.into_iter().next_back().ok_or(Trouble::NotFound)?;
    statement(&node, "revoked", bytes)
}

/// What the nation says about a node, to be saved.
fn statement(node: &NodeId, kind: &str, bytes: Vec<u8>) -> Result<Response, Trouble> {
    let short = node.to_string();
    let named = format!("attachment; filename=\"ondol-{}.{kind}\"", &short[..8]);
    let kind = HeaderValue::from_static("application/octet-stream");
    let named = HeaderValue::from_str(&named).map_err(Trouble::broken)?;
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, named)], bytes)
        .into_response())
}

#[derive(Template)]
#[template(path = "nodes/revoke.html")]
struct Ask {
    t: T,
    page: Page,
    form: Form,
    name: String,
    href: String,
    reasons: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "nodes/sure.html")]
struct Sure {
    t: T,
    page: Page,
    form: Form,
    name: String,
    href: String,
    /// The root key is elsewhere: only the numbers are told.
    elsewhere: bool,
    /// What came here before it was gone, as lines.
    numbers: String,
}

async fn ask(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let row = revocable(&ui, &who, &id).await?;
    let (date, _) = page.now.local(page.utc_offset_minutes);
    let fields = [
        ("since-year", date.year().to_string()),
        ("since-month", date.month().to_string()),
        ("since-day", date.day().to_string()),
        ("since-time", page.clock(&page.now)),
    ];
    Ok(first(page, &row, Form::of(fields)))
}

async fn revocable(ui: &Ui, who: &SignedIn, id: &str) -> Result<NodeRow, Trouble> {
    let row = row(ui, who, id).await?;
    if row.may_revoke {
        Ok(row)
    } else {
        Err(AppError::Denied(ondol_access::Denial::NothingPermits).into())
    }
}

fn first(page: Page, row: &NodeRow, form: Form) -> Response {
    let t = page.t;
    let reasons = Why::ALL.map(|one| Choice::new(one.name(), why(t, one))).to_vec();
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let (name, href) = (name(t, row), format!("/nodes/{}", row.node));
    (status, Screen(Ask { t, page, form, name, href, reasons })).into_response()
}

/// What was typed on the first page, if all of it can be read.
fn typed(page: &Page, form: &mut Form) -> Option<(Why, Millis)> {
    let t = page.t;
    let why = Why::from_name(form.value("why"));
    if why.is_none() {
        form.complain("why", t.get("nodes-why"), t.get("nodes-why-missing"));
    }
    let said = form.value("reason").chars().filter(|c| c.is_alphanumeric()).count();
    if said < 2 {
        form.complain("reason", t.get("nodes-reason"), t.get("nodes-reason-missing"));
    }
    let date = match form.date("since") {
        TypedDate::Valid(PartialDate::Day(date)) => Some(date),
        _ => {
            form.complain("since", t.get("nodes-since"), t.get("people-error-date"));
            None
        }
    };
    let minutes = minutes_of(form.value("since-time"));
    if minutes.is_none() {
        form.complain("since-time", t.get("encounter-time"), t.get("people-error-time"));
    }
    let since = at(page, date?, minutes?);
    if since > page.now {
        form.complain("since", t.get("nodes-since"), t.get("nodes-since-future"));
    }
    if form.is_fine() { Some((why?, since)) } else { None }
}

/// First it is asked why and since when, then what will happen is told, and the name is typed.
async fn revoke(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
    mut form: Form,
) -> Result<Response, Trouble> {
    let row = revocable(&ui, &who, &id).await?;
    let Some((why, since)) = typed(&page, &mut form) else {
        return Ok(first(page, &row, form));
    };
    let (node, actor) = (row.node, who.actor.clone());
    let (numbers, elsewhere) = ui
        .run(move |app| Ok((app.came_before(&actor, &node, since)?, !app.has_root_key())))
        .await?;
    let numbers = trusted_text(&numbers);
    if form.value("sure") != "yes" {
        form.put("trusted", &numbers);
        return Ok(second(page, &row, form, numbers, elsewhere));
    }
    let t = page.t;
    let trusted = read_trusted(form.value("trusted"));
    if trusted.is_none() {
        form.complain("trusted", t.get("nodes-trusted"), t.get("nodes-trusted-wrong"));
    }
    if form.value("name") != name(t, &row) {
        form.complain("name", t.get("nodes-type-name"), t.get("nodes-name-wrong"));
    }
    let Some(trusted) = trusted.filter(|_| form.is_fine()) else {
        return Ok(second(page, &row, form, numbers, elsewhere));
    };
    let reason = form.value("reason").to_owned();
    let revoking = Revoking { node, why, trusted, reason };
    match ui.run(move |app| app.revoke(&who.actor, &revoking)).await {
        Ok(_) => Ok(page.done(&format!("/nodes/{node}"), key!("note-node-revoked"))),
        Err(AppError::State("root-key")) => Ok(second(page, &row, form, numbers, true)),
        Err(AppError::State("revoked-already")) => {
            form.complain("trusted", t.get("nodes-trusted"), t.get("nodes-revoked-already"));
            Ok(second(page, &row, form, numbers, elsewhere))
        }
        Err(why) => Err(why.into()),
    }
}

fn second(page: Page, row: &NodeRow, form: Form, numbers: String, elsewhere: bool) -> Response {
    let t = page.t;
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let (name, href) = (name(t, row), format!("/nodes/{}", row.node));
    (status, Screen(Sure { t, page, form, name, href, elsewhere, numbers })).into_response()
}
