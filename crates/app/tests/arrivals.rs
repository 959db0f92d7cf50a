//! Whoever asks each day what is new since yesterday misses nothing that was written elsewhere and
//! came late.

use ondol_access::Role;
use ondol_app::{Actor, encounter::Visit, people::Registration, rest::JournalRequest};
use ondol_fhir::ResourceType;
use ondol_kernel::{Clock as _, Millis, ResourceId};
use support::{Country, Facility};

use crate::support;

fn new_since(at: &Facility, who: &Actor, since: Millis) -> usize {
    let kind = Some(ResourceType::Encounter);
    let request = JournalRequest { kind, since: Some(since), count: 100, after: None };
    at.app.rest_journal(who, &request).unwrap().versions.len()
}

fn visit(at: &Facility, who: &Actor, patient: &ResourceId, complaint: &str) {
    let visit = Visit { complaint: complaint.into(), ..Visit::default() };
    at.app.save_visit(who, patient, visit).unwrap();
}

#[test]
fn what_was_written_before_and_arrives_after_is_new() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let worker = clinic.person(Role::HealthWorker);
    let of = Registration { name: "리용희".into(), resident: true, ..Registration::default() };
    let patient = clinic.app.register(&worker, of).unwrap().id;
    visit(clinic, &worker, &patient, "기침");
    country.carry();
    let doctor = county.person(Role::Doctor);
    county.app.receive(&doctor, &patient).unwrap();
    country.pass_minutes(10);
    // Written at the clinic, whose link is cut.
    visit(clinic, &worker, &patient, "두통");
    country.pass_minutes(60);
    let asked = county.clock.wall();
    assert_eq!(new_since(county, &doctor, asked), 0);
    country.pass_minutes(60);
    country.carry();
    assert_eq!(new_since(county, &doctor, asked), 1, "the headache, and nothing of before");
    let encounters =
        county.all(&ondol_record::ChartId::Patient(patient.clone()), "Encounter").len();
    assert_eq!(new_since(county, &doctor, Millis(0)), encounters);
    let one =
        county.app.rest_history(&doctor, ResourceType::Patient, &patient, Some(asked), (None, 100));
    assert_eq!(one.unwrap().total, 0, "the Patient came before");

    country.pass_minutes(1);
    let asked = county.clock.wall();
    assert_eq!(new_since(county, &doctor, asked), 0);
    assert_eq!(new_since(county, &doctor, Millis(asked.0 + 1)), 0, "the future is empty");
    visit(county, &doctor, &patient, "열");
    assert!(new_since(county, &doctor, asked) >= 1, "what is written here is new at once");
}

#[test]
fn a_clock_that_goes_back_hides_nothing() {
    let clinic = Facility::new();
    let worker = clinic.person(Role::HealthWorker);
    let of = Registration { name: "리용희".into(), resident: true, ..Registration::default() };
    let patient = clinic.app.register(&worker, of).unwrap().id;
    clinic.clock.set_wall(Millis(support::MONDAY_8.0 + 365 * 86_400_000));
    visit(&clinic, &worker, &patient, "기침");
    clinic.clock.set_wall(Millis(support::MONDAY_8.0 + 3_600_000));
    let asked = clinic.clock.wall();
    visit(&clinic, &worker, &patient, "두통");
    assert!(new_since(&clinic, &worker, asked) >= 1, "the headache is among what comes");
    let before = new_since(&clinic, &worker, asked);
    clinic.clock.pass_minutes(5);
    visit(&clinic, &worker, &patient, "열");
    assert_eq!(new_since(&clinic, &worker, asked), before + 1);
}
