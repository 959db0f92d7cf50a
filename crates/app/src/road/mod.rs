//! The road as the record sees it: what goes to whom, in parcels, and what arrives (ADR 0009).
//!
//! Everything here happens in the store's transactions: an entry and its place in the queues of
//! its neighbours are one commit, and so are the effects of a message and the note that it
//! arrived. The carriers (link, stick, relay) only move numbered messages; a message is kept
//! until the other side holds it durably.

mod arrive;
mod blob_feed;
mod blobs;
mod carried;
mod compare;
mod held;
mod introduce;
mod keys;
mod links;
mod nodes;
mod numbers;
mod overview;
mod pack;
mod placed;
mod queue;
mod relay;
mod restored;
mod revoke;
mod scope;
mod status;
mod stick;
mod waiting;

pub use arrive::Arrival;
pub(crate) use blobs::is_asked_for;
pub use blobs::{BLOB_URL, PREVIEW, hash_of, url_of};
pub use carried::{Carried, CarriedIn};
pub use links::{LinkReport, RATE_ASSUMED_BPS};
pub(crate) use nodes::doubted_in;
pub use nodes::{NodeRow, Piece, RevokedNode, Revoking, RootKey, read_trusted, trusted_text};
pub use ondol_record::{
    ChartId,
    certificate::Tier,
    revocation::{Trusted, Why},
};
pub use ondol_replicate::stick::{BadStick, FILE_BYTES_MAX as STICK_BYTES_MAX};
pub use overview::{Below, Neighbour, Overview, SILENT_AFTER_MS};
pub use placed::Moving;
pub use queue::distribute;
pub(crate) use queue::distribute_written;
pub(crate) use restored::put_back_at;
pub(crate) use scope::{lead_to, note_by_chart};
pub use status::{ClassStatus, ENTRY_BYTES_ASSUMED, PeerStatus, Reach};
pub use stick::{StickIn, StickOut};

use ondol_kernel::{Class, NodeId};
use ondol_replicate::message::Message;
use ondol_store::{Space, View, WriteTx};

use crate::{App, AppError};

/// So many acknowledged messages are let go of at once.
const LET_GO_AT_ONCE: usize = 32;

/// A numbered message for a neighbour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Its class.
    pub class: Class,
    /// Its number, from 1 without gaps for each (neighbour, class).
    pub number: u64,
    /// The encoded message.
    pub bytes: Vec<u8>,
}

impl App {
    /// The first messages of a class that `peer` does not hold durably yet, packed on demand.
    ///
    /// At most `limit`: what is not packed yet stays in the queue, so that a batch of the day's
    /// entries shares one parcel when the link is slow or down.
    pub fn outgoing(
        self: &std::sync::Arc<Self>,
        peer: NodeId,
        class: Class,
        limit: usize,
    ) -> Result<Vec<Outgoing>, AppError> {
        let nation = self.nation();
        if nation.is_revoked(&peer) || nation.is_revoked(&self.place.node) {
            return Ok(vec![]);
        }
        let tended = relay::tend(self, &peer, class);
        let waiting = {
            let view = self.view()?;
            let waiting = packed(&*view, &peer, class, limit)?;
            let more = waiting.len() < limit && queue::has_queued(&*view, &peer, class)?;
            (waiting, more)
        };
        let (packed_now, more) = waiting;
        let room = if more { limit - packed_now.len() } else { 0 };
        if let Err(why) = tended.and(pack::pack(self, peer, class, room)) {
            // What is packed goes even when nothing more can be (a full disk).
            return if packed_now.is_empty() { Err(why) } else { Ok(packed_now) };
        }
        if !more {
            return Ok(packed_now);
        }
        packed(&*self.view()?, &peer, class, limit)
    }

    /// Notes that `peer` holds everything of a class up to a number durably: it is no longer kept.
    pub fn delivered(&self, peer: NodeId, class: Class, up_to: u64) -> Result<(), AppError> {
        ondol_store::transact(&*self.store, move |tx| delivered(tx, &peer, class, up_to))
    }

    /// [`App::delivered`], as a message or a stick says it: what it says of another epoch than
    /// the one in which this node counts now says nothing. Gives whether that was news.
    pub fn delivered_in(
        &self,
        peer: NodeId,
        epoch: u64,
        class: Class,
        up_to: u64,
    ) -> Result<bool, AppError> {
        ondol_store::transact(&*self.store, move |tx| {
            if epoch != numbers::own_epoch(tx)? {
                return Ok(false);
            }
            let before = keys::number(tx, &keys::acknowledged(&peer, class))?;
            delivered(tx, &peer, class, up_to)?;
            Ok(keys::number(tx, &keys::acknowledged(&peer, class))? > before)
        })
    }

    /// The number after which messages of a class are still kept for `peer`.
    pub fn delivered_up_to(&self, peer: NodeId, class: Class) -> Result<u64, AppError> {
        keys::number(&*self.view()?, &keys::acknowledged(&peer, class))
    }
}

/// The packed messages of a class in their order.
fn packed(
    view: &dyn View,
    peer: &NodeId,
    class: Class,
    limit: usize,
) -> Result<Vec<Outgoing>, AppError> {
    let prefix = keys::message_prefix(peer, class);
    let rows = view.values(Space::ParcelOut, &prefix, None, limit)?;
    rows.into_iter()
        .map(|(key, bytes)| Ok(Outgoing { class, number: keys::last_number(&key)?, bytes }))
        .collect()
}

fn delivered(
    tx: &mut dyn WriteTx,
    peer: &NodeId,
    class: Class,
    up_to: u64,
) -> Result<(), AppError> {
    let key = keys::acknowledged(peer, class);
    // Nobody can hold what was never sent: such a claim is not believed.
    let sent = keys::number(tx, &keys::sent(peer, class))?;
    let up_to = up_to.min(sent);
    if up_to <= keys::number(tx, &key)? {
        return Ok(());
    }
    let prefix = keys::message_prefix(peer, class);
    let mut freed = 0;
    // A few at a time: what is still kept may be many megabytes of pictures.
    'all: loop {
        let some = tx.values(Space::ParcelOut, &prefix, None, LET_GO_AT_ONCE)?;
        let last = some.len() < LET_GO_AT_ONCE;
        for (message, bytes) in some {
            if keys::last_number(&message)? > up_to {
                break 'all;
            }
            freed += bytes.len() as u64;
            if let Ok(Message::Relay { envelope, .. }) = Message::decode(&bytes) {
                tx.set_value(Space::Peer, &keys::handing_on(&envelope), None)?;
            }
            tx.set_value(Space::ParcelOut, &message, None)?;
        }
        if last {
            break;
        }
    }
    let kept = keys::kept_bytes(peer, class);
    let left = keys::number(tx, &kept)?.saturating_sub(freed);
    keys::set_number(tx, &kept, left)?;
    keys::set_number(tx, &key, up_to)
}

/// Gives a message its number and keeps it until `peer` holds it.
pub(crate) fn send(
    tx: &mut dyn WriteTx,
    peer: &NodeId,
    class: Class,
    message: &Message,
) -> Result<u64, AppError> {
    let counter = keys::sent(peer, class);
    let number = keys::number(tx, &counter)? + 1;
    keys::set_number(tx, &counter, number)?;
    let mut key = keys::message_prefix(peer, class);
    key.extend_from_slice(&number.to_be_bytes());
    let bytes = message.encode();
    let kept = keys::kept_bytes(peer, class);
    let before = keys::number(tx, &kept)?;
    keys::set_number(tx, &kept, before + bytes.len() as u64)?;
    tx.set_value(Space::ParcelOut, &key, Some(&bytes))?;
    Ok(number)
}
