//! `ondol-demo` as a person runs it: it begins, stops on Ctrl-C, and goes on where it was.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use ondol_kernel::Date;
use ondol_testkit::{
    contents::Contents,
    node::{PASSWORD, test_dir},
    patience, population,
    visitor::Visitor,
};

/// The demo in a directory, and all that it said until it was ready.
fn start(data: &Path, fhir: &Path) -> (Demo, Vec<String>) {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_ondol-demo"))
        .args(["--fast", "--people", "20", "--port", "18801", "--data"])
        .arg(data)
        .arg("--fhir")
        .arg(fhir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (sender, receiver) = mpsc::channel();
    let stdout = demo.stdout.take().unwrap();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let demo = Demo(demo);
    let mut said = vec![];
    while !said.iter().any(|line: &String| line.starts_with("Ctrl-C stops")) {
        said.push(receiver.recv_timeout(Duration::from_secs(90)).expect("the demo gets ready"));
    }
    (demo, said)
}

/// A demo that is told to stop also when the test fails.
struct Demo(Child);

impl Demo {
    fn interrupt(&mut self) -> Option<ExitStatus> {
        let kill = format!("kill -INT {}", self.0.id());
        let _ = Command::new("sh").args(["-c", &kill]).status();
        patience::until(Duration::from_secs(30), || self.0.try_wait().ok().flatten())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.interrupt();
        }
    }
}

fn addresses(said: &[String]) -> Vec<&str> {
    said.iter().map(|line| line.trim()).filter(|line| line.starts_with("http://")).collect()
}

#[test]
fn the_demo_fills_a_country_stops_on_ctrl_c_and_finds_it_again() {
    let dir = test_dir("demo").unwrap();
    let (data, fhir) = (dir.join("data"), dir.join("fhir"));
    fs::create_dir_all(&fhir).unwrap();
    let residents = population::village(9, 8, Date::parse("2026-03-02").unwrap());
    for (at, bundle) in residents.iter().enumerate() {
        fs::write(fhir.join(format!("{at}.json")), bundle.to_string()).unwrap();
    }
    let (mut demo, first) = start(&data, &fhir);
    assert!(first.iter().any(|line| line.contains("founding 은정리진료소")), "{first:?}");
    assert!(first.iter().any(|line| line.contains("loading ")), "{first:?}");
    assert!(first.iter().any(|line| line.contains(PASSWORD)), "{first:?}");
    let bases = addresses(&first);
    assert_eq!(bases.len(), 5, "{first:?}");
    let mut specialist = Visitor::new(bases[4], "en");
    assert!(specialist.sign_in("ryonhwa", PASSWORD).unwrap().status < 400);
    let duty = specialist.get("/duty").unwrap();
    assert!(duty.body.contains("/duty/out"), "the one on duty has checked in: {}", duty.body);
    assert!(duty.body.contains("02-381-214"), "{}", duty.body);
    assert!(demo.interrupt().expect("the demo stops").success());

    let county = Contents::read(&data.join("county")).unwrap();
    assert!(county.patients.len() >= 8, "{}", county.patients.len());

    let (mut demo, second) = start(&data, &fhir);
    assert!(!second.iter().any(|line| line.contains("founding")), "{second:?}");
    assert_eq!(addresses(&second), bases);
    let duty = specialist.get("/duty").unwrap();
    assert!(duty.body.contains("/duty/out"), "still on duty: {}", duty.body);
    assert!(demo.interrupt().expect("the demo stops").success());
}
