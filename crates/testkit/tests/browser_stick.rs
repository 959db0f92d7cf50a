//! The stick by its two buttons, in real browsers: written at one node, taken in at another, also
//! when it came to harm on the way.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use ondol_testkit::{
    contents::Contents,
    desk::{Desk, Question},
    filling,
    node::{Country, CountryConfig, Seat},
};
use support::{EN, KO};

use crate::support;

const TEXT: &str = "기억기로 묻습니다. 무엇을 발라야 합니까?";

/// Presses 'carry out' for a facility and saves the file.
fn carry_out(desk: &Desk, to: Seat, folder: &Path) -> PathBuf {
    desk.go("/road/stick");
    desk.browser.press_at(&format!(
        "//form[@action='/road/stick/out']//button[contains(.,'{}')]",
        to.name()
    ));
    let file = desk.browser.take_download(folder);
    let file = file.unwrap_or_else(|| panic!("nothing was saved:\n{}", desk.browser.text()));
    assert!(file.extension().is_some_and(|name| name == "stick"), "{}", file.display());
    file
}

/// Chooses a file and presses 'take in'.
fn carry_in(desk: &Desk, file: &Path) -> String {
    desk.go("/road/stick");
    desk.browser.attach("files", file);
    desk.browser.press_at("//form[@action='/road/stick/in']//button[contains(@class,'primary')]");
    desk.browser.see(Seat::Clinic.name());
    desk.browser.text()
}

fn damaged(file: &Path, name: &str, harm: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let mut bytes = fs::read(file).unwrap();
    harm(&mut bytes);
    let path = file.with_file_name(format!("{name}.stick"));
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_question_goes_by_stick_and_its_confirmation_comes_back_by_stick() {
    let mut country = Country::for_test("two-buttons", CountryConfig::for_tests()).unwrap();
    let Some(clinic) = Desk::at(country.url(Seat::Clinic), KO) else { return };
    filling::rosters(&country).unwrap();
    assert!(country.settles(&Seat::ALL, Duration::from_mins(1)));
    country.cut(Seat::Clinic);
    clinic.sign_in("yonghui");
    clinic.find(&support::a_resident());
    let patient = clinic.chart_id();
    let picture = support::photograph(country.dir(), 900);
    let consult = clinic.ask(Question {
        specialty: "internal-medicine",
        place: Seat::County.name(),
        urgency: "urgent",
        text: TEXT,
        picture: Some(&picture),
    });
    clinic.see("consult-waiting-here");
    let file = carry_out(&clinic, Seat::County, country.dir());

    let county = Desk::at(country.url(Seat::County), EN).unwrap();
    county.sign_in("chomsu");
    // Something else than a stick.
    county.go("/road/stick");
    county.browser.attach("files", &damaged(&file, "other", |bytes| *bytes = b"a list".to_vec()));
    county.press("stick-take-in");
    county.see("stick-bad-no-stick");
    // Pulled out too early: what is sound is kept, and the page says what is missing.
    let cut = damaged(&file, "cut", |bytes| bytes.truncate(bytes.len() / 2));
    let said = carry_in(&county, &cut);
    assert!(said.contains("Everything else is kept. Have it carried once more."), "{said}");
    let sound = entries(&mut country, &patient);
    assert!(sound > 0, "what was sound was not kept: {said}");
    // A stick that wears out is mended by what is on it twice.
    let worn = damaged(&file, "worn", |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle..middle + 40].fill(0x5a);
    });
    let said = carry_in(&county, &worn);
    assert!(said.contains("nothing is lost"), "{said}");
    let said = carry_in(&county, &file);
    assert!(said.contains("There is nothing new on this stick."), "{said}");
    county.go(&format!("/consult/{consult}"));
    county.browser.see(TEXT);

    // The confirmation goes back the same way.
    let back = carry_out(&county, Seat::Clinic, country.dir());
    clinic.go("/road/stick");
    clinic.browser.attach("files", &back);
    clinic.browser.press_at("//form[@action='/road/stick/in']//button[contains(@class,'primary')]");
    clinic.browser.see(Seat::County.name());
    clinic.see("stick-acknowledged");
    clinic.go(&format!("/consult/{consult}"));
    let waits = clinic.say("consult-waiting-here").to_owned();
    assert!(!clinic.browser.says(&waits), "{}", clinic.browser.text());
    drop((clinic, county));
    assert!(country.terminate(Seat::County));
    assert!(Contents::read(&country.data(Seat::County)).unwrap().twice.is_empty());
}

/// How many entries of a chart the county holds.
fn entries(country: &mut Country, patient: &str) -> usize {
    assert!(country.terminate(Seat::County), "the county stops cleanly");
    let contents = Contents::read(&country.data(Seat::County)).unwrap();
    country.start_node(Seat::County).unwrap();
    let chart = contents.patients.iter().find(|(chart, _)| chart.subject() == patient);
    chart.map_or(0, |(_, entries)| entries.len())
}
