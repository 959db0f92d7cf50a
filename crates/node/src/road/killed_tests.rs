//! Two nodes, killed (SIGKILL) at any moment while people write at both: over a live link, and by
//! sticks. What was acknowledged to whoever wrote it is there and at the other node, once, and
//! nothing stands still.
//!
//! The processes are this test's own program, which runs the real road loop over a real store on a
//! real disk, and the real sticks, and nothing else: so a round takes a fraction of a second.
//! `ONDOL_KILL_ROUNDS` sets another number of rounds for each of the two.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use ed25519_dalek::SigningKey;
use ondol_app::{App, AppError, NodeKeys, Parts, Place, road::PeerStatus};
use ondol_kernel::{Class, Millis, ResourceId, Rng as _, bytes::to_hex};
use ondol_record::{
    Certificate, Draft, DraftChange, DraftId, Entry,
    certificate::{Issuer, Tier},
    draft::DraftContent,
};
use ondol_replicate::link::public_key;
use ondol_store::{Identity, Space, Store, StoreError, transact};
use ondol_store_sqlite::{FileBlobs, OpenOptions, SqliteStore};
use serde_json::json;

use super::{Road, RoadConfig};
use crate::{carry, chance::MachineChance, clock::MachineClock, durable::tests::Folder};

/// What a child does: `link`, `rest` or `stick`. Without it the child's test does nothing.
const MODE: &str = "ONDOL_TEST_ROAD_KILLED";
/// In which folder, at which of the two seats, and on which ports of both.
const WHERE: &str = "ONDOL_TEST_ROAD_KILLED_WHERE";

/// Rounds in each test, in lanes beside each other.
const LINK_ROUNDS: usize = 200;
const STICK_ROUNDS: usize = 120;
const LANES: usize = 2;
/// So often, in rounds, everything has to come to rest.
const REST_EVERY: usize = 50;

fn rounds(usual: usize) -> usize {
    let asked = std::env::var("ONDOL_KILL_ROUNDS").ok();
    asked.map_or(usual, |rounds| rounds.parse().expect("ONDOL_KILL_ROUNDS is a number"))
}

/// The nation's root.
fn root() -> SigningKey {
    SigningKey::from_bytes(&[200; 32])
}

/// One of the two nodes: 0 is the ministry's, 1 a hospital's below it.
#[derive(Debug, Clone, Copy)]
struct Seat(u8);

impl Seat {
    const BOTH: [Self; 2] = [Self(0), Self(1)];

    fn keys(self) -> NodeKeys {
        let key = [self.0 + 1; 32];
        NodeKeys { signing: SigningKey::from_bytes(&key), link: key }
    }

    fn facility(self) -> ResourceId {
        ResourceId::new(&format!("facility-{}", self.0)).unwrap()
    }

    fn place(self) -> Place {
        let (tier, parent) = match self.0 {
            0 => (Tier::Ministry, None),
            _ => (Tier::Province, Some(Self(0).keys().node())),
        };
        let root = root().verifying_key().to_bytes();
        let (node, facility) = (self.keys().node(), self.facility());
        Place { node, facility, name: "facility".into(), tier, parent, root }
    }

    fn certificate(self) -> Certificate {
        let (keys, place) = (self.keys(), self.place());
        Certificate {
            node: place.node,
            signing_key: keys.signing.verifying_key().to_bytes(),
            link_key: public_key(&keys.link).unwrap(),
            facility: place.facility,
            tier: place.tier,
            parent: place.parent,
            issued: Millis(0),
            issuer: Issuer::Root,
            signature: [0; 64],
            possession: [0; 64],
        }
        .signed(&root(), &keys.signing)
    }
}

/// A port that nobody has, below those that systems give out by themselves: the nodes take it again
/// at each start, and other tests open sockets meanwhile.
fn free_port() -> u16 {
    loop {
        let mut chance = [0; 2];
        MachineChance.fill(&mut chance);
        let port = 10_000 + u16::from_le_bytes(chance) % 20_000;
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Where the two nodes live.
struct Pair {
    folder: PathBuf,
    ports: [u16; 2],
}

impl Pair {
    fn new(folder: &Folder) -> Self {
        let ports = [free_port(), free_port()];
        let pair = Self { folder: folder.0.clone(), ports };
        fs::create_dir_all(pair.stick()).unwrap();
        for seat in Seat::BOTH {
            fs::create_dir_all(pair.data(seat)).unwrap();
            let store = pair.store(seat);
            let place = seat.place();
            let facility = place.facility.clone();
            let identity = Identity { node: place.node, incarnation: 0, facility };
            transact(&store, move |tx| -> Result<(), StoreError> {
                tx.set_identity(&identity)?;
                for certificate in Seat::BOTH.map(Seat::certificate) {
                    let key = [b"cert/".as_slice(), &certificate.node.0].concat();
                    tx.set_value(Space::Peer, &key, Some(&certificate.to_bytes()))?;
                }
                Ok(())
            })
            .unwrap();
        }
        pair
    }

    fn data(&self, seat: Seat) -> PathBuf {
        self.folder.join(format!("node-{}", seat.0))
    }

    fn stick(&self) -> PathBuf {
        self.folder.join("usb")
    }

    fn store(&self, seat: Seat) -> SqliteStore {
        let options = OpenOptions { checkpoint_pages: 64, ..OpenOptions::default() };
        SqliteStore::open(&self.data(seat).join("record.db"), options).unwrap()
    }

    /// The store, past which nothing hides, and the use cases over it.
    fn app(&self, seat: Seat) -> (Arc<SqliteStore>, Arc<App>) {
        let store = Arc::new(self.store(seat));
        let parts = Parts {
            store: store.clone(),
            blobs: Arc::new(FileBlobs::open(&self.data(seat).join("blobs")).unwrap()),
            clock: Arc::new(MachineClock::new(0)),
            rng: Arc::new(MachineChance),
            keys: seat.keys(),
            place: seat.place(),
            practice: false,
        };
        (store, Arc::new(App::open(parts).unwrap()))
    }

    fn address(&self, seat: Seat) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.ports[usize::from(seat.0)]))
    }

    /// The road loop, as `ondol serve` runs it.
    fn road(&self, seat: Seat, app: &Arc<App>) -> Road {
        let above = Seat(0);
        let config = RoadConfig {
            listen: self.address(seat),
            parent_address: (seat.0 == 1).then(|| self.address(above).to_string()),
            parent_link_key: (seat.0 == 1).then(|| public_key(&above.keys().link).unwrap()),
            addresses: self.data(seat).join("addresses.json"),
        };
        Road::open(app.clone(), config, Arc::new(AtomicBool::new(false))).unwrap()
    }

    fn start(&self, seat: Seat, mode: &str) -> Running {
        let ports = self.ports;
        let place = format!("{}|{}|{}|{}", self.folder.display(), seat.0, ports[0], ports[1]);
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "road::killed_tests::child_works_until_it_is_killed", "--nocapture"])
            .env(MODE, mode)
            .env(WHERE, place)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Running::new(seat, child)
    }
}

/// A child, and what it said in whole lines.
struct Running {
    seat: Seat,
    child: Child,
    /// How often in a row it said that nothing waits.
    at_rest: Arc<AtomicU32>,
    /// How much it acknowledged.
    acknowledged: Arc<AtomicU32>,
    reader: thread::JoinHandle<Vec<String>>,
}

impl Running {
    fn new(seat: Seat, mut child: Child) -> Self {
        let (output, at_rest) = (child.stdout.take().unwrap(), Arc::new(AtomicU32::new(0)));
        let acknowledged = Arc::new(AtomicU32::new(0));
        let (rest, work) = (at_rest.clone(), acknowledged.clone());
        let reader = thread::spawn(move || {
            let (mut lines, mut line) = (vec![], String::new());
            let mut input = BufReader::new(output);
            while input.read_line(&mut line).is_ok_and(|count| count > 0) {
                // A line that ends early was cut by the kill.
                if let Some(whole) = line.strip_suffix('\n') {
                    match whole {
                        "rest" => drop(rest.fetch_add(1, Ordering::Relaxed)),
                        "busy" => rest.store(0, Ordering::Relaxed),
                        _ if whole.starts_with("acknowledged ") => {
                            lines.push(whole.to_owned());
                            work.fetch_add(1, Ordering::Relaxed);
                        }
                        _ => {}
                    }
                }
                line.clear();
            }
            lines
        });
        Self { seat, child, at_rest, acknowledged, reader }
    }

    /// Waits for a moment at which it may be killed: mostly some time after it began to work, and
    /// now and then while it starts.
    fn moment(&mut self, dice: &mut Dice) {
        if dice.below(4) > 0 {
            let works = || self.acknowledged.load(Ordering::Relaxed) > 0;
            let begun = (0..10_000).any(|_| {
                thread::sleep(Duration::from_millis(2));
                works()
            });
            let ended = self.child.try_wait();
            assert!(begun, "{:?} does not begin to work; it ended: {ended:?}", self.seat);
        }
        dice.pause(120);
    }

    /// SIGKILL. Gives what it had said.
    fn kill(mut self) -> (Seat, Vec<String>) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        (self.seat, self.reader.join().unwrap())
    }
}

#[test]
fn child_works_until_it_is_killed() {
    let (Ok(mode), Ok(place)) = (std::env::var(MODE), std::env::var(WHERE)) else { return };
    let place: Vec<&str> = place.split('|').collect();
    let ports = [place[2].parse().unwrap(), place[3].parse().unwrap()];
    let pair = Pair { folder: place[0].into(), ports };
    let seat = Seat(place[1].parse().unwrap());
    // What the harness prints before a test ends no line.
    println!();
    let (store, app) = pair.app(seat);
    match mode.as_str() {
        "link" => {
            let road = pair.road(seat, &app);
            thread::spawn(move || road.run());
            let waker = UdpSocket::bind("127.0.0.1:0").unwrap();
            loop {
                write(seat, &store, &app);
                waker.send_to(&[0], pair.address(seat)).unwrap();
                thread::sleep(Duration::from_millis(4));
            }
        }
        "stick" => loop {
            write(seat, &store, &app);
            // There may be none, or one that is not whole.
            let _ = carry::carry_in(&app, &pair.stick());
            carry::out(&app, &pair.stick()).unwrap();
        },
        _ => {
            let road = pair.road(seat, &app);
            thread::spawn(move || road.run());
            loop {
                println!("{}", if waits(&app) { "busy" } else { "rest" });
                thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

fn waits(app: &App) -> bool {
    app.road_status().unwrap().iter().any(PeerStatus::is_waiting)
}

/// Somebody writes; what was acknowledged is said.
fn write(seat: Seat, store: &SqliteStore, app: &Arc<App>) {
    let now = app.now();
    let class = Class::ALL[usize::try_from(now.0 % 4).unwrap()];
    let organization = format!("Organization/facility-{}", seat.0);
    let resource = json!({"resourceType": "Location", "name": "a room",
        "managingOrganization": {"reference": organization}});
    let changes = vec![DraftChange {
        resource_type: "Location".into(),
        id: DraftId::New("".into()),
        supersedes: vec![],
        chart: None,
        content: DraftContent::Put(resource),
    }];
    let draft = Draft { class, care_time: None, author: "".into(), typist: "".into(), changes };
    let writer = app.clone();
    let entries = transact(store, move |tx| -> Result<Vec<Entry>, AppError> {
        let entries = tx.append(draft, now, false)?;
        ondol_app::road::distribute(&writer, tx)?;
        Ok(entries)
    });
    let mut out = std::io::stdout().lock();
    for entry in entries.unwrap() {
        let line = format!("acknowledged {} {}\n", entry.address, to_hex(&entry.hash().0));
        out.write_all(line.as_bytes()).unwrap();
    }
    out.flush().unwrap();
}

/// Chance of a seed (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) % bound
    }

    fn pause(&mut self, ms: u64) {
        thread::sleep(Duration::from_millis(1 + self.below(ms)));
    }
}

/// What was acknowledged: the seat, the address and the hash of each entry.
type Acknowledged = BTreeSet<(u8, String)>;

fn note(acknowledged: &mut Acknowledged, (seat, lines): (Seat, Vec<String>)) {
    for line in lines {
        let entry = line.trim_start_matches("acknowledged ").to_owned();
        assert!(acknowledged.insert((seat.0, entry)), "an address was given twice: {line}");
    }
}

/// Both run, nobody writes and nobody is killed: after a while nothing waits.
fn comes_to_rest_by_link(pair: &Pair, what: &str) {
    let running = Seat::BOTH.map(|seat| pair.start(seat, "rest"));
    let rest = (0..1_200).any(|_| {
        thread::sleep(Duration::from_millis(50));
        running.iter().all(|node| node.at_rest.load(Ordering::Relaxed) >= 4)
    });
    for node in running {
        drop(node.kill());
    }
    assert!(rest, "{what}: something waits still after a minute");
}

/// Couriers go to and fro: after some ways nothing waits.
fn comes_to_rest_by_stick(pair: &Pair, what: &str) {
    for _ in 0..8 {
        for seat in Seat::BOTH {
            let (_, app) = pair.app(seat);
            let _ = carry::carry_in(&app, &pair.stick());
            carry::out(&app, &pair.stick()).unwrap();
        }
        if Seat::BOTH.iter().all(|&seat| !waits(&pair.app(seat).1)) {
            return;
        }
    }
    panic!("{what}: something waits still after eight ways");
}

/// What is at a node: each entry as it was acknowledged, and that none is there twice.
fn entries(pair: &Pair, seat: Seat) -> BTreeSet<String> {
    let store = pair.store(seat);
    let view = store.read().unwrap();
    let rows = view.arrived_after(0, usize::MAX).unwrap();
    let count = rows.len();
    let all: BTreeSet<String> = rows
        .iter()
        .map(|row| format!("{} {}", row.entry.address, to_hex(&row.entry.hash().0)))
        .collect();
    let addresses: BTreeSet<_> = rows.iter().map(|row| row.entry.address).collect();
    assert_eq!((all.len(), addresses.len()), (count, count), "{seat:?} has something twice");
    let aside = view.values(Space::Quarantine, b"", None, 1).unwrap();
    assert!(aside.is_empty(), "{seat:?} has put something aside");
    drop(view);
    assert_eq!(store.verify(&mut |_, _| {}).unwrap(), [], "{seat:?}");
    all
}

fn check(pair: &Pair, acknowledged: &Acknowledged, what: &str) {
    let here = Seat::BOTH.map(|seat| entries(pair, seat));
    assert_eq!(here[0].len(), here[1].len(), "{what}: the two hold unlike much");
    assert_eq!(here[0], here[1], "{what}");
    let lost = acknowledged.iter().filter(|(_, entry)| !here[0].contains(entry)).count();
    assert_eq!(lost, 0, "{what}: {lost} of {} are lost", acknowledged.len());
}

/// Kills of a lane on a live link; gives how much was acknowledged.
fn link_lane(lane: usize, rounds: usize) -> usize {
    let (folder, mut dice) = (Folder::new(), Dice(lane as u64));
    let (pair, mut acknowledged) = (Pair::new(&folder), Acknowledged::new());
    let mut running = Seat::BOTH.map(|seat| Some(pair.start(seat, "link")));
    for round in 1..=rounds {
        // The sender, the receiver, or both within a moment.
        let dead: &[usize] = [&[0][..], &[1], &[0, 1]][usize::try_from(dice.below(3)).unwrap()];
        running.iter_mut().flatten().for_each(|node| node.moment(&mut dice));
        for &at in dead {
            note(&mut acknowledged, running[at].take().unwrap().kill());
        }
        if dice.below(3) == 0 {
            dice.pause(80);
        }
        if round % REST_EVERY == 0 || round == rounds {
            for node in running.iter_mut().filter_map(Option::take) {
                note(&mut acknowledged, node.kill());
            }
            let what = format!("lane {lane}, round {round}");
            comes_to_rest_by_link(&pair, &what);
            check(&pair, &acknowledged, &what);
        }
        for seat in Seat::BOTH {
            running[usize::from(seat.0)].get_or_insert_with(|| pair.start(seat, "link"));
        }
    }
    running.into_iter().flatten().for_each(|node| drop(node.kill()));
    acknowledged.len()
}

/// The courier empties the stick now and then; mostly old files lie beside the new.
fn empty(stick: &Path, dice: &mut Dice) {
    if dice.below(4) > 0 {
        return;
    }
    let mut folders = vec![stick.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if dice.below(10) > 0 {
                fs::remove_file(path).unwrap();
            }
        }
    }
}

/// Kills of a lane while sticks are written and read; gives how much was acknowledged.
fn stick_lane(lane: usize, rounds: usize) -> usize {
    let (folder, mut dice) = (Folder::new(), Dice(1_000 + lane as u64));
    let (pair, mut acknowledged) = (Pair::new(&folder), Acknowledged::new());
    for round in 1..=rounds {
        let seat = Seat::BOTH[usize::try_from(dice.below(2)).unwrap()];
        let mut node = pair.start(seat, "stick");
        node.moment(&mut dice);
        note(&mut acknowledged, node.kill());
        empty(&pair.stick(), &mut dice);
        if round % REST_EVERY == 0 || round == rounds {
            let what = format!("lane {lane}, round {round}");
            comes_to_rest_by_stick(&pair, &what);
            check(&pair, &acknowledged, &what);
        }
    }
    acknowledged.len()
}

fn lanes(rounds: usize, lane: impl Fn(usize, usize) -> usize + Sync) -> usize {
    let each = rounds.div_ceil(LANES);
    thread::scope(|scope| {
        let lane = &lane;
        let lanes: Vec<_> = (0..LANES).map(|at| scope.spawn(move || lane(at, each))).collect();
        lanes.into_iter().map(|lane| lane.join().unwrap()).sum()
    })
}

#[test]
fn on_a_live_link_kills_lose_nothing_double_nothing_and_stop_nothing() {
    const { assert!(LINK_ROUNDS + STICK_ROUNDS >= 300) };
    let rounds = rounds(LINK_ROUNDS);
    let acknowledged = lanes(rounds, link_lane);
    println!("{rounds} rounds on a link: {acknowledged} entries, none lost, none twice");
    assert!(acknowledged > 4 * rounds, "only {acknowledged} were acknowledged");
}

#[test]
fn on_sticks_kills_lose_nothing_double_nothing_and_stop_nothing() {
    let rounds = rounds(STICK_ROUNDS);
    let acknowledged = lanes(rounds, stick_lane);
    println!("{rounds} rounds by stick: {acknowledged} entries, none lost, none twice");
    assert!(acknowledged > rounds / 2, "only {acknowledged} were acknowledged");
}
