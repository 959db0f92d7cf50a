//! Perhaps registered elsewhere: the chart's page and the work list, as a browser without script sees
//! them.

use axum::http::StatusCode;
use browser::{Browser, Shown};
use ondol_access::Role;
use support::{Country, Facility};

use crate::{browser, support};

fn browser(facility: &Facility, name: &str, role: Role) -> Browser {
    Browser::of(&facility.app, &facility.signed_in(name, &[role]))
}

fn settle(country: &Country) {
    for _ in 0..4 {
        country.all().iter().for_each(|one| one.app.national_tick().unwrap());
        country.carry();
    }
}

/// The id of the chart that a page is about.
fn chart(page: &Shown) -> String {
    let rest = page.html.split("class=\"banner-name\" href=\"/people/").nth(1).expect("a banner");
    rest.split('"').next().unwrap().to_owned()
}

fn token(page: &Shown) -> String {
    let rest = page.html.split("name=\"token\" value=\"").nth(1).expect("somebody was found");
    rest.split('"').next().unwrap().to_owned()
}

async fn registered(worker: &mut Browser, name: &str) -> Shown {
    let form = [
        ("kind", "known"),
        ("name", name),
        ("sex", "female"),
        ("born-year", "1961"),
        ("born-month", "3"),
        ("born-day", "2"),
        ("mother", "김복순"),
        ("resident", "yes"),
    ];
    worker.send("/people/new", &form).await
}

#[tokio::test]
async fn somebody_who_is_registered_elsewhere_is_asked_for_with_one_touch_and_looked_at() {
    let country = Country::new();
    let (clinic, specialist) = (country.clinic(), country.specialist());
    let mut worker = browser(clinic, "최은경", Role::HealthWorker);
    let mut doctor = browser(specialist, "박철", Role::Doctor);
    country.carry();
    settle(&country);

    let there = registered(&mut doctor, "Ri Yong-hui").await;
    let other = chart(&there);
    settle(&country);
    let here = registered(&mut worker, "리용희").await;
    // The registration is done at once; the question is on its way.
    assert!(here.says(&["Registered. Please print the card.", "You need not wait"]));
    let one = chart(&here);
    let part = format!("/people/{one}/elsewhere");
    assert!(here.says(&[&format!("hx-get=\"{part}\"")]), "{}", here.html);
    assert!(!here.html.contains("Ask for the chart"));
    settle(&country);

    let answered = worker.get(&part).await;
    let doubt = "It may be the same person or another one";
    assert!(answered.says(&["Perhaps registered elsewhere already", doubt, "Ask for the chart"]));
    assert!(!answered.html.contains("hx-get"), "it does not look again");
    for hidden in ["심장병원", "specialist", "Ri Yong-hui", &other] {
        assert!(!answered.html.contains(hidden), "the answer tells of {hidden}");
    }
    let home = worker.get("/").await;
    assert!(home.says(&["href=\"/people/same\""]), "{}", home.html);
    let list = worker.get("/people/same").await;
    assert!(list.says(&["리용희", doubt, "has not been asked for", &format!("/people/{one}")]));
    worker.lang = "ko-KP";
    let korean = worker.get(&format!("/people/{one}")).await;
    assert!(korean.says(&["다른 기관에 이미 등록되였을수 있습니다", "다른 사람일수도 있습니다"]));
    worker.lang = "en";

    let token = token(&answered);
    let wrong = worker.send(&part, &[("chart", &other), ("token", &token), ("do", "ask")]).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    let fields = |what| [("chart", one.as_str()), ("token", token.as_str()), ("do", what)];
    let asked = worker.send(&part, &fields("ask")).await;
    assert!(asked.says(&["The chart was asked for.", "It comes by the road"]), "{}", asked.html);
    let early = worker.send(&part, &fields("look")).await;
    assert_eq!(early.status, StatusCode::NOT_FOUND);
    settle(&country);
    let come = worker.get(&format!("/people/{one}")).await;
    assert!(come.says(&["The other chart has come", "Receive, and look at both side by side"]));
    let both = worker.send(&part, &fields("look")).await;
    assert!(both.says(&["Is this one person?", "Ri Yong-hui", "리용희"]), "{}", both.html);
    let same = format!("/people/{one}/same/{other}");
    let answer = [("chart", one.as_str()), ("answer", "one"), ("reason", "본인이 말하였다")];
    assert!(worker.send(&same, &answer).await.says(&["Linked."]));
    let after = worker.get(&format!("/people/{one}")).await;
    assert!(!after.html.contains("Perhaps registered elsewhere"), "it is answered");
    let readers = worker.get(&format!("/people/{one}/readers")).await;
    assert!(readers.says(&["asked the nation"]), "{}", readers.html);
}

#[tokio::test]
async fn another_person_is_said_with_one_touch() {
    let country = Country::new();
    let mut worker = browser(country.clinic(), "최은경", Role::HealthWorker);
    let mut doctor = browser(country.specialist(), "박철", Role::Doctor);
    country.carry();
    settle(&country);
    registered(&mut doctor, "Ri Yong-hui").await;
    let one = chart(&registered(&mut worker, "리용희").await);
    settle(&country);
    let page = worker.get(&format!("/people/{one}")).await;
    let fields = [("chart", one.as_str()), ("token", &token(&page)), ("do", "no")];
    let said = worker.send(&format!("/people/{one}/elsewhere"), &fields).await;
    assert!(said.says(&["Noted: another person."]), "{}", said.html);
    assert!(!said.html.contains("Perhaps registered elsewhere"));
    settle(&country);
    let list = worker.get("/people/same").await;
    assert!(list.says(&["No charts are possibly of the same person now"]), "{}", list.html);
}
