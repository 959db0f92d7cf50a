//! A data directory that is a copy of another: a backup that was put back, a disk that was
//! cloned. What the node writes and sends from then on has to be told from what the other copy
//! wrote and sent after they parted (ADR 0002, 0009).

use std::sync::Arc;

use ondol_kernel::{Class, NodeId, Rng};
use ondol_replicate::message::Message;
use ondol_store::{Space, WriteTx};

use super::{LET_GO_AT_ONCE, compare, keys, relay};
use crate::{App, AppError};

/// How far apart incarnations are at the most. Two restorations of the same backup know nothing
/// of each other, so that chance has to keep them apart.
const STEP_BITS: u32 = 24;

/// In [`Space::Node`]: by what the place of the record was recognised the last time.
const HOME: &[u8] = b"home";

impl App {
    /// Begins a new incarnation, since this data directory is a copy: entries get addresses that
    /// the other copy never gave, and messages numbers of a new epoch, those included that still
    /// wait. Called before anything else is written or sent. Gives the new incarnation.
    pub fn restored(self: &Arc<Self>) -> Result<u32, AppError> {
        let app = self.clone();
        self.transact(move |tx| begin_anew(&app, tx))
    }

    /// Says by what the caller recognises the place where the record is kept: if it is another
    /// one than the last time, the record is a copy, and [`App::restored`] is done. Gives
    /// whether it was.
    pub fn lives_at(self: &Arc<Self>, mark: &[u8]) -> Result<bool, AppError> {
        let before = self.view()?.value(Space::Node, HOME)?;
        if before.as_deref() == Some(mark) {
            return Ok(false);
        }
        let (app, mark) = (self.clone(), mark.to_vec());
        self.transact(move |tx| {
            tx.set_value(Space::Node, HOME, Some(&mark))?;
            if before.is_some() {
                begin_anew(&app, tx)?;
            }
            Ok(before.is_some())
        })
    }
}

fn begin_anew(app: &App, tx: &mut dyn WriteTx) -> Result<u32, AppError> {
    let mut identity = tx.identity()?.ok_or(AppError::Unexpected("a store without identity"))?;
    identity.incarnation = later(identity.incarnation, &*app.rng)?;
    tx.set_identity(&identity)?;
    for prefix in keys::BY_NUMBER {
        for (key, _) in tx.values(Space::Peer, prefix, None, usize::MAX)? {
            tx.set_value(Space::Peer, &key, None)?;
        }
    }
    for (key, _) in tx.values(Space::Peer, keys::SENT, None, usize::MAX)? {
        let (peer, class) = whose(&key)?;
        renumber(app, tx, &peer, class)?;
    }
    pass_on_again(app, tx)?;
    compare::tell_all(app, tx)?;
    Ok(identity.incarnation)
}

fn later(incarnation: u32, rng: &dyn Rng) -> Result<u32, AppError> {
    let mut chance = [0; 4];
    rng.fill(&mut chance);
    let step = u32::from_le_bytes(chance) >> (u32::BITS - STEP_BITS);
    // The greatest is the practice room's.
    incarnation
        .checked_add(step + 1)
        .filter(|&next| next < u32::MAX)
        .ok_or(AppError::Unexpected("more incarnations than a node can have"))
}

/// The peer and the class of a key of [`keys::sent`].
fn whose(key: &[u8]) -> Result<(NodeId, Class), AppError> {
    let damaged = AppError::Unexpected("a counter of the road");
    let Some((node, [class])) = key.get(keys::SENT.len()..).and_then(<[u8]>::split_first_chunk)
    else {
        return Err(damaged);
    };
    let class = Class::from_code(*class).ok_or(damaged)?;
    Ok((NodeId(*node), class))
}

/// Gives the messages that wait for a peer numbers from 1 on. Own messages in envelopes are let
/// go: they were sealed under the old numbers, and are sealed anew.
fn renumber(app: &App, tx: &mut dyn WriteTx, peer: &NodeId, class: Class) -> Result<(), AppError> {
    let prefix = keys::message_prefix(peer, class);
    let (mut after, mut number, mut kept): (Option<Vec<u8>>, u64, u64) = (None, 0, 0);
    loop {
        let some = tx.values(Space::ParcelOut, &prefix, after.as_deref(), LET_GO_AT_ONCE)?;
        let Some((last, _)) = some.last() else { break };
        after = Some(last.clone());
        for (old, bytes) in some {
            tx.set_value(Space::ParcelOut, &old, None)?;
            let own = matches!(Message::decode(&bytes),
                Ok(Message::Relay { envelope, .. }) if envelope.from == app.place.node);
            if own {
                continue;
            }
            (number, kept) = (number + 1, kept + bytes.len() as u64);
            // Numbers only sink: nothing that was not looked at is written over.
            let key = [&prefix[..], &number.to_be_bytes()].concat();
            tx.set_value(Space::ParcelOut, &key, Some(&bytes))?;
        }
    }
    keys::set_number(tx, &keys::sent(peer, class), number)?;
    keys::set_number(tx, &keys::acknowledged(peer, class), 0)?;
    keys::set_number(tx, &keys::kept_bytes(peer, class), kept)
}

/// Seals what waits for peers behind others anew.
fn pass_on_again(app: &App, tx: &mut dyn WriteTx) -> Result<(), AppError> {
    for (key, _) in tx.values(Space::Peer, keys::RELAYED, None, usize::MAX)? {
        let Ok(id) = key[keys::RELAYED.len()..].try_into() else { continue };
        let to = NodeId(id);
        for class in Class::ALL {
            let prefix = keys::message_prefix(&to, class);
            for (key, plain) in tx.values(Space::ParcelOut, &prefix, None, usize::MAX)? {
                relay::pass_on(app, tx, &to, (class, keys::last_number(&key)?), &plain)?;
            }
        }
    }
    Ok(())
}
