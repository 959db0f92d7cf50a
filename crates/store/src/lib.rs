//! What a store must do, whatever it is made of, and the contract that every back end passes.
//!
//! A store keeps entries; resources, versions and search values are derived from them and can be
//! made again (`reindex`). Everything that is written goes through [`Store::write`]: one writer,
//! and an answer only when the bytes are durable. Reads see one moment each and never wait.

pub mod blobs;
#[cfg(feature = "contract")]
pub mod contract;
pub mod index;
pub mod packing;
pub mod query;
pub mod reading;
pub mod recheck;
pub mod reserve;
pub mod row;
pub mod space;

use ondol_kernel::{Class, Hlc, Millis, ResourceId};
use ondol_record::{
    Address, ChartId, Draft, Entry, EntryHash, Seal, Stream, VersionId, draft::FinishError,
    seal::Step,
};
use thiserror::Error;

pub use query::{Filter, Hit, Order, Page, Query, Test, Unit};
pub use reading::Reading;
pub use row::{EntryRow, Found, Identity, Ingested, SealedPath, Stored};
pub use space::Space;

/// The store did not do it, and nothing of it was done.
#[derive(Debug, Error)]
pub enum StoreError {
    /// No room is left. Reads go on; writes resume when there is room.
    #[error("the disk is full")]
    Full,
    /// The files cannot be written to.
    #[error("the data directory is read-only")]
    ReadOnly,
    /// The disk failed.
    #[error("the disk reports an error")]
    Io(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What stands on disk contradicts itself; `ondol verify` says where.
    #[error("the store is damaged: {0}")]
    Damaged(&'static str),
    /// A newer Ondol wrote it.
    #[error("the data directory has format {found}; this program reads up to {known}")]
    Newer {
        /// The format on disk.
        found: u32,
        /// The newest that this program reads.
        known: u32,
    },
    /// The index was made by rules of another version, which do not answer this search. It is
    /// being made again.
    #[error("the index is being made again")]
    Indexing,
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
    /// A defect of the back end: the statement that failed, without values.
    #[error("the store failed")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A local transaction was not written.
#[derive(Debug, Error)]
pub enum AppendError {
    /// The draft cannot become entries.
    #[error(transparent)]
    Draft(#[from] FinishError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A small value with its key.
pub type KeyValue = (Vec<u8>, Vec<u8>);

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All of it is durable.
    Committed,
    /// The job gave it up; nothing of it was written.
    RolledBack,
}

/// Work within the writer's transaction. `Err` gives it up.
pub type Job = Box<dyn FnOnce(&mut dyn WriteTx) -> Result<(), Abandoned> + Send>;

/// The job gave its transaction up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abandoned;

/// A store of one node.
pub trait Store: Send + Sync + 'static {
    /// A view of one moment.
    fn read(&self) -> Result<Box<dyn View + '_>, StoreError>;

    /// Runs a job in the writer's transaction and answers when its outcome is durable. Jobs of
    /// several threads may share a commit (and its fsync); each still has its own savepoint.
    fn write(&self, job: Job) -> Result<Outcome, StoreError>;

    /// Whether the index was made by rules of another version: then it is to be made again, and
    /// until that is done, searches that the old one cannot answer fail with
    /// [`StoreError::Indexing`].
    fn index_is_old(&self) -> Result<bool, StoreError> {
        Ok(false)
    }

    /// Makes indexes and views again from the log (`ondol reindex`); gives the number of entries.
    fn reindex(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<u64, StoreError>;

    /// Checks the log against itself (`ondol verify`): bytes against hashes, chains, counters,
    /// seals' ranges, indexes. Gives what is wrong, each finding with the address it is about.
    fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Vec<Finding>, StoreError>;
}

/// Something that `ondol verify` found wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The entry it is about, if it is about one.
    pub address: Option<Address>,
    /// What is wrong, in plain English without values.
    pub what: &'static str,
}

/// Runs `job` in the writer's transaction. Its error rolls the transaction back.
pub fn transact<T, E>(
    store: &dyn Store,
    job: impl FnOnce(&mut dyn WriteTx) -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (send, receive) = std::sync::mpsc::sync_channel(1);
    let outcome = store.write(Box::new(move |tx| {
        let result = job(tx);
        let ending = if result.is_ok() { Ok(()) } else { Err(Abandoned) };
        // The receiver lives until `write` returns, so that this cannot fail.
        let _ = send.send(result);
        ending
    }));
    match (outcome, receive.try_recv()) {
        (Err(why), _) => Err(why.into()),
        (Ok(_), Ok(result)) => result,
        (Ok(_), Err(_)) => Err(StoreError::Closed.into()),
    }
}

/// Reads of one moment.
pub trait View {
    /// Who this store belongs to; `None` before [`WriteTx::set_identity`].
    fn identity(&self) -> Result<Option<Identity>, StoreError>;

    /// The heads of a resource, the shown one first; `None` if nothing of it is here.
    fn resource(&self, resource_type: &str, id: &ResourceId) -> Result<Option<Found>, StoreError>;

    /// One version.
    fn version(
        &self,
        resource_type: &str,
        id: &ResourceId,
        version: VersionId,
    ) -> Result<Option<Stored>, StoreError>;

    /// All versions that are here, newest arrival first.
    fn history(&self, resource_type: &str, id: &ResourceId) -> Result<Vec<Stored>, StoreError>;

    /// The chart where a resource lives.
    fn chart_of(&self, resource_type: &str, id: &ResourceId)
    -> Result<Option<ChartId>, StoreError>;

    /// The shown versions of a chart's resources of some types (all if empty), without those
    /// taken back, newest writing first.
    fn chart(&self, chart: &ChartId, types: &[&str]) -> Result<Vec<Found>, StoreError> {
        self.chart_where(chart, types, &mut |_| true)
    }

    /// As [`View::chart`], but only what is wanted: of a long chart the rest is let go as it is
    /// read.
    fn chart_where(
        &self,
        chart: &ChartId,
        types: &[&str],
        wanted: &mut dyn FnMut(&Found) -> bool,
    ) -> Result<Vec<Found>, StoreError>;

    /// The charts of a kind, in the order of their arrival, after `after`.
    fn charts(
        &self,
        kind: ondol_record::ChartKind,
        after: Option<&ChartId>,
        limit: usize,
    ) -> Result<Vec<ChartId>, StoreError>;

    /// The resources that pass all filters.
    fn search(&self, query: &Query) -> Result<Page, StoreError>;

    /// How many resources pass all filters.
    fn count(&self, query: &Query) -> Result<u64, StoreError>;

    /// How many resources pass all filters in each chart where one does, each chart once.
    fn count_by_chart(&self, query: &Query) -> Result<Vec<(ChartId, u64)>, StoreError>;

    /// The charts where a resource of a type, with one head and not taken back, refers to
    /// `Type/id` by a search parameter.
    fn charts_with(
        &self,
        resource_type: &str,
        parameter: &str,
        reference: &str,
    ) -> Result<Vec<ChartId>, StoreError>;

    /// Entries in the order in which they arrived here, after an arrival number.
    fn arrived_after(&self, arrival: u64, limit: usize) -> Result<Vec<EntryRow>, StoreError>;

    /// The newest arrival number, 0 for an empty store.
    fn last_arrival(&self) -> Result<u64, StoreError>;

    /// The hash under which an entry is kept: another one than its bytes give if it is damaged.
    fn entry_hash(&self, address: &Address) -> Result<Option<EntryHash>, StoreError>;

    /// One entry.
    fn entry(&self, address: &Address) -> Result<Option<EntryRow>, StoreError>;

    /// The entries of a stream with numbers `first..=last`, those that are here.
    fn stream_entries(
        &self,
        stream: &Stream,
        first: u64,
        last: u64,
    ) -> Result<Vec<EntryRow>, StoreError>;

    /// The entries of a stream in a chart with counts from `first` on.
    fn chart_entries(
        &self,
        stream: &Stream,
        chart: &ChartId,
        first: u64,
        limit: usize,
    ) -> Result<Vec<EntryRow>, StoreError>;

    /// For each stream of which something is here: the last number up to which all is here
    /// without a gap (the frontier), 0 if number 1 is missing.
    fn frontiers(&self) -> Result<Vec<(Stream, u64)>, StoreError>;

    /// Count and hash of the newest entry of a stream in a chart.
    fn chart_head(
        &self,
        stream: &Stream,
        chart: &ChartId,
    ) -> Result<Option<(u64, EntryHash)>, StoreError>;

    /// All streams that wrote in a chart, with count and hash of the newest entry here.
    fn chart_heads(&self, chart: &ChartId) -> Result<Vec<(Stream, u64, EntryHash)>, StoreError>;

    /// The seal whose range has this number, if one is here; the shortest of those that end first if
    /// there are several.
    fn seal(&self, address: &Address) -> Result<Option<Seal>, StoreError>;

    /// The last number of a stream that is sealed, 0 if none.
    fn last_sealed(&self, stream: &Stream) -> Result<u64, StoreError>;

    /// The path from a chart's head to a seal's root, kept when the chart came as a selection.
    fn seal_path(&self, seal: &Seal, chart: &ChartId) -> Result<Option<Vec<Step>>, StoreError>;

    /// Seals in an order of the store's own, after one of them.
    fn seals_after(&self, after: Option<&Seal>, limit: usize) -> Result<Vec<Seal>, StoreError>;

    /// Paths that are kept, each with its seal, in an order of the store's own, after one of them.
    fn seal_paths_after(
        &self,
        after: Option<&(Seal, SealedPath)>,
        limit: usize,
    ) -> Result<Vec<(Seal, SealedPath)>, StoreError>;

    /// A small value.
    fn value(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Small values whose keys begin with `prefix` and are greater than `after`, in key order.
    fn values(
        &self,
        space: Space,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<KeyValue>, StoreError>;

    /// Who read a chart, newest first.
    fn readings(&self, chart: &ChartId, limit: usize) -> Result<Vec<Reading>, StoreError>;

    /// Readings of all charts in the order in which they were recorded, after a number.
    fn readings_after(&self, after: u64, limit: usize) -> Result<Vec<(u64, Reading)>, StoreError>;

    /// The newest stamp that was written here or believed on arrival; the next one is later.
    fn newest_hlc(&self) -> Result<Hlc, StoreError>;
}

/// Reads and writes of the writer's transaction. Reads see what it wrote.
pub trait WriteTx: View {
    /// Says who this store belongs to: once, or again for a new incarnation.
    fn set_identity(&mut self, identity: &Identity) -> Result<(), StoreError>;

    /// Writes a local transaction: gives it addresses, stamps (`max(newest + 1, wall)`) and ids.
    fn append(
        &mut self,
        draft: Draft,
        wall: Millis,
        clock_doubtful: bool,
    ) -> Result<Vec<Entry>, AppendError>;

    /// Takes in an entry from elsewhere whose seal was checked. `bytes` are its canonical bytes.
    /// An entry whose predecessor in its chart is missing is not taken ([`Ingested::Gap`]).
    /// `wall` is what the machine's clock says: a stamp more than 24 h ahead of it and of our
    /// own stamps does not advance ours ([`Hlc::observe`]).
    fn ingest(&mut self, entry: &Entry, bytes: &[u8], wall: Millis)
    -> Result<Ingested, StoreError>;

    /// Keeps a seal and, for charts that came as a selection, the paths.
    fn put_seal(&mut self, seal: &Seal, paths: &[SealedPath]) -> Result<(), StoreError>;

    /// Sets or removes a small value.
    fn set_value(
        &mut self,
        space: Space,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), StoreError>;

    /// Records that somebody read a chart.
    fn record_reading(&mut self, reading: &Reading) -> Result<(), StoreError>;

    /// The number that the next local entry of a class would get.
    fn next_number(&self, class: Class) -> Result<u64, StoreError>;
}
