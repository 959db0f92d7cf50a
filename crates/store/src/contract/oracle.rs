//! Searches against the plainest possible search: every document is read and every test tried.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use ondol_fhir::{DecimalKey, IndexValue, Resource, extract};
use ondol_kernel::Millis;
use proptest::{prelude::*, sample::select, test_runner::TestRunner};
use serde_json::{Value, json};

use super::{
    Opened,
    scene::{NOW, Open, append_at, chart_of, id, node, put, see, token},
};
use crate::{Filter, Found, Order, Query, Test, Unit, View};

const DAY: i64 = 86_400_000;
const TYPES: [&str; 2] = ["Patient", "Observation"];

/// The time zone of the store in which dates without one are read, minutes.
const OFFSET: i32 = 9 * 60;

#[derive(Debug, Clone)]
struct Thing {
    patient: bool,
    number: u8,
    word: u8,
    code: u8,
    day: i64,
    length: i64,
}

fn thing() -> impl Strategy<Value = Thing> {
    (any::<bool>(), 0..12u8, 0..5u8, 0..4u8, 20_400..20_440i64, 0..60i64).prop_map(
        |(patient, number, word, code, day, length)| Thing {
            patient,
            number,
            word,
            code,
            day,
            length,
        },
    )
}

const WORDS: [&str; 5] = ["Alpha", "alphabet", "Beta", "가나다", "가다"];

fn resource(thing: &Thing) -> Value {
    let Thing { patient, number, word, code, day, length } = *thing;
    let word = WORDS[usize::from(word)];
    let moment = |day: i64| Millis(day * DAY + 1).to_fhir(0);
    if patient {
        let mut person = json!({
            "resourceType": "Patient", "id": format!("p{number}"),
            "name": [{"family": word, "given": [WORDS[usize::from(code)]]}],
            "identifier": [{"system": format!("http://s{}.org", code % 2), "value": word}],
        });
        if code != 3 {
            person["birthDate"] = moment(day)[..10].into();
        }
        return person;
    }
    json!({
        "resourceType": "Observation", "id": format!("o{number}"), "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": format!("c{code}")}]},
        "subject": {"reference": format!("Patient/p{}", number % 3)},
        "effectivePeriod": {"start": moment(day), "end": moment(day + length)},
        "valueQuantity": quantity(number, if code == 0 { "kg" } else { "g" }),
    })
}

/// Of every other one UCUM knows the unit too.
fn quantity(number: u8, unit: &str) -> Value {
    let value = f64::from(number) / 2.0;
    if number.is_multiple_of(2) {
        return json!({"value": value, "unit": unit});
    }
    json!({"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit})
}

fn test() -> impl Strategy<Value = (&'static str, Test)> {
    let days = (20_390..20_450i64, 0..70i64)
        .prop_map(|(from, length)| (Millis(from * DAY), Millis((from + length) * DAY)));
    let parameters = ["name", "family", "identifier", "code", "subject", "birthdate", "date"];
    prop_oneof![
        (select(vec!["name", "family"]), select(vec!["a", "alpha", "be", "가", "x", ""]))
            .prop_map(|(parameter, text)| (parameter, Test::Prefix(text.into()))),
        (select(vec!["name", "family"]), select(vec!["ph", "나", "z"]))
            .prop_map(|(parameter, text)| (parameter, Test::Contains(text.into()))),
        select(WORDS.to_vec()).prop_map(|text| ("family", Test::Exact(text.into()))),
        (select(vec![None, Some("http://s0.org"), Some("")]), select(WORDS.to_vec()))
            .prop_map(|(system, code)| ("identifier", token(system, Some(code)))),
        select(vec!["c0", "c1", "c9"]).prop_map(|code| ("code", token(None, Some(code)))),
        Just(("code", token(Some("http://loinc.org"), None))),
        select(vec!["p0", "p1", "p9"])
            .prop_map(|of| ("subject", Test::Reference(format!("Patient/{of}").into()))),
        (select(vec!["date", "birthdate"]), days.clone())
            .prop_map(|(parameter, (from, to))| (parameter, Test::Overlaps { from, to })),
        (select(vec!["date", "birthdate"]), days)
            .prop_map(|(parameter, (from, to))| (parameter, Test::Within { from, to })),
        (select(parameters.to_vec()), any::<bool>())
            .prop_map(|(parameter, is)| (parameter, Test::Present(is))),
        (0..12u8).prop_map(|number| ("_id", Test::Id(id(&format!("p{number}"))))),
        (0..14u32, 0..8u32, 0..4u8).prop_map(|(from, length, of)| {
            let unit = match of {
                0 => None,
                1 => Some(Unit::Written { system: None, code: "kg".into() }),
                _ => Some(Unit::Canonical("g".into())),
            };
            // In grams, around the values that were written in kg.
            let scale = if of == 3 { 1000.0 } else { 1.0 };
            let key = |half: u32| -> Box<[u8]> {
                let text = (scale * f64::from(half) / 2.0).to_string();
                DecimalKey::parse(&text).unwrap().as_bytes().into()
            };
            let (from, to) = (Bound::Included(key(from)), Bound::Excluded(key(from + length)));
            ("value-quantity", Test::Number { from, to, unit })
        }),
        select(vec!["c0", "c1", "c9"])
            .prop_map(|code| ("code", Test::Not(vec![token(None, Some(code))]))),
        (-2..40i64, 0..40i64).prop_map(|(from, length)| {
            let from = NOW.plus(from);
            ("_lastUpdated", Test::Overlaps { from, to: from.plus(length) })
        }),
    ]
}

/// A filter has tests on one parameter; some have two.
fn filter() -> impl Strategy<Value = Filter> {
    prop::collection::vec(test(), 1..3).prop_map(|tests| {
        let parameter = tests[0].0;
        let any = tests.into_iter().filter(|(of, _)| *of == parameter).map(|(_, test)| test);
        Filter { parameter: parameter.into(), any: any.collect() }
    })
}

fn query() -> impl Strategy<Value = Query> {
    let chart = prop_oneof![4 => Just(None), 1 => (0..3u8).prop_map(Some)];
    (select(TYPES.to_vec()), prop::collection::vec(filter(), 0..4), chart, any::<bool>()).prop_map(
        |(resource_type, filters, chart, newest)| Query {
            resource_type: resource_type.into(),
            chart: chart.map(|number| chart_of(&format!("p{number}"))),
            filters,
            order: if newest { Order::NewestArrival } else { Order::Arrival },
            limit: 1000,
            after: None,
        },
    )
}

/// Whether a value passes a test.
fn passes(test: &Test, value: &IndexValue<'_>) -> bool {
    match (test, value) {
        (Test::Prefix(text), IndexValue::String { folded, .. }) => folded.starts_with(&**text),
        (Test::Contains(text), IndexValue::String { folded, .. }) => folded.contains(&**text),
        (Test::Exact(text), IndexValue::String { exact, .. }) => **exact == **text,
        (Test::Token { system: asked, code: wanted }, IndexValue::Token { system, code }) => {
            asked.as_deref().is_none_or(|asked| asked == system.as_deref().unwrap_or(""))
                && wanted.as_deref().is_none_or(|wanted| Some(wanted) == *code)
        }
        (Test::Reference(text), IndexValue::Reference { kind: Some(kind), id: Some(id), .. }) => {
            **text == format!("{}/{id}", kind.name())
        }
        (Test::Overlaps { from, to }, IndexValue::Date { from: low, to: high }) => {
            low < to && high > from
        }
        (Test::Within { from, to }, IndexValue::Date { from: low, to: high }) => {
            low >= from && high <= to
        }
        (
            Test::Number { from: Bound::Included(from), to: Bound::Excluded(to), unit: asked },
            IndexValue::Quantity { value, unit, code: known, .. },
        ) => {
            // A kilogram has a thousand grams: nothing of UCUM is asked here.
            let (of_unit, scale) = match (asked, *known) {
                (Some(Unit::Canonical(_)), Some("kg")) => (true, 1000.0),
                (Some(Unit::Canonical(_)), known) => (known == Some("g"), 1.0),
                (Some(Unit::Written { code, .. }), _) => (Some(&**code) == *unit, 1.0),
                (None, _) => (true, 1.0),
            };
            let key = (scale * value.parse::<f64>().unwrap()).to_string();
            let key = DecimalKey::parse(&key).unwrap();
            of_unit && key.as_bytes() >= &**from && key.as_bytes() < &**to
        }
        _ => false,
    }
}

fn is_found(query: &Query, found: &Found, document: &Resource) -> bool {
    let shown = &found.shown;
    let holds = |filter: &Filter, test: &Test| match (&*filter.parameter, test) {
        ("_id", Test::Id(of)) => *of == shown.id,
        ("_id" | "_lastUpdated", Test::Present(is)) => *is,
        ("_lastUpdated", Test::Overlaps { from, to } | Test::Within { from, to }) => {
            shown.hlc.millis() >= *from && shown.hlc.millis() < *to
        }
        (parameter, test) => {
            let (mut any, mut passed) = (false, false);
            extract(document, OFFSET, |param, value| {
                if param.code == parameter {
                    any = true;
                    passed |= passes(test, &value);
                }
            });
            match test {
                Test::Present(is) => any == *is,
                Test::Not(tests) => !tests.iter().any(|test| {
                    let mut holds = false;
                    extract(document, OFFSET, |param, value| {
                        holds |= param.code == parameter && passes(test, &value);
                    });
                    holds
                }),
                _ => passed,
            }
        }
    };
    *shown.resource_type == *query.resource_type
        && query.chart.as_ref().is_none_or(|chart| *chart == shown.chart)
        && query.filters.iter().all(|filter| filter.any.iter().any(|test| holds(filter, test)))
}

/// All ids in pages of three, and whether none came twice.
fn paged(view: &dyn View, query: &Query) -> (BTreeSet<String>, bool) {
    let mut asked = Query { limit: 3, ..query.clone() };
    let (mut ids, mut count) = (BTreeSet::new(), 0);
    loop {
        let page = view.search(&asked).unwrap();
        count += page.hits.len();
        ids.extend(page.hits.iter().map(|hit| hit.found.shown.id.to_string()));
        match page.next {
            Some(next) => asked.after = Some(next),
            None => break,
        }
    }
    let once = ids.len() == count;
    (ids, once)
}

/// Resources with versions at random, and searches at random: each finds what reading everything
/// finds, in pages that miss and repeat nothing, and `verify` finds nothing wrong.
pub fn every_search_finds_what_reading_everything_finds(open: Open<'_>) {
    let config =
        ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
    let lives = (prop::collection::vec(thing(), 10..60), prop::collection::vec(query(), 40));
    TestRunner::new(config)
        .run(&lives, |(things, queries)| {
            let opened = node(open, 1);
            let documents = saved(&opened, &things);
            let view = see(&opened);
            for query in &queries {
                let expected: BTreeSet<String> = documents
                    .iter()
                    .filter(|((resource_type, of), document)| {
                        let found = view.resource(resource_type, &id(of)).unwrap().unwrap();
                        is_found(query, &found, document)
                    })
                    .map(|((_, of), _)| of.clone())
                    .collect();
                let (found, once) = paged(&*view, query);
                prop_assert!(once, "{:?}", query);
                prop_assert_eq!(&found, &expected, "{:?}", query);
                let count = u64::try_from(expected.len()).unwrap();
                prop_assert_eq!(view.count(query).unwrap(), count, "{:?}", query);
            }
            drop(view);
            prop_assert_eq!(opened.store.verify(&mut |_, _| {}).unwrap(), []);
            Ok(())
        })
        .unwrap();
}

/// Saves things; what is shown of each in the end, by type and id.
fn saved(opened: &Opened, things: &[Thing]) -> BTreeMap<(String, String), Resource> {
    let mut charts: BTreeMap<(String, String), u8> = BTreeMap::new();
    let mut documents = BTreeMap::new();
    for (at, thing) in (0i64..).zip(things) {
        let resource = resource(thing);
        let text = |name: &str| resource[name].as_str().unwrap().to_owned();
        let name = (text("resourceType"), text("id"));
        let heads = see(opened).resource(&name.0, &id(&name.1)).unwrap();
        let heads = heads.map(|found| found.heads()).unwrap_or_default();
        // A resource stays where it was first saved.
        let number = *charts.entry(name.clone()).or_insert(thing.number % 3);
        let mut saved = put(&resource, &heads);
        if !thing.patient {
            saved.chart = Some(chart_of(&format!("p{number}")));
        }
        append_at(opened, vec![saved], NOW.plus(at)).unwrap();
        documents.insert(name, Resource::from_json(resource).unwrap());
    }
    documents
}
