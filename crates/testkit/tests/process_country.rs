//! A country of real processes: it begins, stops, and is found as it was.

use std::net::Ipv4Addr;

use ondol_testkit::{
    http::Request,
    node::{Country, CountryConfig, Seat, test_dir},
    patience::Stopwatch,
};

#[test]
fn a_country_is_founded_once_and_found_again_at_the_same_addresses() {
    let dir = test_dir("founded-once").unwrap();
    let watch = Stopwatch::start();
    let mut steps = vec![];
    let config =
        CountryConfig { https: Some(Ipv4Addr::LOCALHOST.into()), ..CountryConfig::for_tests() };
    let country =
        Country::start(&dir, config.clone(), &mut |step| steps.push(step.to_owned())).unwrap();
    eprintln!("founded and started in {:?}", watch.elapsed());
    assert!(steps.iter().any(|step| step.contains("은정리진료소")), "{steps:?}");
    let before: Vec<_> = Seat::ALL.map(|seat| country.ready(seat).clone()).into();
    for seat in Seat::ALL {
        let address = country.url(seat).trim_start_matches("http://").to_owned();
        let answer = Request::new("GET", "/").send(&address).unwrap();
        assert!(answer.status < 500, "{seat:?}: {}", answer.text());
    }
    assert!(country.stop(), "every node stops cleanly when asked");

    let watch = Stopwatch::start();
    let mut steps = vec![];
    let mut country =
        Country::start(&dir, config, &mut |step| steps.push(step.to_owned())).unwrap();
    eprintln!("started again in {:?}", watch.elapsed());
    assert!(!steps.iter().any(|step| step.starts_with("founding")), "{steps:?}");
    let after: Vec<_> = Seat::ALL.map(|seat| country.ready(seat).clone()).into();
    assert_eq!(before, after);
    its_figures_are_there(country.url(Seat::Clinic));
    country.kill(Seat::County);
    assert!(!country.is_running(Seat::County));
    country.start_node(Seat::County).unwrap();
    assert_eq!(country.ready(Seat::County), &after[2]);
    assert!(country.stop());
}

/// `/metrics` in the form that Prometheus reads: each line a comment, or a name with labels and a
/// number.
fn its_figures_are_there(url: &str) {
    let address = url.trim_start_matches("http://");
    let answer = Request::new("GET", "/metrics").send(address).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let text = answer.text();
    for line in text.lines().filter(|line| !line.starts_with("# ")) {
        let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        assert!(value.parse::<f64>().is_ok(), "{line}");
        assert!(name.starts_with("ondol_") || name.starts_with("process_"), "{line}");
    }
    for name in ["ondol_build_info{", "ondol_road_waiting_bytes{", "process_resident_memory_bytes "]
    {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name}\n{text}");
    }
}
