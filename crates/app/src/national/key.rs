//! The key by which digests and tokens are made: one for the nation, of which nodes alone know.
//!
//! The node at the top makes it from its own private key, an epoch at a time, and keeps it nowhere:
//! what it has in its database tells no name. A node asks the one above for it, and hands it to those
//! below.

use std::sync::Arc;

use ondol_access::Action;
use ondol_identity::national::Known;
use ondol_kernel::{Class, NodeId, ResourceId};
use ondol_record::ChartId;
use ondol_replicate::{
    message::Message,
    national::{Digest, Index, Token},
    sealed,
};
use ondol_store::{Space, View, WriteTx};

use super::rows;
use crate::{Actor, App, AppError, Nation, road};

/// So many keys at most follow each other in one incarnation.
const KEYS_MAX: u64 = 255;

/// So many values of earlier epochs are let go of in one tick.
const FORGOTTEN_AT_ONCE: usize = 500;

/// A key of an epoch.
#[derive(Clone)]
pub struct Key {
    /// Which one.
    pub epoch: u64,
    bytes: [u8; 32],
}

impl Key {
    /// What stands for a chart.
    pub fn token(&self, id: &ResourceId) -> Token {
        let mut hash = blake3::Hasher::new_keyed(&self.bytes);
        hash.update(b"chart ");
        hash.update(id.as_str().as_bytes());
        let mut token = Token::default();
        hash.finalize_xof().fill(&mut token);
        token
    }

    /// By which a person is looked for.
    pub fn digests(&self, known: &Known) -> Vec<Digest> {
        known.digests(&self.bytes)
    }
}

/// The key that counts now; `None` if the node above has not given it yet.
pub fn current(app: &App, view: &(impl View + ?Sized)) -> Result<Option<Key>, AppError> {
    if app.nation().parent().is_none() {
        let identity = view.identity()?.ok_or(AppError::Unexpected("a node without identity"))?;
        // A backup that was put back may have forgotten whom it was told of: its incarnation is
        // another one, and everybody tells again.
        let before = rows::number(view, rows::KEYS_BEFORE)?;
        let epoch = u64::from(identity.incarnation) << 8 | before;
        let own = [&app.keys.link[..], &epoch.to_be_bytes()].concat();
        let bytes = blake3::derive_key("ondol 1 key of the index of persons", &own);
        return Ok(Some(Key { epoch, bytes }));
    }
    let Some(value) = view.value(Space::Index, rows::KEY)? else { return Ok(None) };
    let damaged = AppError::Unexpected("the key of the index of persons");
    let Some((epoch, key)) = value.split_first_chunk::<8>() else { return Err(damaged) };
    let bytes = key.try_into().map_err(|_| damaged)?;
    Ok(Some(Key { epoch: u64::from_be_bytes(*epoch), bytes }))
}

/// A node below asks for the key. If it is not here yet, it is handed on when it comes.
pub fn wanted(app: &App, tx: &mut dyn WriteTx, peer: &NodeId) -> Result<(), AppError> {
    match current(app, tx)? {
        Some(key) => give(app, tx, &app.nation(), peer, &key),
        None => Ok(()),
    }
}

/// The node above gives the key: it goes to all below. False if it is not sealed by that node for
/// this one.
pub fn take(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    (parent, epoch, sealed): (&NodeId, u64, &[u8]),
) -> Result<bool, AppError> {
    let Ok((sender, value)) = sealed::open(&app.keys.link, sealed) else { return Ok(false) };
    let above = nation.node(parent).map(|known| known.certificate.link_key);
    let Some((of, bytes)) = value.split_first_chunk::<8>() else { return Ok(false) };
    let (true, Ok(bytes)) = (u64::from_be_bytes(*of) == epoch, bytes.try_into()) else {
        return Ok(false);
    };
    if above != Some(sender) {
        return Ok(false);
    }
    if current(app, tx)?.is_none_or(|known| known.epoch < epoch) {
        tx.set_value(Space::Index, rows::KEY, Some(&value))?;
        hand_down(app, tx, nation, &Key { epoch, bytes })?;
    }
    Ok(true)
}

fn hand_down(app: &App, tx: &mut dyn WriteTx, nation: &Nation, key: &Key) -> Result<(), AppError> {
    // Neighbours as they are now: no node that is believed no more, and whoever was below one.
    let parent = nation.parent();
    for below in nation.neighbours().into_iter().filter(|node| Some(*node) != parent) {
        give(app, tx, nation, &below, key)?;
    }
    Ok(())
}

/// At the top, in the commit that hears that a node is in wrong hands (ADR 0026): the key is there
/// too, so that another one follows. The next tick hands it out. False if there were too many.
pub fn another(tx: &mut dyn WriteTx) -> Result<bool, AppError> {
    let next = rows::number(tx, rows::KEYS_BEFORE)? + 1;
    if next <= KEYS_MAX {
        tx.set_value(Space::Index, rows::KEYS_BEFORE, Some(&next.to_be_bytes()))?;
    }
    Ok(next <= KEYS_MAX)
}

fn give(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    peer: &NodeId,
    key: &Key,
) -> Result<(), AppError> {
    let Some(known) = nation.node(peer) else { return Ok(()) };
    let mut seed = [0; 32];
    app.rng.fill(&mut seed);
    let plain = [&key.epoch.to_be_bytes()[..], &key.bytes].concat();
    // A node for whose key nothing can be sealed gets nothing; others are not held up.
    let sealed = sealed::seal(&known.certificate.link_key, &app.keys.link, &plain, &seed);
    let Ok(sealed) = sealed else { return Ok(()) };
    let index = Index::Key { epoch: key.epoch, sealed };
    road::send(tx, peer, Class::Care, &Message::Index(index)).map(drop)
}

impl App {
    /// Asks the node above for the key, once: the road keeps the question until it is there. A node
    /// that was never heard is not asked, so that nothing waits where nothing can go.
    pub(super) fn want_key(self: &Arc<Self>) -> Result<(), AppError> {
        let Some(parent) = self.nation().parent() else { return Ok(()) };
        let mut is_heard = self.link(&parent).is_some_and(|link| link.is_up);
        for class in Class::ALL {
            is_heard = is_heard || self.delivered_up_to(parent, class)? > 0;
        }
        if !is_heard || self.view()?.value(Space::Index, rows::KEY_ASKED)?.is_some() {
            return Ok(());
        }
        self.transact(move |tx| {
            tx.set_value(Space::Index, rows::KEY_ASKED, Some(&[]))?;
            road::send(tx, &parent, Class::Routine, &Message::Index(Index::KeyWanted)).map(drop)
        })
    }

    /// At the top: hands a new key to those below, and lets go of what was told under the one before.
    pub(super) fn announce_key(self: &Arc<Self>) -> Result<(), AppError> {
        let (key, last) = {
            let view = self.view()?;
            let last = view.value(Space::Index, rows::ANNOUNCED)?;
            (current(self, &*view)?, last)
        };
        let Some(key) = key else { return Ok(()) };
        let epoch = key.epoch.to_be_bytes();
        if last.as_deref() != Some(&epoch) {
            let (app, new) = (self.clone(), key.clone());
            self.transact(move |tx| {
                // The first of all is asked for by each node.
                if new.epoch != 0 {
                    hand_down(&app, tx, &app.nation(), &new)?;
                }
                Ok(tx.set_value(Space::Index, rows::ANNOUNCED, Some(&epoch))?)
            })?;
        }
        self.forget_epochs_before(&key)
    }

    /// At the top, by whoever looks after its links and keys: another key, as after the theft of a
    /// node. Every facility tells of its people again, and what was told before is let go of.
    pub fn renew_index_key(self: &Arc<Self>, actor: &Actor) -> Result<(), AppError> {
        if self.nation().parent().is_some() {
            return Err(AppError::State("not-at-the-top"));
        }
        let (app, actor) = (self.clone(), actor.clone());
        self.transact(move |tx| {
            let own = ChartId::Facility(app.place.facility.clone());
            app.may(&*tx, &actor, Action::ManageRoad, &own, None)?;
            if another(tx)? { Ok(()) } else { Err(AppError::State("too-many-keys")) }
        })?;
        self.announce_key()
    }

    /// Lets go of what belongs to keys before this one, a little at a time.
    pub(super) fn forget_epochs_before(self: &Arc<Self>, key: &Key) -> Result<(), AppError> {
        let old: Vec<Vec<u8>> = {
            let view = self.view()?;
            let mut old = vec![];
            for name in rows::OF_EPOCHS {
                // The oldest epoch stands first.
                for (at, _) in view.values(Space::Index, name, None, FORGOTTEN_AT_ONCE)? {
                    let epoch = at.get(name.len()..name.len() + 8);
                    let epoch = epoch.and_then(|epoch| epoch.try_into().ok());
                    if epoch.map(u64::from_be_bytes).is_none_or(|epoch| epoch >= key.epoch) {
                        break;
                    }
                    old.push(at);
                }
            }
            old
        };
        if old.is_empty() {
            return Ok(());
        }
        ondol_store::transact(&*self.store, move |tx| -> Result<(), AppError> {
            for at in old.iter().take(FORGOTTEN_AT_ONCE) {
                tx.set_value(Space::Index, at, None)?;
            }
            Ok(())
        })
    }
}
