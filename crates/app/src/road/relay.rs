//! Messages for a node behind a tier that must not read them.

use ondol_kernel::{Class, NodeId};
use ondol_replicate::{message::Message, sealed};
use ondol_store::{Space, WriteTx};

use super::{keys, pack, queue, send};
use crate::{App, AppError, Nation};

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

fn pass_on(
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
    let sealed = sealed::seal(&known.certificate.link_key, &app.keys.link, plain, &seed);
    // A key for which nothing can be sealed is one by which nothing goes; others are not held up.
    let Ok(sealed) = sealed else { return Ok(()) };
    let relay = Message::Relay { from: app.place.node, to: *to, class, number, sealed };
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
    /// It was for this node: (sender, class, number, plain bytes).
    Opened(NodeId, Class, u64, Vec<u8>),
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
    message: &Message,
) -> Result<Passed, AppError> {
    let Message::Relay { from, to, class, number, sealed: bytes } = message else {
        return Ok(Passed::Refused);
    };
    if *to != app.place.node {
        let Some(next) = nation.way_to(to).first().copied() else { return Ok(Passed::Refused) };
        // What still waits for the next node from before is not doubled.
        let key = keys::handing_on(from, to, *class, *number);
        let before = keys::number(tx, &key)?;
        if before == 0 || before <= keys::number(tx, &keys::acknowledged(&next, *class))? {
            let envelope = send(tx, &next, *class, message)?;
            keys::set_number(tx, &key, envelope)?;
        }
        return Ok(Passed::HandedOn);
    }
    let Ok((sender, plain)) = sealed::open(&app.keys.link, bytes) else {
        return Ok(Passed::Refused);
    };
    match nation.node(from) {
        None => return Ok(Passed::Unknown(plain)),
        Some(known) if known.certificate.link_key != sender => return Ok(Passed::Refused),
        Some(_) => {}
    }
    tx.set_value(Space::Peer, &keys::relayed(from), Some(&[]))?;
    Ok(Passed::Opened(*from, *class, *number, plain))
}
