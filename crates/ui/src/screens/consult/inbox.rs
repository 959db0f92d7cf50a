//! What waits for somebody: emergencies first. A list names no patient.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use ondol_app::consult::{ConsultRow, Inbox, OnTheWay, Phase, Side};
use ondol_kernel::{Class, Millis};

use super::words;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Tab;

/// A consult in a list.
#[allow(clippy::struct_excessive_bools, reason = "each is a mark of its own in the row")]
pub struct RowShown {
    href: String,
    alarm: bool,
    emergency: bool,
    ours_to_do: bool,
    title: String,
    urgency: String,
    places: String,
    state: String,
    sent: Millis,
}

#[derive(Template)]
#[template(path = "consult/inbox.html")]
struct InboxScreen {
    t: T,
    page: Page,
    tabs: Vec<Tab>,
    list: &'static str,
    rows: Vec<RowShown>,
    alarms: usize,
    sounds: bool,
}

#[derive(Template)]
#[template(path = "consult/inbox_rows.html")]
struct InboxRows {
    t: T,
    page: Page,
    tabs: Vec<Tab>,
    list: &'static str,
    rows: Vec<RowShown>,
    alarms: usize,
    sounds: bool,
}

#[derive(Template)]
#[template(path = "consult/alarm.html")]
struct AlarmPart {
    t: T,
    alarms: usize,
    sounds: bool,
}

/// The red bar for pages that stand open: nothing as long as nobody has to come.
pub async fn alarm(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let alarms = ui.run(move |app| app.alarms(&who.actor)).await?;
    // The lists say it themselves.
    let on = headers.get("hx-current-url").and_then(|url| url.to_str().ok()).unwrap_or_default();
    if !page.part || alarms.waiting == 0 || on.contains("/inbox") {
        return Ok(().into_response());
    }
    let (waiting, sounds) = (alarms.waiting, alarms.sounds);
    Ok(Screen(AlarmPart { t: page.t, alarms: waiting, sounds }).into_response())
}

const LISTS: [&str; 4] = ["here", "asked", "watched", "closed"];

/// The list in which most is to be done.
pub async fn page(page: Page, ui: State<Ui>, who: SignedIn) -> Result<Response, Trouble> {
    let inbox = ui.run(move |app| app.inbox(&who.actor)).await?;
    let list = match () {
        () if !inbox.to_answer.is_empty() => LISTS[0],
        () if !inbox.from_here.is_empty() => LISTS[1],
        () if !inbox.watched.is_empty() => LISTS[2],
        () => LISTS[0],
    };
    Ok(show(page, &inbox, list))
}

/// One of the lists.
pub async fn list(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(list): Path<String>,
) -> Result<Response, Trouble> {
    let list = LISTS.into_iter().find(|known| *known == list).ok_or(Trouble::NotFound)?;
    let inbox = ui.run(move |app| app.inbox(&who.actor)).await?;
    Ok(show(page, &inbox, list))
}

fn show(page: Page, inbox: &Inbox, list: &'static str) -> Response {
    let t = page.t;
    let all = [
        (LISTS[0], t.get("inbox-here"), &inbox.to_answer),
        (LISTS[1], t.get("inbox-asked"), &inbox.from_here),
        (LISTS[2], t.get("inbox-watched"), &inbox.watched),
        (LISTS[3], t.get("inbox-closed"), &inbox.closed),
    ];
    let shown = all.iter().find(|(name, ..)| *name == list).map(|(.., rows)| *rows);
    let rows: Vec<RowShown> = shown.into_iter().flatten().map(|one| row(t, one)).collect();
    let tabs = all.into_iter().map(|(name, label, rows)| Tab {
        href: format!("/inbox/{name}"),
        label,
        current: name == list,
        count: u32::try_from(rows.len()).ok().filter(|n| *n > 0 && name != LISTS[3]),
    });
    let mut tabs: Vec<Tab> = tabs.collect();
    let referrals = t.get("referral-list");
    tabs.push(Tab { href: "/referrals".into(), label: referrals, current: false, count: None });
    let (alarms, sounds) = (inbox.alarms, inbox.sounds);
    if page.part {
        return Screen(InboxRows { t, page, tabs, list, rows, alarms, sounds }).into_response();
    }
    Screen(InboxScreen { t, page, tabs, list, rows, alarms, sounds }).into_response()
}

/// A row as the lists show it.
pub fn row(t: T, row: &ConsultRow) -> RowShown {
    let alarm = row.urgency == Class::Emergency && row.phase == Phase::Untaken;
    let mut states = vec![match (&row.outcome, &row.holder, row.phase) {
        (Some(outcome), ..) => words::outcome(t, outcome),
        (None, Some(holder), Phase::Taken) => {
            t.msg("inbox-has-it").arg("name", holder.as_str()).to_string()
        }
        (None, None, Phase::Untaken) if row.side == Side::Asking => match row.way {
            OnTheWay::Waiting => t.get("inbox-waiting-here"),
            OnTheWay::Underway => t.get("inbox-on-the-way"),
            OnTheWay::Arrived => words::phase(t, row.phase),
        },
        _ => words::phase(t, row.phase),
    }];
    if row.escalated && alarm {
        states.push(t.get("inbox-escalated"));
    }
    if row.unacknowledged {
        states.push(t.get("inbox-unacknowledged"));
    }
    if row.died {
        states.push(t.get("consult-later-died"));
    }
    let places = match row.side {
        Side::Asking => format!("→ {}", row.to),
        Side::Asked => row.from.clone(),
        Side::Watching => format!("{} → {}", row.from, row.to),
    };
    RowShown {
        href: if row.may_open {
            format!("/consult/{}", row.id)
        } else {
            format!("/consult/{}/states", row.id)
        },
        alarm,
        emergency: row.urgency == Class::Emergency,
        ours_to_do: row.ours_to_do,
        title: crate::words::specialty(t, &row.specialty),
        urgency: words::urgency(t, row.urgency),
        places,
        state: states.join(" · "),
        sent: row.sent,
    }
}
