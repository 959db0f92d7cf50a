//! One node: the real use cases over the real store, on a disk that can lose power.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use ed25519_dalek::SigningKey;
use ondol_app::{App, AppError, NodeKeys, Parts, Place};
use ondol_fault_vfs::{Disk, Faults};
use ondol_kernel::{Class, Clock, Millis, NodeId, ResourceId};
use ondol_record::{
    Certificate, Draft, DraftChange, DraftId, Entry,
    certificate::{Issuer, Tier},
    draft::DraftContent,
};
use ondol_replicate::link;
use ondol_store::{
    Identity, Space, StoreError,
    blobs::{BlobHash, Blobs},
};
use ondol_store_sqlite::{OpenOptions, SqliteStore};
use serde_json::Value;

use crate::chance::Chance;

/// A node's clock, which the world moves.
pub struct WorldClock {
    wall: AtomicI64,
    monotonic: AtomicU64,
}

impl WorldClock {
    /// Time goes on.
    pub fn pass(&self, ms: u32) {
        self.wall.fetch_add(i64::from(ms), Ordering::Relaxed);
        self.monotonic.fetch_add(u64::from(ms), Ordering::Relaxed);
    }

    /// The battery is empty, or somebody set it wrong.
    pub fn jump(&self, ms: i64) {
        self.wall.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for WorldClock {
    fn wall(&self) -> Millis {
        Millis(self.wall.load(Ordering::Relaxed).max(0))
    }
    fn monotonic_ms(&self) -> u64 {
        self.monotonic.load(Ordering::Relaxed)
    }
    fn utc_offset_minutes(&self) -> i32 {
        540
    }
}

/// Blobs in memory: this world is about entries.
#[derive(Default)]
struct MemoryBlobs(Mutex<HashMap<BlobHash, Vec<u8>>>);

impl MemoryBlobs {
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<BlobHash, Vec<u8>>) -> T) -> T {
        match self.0.lock() {
            Ok(mut blobs) => act(&mut blobs),
            Err(poisoned) => act(&mut poisoned.into_inner()),
        }
    }
}

impl Blobs for MemoryBlobs {
    fn put(&self, bytes: &[u8]) -> Result<BlobHash, StoreError> {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.with(|blobs| blobs.insert(hash, bytes.to_vec()));
        Ok(hash)
    }
    fn get(&self, hash: &BlobHash) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.with(|blobs| blobs.get(hash).cloned()))
    }
    fn has(&self, hash: &BlobHash) -> Result<bool, StoreError> {
        Ok(self.with(|blobs| blobs.contains_key(hash)))
    }
    fn put_part(&self, _: &BlobHash, _: u64, _: u64, _: &[u8]) -> Result<u64, StoreError> {
        Ok(0)
    }
    fn partial(&self, _: &BlobHash) -> Result<u64, StoreError> {
        Ok(0)
    }
}

/// Where a node stands.
#[derive(Debug, Clone)]
pub struct Seat {
    /// Its place in the world's list.
    pub at: usize,
    /// Its tier.
    pub tier: Tier,
    /// The node above, by its place in the list.
    pub above: Option<usize>,
}

impl Seat {
    fn keys(&self) -> NodeKeys {
        let byte = u8::try_from(self.at + 1).unwrap_or(u8::MAX);
        NodeKeys { signing: SigningKey::from_bytes(&[byte; 32]), link: [byte; 32] }
    }

    /// The node's id.
    pub fn node(&self) -> NodeId {
        self.keys().node()
    }

    /// The facility's id.
    pub fn facility(&self) -> ResourceId {
        ResourceId::new(&format!("f{}", self.at)).expect("a short id")
    }

    fn certificate(&self, seats: &[Self]) -> Certificate {
        let keys = self.keys();
        Certificate {
            node: self.node(),
            signing_key: keys.signing.verifying_key().to_bytes(),
            link_key: link::public_key(&keys.link).expect("a key"),
            facility: self.facility(),
            tier: self.tier,
            parent: self.above.map(|above| seats[above].node()),
            issued: Millis(0),
            issuer: Issuer::Root,
            signature: [0; 64],
        }
        .signed(&root())
    }
}

fn root() -> SigningKey {
    SigningKey::from_bytes(&[255; 32])
}

/// A running node.
pub struct Node {
    /// Where it stands.
    pub seat: Seat,
    /// Its use cases; `None` while the power is off.
    pub app: Option<Arc<App>>,
    /// Its store, to look into.
    pub store: Option<Arc<SqliteStore>>,
    /// Its clock.
    pub clock: Arc<WorldClock>,
    disk: Disk,
    name: String,
    lives: u64,
    place: Place,
}

/// Tables of SQLite are small here, so that many nodes fit.
fn open(disk: &Disk) -> Result<Arc<SqliteStore>, StoreError> {
    let options = OpenOptions {
        vfs: Some(disk.vfs_name().into()),
        idle_readers_max: 1,
        writer_cache_kib: 512,
        reader_cache_kib: 256,
        ..OpenOptions::default()
    };
    Ok(Arc::new(SqliteStore::open(Path::new("record.db"), options)?))
}

impl Node {
    /// Founds a node on an empty disk. `name` is new in this process; `known` are the places of
    /// the nodes whose certificates it has.
    pub fn found(
        seat: Seat,
        seats: &[Seat],
        known: &[usize],
        name: &str,
        start: Millis,
    ) -> Result<Self, AppError> {
        let disk = Disk::new(&format!("{name}-0"));
        let clock = Arc::new(WorldClock { wall: start.0.into(), monotonic: 0.into() });
        let place = Place {
            node: seat.node(),
            facility: seat.facility(),
            name: "facility".into(),
            tier: seat.tier,
            parent: seat.above.map(|above| seats[above].node()),
            root: root().verifying_key().to_bytes(),
        };
        let store = open(&disk)?;
        let identity = Identity { node: seat.node(), incarnation: 0, facility: seat.facility() };
        let certificates: Vec<Certificate> =
            known.iter().map(|&at| seats[at].certificate(seats)).collect();
        ondol_store::transact(&*store, move |tx| -> Result<(), StoreError> {
            tx.set_identity(&identity)?;
            for certificate in &certificates {
                let key = [b"cert/".as_slice(), &certificate.node.0].concat();
                tx.set_value(Space::Peer, &key, Some(&certificate.to_bytes()))?;
            }
            Ok(())
        })?;
        let mut node = Self {
            seat,
            app: None,
            store: Some(store),
            clock,
            disk,
            name: name.to_owned(),
            lives: 0,
            place,
        };
        node.start()?;
        Ok(node)
    }

    fn start(&mut self) -> Result<(), AppError> {
        let store = match self.store.take() {
            Some(store) => store,
            None => open(&self.disk)?,
        };
        let seed = self.lives.wrapping_mul(1_000_003).wrapping_add(self.seat.at as u64);
        let parts = Parts {
            store: store.clone(),
            blobs: Arc::new(MemoryBlobs::default()),
            clock: self.clock.clone(),
            rng: Arc::new(Chance::new(seed)),
            keys: self.seat.keys(),
            place: self.place.clone(),
            practice: false,
        };
        self.app = Some(Arc::new(App::open(parts)?));
        self.store = Some(store);
        Ok(())
    }

    /// Cuts the power and starts again from what the disk kept: synced bytes for certain, of the
    /// others what the seed says.
    pub fn crash(&mut self, seed: u64) -> Result<(), AppError> {
        self.disk.cut();
        self.app = None;
        self.store = None;
        self.lives += 1;
        let image = self.disk.image(seed);
        self.disk = Disk::with_image(&format!("{}-{}", self.name, self.lives), image);
        self.start()
    }

    /// The power will be cut after so many further changes of the disk.
    pub fn cut_after(&self, changes: u64) {
        self.disk.set_faults(Faults { cut_after: Some(changes), ..Faults::default() });
    }

    /// Whether the power was cut; if it was not, it stays on.
    pub fn was_cut(&self) -> bool {
        self.disk.set_faults(Faults::default());
        self.disk.is_cut()
    }

    /// The use cases of a node whose power is on.
    pub fn app(&self) -> &Arc<App> {
        self.app.as_ref().expect("the power is on")
    }

    /// The store of a node whose power is on.
    pub fn store(&self) -> &SqliteStore {
        self.store.as_ref().expect("the power is on")
    }

    /// Writes a resource as the node itself. When this returns, it is acknowledged.
    pub fn write(
        &self,
        class: Class,
        id: DraftId,
        resource: Value,
    ) -> Result<Vec<Entry>, AppError> {
        let name = resource["resourceType"].as_str().unwrap_or("").into();
        let (app, content) = (self.app().clone(), DraftContent::Put(resource));
        let given = match &id {
            DraftId::Given(id) => Some(id.clone()),
            DraftId::New(_) => None,
        };
        ondol_store::transact(self.store(), move |tx| {
            let mut change =
                DraftChange { resource_type: name, id, supersedes: vec![], chart: None, content };
            if let Some(id) = given
                && let Some(found) = tx.resource(&change.resource_type, &id)?
            {
                change.supersedes = found.heads();
                change.chart = Some(found.shown.chart.clone());
            }
            let draft = Draft {
                class,
                care_time: None,
                author: "".into(),
                typist: "".into(),
                changes: vec![change],
            };
            let entries = tx.append(draft, app.now(), false)?;
            ondol_app::road::distribute(&app, tx)?;
            Ok(entries)
        })
    }
}
