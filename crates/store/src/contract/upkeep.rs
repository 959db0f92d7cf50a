//! Rebuilding and checking.

use super::{
    Opened,
    scene::{
        Open, append, chart_of, copy, found, node, observation, one, patient, picture, put, query,
        see,
    },
};
use crate::Test;

fn fill(here: &Opened, there: &Opened) {
    for at in 0..20 {
        let of = format!("p{at}");
        append(here, vec![put(&patient(&of, "Alpha", "B"), &[])]);
        let measured = observation(&format!("o{at}"), &of, "29463-7", "2026-01-01", at);
        append(here, vec![put(&measured, &[])]);
    }
    copy(&*here.store, there);
    let base = found(here, "Patient", "p1").heads();
    append(here, vec![put(&patient("p1", "Here", "B"), &base)]);
    append(there, vec![put(&patient("p1", "There", "B"), &base)]);
    copy(&*there.store, here);
    let heads = found(here, "Observation", "o2").heads();
    let content = ondol_record::draft::DraftContent::Retract("".into());
    let of = super::scene::id("o2");
    let gone = super::scene::change("Observation", &of, chart_of("p2"), &heads, content);
    append(here, vec![gone]);
}

/// The log says all; the rest is made again from it.
pub fn reindexing_changes_nothing(open: Open<'_>) {
    let (here, there) = (node(open, 1), node(open, 2));
    fill(&here, &there);
    let before = picture(&*see(&here));
    let mut last = (0, 0);
    let done = here.store.reindex(&mut |at, of| last = (at, of)).unwrap();
    assert_eq!(done, see(&here).last_arrival().unwrap());
    assert!(last.0 > 0 && last.0 == last.1, "{last:?}");
    assert_eq!(picture(&*see(&here)), before);
    assert_eq!(here.store.verify(&mut |_, _| {}).unwrap(), []);
}

/// `verify` finds nothing where nothing is wrong.
pub fn a_sound_store_has_no_findings(open: Open<'_>) {
    assert_eq!(open().store.verify(&mut |_, _| {}).unwrap(), []);
    let (here, there) = (node(open, 1), node(open, 2));
    fill(&here, &there);
    let mut last = (0, 0);
    assert_eq!(here.store.verify(&mut |at, of| last = (at, of)).unwrap(), []);
    assert!(last.0 > 0 && last.0 == last.1, "{last:?}");
    assert_eq!(there.store.verify(&mut |_, _| {}).unwrap(), []);
}

/// Care goes on while the index is made again, and its writes are in the new one.
pub fn writes_during_reindexing_are_indexed(open: Open<'_>) {
    let (here, there) = (node(open, 1), node(open, 2));
    fill(&here, &there);
    let mut written = 0;
    here.store
        .reindex(&mut |_, _| {
            if written < 3 {
                // One that the rebuild may have passed, and one that is new.
                let old = found(&here, "Patient", "p3").heads();
                append(&here, vec![put(&patient("p3", &format!("During{written}"), "B"), &old)]);
                let of = format!("n{written}");
                append(&here, vec![put(&patient(&of, "Newcomer", "B"), &[])]);
                written += 1;
            }
        })
        .unwrap();
    assert!(written > 0);
    let view = see(&here);
    let family = |name: String| query("Patient", &one("family", Test::Exact(name.into())));
    let last = view.count(&family(format!("During{}", written - 1))).unwrap();
    assert_eq!(last, 1);
    assert_eq!(view.count(&family("Newcomer".into())).unwrap(), written);
    let overwritten = format!("During{}", written.saturating_sub(2));
    assert!(written < 2 || view.count(&family(overwritten)).unwrap() == 0);
    assert_eq!(here.store.verify(&mut |_, _| {}).unwrap(), []);
}
