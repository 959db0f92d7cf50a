//! The sound of an emergency: for the one on duty alone, until somebody takes it.

use std::{thread, time::Duration};

use ondol_testkit::{
    desk::{Desk, Question, Stranger},
    filling,
    node::{Country, CountryConfig, Seat},
    patience,
};
use support::KO;

use crate::support;

/// Counts the tones that really begin: those of a context of sound that runs.
const COUNT: &str = "window.tones = 0; \
    const make = AudioContext.prototype.createOscillator; \
    AudioContext.prototype.createOscillator = function () { \
        if (this.state === 'running') window.tones += 1; return make.call(this); }; \
    return null;";

fn tones(desk: &Desk) -> u64 {
    desk.browser.run("return window.tones").as_u64().unwrap()
}

/// Whether the page shows an alarm that is to sound.
fn sounds(desk: &Desk) -> bool {
    desk.browser.has("//*[@data-alarm]")
}

fn emergency(clinic: &Desk) -> String {
    clinic.sign_in("yonghui");
    clinic.register(Stranger { name: "변금순", sex: "female", age: "58" });
    clinic.ask(Question {
        specialty: "skin",
        place: Seat::Specialist.name(),
        urgency: "stat",
        text: "온몸에 물집이 돋고 숨이 가쁩니다",
        picture: None,
    })
}

#[test]
fn an_emergency_sounds_for_the_one_on_duty_alone_until_somebody_takes_it() {
    let country = Country::for_test("alarm", CountryConfig::for_tests()).unwrap();
    filling::rosters(&country).unwrap();
    let Some(clinic) = Desk::at(country.url(Seat::Clinic), KO) else { return };
    let at = |login: &str| {
        let desk = Desk::at(country.url(Seat::Specialist), KO).unwrap();
        desk.sign_in(login);
        desk
    };
    let (on_duty, another) = (at("ryonhwa"), at("kyongho"));
    for desk in [&on_duty, &another] {
        desk.go("/papers");
        desk.browser.run(COUNT);
    }
    let consult = emergency(&clinic);

    // Nobody asked for the page again: the bar comes by itself, and a touch lets it sound.
    let shown = patience::until(Duration::from_secs(40), || sounds(&on_duty).then_some(()));
    assert!(shown.is_some(), "no alarm for the one on duty:\n{}", on_duty.browser.text());
    if on_duty.browser.has("//button[@data-alarm-sound and not(@hidden)]") {
        on_duty.press("inbox-sound-on");
    }
    let heard = patience::until(Duration::from_secs(20), || (tones(&on_duty) >= 4).then_some(()));
    assert!(heard.is_some(), "it is shown, and silent");
    assert!(!sounds(&another), "it sounds for somebody who is not on duty");
    assert_eq!(tones(&another), 0);
    assert!(!sounds(&clinic), "it sounds where it was asked");

    on_duty.open_consult(&consult);
    on_duty.browser.run(COUNT);
    on_duty.take();
    on_duty.go("/papers");
    on_duty.browser.run(COUNT);
    thread::sleep(Duration::from_secs(6));
    assert_eq!(tones(&on_duty), 0, "it still sounds after it was taken");
    assert!(!sounds(&on_duty));
}
