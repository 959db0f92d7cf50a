//! A question travels, is answered, and what came after the answer is told.

use ondol_access::Role;
use ondol_app::{
    AppError,
    consult::{LaterKind, OnTheWay, Phase, Power},
};
use ondol_kernel::Class;
use serde_json::json;

use super::{
    Case,
    cases::{id, page, patient_at, pulse, question},
    support::Facility,
};

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
