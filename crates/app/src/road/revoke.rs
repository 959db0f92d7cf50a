//! A node that is believed no more (ADR 0026): what is done when a node hears of it.
//!
//! All of it is one commit: the revocation is kept, handed on, and from then on nothing comes from
//! the revoked node and nothing goes to it; what it wrote beyond the last trusted numbers is taken
//! in no more, and what is here already is marked.

use std::sync::Arc;

use ed25519_dalek::VerifyingKey;
use ondol_kernel::{Class, NodeId, ResourceId, bytes::Reader};
use ondol_record::{Address, ChartId, Entry, Revocation, Stream, revocation::Why};
use ondol_replicate::{Batch, Parcel, message::Message};
use ondol_store::{Space, View, WriteTx};

use super::{
    arrive::{Arrival, Stop, Taking},
    blobs, held, introduce, keys, queue, scope, send,
};
use crate::{App, AppError, Nation, national};

/// In [`Space::Quarantine`]: entries beyond the last trusted numbers that were not taken in. Then
/// the node, then 8 bytes of their hash. The value says in its first byte what follows.
pub const APART: &[u8] = b"r";

/// Behind [`APART`]: a parcel.
pub const APART_PARCEL: u8 = 0;

/// Behind [`APART`]: an entry.
pub const APART_ENTRY: u8 = 1;

/// In [`Space::Quarantine`]: marks an entry of the record as one beyond the last trusted number.
/// Then its chart, then its address.
pub const DOUBTED: &[u8] = b"d";

/// So many keys or numbers of entries are looked at before the next are read.
const AT_ONCE: usize = 500;

impl App {
    /// Takes in a revocation that came as a file, by telephone or on the command line. Gives
    /// whether it holds and is news.
    pub fn take_revocation(self: &Arc<Self>, bytes: &[u8]) -> Result<bool, AppError> {
        let Ok(revocation) = Revocation::from_bytes(bytes) else { return Ok(false) };
        // Anybody can send such bytes: nothing is written before it is known who signed them.
        if !is_signed(self, &revocation)?
            || self.nation().with_revocation(&self.place, &revocation)?.is_none()
        {
            return Ok(false);
        }
        self.heed(None, revocation)
    }

    /// The revocations of a node, as they travel: whoever is revoked and calls is told so.
    pub fn revocations_of(&self, node: &NodeId) -> Vec<Vec<u8>> {
        let nation = self.nation();
        let all = nation.revoked(node).map_or(&[][..], ondol_record::Revoked::statements);
        all.iter().map(Revocation::to_bytes).collect()
    }

    /// Looks whether another process (the command line) wrote a revocation or a placement into this
    /// record.
    pub fn heed_what_was_written(&self) -> Result<(), AppError> {
        if !self.nation().is_as_written(&*self.view()?)? {
            self.changing_nation(|| ());
            self.woken();
        }
        Ok(())
    }

    pub(super) fn heed(
        self: &Arc<Self>,
        from: Option<NodeId>,
        revocation: Revocation,
    ) -> Result<bool, AppError> {
        if self.practice {
            return Ok(false);
        }
        let app = self.clone();
        self.changing_nation(|| self.transact(move |tx| heed(&app, tx, from.as_ref(), &revocation)))
    }
}

/// Whether the nation's root key signed a revocation.
pub fn is_signed(app: &App, revocation: &Revocation) -> Result<bool, AppError> {
    let root = VerifyingKey::from_bytes(&app.place.root)
        .map_err(|_| AppError::Unexpected("the root key is no key"))?;
    Ok(revocation.check(&root).is_ok())
}

/// Keeps a revocation that holds, hands it on, and does what follows from it; gives whether it
/// says something new.
fn heed(
    app: &App,
    tx: &mut dyn WriteTx,
    from: Option<&NodeId>,
    revocation: &Revocation,
) -> Result<bool, AppError> {
    let nation = app.nation();
    let Some(with) = nation.keep_revocation(tx, &app.place, revocation)? else {
        return Ok(false);
    };
    let message = Message::Revocation(revocation.to_bytes());
    for neighbour in with.neighbours() {
        if Some(&neighbour) != from {
            send(tx, &neighbour, Class::Emergency, &message)?;
        }
    }
    let node = &revocation.node;
    if *node == app.place.node {
        return Ok(true);
    }
    if with.parent().is_none() && revocation.why != Why::Closed {
        // After so many thefts that no other key is left, the index stays as it is: that must not
        // keep the revocation from being heeded.
        national::another_key(tx)?;
    }
    cut_off(tx, node)?;
    sweep_queues(tx, &with, node)?;
    sweep_waiting(tx, &with, node)?;
    mark(tx, &with, node)?;
    if let Some(known) = with.node(node) {
        replace(app, tx, &with, &known.certificate.facility)?;
    }
    hang_below(app, tx, (&nation, &with))?;
    Ok(true)
}

/// Who became a neighbour is met: whoever was below a node that was revoked hangs below the one in its
/// place, and whoever moved below another one.
pub fn hang_below(
    app: &App,
    tx: &mut dyn WriteTx,
    (before, after): (&Nation, &Nation),
) -> Result<(), AppError> {
    let known = before.neighbours();
    let new = after.neighbours().into_iter().filter(|node| !known.contains(node));
    for node in new {
        if after.parent() == Some(node) {
            introduce::open_charts(app, tx, (before, after), &node)?;
        } else {
            introduce::welcome(app, tx, after, &node)?;
        }
        tell_again(tx, after, &node)?;
    }
    Ok(())
}

/// Tells a neighbour of all nodes that are revoked: it is new here, or begins anew.
pub fn tell_again(tx: &mut dyn WriteTx, nation: &Nation, peer: &NodeId) -> Result<(), AppError> {
    if nation.revocations().next().is_none() || !nation.neighbours().contains(peer) {
        return Ok(());
    }
    for revocation in nation.revocations() {
        send(tx, peer, Class::Emergency, &Message::Revocation(revocation.to_bytes()))?;
    }
    Ok(())
}

/// What was dropped that waited for a node: entries and messages. The entries stay in the record.
pub fn dropped(view: &dyn View, node: &NodeId) -> Result<(u64, u64), AppError> {
    let entries = keys::number(view, &dropped_key(node, b'q'))?;
    Ok((entries, keys::number(view, &dropped_key(node, b'm'))?))
}

fn dropped_key(node: &NodeId, what: u8) -> Vec<u8> {
    [b"dropped/".as_slice(), &node.0, &[what]].concat()
}

/// Drops what waits for a node that is a neighbour no more, and forgets what was shared with it.
pub fn cut_off(tx: &mut dyn WriteTx, node: &NodeId) -> Result<(), AppError> {
    let (mut entries, mut messages) = dropped(&*tx, node)?;
    for class in Class::ALL {
        entries += drop_all(tx, Space::ParcelOut, &keys::queue_prefix(node, class))?;
        messages += drop_all(tx, Space::ParcelOut, &keys::message_prefix(node, class))?;
        drop_all(tx, Space::Blob, &blobs::wish_key(node, class, &[]))?;
        tx.set_value(Space::ParcelIn, &keys::part(node, class), None)?;
        // Envelopes of others that it was to pass on are sent another way when there is one.
        let sent = keys::number(tx, &keys::sent(node, class))?;
        keys::set_number(tx, &keys::acknowledged(node, class), sent)?;
        keys::set_number(tx, &keys::kept_bytes(node, class), 0)?;
    }
    keys::set_number(tx, &dropped_key(node, b'q'), entries)?;
    keys::set_number(tx, &dropped_key(node, b'm'), messages)?;
    tx.set_value(Space::Peer, &keys::reads(node), None)?;
    held::forget(tx, node)
}

fn drop_all(tx: &mut dyn WriteTx, space: Space, prefix: &[u8]) -> Result<u64, AppError> {
    let mut count = 0;
    loop {
        let some = tx.values(space, prefix, None, AT_ONCE)?;
        if some.is_empty() {
            return Ok(count);
        }
        for (key, _) in some {
            tx.set_value(space, &key, None)?;
            count += 1;
        }
    }
}

/// Takes what the node wrote beyond the last trusted numbers out of all queues.
fn sweep_queues(tx: &mut dyn WriteTx, nation: &Nation, node: &NodeId) -> Result<(), AppError> {
    let mut after: Option<Vec<u8>> = None;
    loop {
        let some = tx.values(Space::ParcelOut, b"q", after.as_deref(), AT_ONCE)?;
        let Some((last, _)) = some.last() else { return Ok(()) };
        after = Some(last.clone());
        for (key, bytes) in some {
            if let Ok(at) = Address::read(&mut Reader::new(&bytes))
                && at.stream.origin == *node
                && queue::is_beyond(nation, &*tx, &at)?
            {
                tx.set_value(Space::ParcelOut, &key, None)?;
            }
        }
    }
}

/// Entries beyond the last trusted numbers that wait for the one before them wait no more.
fn sweep_waiting(tx: &mut dyn WriteTx, nation: &Nation, node: &NodeId) -> Result<(), AppError> {
    let prefix = [b"w".as_slice(), &node.0].concat();
    for (key, bytes) in tx.values(Space::Quarantine, &prefix, None, usize::MAX)? {
        if let Ok(entry) = Entry::from_bytes(&bytes)
            && queue::is_beyond(nation, &*tx, &entry.address)?
        {
            tx.set_value(Space::Quarantine, &key, None)?;
            set_apart(tx, node, APART_ENTRY, &bytes)?;
        }
    }
    Ok(())
}

fn set_apart(tx: &mut dyn WriteTx, node: &NodeId, what: u8, bytes: &[u8]) -> Result<(), AppError> {
    let hash = blake3::hash(bytes);
    let key = [APART, &node.0, &hash.as_bytes()[..8]].concat();
    Ok(tx.set_value(Space::Quarantine, &key, Some(&[&[what][..], bytes].concat()))?)
}

/// Marks what is in the record beyond the last trusted numbers.
fn mark(tx: &mut dyn WriteTx, nation: &Nation, node: &NodeId) -> Result<(), AppError> {
    let streams = tx.frontiers()?.into_iter().map(|(stream, _)| stream);
    for stream in streams.filter(|stream| stream.origin == *node).collect::<Vec<_>>() {
        for entry in beyond(&*tx, nation, stream)? {
            tx.set_value(Space::Quarantine, &doubted_key(&entry), Some(&[]))?;
        }
    }
    Ok(())
}

fn doubted_key(entry: &Entry) -> Vec<u8> {
    let mut key = DOUBTED.to_vec();
    entry.chart.put(&mut key);
    entry.address.put(&mut key);
    key
}

/// The prefix of the marks of a chart.
pub fn doubted_prefix(chart: &ChartId) -> Vec<u8> {
    let mut key = DOUBTED.to_vec();
    chart.put(&mut key);
    key
}

/// The address of a mark.
pub fn read_doubted(key: &[u8]) -> Result<Address, AppError> {
    let damaged = || AppError::Unexpected("the mark of an entry");
    let mut from = Reader::new(key.get(DOUBTED.len()..).ok_or_else(damaged)?);
    ChartId::read(&mut from).map_err(|_| damaged())?;
    Address::read(&mut from).map_err(|_| damaged())
}

/// The entries of a log that are here and beyond the last trusted number.
fn beyond(view: &dyn View, nation: &Nation, stream: Stream) -> Result<Vec<Entry>, AppError> {
    let Some(last) = nation.last_trusted(&stream) else { return Ok(vec![]) };
    // Stores count in signed numbers.
    let next = last.min(i64::MAX.unsigned_abs() - 1) + 1;
    let spanning = view.seal(&stream.at(next))?.map(|seal| seal.first);
    let (mut from, end) = (spanning.unwrap_or(next).min(next), view.last_sealed(&stream)?);
    let (mut found, mut width) = (vec![], AT_ONCE as u64);
    while from <= end {
        let to = from.saturating_add(width - 1).min(end);
        let rows = view.stream_entries(&stream, from, to)?;
        // A thief may have made numbers that are far apart.
        width = if rows.is_empty() { width.saturating_mul(2) } else { AT_ONCE as u64 };
        found.extend(rows.into_iter().map(|row| row.entry));
        from = to + 1;
    }
    Ok(found)
}

/// A facility whose node was revoked has a new one: it gets the charts that the old one had, as far
/// as they are here, and takes its place for those who reached it through others.
pub fn replace(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    facility: &ResourceId,
) -> Result<(), AppError> {
    let Some(new) = nation.serving(facility).map(|known| known.node) else { return Ok(()) };
    let gone = nation.nodes().filter(|known| known.facility == *facility);
    let gone: Vec<NodeId> =
        gone.map(|known| known.node).filter(|node| nation.is_revoked(node)).collect();
    if new == app.place.node {
        return Ok(());
    }
    for old in gone {
        let relayed = keys::relayed(&old);
        if tx.value(Space::Peer, &relayed)?.is_some() {
            tx.set_value(Space::Peer, &relayed, None)?;
            if !nation.neighbours().contains(&new) {
                tx.set_value(Space::Peer, &keys::relayed(&new), Some(&[]))?;
            }
        }
        for (key, _) in tx.values(Space::Scope, &old.0, None, usize::MAX)? {
            let chart = key.get(old.0.len()..).map(|key| ChartId::read(&mut Reader::new(key)));
            let Some(Ok(chart)) = chart else {
                return Err(AppError::Unexpected("a chart that a node had"));
            };
            scope::withdraw(tx, &old, &chart)?;
            scope::grant(app, tx, &new, &chart, Class::Bulk)?;
        }
        if nation.parent_of(&new) == Some(app.place.node) {
            // Those below the old one find the new one in its place; it has to know them.
            let below = nation.nodes().filter(|known| nation.is_within(&known.node, &new));
            for known in below.filter(|known| known.node != new) {
                send(tx, &new, Class::Care, &Message::Certificate(known.to_bytes()))?;
            }
        }
    }
    Ok(())
}

impl Taking<'_> {
    /// Takes in a revocation; false if it is none.
    pub(super) fn revocation(&mut self, bytes: &[u8]) -> Result<bool, Stop> {
        let Ok(revocation) = Revocation::from_bytes(bytes) else { return Ok(false) };
        if !is_signed(self.app, &revocation)? {
            return Ok(false);
        }
        let with = self.app.nation().with_revocation(&self.app.place, &revocation)?;
        with.map_or(Ok(true), |_| Err(Stop::Heed(Box::new(revocation))))
    }

    /// Keeps a batch of a revoked node apart.
    pub(super) fn set_apart(&mut self, batch: Batch) -> Result<Arrival, AppError> {
        let node = batch.seal.stream.origin;
        let bytes = Parcel { certificates: vec![], batches: vec![batch] }.encode();
        set_apart(self.tx, &node, APART_PARCEL, &bytes)?;
        Ok(Arrival::Quarantined)
    }
}
