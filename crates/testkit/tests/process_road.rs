//! The road between real processes: what was saved arrives, once, whatever is cut or killed.

use std::time::Duration;

use ondol_testkit::{
    chaos::Chaos,
    contents::Contents,
    node::{Country, CountryConfig, Seat},
    patience::Stopwatch,
};

/// Stops a node, reads what it holds, starts it again.
fn contents(country: &mut Country, seat: Seat) -> Contents {
    assert!(country.terminate(seat), "{seat:?} stops cleanly");
    let contents = Contents::read(&country.data(seat)).unwrap();
    country.start_node(seat).unwrap();
    contents
}

#[test]
fn a_village_reaches_county_and_province_through_cuts_and_kills_and_the_ministry_holds_no_chart() {
    let mut country = Country::for_test("road", CountryConfig::for_tests()).unwrap();
    let mut chaos = Chaos::new(20);
    let watch = Stopwatch::start();
    while watch.elapsed() < Duration::from_secs(15) {
        chaos.strike(&mut country, 700).unwrap();
    }
    let watch = Stopwatch::start();
    let settled = country.settles(&[Seat::Clinic, Seat::County], Duration::from_mins(1));
    eprintln!("nothing waits after {:?}", watch.elapsed());
    assert!(settled, "something waits still: {:?}", chaos.happened);
    let clinic = contents(&mut country, Seat::Clinic);
    let county = contents(&mut country, Seat::County);
    let province = contents(&mut country, Seat::Province);
    let expected = clinic.patient_entries();
    assert!(expected.len() > 60, "{}", expected.len());
    let missing = expected.difference(&county.patient_entries()).count();
    assert_eq!(
        missing,
        0,
        "the county lacks {missing} of {}: {:?}",
        expected.len(),
        chaos.happened
    );
    let missing = expected.difference(&province.patient_entries()).count();
    assert_eq!(missing, 0, "the province lacks {missing}: {:?}", chaos.happened);
    for (name, node) in [("clinic", &clinic), ("county", &county), ("province", &province)] {
        assert!(node.twice.is_empty(), "{name}: {:?}", node.twice);
        assert_eq!(node.shown, clinic.shown, "{name} shows other charts");
    }
    let ministry = contents(&mut country, Seat::Ministry);
    assert!(ministry.patients.is_empty(), "the ministry holds charts");
    for seat in Seat::ALL {
        assert!(country.terminate(seat));
        country.command(seat, &["verify"]).unwrap();
    }
    eprintln!("{} bad things happened: {:?}", chaos.happened.len(), chaos.happened);
}
