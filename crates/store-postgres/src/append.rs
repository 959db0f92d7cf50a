//! Local transactions and entries from elsewhere.

use std::cell::RefCell;

use ondol_kernel::{Class, Hlc, Millis, NodeId, ResourceId};
use ondol_record::{ChartId, Draft, Entry, EntryHash, Stream, draft::Ledger};
use ondol_store::{AppendError, Identity, Ingested, StoreError};

use crate::{
    db::Db,
    entries,
    error::{Failure, damaged, defect},
    insert,
    node::identity,
    rows::find_place,
};

/// The log as a draft sees it. A draft cannot be told that a read failed, so that the first
/// failure is kept and ends the transaction.
struct TxLedger<'a> {
    db: &'a Db,
    identity: Identity,
    failure: RefCell<Option<Failure>>,
}

impl TxLedger<'_> {
    fn stream(&self, class: Class) -> Stream {
        let Identity { node, incarnation, .. } = self.identity;
        Stream { origin: node, incarnation, class }
    }

    fn or_default<T: Default>(&self, read: Result<T, Failure>) -> T {
        read.unwrap_or_else(|failure| {
            self.failure.borrow_mut().get_or_insert(failure);
            T::default()
        })
    }
}

impl Ledger for TxLedger<'_> {
    fn origin(&self) -> NodeId {
        self.identity.node
    }

    fn incarnation(&self) -> u32 {
        self.identity.incarnation
    }

    fn facility(&self) -> ResourceId {
        self.identity.facility.clone()
    }

    fn last_number(&self, class: Class) -> u64 {
        self.or_default(last_number(self.db, &self.stream(class)))
    }

    fn chart_head(&self, class: Class, chart: &ChartId) -> Option<(u64, EntryHash)> {
        self.or_default(entries::chart_head(self.db, &self.stream(class), chart))
    }

    fn chart_of(&self, resource_type: &str, id: &ResourceId) -> Option<ChartId> {
        self.or_default(chart_of(self.db, resource_type, id))
    }
}

fn last_number(db: &Db, stream: &Stream) -> Result<u64, Failure> {
    match db.find_stream(stream)? {
        Some(stream) => Ok(entries::last_number(db, stream)?.cast_unsigned()),
        None => Ok(0),
    }
}

/// The chart where the shown version of a resource stands.
pub(crate) fn chart_of(
    db: &Db,
    resource_type: &str,
    id: &ResourceId,
) -> Result<Option<ChartId>, Failure> {
    find_place(db, resource_type, id)?.map(|(_, place)| db.chart(place.chart)).transpose()
}

/// The number that the next local entry of a class gets.
pub(crate) fn next_number(db: &Db, class: Class) -> Result<u64, Failure> {
    let Identity { node, incarnation, .. } = own_identity(db)?;
    Ok(last_number(db, &Stream { origin: node, incarnation, class })? + 1)
}

fn own_identity(db: &Db) -> Result<Identity, Failure> {
    identity(db)?.ok_or_else(|| defect("the store belongs to no node yet"))
}

/// Writes a local transaction. An error of the draft leaves nothing written.
pub(crate) fn append(
    db: &Db,
    draft: Draft,
    wall: Millis,
    clock_doubtful: bool,
) -> Result<Vec<Entry>, AppendError> {
    let identity = own_identity(db).map_err(StoreError::from)?;
    let hlc = newest(db).map_err(StoreError::from)?.next(wall);
    let ledger = TxLedger { db, identity, failure: RefCell::new(None) };
    let finished = draft.finish(&ledger, hlc, clock_doubtful);
    if let Some(failure) = ledger.failure.take() {
        return Err(AppendError::Store(failure.into()));
    }
    let entries = finished?;
    write_all(db, &entries).map_err(StoreError::from)?;
    Ok(entries)
}

/// The newest stamp, as the writer knows it.
fn newest(db: &Db) -> Result<Hlc, Failure> {
    Ok(Hlc::from_bits(db.tally()?.newest_hlc.cast_unsigned()))
}

fn write_all(db: &Db, entries: &[Entry]) -> Result<(), Failure> {
    for entry in entries {
        insert::entry(db, entry, entry.hash())?;
    }
    match entries.last() {
        Some(last) => insert::set_newest(db, last.hlc),
        None => Ok(()),
    }
}

/// Takes in an entry from elsewhere.
pub(crate) fn ingest(
    db: &Db,
    entry: &Entry,
    bytes: &[u8],
    wall: Millis,
) -> Result<Ingested, Failure> {
    if entry.to_bytes() != bytes {
        return Err(damaged("an entry's bytes are not its canonical ones"));
    }
    let hash = Entry::hash_bytes(bytes);
    if let Some(known) = entries::hash_of_address(db, &entry.address)? {
        return Ok(if known == hash { Ingested::Known } else { Ingested::Clash });
    }
    let head = entries::chart_head(db, &entry.address.stream, &entry.chart)?;
    let (have, head_hash) = head.unwrap_or((0, EntryHash::NONE));
    if entry.chart_number <= have {
        return Ok(Ingested::Clash);
    }
    if entry.chart_number > have + 1 {
        return Ok(Ingested::Gap { have });
    }
    if entry.previous != head_hash {
        return Ok(Ingested::Clash);
    }
    insert::entry(db, entry, hash)?;
    insert::set_newest(db, newest(db)?.observe(entry.hlc, wall))?;
    Ok(Ingested::New)
}
