//! Entries from elsewhere.

use ondol_kernel::{Hlc, Millis, NodeId, hlc::REMOTE_AHEAD_MS_MAX};
use ondol_record::{Entry, VersionId, draft::DraftContent};
use serde_json::json;

use super::scene::{
    NOW, Open, act, append, append_at, chart_of, copy, entries, found, id, identity, ingest, node,
    observation, patient, picture, put, query, see,
};
use crate::{Identity, Ingested};

/// Both nodes show the same.
pub fn what_one_node_wrote_another_shows_alike(open: Open<'_>) {
    let (from, to) = (node(open, 1), node(open, 2));
    append(&from, vec![put(&patient("p1", "Alpha", "B"), &[])]);
    append(&from, vec![put(&observation("o1", "p1", "29463-7", "2026-01-01", 60), &[])]);
    let heads = found(&from, "Patient", "p1").heads();
    append(&from, vec![put(&patient("p1", "Beta", "B"), &heads)]);
    copy(&*from.store, &to);
    assert_eq!(picture(&*see(&from)), picture(&*see(&to)));
}

/// Twice the same is once.
pub fn an_entry_that_is_here_is_known(open: Open<'_>) {
    let (from, to) = (node(open, 1), node(open, 2));
    let written = append(&from, vec![put(&patient("p1", "A", "B"), &[])]);
    assert_eq!(ingest(&to, &written[0]), Ingested::New);
    assert_eq!(ingest(&to, &written[0]), Ingested::Known);
    assert_eq!(entries(&to), written);
    assert_eq!(ingest(&from, &written[0]), Ingested::Known);
}

/// The answer says what is here; nothing is written.
pub fn an_entry_whose_predecessor_is_missing_waits(open: Open<'_>) {
    let (from, to) = (node(open, 1), node(open, 2));
    for _ in 0..3 {
        let heads = see(&from).resource("Patient", &id("p1")).unwrap();
        let heads = heads.map(|found| found.heads()).unwrap_or_default();
        append(&from, vec![put(&patient("p1", "A", "B"), &heads)]);
    }
    let all = entries(&from);
    assert_eq!(ingest(&to, &all[1]), Ingested::Gap { have: 0 });
    assert_eq!(ingest(&to, &all[0]), Ingested::New);
    assert_eq!(ingest(&to, &all[2]), Ingested::Gap { have: 1 });
    assert_eq!(entries(&to), all[..1]);
    assert_eq!(ingest(&to, &all[1]), Ingested::New);
    assert_eq!(ingest(&to, &all[2]), Ingested::New);
}

/// A cloned disk: the same address, the same place in the chart, or another predecessor.
pub fn another_entry_at_the_same_place_is_a_clash(open: Open<'_>) {
    let (one, clone, to) = (node(open, 1), node(open, 1), node(open, 2));
    let first = append(&one, vec![put(&patient("p1", "A", "B"), &[])]).remove(0);
    let cloned = append(&clone, vec![put(&patient("p1", "Cloned", "B"), &[])]).remove(0);
    assert_eq!(ingest(&to, &first), Ingested::New);
    assert_eq!(ingest(&to, &cloned), Ingested::Clash);
    let same_place = Entry { address: first.address.stream.at(9), ..cloned.clone() };
    assert_eq!(ingest(&to, &same_place), Ingested::Clash);
    let other_past = Entry {
        address: first.address.stream.at(2),
        chart_number: 2,
        previous: cloned.hash(),
        ..cloned
    };
    assert_eq!(ingest(&to, &other_past), Ingested::Clash);
    assert_eq!(entries(&to), [first]);
}

/// Two nodes' entries of one chart arrive in any order.
pub fn a_version_may_arrive_before_the_one_it_supersedes(open: Open<'_>) {
    let (here, there, to) = (node(open, 1), node(open, 2), node(open, 3));
    append(&here, vec![put(&patient("p1", "First", "B"), &[])]);
    copy(&*here.store, &there);
    let heads = found(&there, "Patient", "p1").heads();
    append(&there, vec![put(&patient("p1", "Second", "B"), &heads)]);
    let (first, second) = (entries(&here).remove(0), entries(&there).remove(1));
    assert_eq!(ingest(&to, &second), Ingested::New);
    assert!(found(&to, "Patient", "p1").shown.body.contains("Second"));
    assert_eq!(ingest(&to, &first), Ingested::New);
    let now = found(&to, "Patient", "p1");
    assert!(now.shown.body.contains("Second") && now.rivals.is_empty());
    let view = see(&to);
    assert_eq!(view.history("Patient", &id("p1")).unwrap().len(), 2);
    let old = query("Patient", &[("family", vec![crate::Test::Exact("First".into())])]);
    assert_eq!(view.count(&old).unwrap(), 0);
}

/// `Hlc::observe`: a day ahead is believed, more is not.
pub fn a_remote_clock_advances_ours_unless_it_is_far_ahead(open: Open<'_>) {
    let (near, far, to) = (node(open, 1), node(open, 2), node(open, 3));
    let ahead = Millis(NOW.0 + REMOTE_AHEAD_MS_MAX);
    let much = Millis(NOW.0 + REMOTE_AHEAD_MS_MAX * 2 + 1);
    let near = append_at(&near, vec![put(&patient("p1", "A", "B"), &[])], ahead).unwrap();
    let far = append_at(&far, vec![put(&patient("p2", "A", "B"), &[])], much).unwrap();
    assert_eq!(ingest(&to, &far[0]), Ingested::New);
    assert_eq!(see(&to).newest_hlc().unwrap(), Hlc::ZERO);
    assert_eq!(ingest(&to, &near[0]), Ingested::New);
    assert_eq!(see(&to).newest_hlc().unwrap(), Hlc::at(ahead));
    let next = append(&to, vec![put(&patient("p3", "A", "B"), &[])]);
    assert_eq!(next[0].hlc.bits(), Hlc::at(ahead).bits() + 1);
}

/// What is chained is what is kept.
pub fn bytes_that_are_not_the_entrys_are_refused(open: Open<'_>) {
    let (from, to) = (node(open, 1), node(open, 2));
    let entry = append(&from, vec![put(&patient("p1", "A", "B"), &[])]).remove(0);
    let mut bytes = entry.to_bytes();
    bytes.push(0);
    let refused = act(&to, move |tx| tx.ingest(&entry, &bytes, NOW));
    assert!(refused.is_err());
    assert!(entries(&to).is_empty());
}

/// A restored node takes its own entries from a neighbour and goes on in a new incarnation.
pub fn own_entries_come_back_after_a_restore(open: Open<'_>) {
    let (lost, restored) = (node(open, 1), node(open, 1));
    for of in ["p1", "p2"] {
        append(&lost, vec![put(&patient(of, "A", "B"), &[])]);
    }
    copy(&*lost.store, &restored);
    let again = Identity { incarnation: 1, ..identity(1) };
    act(&restored, move |tx| tx.set_identity(&again)).unwrap();
    let heads = found(&restored, "Patient", "p1").heads();
    let next = append(&restored, vec![put(&patient("p1", "New", "B"), &heads)]).remove(0);
    assert_eq!(next.address.stream.incarnation, 1);
    assert_eq!((next.address.number, next.chart_number), (1, 1));
    assert_eq!(next.address.stream.origin, NodeId([1; 16]));
    assert_eq!(found(&restored, "Patient", "p1").heads().len(), 1);
}

/// A newer node may know types that this one does not.
pub fn unknown_resource_types_are_kept(open: Open<'_>) {
    let (from, to) = (node(open, 1), node(open, 2));
    let basic = json!({"resourceType": "Basic", "id": "x1", "code": {"text": "x"}});
    let mut change = put(&basic, &[]);
    change.chart = Some(chart_of("p1"));
    let mut entry = append(&from, vec![change]).remove(0);
    entry.changes[0].resource_type = "Starship".into();
    entry.changes[0].supersedes = vec![VersionId([1; 8])];
    assert_eq!(ingest(&to, &entry), Ingested::New);
    assert_eq!(entries(&to), [entry]);
    assert!(found(&to, "Starship", "x1").shown.json().is_some());
    assert_eq!(see(&to).count(&query("Starship", &[])).unwrap(), 1);
    let heads = found(&to, "Starship", "x1").heads();
    let content = DraftContent::Retract("".into());
    let gone = super::scene::change("Starship", &id("x1"), chart_of("p1"), &heads, content);
    append(&to, vec![gone]);
    assert!(found(&to, "Starship", "x1").is_retracted());
}
