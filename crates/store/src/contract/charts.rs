//! Charts, streams and entries by their addresses.

use ondol_kernel::{Class, Millis};
use ondol_record::{ChartId, ChartKind, Entry};

use super::scene::{
    NOW, Open, append, append_at, chart_of, entries, id, ingest, node, observation, patient, put,
    see,
};
use crate::Ingested;

/// Newest writing first, of the types that were asked.
pub fn a_chart_lists_its_resources_newest_first(open: Open<'_>) {
    let opened = node(open, 1);
    append(&opened, vec![put(&patient("p1", "A", "B"), &[])]);
    for (at, of) in ["o1", "o2", "o3"].iter().enumerate() {
        let resource = observation(of, "p1", "29463-7", "2026-01-01", 60);
        let wall = Millis(NOW.0 + 1_000 + i64::try_from(at).unwrap());
        append_at(&opened, vec![put(&resource, &[])], wall).unwrap();
    }
    append(&opened, vec![put(&patient("p2", "C", "D"), &[])]);
    let listed = |types: &[&str]| {
        let found = see(&opened).chart(&chart_of("p1"), types).unwrap();
        found.into_iter().map(|found| found.shown.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&[]), ["o3", "o2", "o1", "p1"]);
    assert_eq!(listed(&["Observation"]), ["o3", "o2", "o1"]);
    assert_eq!(listed(&["Patient", "Encounter"]), ["p1"]);
    assert!(listed(&["Starship"]).is_empty());
    let mut unlike_o2 = |found: &crate::Found| found.shown.id.as_str() != "o2";
    let some = see(&opened).chart_where(&chart_of("p1"), &["Observation"], &mut unlike_o2).unwrap();
    let some: Vec<_> = some.iter().map(|found| found.shown.id.as_str()).collect();
    assert_eq!(some, ["o3", "o1"]);
}

/// In the order of their first entries, kind by kind, page by page.
pub fn charts_come_in_the_order_of_their_arrival(open: Open<'_>) {
    let opened = node(open, 1);
    for of in ["p3", "p1", "p2"] {
        append(&opened, vec![put(&patient(of, "A", "B"), &[])]);
    }
    let view = see(&opened);
    let all = view.charts(ChartKind::Patient, None, 10).unwrap();
    assert_eq!(all, [chart_of("p3"), chart_of("p1"), chart_of("p2")]);
    assert_eq!(view.charts(ChartKind::Patient, Some(&all[0]), 1).unwrap(), [chart_of("p1")]);
    assert!(view.charts(ChartKind::Patient, Some(&all[2]), 10).unwrap().is_empty());
    assert!(view.charts(ChartKind::Nation, None, 10).unwrap().is_empty());
}

/// Each way to an entry gives the same entry.
pub fn entries_are_found_by_stream_chart_and_arrival(open: Open<'_>) {
    let opened = node(open, 1);
    for of in ["p1", "p2", "p1"] {
        let heads = see(&opened).resource("Patient", &id(of)).unwrap();
        let heads = heads.map(|found| found.heads()).unwrap_or_default();
        append(&opened, vec![put(&patient(of, "A", "B"), &heads)]);
    }
    let all = entries(&opened);
    let stream = all[0].address.stream;
    let view = see(&opened);
    assert_eq!(view.last_arrival().unwrap(), 3);
    let numbers = |rows: Vec<crate::EntryRow>| -> Vec<u64> {
        rows.iter().map(|row| row.entry.address.number).collect()
    };
    assert_eq!(numbers(view.arrived_after(1, 1).unwrap()), [2]);
    assert_eq!(numbers(view.stream_entries(&stream, 2, 9).unwrap()), [2, 3]);
    let chart = chart_of("p1");
    assert_eq!(numbers(view.chart_entries(&stream, &chart, 1, 9).unwrap()), [1, 3]);
    assert_eq!(numbers(view.chart_entries(&stream, &chart, 2, 9).unwrap()), [3]);
    assert_eq!(numbers(view.chart_entries(&stream, &chart, 1, 1).unwrap()), [1]);
    assert_eq!(view.entry(&stream.at(2)).unwrap().unwrap().entry, all[1]);
    assert_eq!(view.entry(&stream.at(4)).unwrap(), None);
    let other = ondol_record::Stream { class: Class::Bulk, ..stream };
    assert!(view.stream_entries(&other, 1, 9).unwrap().is_empty());
    assert_eq!(view.chart_head(&stream, &chart).unwrap(), Some((2, all[2].hash())));
    assert_eq!(view.chart_head(&other, &chart).unwrap(), None);
}

/// The frontier is what is here without a gap; it jumps when the gap closes.
pub fn frontiers_stop_at_the_first_gap(open: Open<'_>) {
    let (from, to) = (node(open, 1), node(open, 2));
    for of in ["p1", "p2", "p3", "p4"] {
        append(&from, vec![put(&patient(of, "A", "B"), &[])]);
    }
    let all = entries(&from);
    let frontier = |to| see(to).frontiers().unwrap();
    let stream = all[0].address.stream;
    for (at, reached) in [(1, 0), (3, 0), (0, 2), (2, 4)] {
        assert_eq!(ingest(&to, &all[at]), Ingested::New);
        assert_eq!(frontier(&to), [(stream, reached)]);
    }
    assert_eq!(frontier(&from), [(stream, 4)]);
}

/// Every stream that wrote in a chart, in a fixed order.
pub fn heads_of_a_chart_name_every_stream(open: Open<'_>) {
    let (here, there) = (node(open, 1), node(open, 2));
    append(&here, vec![put(&patient("p1", "A", "B"), &[])]);
    append(&there, vec![put(&observation("o1", "p1", "29463-7", "2026-01-01", 60), &[])]);
    append(&there, vec![put(&observation("o2", "p1", "29463-7", "2026-01-02", 60), &[])]);
    let theirs: Vec<Entry> = entries(&there);
    for entry in &theirs {
        assert_eq!(ingest(&here, entry), Ingested::New);
    }
    let ours = &entries(&here)[0];
    let heads = see(&here).chart_heads(&chart_of("p1")).unwrap();
    let expected =
        [(ours.address.stream, 1, ours.hash()), (theirs[1].address.stream, 2, theirs[1].hash())];
    assert_eq!(heads, expected);
    assert!(see(&here).chart_heads(&ChartId::Nation).unwrap().is_empty());
}
