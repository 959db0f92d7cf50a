//! The journey of a case: from a village clinic to a specialist and back, in real browsers at
//! real nodes with links between them.

mod support;

use std::time::Duration;

use ondol_record::ChartId;
use ondol_testkit::{
    browser::Wish,
    contents::Contents,
    desk::{Desk, Question, Stranger, VisitTyped},
    filling,
    node::{Country, CountryConfig, Seat},
    patience::Stopwatch,
};
use support::{EN, KO};

fn journey(name: &str, clinic_wish: Wish, specialist_wish: Wish) {
    let Some(probe) = ondol_testkit::browser::Browser::start_or_skip(KO) else { return };
    drop(probe);
    let mut country = Country::for_test(name, CountryConfig::for_tests()).unwrap();
    filling::rosters(&country).unwrap();
    let picture = support::photograph(country.dir(), 900);
    let watch = Stopwatch::start();
    let clinic = Desk::at(country.url(Seat::Clinic), clinic_wish).unwrap();
    clinic.sign_in("yonghui");
    let patient = clinic.register(Stranger { name: "리봄순", sex: "female", age: "34" });
    clinic.visit(VisitTyped {
        complaint: "팔에 붉은 반점이 생김",
        signs: &[("body-temperature", "37.2"), ("heart-rate", "82")],
        diagnosis: "습진",
        note: "사흘전부터",
    });
    let consult = clinic.ask(Question {
        specialty: "skin",
        place: Seat::Specialist.name(),
        urgency: "urgent",
        text: "무슨 병입니까? 무엇을 발라야 합니까?",
        picture: Some(&picture),
    });
    eprintln!("asked after {:?}", watch.elapsed());

    let specialist = Desk::at(country.url(Seat::Specialist), specialist_wish).unwrap();
    specialist.sign_in("ryonhwa");
    specialist.open_consult(&consult);
    eprintln!("at the specialist's after {:?}", watch.elapsed());
    specialist.browser.see("리봄순");
    specialist.browser.see("37.2");
    specialist.take();
    specialist.answer(
        "접촉성피부염으로 보임",
        "고약을 하루 두번 바르십시오",
        "열이 나면 다시 알리십시오",
    );

    clinic.acknowledge("고약을 하루 두번 바르십시오");
    eprintln!("acknowledged after {:?}", watch.elapsed());
    specialist.go(&format!("/consult/{consult}"));
    specialist
        .browser
        .see_after_reloading(specialist.say("consult-step-acknowledged"), Duration::from_mins(1));

    for seat in [Seat::Clinic, Seat::County, Seat::Specialist] {
        assert!(country.terminate(seat), "{seat:?}");
    }
    let shown = [Seat::Clinic, Seat::County, Seat::Specialist].map(|seat| {
        let contents = Contents::read(&country.data(seat)).unwrap();
        assert!(contents.twice.is_empty());
        let chart = contents
            .shown
            .into_iter()
            .find(|(chart, _)| matches!(chart, ChartId::Patient(id) if id.as_str() == patient));
        chart.unwrap_or_else(|| panic!("{seat:?} does not hold the chart")).1
    });
    assert!(shown[0].len() > 6, "{:?}", shown[0]);
    assert_eq!(shown[0], shown[1], "clinic and county show the same chart");
    assert_eq!(shown[0], shown[2], "clinic and specialist show the same chart");
}

#[test]
fn a_case_travels_from_the_clinic_to_the_specialist_and_back() {
    journey("journey", KO, EN);
}
