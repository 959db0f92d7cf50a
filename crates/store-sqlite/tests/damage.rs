//! `verify` finds what was changed behind the store's back, and `reindex` mends what can be made
//! again.

mod support;

use std::collections::BTreeMap;

use ondol_kernel::Class;
use ondol_record::{ChartId, Seal, SealedHead, Stream, seal::Tree};
use ondol_store::{
    Reading, SealedPath, Store, StoreError,
    contract::scene::{NOW, chart_of, draft, id, identity, observation, one, patient, put, query},
    transact,
};
use ondol_store_sqlite::SqliteStore;
use rusqlite::Connection;
use support::Directory;

/// A store with entries of two charts, an update, a seal of each kind and readings.
fn filled(directory: &Directory) {
    let store = support::open(directory);
    transact(&store, |tx| tx.set_identity(&identity(1))).unwrap();
    for round in 0..10 {
        transact(&store, move |tx| {
            let heads =
                tx.resource("Patient", &id("p1")).map_err(ondol_store::AppendError::from)?;
            let heads = heads.map(|found| found.heads()).unwrap_or_default();
            let family = format!("Family{round}");
            let measured = observation(&format!("o{round}"), "p1", "8867-4", "2026-01-01", round);
            let other = patient(&format!("q{round}"), "Other", "B");
            let all = vec![
                put(&patient("p1", &family, "B"), &heads),
                put(&measured, &[]),
                put(&other, &[]),
            ];
            tx.append(draft(all), NOW, false)
        })
        .unwrap();
    }
    transact(&store, |tx| {
        let stream = tx.frontiers()?[0].0;
        let (whole, _) = seal(tx, &stream, 1, 12)?;
        tx.put_seal(&whole, &[])?;
        let (selected, paths) = seal(tx, &stream, 13, 20)?;
        tx.put_seal(&selected, &paths)?;
        for at in 0..5 {
            tx.record_reading(&Reading {
                at: NOW.plus(at),
                who: "Practitioner/a".into(),
                role: "doctor".into(),
                chart: chart_of("p1"),
                action: "read".into(),
                relation: "home".into(),
                reason: "".into(),
            })?;
        }
        Ok::<_, StoreError>(())
    })
    .unwrap();
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), []);
}

/// A seal over a range (its signature is not checked here), with the path of `p1`.
fn seal(
    tx: &dyn ondol_store::WriteTx,
    stream: &Stream,
    first: u64,
    last: u64,
) -> Result<(Seal, Vec<SealedPath>), StoreError> {
    let mut heads: BTreeMap<ChartId, SealedHead> = BTreeMap::new();
    for row in tx.stream_entries(stream, first, last)? {
        let (chart, chart_number) = (row.entry.chart.clone(), row.entry.chart_number);
        let hash = row.entry.hash();
        heads.insert(chart.clone(), SealedHead { chart, chart_number, hash });
    }
    let heads: Vec<SealedHead> = heads.into_values().collect();
    let tree = Tree::new(&heads);
    let seal = Seal { stream: *stream, first, last, root: tree.root(), signature: [0; 64] };
    let chart = chart_of("p1");
    let head = heads.iter().find(|head| head.chart == chart).unwrap();
    let path = tree.path(&chart).unwrap();
    Ok((seal, vec![SealedPath { chart, chart_number: head.chart_number, path }]))
}

fn damage(directory: &Directory, sql: &str) {
    let changed = Connection::open(directory.database()).unwrap().execute_batch(sql);
    changed.unwrap_or_else(|why| panic!("{sql}: {why}"));
}

fn findings(store: &SqliteStore) -> Vec<&'static str> {
    let mut all: Vec<&str> =
        store.verify(&mut |_, _| {}).unwrap().into_iter().map(|finding| finding.what).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// What somebody, or a failing disk, may do to the tables.
const CHANGES: &[&str] = &[
    // Bodies, headers, hashes.
    "UPDATE versions SET body = CAST(x'00' || '{\"active\":false}' AS BLOB) WHERE version = 7",
    "UPDATE versions SET body = x'01' WHERE version = 7",
    "UPDATE versions SET body = x'' WHERE version = 7",
    "UPDATE versions SET body = x'0900' WHERE version = 7",
    "UPDATE versions SET body = NULL WHERE version = 7",
    "UPDATE versions SET body = 12 WHERE version = 7",
    "UPDATE versions SET body = CAST(body AS TEXT) WHERE version = 7",
    "UPDATE versions SET body = zeroblob(40) WHERE version = 7",
    "UPDATE versions SET supersedes = zeroblob(8) WHERE supersedes IS NOT NULL",
    "UPDATE versions SET supersedes = x'00' WHERE supersedes IS NOT NULL",
    "UPDATE versions SET kind = 1 WHERE version = 7",
    "UPDATE versions SET kind = 3 WHERE version = 7",
    "UPDATE versions SET kind = 4 WHERE version = 7",
    "UPDATE versions SET arrival = 9 WHERE version = 1",
    "UPDATE versions SET id = id + 1 WHERE version = 7",
    "DELETE FROM versions WHERE version = 7",
    "INSERT INTO versions SELECT 999, resource, 1, 5, 1, kind, NULL, body FROM versions \
         WHERE version = 7",
    "UPDATE entries SET hash = zeroblob(32) WHERE arrival = 5",
    "UPDATE entries SET hash = zeroblob(31) WHERE arrival = 5",
    "UPDATE entries SET hlc = hlc + 1 WHERE arrival = 5",
    "UPDATE entries SET flags = 1 WHERE arrival = 5",
    "UPDATE entries SET care_time = 1 WHERE arrival = 5",
    "UPDATE entries SET author = 0 WHERE arrival = 5",
    "UPDATE entries SET author = 99999 WHERE arrival = 5",
    "UPDATE entries SET group_index = 7 WHERE arrival = 5",
    "UPDATE entries SET count = count + 1 WHERE arrival = 5",
    "UPDATE entries SET first = first + 1 WHERE arrival = 5",
    "UPDATE entries SET chart_number = 77 WHERE arrival = 5",
    "UPDATE names SET text = 'Practitioner/other' WHERE text = 'Practitioner/author'",
    "UPDATE names SET text = 'Person' WHERE text = 'Patient'",
    "UPDATE charts SET subject = 'p2' WHERE subject = 'p1'",
    "UPDATE streams SET origin = zeroblob(16)",
    "UPDATE resources SET id = 'other' WHERE id = 'o3'",
    // Numbers.
    "DELETE FROM entries WHERE arrival = 20",
    "DELETE FROM entries WHERE arrival = 5",
    "UPDATE streams SET frontier = frontier + 1",
    "UPDATE streams SET frontier = frontier - 1",
    // What is derived.
    "UPDATE versions SET superseded = 0",
    "UPDATE versions SET superseded = 1",
    "UPDATE resources SET shown = shown - 2 WHERE id = 'p1'",
    "UPDATE resources SET rivals = 1 WHERE id = 'p1'",
    "UPDATE resources SET live = 0 WHERE id = 'p1'",
    "UPDATE resources SET chart = 2 WHERE id = 'p1'",
    "INSERT INTO awaited VALUES (1, 1)",
    "DELETE FROM strings",
    "DELETE FROM ranges",
    "INSERT INTO tokens VALUES (1, 2, 3, 4)",
    "UPDATE strings SET value = 'x' WHERE value = 'family9'",
    // Seals and readings.
    "UPDATE seals SET root = zeroblob(32) WHERE last = 12",
    "UPDATE seals SET root = zeroblob(32) WHERE last = 20",
    "UPDATE seal_paths SET path = x'00'",
    "UPDATE seal_paths SET path = x'05'",
    "DELETE FROM readings WHERE number = 3",
    "DELETE FROM readings WHERE number = 5",
    "DELETE FROM readings",
    "UPDATE readings SET at = at + 1 WHERE number = 2",
    "UPDATE readings SET who = 0 WHERE number = 2",
    "UPDATE readings SET hash = zeroblob(32) WHERE number = 5",
    "UPDATE state SET readings = readings - 1",
];

#[test]
fn changes_behind_the_stores_back_are_found() {
    let mut missed = vec![];
    for sql in CHANGES {
        let directory = Directory::new();
        filled(&directory);
        damage(&directory, sql);
        if findings(&support::open(&directory)).is_empty() {
            missed.push(sql);
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn any_flipped_bit_of_a_body_is_found() {
    let directory = Directory::new();
    filled(&directory);
    let set = |body: &[u8]| {
        let conn = Connection::open(directory.database()).unwrap();
        conn.execute("UPDATE versions SET body = ?1 WHERE version = 4", [body]).unwrap();
    };
    let body: Vec<u8> = Connection::open(directory.database())
        .unwrap()
        .query_row("SELECT body FROM versions WHERE version = 4", [], |row| row.get(0))
        .unwrap();
    let before = support::open(&directory).read().unwrap().arrived_after(0, 99).unwrap();
    for at in 0..body.len() {
        let mut flipped = body.clone();
        flipped[at] ^= 1 << (at % 8);
        set(&flipped);
        let store = support::open(&directory);
        // Some bits of a packed body do not matter: the same text comes out.
        let is_same = || store.read().unwrap().arrived_after(0, 99).unwrap() == before;
        assert!(!findings(&store).is_empty() || is_same(), "byte {at} of {}", body.len());
    }
    set(&body);
    assert!(findings(&support::open(&directory)).is_empty());
}

#[test]
fn what_is_derived_is_mended_by_reindexing() {
    for sql in [
        "UPDATE versions SET superseded = 0",
        "UPDATE versions SET superseded = 1, id = id + 1",
        "UPDATE resources SET shown = 0, rivals = 4, live = 0, chart = 2",
        "INSERT INTO awaited VALUES (1, 1)",
        "UPDATE streams SET frontier = 0",
        "UPDATE charts SET first = NULL",
        "DELETE FROM strings; DELETE FROM ranges; DELETE FROM tokens; DELETE FROM numbers",
        "INSERT INTO tokens VALUES (1, 2, 3, 4)",
    ] {
        let directory = Directory::new();
        filled(&directory);
        damage(&directory, sql);
        let store = support::open(&directory);
        store.reindex(&mut |_, _| {}).unwrap();
        assert_eq!(findings(&store), [""; 0], "{sql}");
        let named = query("Patient", &one("name", ondol_store::Test::Prefix("family9".into())));
        assert_eq!(store.read().unwrap().count(&named).unwrap(), 1, "{sql}");
        let charts = store.read().unwrap().charts(ondol_record::ChartKind::Patient, None, 99);
        assert_eq!(charts.unwrap().len(), 11, "{sql}");
    }
}

#[test]
fn a_body_that_went_bad_does_not_keep_the_next_version_from_being_saved() {
    let directory = Directory::new();
    filled(&directory);
    damage(
        &directory,
        "UPDATE versions SET body = x'01' WHERE version = (SELECT shown FROM resources WHERE id = 'p1')",
    );
    let store = support::open(&directory);
    let read = store.read().unwrap().resource("Patient", &id("p1"));
    assert!(matches!(read, Err(StoreError::Damaged(_))));
    let heads = store.read().unwrap().history("Patient", &id("p1"));
    assert!(heads.is_err(), "the damage is told, not hidden");
    let saved = transact(&store, |tx| {
        tx.append(draft(vec![put(&patient("p1", "Again", "B"), &[])]), NOW, false)
    });
    assert_eq!(saved.unwrap()[0].address.stream.class, Class::Routine);
    let found = store.read().unwrap().resource("Observation", &id("o1")).unwrap();
    assert!(found.is_some(), "the rest is readable");
}

#[test]
fn a_rebuild_that_was_stopped_leaves_no_trace() {
    let directory = Directory::new();
    filled(&directory);
    damage(
        &directory,
        "CREATE TABLE next_tokens(a); CREATE TABLE next_strings(a); CREATE TABLE next_ranges(a); \
         CREATE TABLE next_numbers(a); \
         UPDATE state SET reindexed = 3",
    );
    let store = support::open(&directory);
    assert_eq!(findings(&store), [""; 0]);
    for _ in 0..3 {
        store.reindex(&mut |_, _| {}).unwrap();
    }
    assert_eq!(findings(&store), [""; 0]);
    let tables: Vec<String> = Connection::open(directory.database())
        .unwrap()
        .prepare("SELECT name FROM sqlite_schema WHERE name LIKE 'next%'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(tables.is_empty(), "{tables:?}");
}

/// Two identifiers whose hashes are alike are told apart by the documents.
#[test]
fn a_collision_of_hashes_never_shows_another_person() {
    let directory = Directory::new();
    filled(&directory);
    damage(
        &directory,
        "INSERT INTO tokens SELECT t.param, t.code, other.resource, t.system \
         FROM tokens t, resources r, resources other, names n \
         WHERE t.resource = r.resource AND r.id = 'p1' AND other.id = 'q3' \
         AND n.name = t.param AND n.text = 'Patient.identifier'",
    );
    let store = support::open(&directory);
    let card = ondol_store::contract::scene::token(None, Some("card-p1"));
    let asked = query("Patient", &one("identifier", card));
    let view = store.read().unwrap();
    assert_eq!(view.count(&asked).unwrap(), 2, "the index is fooled");
    assert_eq!(ondol_store::contract::scene::ids(&*view, &asked), ["p1"]);
}
