//! Every search parameter that real data has, asked with its own values: what the server finds is
//! what looking at every resource finds.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Cursor, Read},
    path::PathBuf,
};

use door::Door;
use ondol_access::Role;
use ondol_app::rest::import::{Shape, Source};
use ondol_fhir::{IndexValue, Resource, ResourceType, SearchParam, extract};
use ondol_kernel::ResourceId;
use serde_json::Value;

use crate::door;

/// Values of each parameter that are asked, at most.
const VALUES: usize = 3;

type Test = Box<dyn Fn(&IndexValue<'_>) -> bool>;

fn escaped(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        if "\\,|$".contains(c) {
            plain.push('\\');
        }
        plain.push(c);
    }
    form_urlencoded::byte_serialize(plain.as_bytes()).collect()
}

/// Questions that a value answers: query and what the values of an answer must be.
fn questions(param: &SearchParam, value: &IndexValue<'_>) -> Vec<(String, Test)> {
    let code = param.code;
    match value {
        IndexValue::String { folded, exact } => about_text(code, folded, exact),
        IndexValue::Token { system, code: Some(is) } => {
            let mut all = about_code(code, system.as_deref(), is);
            all.truncate(if code == "_id" { 1 } else { 2 });
            all
        }
        IndexValue::Reference { kind: Some(kind), id: Some(id), url: None, .. } => {
            let (kind, id) = (*kind, (*id).to_owned());
            let query = format!("{code}={kind}/{id}");
            let test: Test = Box::new(move |v| {
                matches!(v, IndexValue::Reference { kind: k, id: i, .. }
                    if *k == Some(kind) && *i == Some(id.as_str()))
            });
            vec![(query, test)]
        }
        IndexValue::Date { from, .. } if (0..4_000_000_000_000).contains(&from.0) => {
            about_time(code, from.0)
        }
        IndexValue::Uri(uri) => {
            let own = (*uri).to_owned();
            let test: Test = Box::new(move |v| matches!(v, IndexValue::Uri(uri) if *uri == own));
            vec![(format!("{code}={}", escaped(uri)), test)]
        }
        _ => vec![],
    }
}

fn about_text(code: &str, folded: &str, exact: &str) -> Vec<(String, Test)> {
    let start: String = folded.chars().take(3).collect();
    let (begins, part, whole) = (start.clone(), start.clone(), exact.to_owned());
    vec![
        (
            format!("{code}={}", escaped(&start)),
            Box::new(
                move |v| matches!(v, IndexValue::String { folded, .. } if folded.starts_with(&begins)),
            ),
        ),
        (
            format!("{code}:contains={}", escaped(&start)),
            Box::new(
                move |v| matches!(v, IndexValue::String { folded, .. } if folded.contains(&part)),
            ),
        ),
        (
            format!("{code}:exact={}", escaped(exact)),
            Box::new(move |v| matches!(v, IndexValue::String { exact, .. } if *exact == whole)),
        ),
    ]
}

fn about_code(param: &str, system: Option<&str>, is: &str) -> Vec<(String, Test)> {
    let (own, bare) = (is.to_owned(), is.to_owned());
    let own_system = system.map(str::to_owned);
    let with_system = format!("{param}={}%7C{}", escaped(system.unwrap_or("")), escaped(is));
    vec![
        (
            format!("{param}={}", escaped(is)),
            Box::new(move |v| matches!(v, IndexValue::Token { code, .. } if *code == Some(&bare))),
        ),
        (
            with_system,
            Box::new(move |v| {
                matches!(v, IndexValue::Token { system, code }
                    if *code == Some(&own) && system.as_deref() == own_system.as_deref())
            }),
        ),
    ]
}

/// A span of time: its first millisecond, and the one after its last.
type Span = (i64, i64);

/// Whether a span that is asked and one of a resource go together.
type Holds = fn(Span, Span) -> bool;

fn about_time(code: &str, from: i64) -> Vec<(String, Test)> {
    let time = escaped(&ondol_kernel::Millis(from).to_fhir(0));
    let prefixes: [(&str, Holds); 8] = [
        ("eq", |asked, is| asked.0 <= is.0 && is.1 <= asked.1),
        ("ne", |asked, is| asked.0 > is.0 || is.1 > asked.1),
        ("gt", |asked, is| is.1 > asked.1),
        ("lt", |asked, is| is.0 < asked.0),
        ("ge", |asked, is| is.1 > asked.1 || asked == is),
        ("le", |asked, is| is.0 < asked.0 || asked == is),
        ("sa", |asked, is| is.0 >= asked.1),
        ("eb", |asked, is| is.1 <= asked.0),
    ];
    prefixes
        .map(|(prefix, holds)| {
            // The asked span is a single millisecond: nothing but itself lies within it.
            let test: Test = Box::new(move |v| {
                matches!(v, IndexValue::Date { from: low, to: high }
                    if holds((from, from + 1), (low.0, high.0)))
            });
            (format!("{code}={prefix}{time}"), test)
        })
        .into()
}

fn bundle() -> Option<String> {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/synthea_r4.tar.gz");
    if !path.exists() {
        assert!(std::env::var_os("CI").is_none(), "synthea_r4.tar.gz is expected in CI");
        eprintln!("skipped: synthea_r4.tar.gz is not in ../shared/data");
        return None;
    }
    let file = std::fs::File::open(path).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let mut entries = archive.entries().unwrap().map(Result::unwrap);
    let mut entry = entries.find(|entry| (1..500_000).contains(&entry.size())).unwrap();
    let mut text = String::new();
    entry.read_to_string(&mut text).unwrap();
    Some(text)
}

#[tokio::test]
async fn what_is_found_is_what_looking_at_everything_finds() {
    let Some(text) = bundle() else { return };
    let door = Door::new();
    door.person("all", &[Role::Doctor, Role::FacilityManager]);
    let home = ResourceId::new("clinic").unwrap();
    let source = Source { name: "a", shape: Shape::Document, home: &home };
    let imported = door.facility.app.import(source, &mut Cursor::new(text), &mut |_| {}).unwrap();
    assert_eq!(imported.left_out, 0);
    let (mut asked, mut params) = (0, BTreeSet::new());
    let served = ResourceType::ALL.iter().filter(|kind| ondol_app::rest::is_served(**kind));
    for &kind in served {
        let page = door.get_as("all", &format!("/{kind}?_count=1000")).await.expect(200);
        assert!(page["link"].as_array().unwrap().iter().all(|link| link["relation"] != "next"));
        let entries = page["entry"].as_array().cloned().unwrap_or_default();
        let resources: Vec<Resource> = entries
            .into_iter()
            .map(|mut entry: Value| Resource::from_json(entry["resource"].take()).unwrap())
            .collect();
        let mut questions_of: BTreeMap<&str, Vec<(String, Test)>> = BTreeMap::new();
        for resource in &resources {
            let mut values = BTreeMap::<&str, usize>::new();
            extract(resource, 540, |param, value| {
                let count = values.entry(param.code).or_default();
                let known = questions_of.entry(param.code).or_default();
                *count += 1;
                if *count == 1 && known.len() < VALUES * 8 {
                    for question in questions(param, &value) {
                        if known.iter().all(|(query, _)| *query != question.0) {
                            known.push(question);
                        }
                    }
                }
            });
        }
        for (code, questions) in questions_of {
            for (query, test) in questions {
                let mut expected = BTreeSet::new();
                for resource in &resources {
                    extract(resource, 540, |param, value| {
                        if param.code == code && test(&value) {
                            expected.insert(resource.id().unwrap().to_owned());
                        }
                    });
                }
                let path = format!("/{kind}?{query}&_count=1000");
                let found: BTreeSet<String> = door.ids("all", &path).await.into_iter().collect();
                assert_eq!(found, expected, "{path}");
                asked += 1;
                params.insert(format!("{kind}.{code}"));
            }
        }
    }
    assert!(asked > 500 && params.len() > 80, "{asked} questions, {} parameters", params.len());
    println!("{asked} questions about {} parameters", params.len());
}
