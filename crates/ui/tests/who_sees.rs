//! Every screen that names patients, opened by everybody in every relation, compared with what people
//! have written about who sees what: `screens/*.tsv`, and `docs/access.md` with the charts of the same
//! test of the API.

#[path = "browser/mod.rs"]
mod browser;
#[allow(dead_code, reason = "each test takes what it needs")]
#[path = "../../api/tests/who_sees/page.rs"]
mod page;
#[allow(dead_code, reason = "each test takes what it needs")]
#[path = "../../api/tests/who_sees/planted.rs"]
mod planted;
#[path = "../../api/tests/who_sees/relations.rs"]
mod relations;
#[allow(dead_code, reason = "each test takes what it needs")]
#[path = "../../api/tests/who_sees/setting.rs"]
mod setting;
#[path = "../../app/tests/support/mod.rs"]
mod support;
#[path = "../../api/tests/who_sees/words.rs"]
mod words;

/// Where the modules of the API's test look for a facility.
mod door {
    pub use crate::support::Facility;
}

use browser::{Browser, Shown};
use ondol_access::{Coded, Role};
use page::rows;
use setting::{Seen, Setting, Who, roles};
use support::{Facility, PASSWORD};
use words::Words;

const SCREENS: &str = include_str!("screens/screens.tsv");
const LISTS: &str = include_str!("screens/lists.tsv");

/// The county hospital, and everybody at a browser of their own.
fn hospital() -> (Facility, Setting, Vec<(Role, Browser)>) {
    let facility = Facility::at("county");
    let entered = roles().map(|role| (role, facility.signed_in(role.code(), &[role])));
    let people = entered.map(|(role, entered)| Who { role, actor: entered.who.actor }).collect();
    let setting = Setting::put(&facility, people);
    // Days have passed since then, and sessions with them.
    let browsers = roles().enumerate().map(|(at, role)| {
        let entered = facility.app.sign_in(&format!("login{at}"), PASSWORD, None, None).unwrap();
        assert!(entered.who.actor.roles().contains(role));
        (role, Browser::of(&facility.app, &entered))
    });
    let browsers = browsers.collect();
    (facility, setting, browsers)
}

/// What a screen tells of what may not be seen. `also` lets somebody be named besides, `case` what
/// stands around a case.
fn told(
    seen: &Seen<'_>,
    shown: &Shown,
    (also, case): (&[&str], Option<&str>),
    path: &str,
) -> Vec<String> {
    let words = Words::of(&shown.html);
    let mut faults = vec![];
    for (one, may) in seen.all().filter(|(_, may)| !may) {
        let chart = &seen.setting.charts[one.chart];
        let is_told = |action: &str| seen.setting.page.is_told(seen.role, action, chart);
        let is_named = match one.kind {
            "Patient" => also.iter().any(|action| is_told(action)),
            "Observation" | "MedicationRequest" => case.is_some_and(is_told),
            _ => false,
        };
        let marks = one.marks.iter().filter(|mark| words.marks.contains(mark.as_str()));
        if !is_named && !may {
            let of = |mark| format!("{} {path}: '{mark}' of {}", seen.role.code(), one.reference);
            faults.extend(marks.map(of));
        }
    }
    faults
}

#[tokio::test]
async fn screens_about_a_person_show_what_the_page_says_and_no_more() {
    let (facility, mut setting, mut browsers) = hospital();
    let mut wrong = vec![];
    let all = std::env::var_os("ONDOL_EVERY_CELL").is_some();
    for (at, (role, browser)) in browsers.iter_mut().enumerate() {
        let of_third = |place: usize| all || (place + at).is_multiple_of(3);
        wrong.extend(open_all(&setting, *role, browser, of_third).await);
    }
    // With all charts opened, the same screens do show what was planted.
    setting.open_all(&facility);
    let (_, browser) = browsers.iter_mut().find(|(role, _)| *role == Role::Doctor).unwrap();
    wrong.extend(open_all(&setting, Role::Doctor, browser, |_| true).await);
    assert!(
        wrong.is_empty(),
        "{} are wrong:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(25)].join("\n")
    );
}

/// Opens the screens about all persons, as somebody: the first of each, and those whose place is taken.
async fn open_all(
    setting: &Setting,
    role: Role,
    browser: &mut Browser,
    takes: impl Fn(usize) -> bool,
) -> Vec<String> {
    let (seen, mut wrong) = (setting.seen(role), vec![]);
    for (at, chart) in setting.charts.iter().enumerate().filter(|(_, one)| one.kind == "patient") {
        for (place, row) in rows(SCREENS).enumerate() {
            if place > 0 && !takes(place + at) {
                continue;
            }
            let path = row[0].replace("{chart}", chart.name);
            let asks: Vec<&str> = row[1].split_whitespace().collect();
            let may = asks.iter().all(|action| setting.page.may(role, action, chart));
            let shown = browser.look(&path, &[]).await;
            let case = row.get(3).copied().filter(|case| !case.is_empty());
            wrong.extend(told(&seen, &shown, (&asks, case), &path));
            let status = shown.status.as_u16();
            if row[2] == "-" {
                if status >= 500 {
                    wrong.push(format!("{} {path}: {status}", role.code()));
                }
                continue;
            }
            let due = if may { row[2].parse().unwrap() } else { 403 };
            let (name, ..) = planted::unlike(at);
            if status != due {
                wrong.push(format!("{} {path}: {status} instead of {due}", role.code()));
            } else if due == 200 && !Words::of(&shown.html).marks.contains(name) {
                wrong.push(format!("{} {path}: the person is not named", role.code()));
            }
        }
    }
    wrong
}

#[tokio::test]
async fn lists_and_searches_name_those_alone_whom_one_may_know_of() {
    let (facility, setting, mut browsers) = hospital();
    facility.app.same_person_tick().unwrap();
    let (mut wrong, mut named) = (vec![], 0);
    for (role, browser) in &mut browsers {
        let seen = setting.seen(*role);
        for row in rows(LISTS) {
            let also: Vec<&str> = row.get(1).copied().unwrap_or("").split_whitespace().collect();
            let shown = browser.get(row[0]).await;
            assert!(shown.status.as_u16() < 500, "{} {}", role.code(), row[0]);
            wrong.extend(told(&seen, &shown, (&also, None), row[0]));
            named += setting
                .charts
                .iter()
                .enumerate()
                .filter(|(at, chart)| {
                    let name = planted::unlike(*at).0;
                    chart.kind == "patient" && Words::of(&shown.html).marks.contains(name)
                })
                .count();
        }
        for (at, chart) in
            setting.charts.iter().enumerate().filter(|(_, one)| one.kind == "patient")
        {
            let (name, ..) = planted::unlike(at);
            let found = browser.send("/people", &[("q", name)]).await;
            // A link that was taken for one person's leads to the chart in use.
            let links = |id: &str| found.html.contains(&format!("href=\"/people/{id}\""));
            let may = setting.page.is_told(*role, "search-person", chart);
            let is_found = links(chart.name) || chart.other.is_some_and(links);
            if is_found != may && chart.names.is_none() {
                wrong.push(format!("{} finds {}: {is_found}", role.code(), chart.name));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} are wrong:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(25)].join("\n")
    );
    assert!(named > 10, "lists name somebody");
}
