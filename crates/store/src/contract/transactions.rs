//! Local transactions.

use ondol_kernel::{Class, Hlc, Millis, ResourceId};
use ondol_record::{ChangeKind, DraftChange, DraftId, draft::DraftContent};
use serde_json::{Value, json};

use super::scene::{
    NOW, Open, act, append, append_at, chart_of, draft, entries, found, id, identity, node,
    observation, patient, put, query, see,
};
use crate::{Abandoned, AppendError, Outcome, StoreError, transact};

/// An empty store answers everything, with nothing.
pub fn an_empty_store_has_nothing(open: Open<'_>) {
    let opened = open();
    let view = see(&opened);
    assert_eq!(view.identity().unwrap(), None);
    assert_eq!(view.resource("Patient", &id("p1")).unwrap(), None);
    assert_eq!(view.chart_of("Patient", &id("p1")).unwrap(), None);
    assert!(view.chart(&chart_of("p1"), &[]).unwrap().is_empty());
    assert!(view.search(&query("Patient", &[])).unwrap().hits.is_empty());
    assert_eq!(view.count(&query("Patient", &[])).unwrap(), 0);
    assert_eq!(view.last_arrival().unwrap(), 0);
    assert!(view.frontiers().unwrap().is_empty());
    assert_eq!(view.newest_hlc().unwrap(), Hlc::ZERO);
}

/// Author, typist, times, class, decimals and the order of members come back.
pub fn a_saved_resource_is_read_back_with_all_that_was_said_of_it(open: Open<'_>) {
    let opened = node(open, 1);
    let text = r#"{"resourceType":"Observation","id":"o1","meta":{"tag":[{"code":"t"}]},"status":"final","code":{"text":"열"},"subject":{"reference":"Patient/p1"},"valueQuantity":{"value":37.10}}"#;
    let resource: Value = serde_json::from_str(text).unwrap();
    let mut said = draft(vec![put(&resource, &[])]);
    said.class = Class::Emergency;
    said.care_time = Some(Millis(NOW.0 - 5_000));
    said.typist = "Practitioner/typist".into();
    let written = transact(&*opened.store, move |tx| tx.append(said, NOW, true)).unwrap();
    let shown = found(&opened, "Observation", "o1").shown;
    assert_eq!(shown.chart, chart_of("p1"));
    assert_eq!(shown.version, written[0].version_id(0));
    assert_eq!(shown.address, written[0].address);
    assert_eq!(shown.address.stream.class, Class::Emergency);
    assert_eq!((shown.ordinal, shown.arrival, shown.hlc), (0, 1, Hlc::at(NOW)));
    assert_eq!(shown.care_time, Some(Millis(NOW.0 - 5_000)));
    assert!(shown.clock_doubtful);
    assert_eq!((&*shown.author, &*shown.typist), ("Practitioner/author", "Practitioner/typist"));
    assert_eq!(shown.kind, ChangeKind::Put);
    let json = shown.json().unwrap();
    assert!(json.contains(r#""value":37.10"#) && json.contains(r#""tag":[{"code":"t"}]"#));
    assert_eq!(entries(&opened), written);
}

/// Ids are derived, and references follow them.
pub fn new_resources_refer_to_each_other_by_full_url(open: Open<'_>) {
    let opened = node(open, 1);
    let new = |url: &str, resource: Value| DraftChange {
        resource_type: resource["resourceType"].as_str().unwrap().into(),
        id: DraftId::New(url.into()),
        supersedes: vec![],
        chart: None,
        content: DraftContent::Put(resource),
    };
    let written = append(
        &opened,
        vec![
            new("urn:uuid:1", json!({"resourceType": "Patient", "active": true})),
            new(
                "urn:uuid:2",
                json!({"resourceType": "Observation", "status": "final",
                    "subject": {"reference": "urn:uuid:1"}}),
            ),
        ],
    );
    let person = written[0].changes[0].id.clone();
    let measured = found(&opened, "Observation", written[0].changes[1].id.as_str());
    assert_eq!(measured.shown.chart, chart_of(person.as_str()));
    assert!(measured.shown.body.contains(&format!("\"Patient/{person}\"")));
    assert_eq!(entries(&opened), written);
}

/// One entry for each chart, with consecutive numbers, here at once.
pub fn a_transaction_over_two_charts_is_one_group(open: Open<'_>) {
    let opened = node(open, 1);
    let written = append(
        &opened,
        vec![put(&patient("p1", "A", "B"), &[]), put(&patient("p2", "C", "D"), &[])],
    );
    assert_eq!(written.len(), 2);
    assert!(written.iter().all(|entry| entry.group.unwrap().size == 2));
    assert_eq!(written[1].address.number, written[0].address.number + 1);
    assert_eq!(entries(&opened), written);
    let next = append(&opened, vec![put(&patient("p3", "E", "F"), &[])]);
    assert_eq!(next[0].address.number, 3);
    assert!(next[0].hlc > written[1].hlc);
}

/// The draft's own errors are told, and the transaction may go on.
pub fn a_draft_that_cannot_be_finished_leaves_nothing(open: Open<'_>) {
    let opened = node(open, 1);
    assert!(matches!(append_at(&opened, vec![], NOW), Err(AppendError::Draft(_))));
    let unknown = json!({"resourceType": "Starship", "id": "s"});
    let both = vec![put(&patient("p1", "A", "B"), &[]), put(&unknown, &[])];
    assert!(matches!(append_at(&opened, both, NOW), Err(AppendError::Draft(_))));
    assert!(entries(&opened).is_empty());
    append(&opened, vec![put(&patient("p1", "A", "B"), &[])]);
    assert_eq!(entries(&opened)[0].address.number, 1);
}

/// Nothing of it is seen, and its numbers are given again.
pub fn a_job_that_gives_up_leaves_nothing(open: Open<'_>) {
    let opened = node(open, 1);
    let outcome = opened.store.write(Box::new(|tx| {
        tx.append(draft(vec![put(&patient("p1", "Gone", "B"), &[])]), NOW, false)
            .map_err(|_| Abandoned)?;
        tx.set_value(crate::Space::Node, b"k", Some(b"v")).map_err(|_| Abandoned)?;
        Err(Abandoned)
    }));
    assert_eq!(outcome.unwrap(), Outcome::RolledBack);
    assert!(entries(&opened).is_empty());
    assert_eq!(see(&opened).value(crate::Space::Node, b"k").unwrap(), None);
    let written = append(&opened, vec![put(&patient("p1", "A", "B"), &[])]);
    assert_eq!((written[0].address.number, written[0].hlc), (1, Hlc::at(NOW)));
    assert_eq!(entries(&opened), written);
}

/// A defect of one job costs that job only.
pub fn a_job_that_panics_leaves_nothing_and_the_next_one_works(open: Open<'_>) {
    let opened = node(open, 1);
    let outcome = opened.store.write(Box::new(|tx| {
        let _ = tx.append(draft(vec![put(&patient("p1", "A", "B"), &[])]), NOW, false);
        // Not `panic!`: the hook's message would stand in every test log as if it were news.
        std::panic::resume_unwind(Box::new("a defect"))
    }));
    assert!(matches!(outcome, Err(StoreError::Internal(_))));
    assert!(entries(&opened).is_empty());
    append(&opened, vec![put(&patient("p2", "A", "B"), &[])]);
    assert_eq!(entries(&opened).len(), 1);
}

/// A clock that is set back does not make newer entries look older.
pub fn stamps_never_go_back_with_the_clock(open: Open<'_>) {
    let opened = node(open, 1);
    let first = append(&opened, vec![put(&patient("p1", "A", "B"), &[])]);
    let earlier = Millis(NOW.0 - 1_000_000);
    let second = append_at(&opened, vec![put(&patient("p2", "A", "B"), &[])], earlier).unwrap();
    assert_eq!(second[0].hlc.bits(), first[0].hlc.bits() + 1);
    assert_eq!(see(&opened).newest_hlc().unwrap(), second[0].hlc);
}

/// Within a job all reads see its own writes; outside nobody does.
pub fn a_job_reads_what_it_wrote(open: Open<'_>) {
    let opened = node(open, 1);
    let outside = opened.store.clone();
    act(&opened, move |tx| {
        assert_eq!(tx.next_number(Class::Routine)?, 1);
        let changes = vec![put(&observation("o1", "p1", "29463-7", "2026-01-01", 61), &[])];
        tx.append(draft(changes), NOW, false).expect("the draft is sound");
        assert_eq!(tx.next_number(Class::Routine)?, 2);
        assert!(tx.resource("Observation", &id("o1"))?.is_some());
        assert_eq!(tx.count(&query("Observation", &[]))?, 1);
        assert_eq!(tx.identity()?, Some(identity(1)));
        assert_eq!(outside.read()?.count(&query("Observation", &[]))?, 0);
        Ok(())
    })
    .unwrap();
    assert_eq!(see(&opened).count(&query("Observation", &[])).unwrap(), 1);
}

/// Classes are logs of their own, and chains too.
pub fn each_class_counts_its_own_numbers(open: Open<'_>) {
    let opened = node(open, 1);
    for class in [Class::Emergency, Class::Bulk, Class::Emergency] {
        let mut said = draft(vec![put(&patient("p1", "A", "B"), &[])]);
        said.class = class;
        transact(&*opened.store, move |tx| tx.append(said, NOW, false)).unwrap();
    }
    let places: Vec<_> = entries(&opened)
        .iter()
        .map(|entry| (entry.address.stream.class, entry.address.number, entry.chart_number))
        .collect();
    let expected = [(Class::Emergency, 1, 1), (Class::Bulk, 1, 1), (Class::Emergency, 2, 2)];
    assert_eq!(places, expected);
}

/// Megabytes, control characters and every script survive.
pub fn large_and_strange_texts_come_back_as_they_were(open: Open<'_>) {
    let opened = node(open, 1);
    let texts =
        ["한글 가각갂", "a\u{0}b\u{1f}\"\\", "\u{10ffff}\u{200d}👩‍⚕️", &"x1 ".repeat(500_000)];
    for (at, text) in texts.iter().enumerate() {
        let of = format!("b{at}");
        let resource = json!({"resourceType": "Basic", "id": of, "code": {"text": text}});
        append(&opened, vec![put(&resource, &[])]);
        let json = found(&opened, "Basic", &of).shown.json().unwrap();
        let back: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(back["code"]["text"].as_str(), Some(*text));
    }
    let longest = ResourceId::new(&"L".repeat(64)).unwrap();
    let resource = json!({"resourceType": "Patient", "id": longest.as_str()});
    append(&opened, vec![put(&resource, &[])]);
    assert_eq!(found(&opened, "Patient", longest.as_str()).shown.id, longest);
}
