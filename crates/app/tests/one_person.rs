//! Two charts turn out to be of one person: they are read as one, and taken apart again whole.

use ondol_access::{Action, Relation, Role};
use ondol_app::{
    Actor, AppError,
    encounter::{Allergies, Blood, NewAllergy, Substance, TypedDiagnosis, TypedMedicine, Visit},
    people::{DecidedKind, Find, Registration},
};
use ondol_kernel::ResourceId;
use serde_json::json;
use support::{Country, Facility};

use crate::support;

fn person(at: &Facility, who: &Actor, name: &str, resident: bool) -> ResourceId {
    let of = Registration { name: name.into(), resident, ..Registration::default() };
    at.app.register(who, of).unwrap().id
}

fn penicillin() -> NewAllergy {
    NewAllergy {
        to: Substance { atc: None, words: "페니실린".into() },
        reaction: "두드러기".into(),
        severe: Some(true),
    }
}

fn visit(complaint: &str, medicine: &str) -> Visit {
    Visit {
        complaint: complaint.into(),
        diagnoses: vec![TypedDiagnosis {
            code: Some("I10".into()),
            words: String::new(),
            lasting: true,
        }],
        medicines: vec![TypedMedicine {
            atc: None,
            name: medicine.into(),
            strength: String::new(),
            dose: String::new(),
            days: None,
            taken_already: false,
        }],
        ..Visit::default()
    }
}

fn blood(at: &Facility, patient: &ResourceId, id: &str, group: &str) {
    at.put(
        id,
        json!({ "resourceType": "Observation", "status": "final",
            "code": { "coding": [{ "system": "http://loinc.org", "code": "882-1" }] },
            "subject": { "reference": format!("Patient/{patient}") }, "valueString": group }),
    );
}

fn may_read(at: &Facility, who: &Actor, patient: &ResourceId) -> bool {
    match at.app.chart(who, patient, 0) {
        Ok(_) => true,
        Err(AppError::Denied(_)) => false,
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn what_either_chart_says_stands_in_both_with_its_origin() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let known = person(&clinic, &worker, "리용희", true);
    let other = person(&clinic, &worker, "이용희", true);
    let app = &clinic.app;
    app.record_no_allergies(&worker, &known).unwrap();
    app.save_visit(&worker, &known, visit("기침", "기침약")).unwrap();
    app.record_allergy(&worker, &other, penicillin()).unwrap();
    app.save_visit(&worker, &other, visit("두통", "아스피린")).unwrap();
    blood(&clinic, &known, "b1", "A+");
    assert_eq!(app.chart(&worker, &known, 0).unwrap().safety.blood, Blood::Group("A+".into()));

    app.link_persons(&worker, &other, &known, "어머니가 알아보았다").unwrap();
    for (id, beside) in [(&known, &other), (&other, &known)] {
        let chart = app.chart(&worker, id, 0).unwrap();
        let Allergies::Known(allergies) = &chart.safety.allergies else { panic!("an allergy") };
        assert_eq!(allergies[0].chart.subject(), other.as_str());
        let mut medicines: Vec<_> = chart
            .safety
            .medicines
            .iter()
            .map(|of| (of.words.clone(), of.chart.subject().to_owned()))
            .collect();
        medicines.sort();
        let of = |words: &str, id: &ResourceId| (words.to_owned(), id.to_string());
        assert_eq!(medicines, [of("기침약", &known), of("아스피린", &other)]);
        assert_eq!(chart.safety.problems.len(), 2);
        let mut visits: Vec<_> = chart
            .visits
            .iter()
            .map(|visit| (visit.complaint.clone(), visit.chart.subject().to_owned()))
            .collect();
        visits.sort();
        assert_eq!(visits, [of("기침", &known), of("두통", &other)]);
        assert_eq!(chart.in_use, known);
        assert!(chart.linked.iter().any(|one| one.id == *beside) && !chart.linked_elsewhere);
        let banner = app.banner(&worker, id).unwrap();
        assert!(matches!(banner.allergies, Allergies::Known(_)));
        let refused = app.record_no_allergies(&worker, id);
        assert!(matches!(refused, Err(AppError::State("allergies-known"))));
    }
    // The two groups cannot both be true.
    blood(&clinic, &other, "b2", "O+");
    assert_eq!(app.chart(&worker, &known, 0).unwrap().safety.blood, Blood::Unlike);
}

#[test]
fn finding_either_leads_to_the_one_in_use() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let known = person(&clinic, &worker, "리용희", true);
    let other = person(&clinic, &worker, "박정숙", true);
    let find = |text: &str| {
        let asked = Find { text: text.into(), ..Find::default() };
        clinic.app.find_people(&worker, &asked).unwrap()
    };
    let number = find("박정숙").people[0].number().unwrap().value.clone();
    clinic.app.link_persons(&worker, &other, &known, "한 사람").unwrap();
    for text in ["리용희", "박정숙", number.as_str()] {
        let found = find(text);
        let ids: Vec<&ResourceId> = found.people.iter().map(|person| &person.id).collect();
        assert_eq!(ids, [&known], "{text}");
    }
    let led = find("박정숙").instead_of;
    assert!(led.len() == 1 && led[0].0 == known && led[0].1.name == "박정숙");
}

#[test]
fn whoever_treats_by_one_chart_reads_the_other_and_neither_writes_there_nor_takes_the_home() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let worker = clinic.person(Role::HealthWorker);
    let known = person(clinic, &worker, "리용희", true);
    clinic.app.record_allergy(&worker, &known, penicillin()).unwrap();
    country.carry();
    let doctor = county.person(Role::Doctor);
    // Somebody whom nobody knows lies at the county, and turns out to be her.
    let stranger = person(county, &doctor, "", false);
    let refused = county.app.link_persons(&doctor, &stranger, &known, "가족이 알아보았다");
    assert!(matches!(refused, Err(AppError::Denied(_))), "she was never received here");
    county.app.receive(&doctor, &known).unwrap();
    county.app.link_persons(&doctor, &stranger, &known, "가족이 알아보았다").unwrap();
    // The visit here of the known chart ends, and with it what it opens; the other goes on.
    let pharmacist = county.person(Role::Pharmacist);
    let nurse = county.person(Role::Nurse);
    let view = county.store().read().unwrap();
    let chart = ondol_record::ChartId::Patient(known.clone());
    let grounds = county.app.may(&*view, &nurse, Action::ReadChart, &chart, None).unwrap();
    assert_eq!(grounds.relation, Relation::OpenEncounter);
    drop(view);
    let encounters = county.all(&chart, "Encounter");
    let mut ended = encounters[0].clone();
    ended["status"] = json!("finished");
    county.put(encounters[0]["id"].as_str().unwrap(), ended);
    county.clock.pass_minutes(2 * 24 * 60);
    assert!(may_read(county, &nurse, &known), "by the encounter of the other chart");
    assert!(!may_read(county, &pharmacist, &known), "a role that reads neither");
    let safety = county.app.safety(&pharmacist, &known).unwrap().1;
    assert!(matches!(safety.allergies, Allergies::Known(_)));
    let refused = county.app.save_visit(&doctor, &known, visit("두통", "아스피린"));
    assert!(matches!(refused, Err(AppError::Denied(_))), "writing needs a relation of its own");
    // Who read it stands in both charts.
    let readers = clinic_readers(county, &doctor, &known);
    assert!(readers.contains(&(Some(Action::ReadChart), Some(Relation::OpenEncounter))));
    // Taken apart again, nothing of the other chart is open any more.
    county.app.unlink_persons(&doctor, &stranger, &known, "다른 사람").unwrap();
    assert!(!may_read(county, &nurse, &known) && may_read(county, &nurse, &stranger));
}

fn clinic_readers(
    at: &Facility,
    who: &Actor,
    id: &ResourceId,
) -> Vec<(Option<Action>, Option<Relation>)> {
    let readers = at.app.readers(who, id).unwrap();
    readers.iter().map(|reader| (reader.action, reader.relation)).collect()
}

#[test]
fn a_link_that_one_chart_alone_names_opens_nothing() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let worker = clinic.person(Role::HealthWorker);
    let known = person(clinic, &worker, "리용희", true);
    country.carry();
    county.put(
        "mine",
        json!({ "resourceType": "Patient", "name": [{ "text": "리용희" }],
            "managingOrganization": { "reference": "Organization/county" },
            "link": [{ "type": "replaces", "other": { "reference": format!("Patient/{known}") } }] }),
    );
    let doctor = county.person(Role::Doctor);
    assert!(!may_read(county, &doctor, &known));
    let chart = county.app.chart(&doctor, &ResourceId::new("mine").unwrap(), 0).unwrap();
    assert!(chart.linked_elsewhere && chart.linked.is_empty());
}

#[test]
fn a_link_travels_with_both_charts_and_undoing_it_lists_what_was_decided_at_either_end() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let worker = clinic.person(Role::HealthWorker);
    let doctor = county.person(Role::Doctor);
    let known = person(clinic, &worker, "리용희", true);
    country.carry();
    let stranger = person(county, &doctor, "", false);
    county.app.save_visit(&doctor, &stranger, visit("의식없음", "포도당")).unwrap();
    county.app.record_allergy(&doctor, &stranger, penicillin()).unwrap();
    county.app.receive(&doctor, &known).unwrap();
    county.clock.pass_minutes(1);
    clinic.clock.pass_minutes(1);
    county.app.link_persons(&doctor, &stranger, &known, "가족이 알아보았다").unwrap();
    country.carry();
    // At the village the other chart is here now, and its allergy counts.
    let chart = clinic.app.chart(&worker, &known, 0).unwrap();
    assert!(matches!(chart.safety.allergies, Allergies::Known(_)));
    assert!(chart.visits.iter().any(|visit| visit.complaint == "의식없음"));
    assert!(!chart.linked_elsewhere);

    for at in [clinic, county] {
        at.clock.pass_minutes(5);
    }
    clinic.app.save_visit(&worker, &known, visit("어지럼", "철분")).unwrap();
    county.app.save_visit(&doctor, &stranger, visit("열", "해열제")).unwrap();
    country.carry();
    for at in [clinic, county] {
        at.clock.pass_minutes(5);
    }
    let note = county.app.unlink_persons(&doctor, &known, &stranger, "다른 사람이였다").unwrap();
    country.carry();
    county.app.save_visit(&doctor, &stranger, visit("그뒤", "다른 약")).unwrap();

    let undone = county.app.unlinked(&doctor, &known, &note).unwrap();
    assert_eq!((undone.reason.as_str(), undone.by.as_str()), ("다른 사람이였다", doctor.name()));
    assert!(undone.other.as_ref().is_some_and(|other| other.id == stranger));
    let said: Vec<_> =
        undone.decided.iter().map(|one| (one.kind, one.words.as_str(), &one.chart)).collect();
    for expected in [
        (DecidedKind::Visit, "어지럼", &known),
        (DecidedKind::Medicine, "철분", &known),
        (DecidedKind::Visit, "열", &stranger),
        (DecidedKind::Medicine, "해열제", &stranger),
    ] {
        assert!(said.contains(&expected), "{:?}", expected.1);
    }
    assert!(!said.iter().any(|(_, words, _)| ["의식없음", "포도당", "그뒤"].contains(words)));
    assert!(undone.decided.iter().all(|one| !one.by.is_empty()));
    // Whoever may read one of the two only sees what is in that one.
    let at_home = clinic.app.chart(&worker, &known, 0).unwrap();
    assert!(matches!(at_home.safety.allergies, Allergies::NotAsked), "both are whole again");
    assert!(at_home.visits.iter().all(|visit| visit.complaint != "의식없음"));
    let here = clinic.app.unlinked(&worker, &known, &at_home.ended_links[0].0).unwrap();
    assert!(here.other.is_none() && here.decided.iter().all(|one| one.chart == known));
    assert!(here.decided.iter().any(|one| one.words == "철분"));
}

#[test]
fn charts_that_are_linked_in_a_row_have_one_in_use_and_no_circle_is_made() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let of = |name: &str| person(&clinic, &worker, name, true);
    let (a, b, c) = (of("가"), of("나"), of("다"));
    let app = &clinic.app;
    app.link_persons(&worker, &a, &b, "한 사람").unwrap();
    app.link_persons(&worker, &b, &c, "한 사람").unwrap();
    let again = app.link_persons(&worker, &c, &a, "한 사람");
    assert!(matches!(again, Err(AppError::State("one-already"))));
    for id in [&a, &b, &c] {
        assert_eq!(app.chart(&worker, id, 0).unwrap().in_use, c);
    }
    let apart = app.keep_persons_apart(&worker, &a, &c, "두 사람");
    assert!(matches!(apart, Err(AppError::State("one-already"))));
    // The middle one is taken out of the row on one side.
    app.unlink_persons(&worker, &c, &b, "다른 사람").unwrap();
    assert_eq!(app.chart(&worker, &a, 0).unwrap().in_use, b);
    assert!(app.chart(&worker, &c, 0).unwrap().linked.is_empty());
}

#[test]
fn two_nodes_that_link_either_way_round_agree_which_chart_is_in_use() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let worker = clinic.person(Role::HealthWorker);
    let doctor = county.person(Role::Doctor);
    let (a, b) = (person(clinic, &worker, "가", true), person(clinic, &worker, "나", true));
    country.carry();
    county.app.receive(&doctor, &a).unwrap();
    county.app.receive(&doctor, &b).unwrap();
    country.carry();
    clinic.app.link_persons(&worker, &a, &b, "한 사람").unwrap();
    county.app.link_persons(&doctor, &b, &a, "한 사람").unwrap();
    country.carry();
    let mut in_use = vec![];
    for (at, who) in [(clinic, &worker), (county, &doctor)] {
        for id in [&a, &b] {
            let chart = at.app.chart(who, id, 0).unwrap();
            assert_eq!(chart.linked.len(), 1, "they are one person at both ends");
            in_use.push(chart.in_use);
        }
    }
    in_use.dedup();
    assert_eq!(in_use.len(), 1);
}

#[test]
fn a_broken_glass_opens_all_charts_of_the_person_and_each_home_is_told() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let worker = clinic.person(Role::HealthWorker);
    let (a, b) = (person(clinic, &worker, "가", true), person(clinic, &worker, "나", true));
    clinic.app.record_allergy(&worker, &a, penicillin()).unwrap();
    clinic.app.link_persons(&worker, &a, &b, "한 사람").unwrap();
    country.carry();
    let doctor = county.person(Role::Doctor);
    assert!(!may_read(county, &doctor, &a) && !may_read(county, &doctor, &b));
    county.app.break_glass(&doctor, &b, "의식이 없다").unwrap();
    let chart = county.app.chart(&doctor, &b, 0).unwrap();
    assert!(matches!(chart.safety.allergies, Allergies::Known(_)));
    country.carry();
    for id in [&a, &b] {
        assert_eq!(clinic.app.glass_alerts(&worker, id).unwrap().len(), 1);
    }
}
