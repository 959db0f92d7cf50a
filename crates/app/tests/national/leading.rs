//! A chart that was found is asked for, comes through the tree, and is put together as any other.

use ondol_access::Role;
use ondol_app::{
    national::Where,
    people::{Birth, Difference},
};
use ondol_record::ChartId;
use serde_json::json;

use super::{both, country, found, here, places, register, settle, settle_but, there};

#[test]
fn a_chart_from_another_province_comes_past_the_ministry_and_is_put_together() {
    let country = country();
    let (clinic, specialist) = (country.clinic(), country.specialist());
    let (worker, doctor) = both(&country);
    let two = register(specialist, &doctor, there());
    specialist.put(
        "allergy",
        json!({"resourceType": "Condition", "subject": {"reference": format!("Patient/{two}")},
            "code": {"text": "페니실린에 두드러기"}}),
    );
    let one = register(clinic, &worker, here());
    settle(&country);
    let token = found(clinic, &worker, &one)[0].token.clone();
    clinic.app.ask_for_chart(&worker, &one, &token).unwrap();
    let asked = clinic.app.now();
    assert_eq!(places(clinic, &worker, &one), [Where::Asked(asked)]);
    // What it takes from the specialist's side waits while that is away.
    settle_but(&country, &["specialist"]);
    assert_eq!(places(clinic, &worker, &one), [Where::Asked(asked)]);
    settle(&country);
    assert_eq!(places(clinic, &worker, &one), [Where::Here { is_open: false }]);
    let chart = ChartId::Patient(two.clone());
    for facility in [clinic, country.county(), country.province()] {
        assert_eq!(facility.all(&chart, "Condition").len(), 1, "{}", facility.seat.id);
    }
    assert!(country.ministry().all(&chart, "Condition").is_empty());

    let other = clinic.app.chart_from_elsewhere(&worker, &one, &token).unwrap();
    assert_eq!(other, two);
    let compared = clinic.app.compare_people(&worker, &one, &two).unwrap();
    assert!(compared.differs.contains(&Difference::Name) && compared.probability > Some(0.9));
    clinic.app.link_persons(&worker, &one, &two, "어머니가 알아보았다").unwrap();
    settle(&country);
    assert!(found(clinic, &worker, &one).is_empty(), "it is answered");
    assert!(found(specialist, &doctor, &two).is_empty(), "at the other end too");
}

#[test]
fn a_chart_of_the_county_comes_to_its_clinic_without_passing_the_ministry() {
    let country = country();
    let (clinic, county) = (country.clinic(), country.county());
    let (worker, doctor) = (clinic.person(Role::HealthWorker), county.person(Role::Doctor));
    let two = register(county, &doctor, there());
    let one = register(clinic, &worker, here());
    settle(&country);
    assert_eq!(places(clinic, &worker, &one), [Where::NotAsked]);
    // The county has the clinic's chart already: she has to be received there.
    assert_eq!(places(county, &doctor, &two), [Where::Here { is_open: false }]);
    let token = found(clinic, &worker, &one)[0].token.clone();
    clinic.app.ask_for_chart(&worker, &one, &token).unwrap();
    settle(&country);
    assert_eq!(places(clinic, &worker, &one), [Where::Here { is_open: false }]);
    assert!(country.specialist().get("Patient", two.as_str()).is_none());
}

#[test]
fn what_is_written_later_in_a_chart_that_was_led_follows() {
    let country = country();
    let (clinic, specialist) = (country.clinic(), country.specialist());
    let (worker, doctor) = both(&country);
    let two = register(specialist, &doctor, there());
    let one = register(clinic, &worker, here());
    settle(&country);
    let token = found(clinic, &worker, &one)[0].token.clone();
    clinic.app.ask_for_chart(&worker, &one, &token).unwrap();
    settle(&country);
    let mended = ondol_app::people::Registration {
        birth: Some(Birth::parse("1961-03-20", false)),
        ..there()
    };
    specialist.app.edit_person(&doctor, &two, mended).unwrap();
    settle(&country);
    assert_eq!(clinic.get("Patient", two.as_str()).unwrap()["birthDate"], "1961-03-20");
}
