//! A country without any link: what waits is carried by stick, on the command line and on the
//! screens; bad sticks are refused in a plain sentence, and what is sound in them is kept.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::support;
use ondol_testkit::{
    contents::Contents,
    filling,
    node::{Country, CountryConfig, NodeError, PASSWORD, Seat, test_dir},
    visitor::{Seen, Visitor},
};

/// Asks a specialist about a resident through the forms of the clinic. Gives the consult's path.
fn ask(country: &Country, question: &str) -> String {
    let mut clinic = Visitor::new(country.url(Seat::Clinic), "en");
    clinic.sign_in("yonghui", PASSWORD).unwrap();
    clinic.get("/people").unwrap();
    let found = clinic.post("/people", &[("q", &support::a_resident())]).unwrap();
    let patient = after(&found, "href=\"/people/");
    clinic.get(&format!("/people/{patient}")).unwrap();
    let form = format!("/ask/{patient}/skin");
    let page = clinic.get(&form).unwrap();
    let place = page.body.split("name=\"facility\" value=\"").skip(1).find_map(|rest| {
        let (id, rest) = rest.split_once('"')?;
        let label = rest.split("</label>").next()?;
        label.contains(Seat::Specialist.name()).then_some(id)
    });
    let place = place.unwrap_or_else(|| panic!("nobody can be asked: {}", page.body)).to_owned();
    let fields = [
        ("patient", patient.as_str()),
        ("question", question),
        ("urgency", "urgent"),
        ("facility", &place),
        ("do", "check"),
    ];
    let check = clinic.post_parts(&form, &fields, &[]).unwrap();
    assert!(check.path.ends_with("/check"), "{}", check.body);
    let sent = clinic.post(&format!("{form}/check"), &[("patient", &patient)]).unwrap();
    assert!(sent.path.starts_with("/consult/"), "{} {}", sent.path, sent.body);
    sent.path
}

fn after(seen: &Seen, words: &str) -> String {
    let rest = seen.body.split_once(words).map(|(_, rest)| rest);
    let value = rest.and_then(|rest| rest.split(['"', '?', '/']).next());
    value.unwrap_or_else(|| panic!("'{words}' is not on the page:\n{}", seen.body)).to_owned()
}

/// Carries from one node to another, both stopped; gives what the reader said.
fn carry(country: &Country, from: Seat, to: Seat, stick: &Path) -> Result<String, NodeError> {
    let _ = fs::remove_dir_all(stick);
    fs::create_dir_all(stick).unwrap();
    let path = stick.display().to_string();
    country.command(from, &["carry", "out", &path])?;
    country.command(to, &["carry", "in", &path])
}

/// The files of a stick.
fn files(stick: &Path) -> Vec<PathBuf> {
    let mut files = vec![];
    let mut folders = vec![stick.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.retain(|file| file.extension().is_some_and(|e| e == "stick"));
    files
}

fn stop_all(country: &mut Country) {
    for seat in Seat::ALL {
        assert!(country.terminate(seat), "{seat:?} stops cleanly");
    }
}

#[test]
fn a_case_goes_to_the_specialist_and_its_answer_comes_back_by_stick_alone() {
    let mut country = Country::for_test("stick", CountryConfig::for_tests()).unwrap();
    filling::rosters(&country).unwrap();
    assert!(country.settles(&Seat::ALL, std::time::Duration::from_mins(1)));
    for seat in Seat::ALL {
        country.cut(seat);
    }
    let consult = ask(&country, "Which ointment?");
    stop_all(&mut country);
    let stick = country.dir().join("usb");
    for (from, to) in [
        (Seat::Clinic, Seat::County),
        (Seat::County, Seat::Province),
        (Seat::Province, Seat::Ministry),
        (Seat::Ministry, Seat::Specialist),
    ] {
        let said = carry(&country, from, to, &stick).unwrap();
        assert!(!said.is_empty(), "{from:?} to {to:?}");
    }
    country.start_node(Seat::Specialist).unwrap();
    let mut specialist = Visitor::new(country.url(Seat::Specialist), "en");
    specialist.sign_in("ryonhwa", PASSWORD).unwrap();
    let page = specialist.get(&consult).unwrap();
    assert!(page.body.contains("Which ointment?"), "{}", page.body);
    let patient = page.values_of("patient")[0].to_owned();
    specialist.post(&format!("{consult}/do/take"), &[("patient", &patient)]).unwrap();
    let form = specialist.get(&format!("{consult}/do/answer")).unwrap();
    let basis = form.values_of("basis")[0].to_owned();
    let advice = "Wash it and keep it dry";
    let fields = [
        ("patient", patient.as_str()),
        ("basis", &basis),
        ("findings", ""),
        ("advice", advice),
        ("worry", ""),
    ];
    let answered = specialist.post(&format!("{consult}/do/answer"), &fields).unwrap();
    assert!(answered.body.contains(advice), "{}", answered.body);
    assert!(country.terminate(Seat::Specialist));
    for (from, to) in [
        (Seat::Specialist, Seat::Ministry),
        (Seat::Ministry, Seat::Province),
        (Seat::Province, Seat::County),
        (Seat::County, Seat::Clinic),
    ] {
        carry(&country, from, to, &stick).unwrap();
    }
    country.start_node(Seat::Clinic).unwrap();
    let mut clinic = Visitor::new(country.url(Seat::Clinic), "en");
    clinic.sign_in("yonghui", PASSWORD).unwrap();
    let page = clinic.get(&consult).unwrap();
    assert!(page.body.contains(advice), "{}", page.body);
    stop_all(&mut country);
    assert!(Contents::read(&country.data(Seat::Ministry)).unwrap().patients.is_empty());
}

#[test]
fn damaged_foreign_stale_and_cut_off_sticks_are_refused_or_used_as_far_as_they_are_sound() {
    let mut country = Country::for_test("bad-sticks", CountryConfig::for_tests()).unwrap();
    filling::rosters(&country).unwrap();
    assert!(country.settles(&Seat::ALL, std::time::Duration::from_mins(1)));
    country.cut(Seat::Clinic);
    ask(&country, "First question");
    stop_all(&mut country);
    let stick = country.dir().join("usb");
    let path = stick.display().to_string();
    fs::create_dir_all(&stick).unwrap();
    country.command(Seat::Clinic, &["carry", "out", &path]).unwrap();
    let whole: Vec<(PathBuf, Vec<u8>)> =
        files(&stick).into_iter().map(|file| (file.clone(), fs::read(file).unwrap())).collect();
    assert!(whole.len() >= 2, "two copies: {whole:?}");
    let before = Contents::read(&country.data(Seat::County)).unwrap();

    // Cut off in both copies: half of it is there.
    for (file, bytes) in &whole {
        fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
    }
    let said = country.command(Seat::County, &["carry", "in", &path]);
    let plain = said.unwrap_or_else(|why| why.to_string());
    assert!(!plain.contains("panicked") && plain.len() < 600, "{plain}");
    println!("cut off: {plain}");

    // One copy is noise, the other has some flipped bits: error correction or the copy mends it.
    for (at, (file, bytes)) in whole.iter().enumerate() {
        let mut bytes = bytes.clone();
        if at == 0 {
            bytes.fill(0x5a);
        } else {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0xff;
        }
        fs::write(file, bytes).unwrap();
    }
    let said = country.command(Seat::County, &["carry", "in", &path]).unwrap();
    println!("damaged: {said}");
    let after = Contents::read(&country.data(Seat::County)).unwrap();
    assert!(
        after.patient_entries().len() > before.patient_entries().len(),
        "what is sound was not kept: {said}"
    );

    // The same stick again is stale: nothing arrives twice.
    for (file, bytes) in &whole {
        fs::write(file, bytes).unwrap();
    }
    let said = country.command(Seat::County, &["carry", "in", &path]);
    println!("stale: {said:?}");
    let again = Contents::read(&country.data(Seat::County)).unwrap();
    assert!(again.twice.is_empty());
    assert_eq!(again.shown, after.shown);

    // A stick for the county is not for the province, and one of another nation is foreign.
    for (what, dir) in [("not for us", country.data(Seat::Province)), ("foreign", nation("other"))]
    {
        let dir = dir.display().to_string();
        let binary = ondol_testkit::node::Binary::find().unwrap();
        let said = binary.run(&["carry", "in", &path, "--data", &dir], "");
        let Err(why) = said else { panic!("{what} was taken in: {said:?}") };
        println!("{what}: {why}");
        assert!(!why.to_string().contains("panicked"), "{why}");
    }
}

/// The ministry of another nation.
fn nation(name: &str) -> PathBuf {
    let dir = test_dir(name).unwrap();
    let data = dir.join("ministry");
    let path = data.display().to_string();
    let binary = ondol_testkit::node::Binary::find().unwrap();
    binary
        .run(&["init", "--data", &path, "--nation", "Other", "--name", "Other ministry"], "")
        .unwrap();
    data
}

#[test]
fn the_two_buttons_carry_a_running_clinic_s_question_to_a_running_county() {
    let country = Country::for_test("buttons", CountryConfig::for_tests()).unwrap();
    filling::rosters(&country).unwrap();
    assert!(country.settles(&Seat::ALL, std::time::Duration::from_mins(1)));
    country.cut(Seat::Clinic);
    let consult = ask(&country, "By stick?");
    let mut clinic = Visitor::new(country.url(Seat::Clinic), "en");
    clinic.sign_in("yonghui", PASSWORD).unwrap();
    let page = clinic.get("/road/stick").unwrap();
    let to = page.values_of("to")[0].to_owned();
    let file = clinic.download("/road/stick/out", &[("to", &to)]).unwrap();
    assert_eq!(file.status, 200);
    assert!(file.header("content-disposition").is_some_and(|name| name.contains(".stick")));

    let mut county = Visitor::new(country.url(Seat::County), "en");
    county.sign_in("chomsu", PASSWORD).unwrap();
    county.get("/road/stick").unwrap();
    let bad = county.post_parts("/road/stick/in", &[], &[("files", b"no stick")]).unwrap();
    assert!(bad.body.contains("This file is no record of Ondol."), "{}", bad.body);
    let taken = county.post_parts("/road/stick/in", &[], &[("files", &file.body)]).unwrap();
    assert!(taken.body.contains("Taken in"), "{}", taken.body);
    county.get("/road/stick").unwrap();
    let again = county.post_parts("/road/stick/in", &[], &[("files", &file.body)]).unwrap();
    assert!(again.body.contains("Nothing new"), "{}", again.body);
    let seen = county.get("/inbox").unwrap();
    let _ = county.get(&consult).unwrap();
    assert!(seen.status < 400, "{}", seen.body);
}
