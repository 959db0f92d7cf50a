//! Identity, small values, readings and seals.

use ondol_kernel::{Class, Millis, NodeId};
use ondol_record::{ChartKind, Seal, Stream, seal::Step};

use super::scene::{NOW, Open, act, append, chart_of, identity, node, patient, put, see};
use crate::{Identity, Reading, SealedPath, Space};

/// Once at the beginning, again after a restore.
pub fn identity_is_set_and_set_again(open: Open<'_>) {
    let opened = node(open, 1);
    assert_eq!(see(&opened).identity().unwrap(), Some(identity(1)));
    let again = Identity { incarnation: 4, ..identity(1) };
    let set = again.clone();
    act(&opened, move |tx| tx.set_identity(&set)).unwrap();
    assert_eq!(see(&opened).identity().unwrap(), Some(again));
}

/// Keys are bytes; spaces do not mix; a prefix and a last key select.
pub fn small_values_are_kept_by_space_and_prefix(open: Open<'_>) {
    let opened = open();
    act(&opened, |tx| {
        for key in [&b"a"[..], b"ab", b"ab\xff", b"ac", b"b", b"", b"\xff\xff"] {
            tx.set_value(Space::Peer, key, Some(key))?;
        }
        tx.set_value(Space::Timer, b"ab", Some(b"other"))?;
        tx.set_value(Space::Peer, b"b", Some(b"twice"))?;
        tx.set_value(Space::Peer, b"ac", None)
    })
    .unwrap();
    let view = see(&opened);
    assert_eq!(view.value(Space::Peer, b"b").unwrap().as_deref(), Some(&b"twice"[..]));
    assert_eq!(view.value(Space::Peer, b"ac").unwrap(), None);
    assert_eq!(view.value(Space::Node, b"a").unwrap(), None);
    let keys = |prefix: &[u8], after: Option<&[u8]>, limit: usize| -> Vec<Vec<u8>> {
        let values = view.values(Space::Peer, prefix, after, limit).unwrap();
        values.into_iter().map(|(key, _)| key).collect()
    };
    assert_eq!(keys(b"a", None, 9), [&b"a"[..], b"ab", b"ab\xff"]);
    assert_eq!(keys(b"ab", Some(b"ab"), 9), [b"ab\xff"]);
    assert_eq!(keys(b"ab", Some(b"a"), 1), [b"ab"]);
    assert_eq!(keys(b"b", Some(b"a"), 9), [b"b"]);
    assert!(keys(b"a", Some(b"b"), 9).is_empty());
    assert_eq!(keys(b"\xff", None, 9), [b"\xff\xff"]);
    assert_eq!(keys(b"", None, 99).len(), 6);
    assert_eq!(view.values(Space::Timer, b"", None, 9).unwrap().len(), 1);
}

fn reading(at: i64, who: &str, chart: &str) -> Reading {
    Reading {
        at: Millis(NOW.0 + at),
        who: who.into(),
        role: "doctor".into(),
        chart: chart_of(chart),
        action: "read".into(),
        relation: "home".into(),
        reason: if at == 2 { "급한 환자".into() } else { "".into() },
    }
}

/// The same looks, by chart and for all charts.
pub fn readings_are_listed_newest_first_and_after_a_number(open: Open<'_>) {
    let opened = node(open, 1);
    let all: Vec<Reading> = (0..5)
        .map(|at| {
            reading(
                at,
                ["Practitioner/a", "Practitioner/b"][usize::from(at % 2 == 0)],
                if at == 3 { "p2" } else { "p1" },
            )
        })
        .collect();
    let recorded = all.clone();
    act(&opened, move |tx| recorded.iter().try_for_each(|one| tx.record_reading(one))).unwrap();
    let view = see(&opened);
    let expected = [&all[4], &all[2], &all[1], &all[0]].map(Clone::clone);
    assert_eq!(view.readings(&chart_of("p1"), 9).unwrap(), expected);
    assert_eq!(view.readings(&chart_of("p1"), 1).unwrap(), expected[..1]);
    assert!(view.readings(&chart_of("p9"), 9).unwrap().is_empty());
    let after = view.readings_after(3, 9).unwrap();
    assert_eq!(after, [(4, all[3].clone()), (5, all[4].clone())]);
    assert_eq!(view.readings_after(0, 2).unwrap().len(), 2);
}

/// A chart of which somebody asked in vain is not a chart that is here.
pub fn readings_make_no_chart(open: Open<'_>) {
    let opened = node(open, 1);
    act(&opened, |tx| tx.record_reading(&reading(0, "Practitioner/a", "p9"))).unwrap();
    append(&opened, vec![put(&patient("p1", "A", "B"), &[])]);
    let view = see(&opened);
    assert_eq!(view.charts(ChartKind::Patient, None, 9).unwrap(), [chart_of("p1")]);
    drop(view);
    append(&opened, vec![put(&patient("p9", "A", "B"), &[])]);
    let charts = see(&opened).charts(ChartKind::Patient, None, 9).unwrap();
    assert_eq!(charts, [chart_of("p1"), chart_of("p9")]);
}

/// By any number of the range; paths by seal and chart.
pub fn seals_are_found_by_range_with_their_paths(open: Open<'_>) {
    let opened = node(open, 1);
    let stream = Stream { origin: NodeId([5; 16]), incarnation: 2, class: Class::Care };
    let seal = move |first, last| Seal { stream, first, last, root: [7; 32], signature: [8; 64] };
    let path = vec![
        Step { hash: [1; 32], left: true },
        Step { hash: [2; 32], left: false },
        Step { hash: [3; 32], left: true },
    ];
    let sealed = SealedPath { chart: chart_of("p1"), chart_number: 3, path: path.clone() };
    act(&opened, move |tx| {
        tx.put_seal(&seal(1, 4), &[])?;
        tx.put_seal(&seal(5, 5), &[sealed])?;
        tx.put_seal(&seal(5, 5), &[])
    })
    .unwrap();
    let view = see(&opened);
    assert_eq!(view.seal(&stream.at(1)).unwrap(), Some(seal(1, 4)));
    assert_eq!(view.seal(&stream.at(4)).unwrap(), Some(seal(1, 4)));
    assert_eq!(view.seal(&stream.at(5)).unwrap(), Some(seal(5, 5)));
    assert_eq!(view.seal(&stream.at(6)).unwrap(), None);
    assert_eq!(view.last_sealed(&stream).unwrap(), 5);
    let other = Stream { class: Class::Bulk, ..stream };
    assert_eq!(view.last_sealed(&other).unwrap(), 0);
    assert_eq!(view.seal(&other.at(1)).unwrap(), None);
    assert_eq!(view.seal_path(&seal(5, 5), &chart_of("p1")).unwrap(), Some(path));
    assert_eq!(view.seal_path(&seal(1, 4), &chart_of("p1")).unwrap(), None);
    assert!(view.frontiers().unwrap().is_empty(), "a seal is no entry");
}

/// One after the other, each once, whatever the pages' length.
pub fn seals_and_their_paths_are_listed(open: Open<'_>) {
    let opened = node(open, 1);
    let stream = |node| Stream { origin: NodeId([node; 16]), incarnation: 0, class: Class::Care };
    let seal = move |node, first, last| Seal {
        stream: stream(node),
        first,
        last,
        root: [node; 32],
        signature: [8; 64],
    };
    let seals = [seal(9, 3, 8), seal(9, 1, 2), seal(2, 1, 300), seal(2, 2, 300)];
    let path = |chart: &str, number: u64| SealedPath {
        chart: chart_of(chart),
        chart_number: number,
        path: vec![Step { hash: [3; 32], left: number == 1 }],
    };
    let paths = [
        (seals[0].clone(), path("p1", 1)),
        (seals[0].clone(), path("p2", 2)),
        (seals[3].clone(), path("p1", 3)),
    ];
    let (kept, with) = (seals.clone(), paths.clone());
    act(&opened, move |tx| {
        kept.iter().try_for_each(|seal| tx.put_seal(seal, &[]))?;
        with.iter().try_for_each(|(seal, path)| tx.put_seal(seal, std::slice::from_ref(path)))
    })
    .unwrap();
    let view = see(&opened);
    for limit in [1, 2, 9] {
        let (mut listed, mut with) = (vec![], vec![]);
        loop {
            let more = view.seals_after(listed.last(), limit).unwrap();
            if more.is_empty() {
                break;
            }
            listed.extend(more);
        }
        loop {
            let more = view.seal_paths_after(with.last(), limit).unwrap();
            if more.is_empty() {
                break;
            }
            with.extend(more);
        }
        assert_eq!(listed.len(), seals.len());
        assert!(seals.iter().all(|seal| listed.contains(seal)));
        assert_eq!(with.len(), paths.len());
        assert!(paths.iter().all(|path| with.contains(path)));
    }
}

/// The hash under which an entry stands is that of its bytes.
pub fn an_entrys_hash_is_kept_with_it(open: Open<'_>) {
    let opened = node(open, 1);
    let written = append(&opened, vec![put(&patient("p1", "A", "B"), &[])]);
    let view = see(&opened);
    for entry in &written {
        assert_eq!(view.entry_hash(&entry.address).unwrap(), Some(entry.hash()));
    }
    let nowhere = written[0].address.stream.at(99);
    assert_eq!(view.entry_hash(&nowhere).unwrap(), None);
}
