//! The road: how each neighbour is reached, what waits for it, and for how long.

mod facilities;
mod say;
mod stick;

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use ondol_app::road::{self, Reach};
use ondol_kernel::{Class, Millis};

use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Fact;

/// `/road…`, `/facilities`.
pub fn routes() -> Router<Ui> {
    Router::new()
        .route("/road", get(show))
        .route("/road/stick", get(stick::ask))
        .route("/road/stick/out", post(stick::out))
        .route("/road/stick/in", post(stick::carry_in))
        .layer(DefaultBodyLimit::max(stick::UPLOAD_BYTES_MAX))
        .route("/facilities", get(facilities::show))
}

#[derive(Template)]
#[template(path = "road/road.html")]
struct RoadPage {
    t: T,
    page: Page,
    neighbours: Vec<Neighbour>,
    has_below: bool,
    put_back: Option<ondol_kernel::Millis>,
}

/// A neighbour as the page says it.
pub(super) struct Neighbour {
    /// The name and the tier.
    pub name: String,
    pub tier: String,
    pub is_above: bool,
    pub state: LinkState,
    /// Everything that waits, in one sentence; empty if nothing does.
    pub waits: String,
    pub classes: Vec<WaitingClass>,
    pub facts: Vec<Fact>,
    /// What became of the last stick, and whether all of it is held; empty if there was none.
    pub carried: String,
    pub is_held: bool,
}

/// What the link does now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkState {
    /// The other side is heard.
    Up,
    /// It is not, since then.
    Down(Millis),
    /// It never was since the node started.
    Never,
    /// There is no link: others pass things on.
    Through,
}

impl LinkState {
    /// Whether nothing gets through now.
    const fn is_cut(self) -> bool {
        matches!(self, Self::Down(_) | Self::Never)
    }
}

/// What waits in one class.
pub(super) struct WaitingClass {
    pub name: String,
    pub count: u64,
    pub size: String,
    pub time: String,
}

async fn show(page: Page, who: SignedIn, ui: State<Ui>) -> Result<impl IntoResponse, Trouble> {
    let t = page.t;
    let mut overview = ui.run(move |app| app.overview(&who.actor)).await?;
    // The one above first; then those that are not heard.
    overview.neighbours.sort_by_key(|one| {
        let heard = one.link.is_some_and(|link| link.is_up) || one.reach == Reach::Through;
        (one.reach != Reach::Above, heard)
    });
    let neighbours = overview.neighbours.iter().map(|one| neighbour(&page, one)).collect();
    let (has_below, put_back) = (!overview.below.is_empty(), overview.put_back);
    Ok(Screen(RoadPage { t, page, neighbours, has_below, put_back }))
}

fn neighbour(page: &Page, one: &road::Neighbour) -> Neighbour {
    let t = page.t;
    let classes: Vec<WaitingClass> = Class::ALL
        .into_iter()
        .filter(|class| !one.class(*class).is_empty())
        .map(|class| waiting(t, one, class))
        .collect();
    let items: u64 = one.classes.iter().map(ondol_app::road::ClassStatus::items).sum();
    let waits = if items == 0 {
        String::new()
    } else {
        let time = say::duration(t, one.ms_until_through(Class::Bulk));
        t.msg("road-waits-for").arg("n", items).arg("time", time).to_string()
    };
    Neighbour {
        name: say::node(t, &one.name, one.tier, &one.node),
        tier: one.tier.map_or_else(|| t.get("tier-unknown"), |tier| say::tier(t, tier)),
        is_above: one.reach == Reach::Above,
        state: state(one),
        waits,
        classes,
        facts: facts(page, one),
        carried: one.carried.as_ref().map_or_else(String::new, |last| say::carried(page, last)),
        is_held: one.carried.is_some_and(|last| last.is_held),
    }
}

fn waiting(t: T, one: &road::Neighbour, class: Class) -> WaitingClass {
    let status = one.class(class);
    let size = say::size(t, status.bytes());
    WaitingClass {
        name: say::class(t, class),
        count: status.items(),
        // What is not packed yet is guessed, and said to be.
        size: if status.entries_queued > 0 {
            t.msg("road-about").arg("x", size).to_string()
        } else {
            size
        },
        time: say::duration(t, one.ms_until_through(class)),
    }
}

fn state(one: &road::Neighbour) -> LinkState {
    match (one.reach, one.link) {
        (Reach::Through, _) => LinkState::Through,
        (_, None) => LinkState::Never,
        (_, Some(link)) if link.is_up => LinkState::Up,
        (_, Some(link)) => LinkState::Down(link.since),
    }
}

fn facts(page: &Page, one: &road::Neighbour) -> Vec<Fact> {
    let t = page.t;
    let mut facts = vec![];
    if one.reach != Reach::Through {
        let rate = say::rate(t, one.rate_bps());
        let rate = match one.measured_bps() {
            Some(_) => rate,
            None => t.msg("road-rate-assumed").arg("rate", rate).to_string(),
        };
        facts.push(Fact::new(t.get("road-rate"), rate));
    }
    if let Some(link) = one.link {
        if let Some(rtt) = link.rtt_ms {
            facts.push(Fact::new(t.get("road-rtt"), say::milliseconds(t, rtt)));
        }
        if link.is_up {
            facts.push(Fact::new(t.get("road-loss"), say::share(link.loss)));
            facts.push(Fact::new(t.get("road-since"), page.when(&link.since)));
        }
        let last = link.acknowledged.map_or_else(|| t.get("road-not-yet"), |at| page.when(&at));
        facts.push(Fact::new(t.get("road-acknowledged"), last));
    }
    facts
}

/// What a tier is called.
pub(super) fn tier_of(t: T, tier: road::Tier) -> String {
    say::tier(t, tier)
}

/// A facility by its name, else by its tier and the first characters of its node's id.
pub(super) fn node_of(
    t: T,
    name: &str,
    tier: Option<road::Tier>,
    node: &ondol_kernel::NodeId,
) -> String {
    say::node(t, name, tier, node)
}

/// Bytes, rounded to what a person compares.
pub(super) fn size(t: T, bytes: u64) -> String {
    say::size(t, bytes)
}
