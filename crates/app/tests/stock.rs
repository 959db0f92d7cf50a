//! Which medicines are here: ticked by the staff, sent along with each question.

use std::collections::BTreeMap;

use cases::{patient_at, question};
use ondol_access::Role;
use ondol_app::{AppError, stock::Level};
use ondol_kernel::Class;
use support::{Country, Facility};

use crate::{cases, support};

fn levels(all: &[(&str, Level)]) -> BTreeMap<String, Level> {
    all.iter().map(|(atc, level)| ((*atc).to_owned(), *level)).collect()
}

const SOME: [(&str, Level); 3] =
    [("N02BE01", Level::Enough), ("J01CA04", Level::Few), ("A07CA", Level::None)];

#[test]
fn the_list_is_kept_in_one_resource_and_each_medicine_keeps_its_own_day() {
    let facility = Facility::new();
    let worker = facility.person_named("최은경", &[Role::HealthWorker]);
    let app = &facility.app;
    assert_eq!(app.stock(&worker).unwrap(), None, "nobody has said anything yet");
    app.set_stock(&worker, levels(&SOME)).unwrap();
    let first = app.stock(&worker).unwrap().unwrap();
    assert_eq!(first.by, "최은경");
    facility.clock.pass_minutes(600);
    let mut changed = SOME;
    changed[1].1 = Level::None;
    app.set_stock(&worker, levels(&changed)).unwrap();
    let second = app.stock(&worker).unwrap().unwrap();
    assert!(second.at > first.at);
    assert_eq!(second.lines["N02BE01"], first.lines["N02BE01"], "this one is as it was");
    assert!(second.lines["J01CA04"].since > first.lines["J01CA04"].since);
    assert_eq!(facility.all(&facility.chart(), "List").len(), 1);
}

#[test]
fn what_is_no_medicine_or_nothing_at_all_is_refused() {
    let facility = Facility::new();
    let worker = facility.person(Role::HealthWorker);
    let why = |all: &[(&str, Level)]| match facility.app.set_stock(&worker, levels(all)) {
        Err(AppError::Field { field: "stock", why }) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(&[]), "missing");
    assert_eq!(why(&[("X99XX99", Level::Few)]), "unknown");
}

#[test]
fn who_may_not_see_or_keep_the_stock_is_refused() {
    let facility = Facility::new();
    let app = &facility.app;
    let (doctor, officer) = (facility.person(Role::Doctor), facility.administrator());
    let refused = app.set_stock(&doctor, levels(&SOME));
    assert!(matches!(refused, Err(AppError::Denied(_))), "a doctor reads it: {refused:?}");
    assert_eq!(app.stock(&doctor).unwrap(), None);
    assert!(matches!(app.stock(&officer), Err(AppError::Denied(_))));
}

#[test]
fn the_specialist_sees_the_list_as_it_was_when_the_question_was_asked() {
    let country = Country::new();
    let (clinic, specialist) = (country.clinic(), country.specialist());
    let patient = patient_at(clinic);
    let worker = clinic.person(Role::HealthWorker);
    let doctor = specialist.person(Role::Specialist);
    clinic.app.set_stock(&worker, levels(&SOME)).unwrap();
    let said = clinic.app.stock(&worker).unwrap().unwrap();
    country.pass_minutes(5);
    let request = clinic.app.ask(&worker, &patient, question(Class::Care), vec![]).unwrap();
    clinic.app.set_stock(&worker, levels(&SOME[..1])).unwrap();
    country.carry();
    let seen = specialist.app.consult(&doctor, &request).unwrap().request.stock.unwrap();
    assert_eq!(seen.at, said.at, "the day is that of the list");
    for (atc, level) in SOME {
        assert_eq!(seen.at_level(level).collect::<Vec<_>>(), [atc]);
    }
}
