//! People are found, registered, received and linked.

use ondol_access::Role;
use ondol_app::{
    AppError,
    people::{Birth, Find, PaperNumber, Registration, Sex, Stranger, grouped},
};
use ondol_kernel::check_digit;
use support::{Country, Facility, MONDAY_8};

use crate::support;

fn named(name: &str) -> Registration {
    Registration { name: name.into(), resident: true, ..Registration::default() }
}

fn find(text: &str) -> Find {
    Find { text: text.into(), ..Find::default() }
}

#[test]
fn a_person_with_no_name_gets_a_number_that_finds_them() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let stranger = Registration {
        sex: Some(Sex::Male),
        birth: Some(Birth::of_age(40, clinic.app.today())),
        stranger: Some(Stranger {
            description: "왼팔에 상처자리".into(), found_at: "역앞".into()
        }),
        ..Registration::default()
    };
    let made = clinic.app.register(&worker, stranger).unwrap();
    assert!(check_digit::is_valid(&made.number));
    for typed in [made.number.clone(), grouped(&made.number), format!("ondol:p:{}", made.number)] {
        let found = clinic.app.find_people(&worker, &find(&typed)).unwrap();
        assert_eq!(found.people.len(), 1, "{typed}");
        assert!(found.people[0].id == made.id);
    }
    let person = &clinic.app.find_people(&worker, &find("상처")).unwrap().people[0];
    assert!(person.stranger.as_ref().unwrap().found_at == "역앞");
    assert_eq!(person.birth, Birth::About(1986));
    // Nobody knows where the person lives: who treats reads the chart because they are here.
    assert!(person.home.is_none());
    let patient = clinic.get("Patient", made.id.as_str()).unwrap();
    assert_eq!(patient["_birthDate"]["extension"][0]["valueBoolean"], true);
}

#[test]
fn numbers_follow_each_other_and_a_mistyped_one_is_told() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let one = clinic.app.register(&worker, named("김철")).unwrap();
    let clinic = clinic.restarted();
    let two = clinic.app.register(&worker, named("김영")).unwrap();
    assert_ne!(one.number, two.number);
    assert_eq!(one.number[..6], two.number[..6]);
    let mut digits: Vec<char> = one.number.chars().collect();
    digits[2] = if digits[2] == '9' { '0' } else { '9' };
    let typed: String = digits.into_iter().collect();
    let found = clinic.app.find_people(&worker, &find(&typed)).unwrap();
    assert!(found.people.is_empty() && found.mistyped);
}

#[test]
fn namesakes_stand_in_order_with_what_tells_them_apart() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    for (name, year) in [("안영희", 1970), ("리용희", 1961), ("리용희", 1988), ("까영희", 1950)]
    {
        let of = Registration { birth: Some(Birth::Year(year)), ..named(name) };
        clinic.app.register(&worker, of).unwrap();
    }
    let found = clinic.app.find_people(&worker, &find("ㅇㅎ")).unwrap();
    assert!(found.people.is_empty(), "initials are looked for from the beginning");
    let found = clinic.app.find_people(&worker, &find("영희")).unwrap();
    let names: Vec<&str> = found.people.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["까영희", "안영희"]);
    let found = clinic.app.find_people(&worker, &find("이용희")).unwrap();
    assert_eq!(found.people.len(), 2);
    let found = clinic.app.find_people(&worker, &find("리용희 1961")).unwrap();
    assert_eq!(found.people.len(), 1);
}

#[test]
fn a_name_is_found_in_whatever_letters_it_is_typed_the_closest_first() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    for name in ["리영희", "리용희", "이용희", "Ri Yong Hui", "김룡철", "리용희녀"]
    {
        clinic.app.register(&worker, named(name)).unwrap();
    }
    let names = |text: &str| -> Vec<String> {
        let found = clinic.app.find_people(&worker, &find(text)).unwrap();
        found.people.iter().map(|person| person.name.clone()).collect()
    };
    assert_eq!(names("리용희"), ["리용희", "이용희", "Ri Yong Hui", "리용희녀"]);
    assert_eq!(names("이용희")[..2], ["이용희", "리용희"]);
    assert_eq!(names("리영희")[..1], ["리영희"]);
    // Latin letters cannot tell 영 from 용 in the north's system: both are found.
    assert_eq!(names("ri yong hui").len(), 5);
    assert_eq!(names("Ri Yonghŭi")[0], "Ri Yong Hui");
    assert_eq!(names("ㄹㅇㅎ")[..1], ["리영희"]);
    assert!(names("ㄹㅇㅎ").contains(&"이용희".to_owned()), "the initial sound either way");
    assert_eq!(names("용철"), ["김룡철"]);
    assert_eq!(names("Kim Yong-ch'ŏl"), ["김룡철"]);
}

#[test]
fn at_most_twenty_are_shown() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    for _ in 0..22 {
        clinic.app.register(&worker, named("김철수")).unwrap();
    }
    let found = clinic.app.find_people(&worker, &find("김철수")).unwrap();
    assert_eq!(found.people.len(), 20);
    assert!(found.more);
}

#[test]
fn possible_duplicates_are_shown_and_hinder_nothing() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let of = |sex, year| Registration {
        sex: Some(sex),
        birth: Some(Birth::Year(year)),
        ..named("리용희")
    };
    clinic.app.register(&worker, of(Sex::Female, 1961)).unwrap();
    let same = |of: Registration| clinic.app.possible_duplicates(&worker, &of).unwrap().len();
    assert_eq!(same(of(Sex::Female, 1962)), 1);
    assert_eq!(same(of(Sex::Male, 1962)), 0);
    assert_eq!(same(of(Sex::Female, 1971)), 0);
    assert_eq!(same(Registration { birth: None, ..of(Sex::Female, 1971) }), 1);
    clinic.app.register(&worker, of(Sex::Female, 1961)).unwrap();
}

#[test]
fn somebody_who_is_here_already_is_known_in_other_letters_and_a_sister_is_not_taken_for_her() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let of = |name: &str, birth: &str| Registration {
        sex: Some(Sex::Female),
        birth: Some(Birth::parse(birth, false)),
        mother_name: "김복순".into(),
        ri: "룡강리".into(),
        ..named(name)
    };
    clinic.app.register(&worker, of("리용희", "1961-03-02")).unwrap();
    for (name, birth, known) in [
        ("Ri Yong Hui", "1961-03-02", true),
        ("Lee Yong-hee", "1961-03-02", true),
        // A letter mistyped, and a digit of the day.
        ("리용히", "1961-03-02", true),
        ("이용희", "1961-03-20", true),
        ("리순희", "1963-07-21", false),
        ("최철", "1950-01-30", false),
    ] {
        let same = clinic.app.possible_duplicates(&worker, &of(name, birth)).unwrap();
        assert_eq!(!same.is_empty(), known, "{name} {birth}");
    }
}

#[test]
fn a_newborn_and_its_mother_name_each_other() {
    let clinic = Facility::new();
    let midwife = clinic.person(Role::Nurse);
    let mother = clinic.app.register(&midwife, named("김복순")).unwrap();
    let twin = |order| Registration {
        birth_time: Some(MONDAY_8),
        birth_order: Some(order),
        mother: Some(mother.id.clone()),
        mother_name: "김복순".into(),
        resident: true,
        ..Registration::default()
    };
    let first = clinic.app.register(&midwife, twin(1)).unwrap();
    let second = clinic.app.register(&midwife, twin(2)).unwrap();
    let child = clinic.get("Patient", second.id.as_str()).unwrap();
    assert_eq!(child["birthDate"], "2026-03-02");
    assert_eq!(child["multipleBirthInteger"], 2);
    let mother = clinic.get("Patient", mother.id.as_str()).unwrap();
    assert_eq!(mother["link"].as_array().unwrap().len(), 2);
    let related = mother["link"][0]["other"]["reference"].as_str().unwrap();
    let related = clinic.get("RelatedPerson", &related["RelatedPerson/".len()..]).unwrap();
    assert_eq!(related["patient"]["reference"], format!("Patient/{}", first.id));
    let found = clinic
        .app
        .find_people(&midwife, &Find { mother: "김복".into(), ..Find::default() })
        .unwrap();
    assert_eq!(found.people.len(), 2);
    assert!(found.people.iter().all(ondol_app::people::Person::is_unnamed_newborn));
}

#[test]
fn a_provisional_person_is_linked_and_unlinked_again() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let known = clinic.app.register(&worker, named("로철호")).unwrap();
    let stranger = Registration { stranger: Some(Stranger::default()), ..Registration::default() };
    let stranger = clinic.app.register(&worker, stranger).unwrap();
    clinic.clock.pass_minutes(1);
    let app = &clinic.app;
    let wanting = app.link_persons(&worker, &stranger.id, &known.id, " ");
    assert!(matches!(wanting, Err(AppError::Field { field: "reason", .. })));
    app.link_persons(&worker, &stranger.id, &known.id, "가족이 알아보았다").unwrap();
    let link = |id: &str| clinic.get("Patient", id).unwrap()["link"].clone();
    assert_eq!(link(stranger.id.as_str())[0]["type"], "replaced-by");
    assert_eq!(link(known.id.as_str())[0]["type"], "replaces");
    clinic.clock.pass_minutes(1);
    app.receive(&worker, &known.id).unwrap();
    let note = app.unlink_persons(&worker, &stranger.id, &known.id, "다른 사람").unwrap();
    let decided = app.unlinked(&worker, &stranger.id, &note).unwrap().decided;
    let kinds: Vec<&str> = decided.iter().map(|d| d.resource_type.as_str()).collect();
    assert_eq!(kinds, ["Encounter"]);
    assert!(link(stranger.id.as_str()).is_null() && link(known.id.as_str()).is_null());
}

#[test]
fn what_is_corrected_keeps_numbers_and_what_is_not_asked() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let made = clinic.app.register(&worker, Registration::default()).unwrap();
    let paper = PaperNumber { label: "공민증".into(), value: "AB12345".into() };
    let of = Registration {
        name: "리용희".into(),
        birth: Some(Birth::Month(1961, 5)),
        paper: Some(paper),
        ri: "새마을리".into(),
        ..Registration::default()
    };
    clinic.app.edit_person(&worker, &made.id, of).unwrap();
    let found = clinic.app.find_people(&worker, &find("ab-12345")).unwrap();
    let person = &found.people[0];
    assert!(person.numbers.iter().any(|number| number.value == made.number));
    assert_eq!((person.birth, person.ri.as_str()), (Birth::Month(1961, 5), "새마을리"));
    let future = Registration { birth: Some(Birth::Year(2027)), ..named("리용희") };
    let refused = clinic.app.edit_person(&worker, &made.id, future);
    assert!(matches!(refused, Err(AppError::Field { field: "born", why: "future" })));
}

#[test]
fn of_strangers_only_existence_is_told_and_only_on_an_exact_question() {
    let country = Country::new();
    let worker = country.clinic().person(Role::HealthWorker);
    let of = Registration { birth: Some(Birth::Year(1961)), ..named("리용희") };
    let made = country.clinic().app.register(&worker, of).unwrap();
    country.carry();
    let county = country.county();
    let doctor = county.person(Role::Doctor);
    let ask = |text: &str| county.app.find_people(&doctor, &find(text)).unwrap();
    for vague in ["리용희", "리용", "ㄹㅇㅎ", "이용희 1961", "리용희 1962"] {
        let found = ask(vague);
        assert!(found.people.is_empty() && found.elsewhere.is_none(), "{vague}");
    }
    for exact in ["리용희 1961", made.number.as_str()] {
        let found = ask(exact);
        assert!(found.people.is_empty(), "{exact}");
        assert!(found.elsewhere == Some(made.id.clone()), "{exact}");
    }
    county.app.receive(&doctor, &made.id).unwrap();
    assert_eq!(ask("리용희").people.len(), 1);
}

#[test]
fn questions_about_strangers_are_limited() {
    let country = Country::new();
    let worker = country.clinic().person(Role::HealthWorker);
    let made = country.clinic().app.register(&worker, named("리용희")).unwrap();
    country.carry();
    let county = country.county();
    let doctor = county.person(Role::Doctor);
    let ask = || county.app.find_people(&doctor, &find(&made.number));
    assert!((0..30).all(|_| ask().is_ok()));
    assert!(matches!(ask(), Err(AppError::State("search-limit"))));
    county.clock.pass_minutes(61);
    assert!(ask().is_ok());
}

#[test]
fn an_administrator_finds_nobody() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    clinic.app.register(&worker, named("리용희")).unwrap();
    let administrator = clinic.person(Role::Administrator);
    let refused = clinic.app.find_people(&administrator, &find("리용희"));
    assert!(matches!(refused, Err(AppError::Denied(_))));
}
