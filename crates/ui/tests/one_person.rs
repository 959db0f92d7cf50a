//! Two charts of one person, and death, as a browser without script sees them.

use axum::http::StatusCode;
use browser::{Browser, Shown};
use ondol_access::Role;
use support::Facility;

use crate::{browser, support};

fn browser(facility: &Facility, name: &str, role: Role) -> Browser {
    Browser::of(&facility.app, &facility.signed_in(name, &[role]))
}

/// The id of the chart that a page is about.
fn chart(page: &Shown) -> String {
    let rest = page.html.split("class=\"banner-name\" href=\"/people/").nth(1).expect("a banner");
    rest.split('"').next().unwrap().to_owned()
}

/// Registers somebody who is asked about, all the same.
async fn registered(worker: &mut Browser, name: &str, day: &str) -> String {
    let form = [
        ("kind", "known"),
        ("name", name),
        ("sex", "female"),
        ("born-year", "1961"),
        ("born-month", "3"),
        ("born-day", day),
        ("mother", "김복순"),
        ("resident", "yes"),
        ("ri", "새마을리"),
    ];
    let made = worker.send("/people/new", &form).await;
    if made.says(&["Registered. Please print the card."]) {
        return chart(&made);
    }
    let made = worker.send("/people/new", &[&form[..], &[("another", "yes")]].concat()).await;
    assert!(made.says(&["Registered. Please print the card."]), "{}", made.html);
    chart(&made)
}

/// Where the first pair of the list leads.
fn pair(list: &Shown) -> String {
    let rest = list.html.split("class=\"row pair\" href=\"").nth(1).expect("a pair");
    rest.split('"').next().unwrap().to_owned()
}

fn said(path: &str) -> &str {
    path.split('/').nth(2).unwrap()
}

async fn penicillin(worker: &mut Browser, id: &str) {
    let fields = [("chart", id), ("substance", "페니실린"), ("severity", "severe")];
    let added = worker.send(&format!("/people/{id}/allergies"), &fields).await;
    assert_eq!(added.status, StatusCode::OK, "{}", added.html);
}

#[tokio::test]
async fn a_pair_is_looked_at_side_by_side_linked_and_taken_apart_with_a_list_on_paper() {
    let clinic = Facility::new();
    let mut worker = browser(&clinic, "최은경", Role::HealthWorker);
    let one = registered(&mut worker, "리용희", "2").await;
    let two = registered(&mut worker, "이용희", "20").await;
    penicillin(&mut worker, &two).await;
    clinic.app.same_person_tick().unwrap();
    let home = worker.get("/").await;
    assert!(home.says(&["Possibly the same person", "href=\"/people/same\""]), "{}", home.html);
    let list = worker.get("/people/same").await;
    assert!(list.says(&["리용희", "이용희"]), "{}", list.html);
    let path = pair(&list);
    let both = worker.get(&path).await;
    assert!(both.says(&["Is this one person?", "differs", "1961-03-02", "1961-03-20"]));
    assert!(both.says(&["페니실린", "Not asked yet"]), "{}", both.html);
    let own = said(&path).to_owned();
    // Nothing is chosen for anybody, and a reason is asked for.
    let again = worker.send(&path, &[("chart", &own)]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    let answer = if own == one { "one" } else { "other" };
    let again = worker.send(&path, &[("chart", &own), ("answer", answer)]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "without a reason");
    let fields = [("chart", own.as_str()), ("answer", answer), ("reason", "어머니가 알아보았다")];
    let linked = worker.send(&path, &fields).await;
    assert!(linked.says(&["Linked.", "페니실린", "other chart"]), "{}", linked.html);
    assert_eq!(chart(&linked), one);
    // Either name leads to the chart in use.
    let found = worker.send("/people", &[("q", "이용희")]).await;
    assert!(found.says(&[&format!("/people/{one}"), "Another chart of this person says 이용희"]));
    assert!(!found.html.contains(&format!("href=\"/people/{two}\"")));
    let old = worker.get(&format!("/people/{two}")).await;
    assert!(old.says(&["Please write there", "Open the chart in use"]), "{}", old.html);
    let empty = worker.get("/people/same").await;
    assert!(empty.says(&["No charts are possibly of the same person now"]));

    clinic.clock.pass_minutes(1);
    let visit = format!("/people/{one}/visits/new");
    let fields = [("chart", one.as_str()), ("do", "save"), ("complaint", "기침 사흘")];
    assert!(worker.send(&visit, &fields).await.says(&["Saved."]));
    clinic.clock.pass_minutes(1);
    let link = worker.get(&format!("/people/{one}/link")).await;
    assert!(link.says(&["Linked already", "Undo the link"]), "{}", link.html);
    let fields = [("chart", one.as_str()), ("other", two.as_str()), ("reason", "다른 사람")];
    let undone = worker.send(&format!("/people/{one}/unlink"), &fields).await;
    assert!(
        undone.says(&["The link is undone", "Visit: 기침 사흘", "다른 사람", "최은경"]),
        "{}",
        undone.html
    );
    let paper = undone.html.split("/print\"").next().unwrap().rsplit("href=\"").next().unwrap();
    let paper = worker.get(&format!("{paper}/print")).await;
    assert!(paper.says(&["For the right person?", "기침 사흘", "class=\"sheet"]), "{}", paper.html);
    let after = worker.get(&format!("/people/{one}")).await;
    assert!(
        after.says(&["a link with another chart was undone", "See what was written meanwhile"])
    );
    assert!(!after.html.contains("페니실린"), "both are whole again");
}

#[tokio::test]
async fn two_persons_and_later_leave_the_list_and_a_nurse_has_none() {
    let clinic = Facility::new();
    let mut worker = browser(&clinic, "최은경", Role::HealthWorker);
    registered(&mut worker, "리용희", "2").await;
    registered(&mut worker, "이용희", "2").await;
    clinic.app.same_person_tick().unwrap();
    let path = pair(&worker.get("/people/same").await);
    let own = said(&path).to_owned();
    let later = worker.send(&path, &[("chart", &own), ("answer", "later")]).await;
    assert!(later.says(&["asked again in a week", "No charts are possibly"]), "{}", later.html);
    let fields = [("chart", own.as_str()), ("answer", "two"), ("reason", "쌍둥이")];
    let apart = worker.send(&path, &fields).await;
    assert!(apart.says(&["Nobody is asked again"]), "{}", apart.html);
    let both = worker.get(&path).await;
    assert!(both.says(&["decided about already"]) && !both.html.contains("name=\"answer\""));
    let mut nurse = browser(&clinic, "박정숙", Role::Nurse);
    let list = nurse.get("/people/same").await;
    assert!(!list.html.contains("리용희"));
    assert_eq!(nurse.get(&path).await.status, StatusCode::FORBIDDEN);
    // No name stands in the title or in an address.
    assert!(!path.contains("용희"));
    let title = both.html.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
    assert!(!title.contains("용희"), "{title}");
}

#[tokio::test]
async fn a_death_is_certified_printed_asked_about_and_taken_back() {
    let clinic = Facility::new();
    let mut worker = browser(&clinic, "최은경", Role::HealthWorker);
    let id = registered(&mut worker, "리용희", "2").await;
    let path = format!("/people/{id}/death");
    let form = worker.get(&path).await;
    assert!(form.says(&["Record a death", "Immediate cause", "name=\"cause-d\""]), "{}", form.html);
    let empty = [("chart", id.as_str()), ("cause-b", "I10")];
    let again = worker.send(&path, &empty).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", again.html);
    assert!(again.says(&["value=\"I10\""]));
    let fields = [
        ("chart", id.as_str()),
        ("died-year", "2026"),
        ("died-month", "3"),
        ("died-day", "2"),
        ("died-time", "7:30"),
        ("place", "home"),
        ("cause-a", "뇌출혈 I61.9"),
        ("cause-a-n", "3"),
        ("cause-a-unit", "h"),
        ("cause-b", "I10"),
        ("other-1", "E11.9"),
        ("manner", "disease"),
    ];
    let written = worker.send(&path, &fields).await;
    assert!(
        written.says(&["The chart is closed", "I61.9", "3 hours", "Underlying cause", "Disease"]),
        "{}",
        written.html
    );
    let chart = worker.get(&format!("/people/{id}")).await;
    assert!(chart.says(&["The person has died", "See the certificate"]), "{}", chart.html);
    assert!(!chart.html.contains(&format!("/ask/{id}")), "nobody is asked any more");
    let paper = worker.get(&format!("/people/{id}/certificate")).await;
    assert!(
        paper.says(&["Medical certificate of cause of death", "I61.9", "At home", "class=\"sheet"]),
        "{}",
        paper.html
    );
    let visit = format!("/people/{id}/visits/new");
    let fields = [("chart", id.as_str()), ("do", "save"), ("complaint", "기침")];
    let asked = worker.send(&visit, &fields).await;
    assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(asked.says(&["recorded as dead", "name=\"after-death\""]), "{}", asked.html);
    let fields = [&fields[..], &[("after-death", "yes")]].concat();
    assert!(worker.send(&visit, &fields).await.says(&["Saved."]));

    let undo = format!("{path}/undo");
    let wanting = worker.send(&undo, &[("chart", id.as_str()), ("reason", " ")]).await;
    assert_eq!(wanting.status, StatusCode::UNPROCESSABLE_ENTITY);
    let undone = worker.send(&undo, &[("chart", id.as_str()), ("reason", "다른 사람")]).await;
    assert!(undone.says(&["The chart is open again"]), "{}", undone.html);
    assert!(!undone.html.contains("The person has died"));
    let form = worker.get(&path).await;
    assert!(form.says(&["undid a record of death: 다른 사람", "Immediate cause"]), "{}", form.html);
}

#[tokio::test]
async fn the_pages_speak_korean_as_it_is_written_in_the_north() {
    let clinic = Facility::new();
    let mut worker = browser(&clinic, "최은경", Role::HealthWorker);
    let id = registered(&mut worker, "리용희", "2").await;
    registered(&mut worker, "이용희", "2").await;
    clinic.app.same_person_tick().unwrap();
    worker.lang = "ko";
    let form = worker.get(&format!("/people/{id}/death")).await;
    assert!(form.says(&["직접원인", "사망 기록", "사망의 종류"]), "{}", form.html);
    let path = pair(&worker.get("/people/same").await);
    let both = worker.get(&path).await;
    assert!(both.says(&["한 사람입니까?", "두 사람입니다. 다시 묻지 마십시오"]), "{}", both.html);
}
