//! The server is killed at random moments under writers: what was acknowledged is there when it is
//! back, no transaction is there by half, and the store goes on by itself.

mod support;

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ondol_record::{Address, EntryHash};
use ondol_store::{
    AppendError, Store, StoreError, View,
    contract::scene::{NOW, draft, id, identity, observation, patient, put},
    transact,
};
use ondol_store_postgres::PostgresStore;

const ROUNDS: u64 = 52;
const WRITERS: u32 = 8;

type Acknowledged = Mutex<Vec<(Address, EntryHash)>>;

/// One transaction over two charts.
fn write(
    store: &PostgresStore,
    name: &str,
    round: u32,
) -> Result<Vec<(Address, EntryHash)>, AppendError> {
    let (name, family) = (name.to_owned(), format!("Round{round}"));
    let written = transact(store, move |tx| {
        let heads = tx.resource("Patient", &id(&name)).map_err(AppendError::from)?;
        let heads = heads.map(|found| found.heads()).unwrap_or_default();
        let measured = observation(&format!("{name}r{round}"), "p0", "8867-4", "2026-01-01", round);
        let both = vec![put(&patient(&name, &family, "B"), &heads), put(&measured, &[])];
        tx.append(draft(both), NOW, false)
    })?;
    Ok(written.iter().map(|entry| (entry.address, entry.hash())).collect())
}

/// Writes until it is told to stop, whatever the server does.
fn write_on(store: &PostgresStore, writer: u32, done: &AtomicBool, acknowledged: &Acknowledged) {
    for round in 0.. {
        if done.load(Ordering::Relaxed) {
            return;
        }
        match write(store, &format!("w{writer}"), round) {
            Ok(written) => acknowledged.lock().unwrap().extend(written),
            // The server was killed, or is not back yet.
            Err(AppendError::Store(StoreError::Io(_))) => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(why) => panic!("{why:?}"),
        }
    }
}

/// A view as soon as the server is back.
fn view_again(store: &PostgresStore) -> Box<dyn View + '_> {
    for _ in 0..3_000 {
        match store.read() {
            Ok(view) => return view,
            Err(StoreError::Io(_)) => std::thread::sleep(Duration::from_millis(10)),
            Err(why) => panic!("{why:?}"),
        }
    }
    panic!("the server does not come back");
}

/// Looks at what came since the last look, and for what was acknowledged since.
fn check(view: &dyn View, acknowledged: &[(Address, EntryHash)], last: u64, round: u64) -> u64 {
    for (address, hash) in acknowledged {
        let row = view.entry(address).unwrap();
        let row = row.unwrap_or_else(|| panic!("round {round}: {address} is lost"));
        assert_eq!(row.entry.hash(), *hash, "round {round}: {address}");
    }
    let new = view.arrived_after(last, usize::MAX).unwrap();
    for pair in new.chunks(2) {
        let [one, other] = pair else { panic!("round {round}: half of a transaction is there") };
        let of = |row: &ondol_store::EntryRow| row.entry.group.unwrap();
        assert_eq!((of(one).index, of(other).index), (0, 1), "round {round}");
        assert_eq!(one.entry.hlc.bits() + 1, other.entry.hlc.bits(), "round {round}");
    }
    new.last().map_or(last, |row| row.arrival)
}

#[test]
fn what_was_acknowledged_survives_the_server_being_killed_at_any_moment() {
    const { assert!(ROUNDS >= 50) };
    let Some(mut server) = support::Server::start() else { return };
    let schema = server.schema();
    let store = support::open(&server, &schema);
    transact(&store, |tx| tx.set_identity(&identity(1))).unwrap();
    let (done, acknowledged) = (AtomicBool::new(false), Mutex::new(vec![]));
    let mut all = 0;
    std::thread::scope(|scope| {
        let stop = support::AtEnd(|| done.store(true, Ordering::Relaxed));
        for writer in 0..WRITERS {
            let (store, done, acknowledged) = (&store, &done, &acknowledged);
            scope.spawn(move || write_on(store, writer, done, acknowledged));
        }
        let mut last = 0;
        for round in 0..ROUNDS {
            // Most rounds wait for work; every fourth one may meet the server's recovery.
            let enough = acknowledged.lock().unwrap().len() + 20;
            while !round.is_multiple_of(4) && acknowledged.lock().unwrap().len() < enough {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis((round * 37) % 90));
            server.kill();
            let now: Vec<_> = acknowledged.lock().unwrap().drain(..).collect();
            server.start_again();
            all += now.len();
            last = check(&*view_again(&store), &now, last, round);
        }
        drop(stop);
    });
    let rest = acknowledged.into_inner().unwrap();
    let view = view_again(&store);
    check(&*view, &rest, 0, ROUNDS);
    drop(view);
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), []);
    drop(store);
    // Another process would find the same.
    let again = support::open(&server, &schema);
    assert_eq!(again.verify(&mut |_, _| {}).unwrap(), []);
    all += rest.len();
    println!("{all} entries were acknowledged in {ROUNDS} rounds");
    assert!(all > 500, "only {all} were acknowledged");
}
