//! What is sealed from the doors of FHIR.

use door::Door;
use ondol_access::Role;
use ondol_app::{encounter::Visit, sealed::SealKind};
use ondol_kernel::ResourceId;
use serde_json::json;

use crate::door;

const DOORS: [&str; 16] = [
    "/Patient/p",
    "/Patient/p/_history",
    "/Patient/p/$everything",
    "/Patient/p/$summary",
    "/Patient/p/*",
    "/Encounter?patient=p&_total=accurate",
    "/Encounter?_summary=count",
    "/Condition?subject=Patient/p&_include=Condition:encounter",
    "/Patient?_id=p&_revinclude=Encounter:subject&_revinclude=Provenance:target",
    "/Patient?_has:Encounter:subject:class=AMB&_total=accurate",
    "/Provenance?_total=accurate",
    "/Bundle?_total=accurate",
    "/Binary?_total=accurate",
    "/Encounter/_history",
    "/_history",
    "/Observation/$lastn?patient=p&category=vital-signs",
];

async fn answers(door: &Door) -> Vec<(u16, String)> {
    let mut answers = vec![];
    for path in DOORS {
        let reply = door.get(path).await;
        // A summary has a number of its own each time it is made.
        let mut text = reply.text().to_owned();
        if let Some(at) = text.find("\"value\":\"urn:uuid:") {
            text.replace_range(at..at + 55, "");
        }
        answers.push((reply.status, text));
    }
    answers
}

#[tokio::test]
async fn every_door_answers_as_if_nothing_had_been_sealed_but_the_one_that_opens_it() {
    let door = Door::new();
    door.patient("p", "리").await;
    let doctor = door.person("doctor", &[Role::Doctor]);
    let before = answers(&door).await;
    for (path, (status, text)) in DOORS.iter().zip(&before) {
        assert_eq!(*status, 200, "{path}: {text}");
    }
    let nothing = door.get("/Patient/p/$sealed").await.expect(200);
    assert_eq!(nothing, json!({ "resourceType": "Bundle", "type": "collection" }));

    let visit = Visit { complaint: "봉인된말하나".into(), ..Visit::default() };
    let patient = ResourceId::new("p").unwrap();
    let app = &door.facility.app;
    let id = app.seal_visit(&doctor, &patient, visit, SealKind::Hiv, vec![]).unwrap();
    assert_eq!(answers(&door).await, before);
    for path in [format!("/SealedEntry/{id}"), "/SealedEntry".into(), format!("/Binary/{id}")] {
        let reply = door.get(&path).await;
        assert_eq!(reply.status, 404, "{path}: {}", reply.text());
    }
    let write = json!({ "resourceType": "SealedEntry", "data": "AAAA" });
    assert_eq!(door.post("/SealedEntry", &write).await.status, 404);
    let transaction = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [{
        "resource": write, "request": { "method": "POST", "url": "SealedEntry" } }] });
    let reply = door.post("", &transaction).await;
    assert!((400..500).contains(&reply.status), "{}", reply.text());

    let sealed = door.get("/Patient/p/$sealed").await.expect(200);
    let piece = &sealed["entry"][0];
    assert_eq!(piece["fullUrl"], format!("urn:uuid:{id}"));
    assert_eq!(piece["resource"]["meta"]["security"][0]["code"], "V");
    let visit = &piece["resource"]["entry"][0]["resource"];
    assert_eq!(visit["reasonCode"][0]["text"], "봉인된말하나");
    let resource = ondol_fhir::Resource::from_json(sealed.clone()).unwrap();
    assert_eq!(ondol_fhir::validate(&resource), [], "valid as FHIR");
}

#[tokio::test]
async fn who_may_not_is_told_the_same_whether_there_is_something_or_not() {
    let door = Door::new();
    door.patient("p", "리").await;
    let doctor = door.person("doctor", &[Role::Doctor]);
    let roles = [
        Role::Pharmacist,
        Role::FacilityManager,
        Role::CountyOfficer,
        Role::MinistryOfficer,
        Role::Administrator,
        Role::Coordinator,
    ];
    let mut names = vec![];
    for (n, role) in roles.into_iter().enumerate() {
        let name = format!("person{n}");
        door.person(&name, &[role]);
        names.push(name);
    }
    let ask = async |names: &[String]| {
        let mut answers = vec![];
        for name in names {
            let reply = door.get_as(name, "/Patient/p/$sealed").await;
            answers.push((reply.status, reply.text().to_owned()));
        }
        answers
    };
    let before = ask(&names).await;
    assert!(before.iter().all(|(status, _)| *status == 403), "{before:?}");
    let visit = Visit { complaint: "봉인된말하나".into(), ..Visit::default() };
    let patient = ResourceId::new("p").unwrap();
    door.facility.app.seal_visit(&doctor, &patient, visit, SealKind::Hiv, vec![]).unwrap();
    assert_eq!(ask(&names).await, before);
}
