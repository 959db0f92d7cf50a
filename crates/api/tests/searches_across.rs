//! Searches that go through other resources (`_has`, chains, lists, includes again and again,
//! compartments, value sets), parts of resources, orders: over HTTP, and telling nothing of
//! what may not be seen.

use door::{Door, all_ids, ids, observation, over_pages, path_of};
use ondol_access::Role;
use serde_json::{Value, json};

use crate::door;

/// Three people with observations: two are at home here, `far` is not.
fn people() -> Door {
    let door = Door::new();
    door.person("pharmacist", &[Role::Pharmacist]);
    door.person("officer", &[Role::CountyOfficer]);
    for (id, home, family) in
        [("p", "clinic", "Ri"), ("q", "clinic", "Kim"), ("far", "county", "Choe")]
    {
        let patient = json!({"resourceType":"Patient","name":[{"family":family,"given":["A"]}],
            "gender":"female","birthDate":"1990-05-17",
            "text":{"status":"generated","div":"<div>Seen at <b>home</b></div>"},
            "managingOrganization":{"reference":format!("Organization/{home}")}});
        door.facility.put(id, patient);
    }
    for (id, patient, code, number, time) in [
        ("o1", "p", "8310-5", "38.5", "2026-03-01T08:00:00+09:00"),
        ("o2", "p", "29463-7", "65.9", "2026-03-02T08:00:00+09:00"),
        ("o3", "q", "8310-5", "36.6", "2026-03-03T08:00:00+09:00"),
        ("o4", "far", "8310-5", "39.9", "2026-03-04T08:00:00+09:00"),
    ] {
        door.facility.put(id, observation(patient, code, number, time));
    }
    let pressure = json!({"resourceType":"Observation","status":"final",
        "code":{"coding":[{"system":"http://loinc.org","code":"85354-9","display":"Blood pressure"}]},
        "subject":{"reference":"Patient/q"},"hasMember":[{"reference":"Observation/o3"}],
        "component":[
            {"code":{"coding":[{"code":"8480-6"}]},"valueQuantity":{"value":150,"code":"mm[Hg]"}},
            {"code":{"coding":[{"code":"8462-4"}]},"valueQuantity":{"value":90,"code":"mm[Hg]"}}]});
    door.facility.put("bp", pressure);
    door
}

/// Ids of all entries, whatever their mode.
#[tokio::test]
async fn what_leads_here_is_asked_by_has_as_far_as_it_may_be_seen() {
    let door = people();
    for (query, expected) in [
        ("_has:Observation:patient:code=8310-5", "p q"),
        ("_has:Observation:patient:code=29463-7", "p"),
        ("_has:Observation:subject:value-quantity=gt38||Cel", "p"),
        ("_has:Observation:patient:code=8310-5&family=Kim", "q"),
        ("_has:Observation:patient:code=none", ""),
        ("_has:Observation:patient:component-code-value-quantity=8480-6$gt140", "q"),
        ("_has:Observation:patient:_has:Observation:has-member:code=85354-9", "q"),
    ] {
        let found = door.ids("doctor", &format!("/Patient?{query}")).await;
        assert_eq!(found.join(" "), expected, "{query}");
        let count = if expected.is_empty() { 0 } else { expected.split(' ').count() };
        let counted = door.get(&format!("/Patient?{query}&_summary=count")).await.expect(200);
        assert_eq!(counted["total"], count, "{query}");
    }
    let found =
        door.ids("doctor", "/Observation?patient._has:Observation:patient:code=29463-7").await;
    assert_eq!(found, ["o1", "o2"]);
    // Whoever may see a Patient but not the Observations learns nothing of these by it.
    for path in [
        "/Patient?_has:Observation:patient:code=8310-5",
        "/Patient?_has:Observation:patient:code=8310-5&_summary=count",
    ] {
        let found = door.get_as("pharmacist", path).await.expect(200);
        assert_eq!((found["total"].clone(), all_ids(&found).len()), (json!(0), 0), "{path}");
        assert_eq!(door.get_as("officer", path).await.expect(200)["total"], 0, "{path}");
    }
    assert_eq!(door.ids("pharmacist", "/Patient?gender=female").await, ["p", "q"]);
    for bad in ["_has:Observation:patient:banana", "_has:Observation:encounter:code", "_has:x"] {
        let (_, at) = door.get(&format!("/Patient?{bad}=1")).await.issue(400);
        assert_eq!(at, format!("http.{bad}"));
    }
    let deep = "_has:Observation:patient:_has:Observation:has-member:_has:Observation:has-member:_has:Observation:has-member:code";
    assert_eq!(door.get(&format!("/Patient?{deep}=1")).await.issue(403).0, "too-costly");
}

#[tokio::test]
async fn values_of_one_element_are_asked_together() {
    let door = people();
    for (query, expected) in [
        ("code-value-quantity=8310-5$gt38", "o1"),
        ("code-value-quantity=8310-5$gt38,29463-7$65.9", "o1 o2"),
        ("code-value-quantity=http://loinc.org|8310-5$gt38|http://unitsofmeasure.org|Cel", "o1"),
        ("code-value-quantity=29463-7$gt100", ""),
        ("component-code-value-quantity=8480-6$gt140", "bp"),
        ("component-code-value-quantity=8462-4$gt140", ""),
        ("combo-code-value-quantity=8462-4$le90,8310-5$lt37", "o3 bp"),
        ("code-value-quantity:missing=true", "bp"),
        ("value-quantity=ap37", "o1 o3"),
        ("value-quantity=ne65.9&patient=p", "o1"),
        ("value-quantity:missing=true", "bp"),
        ("date=ap2026-03-02", "o2"),
        ("date=ne2026-03-01", "o2 o3"),
    ] {
        let found = door.ids("doctor", &format!("/Observation?{query}")).await;
        assert_eq!(found.join(" "), expected, "{query}");
        let counted = door.get(&format!("/Observation?{query}&_summary=count")).await.expect(200);
        assert_eq!(counted["total"], found.len(), "{query}");
    }
}

#[tokio::test]
async fn includes_go_on_and_bring_only_what_may_be_seen() {
    let door = people();
    let report = json!({"resourceType":"DiagnosticReport","status":"final","code":{"text":"x"},
        "subject":{"reference":"Patient/q"},"result":[{"reference":"Observation/bp"},
        {"reference":"Observation/o4"}]});
    door.facility.put("r", report);
    let all = |path: &'static str| {
        let door = &door;
        async move { all_ids(&door.get(path).await.expect(200)).join(" ") }
    };
    assert_eq!(all("/DiagnosticReport?_include=DiagnosticReport:result").await, "r bp");
    let again = "/DiagnosticReport?_include=DiagnosticReport:result&_include:iterate=Observation:has-member&_include:iterate=Observation:subject";
    assert_eq!(all(again).await, "r bp o3 q");
    assert_eq!(all("/DiagnosticReport?_include=*").await, "r q bp");
    assert_eq!(all("/DiagnosticReport?_include=DiagnosticReport:*").await, "r q bp");
    let back = "/Patient?_id=q&_revinclude=Observation:subject&_revinclude:iterate=DiagnosticReport:result";
    assert_eq!(all(back).await, "q o3 bp r");
    // The observation of somebody who is unknown here is not told of by any of them.
    for path in
        [again, "/Observation?_include=*&_count=100", "/Patient?_revinclude=Observation:subject"]
    {
        let text = door.get(path).await.text().to_owned();
        assert!(!text.contains("39.9") && !text.contains("Patient/far"), "{path}");
    }
    let none = door.get_as("officer", again).await.expect(200);
    assert_eq!(all_ids(&none).len(), 0);
    let bound =
        door.get_as("pharmacist", "/Patient?_revinclude=Observation:subject").await.expect(200);
    assert_eq!(all_ids(&bound), ["p", "q"]);
}

#[tokio::test]
async fn compartments_are_searched_type_by_type_or_whole() {
    let door = people();
    for (path, expected) in [
        ("/Patient/q/Observation", "o3 bp"),
        ("/Patient/q/Observation?code=8310-5", "o3"),
        ("/Patient/q/Patient?_id=p", ""),
        ("/Patient/far/Observation", ""),
        ("/Patient/nobody/Observation", ""),
        ("/Patient/q/*", "o3 bp q"),
        ("/Patient/q/*?_id=bp", "bp"),
        ("/Patient/far/*", ""),
    ] {
        assert_eq!(door.ids("doctor", path).await.join(" "), expected, "{path}");
    }
    assert_eq!(over_pages(&door, "/Patient/q/Observation?_count=1".to_owned()).await, ["o3", "bp"]);
    assert_eq!(over_pages(&door, "/Patient/q/*?_count=1".to_owned()).await, ["o3", "bp", "q"]);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for path in ["/Patient/q/Observation/_search", "/Patient/q/*/_search"] {
        let found = door.with("doctor", ("POST", path), &form, "_id=o3").await.expect(200);
        assert_eq!(ids(&found), ["o3"], "{path}");
    }
    for (who, path, total) in [
        ("doctor", "/Patient/q/*?_summary=count", 3),
        ("doctor", "/Patient/far/*?_summary=count", 0),
        ("officer", "/Patient/q/*?_summary=count", 0),
        ("pharmacist", "/Patient/q/Observation?_summary=count", 0),
    ] {
        assert_eq!(door.get_as(who, path).await.expect(200)["total"], total, "{who} {path}");
    }
    assert_eq!(door.get("/Patient/q/*?code=8310-5").await.issue(400).1, "http.code");
    assert_eq!(door.get("/Patient/q/*?_sort=_id").await.issue(400).1, "http._sort");
    assert_eq!(door.get("/Patient/q/Organization").await.issue(404).0, "no-address");
}

#[tokio::test]
async fn lists_and_words_narrow_a_search() {
    let door = people();
    let list = |of: &str| {
        json!({"resourceType":"List","status":"current","mode":"working",
            "subject":{"reference":format!("Patient/{of}")},
            "entry":[{"item":{"reference":"Observation/o1"}},{"item":{"reference":"Observation/bp"}},
            {"item":{"reference":"Patient/q"}}]})
    };
    door.facility.put("l", list("p"));
    door.facility.put("hidden", list("far"));
    for (path, expected) in [
        ("/Observation?_list=l", "o1 bp"),
        ("/Patient?_list=l", "q"),
        ("/Observation?_list=l&code=8310-5", "o1"),
        ("/Observation?_list=nothing", ""),
        ("/Observation?_list=hidden", ""),
        ("/Patient?_text=home", "p q"),
        ("/Patient?_text=hospital", ""),
        ("/Patient?_content=kim", "q"),
        ("/Observation?code:text=blood", "bp"),
        ("/Observation?code:text=pressure", ""),
    ] {
        assert_eq!(door.ids("doctor", path).await.join(" "), expected, "{path}");
    }
    assert_eq!(door.get("/Observation?_list=$current-problems").await.issue(400).1, "http._list");
}

#[tokio::test]
async fn value_sets_and_hierarchies_that_are_held_are_searched_by() {
    let door = people();
    let set = json!({"resourceType":"ValueSet","status":"active","url":"http://a.kp/vitals",
        "compose":{"include":[{"system":"http://loinc.org","concept":[{"code":"8310-5"},{"code":"29463-7"}]}],
        "exclude":[{"system":"http://loinc.org","concept":[{"code":"29463-7"}]}]}});
    let inside = json!({"resourceType":"ValueSet","status":"active","url":"http://a.kp/all",
        "compose":{"include":[{"valueSet":["http://a.kp/vitals"]},{"system":"http://loinc.org","concept":[{"code":"85354-9"}]}]}});
    let ruled = json!({"resourceType":"ValueSet","status":"active","url":"http://a.kp/ruled",
        "compose":{"include":[{"system":"http://loinc.org","filter":[{"property":"x","op":"=","value":"y"}]}]}});
    let system = json!({"resourceType":"CodeSystem","status":"active","url":"http://loinc.org","content":"complete",
        "concept":[{"code":"vital","concept":[{"code":"8310-5"},{"code":"85354-9"}]},{"code":"29463-7"}]});
    // Into a chart that the doctor may read.
    for (id, resource) in [("vs", set), ("all", inside), ("ruled", ruled), ("cs", system)] {
        let chart = ondol_record::ChartId::Patient(ondol_kernel::ResourceId::new("p").unwrap());
        door.facility.put_into(Some(chart), id, resource);
    }
    for (query, expected) in [
        ("code:in=http://a.kp/vitals", "o1 o3"),
        ("code:in=ValueSet/vs", "o1 o3"),
        ("code:not-in=http://a.kp/vitals", "o2 bp"),
        ("code:in=http://a.kp/all", "o1 o3 bp"),
        ("status:in=http://hl7.org/fhir/ValueSet/observation-status", "o1 o2 o3 bp"),
        ("code:below=http://loinc.org|vital", "o1 o3 bp"),
        ("code:below=http://loinc.org|8310-5", "o1 o3"),
        ("code:above=http://loinc.org|8310-5", "o1 o3"),
    ] {
        let found = door.ids("doctor", &format!("/Observation?{query}")).await;
        assert_eq!(found.join(" "), expected, "{query}");
    }
    for query in [
        "code:in=http://a.kp/nothing",
        "code:in=http://a.kp/ruled",
        "code:below=http://loinc.org|banana",
        "code:above=urn:other|8310-5",
    ] {
        let (code, at) = door.get(&format!("/Observation?{query}")).await.issue(400);
        assert_eq!(
            (code.as_str(), at),
            ("terminology-not-held", format!("http.{}", query.split('=').next().unwrap()))
        );
    }
    // Whoever may not read the value set cannot search by it either.
    assert_eq!(door.get_as("officer", "/Observation?code:in=http://a.kp/vitals").await.status, 400);
}

#[tokio::test]
async fn any_parameters_order_results_over_pages_while_writes_go_on() {
    let door = people();
    for (path, expected) in [
        ("/Patient?_sort=family", "q p"),
        ("/Patient?_sort=-family", "p q"),
        ("/Patient?_sort=gender,-family", "p q"),
        ("/Patient?_sort=birthdate,family", "q p"),
        ("/Observation?_sort=value-quantity", "o3 o1 o2 bp"),
        ("/Observation?_sort=-value-quantity", "o2 o1 o3 bp"),
        ("/Observation?_sort=code,-date", "o2 o3 o1 bp"),
        ("/Observation?_sort=-subject,date", "o3 bp o1 o2"),
        ("/Observation?_sort=_id", "bp o1 o2 o3"),
        ("/Observation?_sort=-_lastUpdated&code=8310-5", "o3 o1"),
    ] {
        for count in [1, 2, 50] {
            let first = format!("{path}&_count={count}");
            assert_eq!(over_pages(&door, first).await.join(" "), expected, "{path} by {count}");
        }
    }
    // Neither a newcomer nor a change of what is not the key makes a page miss or repeat.
    let mut next = "/Observation?_sort=-value-quantity&_count=1".to_owned();
    let mut seen = vec![];
    for round in 0.. {
        let page = door.get(&next).await.expect(200);
        seen.extend(ids(&page));
        let time = "2026-03-09T08:00:00+09:00";
        door.facility.put(&format!("new{round}"), observation("p", "8310-5", "99", time));
        let mut first = door.get("/Observation/o1").await.json();
        first["status"] = if round % 2 == 0 { "amended" } else { "final" }.into();
        door.put("/Observation/o1", &first).await.expect(200);
        let links = page["link"].as_array().unwrap();
        match links.iter().find(|link| link["relation"] == "next") {
            Some(link) => next = path_of(link["url"].as_str().unwrap()),
            None => break,
        }
    }
    assert_eq!(seen, ["o2", "o1", "o3", "bp"]);
}

#[tokio::test]
async fn parts_of_resources_are_tagged() {
    let door = people();
    let keys = |value: &Value| -> String {
        value.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>().join(" ")
    };
    let whole = "resourceType id meta name gender birthDate text managingOrganization";
    for (query, expected) in [
        ("_summary=false", whole),
        ("_summary=true", "resourceType id meta name gender birthDate managingOrganization"),
        ("_summary=text", "resourceType id meta text"),
        ("_summary=data", "resourceType id meta name gender birthDate managingOrganization"),
        ("_elements=name,birthDate", "resourceType id meta name birthDate"),
    ] {
        let found = door.get(&format!("/Patient?_id=p&{query}")).await.expect(200);
        let patient = &found["entry"][0]["resource"];
        assert_eq!(keys(patient), expected, "{query}");
        let tagged = patient["meta"]["tag"][0]["code"] == "SUBSETTED";
        assert_eq!(tagged, query != "_summary=false", "{query}");
    }
    let both = "/Observation?_id=o1&_elements=value&_include=Observation:subject";
    let found = door.get(both).await.expect(200);
    assert_eq!(
        keys(&found["entry"][0]["resource"]),
        "resourceType id meta status code valueQuantity"
    );
    assert_eq!(keys(&found["entry"][1]["resource"]), whole, "what is included is whole");
    let refused = "/Observation?_summary=text&_include=Observation:subject";
    assert_eq!(door.get(refused).await.issue(400).1, "http._summary");
    assert_eq!(door.get("/Patient?_summary=some").await.issue(400).1, "http._summary");
    assert_eq!(door.get("/Patient?_elements=a.b").await.issue(400).1, "http._elements");
}
