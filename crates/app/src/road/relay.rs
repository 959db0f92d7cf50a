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
    let mut seed = [0; 32];
    app.rng.fill(&mut seed);
    let known = nation.node(to).ok_or(AppError::Unexpected("a relayed node is not known"))?;
    let sealed = sealed::seal(&known.certificate.link_key, &app.keys.link, plain, &seed)
        .map_err(|_| AppError::Unexpected("a message could not be sealed"))?;
    let relay = Message::Relay { from: app.place.node, to: *to, class, number, sealed };
    let next = nation.way_to(to).first().copied();
    let next = next.ok_or(AppError::Unexpected("no way to a relayed node"))?;
    send(tx, &next, class, &relay)?;
    Ok(())
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
    /// way may have been lost with what it carried. Called rarely (hours apart).
    pub fn relay_again(self: &std::sync::Arc<Self>) -> Result<(), AppError> {
        let app = self.clone();
        self.transact(move |tx| {
            for (key, _) in tx.values(Space::Peer, keys::RELAYED, None, usize::MAX)? {
                let Ok(id) = key[keys::RELAYED.len()..].try_into() else { continue };
                let to = NodeId(id);
                for class in Class::ALL {
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
        send(tx, &next, *class, message)?;
        return Ok(Passed::HandedOn);
    }
    let Ok((sender, plain)) = sealed::open(&app.keys.link, bytes) else {
        return Ok(Passed::Refused);
    };
    // Certificates of relayed senders travel with their first parcel, so that an unknown sender
    // can only be checked by what is inside: entries are signed in any case.
    if let Some(known) = nation.node(from)
        && known.certificate.link_key != sender
    {
        return Ok(Passed::Refused);
    }
    tx.set_value(Space::Peer, &keys::relayed(from), Some(&[]))?;
    Ok(Passed::Opened(*from, *class, *number, plain))
}
