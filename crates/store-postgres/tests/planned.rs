//! The contract of all back ends, on hash partitions as `plan` prints them.

mod support;

use std::sync::Arc;

use ondol_store::contract::Opened;
use ondol_store_postgres::plan;

/// An empty store whose tables a plan made.
fn open_planned() -> Opened {
    let server = support::server().expect("whoever asks looked whether there is a server");
    let schema = server.schema();
    server.sql_in(&schema, &plan(1, 2)).unwrap();
    let store = Arc::new(support::open(server, &schema));
    let partitioned = "SELECT count(*) FROM pg_class c JOIN pg_namespace n \
        ON n.oid = c.relnamespace WHERE c.relkind = 'p' AND n.nspname = ";
    let partitioned = server.sql(&format!("{partitioned}'{schema}'")).unwrap();
    assert_eq!(partitioned, "12");
    Opened { store, keep: Box::new(()) }
}

#[test]
fn the_contract_holds_on_the_partitions_of_a_plan() {
    support::contract_holds(open_planned);
}
