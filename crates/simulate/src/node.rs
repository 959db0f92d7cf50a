//! One node: the real use cases over the real store, on a disk that can lose power.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use ondol_app::{App, AppError, Parts};
use ondol_fault_vfs::{Disk, Faults, FileKind, Image};
use ondol_kernel::{Class, Clock, Millis};
use ondol_record::{Draft, DraftChange, DraftId, Entry, draft::DraftContent};
use ondol_store::{
    Store, StoreError,
    blobs::{BlobHash, Blobs},
};
use ondol_store_sqlite::SqliteStore;

use crate::{
    chance::Chance,
    land::{self, land},
    plant::{Bug, Planted},
};

/// A name for a disk that no other in this process has.
pub fn new_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("disk-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A node's clock, which the world moves.
pub struct WorldClock {
    wall: AtomicI64,
    monotonic: AtomicU64,
}

impl WorldClock {
    fn new(start: Millis) -> Self {
        Self { wall: start.0.into(), monotonic: 0.into() }
    }

    /// Time goes on.
    pub fn pass(&self, ms: u32) {
        self.wall.fetch_add(i64::from(ms), Ordering::Relaxed);
        self.monotonic.fetch_add(u64::from(ms), Ordering::Relaxed);
    }

    /// Somebody set it wrong.
    pub fn jump(&self, ms: i64) {
        self.wall.fetch_add(ms, Ordering::Relaxed);
    }

    /// Somebody set it right, or its battery is empty and it begins with 1970.
    pub fn set(&self, to: Millis) {
        self.wall.store(to.0, Ordering::Relaxed);
    }

    /// The machine starts: monotonic time counts from there.
    fn restart(&self) {
        self.monotonic.store(0, Ordering::Relaxed);
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
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
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

/// What a disk is about to do to its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Danger {
    /// The power goes.
    Cut,
    /// There is no room.
    Full,
    /// Writes and syncs report errors.
    Errors,
}

/// How something that a node did ended, once the disk was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The disk had nothing to do with it.
    Well,
    /// The power went.
    Cut,
    /// The disk may have refused it.
    Refused,
}

/// One change that somebody wishes to save.
pub struct Wish {
    /// The type of the resource.
    pub kind: &'static str,
    /// Its id.
    pub id: DraftId,
    /// What shall be done.
    pub content: DraftContent,
}

/// A node.
pub struct Node {
    at: usize,
    /// Its use cases; `None` while the power is off.
    app: Option<Arc<App>>,
    /// Its store, to look into.
    store: Option<Arc<SqliteStore>>,
    /// The store as the use cases have it: another one where a bug is planted.
    used: Option<Arc<dyn Store>>,
    /// Its clock.
    pub clock: Arc<WorldClock>,
    disk: Disk,
    danger: Option<Danger>,
    lives: u64,
    bug: Option<Bug>,
}

impl Node {
    /// A node on its disk of the first day.
    pub fn new(
        at: usize,
        knows_everybody: bool,
        start: Millis,
        bug: Option<Bug>,
    ) -> Result<Self, AppError> {
        let mut node = Self {
            at,
            app: None,
            store: None,
            used: None,
            clock: Arc::new(WorldClock::new(start)),
            disk: Disk::with_image(&new_name(), land().disk(at, knows_everybody)),
            danger: None,
            lives: 0,
            bug,
        };
        node.calm();
        node.start()?;
        Ok(node)
    }

    fn start(&mut self) -> Result<(), AppError> {
        let store = Arc::new(land::open(&self.disk)?);
        let used: Arc<dyn Store> = match self.bug {
            Some(bug) => Arc::new(Planted::new(store.clone(), bug)),
            None => store.clone(),
        };
        let seed = self.lives.wrapping_mul(1_000_003).wrapping_add(self.at as u64);
        let parts = Parts {
            store: used.clone(),
            blobs: Arc::new(MemoryBlobs::default()),
            clock: self.clock.clone(),
            rng: Arc::new(Chance::new(seed)),
            keys: land().keys(self.at),
            place: land().place(self.at),
            practice: false,
        };
        self.app = Some(Arc::new(App::open(parts)?));
        self.store = Some(store);
        self.used = Some(used);
        Ok(())
    }

    /// Cuts the power and starts again from what the disk kept: synced bytes for certain, of the
    /// others what chance says. Now and then the power goes again while the node starts.
    pub fn crash(&mut self, chance: &Chance) -> Result<(), AppError> {
        loop {
            self.disk.cut();
            self.app = None;
            self.store = None;
            self.used = None;
            self.lives += 1;
            self.disk = Disk::with_image(&new_name(), self.disk.image(chance.next()));
            self.calm();
            self.clock.restart();
            if chance.happens(10) {
                self.endanger(Danger::Cut, chance.next() % 8);
            }
            let started = self.start();
            if self.ended() != Ended::Cut {
                return started;
            }
        }
    }

    /// What would be read of its disk now: a backup.
    pub fn backup(&self, chance: &Chance) -> Image {
        self.disk.image(chance.next())
    }

    /// The disk broke: the node starts over a backup.
    pub fn put_back(&mut self, backup: Image) -> Result<(), AppError> {
        self.disk.cut();
        self.app = None;
        self.store = None;
        self.used = None;
        self.lives += 1;
        self.disk = Disk::with_image(&new_name(), backup);
        self.danger = None;
        self.calm();
        self.clock.restart();
        self.start()?;
        self.app().restored().map(drop)
    }

    /// Something will happen after so many further changes of the disk.
    pub fn endanger(&mut self, danger: Danger, after: u64) {
        let mut faults = self.usual_faults();
        match danger {
            Danger::Cut => faults.cut_after = Some(after),
            Danger::Full => faults.full_after = Some(after),
            Danger::Errors => faults.io_error_after = Some(after),
        }
        self.danger = Some(danger);
        self.disk.set_faults(faults);
    }

    /// Whether the disk did what it was about to do; what it did not do yet it will not.
    pub fn ended(&mut self) -> Ended {
        let danger = self.danger.take();
        self.calm();
        match danger {
            _ if self.disk.is_cut() => Ended::Cut,
            Some(Danger::Full | Danger::Errors) => Ended::Refused,
            Some(Danger::Cut) | None => Ended::Well,
        }
    }

    /// Nothing is about to happen to the disk.
    fn calm(&self) {
        self.disk.set_faults(self.usual_faults());
    }

    /// Disks lie about syncs only where that bug is planted.
    fn usual_faults(&self) -> Faults {
        let ignore_syncs_of = match self.bug {
            Some(Bug::UnsyncedLog) => vec![FileKind::Log],
            Some(Bug::UnsyncedDatabase) => vec![FileKind::Database],
            _ => vec![],
        };
        Faults { ignore_syncs_of, ..Faults::default() }
    }

    /// The use cases of a node whose power is on.
    pub fn app(&self) -> &Arc<App> {
        self.app.as_ref().expect("the power is on")
    }

    /// The store of a node whose power is on.
    pub fn store(&self) -> &SqliteStore {
        self.store.as_ref().expect("the power is on")
    }

    /// Saves changes in one transaction as the node itself. When this returns, they are
    /// acknowledged.
    pub fn write(&self, class: Class, wishes: Vec<Wish>) -> Result<Vec<Entry>, AppError> {
        let app = self.app().clone();
        let used = self.used.as_ref().expect("the power is on");
        ondol_store::transact(&**used, move |tx| {
            let mut changes = vec![];
            for Wish { kind, id, content } in wishes {
                let mut change = DraftChange {
                    resource_type: kind.into(),
                    id,
                    supersedes: vec![],
                    chart: None,
                    content,
                };
                if let DraftId::Given(id) = &change.id
                    && let Some(found) = tx.resource(kind, id)?
                {
                    change.supersedes = found.heads();
                    change.chart = Some(found.shown.chart.clone());
                }
                changes.push(change);
            }
            let draft =
                Draft { class, care_time: None, author: "".into(), typist: "".into(), changes };
            let entries = tx.append(draft, app.now(), false)?;
            ondol_app::road::distribute(&app, tx)?;
            Ok(entries)
        })
    }
}
