//! Records that are brought along on the page of a clinic whose node is killed in the middle, again
//! and again: nothing is lost, nothing stands twice, and the page says each time how it stands.

use std::{thread, time::Duration};

use ondol_testkit::{
    fhir::FhirClient,
    node::{Country, CountryConfig, PASSWORD, Seat},
    patience,
    visitor::Visitor,
};

const PEOPLE: u64 = 4_000;

fn people() -> String {
    let person = |n: u64| {
        format!(
            "{{\"resourceType\":\"Patient\",\"gender\":\"female\",\"birthDate\":\"19{:02}-03-07\"}}\n",
            n % 100
        )
    };
    (0..PEOPLE).map(person).collect::<Vec<_>>().concat()
}

fn count(country: &Country) -> u64 {
    let api = FhirClient::new(country.url(Seat::Clinic), "yonghui", PASSWORD);
    let answer = api.get("Patient?_summary=count").unwrap();
    answer.body["total"].as_u64().unwrap()
}

#[test]
fn an_import_from_the_page_survives_kills_and_brings_each_line_once() {
    let mut country = Country::for_test("import", CountryConfig::for_tests()).unwrap();
    let before = count(&country);
    let at_page = |country: &Country| {
        let mut page = Visitor::new(country.url(Seat::Clinic), "en");
        page.sign_in("songchol", PASSWORD).unwrap();
        page
    };
    let mut page = at_page(&country);
    let text = people();
    // These have no ids: whatever were read twice would stand twice.
    let files = [("files", "people.ndjson", text.as_bytes())];
    let shown = page.post_files("/import", &[("do", "import")], &files).unwrap();
    assert!(shown.body.contains("it goes on"), "{}", shown.body);
    let mut cuts = 0;
    for round in 1..=3_u64 {
        thread::sleep(Duration::from_millis(700 * round));
        country.kill(Seat::Clinic);
        country.start_node(Seat::Clinic).unwrap();
        page = at_page(&country);
        let shown = page.get("/import").unwrap();
        if shown.body.contains("switched off in the middle") {
            cuts += 1;
            page.post("/import/do", &[("do", "import")]).unwrap();
        }
    }
    assert!(cuts > 0, "it was over before it was killed");
    let done = patience::until(Duration::from_mins(3), || {
        page.get("/import").unwrap().body.contains("All of it is here").then_some(())
    });
    assert!(done.is_some(), "{}", page.get("/import").unwrap().body);
    eprintln!("{cuts} cuts; {} people were here, {} are now", before, count(&country));
    assert_eq!(count(&country), before + PEOPLE);
    let log = std::fs::read_to_string(country.log(Seat::Clinic)).unwrap();
    assert!(log.contains("an import ended") && !log.contains("people.ndjson"), "{log}");
}
