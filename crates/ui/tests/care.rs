//! People, charts, visits and papers, as a browser without script sees them.

use axum::http::StatusCode;
use browser::{Browser, Shown};
use ondol_access::Role;
use support::{Country, Facility};

use crate::{browser, support};

fn browser(facility: &Facility, name: &str, role: Role) -> Browser {
    Browser::of(&facility.app, &facility.signed_in(name, &[role]))
}

/// The id of the chart that a page is about.
fn chart(page: &Shown) -> String {
    let rest = page.html.split("class=\"banner-name\" href=\"/people/").nth(1).expect("a banner");
    rest.split('"').next().unwrap().to_owned()
}

async fn registered(worker: &mut Browser, name: &str) -> String {
    registered_of(worker, name, "김복순").await
}

/// Whoever has the mother, the year of birth and the village of somebody who is here is asked about.
async fn registered_of(worker: &mut Browser, name: &str, mother: &str) -> String {
    let made = worker
        .send(
            "/people/new",
            &[
                ("kind", "known"),
                ("name", name),
                ("sex", "female"),
                ("born-year", "1994"),
                ("mother", mother),
                ("resident", "yes"),
                ("ri", "새마을리"),
            ],
        )
        .await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.html);
    assert!(made.says(&[name, "Registered. Please print the card."]), "{}", made.html);
    chart(&made)
}

#[tokio::test]
async fn a_press_on_an_empty_form_registers_nobody_and_an_age_alone_is_enough() {
    let clinic = Facility::new();
    let mut worker = browser(&clinic, "최은경", Role::HealthWorker);
    let empty = [("kind", "known"), ("resident", "yes"), ("ri", "새마을리")];
    let again = worker.send("/people/new", &empty).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.says(&["Write what you know", "value=\"새마을리\""]), "{}", again.html);
    let made = worker.send("/people/new", &[&empty[..], &[("age", "40")]].concat()).await;
    assert!(made.says(&["Registered. Please print the card."]), "{}", made.html);
}

#[tokio::test]
async fn somebody_is_looked_for_registered_seen_and_stands_in_the_day() {
    let clinic = Facility::new();
    let mut worker = browser(&clinic, "최은경", Role::HealthWorker);
    let home = worker.get("/").await;
    assert!(home.says(&["action=\"/people\"", "Nobody yet today"]), "{}", home.html);
    let found = worker.send("/people", &[("q", "리용희")]).await;
    assert!(found.says(&["Nobody like that is here", "value=\"리용희\""]));
    let form = worker.send("/people/new", &[("do", "start"), ("name", "리용희")]).await;
    assert!(form.says(&["name=\"name\" type=\"text\"", "value=\"리용희\""]));
    let id = registered(&mut worker, "리용희").await;
    let visit = worker.get(&format!("/people/{id}/visits/new")).await;
    assert!(visit.says(&["리용희", "This alone is enough to save", "mmHg"]), "{}", visit.html);
    let path = format!("/people/{id}/visits/new");
    let saved = worker
        .send(
            &path,
            &[
                ("chart", &id),
                ("do", "save"),
                ("complaint", "기침 사흘"),
                ("v-body-temperature", "38,5"),
                ("v-systolic-pressure", "120"),
                ("v-diastolic-pressure", "80"),
                ("dx", "C:J20.9"),
                ("med-0-atc", "A02BA02"),
                ("med-0-name", "ranitidine"),
                ("med-0-strength", "tablet 150 mg"),
                ("med-0-dose", "2 a day"),
                ("med-0-days", "5"),
            ],
        )
        .await;
    assert!(
        saved.says(&[
            "Saved.",
            "기침 사흘",
            "38.5 °C",
            "120/80 mmHg",
            "ranitidine tablet 150 mg, 2 a day, 5 days"
        ]),
        "{}",
        saved.html
    );
    let home = worker.get("/").await;
    assert!(home.says(&["Today: 1", "리용희"]));
    let register = worker.get("/papers/day").await;
    assert!(register.says(&["기침 사흘", "리용희", "새마을리"]));
    let tally = worker.get("/papers/month").await;
    assert!(tally.says(&["J20.9"]) && !tally.html.contains("리용희"));
}

#[tokio::test]
async fn no_name_of_a_patient_stands_in_a_title_or_an_address() {
    let clinic = Facility::new();
    let mut worker = browser(&clinic, "최은경", Role::HealthWorker);
    let id = registered(&mut worker, "리용희").await;
    for path in [
        "",
        "/edit",
        "/allergies",
        "/visits/new",
        "/card",
        "/wristband",
        "/readers",
        "/summary",
        "/link",
    ] {
        let page = worker.get(&format!("/people/{id}{path}")).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.html);
        let title = page.html.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
        assert!(!title.contains("리용희"), "{path}");
        assert!(page.html.contains("리용희"), "{path}");
    }
    let found = worker.send("/people", &[("q", "리용희")]).await;
    let addresses = found.html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    assert!(addresses.into_iter().all(|address| !address.contains("용희")));
}

#[tokio::test]
async fn a_form_of_another_chart_is_refused() {
    let clinic = Facility::new();
    let mut worker = browser(&clinic, "최은경", Role::HealthWorker);
    let one = registered(&mut worker, "리용희").await;
    let two = registered_of(&mut worker, "김철", "박금순").await;
    let refused = worker
        .send(&format!("/people/{one}/visits/new"), &[("chart", &two), ("complaint", "기침")])
        .await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let chart = worker.get(&format!("/people/{one}")).await;
    assert!(!chart.html.contains("기침"));
}

#[tokio::test]
async fn an_impossible_value_is_asked_about_with_everything_still_typed() {
    let clinic = Facility::new();
    let mut worker = browser(&clinic, "최은경", Role::HealthWorker);
    let id = registered(&mut worker, "리용희").await;
    let path = format!("/people/{id}/visits/new");
    let typed = [
        ("chart", id.as_str()),
        ("complaint", "열"),
        ("v-body-temperature", "385"),
        ("dx", "C:J20.9"),
    ];
    let asked = worker.send(&path, &typed).await;
    assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        asked.says(&["seems impossible", "name=\"checked\"", "value=\"385\"", "value=\"C:J20.9\""]),
        "{}",
        asked.html
    );
    let mut again = typed.to_vec();
    again.push(("checked", "yes"));
    let saved = worker.send(&path, &again).await;
    assert!(saved.says(&["385 °C"]), "{}", saved.html);
}

#[tokio::test]
async fn a_dangerous_value_is_marked_with_its_source() {
    let clinic = Facility::new();
    let mut worker = browser(&clinic, "최은경", Role::HealthWorker);
    let id = registered(&mut worker, "리용희").await;
    let path = format!("/people/{id}/visits/new");
    let judged =
        worker.post(&path, &[("chart", &id), ("do", "judge"), ("v-heart-rate", "160")]).await;
    assert!(
        judged.says(&["Dangerous: Pulse.", "Interagency Integrated Triage Tool"]),
        "{}",
        judged.html
    );
    let mark = |class: &str| format!("id=\"m-v-{class}\" hx-swap-oob");
    let (pulse, heat) =
        (mark("heart-rate\" class=\"mark bad"), mark("body-temperature\" class=\"mark "));
    assert!(
        judged.says(&[&pulse, &heat]),
        "the box itself is marked, others are not: {}",
        judged.html
    );
    let saved = worker.send(&path, &[("chart", &id), ("v-heart-rate", "160")]).await;
    assert!(
        saved.says(&["ask a specialist", "class=\"high\"", "Interagency", &format!("/ask/{id}")]),
        "{}",
        saved.html
    );
}

#[tokio::test]
async fn diagnoses_and_medicines_are_chosen_by_buttons_alone() {
    let clinic = Facility::new();
    let mut worker = browser(&clinic, "최은경", Role::HealthWorker);
    let id = registered(&mut worker, "리용희").await;
    let path = format!("/people/{id}/visits/new");
    let base = [("chart", id.as_str()), ("complaint", "기침")];
    let with = |more: &[(&'static str, &'static str)]| {
        let mut all: Vec<(&str, &str)> = base.to_vec();
        all.extend_from_slice(more);
        all.into_iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect::<Vec<_>>()
    };
    let pairs = |all: &[(String, String)]| -> Vec<(String, String)> { all.to_vec() };
    let all = with(&[("dx-find", "ㄱㄱㅈㅇ"), ("do", "dx-find")]);
    let found = post(&mut worker, &path, &pairs(&all)).await;
    assert!(found.says(&["value=\"dx-words\"", "기침"]), "{}", found.html);
    let all = with(&[("dx-find", "bronchitis"), ("do", "dx-find")]);
    let found = post(&mut worker, &path, &all).await;
    assert!(found.says(&["value=\"dx-add:J20.9\""]), "{}", found.html);
    let all = with(&[("do", "dx-add:J20.9")]);
    let chosen = post(&mut worker, &path, &all).await;
    assert!(chosen.says(&["name=\"dx\" value=\"C:J20.9\""]), "{}", chosen.html);
    let all = with(&[("med-find", "ranitidine"), ("do", "med-find")]);
    let found = post(&mut worker, &path, &all).await;
    assert!(found.says(&["value=\"med-add:A02BA02:0:0\""]), "{}", found.html);
    let all = with(&[("do", "med-add:A02BA02:0:0"), ("dx", "C:J20.9")]);
    let chosen = post(&mut worker, &path, &all).await;
    assert!(chosen.says(&["name=\"med-0-dose\"", "name=\"dx\" value=\"C:J20.9\"", "기침"]));
    // With script only the part comes back.
    let all = with(&[("do", "dx-live"), ("dx-find", "bronch")]);
    let part = part(&mut worker, &path, &all).await;
    assert!(part.says(&["dx-add:J20.9"]) && !part.html.contains("<html"), "{}", part.html);
}

async fn post(worker: &mut Browser, path: &str, fields: &[(String, String)]) -> Shown {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let shown = worker.post(path, &fields).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.html);
    shown
}

async fn part(worker: &mut Browser, path: &str, fields: &[(String, String)]) -> Shown {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    worker.post_part(path, &fields).await
}

#[tokio::test]
async fn a_namesake_is_shown_before_registering_and_hinders_nothing() {
    let clinic = Facility::new();
    let mut worker = browser(&clinic, "최은경", Role::HealthWorker);
    registered(&mut worker, "리용희").await;
    let fields = [("kind", "known"), ("name", "리용희"), ("sex", "female"), ("resident", "yes")];
    let asked = worker.send("/people/new", &fields).await;
    assert!(
        asked.says(&["Is it this person?", "value=\"리용희\"", "name=\"another\""]),
        "{}",
        asked.html
    );
    let mut again = fields.to_vec();
    again.push(("another", "yes"));
    assert!(worker.send("/people/new", &again).await.says(&["Registered."]));
}

#[tokio::test]
async fn a_name_is_found_and_known_again_in_other_letters() {
    let clinic = Facility::new();
    let mut worker = browser(&clinic, "최은경", Role::HealthWorker);
    registered(&mut worker, "리용희").await;
    for typed in ["이용희", "ㄹㅇㅎ", "ㅇㅇㅎ", "Ri Yong-hŭi", "Ri Yonghui", "Lee Yong Hee"]
    {
        let found = worker.send("/people", &[("q", typed)]).await;
        assert!(found.says(&["리용희"]), "{typed}: {}", found.html);
    }
    assert!(!worker.send("/people", &[("q", "Kim Chol")]).await.says(&["리용희"]));
    let fields = [("kind", "known"), ("name", "Ri Yong Hui"), ("sex", "female")];
    let asked = worker.send("/people/new", &fields).await;
    assert!(asked.says(&["Is it this person?", "리용희", "name=\"another\""]), "{}", asked.html);
}

#[tokio::test]
async fn a_newborn_twin_and_a_stranger_are_registered_without_a_name() {
    let clinic = Facility::new();
    let mut worker = browser(&clinic, "최은경", Role::Nurse);
    let mother = registered(&mut worker, "김복순").await;
    let card = worker.get(&format!("/people/{mother}/card")).await;
    let number = card.html.split("class=\"number\">").nth(1).unwrap();
    let number: String = number
        .split('<')
        .next()
        .unwrap()
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == '-')
        .collect();
    let baby = worker
        .send(
            "/people/new",
            &[
                ("kind", "newborn"),
                ("mother-number", number.trim_matches('-')),
                ("time", "7:40"),
                ("sex", "male"),
                ("order", "2"),
                ("resident", "yes"),
            ],
        )
        .await;
    assert!(baby.says(&["Baby of 김복순 B", "0 days"]), "{}", baby.html);
    let stranger = worker
        .send(
            "/people/new",
            &[
                ("kind", "stranger"),
                ("sex", "male"),
                ("age", "40"),
                ("description", "왼팔에 상처자리"),
                ("found-at", "역앞"),
                ("resident", "no"),
            ],
        )
        .await;
    assert!(
        stranger.says(&["Unknown person", "about 40 years", "왼팔에 상처자리", "provisional"]),
        "{}",
        stranger.html
    );
}

#[tokio::test]
async fn allergies_are_three_things_in_every_banner() {
    let clinic = Facility::new();
    let mut worker = browser(&clinic, "최은경", Role::HealthWorker);
    let id = registered(&mut worker, "리용희").await;
    let path = format!("/people/{id}/allergies");
    assert!(worker.get(&path).await.says(&["Allergies not asked yet", "Asked, none known"]));
    let none = worker.send(&format!("{path}/none"), &[("chart", &id)]).await;
    assert!(none.says(&["No known allergies"]));
    let known = worker
        .send(
            &path,
            &[
                ("chart", &id),
                ("substance", "페니실린"),
                ("reaction", "두드러기"),
                ("severity", "severe"),
            ],
        )
        .await;
    assert!(known.says(&["allergy known", "페니실린", "dangerous"]), "{}", known.html);
    let visit = worker.get(&format!("/people/{id}/visits/new")).await;
    assert!(visit.says(&["allergy known", "페니실린"]));
}

#[tokio::test]
async fn a_closed_chart_offers_to_receive_and_to_break_the_glass() {
    let country = Country::new();
    let mut worker = browser(country.clinic(), "최은경", Role::HealthWorker);
    let id = registered(&mut worker, "리용희").await;
    country.carry();
    let mut doctor = browser(country.county(), "박의사", Role::Doctor);
    let closed = doctor.get(&format!("/people/{id}")).await;
    assert_eq!(closed.status, StatusCode::FORBIDDEN);
    assert!(closed.says(&["This chart is closed"]) && !closed.html.contains("리용희"));
    let glass = format!("/people/{id}/glass");
    let asked = doctor.send(&glass, &[("chart", &id), ("reason", "")]).await;
    assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
    let open = doctor.send(&glass, &[("chart", &id), ("reason", "의식 없음")]).await;
    assert!(open.says(&["리용희", "The home facility was told"]), "{}", open.html);
    country.carry();
    let home = worker.get("/").await;
    assert!(home.says(&["Opened elsewhere in an emergency", "의식 없음"]), "{}", home.html);
    let readers = worker.get(&format!("/people/{id}/readers")).await;
    assert!(
        readers.says(&["Opened elsewhere in an emergency", "의식 없음", "군병원"]),
        "{}",
        readers.html
    );
    let received = doctor.send(&format!("/people/{id}/receive"), &[("chart", &id)]).await;
    assert!(
        received.says(&["Received.", &format!("/people/{id}/visits/new")]),
        "{}",
        received.html
    );
}

#[tokio::test]
async fn a_visit_is_corrected_and_taken_back() {
    let clinic = Facility::new();
    let mut worker = browser(&clinic, "최은경", Role::HealthWorker);
    let id = registered(&mut worker, "리용희").await;
    let saved = worker
        .send(
            &format!("/people/{id}/visits/new"),
            &[("chart", &id), ("complaint", "기침"), ("when", "before"), ("at-time", "7:15")],
        )
        .await;
    assert!(saved.says(&["today 07:15"]), "{}", saved.html);
    let link = format!("/people/{id}/visits/");
    let rest = saved
        .html
        .split(&format!("href=\"{link}"))
        .find(|rest| !rest.starts_with("new") && rest.len() > 40 && !rest.starts_with('<'));
    let visit = rest.unwrap().split(['"', '/']).next().unwrap().to_owned();
    let form = worker.get(&format!("{link}{visit}")).await;
    assert!(form.says(&["기침", "value=\"07:15\""]), "{}", form.html);
    let corrected = worker
        .send(
            &format!("{link}{visit}"),
            &[("chart", &id), ("complaint", "마른기침"), ("when", "before"), ("at-time", "7:15")],
        )
        .await;
    assert!(corrected.says(&["마른기침"]), "{}", corrected.html);
    let gone = worker
        .send(&format!("{link}{visit}/retract"), &[("chart", &id), ("reason", "다른 사람의 기록")])
        .await;
    assert!(gone.says(&["Taken back."]) && !gone.html.contains("마른기침"), "{}", gone.html);
}

#[tokio::test]
async fn a_form_from_a_power_cut_is_typed_in_row_by_row() {
    let clinic = Facility::new();
    let mut nurse = browser(&clinic, "최은경", Role::Nurse);
    let blank = nurse.send("/papers/downtime", &[]).await;
    assert!(blank.says(&["Visits during a power cut"]), "{}", blank.html);
    assert_eq!(blank.html.matches("<tr>").count(), 31);
    let list = nurse.get("/papers/downtime").await;
    let rest = list.html.split("href=\"/papers/downtime/").nth(1).unwrap();
    let form = rest.split('"').next().unwrap().to_owned();
    let path = format!("/papers/downtime/{form}/type");
    assert!(nurse.get(&path).await.says(&["name=\"complaint-30\""]));
    let fields = [
        ("at-year", "2026"),
        ("at-month", "3"),
        ("at-day", "1"),
        ("name-1", "박철수"),
        ("sex-1", "남"),
        ("age-1", "40"),
        ("complaint-1", "머리아픔"),
        ("temperature-1", "36,6"),
        ("pressure-1", "130/85"),
        ("name-2", "김순희"),
        ("complaint-2", "열"),
        ("temperature-2", "385"),
        ("do", "all"),
    ];
    let shown = nurse.send(&path, &fields).await;
    assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        shown.says(&[
            "class=\"done\"",
            "박철수",
            "class=\"wrong-row\"",
            "value=\"김순희\"",
            "checked-2"
        ]),
        "{}",
        shown.html
    );
    let one = nurse
        .post_part(
            &path,
            &[
                ("name-2", "김순희"),
                ("complaint-2", "열"),
                ("temperature-2", "38.5"),
                ("do", "row:2"),
            ],
        )
        .await;
    assert!(one.says(&["class=\"done\"", "김순희"]) && !one.html.contains("<html"), "{}", one.html);
    let day = nurse.get("/papers/day?date=2026-03-01").await;
    assert!(day.says(&["박철수", "12:00"]), "{}", day.html);
}

#[tokio::test]
async fn a_draft_that_comes_too_late_is_not_offered_again() {
    let clinic = Facility::new();
    let mut worker = browser(&clinic, "최은경", Role::HealthWorker);
    let id = registered(&mut worker, "리용희").await;
    let path = format!("/people/{id}/visits/new");
    let opened = clinic.app.now().0.to_string();
    let typed = [("chart", id.as_str()), ("complaint", "기침 사흘"), ("opened", opened.as_str())];
    let draft = format!("/drafts/visit/{id}");
    worker.post(&draft, &typed).await;
    assert!(worker.get(&path).await.says(&["기침 사흘"]), "what was typed is still there");
    clinic.clock.pass_minutes(1);
    worker.send(&path, &typed).await;
    worker.post(&draft, &typed).await;
    assert!(!worker.get(&path).await.html.contains("기침 사흘"));
    let fields = [
        ("kind", "known"),
        ("name", "리용희"),
        ("sex", "female"),
        ("born-year", "1994"),
        ("mother", "김복순"),
    ];
    worker.post("/drafts/people/new", &fields).await;
    assert!(!worker.get("/people/new").await.html.contains("김복순"));
}

#[tokio::test]
async fn the_summary_for_whoever_treats_next_tells_what_counts_and_what_nobody_asked() {
    let clinic = Facility::new();
    let mut worker = browser(&clinic, "최은경", Role::HealthWorker);
    let id = registered(&mut worker, "리용희").await;
    let path = format!("/people/{id}/summary");
    let before = worker.get(&path).await;
    assert!(
        before.says(&["리용희", "Allergies not asked yet", "Nothing is recorded."]),
        "{}",
        before.html
    );
    let visit = [("chart", &*id), ("complaint", "기침"), ("v-heart-rate", "96")];
    worker.send(&format!("/people/{id}/visits/new"), &visit).await;
    let allergy = [
        ("chart", &*id),
        ("substance", "페니실린"),
        ("reaction", "두드러기"),
        ("severity", "severe"),
    ];
    worker.send(&format!("/people/{id}/allergies"), &allergy).await;
    let after = worker.get(&path).await;
    assert!(
        after.says(&["페니실린", "두드러기", "Last measured", "Pulse", "96"]),
        "{}",
        after.html
    );
    let offered = worker.get(&format!("/people/{id}")).await;
    assert!(offered.says(&[&format!("/people/{id}/summary")]), "{}", offered.html);
    // Each look is known.
    let readers = worker.get(&format!("/people/{id}/readers")).await;
    assert!(readers.says(&["최은경"]), "{}", readers.html);
}
