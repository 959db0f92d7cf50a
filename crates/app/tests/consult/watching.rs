//! Those who watch over a case, and those who hear it.

use ondol_access::Role;
use ondol_app::{Actor, AppError, consult::Phase};
use ondol_kernel::Class;

use super::{
    Case,
    cases::{advice, id, page},
    support::{Country, Facility},
};

#[test]
fn the_county_sees_its_clinics_consults_and_can_answer_while_the_specialist_is_cut_off() {
    let case = Case::asked(Class::Emergency);
    case.country.carry_but(&["province"]);
    let county = case.country.county();
    let doctor = county.person(Role::Doctor);
    let inbox = county.app.inbox(&doctor).unwrap();
    assert_eq!((inbox.watched.len(), inbox.alarms), (1, 1));
    county.app.take_consult(&doctor, &case.request).unwrap();
    let basis = county.app.consult(&doctor, &case.request).unwrap().basis;
    county.app.answer_consult(&doctor, &case.request, advice(), &basis).unwrap();
    case.country.carry_but(&["province"]);
    assert_eq!(page(case.clinic(), &case.worker, &case.request).state.phase(), Phase::Answered);
    case.country.carry();
    case.country.pass_minutes(30);
    case.carry();
    let state = page(case.specialist(), &case.doctor, &case.request).state;
    assert_eq!(state.holder.unwrap().who.name, doctor.name());
    assert!(state.escalated.is_none());
}

#[test]
fn a_redirected_consult_finds_its_way_with_the_whole_chart() {
    let case = Case::asked(Class::Care);
    let province = case.country.province();
    let lungs = province.person(Role::Doctor);
    case.carry();
    case.take();
    let to = province.app.place().facility.clone();
    case.specialist()
        .app
        .redirect_consult(&case.doctor, &case.request, &to, "lungs", "페염 같습니다")
        .unwrap();
    case.carry();
    let seen = page(province, &lungs, &case.request);
    assert_eq!(seen.state.specialty, "lungs");
    assert!(seen.state.holder.is_none());
    assert_eq!(seen.state.delivered.unwrap().who.name, "도병원");
    province.app.take_consult(&lungs, &case.request).unwrap();
    case.carry();
    let state = page(case.clinic(), &case.worker, &case.request).state;
    assert_eq!(state.holder.unwrap().who.name, lungs.name());
    assert_eq!(province.app.inbox(&lungs).unwrap().to_answer.len(), 1);
}

#[test]
fn regrading_asks_for_a_reason_and_changes_how_long_it_may_wait() {
    let case = Case::asked(Class::Routine);
    case.carry();
    let app = &case.specialist().app;
    let regrade = |why| app.regrade_consult(&case.doctor, &case.request, Class::Emergency, why);
    assert!(matches!(regrade(".."), Err(AppError::Field { field: "reason", .. })));
    regrade("심근경색이 의심").unwrap();
    case.carry();
    case.country.pass_minutes(6);
    case.carry();
    let state = page(case.clinic(), &case.worker, &case.request).state;
    assert_eq!(state.urgency, Class::Emergency);
    assert!(state.escalated.is_some());
}

#[test]
fn who_is_not_concerned_sees_and_does_nothing() {
    let case = Case::asked(Class::Care);
    case.carry();
    let manager = case.clinic().person(Role::FacilityManager);
    let denied = |result: Result<(), AppError>| matches!(result, Err(AppError::Denied(_)));
    assert!(denied(case.clinic().app.consult(&manager, &case.request).map(|_| ())));
    assert!(denied(case.clinic().app.take_consult(&case.worker, &case.request)));
    let nurse = case.specialist().person(Role::Nurse);
    assert!(denied(case.specialist().app.consult(&nurse, &case.request).map(|_| ())));
    assert!(denied(case.specialist().app.take_consult(&nurse, &case.request)));
    assert!(case.specialist().app.inbox(&nurse).unwrap().to_answer.is_empty());
    // An answer needs a take.
    let basis = page(case.specialist(), &case.doctor, &case.request).basis;
    let app = &case.specialist().app;
    assert!(denied(app.answer_consult(&case.doctor, &case.request, advice(), &basis)));
    let none = country_of(&case).ministry().app.consult(&case.doctor, &case.request);
    assert!(matches!(none, Err(AppError::NotFound)));
}

fn country_of(case: &Case) -> &Country {
    &case.country
}

#[test]
fn a_list_that_stands_open_is_recorded_once_and_a_page_each_time() {
    let case = Case::asked(Class::Care);
    case.carry();
    let app = &case.specialist().app;
    let readings = || {
        let view = case.specialist().store().read().unwrap();
        let chart = ondol_record::ChartId::Patient(id("p1"));
        let all = view.readings(&chart, 100).unwrap();
        let count = |action: &str| all.iter().filter(|one| &*one.action == action).count();
        (count("follow-consult"), count("read-consult"))
    };
    for _ in 0..5 {
        app.inbox(&case.doctor).unwrap();
    }
    assert_eq!(readings(), (1, 0));
    app.consult(&case.doctor, &case.request).unwrap();
    app.consult(&case.doctor, &case.request).unwrap();
    assert_eq!(readings(), (1, 2));
    case.country.pass_minutes(16);
    app.inbox(&case.doctor).unwrap();
    assert_eq!(readings().0, 2);
}

/// Somebody with an account who stands on the roster for the heart, with a deputy and a
/// coordinator.
fn roster(facility: &Facility) -> [Actor; 3] {
    let role = |name: &str| facility.signed_in(name, &[Role::Specialist]).who.actor;
    let people = [role("박심장"), role("최대리"), role("한조정")];
    let manager = facility.signed_in("강책임", &[Role::FacilityManager]).who.actor;
    let app = &facility.app;
    app.set_duty_service(&manager, "heart", "02-18111-381", Some(people[2].id())).unwrap();
    let turn = ondol_app::duty::NewTurn {
        service: "heart".into(),
        who: people[0].id().clone(),
        deputy: Some(people[1].id().clone()),
        from: app.now(),
        to: app.now().plus(12 * 3_600_000),
    };
    app.add_turn(&manager, turn).unwrap();
    people
}

#[test]
fn the_asking_side_sees_who_is_there_and_the_number_to_call() {
    let country = Country::new();
    let [doctor, ..] = roster(country.specialist());
    country.carry();
    let heart = || country.clinic().app.askable("heart").unwrap().remove(0).contacts;
    assert_eq!(country.clinic().app.askable("heart").unwrap()[0].place.name, "심장병원");
    assert_eq!((heart().on_duty, heart().phone), (None, "02-18111-381".to_owned()));
    assert_eq!(heart().listed.unwrap().name, "박심장");
    country.specialist().app.check_in(&doctor, "heart").unwrap();
    country.carry();
    assert_eq!(heart().on_duty.unwrap().name, "박심장");
    assert_eq!(country.clinic().app.askable("heart").unwrap()[0].place.name, "심장병원");
}

#[test]
fn the_alarm_sounds_for_the_one_on_duty_alone_until_somebody_takes_it() {
    let case = Case::asked(Class::Emergency);
    let specialist = case.specialist();
    let [duty, deputy, _] = roster(specialist);
    specialist.app.check_in(&duty, "heart").unwrap();
    case.carry();
    let inbox = |who| specialist.app.inbox(who).unwrap();
    assert_eq!((inbox(&duty).alarms, inbox(&duty).sounds), (1, true));
    assert_eq!((inbox(&deputy).alarms, inbox(&deputy).sounds), (1, false));
    specialist.app.take_consult(&deputy, &case.request).unwrap();
    assert_eq!((inbox(&duty).alarms, inbox(&duty).sounds), (0, false));
}

#[test]
fn deputy_county_and_coordinator_are_named_in_what_is_told() {
    let case = Case::asked(Class::Emergency);
    roster(case.specialist());
    case.carry();
    case.country.pass_minutes(5);
    case.specialist().app.consult_tick().unwrap();
    case.country.carry();
    let state = page(case.clinic(), &case.worker, &case.request).state;
    let step = state.steps.iter().find(|step| step.code.code() == "escalated").unwrap();
    let told: Vec<(&str, &str)> =
        step.told.iter().map(|told| (told.part.as_str(), told.name.as_str())).collect();
    assert_eq!(told, [("deputy", "최대리"), ("coordinator", "한조정"), ("county", "군병원")]);
}
