//! Who may write, on which servers, and what is found wrong.

mod support;

use ondol_kernel::Class;
use ondol_store::{
    Space, Store, StoreError,
    contract::scene::{NOW, draft, identity, observation, patient, put, query},
    transact,
};
use ondol_store_postgres::{Beside, OpenOptions, PostgresStore};

/// All that an error says.
fn said(why: &StoreError) -> String {
    let source = std::error::Error::source(why).map(ToString::to_string);
    format!("{why}: {}", source.unwrap_or_default())
}

/// A store that somebody worked with.
fn worked_with(store: &PostgresStore) {
    transact(store, |tx| tx.set_identity(&identity(1))).unwrap();
    for number in 0..3 {
        let changes = vec![
            put(&patient(&format!("p{number}"), "Alpha", "B"), &[]),
            put(&observation(&format!("o{number}"), "p0", "8867-4", "2026-01-01", number), &[]),
        ];
        transact(store, move |tx| tx.append(draft(changes), NOW, false)).unwrap();
    }
}

#[test]
fn one_node_writes_in_a_schema_and_others_may_only_read() {
    let Some(server) = support::server() else { return };
    let schema = server.schema();
    let url = server.url(&schema);
    let nothing = Beside::open(&url, OpenOptions::default()).err().unwrap();
    assert!(matches!(nothing, StoreError::Damaged(_)), "{nothing:?}");
    let store = support::open(server, &schema);
    worked_with(&store);
    let refused = PostgresStore::open(&url, OpenOptions::default()).err().unwrap();
    assert!(said(&refused).contains("another node writes in this database"));
    let beside = Beside::open(&url, OpenOptions::default()).unwrap();
    assert_eq!(beside.read().unwrap().count(&query("Patient", &[])).unwrap(), 3);
    let other = support::open(server, &server.schema());
    assert_ne!(store.home(), other.home());
    let home = store.home();
    drop(store);
    let again = support::open(server, &schema);
    assert_eq!(again.home(), home);
    assert_eq!(again.read().unwrap().identity().unwrap(), Some(identity(1)));
    assert_eq!(again.verify(&mut |_, _| {}).unwrap(), []);
}

#[test]
fn a_newer_format_and_a_wrong_url_are_refused_and_no_password_is_told() {
    let Some(server) = support::server() else { return };
    let schema = server.schema();
    drop(support::open(server, &schema));
    server.sql_in(&schema, "UPDATE ondol SET format = 9").unwrap();
    let newer = PostgresStore::open(&server.url(&schema), OpenOptions::default()).err().unwrap();
    assert!(matches!(newer, StoreError::Newer { found: 9, known: 1 }), "{newer:?}");
    for url in ["postgres://a:secret@/%zz", "postgres://a:secret@localhost:1/x"] {
        let why = PostgresStore::open(url, OpenOptions::default()).err().unwrap();
        assert!(!format!("{why:?} {}", said(&why)).contains("secret"));
    }
}

#[test]
fn a_server_that_does_not_sync_is_refused() {
    let Some(server) = support::Server::start() else { return };
    server.sql("ALTER SYSTEM SET full_page_writes = off").unwrap();
    server.sql("SELECT pg_reload_conf()").unwrap();
    let url = server.url("public");
    // A reload takes a moment.
    let refused = (0..100).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        PostgresStore::open(&url, OpenOptions::default()).err()
    });
    assert!(said(&refused.unwrap()).contains("full_page_writes = off"));
}

/// Cuts the connection of the schema's writer, who is known by the lock.
const CUT: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks \
    WHERE locktype = 'advisory' AND (classid::bigint << 32 | objid::bigint) \
    = hashtextextended('ondol store ' || current_schema(), 0)";

#[test]
fn a_connection_that_is_cut_is_made_again_and_the_lock_with_it() {
    let Some(server) = support::server() else { return };
    let schema = server.schema();
    let store = support::open(server, &schema);
    worked_with(&store);
    assert_eq!(server.sql_in(&schema, CUT).unwrap(), "1");
    transact(&store, |tx| tx.set_value(Space::Node, b"k", Some(b"v"))).unwrap();
    // Within a job: what it wrote before is gone, and it is told so.
    let (schema_of_job, url) = (schema.clone(), server.url(&schema));
    let lost = transact(&store, move |tx| {
        tx.set_value(Space::Node, b"k", Some(b"lost"))?;
        tx.next_number(Class::Care)?;
        let server = support::server().unwrap();
        assert_eq!(server.sql_in(&schema_of_job, CUT).unwrap(), "1");
        std::thread::sleep(std::time::Duration::from_millis(200));
        tx.set_value(Space::Node, b"k", Some(b"lost, too"))
    });
    assert!(matches!(lost, Err(StoreError::Io(_))), "{lost:?}");
    assert_eq!(store.read().unwrap().value(Space::Node, b"k").unwrap().unwrap(), b"v");
    transact(&store, |tx| tx.set_value(Space::Node, b"k", Some(b"w"))).unwrap();
    let refused = PostgresStore::open(&url, OpenOptions::default()).err().unwrap();
    assert!(said(&refused).contains("another node"));
}

#[test]
fn damage_is_found_and_what_is_derived_is_made_again() {
    let Some(server) = support::server() else { return };
    // Each is found; the first ones are made good by an index that is made again.
    let derived = [
        "DELETE FROM tokens WHERE ctid = (SELECT min(ctid) FROM tokens)",
        "UPDATE strings SET resource = resource + 100",
        "UPDATE resources SET rivals = 3 WHERE resource = 1",
        "UPDATE versions SET superseded = true WHERE arrival = 2",
        "UPDATE streams SET frontier = 1",
    ];
    let lost = [
        "UPDATE versions SET body = set_byte(body, 9, 1 + get_byte(body, 9) % 200) WHERE arrival = 1",
        "DELETE FROM versions WHERE arrival = 3",
        "DELETE FROM entries WHERE arrival = 2",
        "UPDATE entries SET hash = sha256('') WHERE arrival = 1",
        "UPDATE ondol SET readings = 1",
        "DELETE FROM places WHERE resource = 2",
    ];
    for (damage, is_lost) in
        derived.iter().map(|one| (one, false)).chain(lost.iter().map(|one| (one, true)))
    {
        let schema = server.schema();
        let store = support::open(server, &schema);
        worked_with(&store);
        assert_eq!(store.verify(&mut |_, _| {}).unwrap(), []);
        server.sql_in(&schema, damage).unwrap();
        assert_ne!(store.verify(&mut |_, _| {}).unwrap(), [], "{damage}");
        if !is_lost {
            store.reindex(&mut |_, _| {}).unwrap();
            assert_eq!(store.verify(&mut |_, _| {}).unwrap(), [], "{damage}");
        }
    }
}

#[test]
fn a_store_may_be_used_from_a_worker_of_a_runtime() {
    let Some(server) = support::server() else { return };
    let schema = server.schema();
    let url = server.url(&schema);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let used = runtime.block_on(async {
        tokio::spawn(async move {
            let store = PostgresStore::open(&url, OpenOptions::default()).unwrap();
            worked_with(&store);
            store.read().unwrap().count(&query("Patient", &[])).unwrap()
        })
        .await
    });
    assert_eq!(used.unwrap(), 3);
}

#[test]
fn an_account_without_rights_over_the_server_is_enough_and_tables_that_go_are_not_made_anew() {
    let Some(server) = support::server() else { return };
    let schema = server.schema();
    server.sql(&format!("CREATE ROLE plain LOGIN; GRANT ALL ON SCHEMA {schema} TO plain")).unwrap();
    let url = server.url(&schema).replace("ondol@", "plain@");
    let store = PostgresStore::open(&url, OpenOptions::default()).unwrap();
    worked_with(&store);
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), []);
    server.sql(&format!("DROP SCHEMA {schema} CASCADE; CREATE SCHEMA {schema}")).unwrap();
    server.sql(&format!("GRANT ALL ON SCHEMA {schema} TO plain")).unwrap();
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
        WHERE usename = 'plain'";
    assert_ne!(server.sql(cut).unwrap(), "0");
    let gone = transact(&store, |tx| tx.set_value(Space::Node, b"k", Some(b"v")));
    assert!(matches!(gone, Err(StoreError::Damaged(_))), "{gone:?}");
}
