//! A case travels from a village clinic to a specialist and back.

mod cases;
mod support;

use cases::{advice, id, page, patient_at, pulse, question};
use ondol_access::Role;
use ondol_app::{
    Actor, AppError,
    consult::{LaterKind, OnTheWay, Phase, Power},
};
use ondol_kernel::{Class, ResourceId};
use serde_json::json;
use support::{Country, Facility};

struct Case {
    country: Country,
    worker: Actor,
    doctor: Actor,
    request: ResourceId,
}

impl Case {
    /// Asked at the clinic, and nothing carried yet.
    fn asked(urgency: Class) -> Self {
        let country = Country::new();
        let patient = patient_at(country.clinic());
        pulse(country.clinic(), "o1", 120);
        let worker = country.clinic().person(Role::HealthWorker);
        let doctor = country.specialist().person(Role::Specialist);
        country.carry();
        let app = &country.clinic().app;
        let request = app.ask(&worker, &patient, question(urgency), vec![]).unwrap();
        Self { country, worker, doctor, request }
    }

    fn clinic(&self) -> &Facility {
        self.country.clinic()
    }

    fn specialist(&self) -> &Facility {
        self.country.specialist()
    }

    fn tick(&self) {
        for facility in self.country.all() {
            facility.app.consult_tick().unwrap();
        }
    }

    fn carry(&self) {
        self.country.carry();
        self.tick();
        self.country.carry();
    }

    fn phases(&self) -> [Phase; 2] {
        [
            page(self.clinic(), &self.worker, &self.request).state.phase(),
            page(self.specialist(), &self.doctor, &self.request).state.phase(),
        ]
    }

    fn take(&self) {
        self.specialist().app.take_consult(&self.doctor, &self.request).unwrap();
    }

    fn answer(&self) {
        let app = &self.specialist().app;
        let basis = app.consult(&self.doctor, &self.request).unwrap().basis;
        app.answer_consult(&self.doctor, &self.request, advice(), &basis).unwrap();
    }
}

#[test]
fn a_question_is_delivered_seen_taken_answered_and_acknowledged_by_name_and_time() {
    let case = Case::asked(Class::Care);
    let app = &case.clinic().app;
    assert_eq!(app.consult(&case.worker, &case.request).unwrap().way, OnTheWay::Waiting);
    case.carry();
    let seen = page(case.specialist(), &case.doctor, &case.request);
    assert_eq!(seen.request.question, "가슴이 아픈지 두시간 되였습니다.");
    assert_eq!(seen.request.means.power, Some(Power::Battery));
    assert_eq!(seen.request.from.place_name, "새마을리진료소");
    case.specialist().app.consult_opened(&case.doctor, &case.request).unwrap();
    case.specialist().app.consult_opened(&case.doctor, &case.request).unwrap();
    case.take();
    case.carry();
    let state = page(case.clinic(), &case.worker, &case.request).state;
    let name = |reached: &Option<ondol_app::consult::Reached>| reached.clone().unwrap().who.name;
    assert_eq!(name(&state.delivered), "심장병원");
    assert_eq!(name(&state.seen), case.doctor.name());
    assert_eq!(name(&state.holder), case.doctor.name());
    assert_eq!(state.steps.len(), 3, "each state once");

    case.answer();
    case.carry();
    assert_eq!(case.phases(), [Phase::Answered; 2]);
    app.acknowledge_consult(&case.worker, &case.request, "알았습니다").unwrap();
    case.carry();
    assert_eq!(case.phases(), [Phase::Acknowledged; 2]);
}

#[test]
fn the_asking_side_says_waiting_until_the_next_node_holds_it() {
    let case = Case::asked(Class::Emergency);
    let way = || page(case.clinic(), &case.worker, &case.request).way;
    case.country.carry_but(&["clinic"]);
    assert_eq!(way(), OnTheWay::Waiting);
    case.country.carry_but(&["specialist"]);
    assert_eq!(way(), OnTheWay::Underway);
    assert!(page(case.clinic(), &case.worker, &case.request).state.delivered.is_none());
    case.carry();
    assert_eq!(way(), OnTheWay::Arrived);
}

#[test]
fn with_the_link_cut_between_each_step_nothing_is_lost_and_both_ends_agree() {
    let case = Case::asked(Class::Care);
    let patient = case.clinic().chart();
    let cut = |ends: &[&str]| {
        case.country.carry_but(ends);
        case.tick();
    };
    cut(&["county"]);
    cut(&["ministry"]);
    case.carry();
    case.take();
    cut(&["province"]);
    let ask = |facility: &Facility, who, said| {
        facility.app.consult_message(who, &case.request, said).unwrap();
    };
    ask(case.specialist(), &case.doctor, "체온은 몇도입니까?");
    cut(&["clinic"]);
    // Both write while the link is down.
    ask(case.clinic(), &case.worker, "땀을 흘립니다.");
    case.answer();
    cut(&["specialist"]);
    case.carry();
    let ends = [
        page(case.clinic(), &case.worker, &case.request).state,
        page(case.specialist(), &case.doctor, &case.request).state,
    ];
    assert_eq!(ends[0], ends[1]);
    assert_eq!(ends[0].phase(), Phase::Answered);
    let said: Vec<&str> = ends[0].steps.iter().map(|step| step.text("")).collect();
    assert!(said.contains(&"체온은 몇도입니까?") && said.contains(&"땀을 흘립니다."));
    drop(patient);
}

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
fn an_answer_is_shown_as_written_before_what_came_after_it() {
    let case = Case::asked(Class::Care);
    case.carry();
    case.take();
    case.answer();
    case.carry();
    let later = || {
        let answers = page(case.clinic(), &case.worker, &case.request).answers;
        let what: Vec<_> =
            answers[0].later.iter().map(|fact| (fact.kind, fact.value.clone())).collect();
        what
    };
    assert_eq!(later(), []);
    pulse(case.clinic(), "o2", 40);
    case.clinic().put(
        "a1",
        json!({
            "resourceType": "AllergyIntolerance",
            "code": { "text": "아스피린" },
            "patient": { "reference": "Patient/p1" }
        }),
    );
    let expected =
        vec![(LaterKind::Allergy, String::new()), (LaterKind::Vital, "40 /min".to_owned())];
    assert_eq!(later(), expected);
    // The other end says the same as soon as it knows.
    case.carry();
    let answers = page(case.specialist(), &case.doctor, &case.request).answers;
    assert_eq!(answers[0].later.len(), 2);
    // A second answer has seen all of it.
    case.answer();
    case.carry();
    let answers = page(case.clinic(), &case.worker, &case.request).answers;
    assert_eq!((answers[0].later.len(), answers[1].later.len()), (0, 2));
}

#[test]
fn what_was_on_its_way_when_the_answer_was_written_is_later_even_if_it_was_measured_before() {
    let case = Case::asked(Class::Care);
    case.carry();
    case.take();
    pulse(case.clinic(), "o2", 180);
    case.country.pass_minutes(1);
    case.answer();
    case.carry();
    let answers = page(case.clinic(), &case.worker, &case.request).answers;
    assert_eq!(answers[0].later.len(), 1);
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
fn what_is_missing_in_a_question_is_said_by_field() {
    let clinic = Facility::new();
    let patient = patient_at(&clinic);
    let worker = clinic.person(Role::HealthWorker);
    let field = |change: &dyn Fn(&mut ondol_app::consult::Ask)| {
        let mut ask = question(Class::Care);
        change(&mut ask);
        match clinic.app.ask(&worker, &patient, ask, vec![]) {
            Err(AppError::Field { field, .. }) => field,
            _ => "",
        }
    };
    assert_eq!(field(&|ask| ask.question = " ".into()), "question");
    assert_eq!(field(&|ask| ask.specialty = "magic".into()), "specialty");
    assert_eq!(field(&|ask| ask.facility = id("nowhere")), "facility");
    assert_eq!(field(&|ask| ask.facility = id("clinic")), "facility");
    assert_eq!(field(&|ask| ask.facility = id("ministry")), "facility");
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
