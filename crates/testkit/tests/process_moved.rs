//! A clinic is put under another hospital while everything runs: it calls there by itself, and its
//! people's records are there soon.

use std::{thread, time::Duration};

use ondol_testkit::{
    contents::Contents,
    node::{Country, CountryConfig, Seat},
    patience,
};

#[test]
fn a_clinic_calls_the_hospital_under_which_it_was_put_and_its_records_are_there() {
    let mut country = Country::for_test("moved", CountryConfig::for_tests()).unwrap();
    assert!(country.settles(&[Seat::Clinic, Seat::County], Duration::from_mins(1)));
    let clinic = country.ready(Seat::Clinic).node.clone();
    let hospital = country.ready(Seat::Specialist).clone();
    let to = ["--below", &hospital.node, "--road", &hospital.road];
    let said = [&["node", "move", &clinic], &to[..]].concat();
    // A county below its own clinic would be a circle.
    let circle = country.command(
        Seat::Ministry,
        &["node", "move", &country.ready(Seat::County).node, "--below", &clinic],
    );
    assert!(circle.is_err());
    country.command(Seat::Ministry, &said).unwrap();
    let again = country.command(Seat::Ministry, &said);
    assert!(again.is_err(), "it hangs there already");

    let at_rest = patience::until(Duration::from_mins(2), || {
        let status = country.command(Seat::Clinic, &["road", "status"]).unwrap_or_default();
        let there = status.contains(&hospital.node);
        let quiet = there && country.waiting(Seat::Clinic).is_ok_and(|waiting| waiting == 0);
        if !quiet {
            thread::sleep(Duration::from_millis(400));
        }
        quiet.then_some(())
    });
    let status = country.command(Seat::Clinic, &["road", "status"]);
    assert!(at_rest.is_some(), "{status:?}");
    for seat in [Seat::Clinic, Seat::Specialist, Seat::Ministry] {
        assert!(country.terminate(seat), "{seat:?} stops cleanly");
    }
    let read = |seat| Contents::read(&country.data(seat)).unwrap();
    let (clinic, there) = (read(Seat::Clinic), read(Seat::Specialist));
    let expected = clinic.patient_entries();
    assert!(expected.len() > 60, "{}", expected.len());
    let missing = expected.difference(&there.patient_entries()).count();
    assert_eq!(missing, 0, "the new hospital lacks {missing} of {}", expected.len());
    assert!(there.twice.is_empty(), "{:?}", there.twice);
    assert!(read(Seat::Ministry).patients.is_empty(), "the ministry holds charts");
    for seat in [Seat::Clinic, Seat::Specialist] {
        country.command(seat, &["verify"]).unwrap();
    }
}
