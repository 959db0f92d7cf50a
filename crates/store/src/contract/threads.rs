//! Writers and readers at the same time.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
};

use super::scene::{NOW, Open, append, draft, entries, node, patient, put, query, see};
use crate::{Query, transact};

const WRITERS: usize = 8;
const ROUNDS: usize = 15;

/// Each transaction writes two charts; no reader ever sees one without the other.
pub fn a_reader_sees_whole_transactions_only(open: Open<'_>) {
    let opened = node(open, 1);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let store = opened.store.clone();
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let one = |side| patient(&format!("w{writer}r{round}{side}"), "A", "B");
                        let both = draft(vec![put(&one('a'), &[]), put(&one('b'), &[])]);
                        transact(&*store, move |tx| tx.append(both, NOW, false)).unwrap();
                    }
                })
            })
            .collect();
        let reader = scope.spawn(|| {
            let mut looks = 0u32;
            while !done.load(Ordering::Relaxed) || looks == 0 {
                let view = opened.store.read().unwrap();
                let asked = Query { limit: 10_000, ..query("Patient", &[]) };
                let seen = view.search(&asked).unwrap().hits.len();
                assert_eq!(seen % 2, 0);
                assert_eq!(view.count(&asked).unwrap(), u64::try_from(seen).unwrap());
                assert_eq!(view.last_arrival().unwrap(), u64::try_from(seen).unwrap());
                looks += 1;
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    let all = query("Patient", &[]);
    assert_eq!(see(&opened).count(&all).unwrap(), u64::try_from(2 * WRITERS * ROUNDS).unwrap());
}

/// What is committed after a view was made is not in it.
pub fn a_view_stays_at_its_moment(open: Open<'_>) {
    let opened = node(open, 1);
    append(&opened, vec![put(&patient("p1", "A", "B"), &[])]);
    let before = see(&opened);
    append(&opened, vec![put(&patient("p2", "A", "B"), &[])]);
    assert_eq!(before.count(&query("Patient", &[])).unwrap(), 1);
    assert_eq!(before.last_arrival().unwrap(), 1);
    assert_eq!(see(&opened).last_arrival().unwrap(), 2);
}

/// Numbers are given once, without gaps, whoever asks.
pub fn many_writers_get_each_their_own_numbers(open: Open<'_>) {
    let opened = node(open, 1);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let store = opened.store.clone();
            scope.spawn(move || {
                for _ in 0..ROUNDS {
                    let mine = patient(&format!("p{writer}"), "A", "B");
                    transact(&*store, move |tx| {
                        let of = super::scene::id(mine["id"].as_str().unwrap());
                        let heads =
                            tx.resource("Patient", &of).map_err(crate::AppendError::from)?;
                        let heads = heads.map(|found| found.heads()).unwrap_or_default();
                        tx.append(draft(vec![put(&mine, &heads)]), NOW, false)
                    })
                    .unwrap();
                }
            });
        }
    });
    let all = entries(&opened);
    let numbers: BTreeSet<u64> = all.iter().map(|entry| entry.address.number).collect();
    assert_eq!(numbers.len(), WRITERS * ROUNDS);
    assert_eq!(numbers.last(), Some(&u64::try_from(WRITERS * ROUNDS).unwrap()));
    assert!(all.windows(2).all(|pair| pair[0].hlc < pair[1].hlc));
    assert_eq!(
        see(&opened).count(&query("Patient", &[])).unwrap(),
        u64::try_from(WRITERS).unwrap()
    );
}
