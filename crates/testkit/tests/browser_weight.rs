//! What pages weigh on the wire, and that they ask nobody outside.

use ondol_testkit::{
    browser::{Size, Wish},
    desk::Desk,
    filling,
    node::{Country, CountryConfig, PASSWORD, Seat},
};
use support::KO;

use crate::support;

/// The first page with everything, bytes.
const FIRST_MAX: u64 = 60_000;
/// Later pages, bytes.
const LATER_MAX: u64 = 15_000;

#[test]
fn the_first_page_is_light_later_ones_are_lighter_and_nothing_is_asked_outside() {
    let wish = Wish { size: Size::Desk, ..KO };
    let country = Country::for_test("weight", CountryConfig::for_tests()).unwrap();
    let base = country.url(Seat::Clinic);
    let Some(clinic) = Desk::at(base, wish) else { return };
    filling::rosters(&country).unwrap();
    let browser = &clinic.browser;
    clinic.go("/sign-in");
    let first = browser.take_network().unwrap();
    assert_eq!(first.outside(base).collect::<Vec<_>>(), [""; 0]);
    println!("the first page: {} bytes", first.bytes());
    assert!(first.bytes() <= FIRST_MAX, "{first:?}");

    browser.fill("login", "yonghui");
    browser.fill("password", PASSWORD);
    clinic.press("door-enter");
    clinic.see("lock");
    browser.take_network().unwrap();
    let name = support::a_resident();
    clinic.find(&name);
    let chart = format!("/people/{}", clinic.chart_id());
    let ask = chart.replace("/people/", "/ask/");
    let visit = format!("{chart}/visits/new");
    let skin = format!("{ask}/skin");
    browser.take_network().unwrap();
    let mut heavy = vec![];
    let pages = [
        "/",
        "/people",
        "/people/new",
        &chart,
        &visit,
        &ask,
        &skin,
        "/inbox",
        "/referrals",
        "/duty",
        "/duty/week",
        "/road",
        "/road/stick",
        "/me",
        "/papers",
        "/staff",
        "/help",
        "/trust",
    ];
    for page in pages {
        // The first sight of a page brings its own style; what counts is each visit with a
        // browser that has been here before.
        clinic.go(page);
        let once = browser.take_network().unwrap();
        assert_eq!(once.outside(base).collect::<Vec<_>>(), [""; 0], "{page}");
        clinic.go(page);
        let again = browser.take_network().unwrap();
        println!("{page}: {} bytes, {} the first time", again.bytes(), once.bytes());
        if again.bytes() > LATER_MAX || once.bytes() > LATER_MAX {
            heavy.push((page.to_owned(), once.bytes(), again.bytes()));
        }
    }
    assert!(heavy.is_empty(), "heavier than {LATER_MAX} bytes: {heavy:?}");
    let complaints = browser.take_complaints().unwrap();
    let ours = complaints.iter().filter(|line| !line.contains("404") && !line.contains("403"));
    assert_eq!(ours.collect::<Vec<_>>(), Vec::<&String>::new());
}
