//! From a peer's queue to numbered messages.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ondol_kernel::{Class, NodeId, bytes::Reader};
use ondol_record::{
    Address, ChartId, Entry, Seal, SealedHead, Stream,
    seal::{Step, Tree},
};
use ondol_replicate::{Batch, Parcel, message::Message};
use ondol_store::{SealedPath, Space, WriteTx};

use super::{keys, relay, send};
use crate::{App, AppError};

/// So many queued entries make one parcel at the most. A slow link is never held by one parcel
/// for long, since a more urgent class goes before its next frame.
const ENTRIES_MAX: usize = 64;

/// So many numbers are covered by one seal at the most.
const SEAL_NUMBERS_MAX: u64 = 256;

/// Packs up to `room` parcels of a class for a peer.
pub fn pack(app: &Arc<App>, peer: NodeId, class: Class, room: usize) -> Result<(), AppError> {
    let (app, store) = (app.clone(), app.store.clone());
    let nation = app.nation();
    ondol_store::transact(&*store, move |tx| {
        for _ in 0..room {
            let queued =
                tx.values(Space::ParcelOut, &keys::queue_prefix(&peer, class), None, ENTRIES_MAX)?;
            if queued.is_empty() {
                return Ok(());
            }
            let mut addresses = BTreeSet::new();
            for (key, bytes) in &queued {
                let address = Address::read(&mut Reader::new(bytes))
                    .map_err(|_| AppError::Unexpected("a queued address"))?;
                addresses.insert(address);
                tx.set_value(Space::ParcelOut, key, None)?;
            }
            seal_own(tx, &app.place.node, &app.keys.signing, &addresses)?;
            let batches = batches(tx, &addresses)?;
            let mut parcel = Parcel { certificates: vec![], batches };
            for node in parcel.batches.iter().map(|b| b.seal.stream.origin).collect::<BTreeSet<_>>()
            {
                let key = keys::knows(&peer, &node);
                if tx.value(Space::Peer, &key)?.is_none()
                    && let Some(known) = nation.node(&node)
                {
                    parcel.certificates.push(known.certificate.clone());
                    tx.set_value(Space::Peer, &key, Some(&[]))?;
                }
            }
            let message = Message::Parcel(parcel.encode());
            if nation.neighbours().contains(&peer) {
                send(tx, &peer, class, &message)?;
            } else {
                relay::send_sealed(&app, tx, &peer, class, &message)?;
            }
        }
        Ok(())
    })
}

/// Signs what this node wrote and has not sealed yet, up to the queued addresses.
fn seal_own(
    tx: &mut dyn WriteTx,
    own: &NodeId,
    key: &ed25519_dalek::SigningKey,
    addresses: &BTreeSet<Address>,
) -> Result<(), AppError> {
    let mut last: BTreeMap<Stream, u64> = BTreeMap::new();
    for address in addresses.iter().filter(|address| address.stream.origin == *own) {
        let newest = last.entry(address.stream).or_default();
        *newest = (*newest).max(address.number);
    }
    for (stream, last) in last {
        let mut first = tx.last_sealed(&stream)? + 1;
        while first <= last {
            let rows = tx.stream_entries(&stream, first, first + SEAL_NUMBERS_MAX - 1)?;
            let Some(end) = rows.last().map(|row| row.entry.address.number) else {
                return Err(AppError::Unexpected("an own entry is missing"));
            };
            let entries: Vec<Entry> = rows.into_iter().map(|row| row.entry).collect();
            let root = Tree::new(&heads(&entries)).root();
            tx.put_seal(&Seal::sign(key, stream, first, end, root), &[])?;
            first = end + 1;
        }
    }
    Ok(())
}

/// The newest entry of each chart.
fn heads(entries: &[Entry]) -> Vec<SealedHead> {
    let mut heads: BTreeMap<&ChartId, SealedHead> = BTreeMap::new();
    for entry in entries {
        let (chart, chart_number) = (entry.chart.clone(), entry.chart_number);
        heads.insert(&entry.chart, SealedHead { chart, chart_number, hash: entry.hash() });
    }
    heads.into_values().collect()
}

/// The sealed ranges that hold the addresses; of each, the charts that are asked for, whole.
fn batches(tx: &dyn WriteTx, addresses: &BTreeSet<Address>) -> Result<Vec<Batch>, AppError> {
    let mut batches = vec![];
    let mut done: BTreeSet<Address> = BTreeSet::new();
    for address in addresses {
        if done.contains(address) {
            continue;
        }
        let seal = tx.seal(address)?.ok_or(AppError::Unexpected("an entry without a seal"))?;
        let rows = tx.stream_entries(&seal.stream, seal.first, seal.last)?;
        let all: Vec<Entry> = rows.into_iter().map(|row| row.entry).collect();
        let wanted: BTreeSet<&ChartId> = all
            .iter()
            .filter(|entry| addresses.contains(&entry.address))
            .map(|entry| &entry.chart)
            .collect();
        let complete = all.len() as u64 == seal.last - seal.first + 1;
        let everything = complete && all.iter().all(|entry| wanted.contains(&entry.chart));
        let paths = if everything {
            None
        } else {
            let tree = complete.then(|| Tree::new(&heads(&all)));
            let paths = wanted
                .iter()
                .map(|&chart| Ok((chart.clone(), path(tx, tree.as_ref(), &seal, chart)?)));
            Some(paths.collect::<Result<Vec<_>, AppError>>()?)
        };
        let wanted: BTreeSet<ChartId> = wanted.into_iter().cloned().collect();
        let entries: Vec<Entry> =
            all.into_iter().filter(|entry| wanted.contains(&entry.chart)).collect();
        done.extend(entries.iter().map(|entry| entry.address));
        batches.push(Batch { seal, entries, paths });
    }
    // A chart's entries have to arrive in their order: ranges of a stream stand in theirs.
    batches.sort_by_key(|batch| (batch.seal.stream, batch.seal.first));
    Ok(batches)
}

fn path(
    tx: &dyn WriteTx,
    tree: Option<&Tree>,
    seal: &Seal,
    chart: &ChartId,
) -> Result<Vec<Step>, AppError> {
    let path = match tree {
        Some(tree) => tree.path(chart),
        None => tx.seal_path(seal, chart)?,
    };
    path.ok_or(AppError::Unexpected("a chart without a path to its seal"))
}

/// The paths of a batch as the store keeps them.
pub fn sealed_paths(batch: &Batch) -> Vec<SealedPath> {
    let last = |chart: &ChartId| batch.entries.iter().rev().find(|entry| entry.chart == *chart);
    batch
        .paths
        .iter()
        .flatten()
        .filter_map(|(chart, path)| {
            let chart_number = last(chart)?.chart_number;
            Some(SealedPath { chart: chart.clone(), chart_number, path: path.clone() })
        })
        .collect()
}
