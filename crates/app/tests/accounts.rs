//! Signing in, switching, locking; wrong tries; drafts.

use ondol_access::Role;
use ondol_app::{
    AppError,
    accounts::{Entered, Secret},
};
use support::{Facility, PASSWORD};

use crate::support;

fn why<T>(result: Result<T, AppError>) -> &'static str {
    match result {
        Err(AppError::SignIn(why) | AppError::State(why) | AppError::Field { why, .. }) => why,
        Err(AppError::Wait { .. }) => "wait",
        Err(AppError::Denied(_)) => "denied",
        Err(other) => panic!("{other:?}"),
        Ok(_) => "nothing",
    }
}

/// A nurse with PIN and card at a station where she signed in this morning.
fn nurse(facility: &Facility) -> (Entered, String) {
    let entered = facility.signed_in("최은경", &[Role::Nurse]);
    facility.app.set_pin(&entered.who, PASSWORD, "4711").unwrap();
    let card = facility.app.new_card(&entered.who, PASSWORD).unwrap();
    (entered, card)
}

fn login_of(facility: &Facility, entered: &Entered) -> String {
    let people = facility.app.people_of_station(&entered.station).unwrap();
    people.into_iter().find(|person| person.name == entered.who.actor.name()).unwrap().login
}

#[test]
fn the_password_opens_a_session_in_the_roles_of_the_person() {
    let facility = Facility::new();
    let entered = facility.signed_in("최은경", &[Role::Nurse]);
    let found = facility.app.session(&entered.session, true).unwrap().unwrap();
    assert_eq!(found, entered.who);
    assert_eq!(found.actor.name(), "최은경");
    assert!(found.roles().contains(Role::Nurse) && !found.roles().contains(Role::Administrator));
    assert!(!found.locked && !found.must_change);
    assert_eq!(facility.app.session("0123456789abcdef0123456789abcdef", true).unwrap(), None);
    assert_eq!(why(facility.app.sign_in("login0", "봄날의 온돌", None, None)), "wrong");
    assert_eq!(why(facility.app.sign_in("nobody", PASSWORD, None, None)), "wrong");
}

#[test]
fn a_session_outlives_a_restart_and_ends_with_the_duty() {
    let facility = Facility::new();
    let entered = facility.signed_in("최은경", &[Role::Nurse]);
    let facility = facility.restarted();
    assert!(facility.app.session(&entered.session, true).unwrap().is_some());
    for _ in 0..14 * 15 {
        facility.clock.pass_minutes(4);
        facility.app.session(&entered.session, true).unwrap();
    }
    assert_eq!(facility.app.session(&entered.session, true).unwrap(), None);
}

#[test]
fn a_session_that_nobody_touches_locks_itself_and_opens_for_its_owner_alone() {
    let facility = Facility::new();
    let (entered, _) = nurse(&facility);
    facility.clock.pass_minutes(3);
    assert!(!facility.app.session(&entered.session, true).unwrap().unwrap().locked);
    facility.clock.pass_minutes(3);
    // What the page asks by itself is no touch.
    assert!(!facility.app.session(&entered.session, false).unwrap().unwrap().locked);
    facility.clock.pass_minutes(3);
    assert!(facility.app.session(&entered.session, true).unwrap().unwrap().locked);
    let station = &entered.station;
    assert_eq!(why(facility.app.unlock(&entered.session, station, Secret::Pin("4712"))), "wrong");
    assert!(facility.app.session(&entered.session, true).unwrap().unwrap().locked);
    let open = facility.app.unlock(&entered.session, station, Secret::Pin("4711")).unwrap();
    assert!(!open.locked);
    facility.app.lock(&entered.session).unwrap();
    assert!(facility.app.session(&entered.session, true).unwrap().unwrap().locked);
    facility.app.unlock(&entered.session, station, Secret::Password(PASSWORD)).unwrap();
    facility.app.sign_out(&entered.session).unwrap();
    assert_eq!(facility.app.session(&entered.session, true).unwrap(), None);
}

#[test]
fn the_time_until_the_lock_is_a_setting() {
    let facility = Facility::new();
    let entered = facility.signed_in("진료소장", &[Role::FacilityManager]);
    facility.app.set_lock_after(&entered.who.actor, 20).unwrap();
    facility.clock.pass_minutes(19);
    let found = facility.app.session(&entered.session, true).unwrap().unwrap();
    assert_eq!((found.locked, found.lock_after_s), (false, 1_200));
    assert_eq!(why(facility.app.set_lock_after(&entered.who.actor, 0)), "out-of-range");
    let (nurse, _) = nurse(&facility);
    assert_eq!(why(facility.app.set_lock_after(&nurse.who.actor, 60)), "denied");
}

#[test]
fn pin_and_card_are_enough_where_the_password_was_given_today() {
    let facility = Facility::new();
    let (nurse, card) = nurse(&facility);
    let doctor = facility.signed_in("리철민", &[Role::Doctor]);
    let app = &facility.app;
    let account = app.people_of_station(&nurse.station).unwrap()[0].account.clone();
    let old = Some(nurse.session.as_str());
    let switched = app.switch(&nurse.station, Some(&account), Secret::Pin("4711"), old).unwrap();
    assert_eq!(switched.who.actor, nurse.who.actor);
    assert_eq!(app.session(&nurse.session, true).unwrap(), None, "the old session ends");
    let by_card = app.switch(&nurse.station, None, Secret::Card(&card), None).unwrap();
    assert_eq!(by_card.who.actor, nurse.who.actor);
    // Nowhere else, and not tomorrow.
    let elsewhere = app.switch(&doctor.station, None, Secret::Card(&card), None);
    assert_eq!(why(elsewhere), "password-needed");
    facility.clock.pass_minutes(14 * 60);
    for secret in [Secret::Pin("4711"), Secret::Card(&card)] {
        let late = app.switch(&nurse.station, Some(&account), secret, None);
        assert_eq!(why(late), "password-needed");
    }
    let offered = &app.people_of_station(&nurse.station).unwrap()[0];
    assert_eq!((offered.name.as_str(), offered.pin, offered.card), ("최은경", false, false));
}

#[test]
fn a_session_by_pin_ends_with_the_password_on_which_it_stands() {
    let facility = Facility::new();
    let (nurse, card) = nurse(&facility);
    facility.clock.pass_minutes(13 * 60 + 58);
    let late = facility.app.switch(&nurse.station, None, Secret::Card(&card), None).unwrap();
    facility.clock.pass_minutes(3);
    assert_eq!(facility.app.session(&late.session, true).unwrap(), None);
}

#[test]
fn a_new_card_makes_the_old_one_worth_nothing() {
    let facility = Facility::new();
    let (nurse, old) = nurse(&facility);
    let app = &facility.app;
    let new = app.new_card(&nurse.who, PASSWORD).unwrap();
    assert_eq!(why(app.switch(&nurse.station, None, Secret::Card(&old), None)), "wrong");
    app.switch(&nurse.station, None, Secret::Card(&new), None).unwrap();
    app.drop_card(&nurse.who).unwrap();
    assert_eq!(why(app.switch(&nurse.station, None, Secret::Card(&new), None)), "wrong");
}

#[test]
fn wrong_tries_make_the_next_wait_and_never_lock_out_for_good() {
    let facility = Facility::new();
    let entered = facility.signed_in("최은경", &[Role::Nurse]);
    let login = login_of(&facility, &entered);
    let app = &facility.app;
    for _ in 0..3 {
        assert_eq!(why(app.sign_in(&login, "nonsense 1", None, None)), "wrong");
    }
    // Even the right one has to wait, after a restart too.
    let facility = facility.restarted();
    let app = &facility.app;
    let waiting = app.sign_in(&login, PASSWORD, None, None);
    assert!(matches!(waiting, Err(AppError::Wait { seconds: 5 })));
    // At her own computer nobody guessed: there she does not wait.
    app.sign_in(&login, PASSWORD, Some(&entered.station), None).unwrap();
    facility.clock.pass(5_000);
    app.sign_in(&login, PASSWORD, None, None).unwrap();
    // The right one wiped the slate.
    assert_eq!(why(app.sign_in(&login, "nonsense 1", None, None)), "wrong");
    assert_eq!(why(app.sign_in(&login, "nonsense 2", None, None)), "wrong");
}

#[test]
fn many_wrong_pins_close_that_door_until_the_password_is_given() {
    let facility = Facility::new();
    let (nurse, _) = nurse(&facility);
    let app = &facility.app;
    let account = app.people_of_station(&nurse.station).unwrap()[0].account.clone();
    let pin = |pin| app.switch(&nurse.station, Some(&account), Secret::Pin(pin), None);
    for _ in 0..10 {
        assert_eq!(why(pin("0815")), "wrong");
        facility.clock.pass_minutes(5);
    }
    assert_eq!(why(pin("4711")), "password-needed");
    let login = login_of(&facility, &nurse);
    app.sign_in(&login, PASSWORD, Some(&nurse.station), None).unwrap();
    assert_eq!(why(pin("4711")), "nothing");
}

#[test]
fn a_clock_that_is_set_back_locks_nobody_out() {
    let facility = Facility::new();
    let (nurse, card) = nurse(&facility);
    let login = login_of(&facility, &nurse);
    let app = &facility.app;
    for _ in 0..3 {
        assert_eq!(why(app.sign_in(&login, "nonsense 1", None, None)), "wrong");
    }
    facility.clock.set_wall(ondol_kernel::Millis(0));
    assert!(app.session(&nurse.session, true).unwrap().unwrap().locked);
    let by_card = app.switch(&nurse.station, None, Secret::Card(&card), None);
    assert_eq!(why(by_card), "password-needed");
    app.sign_in(&login, PASSWORD, None, None).unwrap();
}

#[test]
fn every_sign_in_lock_and_wrong_try_stands_in_the_audit() {
    let facility = Facility::new();
    let (nurse, _) = nurse(&facility);
    let app = &facility.app;
    let _ = app.sign_in("somebody's password", "x", None, None);
    app.lock(&nurse.session).unwrap();
    let _ = app.unlock(&nurse.session, &nurse.station, Secret::Pin("0815"));
    app.unlock(&nurse.session, &nurse.station, Secret::Pin("4711")).unwrap();
    app.sign_out(&nurse.session).unwrap();
    let readings = facility.store().read().unwrap().readings(&facility.chart(), 5).unwrap();
    let lines: Vec<(&str, &str, &str)> =
        readings.iter().rev().map(|r| (&*r.who, &*r.action, &*r.reason)).collect();
    let her = nurse.who.actor.reference();
    let want = [
        ("", "sign-in-failed", "password"),
        (&her, "lock", "by-hand"),
        (&her, "sign-in-failed", "pin"),
        (&her, "unlock", "pin"),
        (&her, "sign-out", "by-hand"),
    ];
    assert_eq!(lines, want);
}

#[test]
fn a_changed_password_ends_the_other_sessions() {
    let facility = Facility::new();
    let here = facility.signed_in("최은경", &[Role::Nurse]);
    let login = login_of(&facility, &here);
    let app = &facility.app;
    let there = app.sign_in(&login, PASSWORD, None, None).unwrap();
    let change = |old, new| app.change_password(&here.who, &here.session, (old, new));
    assert_eq!(why(change("not the old one", "가을의 따뜻한 온돌")), "wrong");
    assert_eq!(why(change(PASSWORD, PASSWORD)), "same-as-before");
    change(PASSWORD, "가을의 따뜻한 온돌").unwrap();
    assert!(app.session(&here.session, true).unwrap().is_some());
    assert!(app.session(&there.session, true).unwrap().is_none());
    assert_eq!(why(app.sign_in(&login, PASSWORD, None, None)), "wrong");
    app.sign_in(&login, "가을의 따뜻한 온돌", None, None).unwrap();
}

#[test]
fn a_draft_belongs_to_its_author_alone() {
    let facility = Facility::new();
    let nurse = facility.person(Role::Nurse);
    let doctor = facility.person(Role::Doctor);
    let app = &facility.app;
    app.save_draft(&nurse, "visit/123", b"complaint=cough").unwrap();
    app.save_draft(&nurse, "visit/123", b"complaint=cough+2").unwrap();
    assert_eq!(app.draft(&doctor, "visit/123").unwrap(), None);
    let facility = facility.restarted();
    let (saved, typed) = facility.app.draft(&nurse, "visit/123").unwrap().unwrap();
    assert_eq!((saved, typed.as_slice()), (facility.app.now(), &b"complaint=cough+2"[..]));
    facility.app.drop_draft(&doctor, "visit/123").unwrap();
    assert_eq!(facility.app.drafts(&nurse).unwrap().len(), 1);
    facility.app.drop_draft(&nurse, "visit/123").unwrap();
    assert!(facility.app.drafts(&nurse).unwrap().is_empty());
    assert_eq!(why(facility.app.save_draft(&nurse, "", b"x")), "too-long");
}

#[test]
fn what_reaches_the_disk_and_the_road_opens_nothing() {
    let facility = Facility::new();
    let (nurse, card) = nurse(&facility);
    let basics = facility.all(&facility.chart(), "Basic");
    assert!(basics.iter().all(ondol_app::accounts::holds_secrets));
    let text = serde_json::to_string(&basics).unwrap();
    let secrets = [PASSWORD, "4711", &card, &nurse.session, &nurse.station];
    assert!(secrets.iter().all(|secret| !text.contains(secret)));
    let view = facility.store().read().unwrap();
    let kept = view.values(ondol_store::Space::Session, b"", None, 1_000).unwrap();
    let kept = kept.iter().map(|(k, v)| [k.as_slice(), v].concat()).collect::<Vec<_>>().concat();
    let kept = String::from_utf8_lossy(&kept);
    assert!(secrets.iter().all(|secret| !kept.contains(secret)));
}
