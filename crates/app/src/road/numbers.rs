//! Which messages of a peer are here: each is noted once, and those that came early are counted
//! when the ones before them are here.
//!
//! Numbers count within an epoch of the sender (ADR 0009). Every epoch has its own notes, so that
//! what an older stick still brings is told apart from what was sent since, and neither hides the
//! other.

use std::sync::Arc;

use ondol_kernel::{Class, NodeId};
use ondol_store::{Space, View, WriteTx};

use super::{compare, held, keys};
use crate::{App, AppError, Nation};

impl App {
    /// Nothing below `number` will come from `peer` any more in its present epoch: it counts
    /// from there, since what was before is held or given up.
    pub fn skipped(
        self: &Arc<Self>,
        peer: NodeId,
        class: Class,
        number: u64,
    ) -> Result<(), AppError> {
        self.skipped_in(peer, self.peer_epoch(peer)?, class, number)
    }

    /// [`App::skipped`] in an epoch.
    pub fn skipped_in(
        self: &Arc<Self>,
        peer: NodeId,
        epoch: u64,
        class: Class,
        number: u64,
    ) -> Result<(), AppError> {
        ondol_store::transact(&*self.store, move |tx| skip(tx, &peer, epoch, class, number))
    }

    /// The last number of a class up to which everything from `peer` is here durably, in its
    /// present epoch.
    pub fn arrived_up_to(&self, peer: NodeId, class: Class) -> Result<u64, AppError> {
        self.arrived_up_to_in(peer, self.peer_epoch(peer)?, class)
    }

    /// [`App::arrived_up_to`] in an epoch.
    pub fn arrived_up_to_in(
        &self,
        peer: NodeId,
        epoch: u64,
        class: Class,
    ) -> Result<u64, AppError> {
        keys::number(&*self.view()?, &keys::got(&peer, epoch, class))
    }

    /// The epoch of a peer's numbers, 0 if none was told.
    pub fn peer_epoch(&self, peer: NodeId) -> Result<u64, AppError> {
        keys::number(&*self.view()?, &keys::epoch(&peer))
    }

    /// The epoch of this node's numbers: another one in each incarnation.
    pub fn own_epoch(&self) -> Result<u64, AppError> {
        own_epoch(&*self.view()?)
    }

    /// A peer says on its link which format of parcels it reads at the most.
    pub fn reads_parcels(self: &Arc<Self>, peer: NodeId, format: u8) -> Result<(), AppError> {
        let key = keys::reads(&peer);
        if keys::number(&*self.view()?, &key)? == u64::from(format) {
            return Ok(());
        }
        ondol_store::transact(&*self.store, move |tx| keys::set_number(tx, &key, format.into()))
    }

    /// A peer says on its link in which epoch it counts its messages.
    pub fn renumbered(self: &Arc<Self>, peer: NodeId, epoch: u64) -> Result<(), AppError> {
        let before = self.peer_epoch(peer)?;
        if before == epoch {
            return Ok(());
        }
        let app = self.clone();
        ondol_store::transact(&*self.store, move |tx| {
            count_in(tx, &peer, epoch)?;
            compare::heard(&app, tx, &app.nation(), (&peer, before, epoch))
        })
    }
}

/// See [`App::own_epoch`].
pub fn own_epoch(view: &(impl View + ?Sized)) -> Result<u64, AppError> {
    let identity = view.identity()?.ok_or(AppError::Unexpected("a store without identity"))?;
    Ok(u64::from(identity.incarnation) + 1)
}

/// Something of a peer came that counts in an epoch: a higher one that was never heard of is the
/// present one. (A stick may be older than what came by the link; and of two copies of one backup the
/// later one may count in the lower epoch.)
pub fn saw(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    (peer, epoch): (&NodeId, u64),
) -> Result<(), AppError> {
    let before = keys::number(tx, &keys::epoch(peer))?;
    if epoch > before && !compare::was_heard(tx, peer, epoch)? {
        count_in(tx, peer, epoch)?;
        compare::heard(app, tx, nation, (peer, before, epoch))?;
    }
    Ok(())
}

fn count_in(tx: &mut dyn WriteTx, peer: &NodeId, epoch: u64) -> Result<(), AppError> {
    for class in Class::ALL {
        // What is here of a message is of one of the numbers before.
        tx.set_value(Space::ParcelIn, &keys::part(peer, class), None)?;
    }
    // What it held and knew before it was put back may be gone.
    held::forget(tx, peer)?;
    held::forget_certificates(tx, peer)?;
    keys::set_number(tx, &keys::epoch(peer), epoch)
}

/// Nothing below `number` will come.
pub fn skip(
    tx: &mut dyn WriteTx,
    peer: &NodeId,
    epoch: u64,
    class: Class,
    number: u64,
) -> Result<(), AppError> {
    let counter = keys::got(peer, epoch, class);
    let before = number.saturating_sub(1);
    if before <= keys::number(tx, &counter)? {
        return Ok(());
    }
    let early = keys::early_prefix(peer, epoch, class);
    for (key, _) in tx.values(Space::ParcelIn, &early, None, usize::MAX)? {
        if keys::last_number(&key)? <= before {
            tx.set_value(Space::ParcelIn, &key, None)?;
        }
    }
    let got = follow_early(tx, peer, epoch, class, before)?;
    keys::set_number(tx, &counter, got)
}

/// Notes a number; false if it was noted before.
pub fn note(
    tx: &mut dyn WriteTx,
    peer: &NodeId,
    epoch: u64,
    class: Class,
    number: u64,
) -> Result<bool, AppError> {
    let counter = keys::got(peer, epoch, class);
    let got = keys::number(tx, &counter)?;
    let mut key = keys::early_prefix(peer, epoch, class);
    key.extend_from_slice(&number.to_be_bytes());
    if number <= got || tx.value(Space::ParcelIn, &key)?.is_some() {
        return Ok(false);
    }
    if number > got + 1 {
        tx.set_value(Space::ParcelIn, &key, Some(&[]))?;
        return Ok(true);
    }
    let got = follow_early(tx, peer, epoch, class, number)?;
    keys::set_number(tx, &counter, got)?;
    Ok(true)
}

/// Counts on over those that came early.
fn follow_early(
    tx: &mut dyn WriteTx,
    peer: &NodeId,
    epoch: u64,
    class: Class,
    mut got: u64,
) -> Result<u64, AppError> {
    let prefix = keys::early_prefix(peer, epoch, class);
    let early = tx.values(Space::ParcelIn, &prefix, None, usize::MAX)?;
    for (key, _) in early {
        if keys::last_number(&key)? != got + 1 {
            break;
        }
        got += 1;
        tx.set_value(Space::ParcelIn, &key, None)?;
    }
    Ok(got)
}
