//! What the screens say of the road is true: with links cut half way, nodes killed at random
//! moments, over many rounds.

mod support;

use std::time::Duration;

use ondol_testkit::{
    browser::Wish,
    chaos::Chaos,
    contents::Contents,
    desk::{Desk, LINK_PATIENCE, Question, Stranger, VisitTyped},
    filling,
    node::{Country, CountryConfig, Seat},
    patience::Stopwatch,
};
use support::{EN, KO};

/// So many cases travel while links are cut and nodes are killed.
const ROUNDS: u64 = 5;

fn question(text: &str) -> Question<'_> {
    Question {
        specialty: "skin",
        place: Seat::Specialist.name(),
        urgency: "stat",
        text,
        picture: None,
    }
}

#[test]
fn while_the_link_is_cut_the_page_says_that_it_waits_and_then_that_it_arrived() {
    let country = Country::for_test("truth", CountryConfig::for_tests()).unwrap();
    let Some(clinic) = Desk::at(country.url(Seat::Clinic), KO) else { return };
    filling::rosters(&country).unwrap();
    clinic.sign_in("yonghui");
    clinic.find(&support::a_resident());
    country.cut(Seat::Clinic);
    let consult = clinic.ask(question("숨이 차합니다. 어떻게 합니까?"));
    clinic.see("consult-waiting-here");
    for step in ["consult-step-delivered", "consult-step-seen", "consult-step-taken"] {
        let done = format!(
            "//ol[@class='steps']/li[contains(@class,'done')][contains(.,'{}')]",
            clinic.say(step)
        );
        assert!(!clinic.browser.has(&done), "{step} is not done while the link is cut");
    }
    clinic.browser.see("02-381-214");
    country.restore(Seat::Clinic);
    let done = format!(
        "//ol[@class='steps']/li[contains(@class,'done')][contains(.,'{}')]",
        clinic.say("consult-step-delivered")
    );
    let arrived = ondol_testkit::patience::until(LINK_PATIENCE, || {
        clinic.go(&format!("/consult/{consult}"));
        clinic.browser.has(&done).then_some(())
    });
    assert!(arrived.is_some(), "{}", clinic.browser.text());
    let specialist = Desk::at(country.url(Seat::Specialist), EN).unwrap();
    specialist.sign_in("ryonhwa");
    specialist.open_consult(&consult);
    specialist.take();
    clinic.browser.see_after_reloading("량련화", LINK_PATIENCE);
}

#[test]
fn cases_travel_whole_and_once_through_cuts_and_kills_at_random_points() {
    let mut country = Country::for_test("rounds", CountryConfig::for_tests()).unwrap();
    let wish = Wish { ..KO };
    let Some(clinic) = Desk::at(country.url(Seat::Clinic), wish) else { return };
    filling::rosters(&country).unwrap();
    let specialist = Desk::at(country.url(Seat::Specialist), EN).unwrap();
    clinic.sign_in("yonghui");
    specialist.sign_in("ryonhwa");
    let mut chaos = Chaos::new(77);
    let mut strike = |country: &mut Country| chaos.strike(country, 600).unwrap();
    let mut cases = vec![];
    for round in 0..ROUNDS {
        let watch = Stopwatch::start();
        let name =
            format!("{}봄순", ["김", "박", "최", "정", "강"][usize::try_from(round).unwrap() % 5]);
        let text = format!("{round}번째 물음: 무엇을 해야 합니까?");
        let advice = format!("{round}번째 대답: 물을 많이 마시게 하십시오");
        strike(&mut country);
        let patient = clinic.register(Stranger { name: &name, sex: "female", age: "29" });
        strike(&mut country);
        clinic.visit(VisitTyped {
            complaint: "어지러움",
            signs: &[("heart-rate", "88")],
            diagnosis: "",
            note: "",
            day: None,
        });
        strike(&mut country);
        let consult = clinic.ask(question(&text));
        strike(&mut country);
        specialist.open_consult(&consult);
        strike(&mut country);
        specialist.take();
        strike(&mut country);
        specialist.answer("", &advice, "");
        strike(&mut country);
        clinic.go(&format!("/consult/{consult}"));
        clinic.acknowledge(&advice);
        eprintln!("round {round} took {:?}", watch.elapsed());
        cases.push((patient, consult, text, advice));
    }
    // All of it once, at both ends.
    for (patient, consult, text, advice) in &cases {
        for desk in [&clinic, &specialist] {
            desk.go(&format!("/consult/{consult}"));
            let read = desk.say("consult-step-acknowledged").to_owned();
            desk.browser.see_after_reloading(&read, LINK_PATIENCE);
            let page = desk.browser.text();
            assert_eq!(page.matches(text.as_str()).count(), 1, "{page}");
            assert_eq!(page.matches(advice.as_str()).count(), 1, "{page}");
        }
        clinic.go(&format!("/people/{patient}"));
        assert_eq!(clinic.browser.text().matches("어지러움").count(), 1);
    }
    assert!(country.settles(&Seat::ALL, Duration::from_mins(2)), "{:?}", chaos.happened);
    drop((clinic, specialist));
    let patients: Vec<&str> = cases.iter().map(|(patient, ..)| patient.as_str()).collect();
    all_show_the_same(&mut country, &patients);
    eprintln!("{:?}", chaos.happened);
}

/// Every node that holds the charts shows them alike, with nothing twice.
fn all_show_the_same(country: &mut Country, patients: &[&str]) {
    let mut shown = vec![];
    for seat in [Seat::Clinic, Seat::County, Seat::Province, Seat::Specialist] {
        assert!(country.terminate(seat), "{seat:?} stops cleanly");
        let contents = Contents::read(&country.data(seat)).unwrap();
        assert!(contents.twice.is_empty(), "{seat:?}: {:?}", contents.twice);
        let charts =
            contents.shown.into_iter().filter(|(chart, _)| patients.contains(&chart.subject()));
        shown.push((seat, charts.collect::<Vec<_>>()));
        country.command(seat, &["verify"]).unwrap();
    }
    assert_eq!(shown[0].1.len(), patients.len());
    for (seat, charts) in &shown {
        assert_eq!(charts, &shown[0].1, "{seat:?} shows other charts");
    }
}
