//! A computer that was stolen, as a person sees it at the ministry, above it and at itself: without
//! script.

use std::sync::Arc;

use axum::http::StatusCode;
use browser::Browser;
use ed25519_dalek::SigningKey;
use ondol_access::Role;
use ondol_app::road::RootKey;
use serde_json::json;
use support::{Country, Facility, root};

use crate::{browser, support};

/// The root key in the ministry's safe.
struct Safe;

impl RootKey for Safe {
    fn key(&self) -> Option<SigningKey> {
        Some(root())
    }
}

fn at(facility: &Facility, role: Role) -> Browser {
    let entered = facility.signed_in("리영희", &[role]);
    Browser::of(&facility.app, &entered)
}

fn patient(facility: &Facility, id: &str) {
    facility.put(
        id,
        json!({"resourceType": "Patient", "name": [{"text": "김보배"}],
            "managingOrganization": {"reference": facility.app.place().organization()}}),
    );
}

fn note(facility: &Facility, id: &str) {
    facility.put(
        id,
        json!({"resourceType": "Condition", "subject": {"reference": "Patient/p1"},
            "code": {"text": "기침"}}),
    );
}

/// Ten minutes after the clinic's first patient went everywhere.
fn country() -> Country {
    let country = Country::new();
    patient(country.clinic(), "p1");
    country.carry();
    country.pass_minutes(10);
    country
}

/// The first form as it is filled in, with the time that stands there.
fn filled<'a>(why: &'a str, reason: &'a str, time: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("why", why),
        ("reason", reason),
        ("since-year", "2026"),
        ("since-month", "3"),
        ("since-day", "2"),
        ("since-time", time),
    ]
}

/// The lines of numbers on a page.
fn numbers(html: &str) -> String {
    let after = html.split("name=\"trusted\"").nth(1).unwrap();
    let text = after.split('>').nth(1).unwrap().split("</textarea").next().unwrap();
    text.trim().to_owned()
}

#[tokio::test]
async fn an_administrator_may_say_that_a_computer_was_stolen_and_is_asked_how() {
    let country = country();
    let (ministry, clinic) = (country.ministry(), country.clinic());
    let path = format!("/nodes/{}/revoke", clinic.seat.node());

    // Whoever is no administrator sees the list and nothing to press.
    let mut officer = at(ministry, Role::MinistryOfficer);
    assert!(officer.get("/road").await.says(&["href=\"/nodes\""]));
    let list = officer.get("/nodes").await;
    assert!(list.says(&["Trusted: 5", "새마을리진료소", "this computer"]), "{}", list.html);
    let one = officer.get(&format!("/nodes/{}", clinic.seat.node())).await;
    assert!(one.says(&["This computer is trusted."]) && !one.says(&["/revoke"]), "{}", one.html);
    assert_eq!(officer.get(&path).await.status, StatusCode::FORBIDDEN);
    let sent = officer.send(&path, &filled("stolen", "금고가 열려있음", "8:09")).await;
    assert_eq!(sent.status, StatusCode::FORBIDDEN);

    let mut administrator = at(ministry, Role::Administrator);
    let first = administrator.get(&path).await;
    assert!(first.says(&["This computer was stolen or lost", "it was stolen"]), "{}", first.html);
    let blank = administrator.send(&path, &filled("", " . ", "late")).await;
    assert_eq!(blank.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(blank.says(&["Choose what happened.", "Write a few words.", "8:12"]), "{}", blank.html);
    let future = administrator.send(&path, &filled("stolen", "금고가 열려있음", "23:59")).await;
    assert!(future.says(&["This time is still to come."]), "{}", future.html);
}

#[tokio::test]
async fn the_ministry_stops_trusting_a_stolen_computer_after_the_name_was_typed() {
    let country = country();
    let (ministry, clinic) = (country.ministry(), country.clinic());
    let path = format!("/nodes/{}/revoke", clinic.seat.node());
    let mut administrator = at(ministry, Role::Administrator);
    // Without the key nothing can be done, and the page says what to do instead.
    let filled_in = filled("stolen", "금고가 열려있음", "8:09");
    let elsewhere = administrator.send(&path, &filled_in).await;
    assert!(elsewhere.says(&["Telephone the ministry at once"]), "{}", elsewhere.html);
    let mut above = at(country.county(), Role::Administrator);
    let elsewhere = above.send(&path, &filled_in).await;
    assert!(elsewhere.says(&["Read these numbers out", "0: 0 0 "]), "{}", elsewhere.html);

    ministry.app.use_root_key(Arc::new(Safe));
    let second = administrator.send(&path, &filled_in).await;
    assert!(
        second
            .says(&["No longer trust the computer of 새마을리진료소?", "It cannot be taken back."]),
        "{}",
        second.html
    );
    let held = numbers(&second.html);
    assert!(held.starts_with("0: 0 0 "), "{held}");
    let sure = |trusted, name| {
        let mut sure = filled_in.clone();
        sure.extend([("sure", "yes"), ("trusted", trusted), ("name", name)]);
        sure
    };
    let wrong = administrator.send(&path, &sure("all of it", "진료소")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.says(&["a colon, and four numbers", "This is not the name"]), "{}", wrong.html);
    assert!(!ministry.app.nation().is_revoked(&clinic.seat.node()));

    let done = administrator.send(&path, &sure(&held, "새마을리진료소")).await;
    assert!(
        done.says(&["Done. All facilities are being told.", "it was stolen", "What is to be done"]),
        "{}",
        done.html
    );
    assert!(done.says(&["Trust it even less"]));
    let again = administrator.send(&path, &sure(&held, "새마을리진료소")).await;
    assert!(again.says(&["It was done before"]), "{}", again.html);
    let list = administrator.get("/nodes").await;
    assert!(list.says(&["No longer trusted: 1", "Trusted: 4"]), "{}", list.html);
    administrator.lang = "ko";
    let list = administrator.get("/nodes").await;
    assert!(list.says(&["더는 믿지 않음: 1", "도난당하였음"]), "{}", list.html);
}

#[tokio::test]
async fn what_it_wrote_afterwards_is_marked_on_the_chart_and_listed() {
    let country = country();
    let (ministry, clinic, county) = (country.ministry(), country.clinic(), country.county());
    ministry.app.use_root_key(Arc::new(Safe));
    note(clinic, "late");
    country.carry();
    // The county's people treat the patient now.
    county.put(
        "p1",
        json!({"resourceType": "Patient", "name": [{"text": "김보배"}],
            "managingOrganization": {"reference": county.app.place().organization()}}),
    );
    let mut doctor = at(county, Role::Doctor);
    assert!(!doctor.get("/people/p1").await.says(&["stolen or lost"]));

    let path = format!("/nodes/{}/revoke", clinic.seat.node());
    let mut above = at(county, Role::Administrator);
    let told = above.send(&path, &filled("stolen", "도난", "8:05")).await;
    let trusted = told.html.split("<pre class=\"num\">").nth(1).unwrap();
    let trusted = trusted.split("</pre>").next().unwrap().to_owned();
    let mut administrator = at(ministry, Role::Administrator);
    let mut sure = filled("stolen", "도난", "8:05");
    sure.extend([("sure", "yes"), ("trusted", &trusted), ("name", "새마을리진료소")]);
    let done = administrator.send(&path, &sure).await;
    assert!(done.says(&["Done."]), "{}", done.html);
    country.carry_but(&["clinic"]);

    let chart = doctor.get("/people/p1").await;
    assert!(
        chart.says(&["1 entry of this chart was written by a computer that was stolen or lost"]),
        "{}",
        chart.html
    );
    let one = doctor.get(&format!("/nodes/{}", clinic.seat.node())).await;
    assert!(one.says(&["a diagnosis", "in the record, marked", "/people/p1"]), "{}", one.html);
    // Whoever may not read there is told no name and no way.
    let mut other = at(county, Role::Administrator);
    let one = other.get(&format!("/nodes/{}", clinic.seat.node())).await;
    assert!(one.says(&["a diagnosis"]) && !one.says(&["/people/p1"]), "{}", one.html);
    assert!(!one.says(&["김보배"]));
}

#[tokio::test]
async fn the_revoked_computer_says_so_on_every_page() {
    let country = Country::new();
    country.carry();
    let (ministry, clinic) = (country.ministry(), country.clinic());
    ministry.app.use_root_key(Arc::new(Safe));
    let mut worker = at(clinic, Role::HealthWorker);
    let path = format!("/nodes/{}/revoke", clinic.seat.node());
    let mut administrator = at(ministry, Role::Administrator);
    let mut sure = filled("lost", "잃어버림", "8:00");
    sure.extend([("sure", "yes"), ("trusted", ""), ("name", "새마을리진료소")]);
    assert!(administrator.send(&path, &sure).await.says(&["Done."]));
    let file = administrator.get(&format!("/nodes/{}/file", clinic.seat.node())).await;
    assert_eq!(file.status, StatusCode::OK);
    let bytes = ministry.app.revocations_of(&clinic.seat.node()).remove(0);

    for page in ["/", "/road", "/help", "/people"] {
        assert!(!worker.get(page).await.says(&["was reported stolen or lost"]), "{page}");
    }
    let brought = worker.upload("/road/stick/in", &[], &[("files", &bytes)]).await;
    assert!(brought.says(&["A computer is no longer trusted"]), "{}", brought.html);
    for page in ["/", "/road", "/help", "/people"] {
        let shown = worker.get(page).await;
        assert!(shown.says(&["This computer was reported stolen or lost."]), "{page}");
    }
    worker.lang = "ko";
    assert!(worker.get("/").await.says(&["도난당하였거나 잃어버렸다고 신고되였습니다"]));
}

#[tokio::test]
async fn a_facility_is_put_under_another_one_at_the_ministry() {
    let country = country();
    let (ministry, clinic, specialist) =
        (country.ministry(), country.clinic(), country.specialist());
    let here = format!("/nodes/{}", clinic.seat.node());
    let path = format!("{here}/move");
    let mut officer = at(ministry, Role::MinistryOfficer);
    let one = officer.get(&here).await;
    assert!(one.says(&["Belongs to", "군병원"]) && !one.says(&["/move"]), "{}", one.html);
    assert_eq!(officer.get(&path).await.status, StatusCode::FORBIDDEN);
    assert_eq!(officer.send(&path, &[]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(officer.get(&format!("{here}/placement")).await.status, StatusCode::NOT_FOUND);

    let mut administrator = at(ministry, Role::Administrator);
    let ask = administrator.get(&path).await;
    assert!(ask.says(&["Now it is under 군병원", "심장병원", "도병원"]), "{}", ask.html);
    // Neither itself nor where it is already can be chosen.
    for node in [clinic, country.county()] {
        let option = format!("<option value=\"{}\"", node.seat.node());
        assert!(!ask.says(&[&option]), "{}", ask.html);
    }
    let below = specialist.seat.node().to_string();
    let blank = administrator.send(&path, &[("below", ""), ("address", "somewhere")]).await;
    assert_eq!(blank.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(blank.says(&["Choose a facility.", "value=\"somewhere\""]), "{}", blank.html);
    let wrong = administrator.send(&path, &[("below", &below), ("address", "somewhere")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let fields = [("below", &*below), ("address", "hospital.example:7464")];
    let elsewhere = administrator.send(&path, &fields).await;
    assert!(elsewhere.says(&["This is done at the ministry."]), "{}", elsewhere.html);

    ministry.app.use_root_key(Arc::new(Safe));
    let wrong = administrator.send(&path, &[("below", &below), ("address", "somewhere")]).await;
    assert!(wrong.says(&["a colon and a port"]), "{}", wrong.html);
    let done = administrator.send(&path, &fields).await;
    let said = ["Done. All facilities are being told.", "심장병원", "Save the file for it"];
    assert!(done.says(&said), "{}", done.html);
    administrator.lang = "ko";
    let file = administrator.get(&format!("{here}/placement")).await;
    assert_eq!(file.status, StatusCode::OK);
    let one = administrator.get(&here).await;
    assert!(one.says(&["소속이 바뀐 날", "기관에 줄 파일 보관"]), "{}", one.html);
    country.carry();
    assert_eq!(clinic.app.nation().parent(), Some(specialist.seat.node()));
}
