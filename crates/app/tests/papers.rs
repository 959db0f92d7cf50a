//! Registers, tallies, forms for power cuts, cards.

use ondol_access::Role;
use ondol_app::{
    AppError,
    encounter::{TypedDiagnosis, Visit},
    papers::{Cell, FORM_ROWS, TypedRow},
    people::{Birth, Find, Registration, Sex},
};
use ondol_kernel::{DAY_MS, check_digit};
use support::{Facility, MONDAY_8};

use crate::support;

fn of(name: &str, sex: Sex, year: i32) -> Registration {
    Registration {
        name: name.into(),
        sex: Some(sex),
        birth: Some(Birth::Year(year)),
        resident: true,
        ..Registration::default()
    }
}

fn visit(code: &str) -> Visit {
    Visit {
        complaint: "아프다".into(),
        diagnoses: vec![TypedDiagnosis {
            code: Some(code.into()),
            words: String::new(),
            lasting: false,
        }],
        ..Visit::default()
    }
}

fn row(name: &str) -> TypedRow {
    TypedRow {
        name: name.into(),
        sex: Some(Sex::Male),
        age_years: Some(40),
        complaint: "머리아픔".into(),
        temperature: "38.5".into(),
        pressure: Some(("130".into(), "85".into())),
        diagnosis: "고혈압".into(),
        medicine: "아목시실린 250 mg".into(),
        at: Some(MONDAY_8.plus(-DAY_MS)),
        ..TypedRow::default()
    }
}

#[test]
fn the_register_of_a_day_has_who_was_seen_on_it_by_time_of_care() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let app = &clinic.app;
    let one = app.register(&worker, of("김철", Sex::Male, 1970)).unwrap().id;
    let two = app.register(&worker, of("리영희", Sex::Female, 1980)).unwrap().id;
    app.save_visit(&worker, &one, visit("I10")).unwrap();
    let early = Visit { at: Some(MONDAY_8.plus(-3_600_000)), ..visit("J06.9") };
    app.save_visit(&worker, &two, early).unwrap();
    let yesterday = Visit { at: Some(MONDAY_8.plus(-DAY_MS)), ..visit("I10") };
    app.save_visit(&worker, &two, yesterday).unwrap();
    let day = app.day(&worker, app.today()).unwrap();
    let names: Vec<&str> = day.rows.iter().map(|row| row.person.name.as_str()).collect();
    assert_eq!(names, ["리영희", "김철"]);
    let administrator = clinic.person(Role::Administrator);
    assert!(matches!(app.day(&administrator, app.today()), Err(AppError::Denied(_))));
}

#[test]
fn who_is_still_here_from_an_earlier_day_is_not_forgotten() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let app = &clinic.app;
    let one = app.register(&worker, of("김철", Sex::Male, 1970)).unwrap().id;
    let stays = Visit { stays: true, ..visit("I10") };
    app.save_visit(&worker, &one, stays).unwrap();
    clinic.clock.pass_minutes(24 * 60);
    let day = app.day(&worker, app.today()).unwrap();
    assert_eq!((day.rows.len(), day.still_open.len()), (0, 1));
}

#[test]
fn the_tally_counts_by_sex_age_and_diagnosis_and_hides_few_from_managers() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let app = &clinic.app;
    let one = app.register(&worker, of("김철", Sex::Male, 1970)).unwrap().id;
    let two = app.register(&worker, of("리아기", Sex::Female, 2024)).unwrap().id;
    for _ in 0..5 {
        app.save_visit(&worker, &one, visit("I10")).unwrap();
    }
    app.save_visit(&worker, &two, visit("J06.9")).unwrap();
    let last_month = Visit { at: Some(MONDAY_8.plus(-5 * DAY_MS)), ..visit("I10") };
    app.save_visit(&worker, &one, last_month).unwrap();
    let tally = app.tally(&worker, 2026, 3).unwrap();
    assert_eq!((tally.visits.all, tally.people), (Cell::Count(6), Cell::Count(2)));
    assert_eq!(tally.diagnoses[0].code.as_deref(), Some("I10"));
    assert_eq!(tally.diagnoses[0].groups[4], [Cell::Count(0), Cell::Count(5)]);
    assert_eq!(tally.diagnoses[1].groups[1], [Cell::Count(1), Cell::Count(0)]);
    let manager = clinic.person(Role::FacilityManager);
    let hidden = app.tally(&manager, 2026, 3).unwrap();
    assert_eq!(hidden.diagnoses[1].groups[1][0], Cell::Few);
    assert_eq!(hidden.people, Cell::Few);
    assert!(app.tally(&worker, 2026, 13).is_err());
}

#[test]
fn a_form_has_thirty_numbers_that_nobody_else_gets() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let form = clinic.app.reserve_form(&worker).unwrap();
    assert_eq!(form.numbers.len(), FORM_ROWS);
    assert!(form.numbers.iter().all(|number| check_digit::is_valid(number)));
    let next = clinic.app.register(&worker, Registration::default()).unwrap();
    assert!(!form.numbers.contains(&next.number));
    let clinic = clinic.restarted();
    assert_eq!(clinic.app.downtime_forms(&worker).unwrap(), [form]);
}

#[test]
fn each_row_is_saved_by_itself_at_the_time_of_care_on_the_paper() {
    let clinic = Facility::new();
    let nurse = clinic.person(Role::Nurse);
    let app = &clinic.app;
    let form = app.reserve_form(&nurse).unwrap();
    let patient = app.enter_row(&nurse, &form.name, 2, row("박철수")).unwrap();
    let found = app.find_people(&nurse, &Find { text: form.numbers[1].clone(), ..Find::default() });
    assert!(found.unwrap().people[0].id == patient);
    let visit = &app.chart(&nurse, &patient, 0).unwrap().visits[0];
    assert_eq!(visit.at, MONDAY_8.plus(-DAY_MS));
    assert_eq!(visit.diagnoses[0].code.as_deref(), Some("I10"));
    assert_eq!(visit.vitals.len(), 3);
    let (form, rows) = app.downtime_form(&nurse, &form.name).unwrap();
    assert_eq!(form.typed, 1);
    assert!(rows[1].done.is_some() && rows[0].done.is_none());
    let again = app.enter_row(&nurse, &form.name, 2, row("박철수"));
    assert!(matches!(again, Err(AppError::State("row-done"))));
}

#[test]
fn a_row_with_a_known_number_goes_into_the_known_chart() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let app = &clinic.app;
    let known = app.register(&worker, of("박철수", Sex::Male, 1986)).unwrap();
    let form = app.reserve_form(&worker).unwrap();
    // The same name without a number is asked about, and can be another person.
    let asked = app.enter_row(&worker, &form.name, 1, row("박철수"));
    assert!(matches!(asked, Err(AppError::Field { field: "name", why: "same-name" })));
    let numbered = TypedRow { number: known.number.clone(), ..row("") };
    assert!(app.enter_row(&worker, &form.name, 1, numbered).unwrap() == known.id);
    let another = TypedRow { another: true, ..row("박철수") };
    assert!(app.enter_row(&worker, &form.name, 2, another).unwrap() != known.id);
    let wrong = TypedRow { number: "999".into(), ..row("김") };
    let refused = app.enter_row(&worker, &form.name, 3, wrong);
    assert!(matches!(refused, Err(AppError::Field { field: "number", why: "unknown" })));
}

#[test]
fn a_row_with_an_error_saves_nothing() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let app = &clinic.app;
    let form = app.reserve_form(&worker).unwrap();
    let arrival = app.last_arrival().unwrap();
    let slip = TypedRow { temperature: "385".into(), ..row("박철수") };
    let refused = app.enter_row(&worker, &form.name, 1, slip.clone());
    assert!(matches!(refused, Err(AppError::Field { field: "body-temperature", .. })));
    assert_eq!(app.last_arrival().unwrap(), arrival);
    app.enter_row(&worker, &form.name, 1, TypedRow { checked: true, ..slip }).unwrap();
    let empty = app.enter_row(&worker, &form.name, 2, TypedRow::default());
    assert!(matches!(empty, Err(AppError::Field { field: "complaint", .. })));
}

#[test]
fn the_card_names_number_and_home() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let made = clinic.app.register(&worker, of("김철", Sex::Male, 1970)).unwrap();
    let card = clinic.app.card(&worker, &made.id).unwrap();
    assert_eq!(card.home, "새마을리진료소");
    assert!(card.banner.person.number().unwrap().value == made.number);
}
