//! Searches over HTTP: what is found, in pages, and nothing that may not be seen.

use door::{Door, ids, observation, over_pages, path_of};
use ondol_access::Role;
use serde_json::{Value, json};

use crate::door;

async fn temperatures() -> Door {
    let door = Door::new();
    door.patient("p", "리").await;
    door.patient("q", "김").await;
    for (patient, number, day) in
        [("p", "36.5", 1), ("p", "38.50", 2), ("q", "39.1", 3), ("p", "40", 4), ("q", "37.0", 5)]
    {
        door.facility.clock.pass(1_000);
        let time = format!("2026-03-0{day}T08:00:00+09:00");
        let mut temperature = observation(patient, "8310-5", number, &time);
        temperature["id"] = format!("o{day}").into();
        door.put(&format!("/Observation/o{day}"), &temperature).await.expect(201);
    }
    let mut weight = observation("p", "29463-7", "65.9", "2026-03-04");
    weight["id"] = "w".into();
    door.put("/Observation/w", &weight).await.expect(201);
    door
}

#[tokio::test]
async fn searches_find_what_fits_and_nothing_else() {
    let door = temperatures().await;
    for (query, expected) in [
        ("", "o1 o2 o3 o4 o5 w"),
        ("subject=Patient/p", "o1 o2 o4 w"),
        ("patient=p", "o1 o2 o4 w"),
        ("subject:Patient=q", "o3 o5"),
        ("subject=http://node.example/fhir/Patient/q", "o3 o5"),
        ("code=8310-5", "o1 o2 o3 o4 o5"),
        ("code=http://loinc.org|29463-7", "w"),
        ("code=http://loinc.org|", "o1 o2 o3 o4 o5 w"),
        ("code=|8310-5", ""),
        ("code=8310-5,29463-7&patient=p", "o1 o2 o4 w"),
        ("code:not=8310-5", "w"),
        ("date=2026-03-04", "o4 w"),
        ("date=ge2026-03-03&date=lt2026-03-05&code=8310-5", "o3 o4"),
        ("date=2026-03-02T08:00:00%2B09:00", "o2"),
        ("date=gt2026-03-04", "o5"),
        ("date=eb2026-03-02", "o1"),
        ("value-quantity=38.5", "o2"),
        ("value-quantity=gt38||Cel", "o2 o3 o4 w"),
        ("value-quantity=gt38|http://unitsofmeasure.org|Cel&code=8310-5", "o2 o3 o4"),
        ("value-quantity=gt38||kg", ""),
        // 38 °C is 100.4 °F and 311.15 K: units of UCUM are converted.
        ("value-quantity=gt100.4|http://unitsofmeasure.org|[degF]&code=8310-5", "o2 o3 o4"),
        ("value-quantity=gt311.15|http://unitsofmeasure.org|K&code=8310-5", "o2 o3 o4"),
        ("value-quantity=gt38|http://unitsofmeasure.org|kg", ""),
        ("value-quantity=gt38|urn:own|Cel", ""),
        ("_id=o1,w,nothing", "o1 w"),
        ("_id=%ED%95%9C", ""),
        ("encounter:missing=true&patient=q", "o3 o5"),
        ("encounter:missing=false", ""),
        ("_lastUpdated=ge2030-01-01", ""),
    ] {
        let found = door.ids("doctor", &format!("/Observation?{query}")).await;
        assert_eq!(found.join(" "), expected, "{query}");
    }
    for (query, expected) in
        [("family=리", "p"), ("family:exact=리", "p"), ("name:contains=김", "q"), ("family=x", "")]
    {
        assert_eq!(door.ids("doctor", &format!("/Patient?{query}")).await.join(" "), expected);
    }
}

#[tokio::test]
async fn digits_beyond_what_is_converted_are_found_as_they_are_written() {
    let door = Door::new();
    door.patient("p", "리").await;
    let digits = "38.12345678901234567890123456789012345";
    for (id, number) in [("long", digits), ("short", "38.1")] {
        let mut temperature = observation("p", "8310-5", number, "2026-03-04");
        temperature["id"] = id.into();
        door.put(&format!("/Observation/{id}"), &temperature).await.expect(201);
    }
    let ucum = "http://unitsofmeasure.org";
    for (query, expected) in [
        (format!("gt38|{ucum}|Cel"), "long short"),
        (format!("ne40|{ucum}|Cel"), "long short"),
        (format!("lt38|{ucum}|Cel"), ""),
        (format!("gt311|{ucum}|K"), "short"),
    ] {
        let found = door.ids("doctor", &format!("/Observation?value-quantity={query}")).await;
        assert_eq!(found.join(" "), expected, "{query}");
    }
}

#[tokio::test]
async fn pages_lead_on_without_missing_or_repeating_while_writes_go_on() {
    let door = temperatures().await;
    let mut next = "/Observation?code=8310-5&_count=2".to_owned();
    let mut seen = vec![];
    loop {
        let page = door.get(&next).await.expect(200);
        seen.extend(ids(&page));
        // Somebody changes what was seen and what is to come.
        for day in [1, 5] {
            let mut again = door.get(&format!("/Observation/o{day}")).await.json();
            again["status"] = "amended".into();
            door.put(&format!("/Observation/o{day}"), &again).await.expect(200);
        }
        let links = page["link"].as_array().unwrap();
        match links.iter().find(|link| link["relation"] == "next") {
            Some(link) => next = path_of(link["url"].as_str().unwrap()),
            None => break,
        }
        assert!(!next.contains("8310"), "the link is opaque: {next}");
    }
    assert_eq!(seen, ["o1", "o2", "o3", "o4", "o5"]);
    let spliced = door.get(&format!("{next}&code=29463-7")).await;
    assert_eq!(spliced.issue(400).1, "http.code", "nothing is added to a page's search");
    assert_eq!(door.get("/Observation?_page=zz").await.issue(400).1, "http._page");
}

#[tokio::test]
async fn sorting_by_the_time_of_writing_holds_over_pages() {
    let door = temperatures().await;
    door.facility.clock.pass(1_000);
    let mut first = door.get("/Observation/o1").await.json();
    first["status"] = "amended".into();
    door.put("/Observation/o1", &first).await.expect(200);
    for (sort, expected) in
        [("_lastUpdated", "o2 o3 o4 o5 o1"), ("-_lastUpdated", "o1 o5 o4 o3 o2")]
    {
        let first = format!("/Observation?code=8310-5&_count=2&_sort={sort}");
        assert_eq!(over_pages(&door, first).await.join(" "), expected);
    }
    for sort in ["-banana", "date,banana", "code-value-quantity"] {
        let path = format!("/Observation?_sort={sort}");
        assert_eq!(door.get(&path).await.issue(400).1, "http._sort", "{sort}");
    }
}

#[tokio::test]
async fn sorting_by_a_time_of_care_holds_over_pages_and_what_has_none_comes_last() {
    let door = temperatures().await;
    let mut timeless = observation("q", "8310-5", "36.6", "2026-03-01");
    timeless.as_object_mut().unwrap().remove("effectiveDateTime");
    timeless["id"] = "n".into();
    door.put("/Observation/n", &timeless).await.expect(201);
    // The weight of the 4th is of the whole day: it begins before the temperature of the morning
    // and ends after it.
    for (query, expected) in [
        ("_sort=date", "o1 o2 o3 w o4 o5 n"),
        ("_sort=-date", "o5 w o4 o3 o2 o1 n"),
        ("_sort=date&patient=p", "o1 o2 w o4"),
        ("_sort=-date&code=8310-5", "o5 o4 o3 o2 o1 n"),
        ("_sort=-date&code=8310-5&date=le2026-03-03", "o3 o2 o1"),
    ] {
        for count in [1, 2, 50] {
            let first = format!("/Observation?{query}&_count={count}");
            assert_eq!(over_pages(&door, first).await.join(" "), expected, "{query} by {count}");
        }
    }
}

#[tokio::test]
async fn chains_ask_something_of_what_resources_lead_to() {
    let door = temperatures().await;
    for (query, expected) in [
        ("subject:Patient.family=%EA%B9%80", "o3 o5"),
        ("patient.family=%EA%B9%80", "o3 o5"),
        ("subject.family=%EA%B9%80,%EB%A6%AC&code=29463-7", "w"),
        ("subject:Patient._id=q", "o3 o5"),
        ("subject:Patient.organization=Organization/clinic&_sort=-date&_count=1", "o5"),
        ("subject:Patient.organization.name=nowhere", ""),
        ("subject:Patient.family=%EC%97%86%EC%9D%8C", ""),
    ] {
        let found = door.ids("doctor", &format!("/Observation?{query}")).await;
        assert_eq!(found.join(" "), expected, "{query}");
    }
    for query in ["subject:Practitioner.name=x", "subject.banana=x", "code.name=x", "a.b=x"] {
        let name = query.split('=').next().unwrap();
        let (_, at) = door.get(&format!("/Observation?{query}")).await.issue(400);
        assert_eq!(at, format!("http.{name}"), "{query}");
    }
    let long = "/Observation?subject:Patient.organization.partof.partof.partof.name=x";
    assert_eq!(door.get(long).await.issue(403).0, "too-costly");
}

#[tokio::test]
async fn totals_are_given_when_asked_or_known() {
    let door = temperatures().await;
    let total = |query: &'static str| {
        let door = &door;
        async move { door.get(&format!("/Observation?{query}")).await.expect(200) }
    };
    let counted = total("_summary=count").await;
    assert_eq!((&counted["total"], counted.get("entry")), (&json!(6), None));
    assert_eq!(total("_count=0").await["total"], 6);
    assert_eq!(total("_count=2&_total=accurate").await["total"], 6);
    assert_eq!(total("_count=2").await.get("total"), None);
    assert_eq!(total("patient=q").await["total"], 2);
}

#[tokio::test]
async fn includes_bring_what_is_referred_to_and_what_refers() {
    let door = temperatures().await;
    let types = |bundle: &Value| -> Vec<String> {
        let entries = bundle["entry"].as_array().unwrap();
        entries
            .iter()
            .map(|e| {
                let (mode, kind) = (&e["search"]["mode"], &e["resource"]["resourceType"]);
                format!("{} {}", mode.as_str().unwrap(), kind.as_str().unwrap())
            })
            .collect()
    };
    let found =
        door.get("/Observation?date=2026-03-04&_include=Observation:subject").await.expect(200);
    assert_eq!(types(&found), ["match Observation", "match Observation", "include Patient"]);
    let found = door.get("/Observation?_id=w&_include=Observation:subject:Group").await.expect(200);
    assert_eq!(types(&found), ["match Observation"]);
    let found = door.get("/Patient?_id=q&_revinclude=Observation:subject").await.expect(200);
    assert_eq!(types(&found), ["match Patient", "include Observation", "include Observation"]);
}

#[tokio::test]
async fn a_search_may_be_posted_and_a_lenient_client_is_told_what_was_passed_over() {
    let door = temperatures().await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let found =
        door.with("doctor", ("POST", "/Observation/_search?patient=p"), &form, "code=8310-5").await;
    assert_eq!(ids(&found.expect(200)), ["o1", "o2", "o4"]);
    let json = door.with("doctor", ("POST", "/Observation/_search"), &[], "{}").await;
    assert_eq!(json.status, 415);

    for (query, place) in [
        ("banana=1", "http.banana"),
        ("patient.shoe=x", "http.patient.shoe"),
        ("code:exact=x", "http.code:exact"),
        ("_has:Group:member:code=x", "http._has:Group:member:code"),
        ("date=tomorrow", "http.date"),
    ] {
        let path = format!("/Observation?patient=q&{query}");
        assert_eq!(door.get(&path).await.issue(400).1, place);
        let lenient = [("prefer", "handling=lenient")];
        let found = door.with("doctor", ("GET", &path), &lenient, "").await;
        if place == "http.date" {
            assert_eq!(found.status, 400, "a value that cannot be read is no extension");
            continue;
        }
        let found = found.expect(200);
        assert_eq!(ids(&found), ["o3", "o5"]);
        let outcome = found["entry"].as_array().unwrap().last().unwrap();
        assert_eq!(outcome["search"]["mode"], "outcome");
        assert_eq!(outcome["resource"]["issue"][0]["expression"][0], place);
    }
}

#[tokio::test]
async fn pages_and_totals_count_only_what_may_be_seen() {
    let door = Door::new();
    door.person("pharmacist", &[Role::Pharmacist]);
    door.person("officer", &[Role::CountyOfficer]);
    for n in 0..12 {
        // Every third person is at home elsewhere, and unknown here.
        let home = if n % 3 == 0 { "county" } else { "clinic" };
        let patient = json!({"resourceType":"Patient","gender":"female",
            "managingOrganization":{"reference":format!("Organization/{home}")}});
        door.facility.put(&format!("p{n}"), patient);
        let note = observation(&format!("p{n}"), "8310-5", "38", "2026-03-02");
        door.facility.put(&format!("o{n}"), note);
    }
    let expected = ["p1", "p2", "p4", "p5", "p7", "p8", "p10", "p11"];
    let mut next = "/Patient?gender=female&_count=3".to_owned();
    let mut pages = vec![];
    loop {
        let page = door.get(&next).await.expect(200);
        pages.push(ids(&page));
        let links = page["link"].as_array().unwrap();
        match links.iter().find(|link| link["relation"] == "next") {
            Some(link) => next = path_of(link["url"].as_str().unwrap()),
            None => break,
        }
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 2], "pages are full");
    assert_eq!(pages.concat(), expected);
    for (who, path, total) in [
        ("doctor", "/Patient?_summary=count", 8),
        ("doctor", "/Observation?_summary=count", 8),
        ("doctor", "/Observation?code=8310-5&_total=accurate&_count=1", 8),
        ("pharmacist", "/Patient?_summary=count", 8),
        ("pharmacist", "/Observation?_summary=count", 0),
        ("officer", "/Patient?_summary=count", 0),
        ("officer", "/Observation?_summary=count", 0),
        ("doctor", "/Observation?subject:Patient.gender=female&_summary=count", 8),
        ("officer", "/Observation?subject:Patient.gender=female&_summary=count", 0),
    ] {
        assert_eq!(door.get_as(who, path).await.expect(200)["total"], total, "{who} {path}");
    }
    // Neither an include nor a condition tells of somebody who may not be seen.
    let all = door.get("/Observation?_include=Observation:subject&_count=100").await.expect(200);
    assert!(!all.to_string().contains("Patient/p0"));
    door.get("/Patient/p0").await.issue(403);
    door.get("/Patient/p0/_history").await.issue(403);
    door.get("/Patient/p0/$everything").await.issue(403);
    door.get("/Observation/o0").await.issue(403);
}
