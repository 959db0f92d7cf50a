//! Asks at a door and compares what came out with what has to.

use std::collections::{BTreeSet, HashMap};

use ondol_access::{Coded, Role};
use ondol_store::Reading;
use serde_json::Value;

use super::{
    doors::{Answer, Proof, Question},
    planted::chart_id,
    relations::actor,
    setting::Seen,
    words::Words,
    world::World,
};
use crate::door::{Reply, path_of};

const PAGES_MAX: usize = 60;

/// What came out, over all pages.
struct Came {
    first: Reply,
    /// All that was said: headers and bodies.
    text: String,
    matches: Vec<String>,
    others: Vec<String>,
    total: Option<u64>,
    /// Matches of each page.
    pages: Vec<usize>,
}

/// Asks everything of somebody, and says what was wrong.
pub async fn ask_all<'a>(
    world: &World,
    role: Role,
    questions: impl IntoIterator<Item = &'a Question>,
) -> Vec<String> {
    let seen = world.seen(role);
    let mut wrong = vec![];
    let mut refusals: HashMap<bool, String> = HashMap::new();
    let mut number = newest(world, 0).0;
    for question in questions {
        let expected = question.answer(&seen);
        let mut faults = vec![];
        let came = come(world, role, question).await;
        let (last, recorded) = newest(world, number);
        number = last;
        if came.first.status == expected.status {
            faults.extend(compare(world, question, &expected, &came));
            faults.extend(unheard(&seen, question, &expected, &came.text));
            faults.extend(audit(world, role, question, &expected, &recorded));
            let is_compared = expected.status == 403 && question.method != "HEAD";
            if is_compared && !question.path.contains("ended") {
                // Who was told that their time is over had the right: the others learn nothing.
                let body = came.first.text();
                // That of a bundle names its entry.
                let of_bundle = question.path == "/";
                let known = refusals.entry(of_bundle).or_insert_with(|| body.to_owned());
                if known != body && !question.body.contains("ended") {
                    faults.push(format!("another refusal: {body}"));
                }
            }
        } else {
            let (status, text) = (came.first.status, came.first.text());
            faults.push(format!("{status} instead of {}: {text:.300}", expected.status));
        }
        let about =
            format!("{} {} {} {:.200}", role.code(), question.method, question.path, question.body);
        wrong.extend(faults.into_iter().map(|fault| format!("{about}\n    {fault}")));
    }
    wrong
}

/// The lines of the audit after a number, and the number of the last.
fn newest(world: &World, after: u64) -> (u64, Vec<Reading>) {
    let view = world.door.facility.store().read().unwrap();
    let lines = view.readings_after(after, usize::MAX).unwrap();
    let last = lines.last().map_or(after, |(number, _)| *number);
    (last, lines.into_iter().map(|(_, line)| line).collect())
}

/// The same text as an address may have it.
fn encoded(path: &str) -> String {
    let byte = |byte: u8| match byte {
        b'|' | b' ' | b'<' | b'>' | b'"' | 128.. => format!("%{byte:02X}"),
        byte => char::from(byte).to_string(),
    };
    path.bytes().map(byte).collect()
}

async fn come(world: &World, role: Role, question: &Question) -> Came {
    let (mut headers, mut body) = (vec![], question.body.as_str());
    if let Some((name, value)) = body.split_once(": ").filter(|_| body.starts_with("if-")) {
        headers.push((name, value));
        body = "";
    }
    if question.method == "PATCH" {
        headers.push(("content-type", "application/json-patch+json"));
    } else if question.path.ends_with("_search") || question.path.ends_with("$lastn") {
        headers.push(("content-type", "application/x-www-form-urlencoded"));
    }
    let path = encoded(&question.path);
    let form = encoded(body);
    let body = if question.path.ends_with("_search") { &form } else { body };
    let first = world.door.with(role.code(), (&question.method, &path), &headers, body).await;
    let mut came = Came {
        text: said(&first),
        first,
        matches: vec![],
        others: vec![],
        total: None,
        pages: vec![],
    };
    let mut next = came.first.json_or_null();
    loop {
        let found = entries(&next, &mut came);
        came.pages.push(found);
        came.total = came.total.or_else(|| next["total"].as_u64());
        let links = next["link"].as_array().into_iter().flatten();
        let link = links.clone().find(|link| link["relation"] == "next");
        let Some(link) = link.map(|link| link["url"].as_str().unwrap().to_owned()) else { break };
        assert!(came.pages.len() < PAGES_MAX, "{} has no end", question.path);
        let reply = world.door.get_as(role.code(), &path_of(&link)).await;
        assert_eq!(reply.status, 200, "{}", question.path);
        came.text.push_str(&said(&reply));
        next = reply.json_or_null();
    }
    came
}

/// All that a reply says.
fn said(reply: &Reply) -> String {
    let headers = reply.headers.iter().map(|(name, value)| format!("{name}: {value:?}\n"));
    headers.chain([reply.text().to_owned()]).collect()
}

/// Takes in the entries of a bundle; gives the number of matches.
fn entries(bundle: &Value, came: &mut Came) -> usize {
    let mut matches = 0;
    for entry in bundle["entry"].as_array().into_iter().flatten() {
        if entry["resource"]["resourceType"] == "Bundle" {
            entries(&entry["resource"], came);
            continue;
        }
        let Some(url) = entry["fullUrl"].as_str() else { continue };
        let Some(reference) = url.strip_prefix("http://node.example/fhir/") else { continue };
        match entry["search"]["mode"].as_str() {
            Some("include") => came.others.push(reference.to_owned()),
            _ => {
                matches += 1;
                came.matches.push(reference.to_owned());
            }
        }
    }
    matches
}

fn compare(world: &World, question: &Question, expected: &Answer, came: &Came) -> Vec<String> {
    let mut faults = vec![];
    let set = |all: &[String]| -> BTreeSet<String> { all.iter().cloned().collect() };
    let of_planted = |all: &[String]| -> BTreeSet<String> {
        let is_one =
            |reference: &&String| world.planted.iter().any(|one| one.reference == **reference);
        all.iter().filter(is_one).cloned().collect()
    };
    let mut same = |what: &str, came: &BTreeSet<String>, expected: &BTreeSet<String>| {
        if came != expected {
            let more: Vec<_> = came.difference(expected).collect();
            let less: Vec<_> = expected.difference(came).collect();
            faults.push(format!("{what}: {more:?} too much, {less:?} missing"));
        }
    };
    let count = expected.matches.len() as u64;
    match question.proof {
        Proof::Page | Proof::Pages | Proof::Ids => {
            same("matches", &set(&came.matches), &expected.matches);
            same("includes", &set(&came.others), &expected.others);
            if came.matches.len() != expected.matches.len() {
                faults.push("something stands twice".to_owned());
            }
        }
        Proof::Past => {
            let all: Vec<String> = came.matches.iter().chain(&came.others).cloned().collect();
            let due: BTreeSet<_> = expected.matches.union(&expected.others).cloned().collect();
            same("versions", &of_planted(&all), &due);
        }
        Proof::Count if !came.matches.is_empty() => faults.push("more than a count".to_owned()),
        Proof::Count | Proof::Part | Proof::Status(_) => {}
    }
    let is_told = matches!(question.proof, Proof::Page | Proof::Ids | Proof::Count);
    if (is_told && came.first.status == 200 || came.total.is_some())
        && !matches!(question.proof, Proof::Past | Proof::Part)
        && came.total.unwrap_or(u64::MAX) != count
    {
        faults.push(format!("a total of {:?} instead of {count}", came.total));
    }
    let full = came.pages.first().copied().unwrap_or(0);
    let is_even = came.pages.iter().rev().skip(1).all(|page| *page == full);
    let last = came.pages.last().copied().unwrap_or(0);
    if question.proof == Proof::Pages && (!is_even || last > full || (last == 0 && count > 0)) {
        faults.push(format!("pages of {:?}", came.pages));
    }
    faults
}

/// What was said of things that may not be seen, and what was not said of those that may.
fn unheard(seen: &Seen<'_>, question: &Question, expected: &Answer, text: &str) -> Vec<String> {
    let asked = format!("{} {}", question.path, question.body);
    let mut faults = vec![];
    let words = Words::of(text);
    let is_told = matches!(question.proof, Proof::Page | Proof::Pages | Proof::Past | Proof::Part);
    for (one, may) in seen.all() {
        let reference = &one.reference;
        let shown = expected.matches.contains(reference) || expected.others.contains(reference);
        for mark in &one.marks {
            let is_said = words.marks.contains(mark.as_str());
            if is_said && !may && !asked.contains(mark) {
                faults.push(format!("'{mark}' of {reference} is told"));
            } else if !is_said && shown && is_told {
                faults.push(format!("'{mark}' of {reference} is not told"));
            }
            if words.places.iter().any(|place| place.contains(mark)) {
                faults.push(format!("a link tells '{mark}' of {reference}"));
            }
        }
    }
    // Of a chart of which nothing may be seen, nothing else that stands there refers to the patient.
    let patients = seen.setting.charts.iter().enumerate();
    for (at, chart) in patients.filter(|(_, chart)| chart.kind == "patient") {
        if !words.patients.contains(chart.name) {
            continue;
        }
        let is_asked = asked.contains(chart.name) || chart.name == "home";
        if !is_asked && !seen.all().any(|(one, may)| may && one.chart == at) {
            faults.push(format!("Patient/{} is referred to", chart.name));
        }
    }
    faults
}

/// Who read which patient's chart stands in the audit, and nobody else's.
fn audit(
    world: &World,
    role: Role,
    question: &Question,
    expected: &Answer,
    recorded: &[Reading],
) -> Vec<String> {
    let due = question.read(world, expected);
    let me = actor(&world.people, role).reference();
    let mut faults = vec![];
    if due.is_empty() && recorded.is_empty() {
        return faults;
    }
    for (at, chart) in world.charts.iter().enumerate().filter(|(_, one)| one.kind == "patient") {
        let id = chart_id(chart);
        let is_recorded = recorded.iter().any(|one| one.chart == id && *one.who == *me);
        // Of a history of everything other resources of the chart are shown as well.
        let is_more = is_recorded && question.proof == Proof::Past;
        if due.contains(&at) != is_recorded && !is_more {
            faults.push(format!("the reading of {}: recorded {is_recorded}", chart.name));
        }
    }
    faults
}
