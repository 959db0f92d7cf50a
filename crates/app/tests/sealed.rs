//! What is sealed is read where it was sealed for by those who treat, and exists nowhere else.

use ondol_access::{Action, Role};
use ondol_app::{
    Actor, AppError,
    encounter::{TypedDiagnosis, TypedMedicine, Visit},
    people::{Find, Registration},
    sealed::{SealKind, WhyReader},
};
use ondol_kernel::ResourceId;
use support::{Country, Facility};

use crate::support;

/// What stands in the sealed visit and nowhere else.
const PLANTED: [&str; 4] = ["봉인된증상하나", "봉인된진단하나", "봉인된약하나", "봉인된말하나"];

fn person(at: &Facility, who: &Actor) -> ResourceId {
    let of = Registration { name: "리용희".into(), resident: true, ..Registration::default() };
    at.app.register(who, of).unwrap().id
}

fn visit() -> Visit {
    Visit {
        complaint: PLANTED[0].into(),
        diagnoses: vec![TypedDiagnosis { code: None, words: PLANTED[1].into(), lasting: true }],
        medicines: vec![TypedMedicine {
            atc: None,
            name: PLANTED[2].into(),
            strength: String::new(),
            dose: String::new(),
            days: Some(7),
            taken_already: false,
        }],
        note: PLANTED[3].into(),
        ..Visit::default()
    }
}

/// All that a node holds of the record, as text.
fn everything_at(at: &Facility) -> String {
    let view = at.store().read().unwrap();
    let rows = view.arrived_after(0, usize::MAX).unwrap();
    let bytes: Vec<u8> = rows.iter().flat_map(|row| row.entry.to_bytes()).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn knows_nothing(at: &Facility) {
    let all = everything_at(at);
    for planted in PLANTED {
        assert!(!all.contains(planted), "{planted} stands in the open");
    }
}

fn sealed_at(at: &Facility, who: &Actor, patient: &ResourceId) -> Vec<String> {
    let (_, sealed) = at.app.sealed(who, patient).unwrap();
    sealed.iter().map(|one| one.visit.complaint.clone()).collect()
}

fn is_denied<T>(result: &Result<T, AppError>) -> bool {
    matches!(result, Err(AppError::Denied(_)))
}

#[test]
fn it_is_read_where_it_was_sealed_for_and_rests_closed_everywhere() {
    let country = Country::new();
    let clinic = country.clinic();
    let worker = clinic.person(Role::HealthWorker);
    let patient = person(clinic, &worker);
    country.carry();
    let readers = clinic.app.seal_readers(&worker, &patient).unwrap();
    let offered: Vec<_> = readers.iter().map(|one| (one.facility.as_str(), one.why)).collect();
    assert_eq!(offered, [("county", WhyReader::Above), ("province", WhyReader::Above)]);

    let county = vec![readers[0].facility.clone()];
    let kind = SealKind::MentalHealth;
    clinic.app.seal_visit(&worker, &patient, visit(), kind, county).unwrap();
    country.carry();

    let (_, sealed) = clinic.app.sealed(&worker, &patient).unwrap();
    let [one] = sealed.as_slice() else { panic!("one") };
    assert!(one.own && one.kind == kind && one.taken_back.is_none());
    assert_eq!(one.visit.complaint, PLANTED[0]);
    assert_eq!(one.visit.diagnoses[0].words, PLANTED[1]);
    assert_eq!(one.visit.medicines[0].words, PLANTED[2]);
    assert_eq!(one.visit.notes, [PLANTED[3]]);
    assert_eq!(one.visit.by, worker.name());
    let names: Vec<_> = one.readers.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["새마을리진료소", "군병원"]);

    // At the county those who treat read it, at the province nobody: it is not sealed for it.
    for at in [country.county(), country.province()] {
        let doctor = at.person(Role::Doctor);
        assert!(is_denied(&at.app.sealed(&doctor, &patient)), "without a relation");
        at.app.receive(&doctor, &patient).unwrap();
        let manager = at.person(Role::FacilityManager);
        assert!(is_denied(&at.app.sealed(&manager, &patient)), "a desk");
    }
    let (county, province) = (country.county(), country.province());
    assert_eq!(sealed_at(county, &county.person(Role::Doctor), &patient), [PLANTED[0]]);
    assert_eq!(sealed_at(province, &province.person(Role::Doctor), &patient), [""; 0]);
    for at in country.all() {
        knows_nothing(at);
    }

    // Each reading of what is sealed is written down as such.
    let read = clinic.app.readers(&worker, &patient).unwrap();
    assert!(read.iter().any(|one| one.action == Some(Action::ReadSealed)));
}

#[test]
fn nothing_that_is_read_or_counted_changes_by_it() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let patient = person(&clinic, &worker);
    clinic
        .app
        .save_visit(&worker, &patient, Visit { complaint: "기침".into(), ..Visit::default() })
        .unwrap();
    let seen = || {
        let app = &clinic.app;
        let chart = app.chart(&worker, &patient, 0).unwrap();
        let complaints: Vec<_> = chart.visits.iter().map(|of| of.complaint.clone()).collect();
        let safety = (chart.safety.medicines.len(), chart.safety.problems.len());
        let words = (app.local_diagnoses().unwrap(), app.local_medicines().unwrap());
        let day = app.day(&worker, app.today()).unwrap();
        let found =
            app.find_people(&worker, &Find { text: PLANTED[1].into(), ..Find::default() }).unwrap();
        let today = app.today();
        let tally = app.tally(&worker, today.year(), today.month()).unwrap();
        let lacks = chart.lacks.len();
        let everything = app.rest_everything(&worker, &patient, &[]).unwrap().len();
        (
            (complaints, safety, words, lacks, everything),
            (day.rows.len(), found.people.len(), tally.diagnoses.len()),
        )
    };
    assert!(everything_at(&clinic).contains("기침"), "what is not sealed stands in the open");
    let before = seen();
    clinic.app.seal_visit(&worker, &patient, visit(), SealKind::Hiv, vec![]).unwrap();
    assert!(seen() == before);
    assert_eq!(clinic.app.chart(&worker, &patient, 0).unwrap().sealed, 1);
    // To a pharmacist's sight of the prescriptions, too.
    let pharmacist = clinic.person(Role::Pharmacist);
    assert!(is_denied(&clinic.app.sealed(&pharmacist, &patient)));
}

#[test]
fn another_place_opens_it_once_it_was_shared_and_never_through_a_broken_glass() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let worker = clinic.person(Role::HealthWorker);
    let patient = person(clinic, &worker);
    let id = clinic.app.seal_visit(&worker, &patient, visit(), SealKind::Custody, vec![]).unwrap();
    country.carry();
    let doctor = county.person(Role::Doctor);
    county.app.break_glass(&doctor, &patient, "의식이 없다").unwrap();
    assert!(county.app.chart(&doctor, &patient, 0).is_ok(), "the glass is broken");
    assert_eq!(county.app.chart(&doctor, &patient, 0).unwrap().sealed, 0);
    assert!(is_denied(&county.app.sealed(&doctor, &patient)));

    county.app.receive(&doctor, &patient).unwrap();
    assert!(sealed_at(county, &doctor, &patient).is_empty());
    let to_county = vec![ResourceId::new("county").unwrap()];
    let elsewhere = vec![ResourceId::new("specialist").unwrap()];
    let refused = clinic.app.share_sealed(&worker, &patient, &id, elsewhere);
    assert!(matches!(refused, Err(AppError::Field { field: "readers", .. })));
    clinic.app.share_sealed(&worker, &patient, &id, to_county.clone()).unwrap();
    let again = clinic.app.share_sealed(&worker, &patient, &id, to_county);
    assert!(matches!(again, Err(AppError::Field { field: "readers", .. })));
    country.carry();
    assert_eq!(sealed_at(county, &doctor, &patient), [PLANTED[0]]);

    // Taken back with a reason, which is sealed too.
    let other = county.app.take_sealed_back(&doctor, &patient, &id, "다른 사람이다");
    assert!(is_denied(&other), "neither who wrote it nor at home");
    clinic.app.take_sealed_back(&worker, &patient, &id, "다른 사람이다").unwrap();
    let twice = clinic.app.take_sealed_back(&worker, &patient, &id, "다른 사람이다");
    assert!(matches!(twice, Err(AppError::Gone)));
    country.carry();
    let (_, sealed) = county.app.sealed(&doctor, &patient).unwrap();
    assert_eq!(sealed[0].taken_back.as_ref().unwrap().reason, "다른 사람이다");
    assert_eq!(county.app.chart(&doctor, &patient, 0).unwrap().sealed, 0);
    for at in country.all() {
        assert!(!everything_at(at).contains("다른 사람이다"));
        knows_nothing(at);
    }
}

#[test]
fn where_it_does_not_open_nothing_says_that_somebody_wrote() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let worker = clinic.person(Role::HealthWorker);
    let patient = person(clinic, &worker);
    country.carry();
    let doctor = county.person(Role::Doctor);
    county.app.receive(&doctor, &patient).unwrap();
    let lacks = || {
        let chart = county.app.chart(&doctor, &patient, 0).unwrap();
        chart.lacks.iter().map(|of| (of.facility.clone(), of.complete_to)).collect::<Vec<_>>()
    };
    let before = lacks();
    country.pass_minutes(60 * 24);
    clinic.app.seal_visit(&worker, &patient, visit(), SealKind::Sti, vec![]).unwrap();
    let entries = everything_at(county).len();
    country.carry();
    assert!(everything_at(county).len() > entries, "it did arrive");
    assert_eq!(lacks(), before);
}

#[test]
fn what_is_wrong_is_said_and_nothing_is_written() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let patient = person(&clinic, &worker);
    let nurse = clinic.person(Role::Nurse);
    let before = everything_at(&clinic);
    let nothing =
        clinic.app.seal_visit(&worker, &patient, Visit::default(), SealKind::Other, vec![]);
    assert!(matches!(nothing, Err(AppError::Field { field: "complaint", .. })));
    let unknown = vec![ResourceId::new("nowhere").unwrap()];
    let unknown = clinic.app.seal_visit(&worker, &patient, visit(), SealKind::Other, unknown);
    assert!(matches!(unknown, Err(AppError::Field { field: "readers", .. })));
    let reason = clinic.app.take_sealed_back(&worker, &patient, &patient, " ");
    assert!(matches!(reason, Err(AppError::Field { field: "reason", .. })));
    let missing = clinic.app.take_sealed_back(&worker, &patient, &patient, "다른 사람이다");
    assert!(matches!(missing, Err(AppError::NotFound)));
    assert!(is_denied(&clinic.app.seal_visit(&nurse, &patient, visit(), SealKind::Other, vec![])));
    assert_eq!(everything_at(&clinic), before);
}
