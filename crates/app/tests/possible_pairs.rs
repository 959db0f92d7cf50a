//! Charts that are probably of one person: found as they are written and as they arrive, asked
//! about once, and only of those who may see both.

use ondol_access::{Action, Role};
use ondol_app::{
    Actor, AppError,
    people::{Birth, Difference, Registration, Sex},
};
use ondol_kernel::ResourceId;
use support::{Country, Facility};

use crate::support;

fn of(name: &str, birth: &str) -> Registration {
    Registration {
        name: name.into(),
        sex: Some(Sex::Female),
        birth: Some(Birth::parse(birth, false)),
        mother_name: "김복순".into(),
        ri: "룡강리".into(),
        resident: true,
        ..Registration::default()
    }
}

fn register(at: &Facility, who: &Actor, of: Registration) -> ResourceId {
    at.app.register(who, of).unwrap().id
}

fn listed(at: &Facility, who: &Actor) -> Vec<(ResourceId, ResourceId)> {
    at.app.same_person_tick().unwrap();
    let pairs = at.app.possible_pairs(who).unwrap();
    pairs.pairs.into_iter().map(|pair| (pair.one.id, pair.two.id)).collect()
}

fn both(a: &ResourceId, b: &ResourceId) -> (ResourceId, ResourceId) {
    if a < b { (a.clone(), b.clone()) } else { (b.clone(), a.clone()) }
}

#[test]
fn somebody_who_was_entered_twice_is_listed_once_and_a_sister_is_not() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let one = register(&clinic, &worker, of("리용희", "1961-03-02"));
    register(&clinic, &worker, of("리순희", "1963-07-21"));
    assert!(listed(&clinic, &worker).is_empty());
    let two = register(&clinic, &worker, of("이용희", "1961-03-20"));
    assert_eq!(listed(&clinic, &worker), [both(&one, &two)]);
    let pairs = clinic.app.possible_pairs(&worker).unwrap();
    assert!(pairs.pairs[0].probability > 0.5 && !pairs.more);
    // It was found when the second was written; nothing is compared again at the page.
    let clinic = clinic.restarted();
    assert_eq!(clinic.app.possible_pairs(&worker).unwrap().pairs.len(), 1);
    // When the data change so that nothing speaks for it any more, nobody is asked.
    let mended = Registration { mother_name: "박영순".into(), ..of("최철", "1988-11-19") };
    clinic.app.edit_person(&worker, &two, mended).unwrap();
    assert!(listed(&clinic, &worker).is_empty());
}

#[test]
fn a_chart_that_arrives_is_compared_with_those_that_are_here() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let worker = clinic.person(Role::HealthWorker);
    let doctor = county.person(Role::Doctor);
    let here =
        register(county, &doctor, Registration { resident: false, ..of("리용희", "1961-03-02") });
    assert!(listed(county, &doctor).is_empty());
    let arrived = register(clinic, &worker, of("이용희", "1961-03-02"));
    country.carry();
    assert!(listed(county, &doctor).is_empty(), "she may not be seen here");
    county.app.receive(&doctor, &arrived).unwrap();
    assert_eq!(listed(county, &doctor), [both(&here, &arrived)]);
    assert!(listed(clinic, &worker).is_empty(), "the other chart is not here");
}

#[test]
fn nobody_is_named_whom_one_may_not_read_and_whoever_is_named_was_read() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let worker = clinic.person(Role::HealthWorker);
    let one = register(clinic, &worker, of("리용희", "1961-03-02"));
    let two = register(clinic, &worker, of("이용희", "1961-03-02"));
    country.carry();
    let doctor = county.person(Role::Doctor);
    assert!(listed(county, &doctor).is_empty());
    county.app.receive(&doctor, &one).unwrap();
    assert!(listed(county, &doctor).is_empty(), "one of the two is not enough");
    let refused = county.app.compare_people(&doctor, &one, &two);
    assert!(matches!(refused, Err(AppError::Denied(_))));
    for role in [Role::Nurse, Role::Pharmacist, Role::Administrator, Role::FacilityManager] {
        let who = clinic.person(role);
        assert!(listed(clinic, &who).is_empty(), "{role:?}");
        let refused = clinic.app.compare_people(&who, &one, &two);
        assert!(matches!(refused, Err(AppError::Denied(_))), "{role:?}");
        let refused = clinic.app.put_off_pair(&who, &one, &two);
        assert!(matches!(refused, Err(AppError::Denied(_))), "{role:?}");
    }
    let read = |action: Action| {
        let of = |id: &ResourceId| {
            let readers = clinic.app.readers(&worker, id).unwrap();
            readers.iter().filter(|reader| reader.action == Some(action)).count()
        };
        (of(&one), of(&two))
    };
    assert_eq!(read(Action::SearchPerson), (0, 0));
    assert_eq!(listed(clinic, &worker).len(), 1);
    assert_eq!(read(Action::SearchPerson), (1, 1));
    let before = read(Action::ReadChart);
    clinic.app.compare_people(&worker, &one, &two).unwrap();
    assert_eq!(read(Action::ReadChart), (before.0 + 1, before.1 + 1));
}

#[test]
fn both_stand_side_by_side_with_what_differs() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let one = register(&clinic, &worker, of("리용희", "1961-03-02"));
    let other = Registration { ri: "새마을리".into(), ..of("이용희", "1961") };
    let two = register(&clinic, &worker, other);
    clinic.app.receive(&worker, &two).unwrap();
    let both = clinic.app.compare_people(&worker, &one, &two).unwrap();
    assert_eq!(
        both.differs,
        [Difference::Name, Difference::Birth, Difference::Ri, Difference::Numbers]
    );
    assert_eq!((both.one.visits_all, both.two.visits_all), (0, 1));
    assert!(both.probability.is_some());
    clinic.app.link_persons(&worker, &two, &one, "한 사람").unwrap();
    assert!(clinic.app.compare_people(&worker, &one, &two).unwrap().probability.is_none());
    assert!(listed(&clinic, &worker).is_empty());
}

#[test]
fn two_persons_are_remembered_at_both_ends_until_what_is_known_changes() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let worker = clinic.person(Role::HealthWorker);
    let doctor = county.person(Role::Doctor);
    let one = register(clinic, &worker, of("리용희", "1961-03-02"));
    let two = register(clinic, &worker, of("이용희", "1961-03-02"));
    country.carry();
    for id in [&one, &two] {
        county.app.receive(&doctor, id).unwrap();
    }
    country.carry();
    let pair = [both(&one, &two)];
    assert_eq!(
        (&listed(clinic, &worker)[..], &listed(county, &doctor)[..]),
        (&pair[..], &pair[..])
    );
    let wanting = clinic.app.keep_persons_apart(&worker, &one, &two, " ");
    assert!(matches!(wanting, Err(AppError::Field { field: "reason", .. })));
    clinic.app.keep_persons_apart(&worker, &one, &two, "쌍둥이").unwrap();
    assert!(listed(clinic, &worker).is_empty());
    country.carry();
    assert!(listed(county, &doctor).is_empty(), "the other end does not ask again");
    // What has nothing to do with who she is asks nobody.
    county.app.record_no_allergies(&doctor, &one).unwrap();
    assert!(listed(county, &doctor).is_empty());
    let moved = Registration { phone: "02-381".into(), ..of("리용희", "1961-03-02") };
    clinic.app.edit_person(&worker, &one, moved).unwrap();
    country.carry();
    assert_eq!(
        (&listed(clinic, &worker)[..], &listed(county, &doctor)[..]),
        (&pair[..], &pair[..])
    );
}

#[test]
fn later_asks_again_after_a_week_and_a_link_that_was_undone_is_not_asked_about() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let one = register(&clinic, &worker, of("리용희", "1961-03-02"));
    let two = register(&clinic, &worker, of("이용희", "1961-03-02"));
    assert_eq!(listed(&clinic, &worker).len(), 1);
    clinic.app.put_off_pair(&worker, &two, &one).unwrap();
    assert!(listed(&clinic, &worker).is_empty());
    clinic.clock.pass_minutes(7 * 24 * 60 + 1);
    assert_eq!(listed(&clinic, &worker).len(), 1);
    clinic.app.link_persons(&worker, &two, &one, "한 사람").unwrap();
    assert!(listed(&clinic, &worker).is_empty());
    // Whoever is registered once more is compared with the one that is in use.
    let three = register(&clinic, &worker, of("리용히", "1961-03-02"));
    assert_eq!(listed(&clinic, &worker), [both(&one, &three)]);
    clinic.app.unlink_persons(&worker, &two, &one, "다른 사람").unwrap();
    let pairs = listed(&clinic, &worker);
    assert!(!pairs.contains(&both(&one, &two)) && pairs.contains(&both(&one, &three)));
}
