//! A county hospital whose machine is lost: its backup, taken while it worked and killed again and
//! again, is put back with the code from the envelope, and it goes on as the same node.

use std::{fs, process::Command, thread, time::Duration};

use ondol_testkit::{
    contents::Contents,
    node::{Binary, Country, CountryConfig, PASSWORD, Seat},
    visitor::Visitor,
};

/// Signing in is written down: work that goes on while a backup is taken.
fn sign_in(country: &Country, seat: Seat) {
    let login = seat.people()[0].login;
    Visitor::new(country.url(seat), "en").sign_in(login, PASSWORD).unwrap();
}

#[test]
fn a_lost_county_is_put_back_from_a_backup_that_was_taken_and_killed_while_it_worked() {
    let mut country = Country::for_test("backup", CountryConfig::for_tests()).unwrap();
    assert!(country.settles(&[Seat::Clinic, Seat::County], Duration::from_mins(1)));
    let stick = country.dir().join("usb");
    fs::create_dir_all(&stick).unwrap();
    let stick = stick.display().to_string();
    let why = country.command(Seat::County, &["backup", &stick]).unwrap_err().to_string();
    assert!(why.contains("ondol backup-code"), "{why}");
    let code = country.command(Seat::County, &["backup-code"]).unwrap();
    let why = country.command(Seat::County, &["backup-code"]).unwrap_err().to_string();
    assert!(why.contains("has a backup code already"), "{why}");

    let binary = Binary::find().unwrap();
    let data = country.data(Seat::County);
    let mut killed = 0;
    for round in 0..12_u64 {
        let mut run = Command::new(binary.path())
            .args(["backup", &stick, "--data"])
            .arg(&data)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        sign_in(&country, Seat::County);
        thread::sleep(Duration::from_millis(round * 23 % 190));
        run.kill().unwrap();
        killed += u32::from(!run.wait().unwrap().success());
    }
    let said = country.command(Seat::County, &["backup", &stick, "--check"]).unwrap();
    eprintln!("{killed} runs of 12 were killed; then: {said}");
    assert!(said.contains("backed up to"), "{said}");

    assert!(country.terminate(Seat::County));
    // What it wrote while it stopped belongs to the comparison too.
    country.command(Seat::County, &["backup", &stick]).unwrap();
    let before = Contents::read(&data).unwrap();
    assert!(before.patient_entries().len() > 50);
    fs::rename(&data, data.with_extension("lost")).unwrap();
    let to = data.display().to_string();
    let wrong = binary.run(&["restore", &stick, &to], "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE\n");
    let why = wrong.unwrap_err().to_string();
    assert!(why.contains("does not open this backup"), "{why}");
    let said = binary.run(&["restore", &stick, &to], &code).unwrap();
    assert!(said.contains("restored:"), "{said}");
    assert_eq!(Contents::read(&data).unwrap(), before);
    country.command(Seat::County, &["verify"]).unwrap();

    // The same passwords, the same neighbours: what is written now arrives on both sides.
    country.start_node(Seat::County).unwrap();
    sign_in(&country, Seat::County);
    sign_in(&country, Seat::Clinic);
    let all = [Seat::Clinic, Seat::County, Seat::Province];
    assert!(country.settles(&all, Duration::from_mins(1)), "something waits for ever");
    for seat in all {
        assert!(country.terminate(seat));
        country.command(seat, &["verify"]).unwrap();
    }
    let county = Contents::read(&data).unwrap();
    let province = Contents::read(&country.data(Seat::Province)).unwrap();
    let of = |contents: &Contents| -> Vec<_> {
        contents.facilities.values().flatten().copied().collect()
    };
    let new: Vec<_> = of(&county).into_iter().filter(|a| !of(&before).contains(a)).collect();
    assert!(!new.is_empty(), "the restored county wrote nothing");
    let above = of(&province);
    let own = new.iter().filter(|address| above.contains(address)).count();
    assert!(own > 0, "nothing that the restored county holds anew is at the province");
}
