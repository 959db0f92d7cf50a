//! FHIR clients that nobody here wrote, at work with the node of a clinic: `PyPI` fhirclient and
//! fhirpy, npm fhir-kit-client. `make test-external` installs them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use ondol_testkit::node::{Country, CountryConfig, PASSWORD, Seat};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn clients_that_nobody_here_wrote_work_with_a_node() {
    let check = root().join("tests-external/clients/check.py");
    let python = root().join("target/tests-external/clients/bin/python");
    if !python.exists() {
        assert!(std::env::var_os("CI").is_none(), "make test-external has to be run before");
        eprintln!("skipped: make test-external installs the clients");
        return;
    }
    let country = Country::for_test("clients", CountryConfig::for_tests()).unwrap();
    let base = format!("{}/fhir", country.url(Seat::Clinic).trim_end_matches('/'));
    let login = Seat::Clinic.people()[0].login;
    let done = Command::new(python).arg(check).args([&base, login, PASSWORD]).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    let complained = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}\n{complained}");
    assert!(said.contains("All clients worked."), "{said}");
    assert!(country.stop(), "the nodes stop cleanly");
}
