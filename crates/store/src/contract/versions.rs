//! Versions, rivals, retraction and forwarding.

use ondol_record::{ChangeKind, ChartId, VersionId, draft::DraftContent};
use serde_json::json;

use super::scene::{
    Open, append, change, chart_of, copy, entries, found, id, node, observation, patient, picture,
    put, query, see,
};

/// The newer is read, the older by its version; the history has both.
pub fn an_update_is_shown_and_the_old_version_stays_readable(open: Open<'_>) {
    let opened = node(open, 1);
    append(&opened, vec![put(&patient("p1", "Old", "B"), &[])]);
    let first = found(&opened, "Patient", "p1");
    append(&opened, vec![put(&patient("p1", "New", "B"), &first.heads())]);
    let second = found(&opened, "Patient", "p1");
    assert!(second.shown.body.contains("New") && second.rivals.is_empty());
    let view = see(&opened);
    let old = view.version("Patient", &id("p1"), first.shown.version).unwrap().unwrap();
    assert!(old.body.contains("Old"));
    let history = view.history("Patient", &id("p1")).unwrap();
    assert_eq!(history, [second.shown, first.shown]);
    assert_eq!(view.version("Patient", &id("p1"), VersionId([9; 8])).unwrap(), None);
    assert_eq!(view.version("Observation", &id("p1"), old.version).unwrap(), None);
}

/// Nobody's words are lost; a version that names all heads settles.
pub fn concurrent_versions_stand_side_by_side_until_somebody_settles_them(open: Open<'_>) {
    let (here, there) = (node(open, 1), node(open, 2));
    append(&here, vec![put(&patient("p1", "Base", "B"), &[])]);
    copy(&*here.store, &there);
    let base = found(&here, "Patient", "p1").heads();
    append(&here, vec![put(&patient("p1", "Here", "B"), &base)]);
    append(&there, vec![put(&patient("p1", "There", "B"), &base)]);
    copy(&*there.store, &here);
    copy(&*here.store, &there);
    let both = found(&here, "Patient", "p1");
    assert_eq!((both.rivals.len(), both.heads().len()), (1, 2));
    assert_eq!(both.heads(), found(&there, "Patient", "p1").heads());
    append(&here, vec![put(&patient("p1", "Settled", "B"), &both.heads())]);
    let settled = found(&here, "Patient", "p1");
    assert!(settled.rivals.is_empty() && settled.shown.body.contains("Settled"));
    copy(&*here.store, &there);
    assert_eq!(picture(&*see(&here)), picture(&*see(&there)));
}

/// Read says that it is gone, vread and history still know it, lists leave it out.
pub fn a_retraction_hides_the_resource_and_keeps_its_history(open: Open<'_>) {
    let opened = node(open, 1);
    let resource = observation("o1", "p1", "29463-7", "2026-01-01", 61);
    append(&opened, vec![put(&resource, &[])]);
    let first = found(&opened, "Observation", "o1");
    let content = DraftContent::Retract("wrong patient".into());
    let taken_back = change("Observation", &id("o1"), chart_of("p1"), &first.heads(), content);
    append(&opened, vec![taken_back]);
    let gone = found(&opened, "Observation", "o1");
    assert!(gone.is_retracted() && gone.rivals.is_empty());
    assert_eq!((gone.shown.kind, &*gone.shown.body), (ChangeKind::Retract, "wrong patient"));
    assert_eq!(gone.shown.json(), None);
    let view = see(&opened);
    assert!(view.chart(&chart_of("p1"), &[]).unwrap().is_empty());
    assert_eq!(view.count(&query("Observation", &[])).unwrap(), 0);
    let old = view.version("Observation", &id("o1"), first.shown.version).unwrap().unwrap();
    assert!(old.json().is_some());
    assert_eq!(view.history("Observation", &id("o1")).unwrap().len(), 2);
    assert_eq!(view.chart_of("Observation", &id("o1")).unwrap(), Some(chart_of("p1")));
}

/// A version after the retraction is shown again.
pub fn a_resource_can_come_back_after_its_retraction(open: Open<'_>) {
    let opened = node(open, 1);
    append(&opened, vec![put(&patient("p1", "Alpha", "B"), &[])]);
    let first = found(&opened, "Patient", "p1").heads();
    let content = DraftContent::Retract("".into());
    append(&opened, vec![change("Patient", &id("p1"), chart_of("p1"), &first, content)]);
    let second = found(&opened, "Patient", "p1").heads();
    append(&opened, vec![put(&patient("p1", "Alpha", "B"), &second)]);
    assert!(!found(&opened, "Patient", "p1").is_retracted());
    assert_eq!(see(&opened).count(&query("Patient", &[])).unwrap(), 1);
}

/// Written for the wrong patient: it leaves that chart and stands in the right one.
pub fn a_resource_forwarded_to_another_chart_lives_there(open: Open<'_>) {
    let opened = node(open, 1);
    append(&opened, vec![put(&observation("o1", "p1", "29463-7", "2026-01-01", 61), &[])]);
    let heads = found(&opened, "Observation", "o1").heads();
    let forward = DraftContent::Forward(chart_of("p2"));
    append(&opened, vec![change("Observation", &id("o1"), chart_of("p1"), &heads, forward)]);
    let forwarded = found(&opened, "Observation", "o1");
    assert_eq!((forwarded.shown.kind, &*forwarded.shown.body), (ChangeKind::Forward, "Patient/p2"));
    assert!(forwarded.is_retracted());
    let right = observation("o1", "p2", "29463-7", "2026-01-01", 61);
    let content = DraftContent::Put(right);
    append(
        &opened,
        vec![change("Observation", &id("o1"), chart_of("p2"), &forwarded.heads(), content)],
    );
    let view = see(&opened);
    assert_eq!(view.chart_of("Observation", &id("o1")).unwrap(), Some(chart_of("p2")));
    assert!(view.chart(&chart_of("p1"), &[]).unwrap().is_empty());
    assert_eq!(view.chart(&chart_of("p2"), &[]).unwrap().len(), 1);
    assert_eq!(view.history("Observation", &id("o1")).unwrap().len(), 3);
    // Who holds only the old chart sees where it went.
    let other = node(open, 2);
    for entry in entries(&opened).iter().filter(|entry| entry.chart == chart_of("p1")) {
        super::scene::ingest(&other, entry);
    }
    assert_eq!(found(&other, "Observation", "o1").shown.kind, ChangeKind::Forward);
}

/// Two places gave the same id to two things: both stay for a review.
pub fn the_same_foreign_id_made_at_two_nodes_is_two_versions(open: Open<'_>) {
    let (here, there) = (node(open, 1), node(open, 2));
    append(&here, vec![put(&patient("p1", "Here", "B"), &[])]);
    append(&there, vec![put(&patient("p1", "There", "B"), &[])]);
    copy(&*there.store, &here);
    assert_eq!(found(&here, "Patient", "p1").heads().len(), 2);
}

/// Later changes of one entry may replace earlier ones of it.
pub fn several_changes_of_one_resource_in_one_entry_count_in_order(open: Open<'_>) {
    let opened = node(open, 1);
    let basic = |text: &str| {
        put(&json!({"resourceType": "Basic", "id": "b1", "code": {"text": text}}), &[])
    };
    append(&opened, vec![basic("one"), basic("two")]);
    let both = found(&opened, "Basic", "b1");
    assert_eq!(both.heads().len(), 2);
    assert!(both.shown.body.contains("two"), "at the same time the later place goes first");
    assert_eq!(both.shown.chart, ChartId::Facility(id("facility-1")));
}
