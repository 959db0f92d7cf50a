//! Facilities for tests: the real store in a folder of its own, keys, certificates, a clock that
//! tests move. [`Facility::new`] is a village clinic alone; [`Country::new`] is a ministry, a
//! province, a county, its clinic and a specialist hospital, joined by a road that carries when
//! the test says so.
//!
//! Tests of other crates take it by path: `#[path = "../../app/tests/support/mod.rs"]`.

#![allow(dead_code, reason = "each test takes what it needs")]

mod country;
mod folder;
pub mod scenes;

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use ed25519_dalek::SigningKey;
use ondol_access::{Coded, Role, RoleSet};
use ondol_app::{
    Actor, App, AppError, NodeKeys, Parts, Place,
    accounts::{Entered, NewPerson},
    coding,
};
use ondol_kernel::{Class, Clock, Millis, NodeId, ResourceId, Rng};
use ondol_record::{
    Certificate, ChartId, Draft, DraftChange, DraftId, Entry,
    certificate::{Issuer, Tier},
    draft::DraftContent,
};
use ondol_store::{Identity, Space, Store, StoreError};
use ondol_store_sqlite::{FileBlobs, OpenOptions, SqliteStore};
use serde_json::{Value, json};

#[allow(unused_imports, reason = "each test takes what it needs")]
pub use country::Country;
pub use folder::Folder;

/// Monday 2 March 2026, 08:00 in Pyongyang.
pub const MONDAY_8: Millis = Millis(1_772_406_000_000);

/// A clock that stands still until a test moves it.
pub struct SetClock {
    wall: AtomicI64,
    monotonic: AtomicU64,
}

impl SetClock {
    /// A clock that says this.
    pub fn at(wall: Millis) -> Self {
        Self { wall: wall.0.into(), monotonic: 0.into() }
    }

    /// Moves both clocks on.
    pub fn pass(&self, ms: u32) {
        self.wall.fetch_add(i64::from(ms), Ordering::SeqCst);
        self.monotonic.fetch_add(u64::from(ms), Ordering::SeqCst);
    }

    /// Moves both clocks on by minutes.
    pub fn pass_minutes(&self, minutes: u32) {
        self.pass(minutes * 60_000);
    }

    /// Sets what the machine's clock says, as an administrator or an empty battery does.
    pub fn set_wall(&self, wall: Millis) {
        self.wall.store(wall.0, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn wall(&self) -> Millis {
        Millis(self.wall.load(Ordering::SeqCst))
    }

    fn monotonic_ms(&self) -> u64 {
        self.monotonic.load(Ordering::SeqCst)
    }

    fn utc_offset_minutes(&self) -> i32 {
        540
    }
}

/// Chance from a seed: BLAKE3 of seed and count.
pub struct SeededRng {
    seed: [u8; 32],
    count: Mutex<u64>,
}

impl SeededRng {
    /// A seed as short as a test likes.
    pub fn new(seed: &str) -> Self {
        Self { seed: *blake3::hash(seed.as_bytes()).as_bytes(), count: Mutex::new(0) }
    }
}

impl Rng for SeededRng {
    fn fill(&self, to: &mut [u8]) {
        let mut count = self.count.lock().unwrap();
        *count += 1;
        let mut hasher = blake3::Hasher::new_keyed(&self.seed);
        hasher.update(&count.to_le_bytes());
        hasher.finalize_xof().fill(to);
    }
}

/// Where a facility of a test stands.
#[derive(Clone)]
pub struct Seat {
    /// Its Organization's id, which also seeds its keys.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its tier.
    pub tier: Tier,
    /// The Organization above.
    pub above: Option<&'static str>,
}

/// The ministry, a province, a county, its clinic, and a specialist hospital.
pub const SEATS: [Seat; 5] = [
    Seat { id: "ministry", name: "보건성", tier: Tier::Ministry, above: None },
    Seat { id: "province", name: "도병원", tier: Tier::Province, above: Some("ministry") },
    Seat { id: "county", name: "군병원", tier: Tier::County, above: Some("province") },
    Seat { id: "clinic", name: "새마을리진료소", tier: Tier::Clinic, above: Some("county") },
    Seat {
        id: "specialist", name: "심장병원", tier: Tier::Specialist, above: Some("ministry")
    },
];

impl Seat {
    /// The keys of its node, as a thief would have them.
    pub fn keys(&self) -> NodeKeys {
        let secret =
            |what: &str| *blake3::hash(format!("{what} {}", self.id).as_bytes()).as_bytes();
        NodeKeys { signing: SigningKey::from_bytes(&secret("signing")), link: secret("link") }
    }

    /// The node of the facility.
    pub fn node(&self) -> NodeId {
        self.keys().node()
    }

    /// The public half of its link key.
    pub fn link_public(&self) -> [u8; 32] {
        x25519_public(&self.keys().link)
    }

    fn parent(&self) -> Option<NodeId> {
        let above = self.above?;
        SEATS.iter().find(|seat| seat.id == above).map(Self::node)
    }

    fn certificate(&self) -> Certificate {
        let keys = self.keys();
        let link = x25519_public(&keys.link);
        Certificate {
            node: self.node(),
            signing_key: keys.signing.verifying_key().to_bytes(),
            link_key: link,
            facility: ResourceId::new(self.id).unwrap(),
            tier: self.tier,
            parent: self.parent(),
            issued: Millis(0),
            issuer: Issuer::Root,
            signature: [0; 64],
            possession: [0; 64],
        }
        .signed(&root(), &keys.signing)
    }
}

/// The nation's root key of all tests.
pub fn root() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// The public half of an X25519 key.
pub fn x25519_public(secret: &[u8; 32]) -> [u8; 32] {
    use snow::resolvers::{CryptoResolver as _, DefaultResolver};
    let mut dh = DefaultResolver.resolve_dh(&snow::params::DHChoice::Curve25519).unwrap();
    dh.set(secret);
    dh.pubkey().try_into().unwrap()
}

/// The password of all accounts that [`Facility::signed_in`] makes.
pub const PASSWORD: &str = "봄날의 따뜻한 온돌";

/// A person without specialty and telephone.
pub fn new_person(name: &str, login: &str, roles: RoleSet) -> NewPerson {
    NewPerson {
        name: name.to_owned(),
        login: login.to_owned(),
        roles,
        specialties: vec![],
        phone: String::new(),
    }
}

/// A running facility.
pub struct Facility {
    /// Its use cases.
    pub app: Arc<App>,
    /// Its clock.
    pub clock: Arc<SetClock>,
    /// Where it stands.
    pub seat: Seat,
    store: Arc<SqliteStore>,
    folder: Folder,
    practice: bool,
    next_person: AtomicU64,
}

impl Facility {
    /// The clinic, its node alone in a country whose certificates it knows.
    pub fn new() -> Self {
        Self::at("clinic")
    }

    /// The facility with this id of [`SEATS`].
    pub fn at(id: &str) -> Self {
        let seat = SEATS.iter().find(|seat| seat.id == id).unwrap().clone();
        Self::made(seat, false)
    }

    /// The practice room of the clinic.
    pub fn practice() -> Self {
        let seat = SEATS.iter().find(|seat| seat.id == "clinic").unwrap().clone();
        Self::made(seat, true)
    }

    /// The clinic on a disk behind a VFS of SQLite's.
    pub fn on_disk(vfs: &str) -> Self {
        let seat = SEATS.iter().find(|seat| seat.id == "clinic").unwrap().clone();
        let options = OpenOptions { vfs: Some(vfs.into()), ..OpenOptions::default() };
        let store = SqliteStore::open(Path::new("record.db"), options).unwrap();
        Self::over(Folder::new(seat.id), Arc::new(store), seat, false)
    }

    fn made(seat: Seat, practice: bool) -> Self {
        let folder = Folder::new(seat.id);
        let store = open_store(folder.path());
        Self::over(folder, store, seat, practice)
    }

    fn over(folder: Folder, store: Arc<SqliteStore>, seat: Seat, practice: bool) -> Self {
        let clock = Arc::new(SetClock::at(MONDAY_8));
        found(&store, &seat);
        let app = open_app(&store, &clock, &folder, &seat, practice);
        let facility =
            Self { app, clock, seat, store, folder, practice, next_person: AtomicU64::new(0) };
        let mut organization = json!({
            "resourceType": "Organization",
            "active": true,
            "name": facility.seat.name,
        });
        if let Some(above) = facility.seat.above {
            organization["partOf"] = json!({ "reference": format!("Organization/{above}") });
        }
        facility.put(facility.seat.id, organization);
        facility
    }

    /// Stops the node and starts it again over the same files.
    #[must_use]
    pub fn restarted(self) -> Self {
        let Self { app, clock, seat, store, folder, practice, next_person } = self;
        drop(app);
        drop(store);
        let store = open_store(folder.path());
        let app = open_app(&store, &clock, &folder, &seat, practice);
        Self { app, clock, seat, store, folder, practice, next_person }
    }

    /// A copy of the node's files, as a backup takes them.
    pub fn backup(&self) -> Folder {
        let copy = Folder::new(self.seat.id);
        folder::copy(self.folder.path(), copy.path());
        copy
    }

    /// The disk broke: the node starts over a backup.
    #[must_use]
    pub fn put_back(self, backup: &Folder) -> Self {
        let Self { app, clock, seat, store, folder, practice, next_person } = self;
        drop(app);
        drop(store);
        folder::copy(backup.path(), folder.path());
        let store = open_store(folder.path());
        let app = open_app(&store, &clock, &folder, &seat, practice);
        app.restored().unwrap();
        Self { app, clock, seat, store, folder, practice, next_person }
    }

    /// The facility's chart.
    pub fn chart(&self) -> ChartId {
        ChartId::Facility(self.app.place().facility.clone())
    }

    /// The store, to look into.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// Somebody who works here in one role, as signed in.
    pub fn person(&self, role: Role) -> Actor {
        self.person_named(&format!("리영희 {}", role.code()), &[role])
    }

    /// Somebody who works here, as signed in: a Practitioner and a `PractitionerRole` are in the
    /// record, an account is not.
    pub fn person_named(&self, name: &str, roles: &[Role]) -> Actor {
        let number = self.next_person.fetch_add(1, Ordering::SeqCst);
        let id = ResourceId::new(&format!("{}-person-{number}", self.seat.id)).unwrap();
        self.put(
            id.as_str(),
            json!({
                "resourceType": "Practitioner",
                "active": true,
                "name": [{ "text": name }],
            }),
        );
        let codes: Vec<Value> =
            roles.iter().map(|role| coding::concept(coding::ROLE, role.code())).collect();
        self.put(
            &format!("{id}-role"),
            json!({
                "resourceType": "PractitionerRole",
                "active": true,
                "practitioner": { "reference": format!("Practitioner/{id}") },
                "organization": { "reference": self.app.place().organization() },
                "code": codes,
            }),
        );
        Actor::person(id, name, roles.iter().copied().collect::<RoleSet>())
    }

    /// The first two administrators, made if this facility has none yet.
    pub fn administrator(&self) -> Actor {
        if self.app.is_first_run().unwrap() {
            let person = |login: &str, name: &str| {
                let roles = RoleSet::EMPTY.with(Role::Administrator);
                (new_person(name, login, roles), PASSWORD.to_owned())
            };
            let both = vec![person("admin1", "관리원 하나"), person("admin2", "관리원 둘")];
            self.app.first_run(both).unwrap();
        }
        self.app.sign_in("admin1", PASSWORD, None, None).unwrap().who.actor
    }

    /// Somebody with an account who has just signed in with [`PASSWORD`] at a computer of their
    /// own: cookies of session and station, and who.
    pub fn signed_in(&self, name: &str, roles: &[Role]) -> Entered {
        let administrator = self.administrator();
        let login = format!("login{}", self.next_person.fetch_add(1, Ordering::SeqCst));
        let person = new_person(name, &login, roles.iter().copied().collect());
        let given = self.app.add_person(&administrator, person).unwrap();
        let first = self.app.sign_in(&login, &given.0, None, None).unwrap();
        self.app.change_password(&first.who, &first.session, (&given.0, PASSWORD)).unwrap();
        let (station, session) = (Some(first.station.as_str()), Some(first.session.as_str()));
        self.app.sign_in(&login, PASSWORD, station, session).unwrap()
    }

    /// Writes a resource with this id past all policies, as the node itself.
    pub fn put(&self, id: &str, resource: Value) -> Vec<Entry> {
        self.put_into(None, id, resource)
    }

    /// The same into a chart that is not the resource's own by the rules.
    pub fn put_into(&self, chart: Option<ChartId>, id: &str, resource: Value) -> Vec<Entry> {
        let change = DraftChange {
            resource_type: resource["resourceType"].as_str().unwrap().into(),
            id: DraftId::Given(ResourceId::new(id).unwrap()),
            supersedes: vec![],
            chart,
            content: DraftContent::Put(resource),
        };
        let draft = Draft {
            class: Class::Routine,
            care_time: None,
            author: "".into(),
            typist: "".into(),
            changes: vec![change],
        };
        let app = self.app.clone();
        ondol_store::transact(&*self.store, move |tx| -> Result<_, AppError> {
            let entries = tx.append(draft, app.now(), false)?;
            ondol_app::road::distribute(&app, tx)?;
            Ok(entries)
        })
        .unwrap()
    }

    /// The shown version of a resource.
    pub fn get(&self, resource_type: &str, id: &str) -> Option<Value> {
        let view = self.store.read().unwrap();
        let found = view.resource(resource_type, &ResourceId::new(id).unwrap()).unwrap()?;
        found.shown.json().map(|text| serde_json::from_str(&text).unwrap())
    }

    /// All resources of a type in a chart, newest first.
    pub fn all(&self, chart: &ChartId, resource_type: &str) -> Vec<Value> {
        let view = self.store.read().unwrap();
        let found = view.chart(chart, &[resource_type]).unwrap();
        found
            .iter()
            .filter_map(|found| found.shown.json())
            .map(|text| serde_json::from_str(&text).unwrap())
            .collect()
    }
}

fn open_store(folder: &Path) -> Arc<SqliteStore> {
    Arc::new(SqliteStore::open(&folder.join("record.db"), OpenOptions::default()).unwrap())
}

fn open_app(
    store: &Arc<SqliteStore>,
    clock: &Arc<SetClock>,
    folder: &Folder,
    seat: &Seat,
    practice: bool,
) -> Arc<App> {
    let parts = Parts {
        store: store.clone(),
        blobs: Arc::new(FileBlobs::open(&folder.path().join("blobs")).unwrap()),
        clock: clock.clone(),
        // A node that starts again must not give the same numbers again.
        rng: Arc::new(SeededRng::new(&format!("{} {}", seat.id, folder.next()))),
        keys: seat.keys(),
        place: Place {
            node: seat.node(),
            facility: ResourceId::new(seat.id).unwrap(),
            name: seat.name.into(),
            tier: seat.tier,
            parent: seat.parent(),
            root: root().verifying_key().to_bytes(),
        },
        practice,
    };
    Arc::new(App::open(parts).unwrap())
}

/// Gives a new store its identity and the certificates of the country.
fn found(store: &SqliteStore, seat: &Seat) {
    let identity =
        Identity { node: seat.node(), incarnation: 0, facility: ResourceId::new(seat.id).unwrap() };
    ondol_store::transact(store, move |tx| -> Result<_, StoreError> {
        tx.set_identity(&identity)?;
        for seat in SEATS {
            let key = [b"cert/".as_slice(), &seat.node().0].concat();
            tx.set_value(Space::Peer, &key, Some(&seat.certificate().to_bytes()))?;
        }
        Ok(())
    })
    .unwrap();
}
