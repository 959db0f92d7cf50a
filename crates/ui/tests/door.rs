//! Signing in, switching, locking and the first run, as a browser without script sees them.

use axum::http::StatusCode;
use browser::{Browser, pages};
use ondol_access::Role;
use support::{Facility, PASSWORD};

use crate::{browser, support};

fn account(browser: &Browser, facility: &Facility) -> (String, String) {
    let people = facility.app.people_of_station(&browser.cookies["ondol_station"]).unwrap();
    (people[0].account.to_string(), people[0].login.clone())
}

#[tokio::test]
async fn the_first_run_leads_to_a_code_and_then_to_the_sign_in() {
    let facility = Facility::new();
    let mut browser = Browser::at(pages(&facility.app));
    let first = browser.get("/sign-in").await;
    assert!(first.says(&["Who looks after this facility", "name-1", "name-2"]), "{}", first.html);
    let setup = facility.app.new_setup_code().unwrap().unwrap();
    let fields = [
        ("name-1", "김성희"),
        ("login-1", "songhui"),
        ("password-1", PASSWORD),
        ("again-1", PASSWORD),
        ("roles-1", "health-worker"),
        ("name-2", "리철민"),
        ("login-2", "cholmin"),
        ("password-2", PASSWORD),
        ("again-2", "something else"),
        ("setup", "AAAA-AAAA"),
    ];
    let wrong = browser.send("/first-run", &fields).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.says(&["e-again-2", "value=\"cholmin\""]) && !wrong.html.contains(PASSWORD));
    let mut right = fields;
    right[8].1 = PASSWORD;
    // Whoever comes first on the network does not hold the console.
    let stranger = browser.send("/first-run", &right).await;
    assert_eq!(stranger.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(stranger.says(&["e-setup"]) && facility.app.is_first_run().unwrap());
    let typed = setup.to_lowercase().replace('-', " ");
    right[9].1 = &typed;
    let sealed = browser.send("/first-run", &right).await;
    assert_eq!(sealed.status, StatusCode::OK);
    assert_eq!(facility.app.new_setup_code().unwrap(), None, "there are accounts now");
    let code = sealed.html.split("recovery-code\">").nth(1).unwrap().split('<').next().unwrap();
    assert_eq!(code.len(), 29, "{code}");
    assert!(browser.get("/first-run").await.says(&["Name to sign in with"]));

    let recovered = [
        ("recovery", code),
        ("login", "songhui"),
        ("password", "가을의 따뜻한 온돌"),
        ("again", "가을의 따뜻한 온돌"),
    ];
    let next = browser.send("/recover", &recovered).await;
    assert!(next.says(&["recovery-code"]), "{}", next.html);
    let again = browser.send("/recover", &recovered).await;
    assert!(again.says(&["This code does not fit"]), "{}", again.html);
    let form = [("login", "songhui"), ("password", "가을의 따뜻한 온돌"), ("back", "/me")];
    assert!(
        browser.send("/sign-in", &form).await.says(&["김성희", "health worker, administrator"])
    );
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_led_to_the_door_and_back() {
    let facility = Facility::new();
    facility.administrator();
    let mut browser = Browser::at(pages(&facility.app));
    let led = browser.look("/me", &[]).await;
    assert_eq!((led.status, led.to.as_str()), (StatusCode::SEE_OTHER, "/sign-in?back=%2Fme"));
    let part = browser
        .look("/duty", &[("hx-request", "true"), ("hx-current-url", "http://x/me?a=1")])
        .await;
    assert_eq!(part.status, StatusCode::NO_CONTENT);
    assert_eq!(part.part_to, "/sign-in?back=%2Fme%3Fa%3D1");
    let wrong = [("login", "admin1"), ("password", "not this one"), ("back", "/me")];
    let refused = browser.send("/sign-in", &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.says(&["Name or password does not fit", "value=\"admin1\"", "value=\"/me\""]));
    let right = [("login", "admin1"), ("password", PASSWORD), ("back", "/me")];
    let entered = browser.post("/sign-in", &right).await;
    assert_eq!(entered.to, "/me");
    let elsewhere = [("login", "admin1"), ("password", PASSWORD), ("back", "//elsewhere")];
    assert_eq!(browser.post("/sign-in", &elsewhere).await.to, "/");
}

#[tokio::test]
async fn after_some_wrong_tries_the_page_says_how_long_to_wait() {
    let facility = Facility::new();
    facility.administrator();
    let mut browser = Browser::at(pages(&facility.app));
    let wrong = [("login", "admin1"), ("password", "not this one")];
    for _ in 0..3 {
        browser.send("/sign-in", &wrong).await;
    }
    let waiting = browser.send("/sign-in", &wrong).await;
    assert!(waiting.says(&["Try again in 5 seconds"]), "{}", waiting.html);
}

#[tokio::test]
async fn a_given_password_has_to_be_changed_before_anything_else() {
    let facility = Facility::new();
    let admin = facility.administrator();
    let roles = ondol_access::RoleSet::EMPTY.with(Role::Nurse);
    let person = support::new_person("최은경", "ungyong", roles);
    let given = facility.app.add_person(&admin, person).unwrap().0;
    let mut browser = Browser::at(pages(&facility.app));
    let form = [("login", "ungyong"), ("password", given.as_str()), ("back", "/duty")];
    let led = browser.post("/sign-in", &form).await;
    assert_eq!(led.to, "/me/password?back=%2Fduty");
    assert_eq!(browser.look("/duty", &[]).await.to, "/me/password?back=%2Fduty");
    let mut change =
        [("old", given.as_str()), ("password", "short"), ("again", "short"), ("back", "/duty")];
    let refused = browser.send("/me/password", &change).await;
    assert!(refused.says(&["This is too short", "e-password"]), "{}", refused.html);
    (change[1].1, change[2].1) = (PASSWORD, PASSWORD);
    let changed = browser.send("/me/password", &change).await;
    assert!(changed.says(&["Who is on duty now", "Your password is changed"]), "{}", changed.html);
}

#[tokio::test]
async fn names_of_the_day_stand_on_the_page_and_a_pin_or_card_is_enough() {
    let facility = Facility::new();
    let entered = facility.signed_in("최은경", &[Role::Nurse]);
    let mut browser = Browser::of(&facility.app, &entered);
    let set = [("old", PASSWORD), ("pin", "4711"), ("again", "4711")];
    assert!(browser.send("/me/pin", &set).await.says(&["Your PIN is set"]));
    let card = facility.app.new_card(&entered.who, PASSWORD).unwrap();
    let printed = browser.send("/me/card", &[("old", PASSWORD)]).await;
    assert!(printed.says(&["class=\"qr\"", "최은경"]) && !printed.html.contains(&card));

    browser.send("/sign-out", &[]).await;
    assert!(!browser.cookies.contains_key("ondol_session"));
    let names = browser.get("/sign-in?back=/me").await;
    assert!(names.says(&["Who are you?", "최은경"]), "{}", names.html);
    let (account, _) = account(&browser, &facility);
    let asked = browser.get(&format!("/switch?account={account}&back=/me")).await;
    assert!(asked.says(&["name=\"pin\"", "data-pad", "최은경"]), "{}", asked.html);
    let wrong = [("account", account.as_str()), ("with", "pin"), ("pin", "0815")];
    assert!(browser.send("/switch", &wrong).await.says(&["The PIN does not fit"]));
    let right = [("account", account.as_str()), ("with", "pin"), ("pin", "4711"), ("back", "/me")];
    assert!(browser.send("/switch", &right).await.says(&["My account", "최은경"]));

    // The card that was printed last opens; the one before does not.
    browser.send("/sign-out", &[]).await;
    let old = browser.send("/switch", &[("card", card.as_str())]).await;
    assert!(old.says(&["This card opens nothing here"]), "{}", old.html);
}

#[tokio::test]
async fn a_locked_page_opens_for_its_owner_and_what_was_sent_is_not_lost() {
    let facility = Facility::new();
    let manager = facility.signed_in("리철민", &[Role::FacilityManager]);
    let mut browser = Browser::of(&facility.app, &manager);
    assert!(browser.get("/duty/service").await.says(&["Which service has a duty?"]));
    facility.clock.pass_minutes(6);
    let form = [("service", "emergency"), ("phone", "02-381-119")];
    let locked = browser.send("/duty/service", &form).await;
    assert!(locked.says(&["Locked", "리철민"]) && !locked.html.contains("02-381-119"));
    assert!(
        facility.app.duties(&manager.who.actor, &facility.app.place().facility).unwrap().is_empty()
    );
    let open = [("with", "password"), ("password", PASSWORD), ("back", "/send-again")];
    let again = browser.send("/locked", &open).await;
    assert!(again.says(&["Send it again?", "02-381-119", "action=\"/duty/service\""]));
    let sent = browser.send("/duty/service", &form).await;
    assert!(sent.says(&["02-381-119", "Saved."]), "{}", sent.html);
}

#[tokio::test]
async fn a_page_that_asks_by_itself_keeps_no_session_open() {
    let facility = Facility::new();
    let entered = facility.signed_in("최은경", &[Role::Nurse]);
    let mut browser = Browser::of(&facility.app, &entered);
    for _ in 0..4 {
        facility.clock.pass_minutes(2);
        browser.look("/duty", &[("x-by-itself", "yes")]).await;
    }
    assert_eq!(browser.look("/me", &[]).await.to, "/locked?back=%2Fme");
}

#[tokio::test]
async fn a_draft_is_kept_without_token_and_secrets() {
    let facility = Facility::new();
    let entered = facility.signed_in("최은경", &[Role::Nurse]);
    let mut browser = Browser::of(&facility.app, &entered);
    let typed = [("complaint", "기침 2주"), ("password", "secret")];
    let kept = browser.post("/drafts/visit/1", &typed).await;
    assert_eq!(kept.status, StatusCode::NO_CONTENT);
    let (_, bytes) = facility.app.draft(&entered.who.actor, "visit/1").unwrap().unwrap();
    let form = ondol_ui::Form::parse(&bytes);
    assert_eq!(form.fields(), [("complaint".to_owned(), "기침 2주".to_owned())]);
}

#[tokio::test]
async fn an_administrator_adds_changes_and_lets_go() {
    let facility = Facility::new();
    facility.administrator();
    let mut browser = Browser::at(pages(&facility.app));
    browser.send("/sign-in", &[("login", "admin1"), ("password", PASSWORD)]).await;
    let mut fields = vec![("name", "김성희"), ("login", "songhui")];
    let wrong = browser.send("/staff/new", &fields).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.says(&["e-roles", "value=\"김성희\""]), "{}", wrong.html);
    fields.push(("roles", "doctor"));
    let given = browser.send("/staff/new", &fields).await;
    assert!(given.says(&["A password for once", "recovery-code", "songhui"]), "{}", given.html);
    let list = browser.get("/staff").await;
    assert!(list.says(&["김성희", "Has not chosen a password yet"]), "{}", list.html);
    let row = list.html.split("href=\"/staff/").skip(1).find(|r| r.contains("김성희")).unwrap();
    let id = row.split('"').next().unwrap().to_owned();

    let page = browser.get(&format!("/staff/{id}")).await;
    assert!(page.says(&["value=\"doctor\" checked", "The person leaves"]), "{}", page.html);
    let leave = format!("/staff/{id}/leave");
    assert!(browser.send(&leave, &[]).await.says(&["e-heir"]));
    let page = browser.get(&leave).await;
    let heir = page.html.split("<option value=\"").nth(2).unwrap().split('"').next().unwrap();
    let left = browser.send(&leave, &[("heir", heir)]).await;
    assert!(left.says(&["the work is handed over", "1 person has left"]), "{}", left.html);
}

#[tokio::test]
async fn the_time_until_the_lock_can_be_set() {
    let facility = Facility::new();
    facility.administrator();
    let mut browser = Browser::at(pages(&facility.app));
    browser.send("/sign-in", &[("login", "admin1"), ("password", PASSWORD)]).await;
    assert!(browser.get("/lock-after").await.says(&["value=\"5\""]));
    let wrong = browser.send("/lock-after", &[("minutes", "soon")]).await;
    assert!(wrong.says(&["value=\"soon\"", "from 1 to 60"]), "{}", wrong.html);
    browser.send("/lock-after", &[("minutes", "20")]).await;
    assert!(browser.get("/me").await.says(&["data-lock-after=\"1200\""]));
}

#[tokio::test]
async fn nobody_else_sees_the_accounts() {
    let facility = Facility::new();
    let nurse = facility.signed_in("최은경", &[Role::Nurse]);
    let mut browser = Browser::of(&facility.app, &nurse);
    assert_eq!(browser.get("/staff").await.status, StatusCode::FORBIDDEN);
    assert!(!browser.get("/me").await.says(&["/staff"]));
}

#[tokio::test]
async fn the_one_on_duty_checks_in_with_one_touch() {
    let facility = Facility::new();
    let manager = facility.signed_in("진료소장", &[Role::FacilityManager]);
    let worker = facility.signed_in("최은경", &[Role::HealthWorker]);
    let mut desk = Browser::of(&facility.app, &manager);
    desk.send("/duty/service", &[("service", "emergency"), ("phone", "381-119")]).await;
    let id = worker.who.actor.id().as_str();
    let turn = [
        ("service", "emergency"),
        ("who", id),
        ("days", "2026-03-02"),
        ("days", "2026-03-04"),
        ("shift", "day"),
    ];
    assert!(desk.send("/duty/week", &turn[..3]).await.says(&["e-shift"]));
    let week = desk.send("/duty/week", &turn).await;
    assert_eq!(week.html.matches("최은경</p>").count(), 2, "{}", week.html);
    facility.clock.pass_minutes(20);
    let mut browser = Browser::of(&facility.app, &worker);
    browser.send("/sign-out", &[]).await;
    let again = facility.app.sign_in(
        &facility.app.people_of_station(&worker.station).unwrap()[0].login,
        PASSWORD,
        None,
        None,
    );
    let mut browser = Browser::of(&facility.app, &again.unwrap());
    let before = browser.get("/duty").await;
    assert!(before.says(&["has not checked in", "381-119", "I am here now"]), "{}", before.html);
    let after = browser.send("/duty/in", &[("service", "emergency")]).await;
    assert!(after.says(&["최은경 is here", "I am leaving"]), "{}", after.html);
    assert!(!after.says(&["has not checked in"]));
}

#[tokio::test]
async fn the_practice_room_has_the_same_people_and_keeps_nothing() {
    let facility = Facility::new();
    let practice = Facility::practice();
    let manager = facility.signed_in("진료소장", &[Role::FacilityManager]);
    let ui = ondol_ui::Ui::new(practice.app.clone()).with_door(facility.app.clone());
    let practice_pages = ondol_ui::router(ui, browser::frame(&practice.app));
    let both = ondol_ui::rooms(pages(&facility.app), practice_pages);
    let mut browser = Browser::at(both);
    browser.cookies.insert("ondol_session".into(), manager.session.clone());
    let inside = browser.post("/practice", &[("on", "yes")]).await;
    assert_eq!(inside.to, "/");
    assert!(browser.get("/me").await.says(&["class=\"practice\"", "진료소장"]));
    browser.send("/duty/service", &[("service", "emergency"), ("phone", "381-119")]).await;
    assert_eq!(practice.all(&practice.chart(), "HealthcareService").len(), 1);
    assert!(facility.all(&facility.chart(), "HealthcareService").is_empty());
    browser.post("/practice", &[("on", "no")]).await;
    assert!(!browser.get("/me").await.says(&["class=\"practice\""]));
}
