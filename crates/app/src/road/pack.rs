//! From a peer's queue to numbered messages.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ondol_kernel::{Class, NodeId, bytes::Reader};
use ondol_record::{
    Address, Certificate, ChartId, Entry, Seal, SealedHead, Stream,
    seal::{Step, Tree},
};
use ondol_replicate::{
    Batch, Parcel,
    message::{MESSAGE_BYTES_MAX, Message},
};
use ondol_store::{SealedPath, Space, WriteTx};

use super::{held, keys, relay};
use crate::{App, AppError, Nation};

/// A parcel that has so many entries takes no further range. A slow link is never held by one
/// parcel for long, since a more urgent class goes before its next frame.
const ENTRIES_MAX: usize = 64;

/// So many numbers are covered by one seal at the most.
const SEAL_NUMBERS_MAX: u64 = 256;

/// One seal is over so many bytes of entries at the most, unless one entry alone is longer: a
/// chart's entries in a range travel together, and a message has a longest length.
const SEAL_BYTES_MAX: usize = 256 << 10;

/// So many bytes of entries are in one parcel at the most, unless one range alone has more.
const PLAIN_BYTES_MAX: usize = 1 << 20;

/// The longest parcel: sealed and in its envelope it still is a message.
pub const PARCEL_BYTES_MAX: usize = MESSAGE_BYTES_MAX - (8 << 10);

/// So many entries of a queue are looked at for those that go along with its front: a range that
/// travels whole needs no paths. One seal covers fewer.
const LOOK_AHEAD: usize = 1_024;

/// Packs up to `room` parcels of a class for a peer. Each is a commit of its own, so that people
/// who write meanwhile wait for one at the most.
pub fn pack(app: &Arc<App>, peer: NodeId, class: Class, room: usize) -> Result<(), AppError> {
    for _ in 0..room {
        let (app, store, nation) = (app.clone(), app.store.clone(), app.nation());
        let packed = move |tx: &mut dyn WriteTx| pack_one(&app, tx, &nation, (&peer, class));
        if !ondol_store::transact(&*store, packed)? {
            break;
        }
    }
    Ok(())
}

/// Packs one parcel; false if nothing waits.
fn pack_one(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    (peer, class): (&NodeId, Class),
) -> Result<bool, AppError> {
    let queued = tx.values(Space::ParcelOut, &keys::queue_prefix(peer, class), None, LOOK_AHEAD)?;
    if queued.is_empty() {
        return Ok(false);
    }
    let mut addresses = vec![];
    for (key, bytes) in &queued {
        match Address::read(&mut Reader::new(bytes)) {
            Ok(address) => addresses.push(address),
            Err(_) => put_aside(tx, key, bytes)?,
        }
    }
    let front = &addresses[..addresses.len().min(ENTRIES_MAX)];
    seal_own(tx, &app.place.node, &app.keys.signing, front)?;
    let (batches, packed) = batches(tx, &addresses)?;
    take_from_queue(tx, peer, class, &packed)?;
    let certificates = certificates(tx, nation, &app.place.node, (peer, class), &batches)?;
    let parcel = Parcel { certificates, batches };
    let reads = keys::number(tx, &keys::reads(peer))?;
    let bytes = if reads == 1 {
        parcel.encode_1()
    } else {
        let log = held::Log::new(&*tx, [app.place.node, *peer]);
        let bytes = parcel.encode_for(&log);
        log.into_result()?;
        bytes
    };
    if bytes.len() > PARCEL_BYTES_MAX {
        // Writing refuses such entries; whoever still has one sees it.
        put_aside(tx, &peer.0, &bytes)?;
        return Ok(true);
    }
    let number = keys::number(tx, &keys::sent(peer, class))? + 1;
    held::tell(tx, peer, (class, number), &parcel.batches)?;
    relay::send_on(app, tx, peer, class, &Message::Parcel(bytes))?;
    Ok(true)
}

/// What cannot travel holds up nothing that can.
pub fn put_aside(tx: &mut dyn WriteTx, key: &[u8], bytes: &[u8]) -> Result<(), AppError> {
    tx.set_value(Space::ParcelOut, key, None)?;
    let hash = blake3::hash(bytes);
    let aside = [b"out/".as_slice(), key, &hash.as_bytes()[..8]].concat();
    Ok(tx.set_value(Space::Quarantine, &aside, Some(bytes))?)
}

/// Takes entries that are packed out of a queue: those at its front, and those that went along
/// with them, since a chart's entries in a sealed range travel together.
fn take_from_queue(
    tx: &mut dyn WriteTx,
    peer: &NodeId,
    class: Class,
    packed: &BTreeSet<Address>,
) -> Result<(), AppError> {
    let prefix = keys::queue_prefix(peer, class);
    for (key, bytes) in tx.values(Space::ParcelOut, &prefix, None, LOOK_AHEAD)? {
        if Address::read(&mut Reader::new(&bytes)).is_ok_and(|address| packed.contains(&address)) {
            tx.set_value(Space::ParcelOut, &key, None)?;
        }
    }
    Ok(())
}

/// The certificates that a peer may not have yet: of the origins, and, where others pass the
/// parcel on, of the nodes by which the peer finds the way back. Each goes along until a
/// message with it is known to have arrived, since a more urgent one may overtake the first.
fn certificates(
    tx: &mut dyn WriteTx,
    nation: &Nation,
    own: &NodeId,
    (peer, class): (&NodeId, Class),
    batches: &[Batch],
) -> Result<Vec<Certificate>, AppError> {
    let mut nodes: BTreeSet<NodeId> =
        batches.iter().map(|batch| batch.seal.stream.origin).collect();
    if !nation.neighbours().contains(peer) {
        nodes.extend(nation.line_up(own));
    }
    let number = keys::number(tx, &keys::sent(peer, class))? + 1;
    let mut missing = vec![];
    for node in nodes {
        let Some(known) = nation.node(&node).map(|known| &known.certificate) else { continue };
        let key = keys::knows(peer, &node);
        let told = tx.value(Space::Peer, &key)?.and_then(|value| Told::read(&value, known));
        if let Some(told) = &told
            && keys::number(tx, &keys::acknowledged(peer, told.class))? >= told.number
        {
            continue;
        }
        missing.push(known.clone());
        // The most urgent message that has it arrives first.
        if told.is_none_or(|told| class < told.class) {
            let value = [&[class.code()][..], &number.to_be_bytes(), &known.issued.0.to_be_bytes()];
            tx.set_value(Space::Peer, &key, Some(&value.concat()))?;
        }
    }
    Ok(missing)
}

/// The message in which a certificate was told.
struct Told {
    class: Class,
    number: u64,
}

impl Told {
    /// Reads a note; none if it is of an older certificate.
    fn read(value: &[u8], known: &Certificate) -> Option<Self> {
        let mut from = Reader::new(value);
        let class = Class::from_code(from.byte().ok()?)?;
        let number = from.array().map(u64::from_be_bytes).ok()?;
        let issued = from.array().map(i64::from_be_bytes).ok()?;
        (issued == known.issued.0).then_some(Self { class, number })
    }
}

/// Signs what this node wrote and has not sealed yet, up to the queued addresses.
fn seal_own(
    tx: &mut dyn WriteTx,
    own: &NodeId,
    key: &ed25519_dalek::SigningKey,
    addresses: &[Address],
) -> Result<(), AppError> {
    let incarnation = tx.identity()?.map(|identity| identity.incarnation);
    let mut last: BTreeMap<Stream, u64> = BTreeMap::new();
    for address in addresses.iter().filter(|address| address.stream.origin == *own) {
        if Some(address.stream.incarnation) == incarnation {
            let newest = last.entry(address.stream).or_default();
            *newest = (*newest).max(address.number);
        } else {
            seal_what_is_left(tx, key, address)?;
        }
    }
    for (stream, last) in last {
        seal_stream(tx, key, stream, last)?;
    }
    Ok(())
}

/// Of what this node wrote and sealed before a backup was put back, some came back from its peers
/// (ADR 0029), and of the ranges that it sealed then perhaps not all. An entry whose range is not
/// whole here, and whose chart has no path to its seal, is sealed anew.
fn seal_what_is_left(
    tx: &mut dyn WriteTx,
    key: &ed25519_dalek::SigningKey,
    address: &Address,
) -> Result<(), AppError> {
    let stream = address.stream;
    let Some(row) = tx.entry(address)? else { return Ok(()) };
    let mut last = u64::MAX;
    if let Some(seal) = tx.seal(address)? {
        let here = tx.stream_entries(&stream, seal.first, seal.last)?.len() as u64;
        let is_whole = here == seal.last - seal.first + 1;
        if is_whole || tx.seal_path(&seal, &row.entry.chart)?.is_some() {
            return Ok(());
        }
        // Of several, the shortest of those that end first is taken for an entry.
        last = seal.last;
    }
    seal_range(tx, key, stream, (address.number, last)).map(drop)
}

/// Seals a stream up to `last` at least; the last range takes what it has room for.
fn seal_stream(
    tx: &mut dyn WriteTx,
    key: &ed25519_dalek::SigningKey,
    stream: Stream,
    last: u64,
) -> Result<(), AppError> {
    let mut next = tx.last_sealed(&stream)? + 1;
    while next <= last {
        next = seal_range(tx, key, stream, (next, u64::MAX))?;
    }
    Ok(())
}

/// Seals one range that begins with a number and goes on as far as it has room and all entries are
/// here, to a last number at the most; gives the number after it. Entries are read one by one: they
/// can be long, and what a range has no room for was read for nothing.
fn seal_range(
    tx: &mut dyn WriteTx,
    key: &ed25519_dalek::SigningKey,
    stream: Stream,
    (first, last): (u64, u64),
) -> Result<u64, AppError> {
    let (mut entries, mut bytes, mut number) = (vec![], 0, first);
    while number - first < SEAL_NUMBERS_MAX && number <= last {
        let Some(row) = tx.stream_entries(&stream, number, number)?.pop() else { break };
        bytes += row.entry.to_bytes().len();
        if bytes > SEAL_BYTES_MAX && !entries.is_empty() {
            break;
        }
        entries.push(row.entry);
        number += 1;
    }
    if entries.is_empty() {
        return Err(AppError::Unexpected("an own entry is missing"));
    }
    let root = Tree::new(&heads(&entries)).root();
    tx.put_seal(&Seal::sign(key, stream, first, number - 1, root), &[])?;
    Ok(number)
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

/// How long an entry is when it is packed alone.
pub fn packed_bytes(entry: &Entry) -> usize {
    let Address { stream, number } = entry.address;
    let (root, signature) = ([0; 32], [0; 64]);
    let seal = Seal { stream, first: number, last: number, root, signature };
    let batches = vec![Batch { seal, entries: vec![entry.clone()], paths: None }];
    Parcel { certificates: vec![], batches }.encode().len()
}

/// The sealed ranges that hold the addresses, as far as they fit into one parcel; of each, the
/// charts that are asked for, whole. Also gives which entries these are.
fn batches(
    tx: &dyn WriteTx,
    queued: &[Address],
) -> Result<(Vec<Batch>, BTreeSet<Address>), AppError> {
    let addresses: BTreeSet<&Address> = queued.iter().collect();
    let mut batches = vec![];
    let mut done: BTreeSet<Address> = BTreeSet::new();
    let mut bytes = 0;
    for address in queued {
        if done.contains(address) {
            continue;
        }
        if done.len() >= ENTRIES_MAX {
            break;
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
        bytes += entries.iter().map(|entry| entry.to_bytes().len()).sum::<usize>();
        if bytes > PLAIN_BYTES_MAX && !batches.is_empty() {
            break;
        }
        done.extend(entries.iter().map(|entry| entry.address));
        batches.push(Batch { seal, entries, paths });
    }
    // A chart's entries have to arrive in their order: ranges of a stream stand in theirs.
    batches.sort_by_key(|batch| (batch.seal.stream, batch.seal.first));
    Ok((batches, done))
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

/// The path of every chart of a whole range.
pub fn every_path(entries: &[Entry]) -> Vec<SealedPath> {
    let heads = heads(entries);
    let tree = Tree::new(&heads);
    let path = |head: SealedHead| {
        let path = tree.path(&head.chart)?;
        Some(SealedPath { chart: head.chart, chart_number: head.chart_number, path })
    };
    heads.clone().into_iter().filter_map(path).collect()
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
