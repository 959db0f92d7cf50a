//! Signing in on a shared computer, with a real browser at a real node.

use ondol_testkit::{
    browser::{Browser, Lang, Size, Wish},
    node::{Country, CountryConfig, PASSWORD, Seat},
};

#[test]
fn a_health_worker_signs_in_in_both_languages_and_asks_nobody_outside() {
    let wish = Wish { lang: Lang::Ko, size: Size::Desk, script: true };
    let Some(browser) = Browser::start_or_skip(wish) else { return };
    let country = Country::for_test("door", CountryConfig::for_tests()).unwrap();
    let base = country.url(Seat::Clinic);
    browser.open(&format!("{base}/sign-in"));
    browser.fill("login", "yonghui");
    browser.fill("password", PASSWORD);
    browser.press("들어가기");
    browser.picture(&ondol_testkit::target_dir().join("look/first.jpg"));
    println!("{} {}", browser.url(), browser.text());
    let visit = browser.take_network().unwrap();
    println!("{visit:?}");
    assert_eq!(visit.outside(base).count(), 0);
}
