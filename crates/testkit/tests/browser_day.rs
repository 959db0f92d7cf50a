//! A day at the village clinic: visits as they are typed, the forms of a power cut, the register
//! and the counts that come of them; and what the county sees of it. In real browsers at real
//! nodes.

use std::time::Duration;

use ondol_kernel::Date;
use ondol_testkit::{
    browser::Key,
    desk::{Desk, Stranger, VisitTyped},
    node::{Country, CountryConfig, Seat},
    patience,
};
use support::{EN, KO, paper};

use crate::support;

const NAME: &str = "황옥란";
const BLANK: VisitTyped<'static> =
    VisitTyped { complaint: "", signs: &[], diagnosis: "", note: "", day: None };
/// The tabulator, among letters that are typed.
const TAB: &str = "\u{e004}";

/// A country, or `None` where no browser is installed.
fn country(name: &str) -> Option<Country> {
    drop(ondol_testkit::browser::Browser::start_or_skip(KO)?);
    Some(Country::for_test(name, CountryConfig::for_tests()).unwrap())
}

fn yesterday() -> Date {
    Date::from_days(support::today().days() - 1).unwrap()
}

/// The text of an element that a script finds; empty if there is none.
fn text_of(desk: &Desk, selector: &str) -> String {
    let script = format!("return document.querySelector(\"{selector}\")?.textContent ?? ''");
    let text = desk.browser.run(&script);
    text.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn count(desk: &Desk, selector: &str) -> u64 {
    let script = format!("return document.querySelectorAll(\"{selector}\").length");
    desk.browser.run(&script).as_u64().unwrap()
}

/// The source of every limit at which a vital sign is a danger.
const SOURCE: &str = "WHO/ICRC/MSF Interagency Integrated Triage Tool (2020)";

/// Opens a blank visit of the chart and types the complaint.
fn begin(desk: &Desk, chart: &str, complaint: &str) {
    desk.go(&format!("/people/{chart}/visits/new"));
    desk.browser.fill("complaint", complaint);
}

fn values_are_questioned_and_kept(desk: &Desk, chart: &str) {
    begin(desk, chart, "머리아픔");
    desk.browser.fill("v-body-temperature", "386");
    desk.next();
    desk.see("people-error-impossible");
    assert_eq!(desk.browser.value("v-body-temperature"), "386", "what was typed stands there");
    assert_eq!(desk.browser.value("complaint"), "머리아픔");
    desk.browser.fill("v-body-temperature", "38.6");
    desk.next();
    desk.see("note-saved");
    assert!(text_of(desk, ".visit .vitals").contains("38.6"));
    // What was measured again and is as strange as before is written as it is.
    begin(desk, chart, "오한");
    desk.browser.fill("v-heart-rate", "9");
    desk.next();
    desk.see("people-error-impossible");
    desk.press("encounter-checked");
    desk.next();
    desk.browser.see("오한");
    let vitals = text_of(desk, ".visit .vitals");
    assert!(vitals.contains(" 9/") || vitals.contains(" 9 "), "{vitals}");
}

fn a_danger_is_marked(desk: &Desk, chart: &str) {
    begin(desk, chart, "숨이 참");
    desk.browser.fill("v-body-temperature", "41.2");
    desk.browser.fill("v-oxygen-saturation", "84");
    desk.browser.key(Key::Tab);
    // It is said while she types, before anything is saved.
    desk.browser.see(SOURCE);
    desk.next();
    desk.see("note-encounter-danger");
    assert_eq!(count(desk, ".visit:first-of-type .vitals li.high"), 2, "{}", desk.browser.text());
    assert!(text_of(desk, ".visit .notice.bad").contains(SOURCE));
}

fn diagnosis_and_medicine(desk: &Desk, chart: &str) {
    let offered =
        |desk: &Desk| desk.browser.attribute("//*[@id='dx-results']//button[1]", "value").unwrap();
    begin(desk, chart, "가려움");
    assert_ne!(offered(desk), "dx-add:L30.9", "this clinic has not written it yet");
    desk.go(&format!("/people/{chart}"));
    desk.visit(VisitTyped { complaint: "가려움", diagnosis: "습진", ..BLANK });
    begin(desk, chart, "가려움이 덜함");
    assert_eq!(offered(desk), "dx-add:L30.9", "what this clinic writes stands first");
    desk.browser.press_at("//*[@id='dx-results']//button[@value='dx-add:L30.9']");
    desk.browser.press_at("//*[@id='dx']//ul[@class='picked']//b");
    // In plain words is as good.
    desk.browser.fill("dx-find", "배가 차다");
    desk.browser.press_at("//*[@id='dx-results']//button[@value='dx-words']");
    desk.browser.see("배가 차다");
    desk.browser.fill("med-find", "파라세타몰");
    desk.browser.press_at("//*[@id='med-results']//button[starts-with(@value,'med-add')]");
    desk.browser.fill("med-0-dose", "1알씩 하루 세번");
    desk.browser.fill("med-0-days", "3");
    desk.next();
    desk.see("note-saved");
    let visit = text_of(desk, ".visit");
    for said in ["가려움이 덜함", "습진", "배가 차다", "파라세타몰", "1알씩 하루 세번"]
    {
        assert!(visit.contains(said), "{said} is not in: {visit}");
    }
}

fn care_was_yesterday(desk: &Desk, chart: &str) {
    desk.go(&format!("/people/{chart}"));
    desk.visit(VisitTyped { complaint: "어제 넘어짐", day: Some(yesterday()), ..BLANK });
    let found = "return [...document.querySelectorAll('.visit')]\
        .find(v => v.textContent.includes('어제 넘어짐')).textContent";
    let visit = desk.browser.run(found).as_str().unwrap_or_default().to_owned();
    assert!(visit.contains("10:30"), "the time of care stands there: {visit}");
    assert!(visit.contains(desk.say("chart-written")), "and that of writing: {visit}");
    desk.go(&format!("/papers/day?date={}", yesterday()));
    desk.browser.see("어제 넘어짐");
    desk.go("/papers/day");
    desk.browser.see("가려움이 덜함");
    assert!(!desk.browser.says("어제 넘어짐"), "the register follows the day of care");
}

#[test]
fn a_visit_needs_one_word_and_the_county_reads_what_was_written() {
    let Some(country) = country("day-visits") else { return };
    let desk = Desk::at(country.url(Seat::Clinic), KO).unwrap();
    desk.sign_in("yonghui");
    let chart = desk.register(Stranger { name: NAME, sex: "female", age: "34" });
    let number = text_of(&desk, ".banner .number");
    let number: String = number.chars().filter(char::is_ascii_digit).collect();
    begin(&desk, &chart, "기침");
    desk.next();
    desk.see("note-saved");
    assert!(text_of(&desk, ".visit").contains("기침"), "the complaint alone is enough");
    values_are_questioned_and_kept(&desk, &chart);
    a_danger_is_marked(&desk, &chart);
    diagnosis_and_medicine(&desk, &chart);
    care_was_yesterday(&desk, &chart);

    // She goes to the county hospital with her card: it shows the same, dangers and all.
    assert!(country.settles(&[Seat::Clinic], Duration::from_mins(1)));
    let county = Desk::at(country.url(Seat::County), EN).unwrap();
    county.sign_in("tongil");
    county.look_for(&number);
    county.go(&format!("/people/{chart}"));
    county.press("people-receive-go");
    county.browser.see(NAME);
    for said in ["기침", "38.6", "41.2", "배가 차다", "어제 넘어짐", SOURCE] {
        county.browser.see(said);
    }
    county.browser.see("Eczema");
    assert_eq!(count(&county, ".visit .vitals li.high"), count_high(&desk, &chart));
}

fn count_high(desk: &Desk, chart: &str) -> u64 {
    desk.go(&format!("/people/{chart}"));
    count(desk, ".visit .vitals li.high")
}

/// A row as it is typed: name, sex, age, complaint, temperature, pressure, diagnosis.
fn row(place: usize) -> [String; 7] {
    let (sex, diagnosis) = if place.is_multiple_of(2) { ("남", "I10") } else { ("녀", "J06.9") };
    let mut row = [
        // No two are one name in either initial sound (나, 라) or in Latin letters.
        format!("전기{}", ["가", "소", "디", "무", "배", "쳐"][place % 6].repeat(place / 6 + 1)),
        sex.to_owned(),
        format!("{}", 20 + place),
        format!("호소 {place}"),
        "36.8".to_owned(),
        "124/78".to_owned(),
        diagnosis.to_owned(),
    ];
    match place {
        3 => "ㅋ".clone_into(&mut row[1]),
        7 => "380".clone_into(&mut row[4]),
        12 => "124".clone_into(&mut row[5]),
        20 => (row[3], row[6]) = (String::new(), String::new()),
        // Perhaps the same person as in the row above.
        25 => row[..3].clone_from_slice(&self::row(24)[..3]),
        _ => {}
    }
    row
}

/// The rows that are wrong at first.
const WRONG: [usize; 5] = [3, 7, 12, 20, 25];

fn type_thirty_rows(desk: &Desk, form: &str, day: Date) {
    desk.go(&format!("/papers/downtime/{form}/type"));
    desk.browser.fill("at-year", &day.year().to_string());
    desk.browser.fill("at-month", &day.month().to_string());
    desk.browser.fill("at-day", &day.day().to_string());
    desk.browser.tab_to("name-1");
    for place in 1..=30 {
        let mut keys = row(place).join(TAB);
        // Over the medicine and the row's own button to the name in the row below.
        keys.push_str(&TAB.repeat(if place < 30 { 4 } else { 1 }));
        desk.browser.type_keys(&keys);
    }
    desk.browser.tab_to(desk.say("papers-save-all"));
    desk.browser.key(Key::Enter);
    desk.see("papers-row-done");
}

fn mend(desk: &Desk) {
    // The question whether it is another person comes with the answer, not with the draft.
    desk.next();
    desk.see("papers-another");
    desk.browser.fill("sex-3", "녀");
    desk.browser.fill("temperature-7", "38.0");
    desk.browser.fill("pressure-12", "124/78");
    desk.browser.fill("complaint-20", "호소 20");
    desk.browser.press_at("//input[@name='another-25']/ancestor::label");
    desk.next();
    let all =
        patience::until(Duration::from_secs(30), || (count(desk, "tr.done") == 30).then_some(()));
    assert!(all.is_some(), "not all were saved:\n{}", desk.browser.text());
}

#[test]
fn thirty_visits_of_a_power_cut_are_typed_by_keyboard_and_counted() {
    let Some(country) = country("day-forms") else { return };
    let desk = Desk::at(country.url(Seat::Clinic), KO).unwrap();
    desk.sign_in("yonghui");
    desk.go("/papers/downtime");
    desk.next();
    desk.see("papers-form-how");
    let url = desk.browser.url();
    let form = url.rsplit('/').next().unwrap();
    let blank = paper::print(&desk, country.dir(), "downtime");
    assert!(blank.is_a4(true), "{:?}", blank.size);
    assert_eq!(blank.qr.as_deref(), Some(format!("ondol:f:{form}").as_str()));
    assert_eq!(count(&desk, "table.blank tbody tr"), 30);
    let numbers = "return [...document.querySelectorAll('table.blank td.number')]\
        .map(cell => cell.textContent).join(' ')";
    let numbers = desk.browser.run(numbers).as_str().unwrap_or_default().to_owned();
    assert!(blank.lacks(&numbers).is_empty(), "numbers are missing on paper: {}", blank.words);

    // Not yesterday: where midnight passes while the rows are typed, the day whose counts the
    // clinic reported a minute ago would be theirs, and is reported again half an hour later.
    let day = Date::from_days(support::today().days() - 2).unwrap();
    type_thirty_rows(&desk, form, day);
    assert_eq!(count(&desk, "tr.done"), 25, "{}", desk.browser.text());
    for place in WRONG {
        let wrong = text_of(&desk, &format!("#row-{place} .complaint"));
        assert!(!wrong.is_empty(), "row {place} does not say what is wrong");
        let name = desk.browser.value(&format!("name-{place}"));
        assert_eq!(name, row(place)[0], "what was typed into row {place} is kept");
    }
    // What was saved stays saved, and the rest is kept as it was typed.
    desk.see("draft-saved");
    desk.go(&format!("/papers/downtime/{form}/type"));
    assert_eq!(count(&desk, "tr.done"), 25);
    assert_eq!(desk.browser.value("temperature-7"), "380", "the rest waits as a draft");
    mend(&desk);
    registers(&desk, &numbers, day);
    counted_by_the_county(&country);
}

fn registers(desk: &Desk, numbers: &str, day: Date) {
    desk.go(&format!("/papers/day?date={day}"));
    assert_eq!(count(desk, "tbody tr"), 30, "{}", desk.browser.text());
    let register = desk.browser.text();
    for number in numbers.split(' ') {
        assert!(register.contains(number), "{number} is not in the register");
    }
    for place in 1..=30 {
        assert!(register.contains(&format!("호소 {place}")), "row {place}: {register}");
    }
    desk.go(&format!("/papers/month?month={:04}-{:02}", day.year(), day.month()));
    let line = |code: &str| {
        let script = format!(
            "return [...document.querySelectorAll('table.tally tbody tr')]\
             .find(line => line.cells[1].textContent.trim() === '{code}')\
             ?.lastElementChild.textContent.trim() ?? ''"
        );
        desk.browser.run(&script).as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(line(""), "30", "{}", desk.browser.text());
    assert_eq!((line("I10").as_str(), line("J06.9").as_str()), ("14", "15"), "row 20 has none");
}

fn counted_by_the_county(country: &Country) {
    let county = Desk::at(country.url(Seat::County), EN).unwrap();
    county.sign_in("myongsuk");
    county.go("/counts?days=7");
    let clinic = Seat::Clinic.name();
    // A day is reported as soon as something of it is counted, and again after half an hour.
    let line = format!("//tr[contains(.,'{clinic}')]/td[1][not(contains(@class,'zero'))]");
    let counted = patience::until(Duration::from_secs(90), || {
        county.browser.reload();
        county.browser.has(&line).then_some(())
    });
    assert!(counted.is_some(), "the county does not count them:\n{}", county.browser.text());
    assert!(!county.browser.source().contains(&row(1)[0]), "the counts name somebody");
}
