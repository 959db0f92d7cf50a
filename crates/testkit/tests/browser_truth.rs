//! What the screens say of the road is true: with links cut half way, nodes killed at random
//! moments, over many rounds.

use std::{
    env,
    sync::{Mutex, atomic::AtomicBool},
    thread,
    time::Duration,
};

use ondol_testkit::{
    chaos::{Chaos, OverAtLast},
    contents::Contents,
    desk::{Desk, LINK_PATIENCE, Question, Stranger, VisitTyped},
    filling,
    node::{Country, CountryConfig, Seat},
    patience::{self, Stopwatch},
};
use support::{EN, KO};

use crate::support;

/// So many cases travel while links are cut and nodes are killed.
const ROUNDS: u64 = 10;
/// The seed of what is cut and killed; `ONDOL_CHAOS_SEED` sets another.
const SEED: u64 = 77;

fn question(text: &str) -> Question<'_> {
    Question {
        specialty: "skin",
        place: Seat::Specialist.name(),
        urgency: "stat",
        text,
        picture: None,
    }
}

/// Whether a step of the open page is shown as done.
fn is_done(desk: &Desk, step: &str) -> bool {
    desk.browser.has(&format!(
        "//ol[@class='steps']/li[contains(@class,'done')][contains(.,'{}')]",
        desk.say(step)
    ))
}

/// Opens a page again and again until it is as it should be.
#[track_caller]
fn becomes(desk: &Desk, path: &str, what: &str, is_so: impl Fn() -> bool) {
    let so = patience::until(LINK_PATIENCE, || {
        desk.go(path);
        is_so().then_some(())
    });
    assert!(so.is_some(), "{path}: not {what}:\n{}", desk.browser.text());
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
        assert!(!is_done(&clinic, step), "{step} is not done while the link is cut");
    }
    clinic.browser.see("02-381-214");
    country.restore(Seat::Clinic);
    let path = format!("/consult/{consult}");
    becomes(&clinic, &path, "delivered", || is_done(&clinic, "consult-step-delivered"));
    let specialist = Desk::at(country.url(Seat::Specialist), EN).unwrap();
    specialist.sign_in("ryonhwa");
    specialist.open_consult(&consult);
    specialist.take();
    clinic.browser.see_after_reloading("량련화", LINK_PATIENCE);
}

/// All that a screen of the clinic could say too early about what was sent from it.
fn says_waiting(clinic: &Desk, patient: &str, consult: &str, referral: &str) {
    clinic.go(&format!("/consult/{consult}"));
    clinic.see("consult-waiting-here");
    for step in ["consult-step-delivered", "consult-step-seen", "consult-step-taken"] {
        assert!(!is_done(clinic, step), "{step} before it was acknowledged");
    }
    clinic.go(&format!("/referral/{referral}"));
    clinic.see("referral-waiting-here");
    for step in ["referral-arrived", "referral-replied"] {
        assert!(!is_done(clinic, step), "{step} before it was acknowledged");
    }
    for path in ["/", "/inbox", "/road", &format!("/people/{patient}")] {
        clinic.go(path);
        let chip = clinic.browser.attribute("//*[@id='road-chip']", "class").unwrap_or_default();
        assert!(!chip.contains("road-up"), "{path} calls the road free: {chip}");
        for word in ["consult-step-delivered", "consult-step-seen", "consult-step-taken"] {
            let word = clinic.say(word);
            assert!(!clinic.browser.says(word), "{path}: {word}\n{}", clinic.browser.text());
        }
    }
    clinic.go("/road");
    for done in ["road-all-there", "road-nothing-waits"] {
        assert!(!clinic.browser.says(clinic.say(done)), "{}", clinic.browser.text());
    }
    assert!(clinic.browser.has("//table[@class='waits']"), "{}", clinic.browser.text());
    clinic.go("/road/stick");
    assert!(!clinic.browser.says(clinic.say("stick-nothing-waits")), "{}", clinic.browser.text());
}

#[test]
fn with_acknowledgements_held_back_every_screen_says_waiting() {
    let country = Country::for_test("held-back", CountryConfig::for_tests()).unwrap();
    let Some(clinic) = Desk::at(country.url(Seat::Clinic), KO) else { return };
    filling::rosters(&country).unwrap();
    assert!(country.settles(&Seat::ALL, Duration::from_mins(1)));
    clinic.sign_in("yonghui");
    let name = support::a_resident();
    clinic.find(&name);
    let patient = clinic.chart_id();
    country.hold_back_answers(Seat::Clinic);
    let consult = clinic.ask(question("열이 나고 반점이 있습니다. 무엇을 합니까?"));
    // The data itself passes: who is asked has it, and takes it.
    let specialist = Desk::at(country.url(Seat::Specialist), EN).unwrap();
    specialist.sign_in("ryonhwa");
    specialist.open_consult(&consult);
    specialist.take();
    clinic.go(&format!("/people/{patient}"));
    let referral = clinic.refer(Seat::County.name(), "internal-medicine", "열이 내리지 않음");
    says_waiting(&clinic, &patient, &consult, &referral);
    // Longer than any patience of the link.
    thread::sleep(Duration::from_secs(8));
    says_waiting(&clinic, &patient, &consult, &referral);
    assert!(country.waiting(Seat::Clinic).unwrap() > 0);

    country.restore(Seat::Clinic);
    let path = format!("/consult/{consult}");
    for step in ["consult-step-delivered", "consult-step-seen", "consult-step-taken"] {
        becomes(&clinic, &path, step, || is_done(&clinic, step));
    }
    let waits = clinic.say("referral-waiting-here").to_owned();
    let path = format!("/referral/{referral}");
    becomes(&clinic, &path, "delivered", || !clinic.browser.says(&waits));
    let all_there = clinic.say("road-all-there").to_owned();
    becomes(&clinic, "/road", "all there", || clinic.browser.says(&all_there));
    let chip = "//*[@id='road-chip'][contains(@class,'road-up')]";
    becomes(&clinic, "/", "free", || clinic.browser.has(chip));
}

/// From registering to the answer that was read, with bad luck between the steps.
fn round(
    number: u64,
    (clinic, specialist): (&Desk, &Desk),
    mut strike: impl FnMut(),
) -> [String; 4] {
    // Nobody twice, or the clinic is asked whether it is the same person.
    let families = ["김", "박", "최", "정", "강", "조", "윤", "장", "림", "한"];
    let name = format!("{}봄순", families[usize::try_from(number).unwrap()]);
    let text = format!("{number}번째 물음: 무엇을 해야 합니까?");
    let advice = format!("{number}번째 대답: 물을 많이 마시게 하십시오");
    strike();
    let patient = clinic.register(Stranger { name: &name, sex: "female", age: "29" });
    strike();
    clinic.visit(VisitTyped {
        complaint: "어지러움",
        signs: &[("heart-rate", "88")],
        diagnosis: "",
        note: "",
        day: None,
    });
    strike();
    let consult = clinic.ask(question(&text));
    strike();
    specialist.open_consult(&consult);
    strike();
    specialist.take();
    strike();
    specialist.answer("", &advice, "");
    strike();
    clinic.go(&format!("/consult/{consult}"));
    clinic.acknowledge(&advice);
    [patient, consult, text, advice]
}

#[test]
fn cases_travel_whole_and_once_through_cuts_and_kills_at_random_points() {
    let country = Country::for_test("rounds", CountryConfig::for_tests()).unwrap();
    let Some(clinic) = Desk::at(country.url(Seat::Clinic), KO) else { return };
    filling::rosters(&country).unwrap();
    let specialist = Desk::at(country.url(Seat::Specialist), EN).unwrap();
    clinic.sign_in("yonghui");
    specialist.sign_in("ryonhwa");
    let seed = env::var("ONDOL_CHAOS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
    // On the way anything breaks at any moment; the two computers in use, between two steps.
    let mut on_the_way = Chaos::new(seed);
    on_the_way.mortal = vec![Seat::County, Seat::Province, Seat::Ministry];
    let mut at_hand = Chaos::new(!seed);
    (at_hand.mortal, at_hand.roads) = (vec![Seat::Clinic, Seat::Specialist], vec![]);
    let (country, over) = (Mutex::new(country), AtomicBool::new(false));
    let cases: Vec<[String; 4]> = thread::scope(|scope| {
        let _over = OverAtLast(&over);
        scope.spawn(|| on_the_way.rage(&country, (600, 2_500), &over).unwrap());
        let watch = Stopwatch::start();
        let cases = (0..ROUNDS).map(|number| {
            let case = round(number, (&clinic, &specialist), || {
                at_hand.strike_among(&country, 400).unwrap();
            });
            eprintln!("round {number} is over after {:?}", watch.elapsed());
            case
        });
        cases.collect()
    });
    let mut country = country.into_inner().unwrap();
    eprintln!("{:?}\n{:?}", on_the_way.happened, at_hand.happened);
    for [patient, consult, text, advice] in &cases {
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
    assert!(country.settles(&Seat::ALL, Duration::from_mins(2)), "something waits still");
    drop((clinic, specialist));
    let patients: Vec<&str> = cases.iter().map(|[patient, ..]| patient.as_str()).collect();
    all_show_the_same(&mut country, &patients);
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
