//! People at a shared computer, and people who come to it: passwords, PINs, cards and the lock;
//! those who have no papers, no name, or cannot say who they are. In real browsers at real nodes.

use std::time::Duration;

use ondol_testkit::{
    browser::Key,
    desk::{Desk, Stranger},
    node::{Country, CountryConfig, PASSWORD, Seat},
    patience,
};
use support::{EN, KO, paper};

use crate::support;

/// A country, or `None` where no browser is installed.
fn country(name: &str) -> Option<Country> {
    drop(ondol_testkit::browser::Browser::start_or_skip(KO)?);
    Some(Country::for_test(name, CountryConfig::for_tests()).unwrap())
}

/// What stands first in a part of the page.
fn text_of(desk: &Desk, selector: &str) -> String {
    let script = format!("return document.querySelector('{selector}')?.textContent ?? ''");
    desk.browser.run(&script).as_str().unwrap_or_default().trim().to_owned()
}

/// The digits of the number in the banner.
fn number(desk: &Desk) -> String {
    let digits: String =
        text_of(desk, ".banner .number").chars().filter(char::is_ascii_digit).collect();
    assert_eq!(digits.len(), 12, "a number of twelve digits: {}", desk.browser.text());
    digits
}

fn is_signed_in(desk: &Desk, name: &str) {
    let there = patience::until(Duration::from_secs(20), || {
        (text_of(desk, "header .who b") == name).then_some(())
    });
    assert!(there.is_some(), "{name} has not signed in:\n{}", desk.browser.text());
}

/// Chooses a name among those that this computer knows.
fn choose(desk: &Desk, name: &str) {
    desk.go("/switch");
    desk.browser.press_at(&format!("//button[@name='account'][contains(.,'{name}')]"));
}

fn with_pin(desk: &Desk, name: &str, pin: &str) {
    choose(desk, name);
    desk.browser.fill("pin", pin);
    desk.next();
    is_signed_in(desk, name);
}

/// A reader of cards types what the code says, and Enter.
fn hold_card(desk: &Desk, code: &str) {
    desk.browser.fill("card", code);
    desk.browser.key(Key::Enter);
}

const WORKER: &str = "리용희";
const HEAD: &str = "김성철";
/// What she is writing.
const HERS: &str = "사흘째 열이 남";

/// Both sign in with their passwords; then PINs are enough. Gives the code of her card.
fn the_morning(country: &Country, desk: &Desk) -> String {
    // The password once in the morning. A password alone tells nobody anything.
    desk.go("/sign-in");
    desk.browser.fill("login", "yonghui");
    desk.browser.fill("password", "ondol-demo-78");
    desk.press("door-enter");
    desk.see("refused-wrong-password");
    desk.sign_in("yonghui");
    is_signed_in(desk, WORKER);
    desk.go("/me/card");
    desk.browser.fill("old", PASSWORD);
    desk.next();
    desk.see("door-card-once");
    let card = paper::print(desk, country.dir(), "staff-card");
    let code = card.qr.expect("the card's code is read from the paper");
    assert!(!desk.browser.text().contains(&code) && !card.words.contains(&code), "a secret");

    // The head of the clinic gives his password once, too; then PINs are enough for both.
    desk.go("/switch");
    desk.press("door-somebody-else");
    desk.browser.fill("login", "songchol");
    desk.browser.fill("password", PASSWORD);
    desk.press("door-enter");
    is_signed_in(desk, HEAD);
    desk.go("/lock-after");
    desk.browser.fill("minutes", "1");
    desk.next();
    desk.see("note-saved");
    choose(desk, WORKER);
    desk.browser.fill("pin", "4822");
    desk.next();
    desk.see("refused-wrong-pin");
    desk.browser.fill("pin", "4821");
    desk.next();
    is_signed_in(desk, WORKER);
    code
}

/// Nobody touches the computer for a minute.
fn locks_by_itself(desk: &Desk) {
    desk.browser.fill("complaint", &format!("{HERS}, 기침"));
    let locked = patience::until(Duration::from_secs(80), || {
        desk.browser.url().contains("/locked").then_some(())
    });
    assert!(locked.is_some(), "it did not lock: {}", desk.browser.url());
    desk.see("door-locked");
    assert!(!desk.browser.source().contains(HERS));
    desk.browser.fill("pin", "4821");
    desk.next();
    desk.browser.see(&support::a_resident());
    assert_eq!(desk.browser.value("complaint"), format!("{HERS}, 기침"));
}

#[test]
fn a_shared_computer_is_switched_by_pin_and_card_locks_itself_and_keeps_drafts_for_their_author() {
    let Some(country) = country("people-door") else { return };
    let desk = Desk::at(country.url(Seat::Clinic), KO).unwrap();
    let code = the_morning(&country, &desk);

    // She types half a visit and locks; he looks at the same page, and sees nothing of it.
    desk.find(&support::a_resident());
    let visit = format!("/people/{}/visits/new", desk.chart_id());
    desk.go(&visit);
    desk.browser.fill("complaint", HERS);
    desk.see("draft-saved");
    desk.press("lock");
    desk.see("door-locked");
    assert!(!desk.browser.source().contains(HERS), "the lock shows what was written");
    desk.go(&visit);
    desk.see("door-locked");
    with_pin(&desk, HEAD, "7390");
    desk.go(&visit);
    assert_eq!(desk.browser.value("complaint"), "", "a draft is its author's");
    assert!(!desk.browser.source().contains(HERS));

    // She comes back with her card and finds it as she left it.
    desk.go("/switch");
    hold_card(&desk, "ondol:k:this-is-no-card");
    desk.see("refused-wrong-card");
    hold_card(&desk, &code);
    is_signed_in(&desk, WORKER);
    desk.go(&visit);
    assert_eq!(desk.browser.value("complaint"), HERS);

    // It locks itself, and what was written last is kept.
    locks_by_itself(&desk);
    desk.next();
    desk.see("note-saved");
    desk.browser.see(HERS);
    let wrote = text_of(&desk, ".visit header");
    assert!(wrote.contains(WORKER), "the visit is hers: {wrote}");
}

/// Registers a newborn by the number on the mother's card.
fn newborn(desk: &Desk, mother: &str, sex: &str, order: &str) -> (String, String) {
    desk.go("/people/new?kind=newborn");
    desk.browser.fill("mother-number", mother);
    desk.browser.choose("sex", sex);
    desk.browser.choose("order", order);
    desk.next();
    desk.see("note-people-registered");
    (desk.chart_id(), number(desk))
}

/// The number with one wrong digit.
fn mistyped(number: &str, place: usize) -> String {
    let digit = |(at, digit): (usize, char)| match digit.to_digit(10) {
        Some(value) if at == place => char::from_digit((value + 1) % 10, 10).unwrap(),
        _ => digit,
    };
    number.char_indices().map(digit).collect()
}

/// Card and wristband carry the number in print and as a code, and the code finds the person.
fn has_card(desk: &Desk, country: &Country, chart: &str, number: &str, name: &str) {
    let grouped = format!("{}-{}-{}", &number[..4], &number[4..8], &number[8..]);
    for what in ["card", "wristband"] {
        desk.go(&format!("/people/{chart}/{what}"));
        let paper = paper::print(desk, country.dir(), &format!("{what}-{number}"));
        assert_eq!(paper.qr.as_deref(), Some(format!("ondol:p:{number}").as_str()), "{what}");
        assert!(paper.words.contains(&grouped), "{what}: {}", paper.words);
        assert!(paper.lacks(name).is_empty(), "{what} of {name}: {}", paper.words);
        desk.look_for(&paper.qr.unwrap());
        desk.browser.shows(&format!("//main//a[@href='/people/{chart}']"));
    }
}

#[test]
fn whoever_comes_without_name_or_papers_has_a_number_a_card_and_a_wristband_at_once() {
    let Some(country) = country("people-new") else { return };
    let desk = Desk::at(country.url(Seat::Clinic), EN).unwrap();
    desk.sign_in("yonghui");
    desk.register(Stranger { name: "정은별", sex: "female", age: "27" });
    let mother = number(&desk);

    let (a, first) = newborn(&desk, &mother, "female", "1");
    let (b, second) = newborn(&desk, &mother, "male", "2");
    assert_ne!(a, b, "twins are two");
    for (chart, letter) in [(&a, "A"), (&b, "B")] {
        desk.go(&format!("/people/{chart}"));
        let name = text_of(&desk, ".banner-name");
        assert_eq!(name, format!("Baby of 정은별 {letter}"));
        assert!(text_of(&desk, ".banner-facts").contains("정은별"), "the mother is named");
    }
    desk.go("/people/new?kind=known");
    desk.browser.choose("sex", "female");
    desk.browser.fill("age", "40");
    desk.next();
    desk.see("patient-no-name");
    let (nameless, third) = (desk.chart_id(), number(&desk));
    let no_name = desk.say("patient-no-name").to_owned();

    // A wrong digit is noticed, wherever it stands; the right number finds its owner.
    for place in [0, 5, 11] {
        desk.look_for(&mistyped(&second, place));
        desk.see("people-mistyped");
    }
    desk.go("/people/new?kind=newborn");
    desk.browser.fill("mother-number", &mistyped(&mother, 7));
    desk.next();
    desk.see("people-error-mother-number");

    has_card(&desk, &country, &b, &second, "Baby of 정은별 B");
    has_card(&desk, &country, &nameless, &third, &no_name);

    // The county hospital is told the number by telephone, and finds the child.
    assert!(country.settles(&[Seat::Clinic], Duration::from_mins(1)));
    let county = Desk::at(country.url(Seat::County), EN).unwrap();
    county.sign_in("tongil");
    let found = patience::until(Duration::from_mins(1), || {
        county.look_for(&first);
        county.browser.has(&format!("//a[contains(@href,'/people/{a}')]")).then_some(())
    });
    assert!(found.is_some(), "the county finds nobody:\n{}", county.browser.text());
    county.go(&format!("/people/{a}"));
    county.press("people-receive-go");
    county.browser.see("Baby of 정은별 A");
    assert_eq!(number(&county), first);
}

#[test]
fn an_unknown_person_is_linked_to_the_known_chart_and_unlinked_again() {
    let Some(country) = country("people-link") else { return };
    let desk = Desk::at(country.url(Seat::Clinic), KO).unwrap();
    desk.sign_in("yonghui");
    let known = desk.register(Stranger { name: "독고련", sex: "male", age: "51" });
    desk.go("/people/new?kind=stranger");
    desk.browser.choose("sex", "male");
    desk.browser.fill("age", "50");
    desk.browser.fill("description", "회색 웃옷, 왼쪽 볼에 흉터");
    desk.browser.fill("found-at", "다리목");
    desk.next();
    desk.see("note-people-registered");
    let stranger = desk.chart_id();
    let provisional = number(&desk);
    desk.see("patient-provisional");
    desk.browser.see("왼쪽 볼에 흉터");
    let called = desk.say("people-stranger").to_owned();
    has_card(&desk, &country, &stranger, &provisional, &called);

    // Care does not wait for a name.
    desk.go(&format!("/people/{stranger}"));
    desk.next();
    desk.browser.fill("complaint", "정신을 잃고 쓰러짐");
    desk.browser.choose("alertness", "U");
    desk.next();
    desk.browser.see("정신을 잃고 쓰러짐");

    desk.go(&format!("/people/{stranger}/link"));
    desk.browser.fill("q", "독고련");
    desk.press("search");
    desk.browser.choose("known", &known);
    desk.browser.fill("reason", "동생이 알아보았음");
    desk.next();
    desk.see("note-people-linked");
    for (chart, other) in [(&known, &stranger), (&stranger, &known)] {
        desk.go(&format!("/people/{chart}"));
        assert!(
            desk.browser.has(&format!("//main//a[contains(@href,'/people/{other}')]")),
            "{chart} does not name the other:\n{}",
            desk.browser.text()
        );
    }
    // The two are read as one while the link stands, and are two again after it.
    desk.go(&format!("/people/{known}"));
    desk.browser.see("정신을 잃고");
    // It was somebody else after all.
    desk.go(&format!("/people/{stranger}/link"));
    desk.see("people-linked-to");
    desk.browser.fill("reason", "다른 사람이였음");
    desk.press("people-unlink");
    desk.see("people-unlinked");
    for (chart, other) in [(&known, &stranger), (&stranger, &known)] {
        desk.go(&format!("/people/{chart}"));
        assert!(!desk.browser.has(&format!("//main//a[contains(@href,'/people/{other}')]")));
    }
    desk.go(&format!("/people/{known}"));
    assert!(!desk.browser.says("정신을 잃고"));
}
