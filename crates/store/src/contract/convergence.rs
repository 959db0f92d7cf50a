//! Whatever the order of arrival, the record is the same.

use std::collections::HashMap;

use ondol_kernel::Millis;
use ondol_record::{ChartId, Entry, Stream, draft::DraftContent};
use proptest::{prelude::*, test_runner::TestRunner};

use super::{
    Opened,
    scene::{
        NOW, Open, append_at, change, chart_of, copy, entries, id, ingest, node, observation,
        patient, picture, put, see,
    },
};
use crate::Ingested;

/// So many stories are told, each in several orders.
const STORIES: u32 = 12;
const ORDERS: usize = 3;

/// One thing that happens at one of three nodes.
#[derive(Debug, Clone)]
enum Event {
    Save { node: usize, resource: u8, text: u8 },
    TakeBack { node: usize, resource: u8 },
    Forward { node: usize, resource: u8 },
    Meet { from: usize, to: usize },
}

fn event() -> impl Strategy<Value = Event> {
    let (node, resource) = (0..3usize, 0..5u8);
    prop_oneof![
        6 => (node.clone(), resource.clone(), 0..4u8)
            .prop_map(|(node, resource, text)| Event::Save { node, resource, text }),
        1 => (node.clone(), resource.clone())
            .prop_map(|(node, resource)| Event::TakeBack { node, resource }),
        1 => (node.clone(), resource)
            .prop_map(|(node, resource)| Event::Forward { node, resource }),
        2 => (node.clone(), node).prop_map(|(from, to)| Event::Meet { from, to }),
    ]
}

/// Any interleaving of the chart-ordered entries of three nodes gives the same resources, heads
/// and search results.
pub fn any_order_of_arrival_gives_the_same_record(open: Open<'_>) {
    let config = ProptestConfig {
        cases: STORIES,
        max_shrink_iters: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let stories =
        (prop::collection::vec(event(), 5..40), prop::collection::vec(any::<u64>(), ORDERS));
    TestRunner::new(config)
        .run(&stories, |(events, orders)| {
            let nodes: Vec<Opened> = (1..=3).map(|number| node(open, number)).collect();
            for (at, event) in (0i64..).zip(&events) {
                live(&nodes, event, Millis(NOW.0 + at));
            }
            let mut all: Vec<Entry> = nodes.iter().flat_map(entries).collect();
            all.sort_by_key(|entry| entry.address);
            all.dedup();
            let mut pictures = orders.iter().map(|&seed| {
                let fresh = node(open, 9);
                for entry in interleave(&all, seed) {
                    assert_eq!(ingest(&fresh, entry), Ingested::New);
                }
                picture(&*see(&fresh))
            });
            let first = pictures.next();
            for other in pictures {
                prop_assert_eq!(first.as_ref(), Some(&other));
            }
            Ok(())
        })
        .unwrap();
}

/// What a store holds once it has taken in all that others hold.
fn merged(open: Open<'_>, others: &[&Opened]) -> Opened {
    let fresh = node(open, 9);
    for other in others {
        copy(&*other.store, &fresh);
    }
    fresh
}

/// Merging is commutative, associative and idempotent: who met whom first, through whom, and how
/// often, cannot be seen afterwards.
pub fn merging_is_commutative_associative_and_idempotent(open: Open<'_>) {
    let config = ProptestConfig {
        cases: STORIES,
        max_shrink_iters: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    TestRunner::new(config)
        .run(&prop::collection::vec(event(), 3..30), |events| {
            let nodes: Vec<Opened> = (1..=3).map(|number| node(open, number)).collect();
            for (at, event) in (0i64..).zip(&events) {
                live(&nodes, event, Millis(NOW.0 + at));
            }
            let [a, b, c] = [&nodes[0], &nodes[1], &nodes[2]];
            let (ab, bc) = (merged(open, &[a, b]), merged(open, &[b, c]));
            let all = picture(&*see(&merged(open, &[&ab, c])));
            prop_assert_eq!(&all, &picture(&*see(&merged(open, &[a, &bc]))), "associative");
            prop_assert_eq!(&all, &picture(&*see(&merged(open, &[c, b, a]))), "commutative");
            let again = merged(open, &[&ab, &bc, a, &ab, c, &bc]);
            prop_assert_eq!(&all, &picture(&*see(&again)), "idempotent");
            Ok(())
        })
        .unwrap();
}

fn live(nodes: &[Opened], event: &Event, wall: Millis) {
    match *event {
        Event::Meet { from, to } if from != to => copy(&*nodes[from].store, &nodes[to]),
        Event::Meet { .. } => {}
        Event::Save { node, resource, text } => {
            let (resource_type, of, chart) = thing(&nodes[node], resource);
            let words = ["Alpha", "Beta", "abba", "감마"][usize::from(text)];
            let content = if resource_type == "Patient" {
                patient(&of, words, "b")
            } else {
                observation(&of, chart.subject(), "29463-7", "2025-03-04", text.into())
            };
            let heads = heads(&nodes[node], resource_type, &of);
            let mut saved = put(&content, &heads);
            saved.chart = Some(chart);
            append_at(&nodes[node], vec![saved], wall).unwrap();
        }
        Event::TakeBack { node, resource } => {
            another(&nodes[node], resource, DraftContent::Retract("tested".into()), wall);
        }
        Event::Forward { node, resource } => {
            another(&nodes[node], resource, DraftContent::Forward(chart_of("p0")), wall);
        }
    }
}

/// The resource of a number as a node knows it: patients p0 and p1, and observations of them.
fn thing(at: &Opened, resource: u8) -> (&'static str, String, ChartId) {
    if resource < 2 {
        let of = format!("p{resource}");
        return ("Patient", of.clone(), chart_of(&of));
    }
    let of = format!("o{resource}");
    let known = see(at).resource("Observation", &id(&of)).unwrap();
    let chart = match known {
        Some(found) if found.shown.kind == ondol_record::ChangeKind::Forward => {
            ChartId::from_reference(&found.shown.body).unwrap()
        }
        Some(found) => found.shown.chart,
        None => chart_of(&format!("p{}", resource % 2)),
    };
    ("Observation", of, chart)
}

fn heads(at: &Opened, resource_type: &str, of: &str) -> Vec<ondol_record::VersionId> {
    let found = see(at).resource(resource_type, &id(of)).unwrap();
    found.map(|found| found.heads()).unwrap_or_default()
}

fn another(at: &Opened, resource: u8, content: DraftContent, wall: Millis) {
    let (resource_type, of, chart) = thing(at, resource);
    let heads = heads(at, resource_type, &of);
    if !heads.is_empty() {
        let changed = change(resource_type, &id(&of), chart, &heads, content);
        append_at(at, vec![changed], wall).unwrap();
    }
}

/// The entries in an order that keeps each chain, chosen by a seed.
fn interleave(all: &[Entry], seed: u64) -> Vec<&Entry> {
    let mut chains: HashMap<(Stream, &ChartId), Vec<&Entry>> = HashMap::new();
    for entry in all.iter().rev() {
        chains.entry((entry.address.stream, &entry.chart)).or_default().push(entry);
    }
    let mut chains: Vec<((Stream, &ChartId), Vec<&Entry>)> = chains.into_iter().collect();
    chains.sort_by(|one, other| one.0.cmp(&other.0));
    let mut state = seed;
    let mut order = vec![];
    while !chains.is_empty() {
        // Knuth's MMIX generator is random enough to pick a chain.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let pick = usize::try_from(state >> 33).unwrap() % chains.len();
        order.extend(chains[pick].1.pop());
        if chains[pick].1.is_empty() {
            chains.swap_remove(pick);
        }
    }
    order
}
