//! Consults: what goes along and what it costs, the four states, duty and its gaps, emergencies
//! that nobody takes, the county that watches over its clinics, and answers that say what they
//! were written from. In real browsers at real nodes with links between them, seen at both ends.

use std::time::Duration;

use ondol_testkit::{
    browser::Wish,
    desk::{Desk, LINK_PATIENCE, Question, Stranger, VisitTyped},
    filling,
    node::{Country, CountryConfig, Seat},
    patience::{self, Stopwatch},
};
use support::{EN, KO, dicom};

use crate::support;

const MINUTE: Duration = Duration::from_mins(1);
const PHONE: &str = "02-381-214";
const BLANK: VisitTyped<'static> =
    VisitTyped { complaint: "", signs: &[], diagnosis: "", note: "", day: None };

/// A country, or `None` where no browser is installed.
fn country(name: &str) -> Option<Country> {
    drop(ondol_testkit::browser::Browser::start_or_skip(KO)?);
    Some(Country::for_test(name, CountryConfig::for_tests()).unwrap())
}

fn desk(country: &Country, seat: Seat, login: &str, wish: Wish) -> Desk {
    let desk = Desk::at(country.url(seat), wish).unwrap();
    desk.sign_in(login);
    desk
}

/// What a script in the page gives, as text.
fn run(desk: &Desk, script: &str) -> String {
    let given = desk.browser.run(&format!("return String({script})"));
    given.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn text_of(desk: &Desk, selector: &str) -> String {
    run(desk, &format!("document.querySelector(\"{selector}\")?.textContent ?? ''"))
}

/// Looks at a page again and again until it has something.
fn has_at_last(desk: &Desk, path: &str, xpath: &str, within: Duration) {
    let found = patience::until(within, || {
        desk.go(path);
        desk.browser.has(xpath).then_some(())
    });
    assert!(found.is_some(), "{path} has no {xpath}:\n{}", desk.browser.text());
}

/// The four states: what stands under each, empty where it is not reached.
fn states(desk: &Desk) -> [String; 4] {
    [1, 2, 3, 4].map(|at| text_of(desk, &format!("ol.steps li:nth-child({at}) small")))
}

/// The bytes behind the first picture that shows in a part of the page.
fn bytes_behind(desk: &Desk, xpath: &str, attribute: &str) -> usize {
    let address = desk.browser.attribute(xpath, attribute).unwrap();
    let script = format!(
        "(() => {{ const r = new XMLHttpRequest(); r.open('GET', '{address}', false); \
         r.overrideMimeType('text/plain; charset=x-user-defined'); r.send(); \
         return r.responseText.length }})()"
    );
    run(desk, &script).parse().unwrap()
}

/// Asks with a photograph and an X-ray, what the clinic has at hand, and a look at the costs. Gives
/// the consult, and what is said of the photograph.
fn ask_with_pictures(country: &Country, clinic: &Desk, chart: &str) -> (String, String) {
    let photo = support::photograph(country.dir(), 900);
    let xray = dicom::radiograph(country.dir(), "HWANG^OK RAN", 512);
    clinic.go(&format!("/ask/{chart}/skin"));
    clinic.browser.see(PHONE);
    clinic.browser.see("량련화");
    clinic.browser.fill("question", "무슨 병입니까?");
    clinic.browser.choose("urgency", "urgent");
    clinic.browser.press(Seat::Specialist.name());
    for (file, shown) in [(&photo, "consult-part-photo"), (&xray, "consult-part-dicom")] {
        clinic.browser.attach("file", file);
        clinic.press("consult-attach");
        clinic.see(shown);
    }
    clinic.browser.choose("power", "battery");
    clinic.browser.fill("equipment", "산소발생기");
    clinic.browser.fill("medicines", "페니실린");
    clinic.next();
    clinic.see("consult-check");
    // Each part says what it costs now, and what its original would.
    let lines = run(clinic, "document.querySelectorAll('#send .part .row-end').length");
    assert_eq!(lines, "4", "text, two pictures, all: {}", clinic.browser.text());
    let costs = ["consult-cost-short", "consult-cost-minutes", "consult-cost-hours"];
    for at in 0..4 {
        let script = format!("document.querySelectorAll('#send .part .row-end')[{at}].textContent");
        let cost = run(clinic, &script);
        assert!(costs.iter().any(|key| cost.contains(clinic.say(key))), "part {at}: {cost}");
    }
    let later = text_of(clinic, "#send .part:nth-child(2) small");
    assert!(later.contains(clinic.say("consult-original-later")), "{later}");
    // The X-ray names somebody else: nothing goes until she has looked.
    clinic.see("consult-differs-name");
    clinic.next();
    clinic.see("consult-mend-whose");
    clinic.press("consult-sure");
    clinic.next();
    clinic.see("note-consult-sent");
    (clinic.consult_id(), later)
}

fn pictures_come(specialist: &Desk, consult: &str, promised: &str) {
    let path = format!("/consult/{consult}");
    let photo = format!(
        "(//ul[@class='pictures']/li)[.//*[contains(.,'{}')]]",
        specialist.say("consult-part-photo")
    );
    has_at_last(specialist, &path, &format!("{photo}//img"), LINK_PATIENCE);
    let preview = bytes_behind(specialist, &format!("{photo}//img"), "src");
    assert!((1_000..=30 * 1024).contains(&preview), "the small picture has {preview} bytes");
    assert!(!specialist.browser.has(&format!("{photo}//a[@target='_blank']")), "not asked for");
    let xray = format!(
        "(//ul[@class='pictures']/li)[.//*[contains(.,'{}')]]",
        specialist.say("consult-part-dicom")
    );
    has_at_last(specialist, &path, &format!("{xray}//img"), LINK_PATIENCE);
    specialist.see("consult-differs-name");
    specialist.browser.press_at(&format!("{photo}//form[contains(@action,'/original')]//button"));
    specialist.see("note-consult-wanted");
    // It appears as it comes: nobody has to load the page again.
    let whole = format!("{photo}//a[@target='_blank']");
    let come = patience::until(LINK_PATIENCE, || specialist.browser.has(&whole).then_some(()));
    assert!(come.is_some(), "the original does not appear:\n{}", specialist.browser.text());
    let whole = bytes_behind(specialist, &whole, "href");
    let size = format!(" {} KB", whole.div_ceil(1_000));
    assert!(whole > 100_000 && promised.contains(&size), "{whole} bytes came for: {promised}");
}

#[test]
fn a_question_goes_with_pictures_and_the_answer_says_what_it_was_written_from() {
    let Some(country) = country("consult-answer") else { return };
    filling::rosters(&country).unwrap();
    let clinic = desk(&country, Seat::Clinic, "yonghui", KO);
    let chart = clinic.register(Stranger { name: "황옥란", sex: "female", age: "34" });
    clinic.visit(VisitTyped {
        complaint: "팔에 반점",
        signs: &[("body-temperature", "37.2")],
        ..BLANK
    });
    let (consult, promised) = ask_with_pictures(&country, &clinic, &chart);
    let path = format!("/consult/{consult}");

    // Sent, by name and time; delivered before anybody has looked.
    let sent = states(&clinic);
    assert!(sent[0].contains("리용희") && sent[0].contains(':'), "{sent:?}");
    assert!(sent[2].is_empty() && sent[3].is_empty(), "{sent:?}");
    assert!(clinic.browser.has(&format!("//a[@href='tel:{PHONE}']")), "the duty telephone");
    let state = |at: usize| format!("//ol[@class='steps']/li[{at}][.//time]");
    has_at_last(&clinic, &path, &state(2), LINK_PATIENCE);
    assert!(states(&clinic)[1].contains(Seat::Specialist.name()), "{:?}", states(&clinic));
    assert!(states(&clinic)[2].is_empty(), "nobody has looked: {:?}", states(&clinic));

    let specialist = desk(&country, Seat::Specialist, "ryonhwa", EN);
    specialist.open_consult(&consult);
    for said in ["황옥란", "37.2", "산소발생기", "페니실린", Seat::Clinic.name()] {
        specialist.browser.see(said);
    }
    specialist.see("consult-their-means");
    has_at_last(&clinic, &path, &state(3), LINK_PATIENCE);
    assert!(states(&clinic)[2].contains("량련화") && states(&clinic)[3].is_empty());
    pictures_come(&specialist, &consult, &promised);
    specialist.take();
    has_at_last(&clinic, &path, &state(4), LINK_PATIENCE);
    assert!(states(&clinic)[3].contains("량련화"), "{:?}", states(&clinic));
    clinic.browser.see(clinic.say("consult-has-it"));

    talk(&clinic, &specialist, &path);
    specialist.answer("접촉성피부염", "고약을 바르십시오", "열이 나면 알리십시오");
    clinic.go(&path);
    clinic.browser.see_after_reloading("고약을 바르십시오", LINK_PATIENCE);
    assert!(!clinic.browser.says(clinic.say("consult-written-before")), "nothing came after");

    // She takes a fever afterwards: the advice did not know of it, and says so at both ends.
    clinic.go(&format!("/people/{chart}"));
    clinic.visit(VisitTyped {
        complaint: "열이 오름",
        signs: &[("body-temperature", "39.8")],
        ..BLANK
    });
    for desk in [&clinic, &specialist] {
        desk.go(&path);
        let words = desk.say("consult-written-before").to_owned();
        desk.browser.see_after_reloading(&words, LINK_PATIENCE);
        let later = text_of(desk, ".answer .notice.ask");
        assert!(later.contains("39.8"), "{later}");
    }
    clinic.acknowledge("고약을 바르십시오");
    clinic.go(&path);
    clinic.tell_outcome("improved", "이틀만에 가라앉았습니다");
    specialist.go(&path);
    specialist.browser.see_after_reloading("이틀만에 가라앉았습니다", LINK_PATIENCE);
    specialist.see("consult-step-acknowledged");
    specialist.see("consult-outcome-improved");
}

/// She is asked back, replies, and hears why it is less urgent.
fn talk(clinic: &Desk, specialist: &Desk, path: &str) {
    specialist.press("consult-do-message");
    specialist.browser.fill("message", "가렵습니까?");
    specialist.next();
    specialist.see("consult-talk");
    clinic.browser.see_after_reloading("가렵습니까?", LINK_PATIENCE);
    clinic.press("consult-do-reply");
    clinic.browser.fill("message", "밤에 더 가렵습니다");
    clinic.next();
    specialist.go(path);
    specialist.browser.see_after_reloading("밤에 더 가렵습니다", LINK_PATIENCE);
    specialist.press("consult-do-regrade");
    specialist.browser.choose("urgency", "routine");
    specialist.next();
    specialist.see("consult-mend-reason");
    specialist.browser.fill("reason", "퍼지지 않았으므로");
    specialist.next();
    specialist.see("consult-step-regraded");
    clinic.go(path);
    clinic.browser.see_after_reloading("퍼지지 않았으므로", LINK_PATIENCE);
    let words = clinic.say("consult-routine").to_owned();
    assert!(text_of(clinic, "h1 .urgency").contains(&words), "{}", text_of(clinic, "h1"));
}

/// Sets a service up: its telephone, and who coordinates.
fn service(manager: &Desk, code: &str, phone: &str, coordinator: &str) {
    manager.go("/duty/service");
    manager.browser.choose("service", code);
    manager.browser.fill("phone", phone);
    if !coordinator.is_empty() {
        pick(manager, "coordinator", coordinator);
    }
    manager.next();
    manager.browser.see(phone);
}

/// Chooses somebody by name from a list.
fn pick(desk: &Desk, field: &str, name: &str) {
    desk.browser.press_at(&format!("//select[@name='{field}']/option[.='{name}']"));
}

/// Puts somebody on the roster of this week and the last, for the whole of each day.
fn roster(manager: &Desk, code: &str, who: &str, deputy: &str) {
    let today = support::today();
    for day in [today, ondol_kernel::Date::from_days(today.days() - 7).unwrap()] {
        manager.go(&format!("/duty/week?from={day}"));
        manager.browser.choose("service", code);
        pick(manager, "who", who);
        pick(manager, "deputy", deputy);
        for at in 1..=7 {
            manager.browser.press_at(&format!("(//input[@name='days'])[{at}]/ancestor::label"));
        }
        manager.browser.choose("shift", "whole");
        manager.next();
        manager.browser.see(who);
    }
}

/// A duty without anybody is seen by the facility and by the tier above; checking in ends it.
fn gaps_are_seen_above(country: &Country, manager: &Desk) {
    service(manager, "surgery", "02-381-230", "");
    manager.go("/duty");
    manager.see("duty-gap-nobody");
    let ministry = desk(country, Seat::Ministry, "kwangmin", EN);
    let gap = ministry.say("duty-gap-nobody").to_owned();
    let row = |what: &str| {
        let place = Seat::Specialist.name();
        format!(
            "//li[contains(.,'{place}')]//small[contains(.,'Surgery') and contains(.,'{what}')]"
        )
    };
    has_at_last(&ministry, "/duty", &row(&gap), MINUTE);
    let doctor = desk(country, Seat::Specialist, "kyongho", EN);
    doctor.go("/duty");
    doctor
        .browser
        .press_at("//section[.//input[@value='surgery']]//form[@action='/duty/in']//button");
    doctor.see("note-duty-in");
    let gone = patience::until(MINUTE, || {
        ministry.go("/duty");
        (!ministry.browser.has(&row(&gap))).then_some(())
    });
    assert!(gone.is_some(), "the ministry still sees the gap:\n{}", ministry.browser.text());
}

#[test]
fn an_emergency_that_nobody_took_calls_further_at_both_ends_though_the_link_is_cut() {
    let Some(country) = country("consult-alarm") else { return };
    let manager = desk(&country, Seat::Specialist, "yongnam", KO);
    service(&manager, "skin", PHONE, "정경호");
    roster(&manager, "skin", "량련화", "신영남");
    let head = desk(&country, Seat::Clinic, "songchol", KO);
    head.go("/settings");
    head.browser.fill("escalate", "1");
    head.next();
    head.see("note-saved");
    // The roster has to be known at the clinic before the link is cut.
    let clinic = desk(&country, Seat::Clinic, "yonghui", EN);
    let chart = clinic.register(Stranger { name: "김광철", sex: "male", age: "61" });
    let known = format!("//label[@class='place'][contains(.,'{PHONE}')]");
    has_at_last(&clinic, &format!("/ask/{chart}/skin"), &known, LINK_PATIENCE);

    country.cut(Seat::Clinic);
    clinic.go(&format!("/people/{chart}"));
    let consult = clinic.ask(Question {
        specialty: "skin",
        place: Seat::Specialist.name(),
        urgency: "stat",
        text: "물집이 돋고 숨이 가쁩니다",
        picture: None,
    });
    let asked = Stopwatch::start();
    let path = format!("/consult/{consult}");
    clinic.see("consult-waiting-here");
    assert!(!clinic.browser.says(clinic.say("consult-telephone-now")), "not yet");
    gaps_are_seen_above(&country, &manager);

    // Nobody can have taken it. The clinic's own timer says what to do, by name and number.
    clinic.go(&path);
    let words = clinic.say("consult-telephone-now").to_owned();
    clinic.browser.see_after_reloading(&words, Duration::from_secs(100));
    assert!(asked.elapsed() > Duration::from_secs(58), "too early");
    assert!(text_of(&clinic, ".alarm").contains(PHONE), "{}", text_of(&clinic, ".alarm"));
    let told = text_of(&clinic, "#live .notice.bad");
    for name in ["신영남", "정경호", Seat::County.name()] {
        assert!(told.contains(name), "{name} is not told: {told}");
    }
    country.restore(Seat::Clinic);
    rings_for_the_one_on_duty(&country, &consult, &clinic);
}

/// The alarm as it is on any page that stands open.
const BAR: &str = "//*[@class='alarm']";
const SOUND: &str = "//*[@data-alarm]";

fn rings_for_the_one_on_duty(country: &Country, consult: &str, clinic: &Desk) {
    let on_duty = desk(country, Seat::Specialist, "ryonhwa", KO);
    on_duty.go("/duty");
    on_duty
        .browser
        .press_at("//section[.//input[@value='skin']]//form[@action='/duty/in']//button");
    on_duty.see("note-duty-in");
    let other = desk(country, Seat::Specialist, "kyongho", EN);
    let county = desk(country, Seat::County, "chomsu", EN);
    // Without touching anything: the page that stands open begins to ring.
    on_duty.go("/help");
    other.go("/help");
    let rings = patience::until(LINK_PATIENCE, || on_duty.browser.has(SOUND).then_some(()));
    assert!(rings.is_some(), "it does not ring:\n{}", on_duty.browser.text());
    let shows = patience::until(MINUTE, || other.browser.has(BAR).then_some(()));
    assert!(shows.is_some(), "the coordinator is told, too:\n{}", other.browser.text());
    assert!(!other.browser.has(SOUND), "it rings for the one on duty alone");
    // The county was told, and sees neither name nor question.
    county.go("/inbox/watched");
    let words = county.say("inbox-escalated").to_owned();
    county.browser.see_after_reloading(&words, LINK_PATIENCE);
    county.go(&format!("/consult/{consult}/states"));
    county.see("consult-nobody-took");
    county.browser.see(PHONE);
    assert!(!county.browser.source().contains("물집"), "the states are without content");

    on_duty.go(&format!("/consult/{consult}"));
    on_duty.take();
    on_duty.go("/help");
    for desk in [&on_duty, &other] {
        let quiet = patience::until(MINUTE, || (!desk.browser.has(BAR)).then_some(()));
        assert!(quiet.is_some(), "'I take it' does not silence it:\n{}", desk.browser.text());
    }
    assert!(!on_duty.browser.has(SOUND));
    clinic.go(&format!("/consult/{consult}"));
    let has_it = clinic.say("consult-has-it").to_owned();
    clinic.browser.see_after_reloading(&has_it, LINK_PATIENCE);
    assert!(!clinic.browser.has(BAR), "{}", clinic.browser.text());
    assert!(states(clinic)[3].contains("량련화"), "{:?}", states(clinic));
}

#[test]
fn the_county_sends_on_joins_and_answers_what_its_clinic_asks() {
    let Some(country) = country("consult-county") else { return };
    filling::rosters(&country).unwrap();
    let clinic = desk(&country, Seat::Clinic, "yonghui", EN);
    clinic.register(Stranger { name: "장봄이", sex: "female", age: "45" });
    clinic.visit(VisitTyped { complaint: "기침", ..BLANK });
    let consult = clinic.ask(Question {
        specialty: "internal-medicine",
        place: Seat::County.name(),
        urgency: "urgent",
        text: "밤에 땀이 납니다",
        picture: None,
    });
    let path = format!("/consult/{consult}");
    let county = desk(&country, Seat::County, "chomsu", KO);
    county.open_consult(&consult);
    county.press("consult-do-redirect");
    county.browser.press(Seat::Specialist.name());
    county.browser.fill("reason", "결핵이 의심됨");
    county.next();
    county.see("note-consult-redirected");

    let specialist = desk(&country, Seat::Specialist, "kyongho", EN);
    specialist.open_consult(&consult);
    specialist.browser.see("장봄이");
    specialist.browser.see("결핵이 의심됨");
    specialist.take();
    county.go(&path);
    let has_it = county.say("consult-has-it").to_owned();
    county.browser.see_after_reloading(&has_it, LINK_PATIENCE);
    assert!(states(&county)[3].contains("정경호"), "{:?}", states(&county));
    county.press("consult-do-join");
    county.see("note-consult-taken");
    for desk in [&clinic, &specialist] {
        desk.go(&path);
        let words = desk.say("consult-works-along").to_owned();
        desk.browser.see_after_reloading(&words, LINK_PATIENCE);
        assert!(text_of(desk, "#live .card").contains("로점수"), "{}", text_of(desk, "#live"));
        desk.see("consult-step-redirected");
    }
    county.go(&format!("{path}/do/answer"));
    county.browser.fill("findings", "결핵일수 있음");
    county.browser.fill("advice", "가래검사를 보내십시오");
    county.next();
    county.see("note-consult-answered");
    clinic.browser.see_after_reloading("가래검사를 보내십시오", LINK_PATIENCE);
    assert!(text_of(&clinic, ".answer").contains("로점수"), "{}", text_of(&clinic, ".answer"));
    specialist.browser.see_after_reloading("가래검사를 보내십시오", LINK_PATIENCE);
}
