//! A data directory that is a copy of another: a backup that was put back, a disk that was
//! cloned. What the node writes and sends from then on has to be told from what the other copy
//! wrote and sent after they parted (ADR 0002, 0009).

use std::sync::Arc;

use ondol_kernel::{Class, DAY_MS, Millis, NodeId, Rng};
use ondol_replicate::message::Message;
use ondol_store::{Space, View, WriteTx};

use super::{LET_GO_AT_ONCE, compare, keys, relay};
use crate::{App, AppError};

/// How far apart incarnations are at the most where the clock does not tell them apart. Two
/// restorations of the same backup know nothing of each other, so that chance has to.
const STEP_BITS: u32 = 24;

/// From when on incarnations follow the clock: 1 January 2026, ms.
const CLOCK_FROM_MS: i64 = 1_767_225_600_000;

/// Those of so long have the same beginning, ms.
const CLOCK_STEP_MS: i64 = 4_096_000;

/// The end of an incarnation is chance: copies of one disk that start within the same hour.
const CHANCE_BITS: u32 = 14;

/// In [`Space::Node`]: by what the place of the record was recognised the last time.
const HOME: &[u8] = b"home";

/// In [`Space::Node`]: when the record was last put back (ms, 8, big-endian).
const PUT_BACK: &[u8] = b"put-back";

/// So long people are told of it: sticks take days.
const TOLD_FOR_MS: i64 = 14 * DAY_MS;

impl App {
    /// When this record was put back from a backup, or moved here, if that was in the last two weeks:
    /// what others have of the time between comes back by and by, and whoever shows a chart has to
    /// say that it may be missing.
    pub fn put_back_at(&self) -> Result<Option<Millis>, AppError> {
        put_back_at(&*self.view()?, self.now())
    }

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

/// See [`App::put_back_at`].
pub fn put_back_at(view: &dyn View, now: Millis) -> Result<Option<Millis>, AppError> {
    let Some(value) = view.value(Space::Node, PUT_BACK)? else { return Ok(None) };
    let at = value.try_into().map_err(|_| AppError::Unexpected("when it was put back"))?;
    let at = Millis(i64::from_be_bytes(at));
    // A clock that was set back since does not hide it.
    Ok((now.0.saturating_sub(at.0) < TOLD_FOR_MS).then_some(at))
}

fn begin_anew(app: &App, tx: &mut dyn WriteTx) -> Result<u32, AppError> {
    let mut identity = tx.identity()?.ok_or(AppError::Unexpected("a store without identity"))?;
    identity.incarnation = later(identity.incarnation, app.now(), &*app.rng)?;
    tx.set_identity(&identity)?;
    tx.set_value(Space::Node, PUT_BACK, Some(&app.now().0.to_be_bytes()))?;
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

/// An incarnation after one. It follows the clock if that can be, so that of several restorations of
/// one backup the last has the highest: others take the highest for the present one, and of two keys of
/// the nation's index the one of the later ministry.
fn later(incarnation: u32, now: Millis, rng: &dyn Rng) -> Result<u32, AppError> {
    let mut chance = [0; 4];
    rng.fill(&mut chance);
    let chance = u32::from_le_bytes(chance);
    let steps = now.0.saturating_sub(CLOCK_FROM_MS).div_euclid(CLOCK_STEP_MS);
    let by_clock = u32::try_from(steps).ok().and_then(|steps| steps.checked_mul(1 << CHANCE_BITS));
    let by_clock = by_clock.map(|start| start | chance >> (u32::BITS - CHANCE_BITS));
    let by_chance = incarnation.checked_add((chance >> (u32::BITS - STEP_BITS)) + 1);
    // The greatest is the practice room's.
    by_clock
        .filter(|&next| next > incarnation && next < u32::MAX)
        .or(by_chance.filter(|&next| next < u32::MAX))
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

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);

    impl Rng for Always {
        fn fill(&self, to: &mut [u8]) {
            to.fill(self.0);
        }
    }

    #[test]
    fn incarnations_follow_the_clock_and_grow_without_it() {
        let at = |hours: i64| Millis(CLOCK_FROM_MS + hours * 3_600_000);
        let later = |before, now, chance| later(before, now, &Always(chance)).unwrap();
        // Whatever chance says, two hours later is higher.
        assert!(later(0, at(100), 255) < later(0, at(102), 0));
        // Within the hour chance keeps two copies apart.
        assert_ne!(later(0, at(100), 1), later(0, at(100), 2));
        // A clock of 1970, and one that is behind: higher all the same.
        let high = later(0, at(50_000), 7);
        for now in [Millis(0), at(-5), at(10)] {
            assert!(later(high, now, 0) > high, "{now:?}");
        }
        // A clock far in the future does not use up what there is.
        assert!(later(5, at(10_000_000), 255) < 1 << 25);
        assert!(super::later(u32::MAX - 1, at(1), &Always(0)).is_err());
    }
}
