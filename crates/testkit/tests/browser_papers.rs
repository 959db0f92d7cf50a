//! What comes out of the printer, sheet by sheet; and the practice room, of which nothing gets
//! out. In real browsers at real nodes.

use std::{ops::RangeInclusive, time::Duration};

use ondol_record::ChartId;
use ondol_testkit::{
    contents::Contents,
    desk::{Desk, Question, Stranger, VisitTyped},
    filling,
    node::{Country, CountryConfig, Seat},
};
use support::{EN, KO, paper};

use crate::support;

const NAME: &str = "황보옥란";
const BLANK: VisitTyped<'static> =
    VisitTyped { complaint: "", signs: &[], diagnosis: "", note: "", day: None };

/// A country with people on duty, or `None` where no browser is installed.
fn country(name: &str) -> Option<Country> {
    drop(ondol_testkit::browser::Browser::start_or_skip(KO)?);
    let country = Country::for_test(name, CountryConfig::for_tests()).unwrap();
    filling::rosters(&country).unwrap();
    Some(country)
}

fn run(desk: &Desk, script: &str) -> String {
    desk.browser.run(script).as_str().unwrap_or_default().to_owned()
}

/// The words of the sheet that are meant for paper.
const MEANT: &str = "
    const sheet = document.querySelector('article.sheet');
    const words = [];
    const walker = document.createTreeWalker(sheet, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        if (!walker.currentNode.parentElement.closest('.no-print, .hidden, script, svg'))
            words.push(walker.currentNode.textContent);
    }
    return words.join(' ');";

/// A paper: where it is, whether it lies on its side, how many sheets it has, what its code says.
struct Print<'a> {
    name: &'static str,
    path: String,
    lies: bool,
    sheets: RangeInclusive<usize>,
    qr: String,
    says: &'a [&'a str],
}

fn is_whole(country: &Country, desk: &Desk, print: &Print<'_>) {
    let lang = run(desk, "return document.documentElement.lang");
    let name = format!("{}-{lang}", print.name);
    desk.go(&print.path);
    let meant = run(desk, MEANT);
    assert!(!meant.is_empty(), "{} is no paper:\n{}", print.path, desk.browser.text());
    let paper = paper::print(desk, country.dir(), &name);
    assert!(
        print.sheets.contains(&paper.sheets),
        "{name}: {} sheets\n{}",
        paper.sheets,
        paper.words
    );
    assert!(paper.is_a4(print.lies), "{name} is not A4: {:?}", paper.size);
    let lacks = paper.lacks(&meant);
    assert!(lacks.is_empty(), "{name} lacks {lacks:?}:\n{}", paper.words);
    assert!(paper.outside.is_empty(), "{name} is cut off at the edge: {:?}", paper.outside);
    for words in print.says {
        assert!(paper.lacks(words).is_empty(), "{name} lacks '{words}':\n{}", paper.words);
    }
    // The bar above the sheet is the screen's: no button is printed.
    for key in ["print-how", "print", "back"] {
        let said = desk.say(key);
        let on_sheet: String = meant.split_whitespace().collect();
        if !on_sheet.contains(&said.split_whitespace().collect::<String>()) {
            assert!(!paper.lacks(said).is_empty(), "{name} prints the button '{said}'");
        }
    }
    assert_eq!(paper.qr.unwrap_or_default(), print.qr, "{name}: the code");
}

/// What was written, asked and answered, so that papers have something to say.
struct Case {
    chart: String,
    number: String,
    consult: String,
    referral: String,
    form: String,
}

const ADVICE: &str = "고약을 하루 두번 바르고 긁지 말며 새 비누를 쓰지 마십시오";

fn case(country: &Country, clinic: &Desk) -> Case {
    let chart = clinic.register(Stranger { name: NAME, sex: "female", age: "34" });
    let number = run(clinic, "return document.querySelector('.banner .number').textContent");
    let number = number.chars().filter(char::is_ascii_digit).collect();
    clinic.go(&format!("/people/{chart}/allergies"));
    clinic.browser.fill("substance", "페니실린");
    clinic.browser.fill("reaction", "두드러기");
    clinic.next();
    clinic.browser.see("페니실린");
    clinic.go(&format!("/people/{chart}"));
    clinic.visit(VisitTyped {
        complaint: "사흘째 열이 나고 팔에 붉은 반점이 돋음",
        signs: &[("body-temperature", "38.6"), ("heart-rate", "96")],
        diagnosis: "습진",
        note: "가족중에 같은 증세를 보이는 사람은 없음",
        ..BLANK
    });
    let consult = clinic.ask(Question {
        specialty: "skin",
        place: Seat::Specialist.name(),
        urgency: "urgent",
        text: "무슨 병입니까? 무엇을 발라야 합니까?",
        picture: None,
    });
    let specialist = Desk::at(country.url(Seat::Specialist), KO).unwrap();
    specialist.sign_in("ryonhwa");
    specialist.open_consult(&consult);
    specialist.take();
    specialist.answer("접촉성피부염으로 보임", ADVICE, "물집이 생기면 곧 알리십시오");
    clinic.acknowledge(ADVICE);
    clinic.go(&format!("/people/{chart}"));
    let referral = clinic.refer(Seat::County.name(), "internal-medicine", "열이 내리지 않음");
    clinic.go("/papers/downtime");
    clinic.next();
    clinic.see("papers-form-how");
    let url = clinic.browser.url();
    let form = url.rsplit('/').next().unwrap().to_owned();
    Case { chart, number, consult, referral, form }
}

fn papers(case: &Case) -> Vec<Print<'static>> {
    let Case { chart, number, consult, referral, form } = case;
    let person = |what: &str| format!("/people/{chart}/{what}");
    let upright =
        |name, path, qr: String, says| Print { name, path, lies: false, sheets: 1..=1, qr, says };
    let lying =
        |name, path, sheets, qr: String, says| Print { name, path, lies: true, sheets, qr, says };
    let code = format!("ondol:p:{number}");
    vec![
        upright(
            "consult",
            format!("/consult/{consult}/sheet"),
            format!("ondol:c:{consult}"),
            &[
                NAME,
                "페니실린",
                "38.6",
                "무엇을 발라야",
                ADVICE,
                "물집이 생기면",
                "량련화",
                "리용희",
            ],
        ),
        upright(
            "letter",
            format!("/referral/{referral}/letter"),
            format!("ondol:r:{referral}"),
            &[NAME, "페니실린", "열이 내리지 않음", "맹산군병원", "62-304", "38.6"],
        ),
        upright("card", person("card"), code.clone(), &[NAME]),
        upright("summary", person("summary"), code.clone(), &[NAME, "페니실린", "38.6"]),
        upright("wristband", person("wristband"), code, &[NAME, "페니실린"]),
        // The list has a line for each look at the chart.
        Print {
            sheets: 1..=3,
            ..upright("readers", person("readers"), String::new(), &[NAME, "리용희"])
        },
        lying(
            "day",
            "/papers/day".to_owned(),
            1..=1,
            String::new(),
            &[NAME, "붉은 반점이", "리용희"],
        ),
        lying("month", "/papers/month".to_owned(), 1..=1, String::new(), &["L30.9"]),
        lying(
            "form",
            format!("/papers/downtime/{form}"),
            2..=2,
            format!("ondol:f:{form}"),
            &["30"],
        ),
    ]
}

#[test]
fn each_paper_is_whole_on_a4_in_both_languages() {
    let Some(country) = country("papers") else { return };
    let clinic = Desk::at(country.url(Seat::Clinic), KO).unwrap();
    clinic.sign_in("yonghui");
    let case = case(&country, &clinic);
    let english = Desk::at(country.url(Seat::Clinic), EN).unwrap();
    english.sign_in("yonghui");
    for desk in [&clinic, &english] {
        for print in papers(&case) {
            is_whole(&country, desk, &print);
        }
    }
    // The specialist prints the same answer at the other end.
    let specialist = Desk::at(country.url(Seat::Specialist), EN).unwrap();
    specialist.sign_in("ryonhwa");
    let sheet = papers(&case).remove(0);
    is_whole(&country, &specialist, &Print { name: "consult-there", ..sheet });
}

/// The colour of the page behind everything.
fn colours(desk: &Desk) -> String {
    run(
        desk,
        "const of = e => e ? getComputedStyle(e).backgroundColor : '';\
         return of(document.body) + ' ' + of(document.querySelector('.practice-band'))",
    )
}

#[test]
fn nothing_that_is_practised_looks_like_work_or_gets_out_of_the_room() {
    let Some(mut country) = country("practice") else { return };
    let desk = Desk::at(country.url(Seat::Clinic), KO).unwrap();
    desk.sign_in("yonghui");
    let at_work = colours(&desk);
    desk.go("/me");
    desk.press("door-practice-enter");
    desk.see("practice-band");
    let chart = desk.register(Stranger { name: NAME, sex: "female", age: "34" });
    desk.visit(VisitTyped { complaint: "련습으로 쓴 호소", ..BLANK });
    let of_chart = ["", "/visits/new", "/edit", "/allergies", "/link"];
    let mut paths = ["/", "/people", "/papers", "/inbox", "/referrals", "/duty", "/me", "/help"]
        .map(str::to_owned)
        .to_vec();
    paths.extend(of_chart.iter().map(|part| format!("/people/{chart}{part}")));
    for path in paths {
        desk.go(&path);
        assert!(desk.browser.says(desk.say("practice-band")), "{path} does not say it");
        let here = colours(&desk);
        assert!(here != at_work && !here.ends_with(' '), "{path} looks like work: {here}");
    }
    desk.go(&format!("/people/{chart}/card"));
    let card = paper::print(&desk, country.dir(), "practice-card");
    assert!(card.lacks(desk.say("practice-paper")).is_empty(), "the card: {}", card.words);

    // Back at work nobody has heard of her; nor has the county, after all that could go has gone.
    desk.go("/");
    desk.press("door-practice-leave");
    desk.see("home-find");
    assert_eq!(colours(&desk), at_work);
    desk.look_for(NAME);
    desk.see("people-nobody");
    desk.go(&format!("/people/{chart}"));
    assert!(!desk.browser.source().contains(NAME) && !desk.browser.source().contains("련습으로"));
    assert!(country.settles(&Seat::ALL, Duration::from_mins(1)));
    let county = Desk::at(country.url(Seat::County), KO).unwrap();
    county.sign_in("tongil");
    county.look_for(NAME);
    county.see("people-nobody");
    drop((desk, county));
    for seat in [Seat::Clinic, Seat::County] {
        assert!(country.terminate(seat), "{seat:?} stops cleanly");
        let contents = Contents::read(&country.data(seat)).unwrap();
        let held = contents.patients.keys().map(ChartId::subject).any(|held| held == chart);
        assert!(!held, "{seat:?} holds a chart of the practice room");
    }
}
