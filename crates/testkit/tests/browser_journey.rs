//! The journey of a case: from a village clinic to a specialist and back, in real browsers at
//! real nodes with links between them.

use std::{collections::BTreeSet, time::Duration};

use ondol_kernel::Date;
use ondol_record::ChartId;
use ondol_testkit::{
    browser::{Key, Size, Wish},
    contents::Contents,
    desk::{Desk, Question, Stranger, VisitTyped},
    filling,
    node::{Country, CountryConfig, PASSWORD, Seat},
    patience::Stopwatch,
};
use support::{EN, KO};

use crate::support;

const NAME: &str = "리봄순";
const ADVICE: &str = "고약을 하루 두번 바르십시오";

const VISIT: VisitTyped<'static> = VisitTyped {
    complaint: "팔에 붉은 반점이 생김",
    signs: &[("body-temperature", "37.2"), ("heart-rate", "82")],
    diagnosis: "습진",
    note: "사흘전부터",
    day: None,
};

/// A country with people on duty, or `None` where no browser is installed.
fn country(name: &str) -> Option<Country> {
    drop(ondol_testkit::browser::Browser::start_or_skip(KO)?);
    let country = Country::for_test(name, CountryConfig::for_tests()).unwrap();
    filling::rosters(&country).unwrap();
    Some(country)
}

/// From registering to the answer that was read. Gives clinic, specialist, patient and consult.
fn case(country: &Country, at_clinic: Wish, at_specialist: Wish) -> (Desk, Desk, String, String) {
    let watch = Stopwatch::start();
    let picture = support::photograph(country.dir(), 900);
    let clinic = Desk::at(country.url(Seat::Clinic), at_clinic).unwrap();
    clinic.sign_in("yonghui");
    let patient = clinic.register(Stranger { name: NAME, sex: "female", age: "34" });
    clinic.visit(VISIT);
    let consult = clinic.ask(Question {
        specialty: "skin",
        place: Seat::Specialist.name(),
        urgency: "urgent",
        text: "무슨 병입니까? 무엇을 발라야 합니까?",
        picture: Some(&picture),
    });
    eprintln!("asked after {:?}", watch.elapsed());
    let specialist = Desk::at(country.url(Seat::Specialist), at_specialist).unwrap();
    specialist.sign_in("ryonhwa");
    specialist.open_consult(&consult);
    eprintln!("at the specialist's after {:?}", watch.elapsed());
    specialist.browser.see(NAME);
    specialist.browser.see("37.2");
    specialist.take();
    specialist.answer("접촉성피부염으로 보임", ADVICE, "열이 나면 다시 알리십시오");
    clinic.acknowledge(ADVICE);
    eprintln!("the answer was read after {:?}", watch.elapsed());
    specialist.go(&format!("/consult/{consult}"));
    let read = specialist.say("consult-step-acknowledged").to_owned();
    specialist.browser.see_after_reloading(&read, Duration::from_mins(1));
    (clinic, specialist, patient, consult)
}

/// What some stopped nodes show of a chart.
fn shown(country: &mut Country, patient: &str, seats: &[Seat]) {
    let all: Vec<_> = seats
        .iter()
        .map(|seat| {
            assert!(country.terminate(*seat), "{seat:?} stops cleanly");
            let contents = Contents::read(&country.data(*seat)).unwrap();
            assert!(contents.twice.is_empty(), "{seat:?}: {:?}", contents.twice);
            let is_it = |chart: &ChartId| chart.subject() == patient;
            let chart = contents.shown.into_iter().find(|(chart, _)| is_it(chart));
            chart.unwrap_or_else(|| panic!("{seat:?} does not hold the chart")).1
        })
        .collect();
    assert!(all[0].len() > 6, "{:?}", all[0]);
    for (seat, chart) in seats.iter().zip(&all) {
        let lacks: BTreeSet<_> = all[0].symmetric_difference(chart).collect();
        assert!(lacks.is_empty(), "{seat:?} shows another chart: {lacks:?}");
    }
}

#[test]
fn a_case_travels_from_the_clinic_to_the_specialist_and_back_and_the_ministry_sees_no_name() {
    let Some(mut country) = country("journey") else { return };
    let yesterday = Date::from_days(support::today().days() - 1).unwrap();
    let (clinic, specialist, patient, _) = case(&country, KO, EN);
    // What was done yesterday is counted as soon as it is typed.
    clinic.go(&format!("/people/{patient}"));
    clinic.visit(VisitTyped { complaint: "기침", day: Some(yesterday), diagnosis: "", ..VISIT });

    // 'Send her': the county sees who is coming, receives, and writes back.
    clinic.go(&format!("/people/{patient}"));
    let referral = clinic.refer(Seat::County.name(), "internal-medicine", "열이 내리지 않음");
    clinic.press("referral-do-depart");
    let county = Desk::at(country.url(Seat::County), EN).unwrap();
    county.sign_in("chomsu");
    county.go("/referrals");
    county.browser.see_after_reloading(NAME, Duration::from_mins(1));
    county.go(&format!("/referral/{referral}"));
    county.press("referral-do-arrive");
    county.press("referral-do-reply");
    county.browser.fill("findings", "페염은 아님");
    county.browser.fill("advice", "이틀후 진료소에서 다시 보십시오");
    county.next();
    clinic.go(&format!("/referral/{referral}"));
    clinic.browser.see_after_reloading("이틀후 진료소에서", Duration::from_mins(1));

    let ministry = Desk::at(country.url(Seat::Ministry), KO).unwrap();
    ministry.sign_in("kwangmin");
    ministry.go("/counts?days=7");
    ministry.browser.see_after_reloading(Seat::Clinic.name(), Duration::from_mins(1));
    let row =
        format!("//tr[contains(.,'{}')]//td[not(contains(@class,'zero'))]", Seat::Clinic.name());
    let counted = ondol_testkit::patience::until(Duration::from_mins(3), || {
        ministry.browser.reload();
        ministry.browser.has(&row).then_some(())
    });
    assert!(counted.is_some(), "the ministry sees no counts: {}", ministry.browser.text());
    for path in ["/", "/counts", "/facilities", "/road"] {
        ministry.go(path);
        assert!(!ministry.browser.source().contains(NAME), "{path} names the patient");
    }
    ministry.go(&format!("/people/{patient}"));
    assert!(!ministry.browser.source().contains(NAME), "the ministry opens no chart");
    assert!(country.settles(&Seat::ALL, Duration::from_mins(1)));
    drop((clinic, specialist, county, ministry));
    shown(&mut country, &patient, &[Seat::Clinic, Seat::County, Seat::Specialist]);
}

#[test]
fn without_script_people_are_registered_seen_and_asked_about() {
    let Some(mut country) = country("plain") else { return };
    let plain = |wish: Wish| Wish { script: false, ..wish };
    let at_specialist = Wish { size: Size::Phone, ..plain(KO) };
    let (clinic, specialist, patient, _) = case(&country, plain(EN), at_specialist);
    drop((clinic, specialist));
    shown(&mut country, &patient, &[Seat::Clinic, Seat::Specialist]);
}

#[test]
fn the_keyboard_alone_is_enough_for_a_visit_and_a_question() {
    let Some(country) = country("keys") else { return };
    let clinic = Desk::at(country.url(Seat::Clinic), KO).unwrap();
    let (browser, words) = (&clinic.browser, &clinic.words);
    let type_in = |field: &str, text: &str| {
        browser.tab_to(field);
        browser.type_keys(text);
    };
    let enter = |words: &str| {
        browser.tab_to(words);
        browser.key(Key::Enter);
    };
    clinic.go("/sign-in");
    type_in("login", "yonghui");
    type_in("password", PASSWORD);
    browser.key(Key::Enter);
    clinic.see("lock");
    type_in("q", NAME);
    browser.key(Key::Enter);
    enter(words.say("people-new"));
    clinic.see("people-sex");
    browser.tab_to("sex");
    browser.key(Key::Space);
    type_in("age", "34");
    enter(words.say("people-register"));
    browser.see(NAME);
    clinic.chart_id();
    enter(words.say("chart-visit"));
    type_in("complaint", "머리아픔");
    type_in("v-body-temperature", "38.4");
    enter(words.say("encounter-save"));
    browser.see("38.4");
    // A row says more than its first words: the tabulator looks for the address instead.
    browser.tab_to_link("/ask/");
    browser.key(Key::Enter);
    browser.tab_to_link("/skin");
    browser.key(Key::Enter);
    type_in("question", "열이 왜 나는지 알고싶습니다");
    browser.tab_to("urgency");
    browser.key(Key::Down);
    browser.tab_to("facility");
    browser.key(Key::Space);
    enter(words.say("consult-to-check"));
    clinic.see("consult-check");
    enter(words.say("consult-send"));
    browser.see("열이 왜 나는지");
    clinic.consult_id();
}
