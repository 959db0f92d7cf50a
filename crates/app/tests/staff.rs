//! The first run, the recovery code, and the people of a facility.

use ondol_access::{Role, RoleSet};
use ondol_app::{
    AppError,
    accounts::{AccountState, NewPerson},
};
use ondol_kernel::ResourceId;
use support::{Country, Facility, PASSWORD, new_person};

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

fn administrator(login: &str) -> (NewPerson, String) {
    let roles = RoleSet::EMPTY.with(Role::Administrator);
    (new_person(&format!("관리원 {login}"), login, roles), PASSWORD.to_owned())
}

fn account(facility: &Facility, login: &str) -> ResourceId {
    let people = facility.app.people(&facility.administrator()).unwrap();
    people.into_iter().find(|row| row.login == login).unwrap().account
}

#[test]
fn the_first_run_asks_for_two_administrators_and_happens_once() {
    let facility = Facility::new();
    let app = &facility.app;
    assert!(app.is_first_run().unwrap());
    assert_eq!(why(app.first_run(vec![administrator("one")])), "two-administrators");
    let same = vec![administrator("one"), administrator("ONE")];
    assert_eq!(why(app.first_run(same)), "taken");
    assert!(app.is_first_run().unwrap(), "nothing was written half-way");
    app.first_run(vec![administrator("one"), administrator("two")]).unwrap();
    assert!(!app.is_first_run().unwrap());
    let again = app.first_run(vec![administrator("three"), administrator("four")]);
    assert_eq!(why(again), "not-first-run");
    let who = app.sign_in("one", PASSWORD, None, None).unwrap().who;
    // To administer gives no clinical role.
    assert_eq!(who.roles(), RoleSet::EMPTY.with(Role::Administrator));
}

#[test]
fn the_sealed_code_gives_an_administrator_a_new_password_once() {
    let facility = Facility::new();
    let app = &facility.app;
    let people = vec![administrator("one"), administrator("two")];
    let code = app.first_run(people).unwrap().0;
    let fresh = "새 봄날의 따뜻한 온돌";
    assert_eq!(why(app.recover("22222-22222-22222-22222-22222", "one", fresh)), "wrong");
    assert_eq!(why(app.recover(&code, "nobody", fresh)), "unknown");
    let typed = code.to_lowercase().replace('-', " ");
    let next = app.recover(&typed, "one", fresh).unwrap().0;
    app.sign_in("one", fresh, None, None).unwrap();
    assert_eq!(why(app.sign_in("one", PASSWORD, None, None)), "wrong");
    assert_eq!(why(app.recover(&code, "two", fresh)), "wrong");
    app.recover(&next, "two", fresh).unwrap();
}

#[test]
fn guessing_the_sealed_code_soon_has_to_wait() {
    let facility = Facility::new();
    facility.administrator();
    for _ in 0..3 {
        let guess = facility.app.recover("ABCDE", "admin1", "새 봄날의 따뜻한 온돌");
        assert_eq!(why(guess), "wrong");
    }
    assert_eq!(why(facility.app.recover("ABCDE", "admin1", "새 봄날의 따뜻한 온돌")), "wait");
}

#[test]
fn a_new_person_gets_a_password_for_once_and_the_roles_that_were_given() {
    let facility = Facility::new();
    let admin = facility.administrator();
    let app = &facility.app;
    let mut person = new_person("김성희", "songhui", RoleSet::EMPTY.with(Role::Specialist));
    person.specialties = vec!["heart".into()];
    person.phone = "02-381-1234".into();
    let given = app.add_person(&admin, person.clone()).unwrap().0;
    let entered = app.sign_in("SongHui", &given, None, None).unwrap();
    assert!(entered.who.must_change);
    assert_eq!(why(app.add_person(&admin, person)), "taken");
    let colleagues = app.colleagues(&entered.who.actor).unwrap();
    let her = colleagues.iter().find(|one| one.id == *entered.who.actor.id()).unwrap();
    assert_eq!((her.name.as_str(), her.phone.as_str()), ("김성희", "02-381-1234"));
    assert_eq!(her.specialties, ["heart"]);
}

#[test]
fn fields_that_are_not_right_are_named() {
    let facility = Facility::new();
    let admin = facility.administrator();
    let nurse = || new_person("김성희", "songhui", RoleSet::EMPTY.with(Role::Nurse));
    let wrong = [
        (NewPerson { name: " ".into(), ..nurse() }, "missing"),
        (NewPerson { login: "a b".into(), ..nurse() }, "letters-and-digits"),
        (NewPerson { login: "a".into(), ..nurse() }, "too-short"),
        (NewPerson { roles: RoleSet::EMPTY, ..nurse() }, "missing"),
        (NewPerson { roles: RoleSet::EMPTY.with(Role::System), ..nurse() }, "missing"),
        (NewPerson { specialties: vec!["astrology".into()], ..nurse() }, "unknown"),
        (NewPerson { phone: "call me".into(), ..nurse() }, "not-a-number"),
    ];
    for (person, what) in wrong {
        assert_eq!(why(facility.app.add_person(&admin, person)), what);
    }
}

#[test]
fn only_an_administrator_manages_accounts() {
    let facility = Facility::new();
    facility.administrator();
    for role in [Role::Doctor, Role::FacilityManager, Role::MinistryOfficer] {
        let actor = facility.person(role);
        let app = &facility.app;
        let person = new_person("김성희", "songhui", RoleSet::EMPTY.with(Role::Nurse));
        assert_eq!(why(app.people(&actor)), "denied", "{role:?}");
        assert_eq!(why(app.add_person(&actor, person)), "denied", "{role:?}");
        let id = account(&facility, "admin1");
        assert_eq!(why(app.reset_password(&actor, &id)), "denied", "{role:?}");
        assert_eq!(why(app.set_locked(&actor, &id, true)), "denied", "{role:?}");
    }
}

#[test]
fn changed_roles_hold_at_once_in_open_sessions() {
    let facility = Facility::new();
    let admin = facility.administrator();
    let entered = facility.signed_in("김성희", &[Role::Nurse]);
    let row = facility.app.people(&admin).unwrap();
    let row = row.iter().find(|row| row.person.id == *entered.who.actor.id()).unwrap();
    let roles = RoleSet::EMPTY.with(Role::Doctor).with(Role::Coordinator);
    let changed = NewPerson { phone: "123".into(), ..new_person("김성희", &row.login, roles) };
    facility.app.change_person(&admin, &row.account, changed).unwrap();
    let now = facility.app.session(&entered.session, true).unwrap().unwrap();
    assert_eq!(now.roles(), roles);
    assert_eq!(facility.app.person(&admin, &row.account).unwrap().person.phone, "123");
}

#[test]
fn a_reset_password_ends_sessions_and_has_to_be_changed() {
    let facility = Facility::new();
    let admin = facility.administrator();
    let entered = facility.signed_in("김성희", &[Role::Nurse]);
    let people = facility.app.people(&admin).unwrap();
    let row = people.iter().find(|row| row.person.id == *entered.who.actor.id()).unwrap();
    let given = facility.app.reset_password(&admin, &row.account).unwrap().0;
    assert_eq!(facility.app.session(&entered.session, true).unwrap(), None);
    let again = facility.app.sign_in(&row.login, &given, None, None).unwrap();
    assert!(again.who.must_change);
}

#[test]
fn a_locked_account_opens_nothing_until_it_is_unlocked() {
    let facility = Facility::new();
    let admin = facility.administrator();
    let entered = facility.signed_in("김성희", &[Role::Nurse]);
    let app = &facility.app;
    let people = app.people(&admin).unwrap();
    let row = people.iter().find(|row| row.person.id == *entered.who.actor.id()).unwrap();
    app.set_locked(&admin, &row.account, true).unwrap();
    assert_eq!(app.session(&entered.session, true).unwrap(), None);
    assert_eq!(why(app.sign_in(&row.login, PASSWORD, None, None)), "account-locked");
    assert_eq!(why(app.sign_in(&row.login, "something else", None, None)), "wrong");
    app.set_locked(&admin, &row.account, false).unwrap();
    app.sign_in(&row.login, PASSWORD, None, None).unwrap();
}

#[test]
fn two_administrators_remain_whatever_is_done() {
    let facility = Facility::new();
    let admin = facility.administrator();
    let app = &facility.app;
    let (one, two) = (account(&facility, "admin1"), account(&facility, "admin2"));
    let nurse = RoleSet::EMPTY.with(Role::Nurse);
    assert_eq!(why(app.leave(&admin, &two, &one)), "two-administrators");
    assert_eq!(why(app.set_locked(&admin, &two, true)), "two-administrators");
    let demoted = new_person("관리원 둘", "admin2", nurse);
    assert_eq!(why(app.change_person(&admin, &two, demoted.clone())), "two-administrators");
    let third = new_person("관리원 셋", "admin3", nurse.with(Role::Administrator));
    app.add_person(&admin, third).unwrap();
    app.change_person(&admin, &two, demoted).unwrap();
    app.set_locked(&admin, &two, true).unwrap();
}

#[test]
fn a_leavers_work_goes_to_a_named_person() {
    let facility = Facility::new();
    let admin = facility.administrator();
    let leaver = facility.signed_in("김성희", &[Role::Doctor]);
    let heir = facility.signed_in("리철민", &[Role::Doctor]);
    let app = &facility.app;
    app.save_draft(&leaver.who.actor, "visit/1", b"hers").unwrap();
    app.save_draft(&leaver.who.actor, "visit/2", b"hers").unwrap();
    app.save_draft(&heir.who.actor, "visit/1", b"his").unwrap();
    let people = app.people(&admin).unwrap();
    let id = |entered: &ondol_app::accounts::Entered| {
        let found = people.iter().find(|row| row.person.id == *entered.who.actor.id());
        found.unwrap().account.clone()
    };
    let (hers, his) = (id(&leaver), id(&heir));
    assert_eq!(app.open_work(&admin, &hers).unwrap().len(), 2);
    assert_eq!(why(app.leave(&admin, &hers, &hers)), "same-person");
    assert_eq!(app.leave(&admin, &hers, &his).unwrap().drafts, 2);

    assert_eq!(app.session(&leaver.session, true).unwrap(), None);
    let drafts = app.drafts(&heir.who.actor).unwrap();
    assert_eq!(drafts.len(), 3);
    assert_eq!(app.draft(&heir.who.actor, "visit/1").unwrap().unwrap().1, b"his");
    assert_eq!(app.draft(&heir.who.actor, "visit/2").unwrap().unwrap().1, b"hers");
    assert!(app.drafts(&leaver.who.actor).unwrap().is_empty());
    assert_eq!(app.successor(leaver.who.actor.id()).unwrap(), *heir.who.actor.id());

    let row = app.person(&admin, &hers).unwrap();
    assert_eq!((row.state, row.person.roles), (AccountState::Left, RoleSet::EMPTY));
    assert_eq!(why(app.sign_in(&row.login, PASSWORD, None, None)), "wrong");
    assert_eq!(why(app.reset_password(&admin, &hers)), "has-left");
    assert_eq!(why(app.leave(&admin, &his, &hers)), "unknown");
    let colleagues = app.colleagues(&heir.who.actor).unwrap();
    assert!(colleagues.iter().all(|one| one.name != "김성희"));
}

#[test]
fn an_account_that_another_node_wrote_into_our_chart_opens_nothing() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    clinic.administrator();
    county.administrator();
    country.carry();
    // The county's own account, whose password it knows, under another name.
    let own = county.all(&county.chart(), "Basic");
    let mut forged = own.iter().find(|b| b.to_string().contains("\"admin1\"")).unwrap().clone();
    let fields = forged["extension"].as_array_mut().unwrap();
    let login = fields.iter_mut().find(|e| e["url"] == "urn:ondol:account:login").unwrap();
    login["valueString"] = "mallory".into();
    county.put_into(Some(clinic.chart()), "forged", forged);
    country.carry();
    assert!(clinic.get("Basic", "forged").is_some(), "it arrived");
    assert_eq!(why(clinic.app.sign_in("mallory", PASSWORD, None, None)), "wrong");
    let people = clinic.app.people(&clinic.administrator()).unwrap();
    assert_eq!(people.len(), 2);
}
