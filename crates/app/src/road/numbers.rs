//! Which messages of a peer are here: each is noted once, and those that came early are counted
//! when the ones before them are here.

use std::sync::Arc;

use ondol_kernel::{Class, NodeId};
use ondol_store::{Space, WriteTx};

use super::keys;
use crate::{App, AppError};

impl App {
    /// Nothing below `number` will come from `peer` any more: it counts from there, since it
    /// lost count (a restored backup), or what was here of its numbers was forgotten.
    pub fn skipped(
        self: &Arc<Self>,
        peer: NodeId,
        class: Class,
        number: u64,
    ) -> Result<(), AppError> {
        ondol_store::transact(&*self.store, move |tx| {
            let counter = keys::got(&peer, class);
            let before = number.saturating_sub(1);
            if before <= keys::number(tx, &counter)? {
                return Ok(());
            }
            let early = keys::early_prefix(&peer, class);
            for (key, _) in tx.values(Space::ParcelIn, &early, None, usize::MAX)? {
                if keys::last_number(&key)? <= before {
                    tx.set_value(Space::ParcelIn, &key, None)?;
                }
            }
            let got = follow_early(tx, &peer, class, before)?;
            keys::set_number(tx, &counter, got)
        })
    }
}

/// Notes a number; false if it was noted before.
pub fn note(
    tx: &mut dyn WriteTx,
    peer: &NodeId,
    class: Class,
    number: u64,
) -> Result<bool, AppError> {
    let counter = keys::got(peer, class);
    let got = keys::number(tx, &counter)?;
    let mut key = keys::early_prefix(peer, class);
    key.extend_from_slice(&number.to_be_bytes());
    if number <= got || tx.value(Space::ParcelIn, &key)?.is_some() {
        return Ok(false);
    }
    if number > got + 1 {
        tx.set_value(Space::ParcelIn, &key, Some(&[]))?;
        return Ok(true);
    }
    let got = follow_early(tx, peer, class, number)?;
    keys::set_number(tx, &counter, got)?;
    Ok(true)
}

/// Counts on over those that came early.
fn follow_early(
    tx: &mut dyn WriteTx,
    peer: &NodeId,
    class: Class,
    mut got: u64,
) -> Result<u64, AppError> {
    let early = tx.values(Space::ParcelIn, &keys::early_prefix(peer, class), None, usize::MAX)?;
    for (key, _) in early {
        if keys::last_number(&key)? != got + 1 {
            break;
        }
        got += 1;
        tx.set_value(Space::ParcelIn, &key, None)?;
    }
    Ok(got)
}
