//! Where the road's state stands among the small values of a store.

use ondol_kernel::{Class, NodeId, ResourceId, bytes::put_bytes};
use ondol_record::{ChartId, Stream};
use ondol_replicate::relay::Envelope;
use ondol_store::{Space, View, WriteTx};

use crate::AppError;

fn of(name: &[u8], peer: &NodeId, class: Class) -> Vec<u8> {
    [name, &peer.0, &[class.code()]].concat()
}

/// The last number given to a message for a peer.
pub fn sent(peer: &NodeId, class: Class) -> Vec<u8> {
    of(b"sent/", peer, class)
}

/// The last number up to which a peer holds everything.
pub fn acknowledged(peer: &NodeId, class: Class) -> Vec<u8> {
    of(b"ack/", peer, class)
}

/// The last number up to which everything from a peer is here, of one epoch of its numbers.
pub fn got(peer: &NodeId, epoch: u64, class: Class) -> Vec<u8> {
    [b"got/".as_slice(), &peer.0, &epoch.to_be_bytes(), &[class.code()]].concat()
}

/// The epoch in which a peer counts its messages now.
pub fn epoch(peer: &NodeId) -> Vec<u8> {
    [b"epoch/".as_slice(), &peer.0].concat()
}

/// The prefix of [`sent`].
pub const SENT: &[u8] = b"sent/";

/// What is known of a peer by the numbers of messages to it: all of it ends with their epoch.
pub const BY_NUMBER: [&[u8]; 5] = [b"passed/", b"handing/", b"knows/", b"carried/", b"held/"];

/// A chart whose facility that was asked could not be reached when it was asked: (facility,
/// chart) → class.
pub fn asked(facility: &ResourceId, chart: &ChartId) -> Vec<u8> {
    let mut key = ASKED.to_vec();
    put_bytes(&mut key, facility.as_str().as_bytes());
    chart.put(&mut key);
    key
}

/// The prefix of [`asked`].
pub const ASKED: &[u8] = b"asked/";

/// The bytes of the messages that are kept for a peer.
pub fn kept_bytes(peer: &NodeId, class: Class) -> Vec<u8> {
    of(b"kept/", peer, class)
}

/// The last number given to an entry in a peer's queue.
pub fn queued(peer: &NodeId, class: Class) -> Vec<u8> {
    of(b"queued/", peer, class)
}

/// What was last put on a stick for a peer.
pub fn carried(peer: &NodeId) -> Vec<u8> {
    [b"carried/".as_slice(), &peer.0].concat()
}

/// Marks a peer that is reached through others.
pub fn relayed(peer: &NodeId) -> Vec<u8> {
    [b"relayed/".as_slice(), &peer.0].concat()
}

/// The prefix of [`relayed`].
pub const RELAYED: &[u8] = b"relayed/";

/// The arrival number up to which entries have been put into the queues.
pub const DISTRIBUTED: &[u8] = b"distributed";

/// How far a peer itself gave us a chart: (peer, chart, stream) → count.
pub fn source(peer: &NodeId, chart: &ChartId, stream: &Stream) -> Vec<u8> {
    let mut key = source_prefix(peer);
    chart.put(&mut key);
    stream.put(&mut key);
    key
}

/// The prefix of [`source`] for a peer.
pub fn source_prefix(peer: &NodeId) -> Vec<u8> {
    [b"source/".as_slice(), &peer.0].concat()
}

/// Marks an epoch of a peer in which it was told what it may have lost.
pub fn heard(peer: &NodeId, epoch: u64) -> Vec<u8> {
    [b"heard/".as_slice(), &peer.0, &epoch.to_be_bytes()].concat()
}

/// A neighbour that is one no more: the number of the message by which it hears that, 0 if it told
/// itself (8, big-endian), and since when (ms, 8, big-endian).
pub fn parting(peer: &NodeId) -> Vec<u8> {
    [PARTING, &peer.0].concat()
}

/// The prefix of [`parting`].
pub const PARTING: &[u8] = b"parting/";

/// A chart that goes on towards a node: (node, chart).
pub fn onward(to: &NodeId, chart: &ChartId) -> Vec<u8> {
    let mut key = [ONWARD, &to.0].concat();
    chart.put(&mut key);
    key
}

/// The prefix of [`onward`].
pub const ONWARD: &[u8] = b"onward/";

/// The own epoch in which a peer was last told what is here.
pub fn told(peer: &NodeId) -> Vec<u8> {
    [b"told/".as_slice(), &peer.0].concat()
}

/// The number of the newest envelope, towards the first node of the way, of a message to a peer
/// that is reached through others.
pub fn passed_on(peer: &NodeId, class: Class) -> Vec<u8> {
    of(b"passed/", peer, class)
}

/// The number of the envelope in which this node hands on a message of others.
pub fn handing_on(envelope: &Envelope) -> Vec<u8> {
    let Envelope { from, to, class, epoch, number, .. } = envelope;
    let (epoch, number) = (epoch.to_be_bytes(), number.to_be_bytes());
    [b"handing/".as_slice(), &from.0, &to.0, &[class.code()], &epoch, &number].concat()
}

/// The message in which a peer was last given a node's certificate: class, number, and when the
/// certificate was issued.
pub fn knows(peer: &NodeId, node: &NodeId) -> Vec<u8> {
    [knows_prefix(peer), node.0.to_vec()].concat()
}

/// The prefix of [`knows`] for a peer.
pub fn knows_prefix(peer: &NodeId) -> Vec<u8> {
    [b"knows/".as_slice(), &peer.0].concat()
}

/// What a peer is known to hold of a stream, in one chart or at all.
pub fn held(peer: &NodeId, stream: &Stream, chart: Option<&ChartId>) -> Vec<u8> {
    let mut key = held_prefix(peer);
    stream.put(&mut key);
    if let Some(chart) = chart {
        chart.put(&mut key);
    }
    key
}

/// The prefix of [`held`] for a peer.
pub fn held_prefix(peer: &NodeId) -> Vec<u8> {
    [b"held/".as_slice(), &peer.0].concat()
}

/// The newest format of parcels that a peer said it reads.
pub fn reads(peer: &NodeId) -> Vec<u8> {
    [b"reads/".as_slice(), &peer.0].concat()
}

/// In [`Space::Scope`]: a chart that goes to a peer beyond what the rules say.
pub fn scope(peer: &NodeId, chart: &ChartId) -> Vec<u8> {
    let mut key = peer.0.to_vec();
    chart.put(&mut key);
    key
}

/// That every note of [`scope`] has its [`granted`].
pub const GRANTED_ALL: &[u8] = b"granted";

/// The same as [`scope`], found by the chart: a hub has thousands of peers, and few get a chart.
pub fn granted(chart: &ChartId, peer: &NodeId) -> Vec<u8> {
    let mut key = granted_prefix(chart);
    key.extend_from_slice(&peer.0);
    key
}

/// Before the peers that a chart is granted to.
pub fn granted_prefix(chart: &ChartId) -> Vec<u8> {
    let mut key = b"granted/".to_vec();
    chart.put(&mut key);
    key
}

/// In [`Space::ParcelOut`]: entries that wait to be packed for a peer.
pub fn queue_prefix(peer: &NodeId, class: Class) -> Vec<u8> {
    [b"q".as_slice(), &peer.0, &[class.code()]].concat()
}

/// In [`Space::ParcelOut`]: messages that a peer does not hold yet.
pub fn message_prefix(peer: &NodeId, class: Class) -> Vec<u8> {
    [b"m".as_slice(), &peer.0, &[class.code()]].concat()
}

/// In [`Space::ParcelIn`]: marks a message that arrived before an earlier one.
pub fn early_prefix(peer: &NodeId, epoch: u64, class: Class) -> Vec<u8> {
    [b"e".as_slice(), &peer.0, &epoch.to_be_bytes(), &[class.code()]].concat()
}

/// In [`Space::ParcelIn`]: the bytes of a message that is still arriving on a link.
pub fn part(peer: &NodeId, class: Class) -> Vec<u8> {
    [b"p".as_slice(), &peer.0, &[class.code()]].concat()
}

/// In [`Space::Quarantine`]: an entry that waits for its predecessor in its chart.
pub fn waiting(stream: &Stream, chart: &ChartId, chart_number: u64) -> Vec<u8> {
    let mut key = b"w".to_vec();
    stream.put(&mut key);
    chart.put(&mut key);
    key.extend_from_slice(&chart_number.to_be_bytes());
    key
}

/// A counter in [`Space::Peer`], 0 if it was never set.
pub fn number(view: &(impl View + ?Sized), key: &[u8]) -> Result<u64, AppError> {
    match view.value(Space::Peer, key)? {
        None => Ok(0),
        Some(bytes) => to_number(&bytes),
    }
}

/// Sets a counter in [`Space::Peer`].
pub fn set_number(tx: &mut dyn WriteTx, key: &[u8], number: u64) -> Result<(), AppError> {
    Ok(tx.set_value(Space::Peer, key, Some(&number.to_be_bytes()))?)
}

fn to_number(bytes: &[u8]) -> Result<u64, AppError> {
    let bytes = bytes.try_into().map_err(|_| AppError::Unexpected("a counter of the road"))?;
    Ok(u64::from_be_bytes(bytes))
}

/// The number at the end of a key.
pub fn last_number(key: &[u8]) -> Result<u64, AppError> {
    let from = key.len().checked_sub(8).ok_or(AppError::Unexpected("a key of the road"))?;
    to_number(&key[from..])
}
