//! Messages for a node behind a tier that must not read them.

use ondol_kernel::{Class, NodeId};
use ondol_replicate::{
    message::Message,
    relay::{Envelope, Receipt},
};
use ondol_store::{Space, WriteTx};

use super::{keys, numbers, pack, queue, send};
use crate::{App, AppError, Nation};

/// Sends a message to a peer: to a neighbour as it is, to others sealed.
pub fn send_on(
    app: &App,
    tx: &mut dyn WriteTx,
    to: &NodeId,
    class: Class,
    message: &Message,
) -> Result<(), AppError> {
    if app.nation().neighbours().contains(to) {
        send(tx, to, class, message).map(drop)
    } else {
        send_sealed(app, tx, to, class, message)
    }
}

/// Seals a message to `to`, keeps it until `to` holds it, and hands it to the first node of the
/// way.
pub fn send_sealed(
    app: &App,
    tx: &mut dyn WriteTx,
    to: &NodeId,
    class: Class,
    message: &Message,
) -> Result<(), AppError> {
    let number = send(tx, to, class, message)?;
    pass_on(app, tx, to, (class, number), &message.encode())
}

pub fn pass_on(
    app: &App,
    tx: &mut dyn WriteTx,
    to: &NodeId,
    (class, number): (Class, u64),
    plain: &[u8],
) -> Result<(), AppError> {
    let nation = app.nation();
    let (Some(known), Some(next)) = (nation.node(to), nation.way_to(to).first().copied()) else {
        // It is kept, and goes when there is a way.
        return Ok(());
    };
    let mut seed = [0; 32];
    app.rng.fill(&mut seed);
    let epoch = numbers::own_epoch(tx)?;
    let first = keys::number(tx, &keys::acknowledged(to, class))? + 1;
    let envelope = Envelope { from: app.place.node, to: *to, class, epoch, number, first };
    let relay = envelope.seal(&known.certificate.link_key, &app.keys.link, plain, &seed);
    // A key for which nothing can be sealed is one by which nothing goes; others are not held up.
    let Ok(relay) = relay else { return Ok(()) };
    let envelope = send(tx, &next, class, &relay)?;
    keys::set_number(tx, &keys::passed_on(to, class), envelope)
}

/// So many messages of a class to a relayed peer are on their way at once: what is behind them
/// stays in the queue, where more entries join the next parcel.
const ON_THE_WAY_MAX: usize = 32;

/// Packs what waits for the peers that are reached through `next`.
pub fn tend(app: &std::sync::Arc<App>, next: &NodeId, class: Class) -> Result<(), AppError> {
    let nation = app.nation();
    let relayed = app.view()?.values(Space::Peer, keys::RELAYED, None, usize::MAX)?;
    for (key, _) in relayed {
        let Ok(id) = key[keys::RELAYED.len()..].try_into() else { continue };
        let peer = NodeId(id);
        if nation.way_to(&peer).first() != Some(next) {
            continue;
        }
        let prefix = keys::message_prefix(&peer, class);
        let on_the_way = app.view()?.values(Space::ParcelOut, &prefix, None, ON_THE_WAY_MAX)?.len();
        let room = ON_THE_WAY_MAX - on_the_way;
        if room > 0 && queue::has_queued(&*app.view()?, &peer, class)? {
            pack::pack(app, peer, class, room)?;
        }
        if room > 0 {
            app.feed_blobs(peer, class, room)?;
        }
    }
    Ok(())
}

impl App {
    /// Hands messages to relayed peers on again that are still not acknowledged: a node on the
    /// way may have been lost with what it carried. Called rarely (hours apart). What the first
    /// node of the way does not hold yet waits for it anyway, and is not doubled.
    pub fn relay_again(self: &std::sync::Arc<Self>) -> Result<(), AppError> {
        self.take_what_waited()?;
        let app = self.clone();
        self.transact(move |tx| {
            for (key, _) in tx.values(Space::Peer, keys::RELAYED, None, usize::MAX)? {
                let Ok(id) = key[keys::RELAYED.len()..].try_into() else { continue };
                let to = NodeId(id);
                let next = app.nation().way_to(&to).first().copied();
                let Some(next) = next else { continue };
                for class in Class::ALL {
                    let envelope = keys::number(tx, &keys::passed_on(&to, class))?;
                    if keys::number(tx, &keys::acknowledged(&next, class))? < envelope {
                        continue;
                    }
                    let prefix = keys::message_prefix(&to, class);
                    for (key, plain) in tx.values(Space::ParcelOut, &prefix, None, usize::MAX)? {
                        let number = keys::last_number(&key)?;
                        pass_on(&app, tx, &to, (class, number), &plain)?;
                    }
                }
            }
            Ok(())
        })
    }
}

/// A relayed message came by: it is opened if it is for this node, else handed on.
pub enum Passed {
    /// It was for this node, in an envelope that its sender proved: plain bytes.
    Opened(Vec<u8>),
    /// It was handed on.
    HandedOn,
    /// It could not be opened, or there is no way on; it is dropped, and the sender keeps it.
    Refused,
    /// It is for this node, from one that nobody introduced yet: plain bytes.
    Unknown(Vec<u8>),
}

/// Opens or hands on.
pub fn pass(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    (peer, envelope): (&NodeId, &Envelope),
    sealed: &[u8],
) -> Result<Passed, AppError> {
    let Envelope { from, to, class, .. } = envelope;
    if nation.way_to(from).first().is_some_and(|next| next != peer) {
        // Its sender would have sent it another way.
        return Ok(Passed::Refused);
    }
    if nation.is_revoked(from) || nation.is_revoked(to) {
        return Ok(Passed::Refused);
    }
    if *to != app.place.node {
        let Some(next) = nation.way_to(to).first().copied() else { return Ok(Passed::Refused) };
        // What still waits for the next node from before is not doubled.
        let key = keys::handing_on(envelope);
        let before = keys::number(tx, &key)?;
        if before == 0 || before <= keys::number(tx, &keys::acknowledged(&next, *class))? {
            let message = Message::Relay { envelope: *envelope, sealed: sealed.to_vec() };
            let number = send(tx, &next, *class, &message)?;
            keys::set_number(tx, &key, number)?;
        }
        return Ok(Passed::HandedOn);
    }
    let Ok((sender, plain)) = envelope.open(&app.keys.link, sealed) else {
        return Ok(Passed::Refused);
    };
    match nation.node(from) {
        None => return Ok(Passed::Unknown(plain)),
        Some(known) if known.certificate.link_key != sender => return Ok(Passed::Refused),
        Some(_) => {}
    }
    tx.set_value(Space::Peer, &keys::relayed(from), Some(&[]))?;
    Ok(Passed::Opened(plain))
}

/// Tells the sender of a relayed message what is held of its messages, so that nobody on the way
/// can say it instead.
pub fn acknowledge(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    envelope: &Envelope,
) -> Result<(), AppError> {
    let Envelope { from: sender, class, epoch, .. } = *envelope;
    let (Some(known), Some(next)) = (nation.node(&sender), nation.way_to(&sender).first().copied())
    else {
        return Ok(());
    };
    let up_to = keys::number(tx, &keys::got(&sender, epoch, class))?;
    let receipt = Receipt { from: app.place.node, to: sender, class, epoch, up_to };
    let mut seed = [0; 32];
    app.rng.fill(&mut seed);
    match receipt.prove(&known.certificate.link_key, &app.keys.link, &seed) {
        Ok(message) => send(tx, &next, class.min(Class::Care), &message).map(drop),
        // What it sent came sealed, so that its key can be used; if not, it sends again.
        Err(_) => Ok(()),
    }
}

/// A receipt came by: it is handed on, or counts if the node that it names made it.
pub fn receipt(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    (peer, receipt): (&NodeId, &Receipt),
    proof: &[u8],
) -> Result<bool, AppError> {
    let Receipt { from, to, class, epoch, up_to } = *receipt;
    if nation.is_revoked(&from) || nation.is_revoked(&to) {
        // What it says counts for nothing, and it is not put aside.
        return Ok(true);
    }
    // It comes the way on which its maker is reached: nobody else can have it.
    if nation.way_to(&from).first() != Some(peer) {
        return Ok(false);
    }
    if to != app.place.node {
        let Some(next) = nation.way_to(&to).first().copied() else { return Ok(false) };
        let message = Message::RelayDone { receipt: *receipt, proof: proof.to_vec() };
        send(tx, &next, class.min(Class::Care), &message)?;
        return Ok(true);
    }
    let maker = nation.node(&from).map(|known| known.certificate.link_key);
    if receipt.proved_by(&app.keys.link, proof).ok() != maker || maker.is_none() {
        return Ok(false);
    }
    if epoch == numbers::own_epoch(tx)? {
        super::delivered(tx, &from, class, up_to)?;
    }
    Ok(true)
}
