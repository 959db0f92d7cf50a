//! The facilities below: who is silent, where nobody is on duty.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::IntoResponse;
use ondol_app::AppError;
use ondol_app::duty::Gap;
use ondol_app::road;
use ondol_kernel::Millis;

use super::say;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::words;

#[derive(Template)]
#[template(path = "road/facilities.html")]
struct Facilities {
    t: T,
    page: Page,
    all: Vec<Facility>,
    silent: Vec<Facility>,
    gaps: Vec<Facility>,
}

/// A facility below, as the page says it.
#[derive(Clone)]
struct Facility {
    name: String,
    tier: String,
    /// The class that indents it.
    depth: u32,
    heard: Option<Millis>,
    is_silent: bool,
    /// Services on which nobody can be counted, each as a sentence.
    gaps: Vec<String>,
    /// How often it asked the nation's index, at the node that keeps it; empty if it never did.
    asked: String,
}

pub async fn show(page: Page, who: SignedIn, ui: State<Ui>) -> Result<impl IntoResponse, Trouble> {
    let t = page.t;
    let (below, duties, used) = ui
        .run(move |app| {
            let below = app.overview(&who.actor)?.below;
            let duties = match app.duties_below(&who.actor) {
                // Who may see the road need not be one who reads rosters.
                Err(AppError::Denied(_)) => vec![],
                read => read?,
            };
            Ok((below, duties, app.index_use(&who.actor)?))
        })
        .await?;
    let mut gaps: HashMap<String, Vec<String>> = HashMap::new();
    for facility in &duties {
        let said = facility.gaps().map(|duty| {
            let service = words::specialty(t, &duty.service);
            match duty.gap {
                Some(Gap::NobodyCame(since)) => t
                    .msg("facilities-nobody-came")
                    .arg("service", service)
                    .arg("when", page.when(&since))
                    .to_string(),
                _ => t.msg("facilities-nobody-listed").arg("service", service).to_string(),
            }
        });
        gaps.insert(facility.facility.to_string(), said.collect());
    }
    let mut all: Vec<Facility> = vec![];
    for one in &below {
        let asked = used.iter().find(|used| used.facility.as_ref() == Some(&one.facility));
        let asked = asked.map_or_else(String::new, |used| {
            let text = t.msg("facilities-index").arg("n", used.asked);
            text.arg("later", used.put_off).to_string()
        });
        all.push(Facility { asked, ..facility(t, one, &mut gaps) });
    }
    let pick =
        |which: fn(&Facility) -> bool| all.iter().filter(|one| which(one)).cloned().collect();
    let (silent, gaps) = (pick(|one| one.is_silent), pick(|one| !one.gaps.is_empty()));
    Ok(Screen(Facilities { t, page, all, silent, gaps }))
}

fn facility(t: T, one: &road::Below, gaps: &mut HashMap<String, Vec<String>>) -> Facility {
    let name = if one.name.is_empty() { one.facility.to_string() } else { one.name.clone() };
    Facility {
        name,
        tier: say::tier(t, one.tier),
        depth: one.depth.min(4),
        heard: one.heard,
        is_silent: one.is_silent,
        gaps: gaps.remove(one.facility.as_str()).unwrap_or_default(),
        asked: String::new(),
    }
}
