//! `$expand`, `$validate-code` and `$lookup` over HTTP, with what the node holds and what it
//! does not.

use door::{Door, Reply};
use ondol_access::Role;
use serde_json::{Value, json};

use crate::door;

fn parameters(all: &[(&str, Value)]) -> Value {
    let parameter = |(name, value): &(&str, Value)| {
        let mut parameter = json!({ "name": name });
        let key = match value {
            Value::Bool(_) => "valueBoolean",
            Value::Number(_) => "valueInteger",
            Value::Object(of) if of.contains_key("resourceType") => "resource",
            Value::Object(of) if of.contains_key("coding") => "valueCodeableConcept",
            Value::Object(_) => "valueCoding",
            _ => "valueString",
        };
        parameter[key] = value.clone();
        parameter
    };
    json!({ "resourceType": "Parameters",
        "parameter": all.iter().map(parameter).collect::<Vec<_>>() })
}

/// The codes of an expansion.
fn codes(expansion: &Value) -> Vec<String> {
    let contains = expansion["expansion"]["contains"].as_array().cloned().unwrap_or_default();
    contains.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

async fn expanded(door: &Door, query: &str) -> Value {
    let set = door.get(&format!("/ValueSet/$expand?{query}")).await.expect(200);
    let read = ondol_fhir::Resource::from_json(set.clone()).unwrap();
    assert_eq!(ondol_fhir::validate(&read), [], "{query}");
    set
}

/// `result`, and what else is told: message or display.
fn verdict(reply: &Reply) -> (bool, String) {
    let told = reply.expect(200);
    let read = ondol_fhir::Resource::from_json(told.clone()).unwrap();
    assert_eq!(ondol_fhir::validate(&read), []);
    let all = told["parameter"].as_array().unwrap();
    let of = |name: &str| all.iter().find(|one| one["name"] == name);
    let text = |name: &str| Some(of(name)?["valueString"].as_str()?.to_owned());
    let result = of("result").unwrap()["valueBoolean"].as_bool().unwrap();
    (result, text("message").or_else(|| text("display")).unwrap_or_default())
}

/// The properties of a `$lookup` by code, and its display.
fn properties(told: &Value) -> (String, Vec<(String, String)>) {
    let all = told["parameter"].as_array().unwrap();
    let display = all.iter().find(|one| one["name"] == "display").unwrap();
    let part = |one: &Value, name: &str| {
        let parts = one["part"].as_array().unwrap();
        let part = parts.iter().find(|part| part["name"] == name).unwrap().as_object().unwrap();
        let value = part.iter().find(|(key, _)| key.starts_with("value")).unwrap().1;
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    };
    let of = all.iter().filter(|one| one["name"] == "property");
    let of = of.map(|one| (part(one, "code"), part(one, "value"))).collect();
    (display["valueString"].as_str().unwrap().to_owned(), of)
}

/// Trees, and value sets of them, in the nation's chart.
fn plants() -> Door {
    let door = Door::new();
    door.person("officer", &[Role::CountyOfficer]);
    let concept = |code: &str, display: &str, colour: &str| {
        json!({ "code": code, "display": display,
            "designation": [{ "language": "ko-KP", "value": format!("{display} 나무") }],
            "property": [{ "code": "colour", "valueCode": colour }] })
    };
    let mut tree = concept("tree", "Tree", "green");
    tree["property"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "code": "notSelectable", "valueBoolean": true }));
    let mut elm = concept("elm", "Elm", "green");
    elm["property"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "code": "inactive", "valueBoolean": true }));
    tree["concept"] = json!([concept("pine", "Pine", "dark"), concept("fir", "Fir", "dark"), elm]);
    let system = json!({ "resourceType": "CodeSystem", "status": "active", "url": "urn:plants",
        "version": "7", "name": "Plants", "content": "complete",
        "concept": [tree, concept("rose", "Rose", "red")] });
    door.facility.put("plants", system);
    let set = |id: &str, include: Value, exclude: Option<Value>| {
        let mut set = json!({ "resourceType": "ValueSet", "status": "active",
            "url": format!("urn:set:{id}"), "name": "Set", "compose": { "include": include } });
        if let Some(exclude) = exclude {
            set["compose"]["exclude"] = exclude;
        }
        door.facility.put(id, set);
    };
    let filter = |op: &str, value: &str| {
        json!({ "system": "urn:plants",
            "filter": [{ "property": "concept", "op": op, "value": value }] })
    };
    set("all", json!([{ "system": "urn:plants" }]), None);
    set("trees", json!([filter("is-a", "tree")]), None);
    set(
        "dark",
        json!([{ "system": "urn:plants",
        "filter": [{ "property": "colour", "op": "=", "value": "dark" }] }]),
        None,
    );
    set(
        "kinds",
        json!([filter("descendent-of", "tree")]),
        Some(json!([{ "valueSet": ["urn:set:few"] }])),
    );
    set(
        "few",
        json!([{ "system": "urn:plants", "concept": [{ "code": "fir", "display": "Silver fir" }] },
        { "system": "urn:elsewhere", "concept": [{ "code": "x", "display": "Ex" }] }]),
        None,
    );
    set("both", json!([{ "valueSet": ["urn:set:trees", "urn:set:few"] }]), None);
    set("far", json!([{ "system": "urn:elsewhere" }, { "system": "urn:plants" }]), None);
    set(
        "ruled",
        json!([{ "system": "urn:plants",
        "filter": [{ "property": "height", "op": "=", "value": "1" }] }]),
        None,
    );
    set("round", json!([{ "valueSet": ["urn:set:about"] }]), None);
    set("about", json!([{ "valueSet": ["urn:set:round"] }]), None);
    set("units", json!([{ "system": "http://unitsofmeasure.org" }]), None);
    door
}

#[tokio::test]
async fn value_sets_of_the_record_are_expanded_by_their_rules() {
    let door = plants();
    for (query, expected) in [
        ("url=urn:set:all", "tree pine fir elm rose"),
        ("url=urn:set:all&activeOnly=true", "tree pine fir rose"),
        ("url=urn:set:all&filter=pi", "pine"),
        ("url=urn:set:all&filter=%EB%82%98%EB%AC%B4+ro", "rose"),
        ("url=urn:set:all&filter=", "tree pine fir elm rose"),
        ("url=urn:set:trees", "tree pine fir elm"),
        ("url=urn:set:dark", "pine fir"),
        ("url=urn:set:kinds", "pine elm"),
        ("url=urn:set:few", "fir x"),
        ("url=urn:set:both", "fir"),
        ("url=urn:set:all&count=2&offset=1", "pine fir"),
        ("url=urn:set:all&count=0", ""),
        ("url=urn:set:all&offset=9", ""),
    ] {
        assert_eq!(codes(&expanded(&door, query).await).join(" "), expected, "{query}");
    }
    let page = expanded(&door, "url=urn:set:all&count=2&displayLanguage=ko").await;
    assert_eq!((&page["expansion"]["total"], &page["expansion"]["offset"]), (&json!(5), &json!(0)));
    assert_eq!(page["expansion"]["contains"][0]["display"], "Tree 나무");
    assert_eq!(page["expansion"]["contains"][0]["abstract"], true);
    assert!(page.get("compose").is_none());
    let versions = page["expansion"]["parameter"].as_array().unwrap();
    assert!(versions.iter().any(|one| one["valueUri"] == "urn:plants|7"), "{versions:?}");
    let whole =
        expanded(&door, "url=urn:set:few&includeDefinition=true&includeDesignations=true").await;
    assert!(whole["compose"].is_object());
    assert_eq!(whole["expansion"]["contains"][0]["display"], "Silver fir");
    assert_eq!(whole["expansion"]["contains"][0]["designation"][0]["language"], "ko-KP");
    let own = door.get("/ValueSet/trees/$expand?filter=elm").await.expect(200);
    assert_eq!((codes(&own).join(" "), own["id"].as_str()), ("elm".to_owned(), Some("trees")));
    let sent = json!({ "resourceType": "ValueSet", "status": "draft",
        "compose": { "include": [{ "valueSet": ["urn:set:dark"] }] } });
    let body = parameters(&[("valueSet", sent), ("count", json!(1))]);
    assert_eq!(codes(&door.post("/ValueSet/$expand", &body).await.expect(200)), ["pine"]);
}

/// What is asked, the status, the code of the issue and where it is.
const REFUSED: &[(&str, u16, &str, &str)] = &[
    ("/ValueSet/$expand?url=urn:set:nothing", 404, "value-set-not-held", ""),
    ("/ValueSet/none/$expand", 404, "value-set-not-held", ""),
    ("/ValueSet/$expand?url=urn:set:far", 422, "terminology-not-held", ""),
    ("/ValueSet/$expand?url=urn:set:ruled", 422, "filter-unsupported", ""),
    ("/ValueSet/$expand?url=urn:set:round", 422, "value-set-circle", ""),
    ("/ValueSet/$expand?url=urn:set:units", 422, "too-costly", ""),
    ("/ValueSet/$expand?url=http://snomed.info/sct?fhir_vs", 422, "terminology-not-held", ""),
    ("/ValueSet/$expand?url=http://loinc.org/vs", 422, "terminology-partly-held", ""),
    ("/ValueSet/$expand", 400, "parameter-missing", "http.url"),
    ("/ValueSet/$expand?url=urn:set:all&context=x", 400, "parameter-unsupported", "http.context"),
    ("/ValueSet/$expand?url=urn:set:all&date=2020", 400, "parameter-unsupported", "http.date"),
    ("/ValueSet/$expand?url=urn:set:all&banana=1", 400, "parameter-unknown", "http.banana"),
    ("/ValueSet/$expand?url=urn:set:all&count=-1", 400, "parameter-value", "http.count"),
    ("/ValueSet/all/$expand?url=urn:set:all", 400, "parameter-value", "http.url"),
    ("/ValueSet/$validate-code?url=urn:set:all&code=fir", 400, "parameter-missing", "http.system"),
    (
        "/ValueSet/$validate-code?url=urn:set:all&system=urn:plants",
        400,
        "parameter-missing",
        "http.code",
    ),
    (
        "/ValueSet/$validate-code?url=urn:set:far&system=urn:elsewhere&code=x",
        422,
        "terminology-not-held",
        "",
    ),
    ("/CodeSystem/$validate-code?url=urn:elsewhere&code=x", 404, "terminology-not-held", ""),
    (
        "/CodeSystem/$validate-code?url=http://hl7.org/fhir/sid/icd-10&code=Z99.9",
        404,
        "terminology-partly-held",
        "",
    ),
    ("/CodeSystem/$lookup?system=urn:elsewhere&code=x", 404, "terminology-not-held", ""),
    ("/CodeSystem/$lookup?system=urn:plants&code=oak", 404, "code-unknown", ""),
    ("/CodeSystem/$lookup?system=urn:plants&version=8&code=fir", 404, "terminology-not-held", ""),
    ("/CodeSystem/$lookup?code=x", 400, "parameter-missing", "http.system"),
    (
        "/CodeSystem/$lookup?system=urn:plants&code=fir&date=2020",
        400,
        "parameter-unsupported",
        "http.date",
    ),
];

#[tokio::test]
async fn what_is_not_held_or_not_understood_is_said_and_never_guessed() {
    let door = plants();
    for &(path, status, code, at) in REFUSED {
        assert_eq!(door.get(path).await.issue(status), (code.to_owned(), at.to_owned()), "{path}");
    }
    let says = door.get("/ValueSet/$expand?url=urn:set:far").await.text().to_owned();
    assert!(says.contains("urn:elsewhere") && says.contains("ondol terminology add"), "{says}");
    let lenient = [("prefer", "handling=lenient")];
    let path = "/ValueSet/$expand?url=urn:set:dark&banana=1";
    assert_eq!(codes(&door.with("doctor", ("GET", path), &lenient, "").await.expect(200)).len(), 2);
    let body = json!({ "resourceType": "Patient" });
    assert_eq!(door.post("/ValueSet/$expand", &body).await.issue(400).0, "operation-parameters");
    // What is a part of the value set is still told of codes that need nothing else.
    let far = "/ValueSet/$validate-code?url=urn:set:far&system=urn:plants&code=fir";
    assert!(verdict(&door.get(far).await).0);
}

#[tokio::test]
async fn a_code_is_in_a_value_set_or_not() {
    let door = plants();
    for (query, result, says) in [
        ("url=urn:set:trees&system=urn:plants&code=fir", true, "Fir"),
        ("url=urn:set:trees&system=urn:plants&code=fir&displayLanguage=ko-KP", true, "Fir 나무"),
        ("url=urn:set:trees&system=urn:plants&code=rose", false, "not in the value set"),
        ("url=urn:set:trees&system=urn:elsewhere&code=fir", false, "not in the value set"),
        ("url=urn:set:trees&system=urn:plants&code=fir&display=FIR", true, "Fir"),
        (
            "url=urn:set:trees&system=urn:plants&code=fir&display=Fir+%EB%82%98%EB%AC%B4",
            true,
            "Fir",
        ),
        ("url=urn:set:trees&system=urn:plants&code=fir&display=Pine", false, "not a name"),
        ("url=urn:set:trees&system=urn:plants&code=tree", false, "not to be used itself"),
        ("url=urn:set:trees&system=urn:plants&code=tree&abstract=true", true, "Tree"),
        ("url=urn:set:kinds&system=urn:plants&code=fir", false, "not in the value set"),
        ("url=urn:set:kinds&system=urn:plants&code=pine", true, "Pine"),
        ("url=urn:set:few&system=urn:elsewhere&code=x&display=Ex", true, "Ex"),
        ("url=urn:set:few&system=urn:plants&code=fir&display=fir", true, "Silver fir"),
        ("url=urn:set:units&system=http://unitsofmeasure.org&code=mg/dL", true, ""),
        ("url=urn:set:units&system=http://unitsofmeasure.org&code=bananas", false, "not in"),
        (
            "url=http://hl7.org/fhir/ValueSet/administrative-gender&system=http://hl7.org/fhir/administrative-gender&code=female",
            true,
            "Female",
        ),
        (
            "url=http://hl7.org/fhir/ValueSet/units-of-time&system=http://unitsofmeasure.org&code=wk",
            true,
            "",
        ),
    ] {
        let found = verdict(&door.get(&format!("/ValueSet/$validate-code?{query}")).await);
        assert_eq!(found.0, result, "{query}: {}", found.1);
        assert!(found.1.contains(says), "{query}: {}", found.1);
    }
    let coding = |system: &str, code: &str| json!({ "system": system, "code": code });
    let concept = |codings: &[Value]| json!({ "coding": codings });
    let unknown = coding("urn:elsewhere", "y");
    let validate = async |body: Value| door.post("/ValueSet/far/$validate-code", &body).await;
    let good = parameters(&[(
        "codeableConcept",
        concept(&[unknown.clone(), coding("urn:plants", "fir")]),
    )]);
    assert!(verdict(&validate(good).await).0);
    let doubtful =
        parameters(&[("codeableConcept", concept(&[coding("urn:plants", "oak"), unknown]))]);
    assert_eq!(validate(doubtful).await.issue(422).0, "terminology-not-held");
    let bad = parameters(&[("coding", coding("urn:plants", "oak"))]);
    assert!(!verdict(&validate(bad).await).0);
    let both = parameters(&[("coding", coding("urn:plants", "fir")), ("code", json!("fir"))]);
    assert_eq!(validate(both).await.issue(400).1, "http.code");
}

#[tokio::test]
async fn a_code_system_has_a_code_or_not() {
    let door = plants();
    for (path, result, says) in [
        ("/CodeSystem/$validate-code?url=urn:plants&code=fir", true, "Fir"),
        ("/CodeSystem/$validate-code?url=urn:plants&version=7&code=fir", true, "Fir"),
        ("/CodeSystem/plants/$validate-code?code=oak", false, "does not have this code"),
        ("/CodeSystem/plants/$validate-code?code=rose&display=Thorn", false, "not a name"),
        ("/CodeSystem/$validate-code?url=http://unitsofmeasure.org&code=mm[Hg]", true, ""),
        ("/CodeSystem/$validate-code?url=http://unitsofmeasure.org&code=mmHG", false, ""),
        (
            "/CodeSystem/$validate-code?url=http://hl7.org/fhir/sid/icd-10&code=A09.9&displayLanguage=ko",
            true,
            "",
        ),
        (
            "/CodeSystem/$validate-code?url=http://hl7.org/fhir/item-type&code=question",
            false,
            "not to be used",
        ),
    ] {
        let found = verdict(&door.get(path).await);
        assert_eq!(found.0, result, "{path}: {}", found.1);
        assert!(found.1.contains(says), "{path}: {}", found.1);
    }
    let sent = json!({ "resourceType": "CodeSystem", "status": "draft", "url": "urn:new",
        "content": "complete", "concept": [{ "code": "a", "display": "A" }] });
    let of = |code: &str| parameters(&[("codeSystem", sent.clone()), ("code", json!(code))]);
    assert!(verdict(&door.post("/CodeSystem/$validate-code", &of("a")).await).0);
    assert!(!verdict(&door.post("/CodeSystem/$validate-code", &of("b")).await).0);
    let other = parameters(&[
        ("url", json!("urn:plants")),
        ("coding", json!({ "system": "urn:x", "code": "fir" })),
    ]);
    assert!(!verdict(&door.post("/CodeSystem/$validate-code", &other).await).0);
}

#[tokio::test]
async fn a_look_up_tells_names_properties_and_what_stands_above_and_below() {
    let door = plants();
    let look = async |query: &str| {
        let told = door.get(&format!("/CodeSystem/$lookup?{query}")).await.expect(200);
        let read = ondol_fhir::Resource::from_json(told.clone()).unwrap();
        assert_eq!(ondol_fhir::validate(&read), [], "{query}");
        told
    };
    let told = look("system=urn:plants&code=tree").await;
    let (display, all) = properties(&told);
    let of = |name: &str| -> Vec<&str> {
        all.iter().filter(|(code, _)| code == name).map(|(_, value)| value.as_str()).collect()
    };
    assert_eq!(
        (display.as_str(), of("child"), of("colour")),
        ("Tree", vec!["pine", "fir", "elm"], vec!["green"])
    );
    assert!(told.to_string().contains("Tree 나무"));
    let parameter = |name: &str| {
        told["parameter"].as_array().unwrap().iter().find(|p| p["name"] == name).cloned()
    };
    assert_eq!(parameter("name").unwrap()["valueString"], "Plants");
    assert_eq!(parameter("version").unwrap()["valueString"], "7");
    let (_, all) = properties(&look("system=urn:plants&code=fir&property=parent").await);
    assert_eq!(all, [("parent".to_owned(), "tree".to_owned())]);
    let told = look("system=urn:plants&code=fir&displayLanguage=ko&property=lang.ko-KP").await;
    assert_eq!(properties(&told), ("Fir 나무".to_owned(), vec![]));
    assert!(told.to_string().contains("\"designation\""));
    let (_, all) =
        properties(&look("system=http://hl7.org/fhir/observation-status&code=corrected").await);
    assert_eq!(all, [("parent".to_owned(), "amended".to_owned())]);
    let (_, all) = properties(&look("system=http://unitsofmeasure.org&code=mg/dL").await);
    assert_eq!(all, [("canonical".to_owned(), "g.m-3".to_owned())]);
    let (display, _) = properties(
        &look("system=http://www.whocc.no/atc&code=J01CA04&displayLanguage=ko-KP").await,
    );
    assert!(display.chars().any(|c| ('\u{ac00}'..='\u{d7a3}').contains(&c)), "{display}");
    let body = parameters(&[("coding", json!({ "system": "urn:plants", "code": "rose" }))]);
    let (display, _) = properties(&door.post("/CodeSystem/$lookup", &body).await.expect(200));
    assert_eq!(display, "Rose");
}

#[tokio::test]
async fn the_starter_lists_are_value_sets_in_two_languages() {
    let door = Door::new();
    let all = expanded(&door, "url=urn:ondol:diagnoses&count=10000&displayLanguage=ko-KP").await;
    assert_eq!(codes(&all).len(), ondol_terms_count());
    let found = expanded(&door, "url=urn:ondol:diagnoses&filter=%ED%8E%98%EA%B2%B0%ED%95%B5").await;
    assert!(codes(&found).iter().any(|code| code.starts_with("A1")), "{found}");
    let medicines = expanded(&door, "url=urn:ondol:medicines&filter=amoxi").await;
    assert!(codes(&medicines).contains(&"J01CA04".to_owned()));
}

/// Rows of the list of diagnoses.
fn ondol_terms_count() -> usize {
    include_str!("../../terms/data/diagnoses.tsv").lines().count() - 1
}

#[tokio::test]
async fn what_one_may_not_read_is_not_told_and_what_is_told_was_read() {
    let door = Door::new();
    door.person("officer", &[Role::CountyOfficer]);
    door.patient("p", "Ri").await;
    let set = json!({ "resourceType": "ValueSet", "status": "active", "url": "urn:set:own",
        "compose": { "include": [{ "system": "urn:x", "concept": [{ "code": "a" }] }] } });
    let chart = ondol_record::ChartId::Patient(ondol_kernel::ResourceId::new("p").unwrap());
    door.facility.put_into(Some(chart.clone()), "own", set);
    for path in ["/ValueSet/$expand?url=urn:set:own", "/ValueSet/own/$expand"] {
        assert_eq!(door.get_as("officer", path).await.issue(404).0, "value-set-not-held", "{path}");
    }
    let readings = || {
        let view = door.facility.store().read().unwrap();
        view.readings(&chart, 100).unwrap().len()
    };
    let before = readings();
    assert_eq!(codes(&door.get("/ValueSet/own/$expand").await.expect(200)), ["a"]);
    assert_eq!(readings(), before + 1);
}
