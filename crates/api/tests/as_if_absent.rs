//! What may not be seen is as if it were not there: two clinics, one of which holds a chart of
//! somebody of another village as well, are asked the same, and answer the same. Whoever knows an id
//! is told that something stands there which they may not see (403, docs/api.md), and nothing more.

use door::{Door, Facility, ids, observation};
use ondol_access::{Coded, Role};
use ondol_kernel::ResourceId;
use ondol_record::ChartId;
use serde_json::{Value, json};

use crate::door;

const ROLES: [Role; 5] = [
    Role::Doctor,
    Role::Pharmacist,
    Role::FacilityManager,
    Role::CountyOfficer,
    Role::Administrator,
];

fn patient(home: &str, number: &str, name: &str) -> Value {
    json!({ "resourceType": "Patient", "name": [{ "text": name }], "gender": "female",
        "birthDate": "1961-03-02", "identifier": [{ "system": "urn:n", "value": number }],
        "managingOrganization": { "reference": home } })
}

fn list(of: &str) -> Value {
    json!({ "resourceType": "List", "status": "current", "mode": "working",
        "subject": { "reference": format!("Patient/{of}") }, "entry": [
            { "item": { "reference": "Patient/p" } }, { "item": { "reference": "Observation/o1" } }] })
}

/// A clinic with two of its own people, and if so somebody of another village with the same care.
fn clinic(is_there: bool) -> Door {
    let facility = Facility::new();
    let people = [
        ("p", "Organization/clinic"),
        ("far", "Organization/county"),
        ("q", "Organization/clinic"),
    ];
    for (at, (id, home)) in people.into_iter().enumerate() {
        if id == "far" && !is_there {
            continue;
        }
        facility.put(id, patient(home, &format!("n-{id}"), "리용희"));
        let time = format!("2026-03-0{}T08:00:00+09:00", at + 1);
        facility
            .put(&format!("o{}", at + 1), observation(id, "8310-5", &format!("3{at}.5"), &time));
        facility.put(&format!("list-{id}"), list(id));
        if id == "far" {
            let chart = Some(ChartId::Patient(ResourceId::new(id).unwrap()));
            let set = json!({ "resourceType": "ValueSet", "status": "active", "url": "urn:set",
                "compose": { "include": [{ "system": "urn:system", "concept": [{ "code": "a" }] }] } });
            let system = json!({ "resourceType": "CodeSystem", "status": "active", "url": "urn:system",
                "content": "complete", "concept": [{ "code": "a", "display": "zqfarqz" }] });
            facility.put_into(chart.clone(), "set", set);
            facility.put_into(chart, "system", system);
        }
    }
    let door = Door::of(facility);
    for role in ROLES {
        door.person(role.code(), &[role]);
    }
    door
}

/// Method, path, headers and body.
type Asked = (&'static str, &'static str, Vec<(&'static str, &'static str)>, Value);

/// What is asked, with headers and a body. Those that write come last.
fn requests() -> Vec<Asked> {
    let by = |method: &str, url: &str, resource: &Value| {
        json!({ "resourceType": "Bundle", "type": "transaction", "entry": [
            { "resource": resource, "request": { "method": method, "url": url } }] })
    };
    let mut by_condition = observation("x", "8310-5", "36.6", "2026-03-09");
    by_condition["subject"]["reference"] = "Patient?identifier=urn:n%7Cn-far".into();
    let new = patient("Organization/clinic", "n-far", "박철수");
    let mut named = observation("far", "1-8", "1", "2026");
    named["id"] = "new".into();
    let mut all = vec![];
    for path in [
        "/Patient",
        "/Patient?_count=1",
        "/Patient?_count=2",
        "/Patient?_id=p,far&_count=1",
        "/Patient?_id=p,far&_summary=count",
        "/Patient?identifier=urn:n%7Cn-far",
        "/Patient?identifier=urn:n%7Cn-far,urn:n%7Cn-p&_count=1&_total=accurate",
        "/Patient?name=%EB%A6%AC&_sort=name&_count=1",
        "/Patient?birthdate=1961-03-02&_sort=birthdate&_count=1",
        "/Patient/_history?_count=1",
        "/Observation?patient=p,far&_count=1",
        "/Observation?patient=p,far&_sort=-date&_count=1",
        "/Observation?patient=p,far&_sort=value-quantity&_count=1",
        "/Observation?_id=o1,o2&_include=*&_count=1",
        "/Observation?value-quantity=31.5",
        "/Observation?value-quantity=gt31&_summary=count",
        "/Observation?_list=list-far",
        "/Patient?_has:Observation:patient:value-quantity=31.5&_summary=count",
        "/Patient?_revinclude=Observation:subject&_revinclude=List:subject",
        "/Patient/far/Observation",
        "/Patient/far/*",
        "/Patient/p/*?_count=1",
        "/Observation/$lastn?patient=far&code=8310-5",
        "/Observation/$lastn?patient=p,far&code=8310-5&max=5",
        "/Observation?code:in=urn:set",
        "/Observation?code:below=urn:system%7Ca",
        "/ValueSet/$expand?url=urn:set",
        "/ValueSet/$validate-code?url=urn:set&system=urn:system&code=a",
        "/CodeSystem/$lookup?system=urn:system&code=a",
        "/CodeSystem?url=urn:system",
        "/ValueSet?_count=1",
    ] {
        all.push(("GET", path, vec![], Value::Null));
    }
    let has = vec![("if-none-exist", "identifier=urn:n|n-far")];
    all.extend([
        ("POST", "/Patient/$match", vec![], patient("Organization/county", "n-far", "리용희")),
        ("POST", "/", vec![], by("POST", "Observation", &by_condition)),
        ("DELETE", "/Patient?identifier=urn:n%7Cn-far", vec![], Value::Null),
        ("DELETE", "/Observation?value-quantity=31.5", vec![], Value::Null),
        (
            "PUT",
            "/Observation?value-quantity=31.5&patient=far",
            vec![],
            observation("far", "1-8", "1", "2026"),
        ),
        ("POST", "/Observation", vec![], observation("far", "1-8", "1", "2026")),
        ("PUT", "/Observation/new", vec![], named),
        ("POST", "/Patient", has, new.clone()),
        ("PUT", "/Patient?identifier=urn:n%7Cn-far", vec![], new.clone()),
        ("POST", "/", vec![], by("PUT", "Patient?identifier=urn:n%7Cn-far", &new)),
    ]);
    all
}

/// The same without what is another one each time: versions, ids that were given, links.
fn plain(text: &str) -> String {
    let is_between = |c: char| !c.is_ascii_alphanumeric() && c != '-';
    let mut plain = String::new();
    for word in text.split_inclusive(is_between) {
        let bare = word.trim_end_matches(is_between);
        let is_hex = bare.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        let is_version = is_hex && [16, 36].contains(&bare.len());
        plain.push_str(if is_version || plain.ends_with("_page=") { "…" } else { bare });
        plain.push_str(&word[bare.len()..]);
    }
    plain
}

#[tokio::test]
async fn whoever_may_not_see_is_answered_as_if_it_were_not_there() {
    let mut differ = vec![];
    for role in ROLES {
        let (with, without) = (clinic(true), clinic(false));
        for (method, path, headers, body) in requests() {
            let body = if body.is_null() { String::new() } else { body.to_string() };
            let mut said = vec![];
            for door in [&with, &without] {
                let reply = door.with(role.code(), (method, path), &headers, body.clone()).await;
                let head =
                    ["etag", "location", "last-modified"].map(|name| plain(reply.header(name)));
                // How likely two people are one hangs on all people who are here (docs/api.md), whom
                // it is told of does not.
                let says = match path {
                    "/Patient/$match" => ids(&reply.json()).join(" "),
                    _ => plain(reply.text()),
                };
                said.push((reply.status, head, says));
            }
            if said[0] != said[1] {
                differ.push(format!(
                    "{} {method} {path}\n  {:?}\n  {:?}",
                    role.code(),
                    said[0],
                    said[1]
                ));
            }
        }
    }
    assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ.join("\n"));
}

#[tokio::test]
async fn the_same_requests_do_find_what_may_be_seen() {
    // With the person received, the doctor is told by these very requests.
    let (with, without) = (clinic(true), clinic(false));
    let visit = json!({ "resourceType": "Encounter", "status": "in-progress", "class": { "code": "AMB" },
        "subject": { "reference": "Patient/far" },
        "serviceProvider": { "reference": "Organization/clinic" } });
    with.facility.put("visit", visit);
    let mut alike = vec![];
    for (method, path, headers, body) in requests() {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let a = with.with("doctor", (method, path), &headers, body.clone()).await;
        let b = without.with("doctor", (method, path), &headers, body).await;
        if (a.status, plain(a.text())) == (b.status, plain(b.text())) {
            alike.push(format!("{method} {path}"));
        }
    }
    // Of these the first page is of somebody else, and who comes behind is not to be seen there.
    let others: Vec<&String> = alike.iter().filter(|one| !one.ends_with("_count=1")).collect();
    assert!(others.is_empty() && alike.len() <= 5, "{alike:#?}");
}

#[tokio::test]
async fn whose_a_resource_is_and_what_was_taken_back_is_told_to_who_may_write_it() {
    let door = clinic(true);
    door.facility.put("case", json!({ "resourceType": "ServiceRequest", "status": "active",
        "intent": "order", "subject": { "reference": "Patient/far" },
        "category": [{ "coding": [{ "system": "urn:ondol:request-category", "code": "consult" }] }] }));
    door.facility.put(
        "order",
        json!({ "resourceType": "ServiceRequest", "status": "active",
        "intent": "order", "subject": { "reference": "Patient/far" } }),
    );
    let request = json!({ "resourceType": "ServiceRequest", "status": "active", "intent": "order",
        "subject": { "reference": "Patient/far" } });
    let mut whose = vec![];
    for role in ROLES {
        let who = role.code();
        for (kind, id, of) in [
            ("Observation", "o2", "far"),
            ("Observation", "o2", "p"),
            ("Observation", "o2", "nobody"),
        ] {
            let mut body = observation(of, "8310-5", "39", "2026-03-02");
            body["id"] = id.into();
            let reply =
                door.with(who, ("PUT", &format!("/{kind}/{id}")), &[], body.to_string()).await;
            whose.push((who, reply.status, reply.text().to_owned()));
        }
        for id in ["case", "order"] {
            let mut body = request.clone();
            body["id"] = id.into();
            let at = format!("/ServiceRequest/{id}");
            let put = door.with(who, ("PUT", &at), &[], body.to_string()).await;
            whose.push((who, put.status, put.text().to_owned()));
        }
        let refused: Vec<_> = whose.iter().filter(|(of, ..)| *of == who).collect();
        assert_eq!(refused[0].1, 403, "{}", refused[0].2);
        assert!(refused.iter().all(|one| *one == refused[0]), "{refused:#?}");
        whose.clear();
    }
}

#[tokio::test]
async fn when_something_was_taken_back_is_told_to_who_might_read_it() {
    let door = clinic(true);
    door.person("visited", &[Role::Doctor]);
    let visit = |status: &str| {
        json!({ "resourceType": "Encounter", "status": status, "class": { "code": "AMB" },
            "subject": { "reference": "Patient/far" },
            "serviceProvider": { "reference": "Organization/clinic" } })
    };
    door.facility.put("visit", visit("in-progress"));
    let mut body = observation("far", "8310-5", "39", "2026-03-02");
    body["id"] = "gone".into();
    let here = "/Observation/gone";
    door.with("visited", ("PUT", here), &[], body.to_string()).await.expect(201);
    for _ in 0..2 {
        let reply = door.with("visited", ("DELETE", here), &[], "").await;
        assert!(reply.status == 204 && !reply.header("etag").is_empty());
    }
    let mut over = visit("finished");
    over["id"] = "visit".into();
    door.with("visited", ("PUT", "/Encounter/visit"), &[], over.to_string()).await.expect(200);
    door.facility.clock.pass_minutes(2 * 24 * 60);
    for role in ROLES {
        let reply = door.with(role.code(), ("DELETE", here), &[], "").await;
        assert_eq!((reply.status, reply.header("etag")), (403, ""), "{}", role.code());
        assert_eq!(reply.header("last-modified"), "");
    }
}

#[tokio::test]
async fn whoever_is_told_by_a_condition_has_read() {
    let door = clinic(true);
    let readings = |id: &str| {
        let view = door.facility.store().read().unwrap();
        view.readings(&ChartId::Patient(ResourceId::new(id).unwrap()), 100).unwrap().len()
    };
    let who = Role::Doctor.code();
    // What is there already is handed out.
    let has = [("if-none-exist", "identifier=urn:n|n-p")];
    let new = patient("Organization/clinic", "n-p", "리용희").to_string();
    let told = door.with(who, ("POST", "/Patient"), &has, new.clone()).await.expect(200);
    assert_eq!((told["id"].as_str(), readings("p")), (Some("p"), 1));
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [
        { "resource": patient("Organization/clinic", "n-q", "리용희"),
          "request": { "method": "POST", "url": "Patient", "ifNoneExist": "identifier=urn:n|n-q" } }] });
    door.with(who, ("POST", "/"), &[], bundle.to_string()).await.expect(200);
    assert_eq!(readings("q"), 1);
    // A refusal that comes only where something meets the condition tells as much.
    let nurse = Role::Nurse.code();
    door.person(nurse, &[Role::Nurse]);
    let path = "/Observation?patient=p&value-quantity=gt30";
    door.with(nurse, ("DELETE", path), &[], "").await.issue(403);
    assert_eq!(readings("p"), 2);
    door.with(nurse, ("DELETE", "/Observation?patient=p&value-quantity=gt99"), &[], "")
        .await
        .expect(204);
    assert_eq!(readings("p"), 2, "nothing was there to be told of");
    let other = json!({ "resourceType": "Observation", "id": "another" }).to_string();
    door.with(nurse, ("PUT", path), &[], other).await.issue(422);
    assert_eq!((readings("p"), readings("far")), (3, 0));
}
