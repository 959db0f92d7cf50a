//! Searches and counts.

use std::ops::Bound;

use ondol_fhir::DecimalKey;
use ondol_kernel::Millis;
use ondol_record::draft::DraftContent;
use serde_json::json;

use super::{
    Opened,
    scene::{
        NOW, Open, append, append_at, change, chart_of, copy, found, id, ids, node, observation,
        one, patient, put, query, see, token, uuid,
    },
};
use crate::{Order, Query, Test, Unit};

fn day(text: &str) -> Millis {
    Millis::parse_fhir(&format!("{text}T00:00:00Z")).unwrap()
}

fn overlaps(from: &str, to: &str) -> Test {
    Test::Overlaps { from: day(from), to: day(to) }
}

/// The bytes of a number of two digits, 10 to 99 (`ondol_fhir::DecimalKey`).
fn number(of: u8) -> Box<[u8]> {
    [0xc0, 2, of + 1].into()
}

/// A number that is within bounds, of a unit as it is written.
fn within(from: Bound<u8>, to: Bound<u8>, unit: Option<(Option<&str>, &str)>) -> Test {
    let unit = unit
        .map(|(system, code)| Unit::Written { system: system.map(Into::into), code: code.into() });
    Test::Number { from: from.map(number), to: to.map(number), unit }
}

fn town(opened: &Opened) {
    append(
        opened,
        vec![
            put(&patient("p1", "Alpha", "Beta"), &[]),
            put(&patient("p2", "alphard", "Gamma"), &[]),
            put(
                &json!({"resourceType": "Patient", "id": "p3", "name": [{"text": "리용희"}],
                "identifier": [{"value": "card-p1"}, {"system": "http://example.org/other",
                "value": "card-p1"}]}),
                &[],
            ),
        ],
    );
    let measured = |of, subject, code, when| put(&observation(of, subject, code, when, 60), &[]);
    append(
        opened,
        vec![
            measured("o1", "p1", "29463-7", "2026-01-01T08:00:00Z"),
            measured("o2", "p1", "8867-4", "2026-02-01T08:00:00Z"),
            measured("o3", "p2", "29463-7", "2026-03-01T08:00:00Z"),
            put(
                &json!({"resourceType": "Observation", "id": "o4", "status": "final",
                "code": {"text": "words only"}, "subject": {"reference": "Patient/p2"},
                "effectivePeriod": {"start": "2020-01-01T00:00:00Z",
                "end": "2026-01-15T00:00:00Z"}}),
                &[],
            ),
        ],
    );
    append(
        opened,
        vec![put(
            &json!({"resourceType": "ValueSet", "id": "v1", "status": "active",
                "url": "http://example.org/set", "name": "Set"}),
            &[],
        )],
    );
}

/// Numbers are within bounds, with the unit as it is written, and an update takes old ones out.
pub fn numbers_are_found_within_bounds(open: Open<'_>) {
    use Bound::{Excluded, Included, Unbounded};
    let opened = node(open, 1);
    let weight = |of: &str, value: &str, quantity: &str| {
        let text = format!(
            r#"{{"resourceType":"Observation","id":"{of}","status":"final","code":{{"text":"x"}},
            "subject":{{"reference":"Patient/p1"}},"valueQuantity":{{"value":{value},{quantity}}}}}"#
        );
        put(&serde_json::from_str(&text).unwrap(), &[])
    };
    append(
        &opened,
        vec![
            weight("o1", "60", r#""unit":"kg""#),
            weight(
                "o2",
                "6.0e1",
                r#""unit":"kilo","system":"http://unitsofmeasure.org","code":"kg""#,
            ),
            weight("o3", "60.5", r#""unit":"kg""#),
            weight("o4", "-60", r#""unit":"kg""#),
            weight("o5", "99", r#""unit":"lb""#),
        ],
    );
    let ucum = "http://unitsofmeasure.org";
    let cases: Vec<(Test, &[&str])> = vec![
        (within(Included(60), Included(60), None), &["o1", "o2"]),
        (within(Included(60), Excluded(61), None), &["o1", "o2", "o3"]),
        (within(Excluded(60), Unbounded, None), &["o3", "o5"]),
        (within(Unbounded, Excluded(60), None), &["o4"]),
        (within(Unbounded, Unbounded, None), &["o1", "o2", "o3", "o4", "o5"]),
        (within(Included(60), Included(60), Some((None, "kg"))), &["o1", "o2"]),
        (within(Included(60), Included(60), Some((Some(ucum), "kg"))), &["o2"]),
        (within(Unbounded, Unbounded, Some((None, "lb"))), &["o5"]),
        (within(Unbounded, Unbounded, Some((None, "stone"))), &[]),
        (Test::Not(vec![within(Included(60), Unbounded, None)]), &["o4"]),
        (Test::Present(true), &["o1", "o2", "o3", "o4", "o5"]),
        (Test::Present(false), &[]),
    ];
    for (test, expected) in cases {
        for (parameter, others) in [
            ("value-quantity", vec![]),
            ("value-quantity", vec![("status", vec![token(None, Some("final"))])]),
        ] {
            let filters = [others, vec![(parameter, vec![test.clone()])]].concat();
            let asked = query("Observation", &filters);
            assert_eq!(ids(&*see(&opened), &asked), expected, "{test:?}");
            let count = u64::try_from(expected.len()).unwrap();
            assert_eq!(see(&opened).count(&asked).unwrap(), count, "{test:?}");
        }
    }
    let heads = found(&opened, "Observation", "o1").heads();
    let mut heavier = json!({"resourceType": "Observation", "id": "o1", "status": "final",
        "code": {"text": "x"}, "valueQuantity": {"value": 70, "unit": "kg"}});
    heavier["subject"] = json!({"reference": "Patient/p1"});
    append(&opened, vec![put(&heavier, &heads)]);
    let at = |of: u8| {
        query("Observation", &one("value-quantity", within(Included(of), Included(of), None)))
    };
    assert_eq!(ids(&*see(&opened), &at(60)), ["o2"]);
    assert_eq!(ids(&*see(&opened), &at(70)), ["o1"]);
}

/// Quantities of UCUM are compared in their canonical unit, whichever they were written in; what
/// UCUM does not know is never taken for one of them.
pub fn quantities_are_found_in_every_unit_that_can_be_converted(open: Open<'_>) {
    let opened = node(open, 1);
    let weight = |of: &str, value: &str, system: &str, code: &str| {
        let text = format!(
            r#"{{"resourceType":"Observation","id":"{of}","status":"final","code":{{"text":"x"}},
            "subject":{{"reference":"Patient/p1"}},
            "valueQuantity":{{"value":{value},"system":"{system}","code":"{code}"}}}}"#
        );
        put(&serde_json::from_str(&text).unwrap(), &[])
    };
    let ucum = "http://unitsofmeasure.org";
    append(
        &opened,
        vec![
            weight("o1", "6.3", ucum, "mg"),
            weight("o2", "0.00630", ucum, "g"),
            weight("o3", "6300", ucum, "ug"),
            weight("o4", "6.3", "urn:own", "mg"),
            weight("o5", "6.3", ucum, "milligram"),
            weight("o6", "6.3", ucum, "mg/dL"),
            weight("o7", "6.4", ucum, "mg"),
            weight("o8", "7.4", ucum, "[pH]"),
        ],
    );
    let key = |text: &str| -> Box<[u8]> { DecimalKey::parse(text).unwrap().as_bytes().into() };
    let canonical = |from: &str, to: &str, unit: &str| Test::Number {
        from: Bound::Included(key(from)),
        to: Bound::Excluded(key(to)),
        unit: Some(Unit::Canonical(unit.into())),
    };
    let cases: [(Test, &[&str]); 5] = [
        (canonical("0.0063", "0.00631", "g"), &["o1", "o2", "o3"]),
        (canonical("0.00631", "1", "g"), &["o7"]),
        (canonical("0", "1000", "g.m-3"), &["o6"]),
        (canonical("0", "1000", "m"), &[]),
        (Test::Not(vec![canonical("0", "1", "g")]), &["o4", "o5", "o6", "o8"]),
    ];
    for (test, expected) in cases {
        for others in [vec![], vec![("status", vec![token(None, Some("final"))])]] {
            let filters = [others, vec![("value-quantity", vec![test.clone()])]].concat();
            let asked = query("Observation", &filters);
            assert_eq!(ids(&*see(&opened), &asked), expected, "{test:?}");
        }
    }
}

/// A test may say that none of others holds, or that others hold for another parameter; many
/// codes and many ids are one test each.
pub fn tests_are_turned_round_and_put_together(open: Open<'_>) {
    let opened = node(open, 1);
    town(&opened);
    append(
        &opened,
        vec![put(
            &json!({"resourceType": "Observation", "id": "o6", "status": "final",
            "code": {"text": "x"}, "subject": {"reference": "Patient/p2",
            "identifier": {"system": "urn:s", "value": "Patient/p1"}}}),
            &[],
        )],
    );
    let view = see(&opened);
    let code = |code: &str| token(None, Some(code));
    let many = |own: &str| -> Vec<Test> {
        (0..3_000).map(|n| code(&format!("no-{n}"))).chain([code(own)]).collect()
    };
    let of = |parameter: &str, any| Test::Of { parameter: parameter.into(), any };
    let p1 = || Test::Reference("Patient/p1".into());
    let logical = |system: Option<&str>| Test::Logical {
        system: system.map(Into::into),
        value: "Patient/p1".into(),
    };
    let mut some_ids: Vec<Test> = (0..5_000).map(|n| Test::Id(id(&format!("x{n}")))).collect();
    some_ids.push(Test::Id(id("o3")));
    let cases: Vec<Case> = vec![
        (vec![("code", vec![Test::Not(vec![code("29463-7")])])], &["o2", "o4", "o6"]),
        (vec![("code", vec![Test::Not(vec![code("29463-7"), code("8867-4")])])], &["o4", "o6"]),
        (vec![("code", many("8867-4"))], &["o2"]),
        (vec![("subject", vec![p1()]), ("code", many("29463-7"))], &["o1"]),
        (vec![("code", vec![Test::Not(many("8867-4"))])], &["o1", "o3", "o4", "o6"]),
        (
            vec![("_id", vec![of("subject", vec![p1()]), of("code", vec![code("8867-4")])])],
            &["o1", "o2"],
        ),
        (vec![("_id", vec![Test::Id(id("o3")), of("subject", vec![p1()])])], &["o1", "o2", "o3"]),
        (vec![("_id", vec![of("no-such-parameter", vec![p1()])])], &[]),
        (vec![("_id", some_ids)], &["o3"]),
        (
            vec![
                ("_id", vec![Test::Not(vec![Test::Id(id("o3"))])]),
                ("code", vec![code("29463-7")]),
            ],
            &["o1"],
        ),
        (vec![("subject", vec![logical(None)])], &["o6"]),
        (vec![("subject", vec![logical(Some("urn:s"))])], &["o6"]),
        (vec![("subject", vec![logical(Some("urn:t"))])], &[]),
        (vec![("subject", vec![p1()])], &["o1", "o2"]),
    ];
    for (filters, expected) in cases {
        let asked = query("Observation", &filters);
        let shown = format!("{filters:?}").chars().take(300).collect::<String>();
        assert_eq!(ids(&*view, &asked), expected, "{shown}");
        assert_eq!(view.count(&asked).unwrap(), u64::try_from(expected.len()).unwrap(), "{shown}");
    }
}

/// Every kind of test, on every kind of value.
pub fn each_test_finds_what_it_should(open: Open<'_>) {
    let opened = node(open, 1);
    town(&opened);
    let card = "http://example.org/card";
    let cases: Vec<(&str, &str, Test, &[&str])> = vec![
        ("Patient", "name", Test::Prefix("alph".into()), &["p1", "p2"]),
        ("Patient", "name", Test::Prefix("리용".into()), &["p3"]),
        ("Patient", "name", Test::Prefix("lph".into()), &[]),
        ("Patient", "name", Test::Prefix(String::new().into()), &["p1", "p2", "p3"]),
        ("Patient", "name", Test::Contains("mm".into()), &["p2"]),
        ("Patient", "family", Test::Exact("Alpha".into()), &["p1"]),
        ("Patient", "family", Test::Exact("alpha".into()), &[]),
        ("Patient", "identifier", token(Some(card), Some("card-p1")), &["p1"]),
        ("Patient", "identifier", token(None, Some("card-p1")), &["p1", "p3"]),
        ("Patient", "identifier", token(Some(""), Some("card-p1")), &["p3"]),
        ("Patient", "identifier", token(Some(card), None), &["p1", "p2"]),
        ("Patient", "identifier", token(Some("http://nowhere.org"), Some("card-p1")), &[]),
        ("Patient", "gender", token(None, Some("female")), &["p1", "p2"]),
        ("Patient", "birthdate", Test::Present(true), &["p1", "p2"]),
        ("Patient", "birthdate", Test::Present(false), &["p3"]),
        ("Patient", "name", Test::Present(true), &["p1", "p2", "p3"]),
        ("Patient", "no-such-parameter", Test::Present(false), &["p1", "p2", "p3"]),
        ("Patient", "no-such-parameter", token(None, Some("x")), &[]),
        ("Observation", "subject", Test::Reference("Patient/p1".into()), &["o1", "o2"]),
        ("Observation", "patient", Test::Reference("Patient/p2".into()), &["o3", "o4"]),
        ("Observation", "subject", Test::Reference("Patient/p9".into()), &[]),
        ("Observation", "code", token(Some("http://loinc.org"), Some("8867-4")), &["o2"]),
        ("Observation", "code", Test::Present(false), &["o4"]),
        ("Observation", "date", overlaps("2026-01-01", "2026-01-02"), &["o1", "o4"]),
        ("Observation", "date", overlaps("2026-01-15", "2026-03-01"), &["o2", "o4"]),
        ("Observation", "date", overlaps("2026-02-01", "2027-01-01"), &["o2", "o3"]),
        (
            "Observation",
            "date",
            Test::Within { from: day("2026-01-01"), to: day("2026-02-02") },
            &["o1", "o2"],
        ),
        (
            "Observation",
            "date",
            Test::Within { from: Millis(i64::MIN), to: Millis(i64::MAX) },
            &["o1", "o2", "o3", "o4"],
        ),
        ("ValueSet", "url", Test::Uri("http://example.org/set".into()), &["v1"]),
        ("ValueSet", "url", Test::Uri("http://example.org/sets".into()), &[]),
    ];
    let view = see(&opened);
    for (resource_type, parameter, test, expected) in cases {
        let asked = query(resource_type, &[(parameter, vec![test.clone()])]);
        assert_eq!(ids(&*view, &asked), expected, "{resource_type} {parameter} {test:?}");
        let count = u64::try_from(expected.len()).unwrap();
        assert_eq!(view.count(&asked).unwrap(), count, "{resource_type} {parameter} {test:?}");
    }
}

/// Filters, and the ids they find.
type Case = (Vec<(&'static str, Vec<Test>)>, &'static [&'static str]);

/// All filters hold; of a filter's tests one suffices.
pub fn filters_narrow_and_alternatives_widen(open: Open<'_>) {
    let opened = node(open, 1);
    town(&opened);
    let view = see(&opened);
    let code = |code: &str| token(None, Some(code));
    let subject = |of: &str| Test::Reference(format!("Patient/{of}").into());
    let cases: Vec<Case> = vec![
        (vec![("code", vec![code("29463-7")]), ("subject", vec![subject("p1")])], &["o1"]),
        (vec![("code", vec![code("29463-7"), code("8867-4")])], &["o1", "o2", "o3"]),
        (
            vec![
                ("subject", vec![subject("p1"), subject("p2")]),
                ("date", vec![overlaps("2026-02-01", "2026-04-01")]),
                ("status", vec![code("final")]),
            ],
            &["o2", "o3"],
        ),
        (vec![("code", vec![code("8867-4"), Test::Present(false)])], &["o2", "o4"]),
        (vec![("subject", vec![subject("p1")]), ("code", vec![code("nothing")])], &[]),
        (vec![("subject", vec![])], &[]),
    ];
    for (filters, expected) in cases {
        let asked = query("Observation", &filters);
        assert_eq!(ids(&*view, &asked), expected, "{filters:?}");
        assert_eq!(view.count(&asked).unwrap(), u64::try_from(expected.len()).unwrap());
    }
}

/// What somebody wrote at the same time elsewhere can be found by it.
pub fn rivals_are_found_and_retracted_resources_are_not(open: Open<'_>) {
    let (here, there) = (node(open, 1), node(open, 2));
    append(&here, vec![put(&patient("p1", "Here", "B"), &[])]);
    append(&there, vec![put(&patient("p1", "There", "B"), &[])]);
    copy(&*there.store, &here);
    let family = |name: &str| query("Patient", &one("family", Test::Exact(name.into())));
    assert_eq!(ids(&*see(&here), &family("Here")), ["p1"]);
    assert_eq!(ids(&*see(&here), &family("There")), ["p1"]);
    let heads = found(&here, "Patient", "p1").heads();
    let content = DraftContent::Retract("twice".into());
    append(&here, vec![change("Patient", &id("p1"), chart_of("p1"), &heads, content)]);
    for asked in [family("Here"), family("There"), query("Patient", &[])] {
        assert!(ids(&*see(&here), &asked).is_empty());
        assert_eq!(see(&here).count(&asked).unwrap(), 0);
    }
}

/// The old values no longer find it, the new ones do.
pub fn an_update_takes_old_values_out(open: Open<'_>) {
    let opened = node(open, 1);
    append(&opened, vec![put(&patient("p1", "Before", "Same"), &[])]);
    let heads = found(&opened, "Patient", "p1").heads();
    append(&opened, vec![put(&patient("p1", "After", "Same"), &heads)]);
    let view = see(&opened);
    let named = |name: &str| query("Patient", &one("name", Test::Prefix(name.into())));
    assert!(ids(&*view, &named("before")).is_empty());
    assert_eq!(ids(&*view, &named("after")), ["p1"]);
    assert_eq!(ids(&*view, &named("same")), ["p1"]);
}

/// `_id` and `_lastUpdated`, alone and with others.
pub fn ids_and_times_of_writing_are_searched(open: Open<'_>) {
    let opened = node(open, 1);
    let other = uuid(7);
    for (at, of) in ["p1", "p2", other.as_str()].into_iter().enumerate() {
        let wall = Millis(NOW.0 + 1_000 * i64::try_from(at).unwrap());
        append_at(&opened, vec![put(&patient(of, "A", "B"), &[])], wall).unwrap();
    }
    let view = see(&opened);
    let by_id = query("Patient", &[("_id", vec![Test::Id(id("p2")), Test::Id(other.clone())])]);
    assert_eq!(ids(&*view, &by_id), [other.as_str(), "p2"]);
    assert_eq!(ids(&*view, &query("Observation", &one("_id", Test::Id(id("p2"))))), [""; 0]);
    let since = |from: i64, to: i64| Test::Overlaps { from: Millis(from), to: Millis(to) };
    let updated = query("Patient", &one("_lastUpdated", since(NOW.0, NOW.0 + 1_001)));
    assert_eq!(ids(&*view, &updated), ["p1", "p2"]);
    let later = query("Patient", &one("_lastUpdated", since(NOW.0 + 1, i64::MAX)));
    assert_eq!(ids(&*view, &later), [other.as_str(), "p2"]);
    let heads = found(&opened, "Patient", "p1").heads();
    let wall = Millis(NOW.0 + 9_000);
    append_at(&opened, vec![put(&patient("p1", "A", "C"), &heads)], wall).unwrap();
    assert_eq!(ids(&*see(&opened), &updated), ["p2"], "the shown version counts");
}

/// Within one chart nothing of another is found.
pub fn searches_keep_to_a_chart(open: Open<'_>) {
    let opened = node(open, 1);
    town(&opened);
    let view = see(&opened);
    let code = token(None, Some("29463-7"));
    let within = |of: &str| Query {
        chart: Some(chart_of(of)),
        ..query("Observation", &one("code", code.clone()))
    };
    assert_eq!(ids(&*view, &within("p1")), ["o1"]);
    assert_eq!(ids(&*view, &within("p2")), ["o3"]);
    assert!(ids(&*view, &within("p9")).is_empty());
    assert_eq!(view.count(&within("p2")).unwrap(), 1);
}

/// Whatever the page's size, the pages together are what is counted.
pub fn counts_agree_with_pages(open: Open<'_>) {
    let opened = node(open, 1);
    let all = (0..25).map(|at| put(&patient(&format!("p{at:02}"), "A", "B"), &[])).collect();
    append(&opened, all);
    let view = see(&opened);
    for limit in [1, 7, 25, 100] {
        for filters in [vec![], one("gender", token(None, Some("female")))] {
            let mut asked = Query { limit, ..query("Patient", &filters) };
            let mut seen = vec![];
            loop {
                let page = view.search(&asked).unwrap();
                assert!(page.hits.len() <= limit);
                seen.extend(page.hits.iter().map(|hit| hit.found.shown.id.to_string()));
                match page.next {
                    Some(next) => asked.after = Some(next),
                    None => break,
                }
            }
            assert_eq!(view.count(&asked).unwrap(), 25);
            let expected: Vec<String> = (0..25).map(|at| format!("p{at:02}")).collect();
            assert_eq!(seen, expected);
        }
    }
}

/// Pages in the order of a time: the earliest beginning or the latest end of each, and what has
/// none last.
pub fn pages_by_a_time_have_its_order(open: Open<'_>) {
    let opened = node(open, 1);
    town(&opened);
    append(
        &opened,
        vec![put(
            &json!({"resourceType": "Observation", "id": "o5", "status": "final",
                "code": {"text": "no time"}, "subject": {"reference": "Patient/p1"}}),
            &[],
        )],
    );
    let view = see(&opened);
    // The period of o4 begins long before all others and ends between o1 and o2.
    for (newest_first, expected) in
        [(false, ["o4", "o1", "o2", "o3", "o5"]), (true, ["o3", "o2", "o4", "o1", "o5"])]
    {
        for limit in [1, 2, 3, 100] {
            let order = Order::Time { parameter: "date", newest_first };
            let mut asked = Query { order, limit, ..query("Observation", &[]) };
            let mut seen = vec![];
            loop {
                let page = view.search(&asked).unwrap();
                seen.extend(page.hits.iter().map(|hit| hit.found.shown.id.to_string()));
                match page.next {
                    Some(next) => asked.after = Some(next),
                    None => break,
                }
            }
            assert_eq!(seen, expected, "{newest_first} by {limit}");
        }
    }
    let order = Order::Time { parameter: "issued", newest_first: true };
    let none = Query { order, ..query("Observation", &[]) };
    assert_eq!(ids(&*view, &none).len(), 5, "a parameter that nothing has orders by arrival");
}

/// Counts by chart add up to the count, and a chart without a match is not named.
pub fn counts_by_chart_add_up(open: Open<'_>) {
    let opened = node(open, 1);
    town(&opened);
    let view = see(&opened);
    let by_chart = |filters: &[(&str, Vec<Test>)]| {
        let mut counts = view.count_by_chart(&query("Observation", filters)).unwrap();
        counts.sort();
        counts
    };
    assert_eq!(by_chart(&[]), [(chart_of("p1"), 2), (chart_of("p2"), 2)]);
    let code = one("code", token(None, Some("8867-4")));
    assert_eq!(by_chart(&code), [(chart_of("p1"), 1)]);
    let within = Query { chart: Some(chart_of("p2")), ..query("Observation", &[]) };
    assert_eq!(view.count_by_chart(&within).unwrap(), [(chart_of("p2"), 2)]);
}

/// Charts are found by a reference of their resources as these are shown: not by one that a
/// version had before, and not where versions rival.
pub fn charts_are_found_by_a_reference(open: Open<'_>) {
    let opened = node(open, 1);
    let at = |of: &str, home: &str| {
        let mut patient = patient(of, "A", "B");
        patient["managingOrganization"] = json!({ "reference": format!("Organization/{home}") });
        patient
    };
    append(&opened, ["p1", "p2", "p3"].iter().map(|of| put(&at(of, "a"), &[])).collect());
    let heads = found(&opened, "Patient", "p2").heads();
    append(&opened, vec![put(&at("p2", "b"), &heads)]);
    append(&opened, vec![put(&at("p3", "b"), &[])]);
    let view = see(&opened);
    let with = |home: &str| view.charts_with("Patient", "organization", home).unwrap();
    assert_eq!(with("Organization/a"), [chart_of("p1")]);
    assert_eq!(with("Organization/b"), [chart_of("p2")]);
    assert!(with("Organization/c").is_empty());
}
