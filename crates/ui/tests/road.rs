//! Sticks, counts, silence, trust and practice, as a person sees them: without script.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use browser::{Browser, Shown};
use ondol_access::Role;
use ondol_app::road::LinkReport;
use ondol_kernel::{Class, ResourceId};
use ondol_record::{ChartId, ChartKind};
use ondol_ui::Trust;
use serde_json::json;
use support::{Country, Facility};
use tower::ServiceExt as _;

use crate::{browser, support};

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

/// The file that the button gives.
fn stick(from: &Facility, to: &Facility) -> Vec<u8> {
    let courier = from.person(Role::HealthWorker);
    from.app.stick_for(&courier, to.seat.node()).unwrap().bytes
}

async fn carry_in(browser: &mut Browser, files: &[&[u8]]) -> Shown {
    let files: Vec<(&str, &[u8])> = files.iter().map(|file| ("files", *file)).collect();
    browser.upload("/road/stick/in", &[], &files).await
}

#[tokio::test]
async fn the_two_buttons_carry_a_case_up_and_its_confirmation_down() {
    let country = Country::new();
    country.carry();
    let (clinic, county) = (country.clinic(), country.county());
    patient(clinic, "p1");
    let mut worker = at(clinic, Role::HealthWorker);
    let page = worker.get("/road/stick").await;
    assert!(page.says(&["Carry out to 군병원", "Take in"]), "{}", page.html);
    let node = county.seat.node().to_string();
    let file = worker.post("/road/stick/out", &[("to", &node)]).await;
    assert_eq!(file.status, StatusCode::OK);
    assert!(!file.html.contains("<html"), "a file, not a page");
    assert!(worker.get("/road/stick").await.says(&["no confirmation yet"]));

    let mut doctor = at(county, Role::Doctor);
    let done = carry_in(&mut doctor, &[&stick(clinic, county)]).await;
    assert!(
        done.says(&["Taken in", "Stick from 새마을리진료소", "taken in; 0 were here"]),
        "{}",
        done.html
    );
    assert!(!done.html.contains("김보배"));
    let back = stick(county, clinic);
    let done = carry_in(&mut worker, &[&back]).await;
    assert!(done.says(&["군병원 confirms what you sent"]), "{}", done.html);
    assert!(worker.get("/road/stick").await.says(&["arrived, all of them"]));

    let again = carry_in(&mut worker, &[&back]).await;
    assert!(again.says(&["Nothing new", "No harm is done"]), "{}", again.html);
}

#[tokio::test]
async fn the_file_has_a_name_that_names_nobody() {
    let country = Country::new();
    country.carry();
    let (clinic, county) = (country.clinic(), country.county());
    let mut worker = at(clinic, Role::HealthWorker);
    worker.get("/road/stick").await;
    let page = worker.get("/road/stick").await;
    let token = page.html.split("name=\"csrf\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap();
    let cookies: Vec<String> = worker.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
    let request = Request::post("/road/stick/out")
        .header(header::COOKIE, cookies.join("; "))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!("csrf={token}&to={}", county.seat.node())))
        .unwrap();
    let answer = browser::pages(&clinic.app).oneshot(request).await.unwrap();
    let named = answer.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().to_owned();
    let own = clinic.seat.node().to_string();
    let want = format!("attachment; filename=\"ondol-{}-1.stick\"", &own[..8]);
    assert_eq!(named, want);
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn a_stick_that_cannot_be_used_is_refused_with_a_sentence_that_says_what_to_do() {
    let country = Country::new();
    country.carry();
    let (clinic, county, province) = (country.clinic(), country.county(), country.province());
    patient(clinic, "p1");
    let good = stick(clinic, county);
    for lang in ["en", "ko"] {
        let mut doctor = at(province, Role::Doctor);
        doctor.lang = lang;
        let said = |en: &'static str, ko: &'static str| if lang == "en" { en } else { ko };
        let other = carry_in(&mut doctor, &[&good]).await;
        let words = said("is not for here but for: 군병원", "군병원에 가는 기억기입니다");
        assert!(other.says(&[words]), "{}", other.html);
        let junk = carry_in(&mut doctor, &[b"holiday photographs"]).await;
        let words = said("ends in .stick", ".stick으로 끝나는 파일을");
        assert!(junk.says(&[words]), "{}", junk.html);
        let nothing = doctor.upload("/road/stick/in", &[], &[]).await;
        assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
        let words = said("Choose the file on the stick first.", "먼저 기억기에 있는 파일을");
        assert!(nothing.says(&[words]), "{}", nothing.html);
    }
    let mut doctor = at(county, Role::Doctor);
    let mut ruined = good.clone();
    for at in (1_500..ruined.len()).step_by(600) {
        ruined[at] ^= 1;
    }
    let said = carry_in(&mut doctor, &[&ruined]).await;
    assert!(said.says(&["nothing on it can be read", "Nothing is lost"]), "{}", said.html);
    let mut scratched = good.clone();
    scratched[1_500] ^= 1;
    let said = carry_in(&mut doctor, &[&scratched]).await;
    assert!(said.says(&["Taken in", "wearing out"]), "{}", said.html);
}

#[tokio::test]
async fn of_a_stick_pulled_out_early_the_page_says_what_is_missing_in_numbers() {
    let country = Country::new();
    country.carry();
    let (clinic, county) = (country.clinic(), country.county());
    for number in 0_u32..400 {
        // Words that no packing makes short, so that the stick is as long as that of a month.
        let noise = blake3::hash(&number.to_le_bytes()).to_hex();
        clinic.put(
            &format!("p{number}"),
            json!({"resourceType": "Patient", "name": [{"text": noise.repeat(4)}],
                "managingOrganization": {"reference": clinic.app.place().organization()}}),
        );
        if number % 8 == 0 {
            clinic.app.outgoing(county.seat.node(), Class::Routine, 100).unwrap();
        }
    }
    let file = stick(clinic, county);
    let mut doctor = at(county, Role::Doctor);
    let said = carry_in(&mut doctor, &[&file[..file.len() * 2 / 5]]).await;
    let words = ["new messages were taken in", "pulled out too early", "pieces are missing"];
    assert!(said.says(&words), "{}", said.html);
}

#[tokio::test]
async fn the_page_of_the_road_is_calm_only_when_the_other_side_holds_everything() {
    let country = Country::new();
    country.carry();
    let (clinic, county) = (country.clinic(), country.county());
    let node = county.seat.node();
    let up = LinkReport {
        is_up: true,
        since: clinic.app.now(),
        rate_bps: 9_600,
        rtt_ms: Some(600),
        loss: 0.02,
        ..LinkReport::default()
    };
    clinic.app.report_link(node, up);
    patient(clinic, "p1");
    let mut worker = at(clinic, Role::HealthWorker);
    let page = worker.get("/road").await;
    assert!(page.says(&["군병원", "waiting", "9.6 kbit/s", "600 ms", "2 %"]), "{}", page.html);
    assert!(!page.says(&["Everything has safely arrived there."]));

    // Sent is not held.
    let sent = clinic.app.outgoing(node, Class::Routine, 100).unwrap();
    assert!(!sent.is_empty());
    assert!(!worker.get("/road").await.says(&["Everything has safely arrived there."]));
    country.carry();
    assert!(worker.get("/road").await.says(&["Everything has safely arrived there."]));

    clinic.app.report_link(node, LinkReport { is_up: false, ..up });
    patient(clinic, "p2");
    let page = worker.get("/road").await;
    assert!(page.says(&["No link since", "It is kept here"]), "{}", page.html);
}

#[tokio::test]
async fn the_ministry_sees_numbers_and_no_names() {
    let country = Country::new();
    for number in 0..7 {
        patient(country.clinic(), &format!("p{number}"));
    }
    country.pass_minutes(31);
    for facility in country.all() {
        facility.app.count_tick().unwrap();
    }
    country.carry();
    let mut officer = at(country.ministry(), Role::MinistryOfficer);
    assert!(officer.get("/").await.says(&["href=\"/counts\"", "href=\"/facilities\""]));
    let page = officer.get("/counts?days=7").await;
    assert!(page.says(&["새마을리진료소", ">7<", "Numbers only, no names"]), "{}", page.html);
    assert!(!page.html.contains("김보배"));
    let mut administrator = at(country.ministry(), Role::Administrator);
    assert_eq!(administrator.get("/counts").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_facility_below_that_fell_silent_stands_first() {
    let country = Country::new();
    country.carry();
    let mut officer = at(country.province(), Role::ProvinceOfficer);
    let before = officer.get("/facilities").await;
    assert!(before.says(&["All: 2"]) && !before.says(&["Silent: "]), "{}", before.html);
    country.pass_minutes(3 * 24 * 60);
    let mut officer = at(country.province(), Role::ProvinceOfficer);
    let after = officer.get("/facilities").await;
    assert!(after.says(&["Silent: 2", "새마을리진료소"]), "{}", after.html);
}

#[tokio::test]
async fn a_device_learns_the_root_before_anybody_signs_in() {
    let clinic = Facility::new();
    let plain = Browser::at(browser::pages(&clinic.app)).get("/trust").await;
    assert!(plain.says(&["no certificate yet"]), "{}", plain.html);
    let trust = Trust { root_der: vec![7; 100], https: "https://192.168.1.5:8443".into() };
    let pages = ondol_ui::with_trust(browser::pages(&clinic.app), trust);
    let page = Browser::at(pages.clone()).get("/trust").await;
    assert!(page.says(&["SHA-256", "https://192.168.1.5:8443", "class=\"qr\""]), "{}", page.html);
    let request = Request::get("/trust/ondol-root.crt").body(Body::empty()).unwrap();
    let answer = pages.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/x-x509-ca-cert");
    let bytes = axum::body::to_bytes(answer.into_body(), 1_000).await.unwrap();
    assert_eq!(&bytes[..], [7; 100]);
    let pem = Browser::at(pages).get("/trust/ondol-root.pem").await;
    assert!(pem.html.starts_with("-----BEGIN CERTIFICATE-----\n"));
}

#[tokio::test]
async fn settings_are_read_by_all_and_changed_by_those_in_charge() {
    let clinic = Facility::new();
    let mut worker = at(&clinic, Role::HealthWorker);
    assert!(worker.get("/settings").await.says(&["value=\"5\"", "disabled"]));
    let release = [("release-emergency", "30"), ("release-urgent", "4"), ("release-routine", "48")];
    let wish = [("escalate", "8"), ("acknowledge", "4"), ("outcome", "72"), ("arrival", "4")];
    let wish = [&wish[..], &release].concat();
    assert_eq!(worker.send("/settings", &wish).await.status, StatusCode::FORBIDDEN);
    let mut manager = at(&clinic, Role::FacilityManager);
    let wrong = [("escalate", "0"), ("acknowledge", "x"), ("outcome", "72"), ("arrival", "4")];
    let wrong = [&wrong[..], &release].concat();
    let again = manager.send("/settings", &wrong).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.says(&["value=\"x\"", "Write a whole number"]), "{}", again.html);
    assert!(manager.send("/settings", &wish).await.says(&["Saved.", "value=\"8\""]));
    assert_eq!(clinic.app.consult_settings().unwrap().escalate_after_min, 8);
}

#[tokio::test]
async fn what_is_practised_never_reaches_the_record_and_no_stick_carries_it() {
    let (clinic, practice) = (Facility::new(), Facility::practice());
    let entered = clinic.signed_in("리영희", &[Role::HealthWorker]);
    let room = ondol_ui::Ui::new(practice.app.clone()).with_door(clinic.app.clone());
    let room = ondol_ui::router(room, browser::frame(&practice.app));
    let pages = ondol_ui::rooms(browser::pages(&clinic.app), room);
    let mut worker = Browser::at(pages);
    worker.cookies.insert("ondol_session".into(), entered.session.clone());
    worker.cookies.insert("ondol_station".into(), entered.station.clone());

    assert!(!worker.get("/help").await.says(&["class=\"practice\""]));
    worker.send("/practice", &[("on", "yes")]).await;
    let before = clinic.app.last_arrival().unwrap();
    assert!(worker.get("/help").await.says(&["class=\"practice\""]));
    let page = worker.get("/road/stick").await;
    assert!(page.says(&["In the practice room nothing is carried"]), "{}", page.html);
    let fields = [
        ("name", "련습환자"),
        ("sex", "female"),
        ("born-year", "1990"),
        ("mother", "련습어머니"),
        ("anyway", "yes"),
    ];
    let registered = worker.send("/people/new", &fields).await;
    let people = |facility: &Facility| {
        let view = facility.store().read().unwrap();
        view.charts(ChartKind::Patient, None, usize::MAX).unwrap()
    };
    assert_eq!(people(&practice).len(), 1, "{}", registered.html);
    assert!(people(&clinic).is_empty());
    assert_eq!(clinic.app.last_arrival().unwrap(), before);

    worker.send("/practice", &[("on", "no")]).await;
    assert!(!worker.get("/help").await.says(&["class=\"practice\""]));
    let ChartId::Patient(id) = &people(&practice)[0] else { panic!("a person") };
    assert!(ResourceId::new(id.as_str()).is_ok());
    let chart = worker.get(&format!("/chart/{id}")).await;
    assert!(chart.status.is_client_error(), "{}", chart.status);
}

#[tokio::test]
async fn what_may_be_missing_after_a_backup_was_put_back_is_said_for_two_weeks() {
    let mut country = Country::new();
    patient(country.clinic(), "p1");
    country.carry();
    let backup = country.clinic().backup();
    let before = at(country.clinic(), Role::HealthWorker).get("/people/p1").await;
    assert!(!before.says(&["put back from a backup"]), "{}", before.html);
    country.again("clinic", |clinic| clinic.put_back(&backup));
    let mut worker = at(country.clinic(), Role::HealthWorker);
    for path in ["/road", "/people/p1"] {
        let page = worker.get(path).await;
        assert!(page.says(&["put back from a backup", "may still be missing"]), "{}", page.html);
    }
    worker.lang = "ko";
    assert!(worker.get("/road").await.says(&["여벌에서 되살렸거나"]));
    country.pass_minutes(14 * 24 * 60);
    let mut worker = at(country.clinic(), Role::HealthWorker);
    for path in ["/road", "/people/p1"] {
        assert!(!worker.get(path).await.says(&["put back from a backup"]), "{path}");
    }
}
