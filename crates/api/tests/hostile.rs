//! Whatever is sent is answered: never with a failure of the server, and what is refused with an
//! `OperationOutcome` that names the parameter and repeats no value.

use door::{Door, Reply, observation};
use ondol_fhir::{ResourceType, params};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::door;

const TYPES: [&str; 7] =
    ["Patient", "Observation", "Encounter", "ValueSet", "Location", "List", "AuditEvent"];

/// A clinic with somebody and some care, so that there is something to look at.
async fn clinic() -> Door {
    let door = Door::new();
    door.patient("p", "리").await;
    for (id, code) in [("o1", "8310-5"), ("o2", "8867-4")] {
        door.facility.put(id, observation("p", code, "38.5", "2026-03-02T08:00:00+09:00"));
    }
    let list = json!({ "resourceType": "List", "status": "current", "mode": "working",
        "subject": { "reference": "Patient/p" }, "entry": [
            { "item": { "reference": "Observation/o1" } }, { "item": { "reference": "Patient/p" } }] });
    door.facility.put("l", list);
    let long: String = "a".repeat(4_000);
    let system = json!({ "resourceType": "CodeSystem", "status": "active", "url": "urn:long",
        "content": "complete", "concept": [{ "code": long }, { "code": "b" }] });
    door.facility.put("long", system);
    door
}

/// What every answer has to be.
fn sound(reply: &Reply, pairs: &[(String, String)]) -> Result<(), TestCaseError> {
    prop_assert!(reply.status < 500, "{} {}", reply.status, reply.text());
    if reply.status < 400 {
        return Ok(());
    }
    let outcome = reply.json_or_null();
    let issue = &outcome["issue"][0];
    let (code, says) = (&issue["details"]["coding"][0]["code"], &issue["diagnostics"]);
    prop_assert!(
        outcome["resourceType"] == "OperationOutcome"
            && code.as_str().is_some_and(|code| !code.is_empty())
            && says.as_str().is_some_and(|says| !says.is_empty()),
        "{}",
        reply.text()
    );
    let code = code.as_str().unwrap_or_default();
    if ["parameter-", "modifier-", "terminology-not-held"].iter().any(|one| code.starts_with(one)) {
        let at = issue["expression"][0].as_str().and_then(|at| at.strip_prefix("http."));
        let is_named = at.is_some_and(|at| pairs.iter().any(|(name, _)| of_chain(name, at)));
        prop_assert!(is_named || pairs.is_empty(), "{at:?} of {pairs:?}");
    }
    for (_, value) in pairs.iter().filter(|(_, value)| value.chars().count() > 12) {
        let is_name = pairs.iter().any(|(name, _)| name.contains(value.as_str()));
        prop_assert!(is_name || !reply.text().contains(value.as_str()), "{value} is repeated");
    }
    Ok(())
}

/// Whether an error names a parameter: itself, or the part of a chain that it leads to. What does
/// not look like a name may be a value by mistake, and is not repeated.
fn of_chain(name: &str, at: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-:.".contains(c);
    let looks_like_one = (1..=64).contains(&name.len()) && name.chars().all(is_name);
    if looks_like_one { !at.is_empty() && name.ends_with(at) } else { at == "?" }
}

fn run<S: Strategy>(
    cases: u32,
    strategy: &S,
    test: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    if let Err(why) = TestRunner::new(config).run(strategy, test) {
        panic!("{why}");
    }
}

fn name(kind: &'static str) -> impl Strategy<Value = String> {
    let codes: Vec<&str> =
        params(ResourceType::from_name(kind).unwrap()).iter().map(|param| param.code).collect();
    let code = prop::sample::select(codes);
    let control = prop::sample::select(vec![
        "_id",
        "_count",
        "_sort",
        "_total",
        "_summary",
        "_elements",
        "_include",
        "_revinclude",
        "_include:iterate",
        "_list",
        "_text",
        "_content",
        "_lastUpdated",
        "_page",
        "_format",
        "_type",
        "_has:Observation:patient:code",
        "_has:Observation:patient:_has:List:item:code",
        "_tag:not",
        "_has:List:item:subject:Patient.name",
        "_has:::",
        "_filter",
        "_contained",
        "name.name.name",
        "subject:Patient._has:Observation:patient:code",
        "subject.name",
        "patient.general-practitioner.name",
    ]);
    let modifier = prop::sample::select(vec![
        "exact",
        "contains",
        "missing",
        "not",
        "text",
        "in",
        "not-in",
        "above",
        "below",
        "identifier",
        "of-type",
        "Patient",
        "iterate",
        "banana",
        "",
        ":",
    ]);
    prop_oneof![
        4 => code.clone().prop_map(str::to_owned),
        3 => (code, modifier).prop_map(|(code, modifier)| format!("{code}:{modifier}")),
        4 => control.prop_map(str::to_owned),
        1 => "\\PC{0,20}",
    ]
}

fn value() -> impl Strategy<Value = String> {
    let of_kinds = prop::sample::select(vec![
        "2026",
        "ge2026-03",
        "ap2026-03-02T08:00",
        "sa9999-12-31T23:59:60.999999999Z",
        "0000",
        "lt0001-01-01",
        "-999999999",
        "1e999999999",
        "1e-28",
        "ap79228162514264337593543950335",
        "0.0000000000000000000000000001",
        "6.3|http://unitsofmeasure.org|mg",
        "1|http://unitsofmeasure.org|((((",
        "1||",
        "a|b|c|d",
        "|",
        "||",
        "$",
        "a$b",
        "a$b$c$d",
        "8310-5$gt38",
        "\\",
        "\\,",
        ",",
        ",,,",
        "true",
        "false",
        "count",
        "data",
        "Patient/p",
        "Patient/p/_history/1",
        "http://node.example/fhir/Patient/p",
        "urn:uuid:1",
        "../../x",
        "*",
        "Observation:subject",
        "Observation:*",
        "Patient:organization:Organization",
        "-code,-date",
        "90|180|99999999999|km",
        "NaN|inf|-1|m",
        "37.5|127|1|[mi_us]",
        "00",
        "3d6b30",
        "\u{0}",
        "\u{202e}",
        "http://hl7.org/fhir/ValueSet/observation-status",
        "ㅎ",
        "e\u{301}",
        "l",
        "$current",
    ]);
    prop_oneof![
        5 => of_kinds.clone().prop_map(str::to_owned),
        2 => (of_kinds, "\\PC{0,12}").prop_map(|(a, b)| format!("{a},{b}")),
        2 => "\\PC{0,40}",
        1 => ("[a-z,|$:.]{1,6}", 1..400_usize).prop_map(|(text, times)| text.repeat(times)),
    ]
}

#[test]
fn any_search_is_answered_and_what_is_refused_is_named() {
    let runtime = Runtime::new().unwrap();
    let door = runtime.block_on(clinic());
    let pair = |kind| (name(kind), value());
    let search = prop::sample::select(TYPES.to_vec()).prop_flat_map(move |kind| {
        let pairs = prop::collection::vec(pair(kind), 1..4);
        let whole = prop::sample::select(vec!["", "Patient/p/", "$"]);
        (Just(kind), whole, pairs, any::<(bool, bool)>())
    });
    run(600, &search, |(kind, of, pairs, (posted, lenient))| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let query = query.extend_pairs(&pairs).finish();
        let prefer = if lenient { "handling=lenient" } else { "handling=strict" };
        let form = ("content-type", "application/x-www-form-urlencoded");
        let headers = [form, ("prefer", prefer)];
        let path = match of {
            "$" => "/Observation/$lastn?patient=p&code=8310-5".to_owned(),
            of if posted => format!("/{of}{kind}/_search?_count=3"),
            of => format!("/{of}{kind}?_count=3"),
        };
        let (method, path, body) = if posted {
            ("POST", path, query)
        } else {
            ("GET", format!("{path}&{query}"), String::new())
        };
        let path = if posted { path.split('?').next().unwrap_or_default() } else { path.as_str() };
        let reply = runtime.block_on(door.with("doctor", (method, path), &headers, body));
        let mut all = pairs;
        // Those that an operation asks for itself.
        all.extend(["patient", "category", "_count"].map(|name| (name.to_owned(), String::new())));
        sound(&reply, &all)
    });
}

/// Values that libraries let pass or stumble over.
const LEAVES: &[&str] = &[
    "null",
    "true",
    "0",
    "-0",
    "1e400",
    "1E-999999999",
    "123456789012345678901234567890.000000000001",
    "\"\"",
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\u0000\"",
    "\"Patient\"",
    "\"Bundle\"",
    "\"transaction\"",
    "\"batch\"",
    "\"POST\"",
    "\"GET\"",
    "\"PATCH\"",
    "\"Patient?identifier=\"",
    "\"Patient/p\"",
    "\"2026-02-30\"",
    "\"male\"",
    "\"p\"",
    "[]",
    "{}",
    "[[[[]]]]",
    "01",
    "nul",
    "\"\t\"",
    "\"리\"",
    "\"(((((x+x+)+y\"",
    "{\"resourceType\":\"Patient\"}",
    "{\"reference\":\"Patient/p\"}",
    "{\"resourceType\":\"Parameters\"}",
];

/// Names of members.
const KEYS: &[&str] = &[
    "resourceType",
    "id",
    "name",
    "family",
    "type",
    "entry",
    "resource",
    "request",
    "method",
    "url",
    "meta",
    "contained",
    "extension",
    "identifier",
    "birthDate",
    "_birthDate",
    "managingOrganization",
    "subject",
    "status",
    "code",
    "coding",
    "system",
    "parameter",
    "valueUri",
    "compose",
    "include",
    "filter",
    "op",
    "valueSet",
    "link",
    "multipleBirthInteger",
    "fullUrl",
    "ifNoneExist",
    "__proto__",
    "",
    "fhir_comments",
];

/// JSON as text, with all that libraries let pass or stumble over.
fn document() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(LEAVES);
    let key = prop::sample::select(KEYS);
    let leaf = leaf.prop_map(str::to_owned);
    leaf.prop_recursive(6, 60, 6, move |inner| {
        let member = (key.clone(), inner.clone()).prop_map(|(key, value)| format!("\"{key}\":{value}"));
        prop_oneof![
            3 => prop::collection::vec(member, 0..6).prop_map(|all| format!("{{{}}}", all.join(","))),
            1 => prop::collection::vec(inner, 0..4).prop_map(|all| format!("[{}]", all.join(","))),
        ]
    })
}

#[test]
fn any_body_is_answered() {
    let runtime = Runtime::new().unwrap();
    let door = runtime.block_on(clinic());
    let to = prop::sample::select(vec![
        ("POST", "/Patient", "Patient"),
        ("POST", "/Observation", "Observation"),
        ("PUT", "/Patient/p", "Patient"),
        ("PUT", "/Patient?identifier=x", "Patient"),
        ("PATCH", "/Patient/p", ""),
        ("POST", "/", "Bundle"),
        ("POST", "/Patient/$validate", "Patient"),
        ("POST", "/Patient/$match", "Parameters"),
        ("POST", "/ValueSet/$expand", "Parameters"),
        ("POST", "/ValueSet/$validate-code", "Parameters"),
        ("POST", "/CodeSystem/$lookup", "Parameters"),
    ]);
    let body = prop_oneof![
        6 => (document(), Just(None)),
        1 => (document(), any::<prop::sample::Index>().prop_map(Some)),
    ];
    run(500, &(to, body, any::<bool>()), |((method, path, kind), (text, cut), typed)| {
        // Most are of the type that is expected, so that they come further than the first check.
        let mut body = match text.strip_prefix('{') {
            Some(rest) if typed && !kind.is_empty() => {
                let rest = if rest == "}" { rest.to_owned() } else { format!(",{rest}") };
                format!("{{\"resourceType\":\"{kind}\"{rest}")
            }
            _ => text,
        };
        if let Some(cut) = cut {
            let at = cut.index(body.len().max(1));
            body.truncate(
                (0..=at.min(body.len())).rev().find(|at| body.is_char_boundary(*at)).unwrap_or(0),
            );
        }
        let patch = [("content-type", "application/json-patch+json")];
        let headers: &[(&str, &str)] = if method == "PATCH" { &patch } else { &[] };
        let reply = runtime.block_on(door.with("doctor", (method, path), headers, body));
        sound(&reply, &[])
    });
}

/// Where something is posted, what, and with which status it may be answered.
type Costly = (&'static str, String, &'static [u16]);

/// Bodies that are made to cost much.
fn bodies() -> Vec<Costly> {
    let person =
        |name: &str| json!({ "resourceType": "Patient", "name": [{ "text": name }] }).to_string();
    let entry = json!({ "request": { "method": "GET", "url": "Patient?_include=*" } });
    let bundle =
        |times| json!({ "resourceType": "Bundle", "type": "batch", "entry": vec![&entry; times] });
    let wide: Value =
        json!({ "resourceType": "Patient", "name": vec![json!({ "family": "리" }); 100_000] });
    let expand = |regex: &str| {
        let filter = json!({ "property": "code", "op": "regex", "value": regex });
        let include = json!({ "system": "urn:long", "filter": [filter] });
        let set = json!({ "resourceType": "ValueSet", "status": "active",
            "compose": { "include": [include] } });
        let parameter = json!([{ "name": "valueSet", "resource": set }]);
        json!({ "resourceType": "Parameters", "parameter": parameter }).to_string()
    };
    let member = |member: &str| format!("{{\"resourceType\":\"Patient\",{member}");
    let deep = |open: &str| member(&format!("\"x\":{}", open.repeat(1 << 20)));
    let nines = "9".repeat(1 << 20);
    vec![
        ("/Patient", deep("["), &[400]),
        ("/Patient", deep("{\"x\":"), &[400]),
        ("/Patient", member(&format!("\"id\":\"{}\"}}", "a".repeat(1 << 24))), &[413]),
        ("/Patient", format!("[{nines}]"), &[400]),
        ("/Patient/$validate", member(&format!("\"multipleBirthInteger\":{nines}}}")), &[200]),
        ("/Patient/$validate", wide.to_string(), &[200]),
        ("/Patient/$match", person(&"리용희 ".repeat(100_000)), &[200]),
        ("/", bundle(5_001).to_string(), &[403]),
        ("/ValueSet/$expand", expand("((((a*)*)*)*)*x{1,1000}"), &[200]),
        ("/ValueSet/$expand", expand(&"(a{1000}){1000}".repeat(20)), &[422]),
    ]
}

/// Searches that are made to cost much.
fn searches() -> Vec<Costly> {
    let many = |one: &str, times: usize| vec![one; times].join("&");
    let include = "_include:iterate=List:item&_revinclude:iterate=List:item\
        &_revinclude:iterate=Observation:subject";
    let set = "http://hl7.org/fhir/ValueSet/observation-status,";
    vec![
        ("/Patient/_search", many("name=a", 8_000), &[403]),
        ("/Patient/_search", format!("name={}", "a,".repeat(30_000)), &[403]),
        ("/Patient/_search", format!("name={}", "a".repeat(70_000)), &[413]),
        ("/Patient/_search", format!("name:contains={}", "a".repeat(60_000)), &[200]),
        ("/Patient/_search", format!("_content={}", "a ".repeat(30_000)), &[200]),
        ("/Patient/_search", format!("_id={}p", "x,".repeat(199)), &[200]),
        ("/Patient/_search", format!("_list={}l", "x,".repeat(20_000)), &[403]),
        ("/Patient/_search", format!("_list={}l", "x,".repeat(199)), &[200]),
        ("/Patient/_search", many(include, 16), &[200]),
        ("/Patient/_search", many(include, 60), &[403]),
        ("/Patient/_search", format!("_elements={}name", "a,".repeat(30_000)), &[200]),
        ("/Observation/_search", format!("status:in={}x", set.repeat(1_200)), &[403]),
        ("/Observation/_search", format!("status:in={}x", set.repeat(199)), &[400]),
        ("/Observation/_search", format!("_sort={}code", "code,".repeat(10_000)), &[400]),
        ("/Observation/_search", many("subject:Patient.name=a", 45), &[200]),
        ("/Observation/_search", many("subject:Patient.name=a", 200), &[403]),
    ]
}

/// Longer than any of them takes where the machine is busy with others, and far shorter than what
/// grows without end.
const SOON_S: u64 = 8;

#[test]
#[allow(clippy::disallowed_methods, reason = "what is measured is how long it takes")]
fn what_is_made_to_cost_much_is_answered_soon() {
    let runtime = Runtime::new().unwrap();
    let door = runtime.block_on(clinic());
    let mut late = vec![];
    for (path, body, allowed) in bodies().into_iter().chain(searches()) {
        let begins: String = body.chars().take(60).collect();
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let headers: &[(&str, &str)] = if path.ends_with("_search") { &form } else { &[] };
        let start = std::time::Instant::now();
        let reply = runtime.block_on(door.with("doctor", ("POST", path), headers, body));
        let took = start.elapsed();
        println!(
            "{path} {begins}: {} in {} ms {:.200}",
            reply.status,
            took.as_millis(),
            reply.text()
        );
        if let Err(why) = sound(&reply, &[]) {
            panic!("{path} {begins}: {why}");
        }
        assert!(
            allowed.contains(&reply.status),
            "{path} {begins}: {} {:.300}",
            reply.status,
            reply.text()
        );
        if took.as_secs() >= SOON_S {
            late.push(format!("{path} {begins}: {took:?}"));
        }
    }
    assert!(late.is_empty(), "{late:#?}");
}
