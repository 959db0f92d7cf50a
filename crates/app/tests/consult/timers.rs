//! What happens when nobody does what was due.

use ondol_access::Role;
use ondol_app::{Actor, AppError, consult::Phase};
use ondol_kernel::Class;

use super::{
    Case,
    cases::{page, patient_at, question},
    support::Facility,
};

#[test]
fn an_emergency_that_nobody_took_is_told_upwards_once_at_both_ends_of_a_cut_link() {
    let case = Case::asked(Class::Emergency);
    case.tick();
    let escalated =
        |facility: &Facility, who: &Actor| page(facility, who, &case.request).state.escalated;
    case.country.pass_minutes(4);
    case.tick();
    assert!(escalated(case.clinic(), &case.worker).is_none());
    case.country.pass_minutes(1);
    case.tick();
    let told = escalated(case.clinic(), &case.worker).unwrap();
    assert_eq!(told.who.name, "새마을리진료소");
    let state = page(case.clinic(), &case.worker, &case.request).state;
    let step = state.steps.iter().find(|step| step.id() == told.step).unwrap();
    assert!(step.told.iter().any(|to| to.part == "county" && to.name == "군병원"));
    // Ticks write nothing more, and what the other end writes is the same fact.
    for _ in 0..5 {
        case.country.pass_minutes(10);
        case.tick();
    }
    case.carry();
    case.country.pass_minutes(10);
    case.carry();
    let states = [
        page(case.clinic(), &case.worker, &case.request).state,
        page(case.specialist(), &case.doctor, &case.request).state,
    ];
    assert_eq!(states[0], states[1]);
    let written = states[0].steps.iter().filter(|step| step.code.code() == "escalated").count();
    assert_eq!(written, 1);
}

#[test]
fn whoever_takes_it_in_time_stops_the_escalation_and_urgent_ones_have_none() {
    for (urgency, take) in [(Class::Emergency, true), (Class::Care, false)] {
        let case = Case::asked(urgency);
        case.carry();
        if take {
            case.take();
            case.carry();
        }
        case.country.pass_minutes(20);
        case.carry();
        let state = page(case.clinic(), &case.worker, &case.request).state;
        assert!(state.escalated.is_none(), "{urgency}");
    }
}

#[test]
fn a_timer_outlasts_a_restart_and_a_clock_that_goes_back() {
    let mut clinic = Facility::new();
    let patient = patient_at(&clinic);
    let worker = clinic.person(Role::HealthWorker);
    let request = clinic.app.ask(&worker, &patient, question(Class::Emergency), vec![]).unwrap();
    clinic.app.consult_tick().unwrap();
    clinic.clock.pass_minutes(3);
    clinic.app.consult_tick().unwrap();
    clinic = clinic.restarted();
    clinic.app.consult_tick().unwrap();
    // The battery of the clock is empty: it says 1970. The timer runs on.
    clinic.clock.set_wall(ondol_kernel::Millis(0));
    clinic.app.consult_tick().unwrap();
    assert!(page(&clinic, &worker, &request).state.escalated.is_none());
    clinic.clock.pass_minutes(2);
    clinic.app.consult_tick().unwrap();
    assert!(page(&clinic, &worker, &request).state.escalated.is_some());
}

#[test]
fn the_minutes_of_the_escalation_are_a_setting() {
    let clinic = Facility::new();
    let patient = patient_at(&clinic);
    let (worker, boss) = (clinic.person(Role::HealthWorker), clinic.person(Role::Administrator));
    let mut settings = clinic.app.consult_settings().unwrap();
    assert_eq!(settings.escalate_after_min, 5);
    settings.escalate_after_min = 2;
    clinic.app.set_consult_settings(&boss, settings).unwrap();
    assert!(matches!(clinic.app.set_consult_settings(&worker, settings), Err(AppError::Denied(_))));
    let request = clinic.app.ask(&worker, &patient, question(Class::Emergency), vec![]).unwrap();
    clinic.app.consult_tick().unwrap();
    clinic.clock.pass_minutes(2);
    clinic.app.consult_tick().unwrap();
    assert!(page(&clinic, &worker, &request).state.escalated.is_some());
}

#[test]
fn an_answer_that_nobody_acknowledges_is_told_to_the_county() {
    let case = Case::asked(Class::Care);
    case.carry();
    case.take();
    case.answer();
    case.carry();
    case.country.pass_minutes(4 * 60 - 1);
    case.carry();
    assert!(page(case.clinic(), &case.worker, &case.request).state.unacknowledged.is_none());
    case.country.pass_minutes(2);
    case.carry();
    let officer = case.country.county().person(Role::CountyOfficer);
    let watched = case.country.county().app.inbox(&officer).unwrap().watched;
    assert!(watched[0].unacknowledged && !watched[0].may_open);
    case.clinic().app.acknowledge_consult(&case.worker, &case.request, "").unwrap();
    case.carry();
    let watched = case.country.county().app.inbox(&officer).unwrap().watched;
    assert!(!watched[0].unacknowledged);
}

#[test]
fn the_outcome_is_asked_for_and_unknown_is_taken_after_thirty_days_only() {
    let case = Case::asked(Class::Care);
    case.carry();
    case.take();
    case.answer();
    case.carry();
    case.clinic().app.acknowledge_consult(&case.worker, &case.request, "").unwrap();
    case.carry();
    case.country.pass_minutes(73 * 60);
    case.carry();
    assert_eq!(case.phases(), [Phase::OutcomeAsked; 2]);
    let tell = |outcome| {
        case.clinic().app.record_outcome(&case.worker, &case.request, outcome, "걷습니다")
    };
    assert!(matches!(
        tell("unknown"),
        Err(AppError::Field { field: "outcome", why: "unknown-too-early" })
    ));
    case.country.pass_minutes(28 * 24 * 60);
    tell("unknown").unwrap();
    case.country.pass_minutes(60);
    tell("recovered").unwrap();
    case.carry();
    let state = page(case.specialist(), &case.doctor, &case.request).state;
    assert_eq!(state.phase(), Phase::Closed);
    assert_eq!(state.outcome.unwrap().1, "recovered");
    let inbox = case.specialist().app.inbox(&case.doctor).unwrap();
    assert_eq!((inbox.to_answer.len(), inbox.closed.len()), (0, 1));
}
