//! Bugs that are planted to see that worlds find them.
//!
//! None of them is in the product: they stand between the use cases and their store, or in the
//! carriers and disks of this world. `tests/planted.rs` plants each and fails if no seed finds it.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ondol_kernel::{Class, Hlc, Millis, ResourceId};
use ondol_record::seal::Step;
use ondol_record::{Address, ChartId, ChartKind, Draft, Entry, EntryHash, Seal, Stream, VersionId};
use ondol_store::{
    AppendError, EntryRow, Finding, Found, Identity, Ingested, Job, KeyValue, Outcome, Page, Query,
    Reading, SealedPath, Space, Store, StoreError, Stored, View, WriteTx,
};
use ondol_store_sqlite::SqliteStore;

/// A bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// Now and then two messages get the same number.
    ReusedNumber,
    /// What a peer gave us goes back to it, and what it did not give us does not go there.
    SourceInverted,
    /// What is of the slowest class never gets into a queue.
    DroppedClass,
    /// Acknowledgements are not written down.
    LostAcknowledgement,
    /// Entries that wait for the one before them are not taken in when it comes.
    ForgottenFollower,
    /// What is still on its way is acknowledged.
    EarlyAcknowledgement,
    /// One message more than was acknowledged is let go of.
    DeliveredOffByOne,
    /// Who is revoked is not written down.
    ForgottenRevocation,
    /// What a stolen computer wrote is not marked where it is already.
    UnmarkedDoubt,
    /// The disk says that it synced the log, and did not.
    UnsyncedLog,
    /// The disk says that it synced the database, and did not.
    UnsyncedDatabase,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::ReusedNumber,
        Self::SourceInverted,
        Self::DroppedClass,
        Self::LostAcknowledgement,
        Self::ForgottenFollower,
        Self::EarlyAcknowledgement,
        Self::DeliveredOffByOne,
        Self::ForgottenRevocation,
        Self::UnmarkedDoubt,
        Self::UnsyncedLog,
        Self::UnsyncedDatabase,
    ];

    /// Its name on the command line.
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    /// The bug of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bug| bug.name() == name)
    }
}

/// The place of the class in a key of a queue: a letter, then the peer's 16 bytes.
const QUEUE_CLASS_AT: usize = 17;

/// One in so many numbers is given twice.
const REUSED_EVERY: u64 = 6;

/// A store with a bug.
pub struct Planted {
    store: Arc<SqliteStore>,
    bug: Bug,
    sent: Arc<AtomicU64>,
}

impl Planted {
    /// Plants a bug over a store.
    pub fn new(store: Arc<SqliteStore>, bug: Bug) -> Self {
        Self { store, bug, sent: Arc::default() }
    }
}

impl Store for Planted {
    fn read(&self) -> Result<Box<dyn View + '_>, StoreError> {
        let (bug, sent) = (self.bug, self.sent.clone());
        Ok(Box::new(Buggy { of: self.store.read()?, bug, sent }))
    }

    fn write(&self, job: Job) -> Result<Outcome, StoreError> {
        let (bug, sent) = (self.bug, self.sent.clone());
        self.store.write(Box::new(move |of| job(&mut Buggy { of, bug, sent })))
    }

    fn reindex(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<u64, StoreError> {
        self.store.reindex(progress)
    }

    fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Vec<Finding>, StoreError> {
        self.store.verify(progress)
    }
}

/// A view or a transaction with a bug.
struct Buggy<T> {
    of: T,
    bug: Bug,
    sent: Arc<AtomicU64>,
}

/// Hands calls on as they are.
macro_rules! hand_on {
    ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        $(fn $name(&self, $($argument: $type),*) -> Result<$answer, StoreError> {
            self.of.$name($($argument),*)
        })*
    };
}

impl<V: View + ?Sized, T: Deref<Target = V>> View for Buggy<T> {
    fn value(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.of.value(space, key)?;
        Ok(match (self.bug, space) {
            (Bug::SourceInverted, Space::Peer) if key.starts_with(b"source/") => match value {
                Some(_) => None,
                None => Some(u64::MAX.to_be_bytes().to_vec()),
            },
            (Bug::ForgottenFollower, Space::Quarantine) if key.starts_with(b"w") => None,
            _ => value,
        })
    }

    hand_on! {
        identity() -> Option<Identity>;
        resource(resource_type: &str, id: &ResourceId) -> Option<Found>;
        version(resource_type: &str, id: &ResourceId, version: VersionId) -> Option<Stored>;
        history(resource_type: &str, id: &ResourceId) -> Vec<Stored>;
        chart_of(resource_type: &str, id: &ResourceId) -> Option<ChartId>;
        chart_where(chart: &ChartId, types: &[&str], wanted: &mut dyn FnMut(&Found) -> bool) -> Vec<Found>;
        charts(kind: ChartKind, after: Option<&ChartId>, limit: usize) -> Vec<ChartId>;
        search(query: &Query) -> Page;
        count(query: &Query) -> u64;
        count_by_chart(query: &Query) -> Vec<(ChartId, u64)>;
        charts_with(resource_type: &str, parameter: &str, reference: &str) -> Vec<ChartId>;
        arrived_after(arrival: u64, limit: usize) -> Vec<EntryRow>;
        last_arrival() -> u64;
        entry(address: &Address) -> Option<EntryRow>;
        entry_hash(address: &Address) -> Option<EntryHash>;
        stream_entries(stream: &Stream, first: u64, last: u64) -> Vec<EntryRow>;
        chart_entries(stream: &Stream, chart: &ChartId, first: u64, limit: usize) -> Vec<EntryRow>;
        frontiers() -> Vec<(Stream, u64)>;
        chart_head(stream: &Stream, chart: &ChartId) -> Option<(u64, EntryHash)>;
        chart_heads(chart: &ChartId) -> Vec<(Stream, u64, EntryHash)>;
        seal(address: &Address) -> Option<Seal>;
        last_sealed(stream: &Stream) -> u64;
        seal_path(seal: &Seal, chart: &ChartId) -> Option<Vec<Step>>;
        seals_after(after: Option<&Seal>, limit: usize) -> Vec<Seal>;
        seal_paths_after(after: Option<&(Seal, SealedPath)>, limit: usize) -> Vec<(Seal, SealedPath)>;
        values(space: Space, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<KeyValue>;
        readings(chart: &ChartId, limit: usize) -> Vec<Reading>;
        readings_after(after: u64, limit: usize) -> Vec<(u64, Reading)>;
        newest_hlc() -> Hlc;
    }
}

impl WriteTx for Buggy<&mut dyn WriteTx> {
    fn set_value(
        &mut self,
        space: Space,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        match (self.bug, space) {
            (Bug::DroppedClass, Space::ParcelOut)
                if key.first() == Some(&b'q')
                    && key.get(QUEUE_CLASS_AT) == Some(&Class::Bulk.code()) =>
            {
                Ok(())
            }
            (Bug::LostAcknowledgement, Space::Peer) if key.starts_with(b"ack/") => Ok(()),
            (Bug::ForgottenRevocation, Space::Peer) if key.starts_with(b"revoked/") => Ok(()),
            (Bug::UnmarkedDoubt, Space::Quarantine) if key.starts_with(b"d") => Ok(()),
            (Bug::ReusedNumber, Space::Peer)
                if key.starts_with(b"sent/")
                    && self.sent.fetch_add(1, Ordering::Relaxed) % REUSED_EVERY
                        == REUSED_EVERY - 1 =>
            {
                Ok(())
            }
            _ => self.of.set_value(space, key, value),
        }
    }

    fn set_identity(&mut self, identity: &Identity) -> Result<(), StoreError> {
        self.of.set_identity(identity)
    }

    fn append(
        &mut self,
        draft: Draft,
        wall: Millis,
        clock_doubtful: bool,
    ) -> Result<Vec<Entry>, AppendError> {
        self.of.append(draft, wall, clock_doubtful)
    }

    fn ingest(
        &mut self,
        entry: &Entry,
        bytes: &[u8],
        wall: Millis,
    ) -> Result<Ingested, StoreError> {
        self.of.ingest(entry, bytes, wall)
    }

    fn put_seal(&mut self, seal: &Seal, paths: &[SealedPath]) -> Result<(), StoreError> {
        self.of.put_seal(seal, paths)
    }

    fn record_reading(&mut self, reading: &Reading) -> Result<(), StoreError> {
        self.of.record_reading(reading)
    }

    fn next_number(&self, class: Class) -> Result<u64, StoreError> {
        self.of.next_number(class)
    }
}
