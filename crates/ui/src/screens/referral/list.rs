//! Who is coming, who is here, who was sent.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use ondol_app::referral::{ReferralPhase, ReferralRow};
use ondol_kernel::Class;

use super::words as referral_words;
use crate::page::Page;
use crate::screen::Screen;
use crate::screens::consult::words;
use crate::screens::people;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;

/// A referral in a list.
struct Row {
    href: String,
    name: String,
    red: bool,
    what: String,
    place: String,
    state: String,
    needs: String,
}

#[derive(Template)]
#[template(path = "referral/list.html")]
struct List {
    t: T,
    page: Page,
    coming: Vec<Row>,
    here: Vec<Row>,
    sent: Vec<Row>,
}

/// The lists.
pub async fn page(page: Page, ui: State<Ui>, who: SignedIn) -> Result<Response, Trouble> {
    let lists = ui.run(move |app| app.referrals(&who.actor)).await?;
    let rows = |rows: &[ReferralRow], sent: bool| {
        rows.iter().map(|one| row(&page, one, sent)).collect::<Vec<Row>>()
    };
    let (coming, here) = (rows(&lists.coming, false), rows(&lists.here, false));
    let sent = rows(&lists.sent, true);
    Ok(Screen(List { t: page.t, page, coming, here, sent }).into_response())
}

fn row(page: &Page, row: &ReferralRow, sent: bool) -> Row {
    let t = page.t;
    let shown = people::shown::in_list(page, &row.person);
    let age = shown.age.say(t, page.today());
    let name = if shown.name.is_empty() { t.get("patient-no-name") } else { shown.name };
    let mut needs: Vec<String> =
        row.needs.iter().map(|need| referral_words::need(t, need)).collect();
    if row.transport {
        needs.push(t.get("referral-transport-asked"));
    }
    let mut state = referral_words::phase(t, row.phase);
    if let Some(at) = row.expected
        && row.phase < ReferralPhase::Arrived
    {
        let expected = t.msg("referral-expected-at").arg("when", page.when(&at));
        state = format!("{state} · {expected}");
    }
    if row.person.died {
        state = format!("{state} · {}", t.get("consult-later-died"));
    }
    Row {
        href: format!("/referral/{}", row.id),
        name: format!("{name} · {age}"),
        red: row.urgency == Class::Emergency || row.phase == ReferralPhase::Missing,
        what: format!(
            "{} · {}",
            crate::words::specialty(t, &row.specialty),
            words::urgency(t, row.urgency)
        ),
        place: if sent { format!("→ {}", row.to) } else { row.from.clone() },
        state,
        needs: needs.join(", "),
    }
}
