//! A province whose record is in PostgreSQL: it is moved there, works as before, and outlives its
//! own death and the server's.

use std::time::Duration;

use ondol_testkit::{
    fhir::FhirClient,
    node::{Country, CountryConfig, PASSWORD, Seat},
    patience,
    visitor::Visitor,
};
use serde_json::{Value, json};

#[path = "../../store-postgres/tests/support/mod.rs"]
mod postgres;

fn resident(number: usize, home: &str) -> Value {
    json!({ "resourceType": "Patient", "gender": "female", "birthDate": "1980-01-02",
        "managingOrganization": { "reference": format!("Organization/{home}") },
        "name": [{ "text": format!("리영희{number}") }] })
}

/// Saves until the node no longer says that it saved; gives the ids that it acknowledged.
fn save_until_refused(api: &FhirClient, home: &str, most: usize) -> (Vec<String>, Option<u16>) {
    let mut saved = vec![];
    for number in 0..most {
        match api.post("Patient", &resident(number, home)) {
            Ok(answer) if answer.status == 201 => saved.push(answer.id().to_owned()),
            Ok(answer) => return (saved, Some(answer.status)),
            Err(_) => return (saved, None),
        }
    }
    (saved, Some(201))
}

#[track_caller]
fn all_are_there(api: &FhirClient, ids: &[String]) {
    for id in ids {
        assert_eq!(api.get(&format!("Patient/{id}")).unwrap().status, 200, "{id} is lost");
    }
}

#[test]
fn a_province_moves_into_a_database_and_works_on_through_kills_of_itself_and_of_the_server() {
    let Some(mut server) = postgres::Server::start() else { return };
    let url = server.url(&server.schema());
    let mut country = Country::stopped_for_test("postgres", CountryConfig::for_tests()).unwrap();
    let said = country.move_record(Seat::Province, &url).unwrap();
    assert!(said.contains("stand in both, alike"), "{said}");
    country.start_nodes(&mut |_| {}).unwrap();
    let base = country.url(Seat::Province).to_owned();
    let home = country.ready(Seat::Province).facility.clone();
    let api = FhirClient::new(&base, "hyonok", PASSWORD);
    let (mut ids, _) = save_until_refused(&api, &home, 10);
    assert_eq!(ids.len(), 10);
    // What the county sends up is taken in there, durably: nothing waits below.
    assert!(country.settles(&[Seat::Clinic, Seat::County], Duration::from_mins(1)));

    country.kill(Seat::Province);
    country.start_node(Seat::Province).unwrap();
    all_are_there(&api, &ids);

    // The server dies while it is written to.
    let saving = std::thread::spawn({
        let (api, home) = (api.clone(), home.clone());
        move || save_until_refused(&api, &home, 100_000)
    });
    std::thread::sleep(Duration::from_millis(700));
    server.kill();
    let (saved, status) = saving.join().unwrap();
    assert!(!saved.is_empty(), "nothing was saved before the server died");
    assert!(status.is_some_and(|status| status >= 500), "{status:?}");
    ids.extend(saved);
    let mut page = Visitor::new(&base, "en");
    let away = page.get("/sign-in").map(|page| page.status);
    assert!(away.is_ok(), "the node itself answers: {away:?}");

    server.start_again();
    let back = patience::until(Duration::from_mins(1), || {
        let saved = api.post("Patient", &resident(9_999, &home)).ok()?;
        (saved.status == 201).then(|| saved.id().to_owned())
    });
    ids.push(back.expect("it does not go on by itself when the server is back"));
    all_are_there(&api, &ids);
    page.sign_in("hyonok", PASSWORD).unwrap();
    let trouble = patience::until(Duration::from_mins(1), || {
        let body = page.get("/").unwrap().body;
        (!body.contains("The disk of this node")).then_some(())
    });
    assert!(trouble.is_some(), "the trouble is over, and the page still speaks of it");
    assert!(country.terminate(Seat::Province));
    country.command(Seat::Province, &["verify"]).unwrap();
}
