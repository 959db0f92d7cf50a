//! Death closes a chart with its certificate, and is taken back with a reason.

use cases::{id, patient_at, question};
use ondol_access::Role;
use ondol_app::{
    Actor, AppError,
    death::{Cause, Certificate, DiedAt, Interval, cause_of_words},
    encounter::Visit,
    people::{Birth, Registration, Sex},
    referral::Refer,
};
use ondol_kernel::{Class, Date, Millis, ResourceId};
use support::{Country, Facility};

use crate::{cases, support};

fn person(at: &Facility, who: &Actor) -> ResourceId {
    let of = Registration {
        name: "리용희".into(),
        sex: Some(Sex::Female),
        birth: Some(Birth::parse("1961-03-02", false)),
        resident: true,
        ..Registration::default()
    };
    at.app.register(who, of).unwrap().id
}

fn certificate(died: DiedAt) -> Certificate {
    let hours = Interval { value: "3".into(), unit: "h".into() };
    Certificate {
        died,
        causes: vec![
            Cause { interval: Some(hours), ..cause_of_words("의식을 잃음") },
            cause_of_words("뇌출혈 I61.9"),
            cause_of_words("I10"),
            Cause::default(),
        ],
        others: vec![cause_of_words("E11.9"), Cause::default()],
        manner: "disease".into(),
        place: "home".into(),
        ..Certificate::default()
    }
}

fn visit(complaint: &str) -> Visit {
    Visit { complaint: complaint.into(), ..Visit::default() }
}

#[test]
fn a_certificate_closes_the_chart_ends_the_stay_and_says_the_whole_chain() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let id = person(&clinic, &worker);
    clinic.app.receive(&worker, &id).unwrap();
    clinic.clock.pass_minutes(60);
    let died = clinic.app.now().plus(-10 * 60_000);
    clinic.app.certify_death(&worker, &id, certificate(DiedAt::Moment(died))).unwrap();
    let patient = clinic.get("Patient", id.as_str()).unwrap();
    assert_eq!(Millis::parse_fhir(patient["deceasedDateTime"].as_str().unwrap()), Some(died));
    let chart = clinic.app.chart(&worker, &id, 0).unwrap();
    assert!(chart.person.died && chart.received.is_none(), "and the chart is read as before");
    assert!(!chart.visits[0].open);
    let death = clinic.app.death(&worker, &id).unwrap();
    let said = death.certificate.unwrap();
    let words: Vec<_> =
        said.causes.iter().map(|cause| (cause.code.as_deref(), cause.words.as_str())).collect();
    assert_eq!(words, [(None, "의식을 잃음"), (Some("I61.9"), "뇌출혈"), (Some("I10"), "")]);
    assert_eq!(said.underlying().unwrap().code.as_deref(), Some("I10"));
    assert_eq!(said.causes[0].interval.as_ref().unwrap().value, "3");
    assert_eq!((said.others.len(), said.manner.as_str()), (1, "disease"));
    assert_eq!(said.died, DiedAt::Moment(died));
    assert_eq!(death.by, worker.name());
    let again = clinic.app.certify_death(&worker, &id, certificate(DiedAt::NotKnown));
    assert!(matches!(again, Err(AppError::State("died-already"))));
}

#[test]
fn what_a_certificate_lacks_or_cannot_say_is_asked_for() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let id = person(&clinic, &worker);
    let day = |text: &str| DiedAt::Day(Date::parse(text).unwrap());
    let of = |change: &dyn Fn(&mut Certificate)| {
        let mut of = certificate(day("2026-03-01"));
        change(&mut of);
        match clinic.app.certify_death(&worker, &id, of) {
            Err(AppError::Field { field, why }) => (field, why),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(of(&|c| c.causes.clear()), ("cause-a", "missing"));
    assert_eq!(of(&|c| c.causes[1] = Cause::default()), ("cause-b", "gap"));
    assert_eq!(of(&|c| c.manner.clear()), ("manner", "missing"));
    assert_eq!(of(&|c| c.died = day("2026-03-03")), ("died", "future"));
    assert_eq!(of(&|c| c.died = day("1961-03-01")), ("died", "before-birth"));
    let later = clinic.app.now().plus(60_000);
    assert_eq!(of(&|c| c.died = DiedAt::Moment(later)), ("died", "future"));
    assert!(!clinic.app.chart(&worker, &id, 0).unwrap().person.died, "nothing was written");
    clinic.app.certify_death(&worker, &id, certificate(DiedAt::NotKnown)).unwrap();
    assert_eq!(clinic.get("Patient", id.as_str()).unwrap()["deceasedBoolean"], true);
}

#[test]
fn a_new_visit_in_a_closed_chart_asks_and_one_from_before_does_not() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let id = person(&clinic, &worker);
    let died = clinic.app.now().plus(-3_600_000);
    clinic.app.certify_death(&worker, &id, certificate(DiedAt::Moment(died))).unwrap();
    let save = |of: Visit| clinic.app.save_visit(&worker, &id, of);
    assert!(matches!(save(visit("기침")), Err(AppError::State("chart-closed"))));
    let after = Visit { at: Some(died.plus(60_000)), ..visit("기침") };
    assert!(matches!(save(after), Err(AppError::State("chart-closed"))));
    save(Visit { at: Some(died.plus(-60_000)), ..visit("의식을 잃음") }).unwrap();
    save(Visit { after_death: true, ..visit("시신을 가족에게 넘김") }).unwrap();
    assert_eq!(clinic.app.chart(&worker, &id, 0).unwrap().visits.len(), 2);
}

#[test]
fn lists_of_those_who_are_asked_leave_it_out_and_those_who_asked_are_told() {
    let country = Country::new();
    let (clinic, specialist) = (country.clinic(), country.specialist());
    let patient = patient_at(clinic);
    let worker = clinic.person(Role::HealthWorker);
    let doctor = specialist.person(Role::Specialist);
    country.carry();
    clinic.app.ask(&worker, &patient, question(Class::Emergency), vec![]).unwrap();
    let refer = Refer {
        facility: id("specialist"),
        specialty: "surgery".into(),
        urgency: Class::Care,
        reason: "수술".into(),
        done: String::new(),
        wish: String::new(),
        expected: None,
        needs: vec![],
        escort: String::new(),
        transport: false,
    };
    clinic.app.refer(&worker, &patient, refer).unwrap();
    country.carry();
    let waiting = || {
        let inbox = specialist.app.inbox(&doctor).unwrap();
        let coming = specialist.app.referrals(&doctor).unwrap().coming.len();
        (inbox.to_answer.len(), inbox.alarms, coming)
    };
    assert_eq!(waiting(), (1, 1, 1));
    clinic.app.certify_death(&worker, &patient, certificate(DiedAt::NotKnown)).unwrap();
    country.carry();
    assert_eq!(waiting(), (0, 0, 0));
    let asked = clinic.app.inbox(&worker).unwrap().from_here;
    assert!(asked.len() == 1 && asked[0].died, "those who asked close it");
    assert!(clinic.app.referrals(&worker).unwrap().sent[0].person.died);
    assert_eq!(clinic.app.death(&worker, &patient).unwrap().open.len(), 2);
    // Nobody is called for it any more.
    let steps = |at: &Facility| {
        at.all(&ondol_record::ChartId::Patient(patient.clone()), "Communication").len()
    };
    for at in country.all() {
        at.app.consult_tick().unwrap();
    }
    let before = steps(clinic);
    country.pass_minutes(24 * 60);
    for at in country.all() {
        at.app.consult_tick().unwrap();
    }
    assert_eq!(steps(clinic), before);
    // Taken back, it waits for an answer again.
    clinic.app.undo_death(&worker, &patient, "숨을 쉰다").unwrap();
    country.carry();
    assert_eq!(waiting().0, 1);
}

#[test]
fn it_is_taken_back_with_a_reason_by_who_certified_it_or_at_home_and_stays_to_be_read() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let worker = clinic.person(Role::HealthWorker);
    let patient = person(clinic, &worker);
    country.carry();
    let (doctor, other, nurse) =
        (county.person(Role::Doctor), county.person(Role::Doctor), county.person(Role::Nurse));
    let refused = county.app.certify_death(&doctor, &patient, certificate(DiedAt::NotKnown));
    assert!(matches!(refused, Err(AppError::Denied(_))), "nobody received her there");
    county.app.receive(&doctor, &patient).unwrap();
    let refused = county.app.certify_death(&nurse, &patient, certificate(DiedAt::NotKnown));
    assert!(matches!(refused, Err(AppError::Denied(_))));
    county.app.certify_death(&doctor, &patient, certificate(DiedAt::NotKnown)).unwrap();
    country.carry();
    assert!(clinic.app.chart(&worker, &patient, 0).unwrap().person.died, "it travelled home");
    let seen = clinic.app.death(&worker, &patient).unwrap();
    assert!(seen.certificate.is_some() && seen.may_undo);
    assert!(!county.app.death(&other, &patient).unwrap().may_undo);
    let wanting = county.app.undo_death(&doctor, &patient, " ");
    assert!(matches!(wanting, Err(AppError::Field { field: "reason", .. })));
    let refused = county.app.undo_death(&other, &patient, "살아있다");
    assert!(matches!(refused, Err(AppError::Denied(_))), "she did not write it");
    clinic.app.undo_death(&worker, &patient, "다른 사람이였다").unwrap();
    country.carry();
    for (at, who) in [(clinic, &worker), (county, &doctor)] {
        assert!(!at.app.chart(who, &patient, 0).unwrap().person.died);
        let death = at.app.death(who, &patient).unwrap();
        assert!(death.certificate.is_none() && death.undone.len() == 1);
        assert_eq!(death.undone[0].reason, "다른 사람이였다");
    }
    let again = clinic.app.undo_death(&worker, &patient, "다시");
    assert!(matches!(again, Err(AppError::State("not-died"))));
    clinic.app.certify_death(&worker, &patient, certificate(DiedAt::NotKnown)).unwrap();
    clinic.app.save_visit(&worker, &patient, Visit { after_death: true, ..visit("기록") }).unwrap();
}

#[test]
fn the_certificate_stands_in_the_chart_that_is_in_use() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let (known, other) = (person(&clinic, &worker), person(&clinic, &worker));
    clinic.app.link_persons(&worker, &other, &known, "한 사람").unwrap();
    let refused = clinic.app.certify_death(&worker, &other, certificate(DiedAt::NotKnown));
    assert!(matches!(refused, Err(AppError::State("not-in-use"))));
    clinic.app.certify_death(&worker, &known, certificate(DiedAt::NotKnown)).unwrap();
}
