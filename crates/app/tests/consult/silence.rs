//! Whoever took a case and falls silent, or leaves, keeps nobody waiting.

use ondol_access::Role;
use ondol_app::{
    AppError,
    consult::{Phase, StepCode},
};
use ondol_kernel::Class;

use super::{
    Case,
    cases::{advice, page, patient_at, question},
    support::Country,
};

#[test]
fn a_silent_taker_is_passed_over_when_the_time_for_that_has_come_and_may_still_answer() {
    for (urgency, minutes) in
        [(Class::Emergency, 30), (Class::Care, 4 * 60), (Class::Routine, 48 * 60)]
    {
        let case = Case::asked(urgency);
        case.carry();
        case.take();
        case.carry();
        let app = &case.clinic().app;
        let can = || page(case.clinic(), &case.worker, &case.request).can.release_silent;
        case.country.pass_minutes(minutes - 1);
        case.carry();
        assert!(!can(), "{urgency}");
        let early = app.release_silent(&case.worker, &case.request, "");
        assert!(matches!(early, Err(AppError::State("consult-not-silent"))));
        case.country.pass_minutes(2);
        case.carry();
        assert!(can(), "{urgency}");
        app.release_silent(&case.worker, &case.request, "전화도 받지 않음").unwrap();
        case.carry();
        assert_eq!(case.phases(), [Phase::Untaken; 2], "{urgency}");
        // The taker is told, and may still answer; nothing is lost.
        let state = page(case.specialist(), &case.doctor, &case.request).state;
        let released = state.steps.iter().find(|step| step.code == StepCode::Released).unwrap();
        assert!(released.told.iter().any(|told| told.name == case.doctor.name()));
        case.answer();
        case.carry();
        assert_eq!(case.phases(), [Phase::Answered; 2], "{urgency}");
    }
}

#[test]
fn a_word_of_the_taker_begins_the_time_anew_and_a_question_stops_it() {
    let case = Case::asked(Class::Emergency);
    case.carry();
    case.take();
    case.carry();
    case.country.pass_minutes(20);
    let say = |facility: &super::Facility, who, text| {
        facility.app.consult_message(who, &case.request, text).unwrap();
    };
    say(case.specialist(), &case.doctor, "체온은?");
    case.carry();
    case.country.pass_minutes(60);
    case.carry();
    let silent = || page(case.clinic(), &case.worker, &case.request).state.silent.is_some();
    assert!(!silent(), "it is the clinic's turn");
    say(case.clinic(), &case.worker, "38도입니다.");
    case.carry();
    case.country.pass_minutes(20);
    say(case.clinic(), &case.worker, "아직입니까?");
    case.carry();
    assert!(!silent());
    case.country.pass_minutes(11);
    case.carry();
    assert!(silent(), "asking once more does not put the time off");
}

#[test]
fn both_ends_of_a_cut_link_notice_once_and_the_coordinator_passes_it_on() {
    let case = Case::asked(Class::Care);
    case.carry();
    case.take();
    case.carry();
    case.country.pass_minutes(4 * 60 + 1);
    case.tick();
    case.carry();
    case.carry();
    let states = [
        page(case.clinic(), &case.worker, &case.request).state,
        page(case.specialist(), &case.doctor, &case.request).state,
    ];
    assert_eq!(states[0], states[1]);
    let county = case.country.county();
    let coordinator = county.person(Role::Coordinator);
    let seen = county.app.consult_states(&coordinator, &case.request).unwrap();
    assert!(seen.can_release);
    let officer = county.person(Role::CountyOfficer);
    let refused = county.app.release_silent(&officer, &case.request, "");
    assert!(matches!(refused, Err(AppError::Denied(_))));
    county.app.release_silent(&coordinator, &case.request, "").unwrap();
    case.carry();
    assert_eq!(case.phases(), [Phase::Untaken; 2]);
    // Another specialist takes it, and the time begins for them.
    let other = case.specialist().person_named("최은경", &[Role::Specialist]);
    case.specialist().app.take_consult(&other, &case.request).unwrap();
    case.carry();
    let state = page(case.clinic(), &case.worker, &case.request).state;
    assert_eq!(state.holder.unwrap().who.name, "최은경");
    assert!(state.silent.is_none());
}

#[test]
fn the_time_of_a_silent_taker_is_a_setting_and_old_settings_are_read() {
    let case = Case::asked(Class::Emergency);
    let boss = case.clinic().person(Role::Administrator);
    let app = &case.clinic().app;
    let mut settings = app.consult_settings().unwrap();
    assert_eq!(
        (settings.release_emergency_min, settings.release_urgent_h, settings.release_routine_h),
        (30, 4, 48)
    );
    settings.release_emergency_min = 3;
    app.set_consult_settings(&boss, settings).unwrap();
    assert_eq!(app.consult_settings().unwrap(), settings);
    case.carry();
    case.take();
    case.carry();
    case.country.pass_minutes(4);
    case.clinic().app.consult_tick().unwrap();
    assert!(page(case.clinic(), &case.worker, &case.request).can.release_silent);
}

#[test]
fn what_a_leaver_had_taken_or_asked_passes_to_the_successor() {
    let country = Country::new();
    let patient = patient_at(country.clinic());
    country.carry();
    let specialist = country.specialist();
    let leaver = specialist.signed_in("리철민", &[Role::Specialist]).who;
    let heir = specialist.signed_in("최은경", &[Role::Specialist]).who;
    let asker = country.clinic().signed_in("김성희", &[Role::HealthWorker]).who;
    let next = country.clinic().signed_in("박정숙", &[Role::HealthWorker]).who;
    let app = &country.clinic().app;
    let request = app.ask(&asker.actor, &patient, question(Class::Care), vec![]).unwrap();
    let carry = || {
        country.carry();
        country.all().iter().for_each(|one| one.app.consult_tick().unwrap());
        country.carry();
    };
    carry();
    specialist.app.take_consult(&leaver.actor, &request).unwrap();
    let boss = specialist.administrator();
    let done = specialist.app.leave(&boss, &leaver.account, &heir.account).unwrap();
    assert_eq!(done.requests, 1);
    carry();
    let state = page(country.clinic(), &asker.actor, &request).state;
    assert_eq!(state.holder.unwrap().who.name, "최은경");
    // The successor answers without taking it again.
    let basis = specialist.app.consult(&heir.actor, &request).unwrap().basis;
    assert!(specialist.app.inbox(&heir.actor).unwrap().to_answer[0].mine);
    specialist.app.answer_consult(&heir.actor, &request, advice(), &basis).unwrap();
    carry();
    // Whoever asked leaves too: both sides see who has it now.
    let boss = country.clinic().administrator();
    let done = country.clinic().app.leave(&boss, &asker.account, &next.account).unwrap();
    assert_eq!(done.requests, 1);
    carry();
    for (at, who) in [(country.clinic(), &next.actor), (specialist, &heir.actor)] {
        let state = page(at, who, &request).state;
        let told = state.steps.iter().flat_map(|step| &step.told);
        let heirs: Vec<&str> =
            told.filter(|told| told.part == "heir").map(|told| &*told.name).collect();
        assert_eq!(heirs, ["최은경", "박정숙"], "{}", at.seat.id);
        assert_eq!(state.phase(), Phase::Answered);
    }
}

#[test]
fn what_an_heir_may_not_answer_waits_for_everybody() {
    let case = Case::asked(Class::Care);
    case.carry();
    let specialist = case.specialist();
    let leaver = specialist.signed_in("리철민", &[Role::Specialist]).who;
    let heir = specialist.signed_in("최은경", &[Role::Nurse]).who;
    specialist.app.take_consult(&leaver.actor, &case.request).unwrap();
    let boss = specialist.administrator();
    specialist.app.leave(&boss, &leaver.account, &heir.account).unwrap();
    case.carry();
    assert_eq!(case.phases(), [Phase::Untaken; 2]);
}
