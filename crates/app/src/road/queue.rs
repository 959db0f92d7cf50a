//! From entries to the queues of the neighbours they go to.

use std::collections::BTreeSet;

use ondol_kernel::{Class, NodeId, bytes::Reader};
use ondol_record::{Address, ChartId, Entry, Stream};
use ondol_store::{Space, View, WriteTx};

use super::{blobs, keys, pack, scope};
use crate::{App, AppError, Nation, people::one_person};

/// How many entries are looked at before the next are read.
const STEP: usize = 500;

/// An entry of so many bytes fits into a message even if nothing of it can be compressed.
const ENTRY_PLAIN_BYTES_MAX: usize = 3 << 20;

/// Puts every entry that arrived since the last call into the queues of the peers it goes to.
/// Called in the transaction that wrote the entries.
pub fn distribute(app: &App, tx: &mut dyn WriteTx) -> Result<(), AppError> {
    if app.practice {
        return Ok(());
    }
    let nation = app.nation();
    loop {
        let from = keys::number(tx, keys::DISTRIBUTED)?;
        let rows = tx.arrived_after(from, STEP)?;
        let Some(last) = rows.last().map(|row| row.arrival) else { return Ok(()) };
        keys::set_number(tx, keys::DISTRIBUTED, last)?;
        for row in rows {
            spread(app, tx, &nation, &row.entry)?;
        }
    }
}

/// The same after entries were written here, all that arrived since the arrival `before`: unless
/// others wait before them, none is read again.
pub(crate) fn distribute_written(
    app: &App,
    tx: &mut dyn WriteTx,
    before: u64,
    entries: &[Entry],
) -> Result<(), AppError> {
    if app.practice || keys::number(tx, keys::DISTRIBUTED)? != before {
        return distribute(app, tx);
    }
    let last = tx.last_arrival()?;
    keys::set_number(tx, keys::DISTRIBUTED, last)?;
    let nation = app.nation();
    entries.iter().try_for_each(|entry| spread(app, tx, &nation, entry))
}

/// Puts one entry into the queues of the peers it goes to.
fn spread(app: &App, tx: &mut dyn WriteTx, nation: &Nation, entry: &Entry) -> Result<(), AppError> {
    fits_a_message(app, entry)?;
    lead(app, tx, nation, entry)?;
    join(app, tx, nation, entry)?;
    for peer in scope::receivers(app, nation, &*tx, &entry.chart)? {
        offer(app, tx, nation, (&peer, entry), entry.address.stream.class)?;
    }
    Ok(())
}

/// Refuses an own entry that no message could carry.
fn fits_a_message(app: &App, entry: &Entry) -> Result<(), AppError> {
    if entry.address.stream.origin == app.place.node {
        let bytes = entry.to_bytes();
        let is_too_large = bytes.len() > ondol_replicate::parcel::UNPACKED_MAX / 2
            || bytes.len() > ENTRY_PLAIN_BYTES_MAX
                && pack::packed_bytes(entry) > pack::PARCEL_BYTES_MAX;
        if is_too_large {
            return Err(AppError::State("too-large"));
        }
    }
    Ok(())
}

/// Opens the way to facilities that the entry asks.
fn lead(app: &App, tx: &mut dyn WriteTx, nation: &Nation, entry: &Entry) -> Result<(), AppError> {
    for facility in scope::asked(entry) {
        let ChartId::Facility(facility) = facility else { continue };
        // History goes in the class of care at the most: the urgent entry itself goes first.
        let class = entry.address.stream.class.max(Class::Care);
        for chart in charts_of_person(&*tx, &entry.chart)? {
            scope::lead_or_wait(app, tx, nation, (&chart, &facility), class)?;
        }
    }
    Ok(())
}

/// When two charts are linked as one person's, whoever gets one of them gets both: an allergy in
/// either counts everywhere.
fn join(app: &App, tx: &mut dyn WriteTx, nation: &Nation, entry: &Entry) -> Result<(), AppError> {
    if !entry.changes.iter().any(|change| &*change.resource_type == "Patient") {
        return Ok(());
    }
    let charts = charts_of_person(&*tx, &entry.chart)?;
    if charts.len() < 2 {
        return Ok(());
    }
    let mut peers = BTreeSet::new();
    for chart in &charts {
        peers.extend(scope::receivers(app, nation, &*tx, chart)?);
    }
    for peer in &peers {
        for chart in &charts {
            scope::grant(app, tx, peer, chart, Class::Care)?;
        }
    }
    Ok(())
}

/// A chart with those that are linked with it as the same person's.
fn charts_of_person(view: &dyn View, chart: &ChartId) -> Result<Vec<ChartId>, AppError> {
    match chart {
        ChartId::Patient(id) => Ok(one_person(view, id)?.charts().collect()),
        other => Ok(vec![other.clone()]),
    }
}

/// Whether an entry was written by a node after it was trusted for the last time: it goes to
/// nobody (ADR 0026).
pub fn is_beyond(nation: &Nation, view: &dyn View, at: &Address) -> Result<bool, AppError> {
    let Some(last) = nation.last_trusted(&at.stream) else { return Ok(false) };
    Ok(at.number > last || view.seal(at)?.is_some_and(|seal| nation.is_beyond(&seal)))
}

/// Queues an entry for a peer, unless the peer gave it to us.
fn offer(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    (peer, entry): (&NodeId, &Entry),
    class: Class,
) -> Result<(), AppError> {
    let stream = &entry.address.stream;
    if entry.chart_number <= keys::number(tx, &keys::source(peer, &entry.chart, stream))?
        || is_beyond(nation, &*tx, &entry.address)?
    {
        return Ok(());
    }
    push(tx, peer, class, &entry.address)?;
    // A preview of 30 KB takes 25 s of the slowest link: no emergency waits behind another's.
    blobs::offer_previews(app, tx, peer, entry, class.max(Class::Care))
}

/// Queues what was distributed before a peer below was known, as the rules say.
pub fn catch_up(app: &App, tx: &mut dyn WriteTx, peer: &NodeId) -> Result<(), AppError> {
    let nation = app.nation();
    let own = ChartId::Facility(app.place.facility.clone());
    let facilities = nation.nodes().map(|known| ChartId::Facility(known.facility.clone()));
    let charts: BTreeSet<ChartId> = facilities.chain([own, ChartId::Nation]).collect();
    for chart in charts.iter().filter(|chart| scope::below_gets(app, &nation, chart)) {
        // Each entry in the class in which it was written.
        backfill(app, tx, &nation, (peer, chart), Class::Bulk)?;
    }
    Ok(())
}

/// Queues everything of a chart that was distributed before the peer had a part in it.
pub fn backfill(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    (peer, chart): (&NodeId, &ChartId),
    class: Class,
) -> Result<(), AppError> {
    for (stream, _, _) in tx.chart_heads(chart)? {
        let class = stream.class.min(class);
        for entry in distributed_after(&*tx, chart, (&stream, 0))? {
            offer(app, tx, nation, (peer, &entry), class)?;
        }
    }
    Ok(())
}

/// What was distributed of a chart and a stream after a number.
pub fn distributed_after(
    view: &(impl View + ?Sized),
    chart: &ChartId,
    (stream, after): (&Stream, u64),
) -> Result<Vec<Entry>, AppError> {
    let distributed = keys::number(view, keys::DISTRIBUTED)?;
    let (mut found, mut next) = (vec![], after + 1);
    loop {
        let rows = view.chart_entries(stream, chart, next, STEP)?;
        let Some(last) = rows.last() else { return Ok(found) };
        next = last.entry.chart_number + 1;
        let rows = rows.into_iter().filter(|row| row.arrival <= distributed);
        found.extend(rows.map(|row| row.entry));
    }
}

/// Queues an entry for a peer, unless the peer gave it to us.
pub fn offer_at(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    (peer, at): (&NodeId, &Address),
    class: Class,
) -> Result<(), AppError> {
    match tx.entry(at)? {
        Some(row) => offer(app, tx, nation, (peer, &row.entry), class),
        None => Ok(()),
    }
}

/// Queues an entry for a peer once more, in the class in which it was written.
pub fn push_entry(tx: &mut dyn WriteTx, peer: &NodeId, at: &Address) -> Result<(), AppError> {
    push(tx, peer, at.stream.class, at)
}

fn push(tx: &mut dyn WriteTx, peer: &NodeId, class: Class, at: &Address) -> Result<(), AppError> {
    let counter = keys::queued(peer, class);
    let number = keys::number(tx, &counter)? + 1;
    keys::set_number(tx, &counter, number)?;
    let mut key = keys::queue_prefix(peer, class);
    key.extend_from_slice(&number.to_be_bytes());
    let mut bytes = vec![];
    at.put(&mut bytes);
    Ok(tx.set_value(Space::ParcelOut, &key, Some(&bytes))?)
}

/// The entries that wait to be packed.
pub fn queued(
    view: &(impl View + ?Sized),
    peer: &NodeId,
    class: Class,
) -> Result<BTreeSet<Address>, AppError> {
    let prefix = keys::queue_prefix(peer, class);
    let (mut all, mut after): (BTreeSet<Address>, Option<Vec<u8>>) = (BTreeSet::new(), None);
    loop {
        let some = view.values(Space::ParcelOut, &prefix, after.as_deref(), STEP)?;
        let Some((last, _)) = some.last() else { return Ok(all) };
        after = Some(last.clone());
        all.extend(some.iter().filter_map(|(_, at)| Address::read(&mut Reader::new(at)).ok()));
    }
}

/// Whether entries wait to be packed.
pub fn has_queued(view: &dyn View, peer: &NodeId, class: Class) -> Result<bool, AppError> {
    let prefix = keys::queue_prefix(peer, class);
    Ok(!view.values(Space::ParcelOut, &prefix, None, 1)?.is_empty())
}
