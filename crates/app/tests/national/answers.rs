//! What is answered, to whom, and how often.

use ondol_access::Role;
use ondol_app::{
    AppError,
    national::{BURST, PER_MINUTE, Question, Where},
    people::Registration,
};
use ondol_kernel::ResourceId;

use super::{
    both, country, found, here, of, places, question, register, settle, settle_but,
    support::Facility, there,
};

#[test]
fn whoever_registers_somebody_who_is_registered_elsewhere_learns_of_it_and_so_does_the_other() {
    let country = country();
    let (clinic, specialist) = (country.clinic(), country.specialist());
    let (worker, doctor) = both(&country);
    let one = register(clinic, &worker, here());
    assert_eq!(question(clinic, &worker, &one), Some(Question::Open), "nothing waits for it");
    settle(&country);
    assert_eq!(question(clinic, &worker, &one), None);
    assert!(found(clinic, &worker, &one).is_empty(), "nobody has registered her");

    let two = register(specialist, &doctor, there());
    let other = register(specialist, &doctor, of("리철수", "1961-03-02", "김복순"));
    settle(&country);
    assert_eq!(places(specialist, &doctor, &two), [Where::NotAsked]);
    assert_eq!(places(clinic, &worker, &one), [Where::NotAsked], "the first learns of it too");
    assert!(found(specialist, &doctor, &other).is_empty());
    // The lists lead there.
    let (list, more) = clinic.app.elsewhere_list(&worker).unwrap();
    assert_eq!((list.len(), more, list[0].person.id == one), (1, false, true));
    assert_eq!(specialist.app.elsewhere_count(&doctor).unwrap(), 1);
    // Another person: nobody is asked again, whatever else is told.
    let token = found(clinic, &worker, &one)[0].token.clone();
    clinic.app.is_not_elsewhere(&worker, &one, &token).unwrap();
    clinic.app.edit_person(&worker, &one, Registration { ri: "룡강리".into(), ..here() }).unwrap();
    settle(&country);
    assert!(found(clinic, &worker, &one).is_empty());
    assert_eq!(places(specialist, &doctor, &two), [Where::NotAsked], "they may think otherwise");
}

#[test]
fn registered_at_both_while_the_road_was_cut_both_learn_of_it_later() {
    let country = country();
    let (clinic, specialist) = (country.clinic(), country.specialist());
    let (worker, doctor) = both(&country);
    let cut = ["clinic", "specialist"];
    let one = register(clinic, &worker, here());
    let two = register(specialist, &doctor, there());
    settle_but(&country, &cut);
    for (at, who, id) in [(clinic, &worker, &one), (specialist, &doctor, &two)] {
        assert_eq!(question(at, who, id), Some(Question::Open));
        assert!(found(at, who, id).is_empty());
    }
    settle_but(&country, &["specialist"]);
    assert_eq!(question(clinic, &worker, &one), None, "nobody was told of then");
    settle(&country);
    assert_eq!(places(clinic, &worker, &one), [Where::NotAsked]);
    assert_eq!(places(specialist, &doctor, &two), [Where::NotAsked]);
}

#[test]
fn a_chart_of_the_same_facility_is_no_news_to_it() {
    let country = country();
    let (worker, _) = both(&country);
    let clinic = country.clinic();
    let one = register(clinic, &worker, here());
    let two = register(clinic, &worker, there());
    settle(&country);
    assert!(found(clinic, &worker, &one).is_empty() && found(clinic, &worker, &two).is_empty());
}

#[test]
fn too_many_questions_are_said_to_be_too_many_and_answered_when_they_may_be() {
    let country = country();
    let (clinic, specialist) = (country.clinic(), country.specialist());
    let (worker, doctor) = both(&country);
    register(clinic, &worker, here());
    settle(&country);
    let name = |n: u64| of("박명록", &format!("{}-01-{:02}", 1950 + n / 28, n % 28 + 1), "최은별");
    let asked: Vec<ResourceId> =
        (0..BURST).map(|n| register(specialist, &doctor, name(n))).collect();
    let late = register(specialist, &doctor, there());
    country.carry();
    assert!(asked.iter().all(|id| question(specialist, &doctor, id).is_none()));
    assert_eq!(question(specialist, &doctor, &late), Some(Question::PutOff));
    assert!(found(specialist, &doctor, &late).is_empty(), "nothing is told before it may be");
    // A clinic is not held up by another facility's haste.
    let own = register(clinic, &worker, of("최은별", "1970-05-05", "박영순"));
    country.carry();
    assert_eq!(question(clinic, &worker, &own), None);

    country.pass_minutes(u32::try_from(BURST / PER_MINUTE).unwrap());
    settle(&country);
    assert_eq!(question(specialist, &doctor, &late), None);
    assert_eq!(places(specialist, &doctor, &late), [Where::NotAsked]);
    // The ministry counts who asked how often, and knows no more.
    let officer = country.ministry().person(Role::MinistryOfficer);
    let used = country.ministry().app.index_use(&officer).unwrap();
    let of = |id: &str| {
        let known = |facility: &ResourceId| facility.as_str() == id;
        used.iter().find(|one| one.facility.as_ref().is_some_and(known)).unwrap().clone()
    };
    assert_eq!((of("specialist").asked, of("specialist").put_off), (BURST + 1, 1));
    assert_eq!((of("clinic").asked, of("clinic").put_off), (2, 0));
}

#[test]
fn what_so_many_have_in_common_is_told_to_nobody() {
    let country = country();
    let (worker, doctor) = both(&country);
    for _ in 0..7 {
        register(country.specialist(), &doctor, there());
    }
    let one = register(country.clinic(), &worker, here());
    settle(&country);
    assert!(found(country.clinic(), &worker, &one).is_empty());
}

#[test]
fn who_asks_is_recorded_and_who_may_not_put_charts_together_is_told_nothing() {
    let country = country();
    let (clinic, specialist) = (country.clinic(), country.specialist());
    let (worker, doctor) = both(&country);
    register(specialist, &doctor, there());
    let one = register(clinic, &worker, here());
    settle(&country);
    let token = found(clinic, &worker, &one)[0].token.clone();
    clinic.app.ask_for_chart(&worker, &one, &token).unwrap();
    assert_eq!(asked_by(clinic, &one), [worker.reference(), worker.reference()]);

    let officer = clinic.person(Role::Administrator);
    assert!(found(clinic, &officer, &one).is_empty());
    assert!(clinic.app.elsewhere_list(&officer).unwrap().0.is_empty());
    let refused = clinic.app.ask_for_chart(&officer, &one, &token);
    assert!(matches!(refused, Err(AppError::Denied(_))));
    // Nobody asks for what was not found.
    let other = clinic.app.ask_for_chart(&worker, &one, "0000000000000000");
    assert!(matches!(other, Err(AppError::NotFound)));
}

/// Who asked the index about a person.
fn asked_by(at: &Facility, id: &ResourceId) -> Vec<String> {
    let view = at.store().read().unwrap();
    let chart = ondol_record::ChartId::Patient(id.clone());
    let all = view.readings(&chart, 100).unwrap();
    let of_index = all.iter().filter(|one| &*one.reason == ondol_app::national::ASKED_INDEX);
    of_index.map(|one| one.who.to_string()).collect()
}
