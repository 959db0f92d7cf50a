//! SIGKILL at random moments: what was acknowledged is there when the store opens again.

mod support;

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::Duration,
};

use ondol_kernel::{Class, NodeId, bytes::to_hex};
use ondol_record::Stream;
use ondol_store::{
    Store,
    contract::scene::{NOW, draft, id, identity, observation, patient, put},
    transact,
};
use ondol_store_sqlite::{OpenOptions, SqliteStore};

/// Where the child writes; without it the child's test does nothing.
const DIRECTORY: &str = "ONDOL_TEST_KILLED_DIRECTORY";

/// So many directories are killed in side by side; a child mostly waits for the disk or its end.
const LANES: u64 = 4;
/// Kills in each of them.
const ROUNDS: u64 = 80;
/// After so many kills a lane begins with an empty directory: checking stays short, and the making
/// of a store is met again and again.
const ROUNDS_OF_ONE: u64 = 16;
const WRITERS: u32 = 4;

/// The child: writes until it is killed, and says on its output what was acknowledged.
#[test]
fn child_writes_until_it_is_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let options = OpenOptions { checkpoint_pages: 64, ..OpenOptions::default() };
    let store = SqliteStore::open(&Path::new(&directory).join("record.db"), options).unwrap();
    transact(&store, |tx| tx.set_identity(&identity(1))).unwrap();
    let out = Mutex::new(std::io::stdout());
    let start = store.read().unwrap().last_arrival().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (store, out) = (&store, &out);
            scope.spawn(move || {
                for round in 0.. {
                    let line = write(store, &format!("s{start}w{writer}"), round);
                    let mut out = out.lock().unwrap();
                    out.write_all(line.as_bytes()).unwrap();
                    out.flush().unwrap();
                }
            });
        }
        if start.is_multiple_of(3) {
            scope.spawn(|| {
                loop {
                    store.reindex(&mut |_, _| {}).unwrap();
                }
            });
        }
    });
}

/// One transaction over two charts; its line.
fn write(store: &SqliteStore, name: &str, round: u32) -> String {
    let (name, family) = (name.to_owned(), format!("Round{round}"));
    let written = transact(store, move |tx| {
        let heads = tx.resource("Patient", &id(&name)).map_err(ondol_store::AppendError::from)?;
        let heads = heads.map(|found| found.heads()).unwrap_or_default();
        let measured = observation(&format!("{name}r{round}"), "p0", "8867-4", "2026-01-01", round);
        let both = vec![put(&patient(&name, &family, "B"), &heads), put(&measured, &[])];
        tx.append(draft(both), NOW, false)
    });
    let line = |entry: &ondol_record::Entry| {
        format!("acknowledged {} {}\n", entry.address.number, to_hex(&entry.hash().0))
    };
    written.unwrap().iter().map(line).collect()
}

fn start(directory: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_writes_until_it_is_killed", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The whole lines of a child that was killed after a while, or so long after its first line.
fn killed_after(mut child: Child, ms: u64, of_work: bool) -> Vec<(u64, String)> {
    let output = child.stdout.take().unwrap();
    let (begun, begins) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut lines = vec![];
        let mut input = BufReader::new(output);
        let mut line = String::new();
        while input.read_line(&mut line).is_ok_and(|count| count > 0) {
            // A line that ends early was cut by the kill.
            if let Some(whole) = line.strip_suffix('\n')
                && let Some(rest) = whole.strip_prefix("acknowledged ")
                && let Some((number, hash)) = rest.split_once(' ')
            {
                lines.push((number.parse().unwrap(), hash.to_owned()));
                let _ = begun.send(());
            }
            line.clear();
        }
        lines
    });
    if of_work {
        // A child that ends by itself drops the sender.
        let _ = begins.recv();
    }
    std::thread::sleep(Duration::from_millis(ms));
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

/// What is wrong after a kill.
fn check(directory: &support::Directory, acknowledged: &[(u64, String)], round: u64) {
    let stream = Stream { origin: NodeId([1; 16]), incarnation: 0, class: Class::Routine };
    let store = support::open(directory);
    let view = store.read().unwrap();
    for (number, hash) in acknowledged {
        let row = view.entry(&stream.at(*number)).unwrap();
        let row = row.unwrap_or_else(|| panic!("round {round}: {number} is lost"));
        assert_eq!(&to_hex(&row.entry.hash().0), hash, "round {round}: {number}");
    }
    let all = view.last_arrival().unwrap();
    assert_eq!(all % 2, 0, "round {round}: half of a transaction is there");
    drop(view);
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), [], "round {round}");
}

/// Kills again and again; gives how much was acknowledged.
fn lane(lane: u64) -> usize {
    let mut all = 0;
    for first in (0..ROUNDS).step_by(usize::try_from(ROUNDS_OF_ONE).unwrap()) {
        let directory = support::Directory::new();
        let mut acknowledged = vec![];
        for round in first..first + ROUNDS_OF_ONE {
            // Every other one counts from the start, short enough to meet the opening as well.
            let wait = 1 + (round * 37 + lane * 17) % 70;
            let of_work = round.is_multiple_of(2);
            acknowledged.extend(killed_after(start(directory.path()), wait, of_work));
            check(&directory, &acknowledged, lane * ROUNDS + round);
        }
        all += acknowledged.len();
    }
    all
}

#[test]
fn what_was_acknowledged_survives_sigkill_at_any_moment() {
    assert!(LANES * ROUNDS >= 300);
    let acknowledged: usize = std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES).map(|number| scope.spawn(move || lane(number))).collect();
        lanes.into_iter().map(|lane| lane.join().unwrap()).sum()
    });
    assert!(acknowledged > 1_000, "only {acknowledged} were acknowledged");
}
