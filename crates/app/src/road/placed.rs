//! A node that hangs below another one from now on (ADR 0030): what is done when a node hears of it.
//!
//! In one commit the placement is kept and handed on, and who became a neighbour is met and gets what
//! goes to it. With who is none any more the link stands until both have heard; then what still waited
//! goes another way.

use std::{collections::BTreeSet, sync::Arc};

use ed25519_dalek::{SigningKey, VerifyingKey};
use ondol_access::Action;
use ondol_kernel::{Class, DAY_MS, NodeId, ResourceId, bytes::Reader};
use ondol_record::{Address, ChartId, Placement, placement::ADDRESS_BYTES_MAX};
use ondol_replicate::{Parcel, message::Message, national::Index};
use ondol_store::{Space, WriteTx};
use serde_json::json;

use super::{
    arrive::{Stop, Taking},
    held, introduce, keys, pack, revoke, scope, send,
};
use crate::{Actor, App, AppError, Changes, Nation, people::document};

/// So long the link with the node that was above stands after it told of the move: it has to learn
/// that this node has heard, ms.
const TOLD_MS: i64 = 600_000;

/// So long a node that moved is waited for, ms: it may have heard by a file, and call its new hospital
/// ever since.
const VAIN_MS: i64 = 7 * DAY_MS;

/// So many keys are looked at before the next are read.
const AT_ONCE: usize = 500;

/// Where to hang a node.
#[derive(Debug, Clone)]
pub struct Moving {
    /// The node.
    pub node: NodeId,
    /// The one above it from now on.
    pub parent: NodeId,
    /// Where that one listens on the road: `host:port`; empty if it is not known.
    pub address: String,
}

/// Whether a node may hang below another: one that is trusted, and not below itself.
fn may_hang(nation: &Nation, node: &NodeId, above: &NodeId) -> bool {
    !nation.is_revoked(above) && !nation.is_within(above, node)
}

impl App {
    /// Takes in a placement that came as a file. Gives whether it holds and is news.
    pub fn take_placement(self: &Arc<Self>, bytes: &[u8]) -> Result<bool, AppError> {
        let Ok((placement, above)) = Placement::read(bytes) else { return Ok(false) };
        // Anybody can send such bytes: nothing is written before it is known who signed them.
        if !is_signed(self, &placement)?
            || self.nation().with_placement(&self.place, &placement)?.is_none()
        {
            return Ok(false);
        }
        if let Some(above) = above {
            self.meet(None, above)?;
        }
        self.hang(None, placement)
    }

    /// Where a node may hang: all that are trusted, but those below itself and the one above it now;
    /// by name.
    pub fn places_for(&self, node: &NodeId) -> Result<Vec<(NodeId, String)>, AppError> {
        let (nation, view) = (self.nation(), self.view()?);
        let above = nation.parent_of(node);
        let mut places = vec![];
        for known in nation.nodes().filter(|known| may_hang(&nation, node, &known.node)) {
            if above != Some(known.node) {
                places.push((known.node, self.node_name(&*view, &known.node)?));
            }
        }
        places.sort_by(|(_, a), (_, b)| a.cmp(b));
        Ok(places)
    }

    /// Hangs a node below another one, with the root key that lies here. Gives the placement as it
    /// travels.
    pub fn move_node(
        self: &Arc<Self>,
        actor: &Actor,
        moving: &Moving,
    ) -> Result<Vec<u8>, AppError> {
        let root = self.root().ok_or(AppError::State("root-key"))?;
        self.move_node_with(actor, &root, moving)
    }

    /// [`App::move_node`] with a root key that is brought along.
    pub fn move_node_with(
        self: &Arc<Self>,
        actor: &Actor,
        root: &SigningKey,
        moving: &Moving,
    ) -> Result<Vec<u8>, AppError> {
        let nation = self.nation();
        let known = nation.node(&moving.node).ok_or(AppError::NotFound)?.certificate.clone();
        if self.practice || moving.node == self.place.node || nation.is_revoked(&moving.node) {
            return Err(AppError::State("own-node"));
        }
        let parent =
            nation.node(&moving.parent).filter(|_| may_hang(&nation, &moving.node, &moving.parent));
        let parent = parent.ok_or(AppError::Field { field: "parent", why: "unknown" })?;
        if nation.parent_of(&moving.node) == Some(moving.parent) {
            return Err(AppError::Field { field: "parent", why: "same" });
        }
        let address = moving.address.trim();
        let has_port = address.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
        });
        let is_written = has_port && !address.contains(char::is_whitespace);
        if address.len() > ADDRESS_BYTES_MAX || !address.is_empty() && !is_written {
            return Err(AppError::Field { field: "address", why: "wrong" });
        }
        let last = nation.placement(&moving.node).map_or(known.issued, |placed| placed.at);
        let placement = Placement {
            node: moving.node,
            parent: moving.parent,
            // A clock that was set back must not make this one count for less.
            at: self.now().max(last.plus(1)),
            address: address.into(),
            signature: [0; 64],
        }
        .signed(root);
        if !is_signed(self, &placement)? {
            return Err(AppError::State("root-key"));
        }
        let above = format!("Organization/{}", parent.certificate.facility);
        self.write_part_of(actor, &known.facility, &above)?;
        if self.hang(None, placement.clone())? {
            Ok(travelling(&self.nation(), &placement))
        } else {
            Err(AppError::Unexpected("a placement was not kept"))
        }
    }

    /// The facility's Organization says where it hangs, too.
    fn write_part_of(
        self: &Arc<Self>,
        actor: &Actor,
        facility: &ResourceId,
        above: &str,
    ) -> Result<(), AppError> {
        let chart = ChartId::Facility(facility.clone());
        // Whoever holds the root key's file may do this on the command line as the node itself.
        let action = if actor.is_node() { Action::CarryEntries } else { Action::InviteNode };
        let (facility, above) = (facility.clone(), above.to_owned());
        self.writing(actor, action, &chart, move |view| {
            let mut changes = Changes::new(Class::Routine);
            let found = view.resource("Organization", &facility)?.ok_or(AppError::NotFound)?;
            let mut organization = document(&found)?;
            organization["resourceType"] = json!("Organization");
            organization["partOf"] = json!({ "reference": above });
            changes.update(&found, organization);
            Ok(changes)
        })?;
        Ok(())
    }

    /// The placement of a node, as it travels: a stick brings it to whom no link reaches.
    pub fn placement_of(&self, node: &NodeId) -> Option<Vec<u8>> {
        let nation = self.nation();
        nation.placement(node).map(|placement| travelling(&nation, placement))
    }

    /// Where the node above listens on the road, if the nation said so when it moved this one there.
    pub fn parent_address(&self) -> Option<String> {
        let nation = self.nation();
        let placement = nation.placement(&self.place.node)?;
        let is_above = nation.parent() == Some(placement.parent);
        (is_above && !placement.address.is_empty()).then(|| placement.address.to_string())
    }

    /// Neighbours that are none any more, but with which the link stands until they have heard.
    pub fn parting(&self) -> Result<Vec<NodeId>, AppError> {
        let all = self.view()?.values(Space::Peer, keys::PARTING, None, usize::MAX)?;
        let node = |key: &[u8]| key.get(keys::PARTING.len()..)?.try_into().ok().map(NodeId);
        Ok(all.iter().filter_map(|(key, _)| node(key)).collect())
    }

    /// Parts with those that have heard, or that are waited for in vain. Gives whether there were
    /// any.
    pub fn part_with_moved(self: &Arc<Self>) -> Result<bool, AppError> {
        let ready: Vec<NodeId> = {
            let (view, now) = (self.view()?, self.now());
            let mut ready = vec![];
            for node in self.parting()? {
                let value = view.value(Space::Peer, &keys::parting(&node))?.unwrap_or_default();
                let damaged = || AppError::Unexpected("a note of a neighbour that moved");
                let (told, since) = value.split_first_chunk::<8>().ok_or_else(damaged)?;
                let since = i64::from_be_bytes(since.try_into().map_err(|_| damaged())?);
                let told = u64::from_be_bytes(*told);
                let wait = if told == 0 { TOLD_MS } else { VAIN_MS };
                let has_heard = told > 0
                    && keys::number(&*view, &keys::acknowledged(&node, Class::Care))? >= told;
                // A clock that was set back does not hold it up for ever.
                if has_heard || !(0..wait).contains(&(now.0 - since)) {
                    ready.push(node);
                }
            }
            ready
        };
        if ready.is_empty() {
            return Ok(false);
        }
        let app = self.clone();
        self.transact(move |tx| {
            let nation = app.nation();
            for node in &ready {
                tx.set_value(Space::Peer, &keys::parting(node), None)?;
                part(&app, tx, &nation, node)?;
            }
            Ok(())
        })?;
        self.take_what_waited()?;
        Ok(true)
    }

    pub(super) fn hang(
        self: &Arc<Self>,
        from: Option<NodeId>,
        placement: Placement,
    ) -> Result<bool, AppError> {
        if self.practice {
            return Ok(false);
        }
        let app = self.clone();
        let is_news = self.changing_nation(|| {
            self.transact(move |tx| place(&app, tx, from.as_ref(), &placement))
        })?;
        if is_news {
            self.take_what_waited()?;
        }
        Ok(is_news)
    }
}

/// Whether the nation's root key signed a placement.
pub fn is_signed(app: &App, placement: &Placement) -> Result<bool, AppError> {
    let root = VerifyingKey::from_bytes(&app.place.root)
        .map_err(|_| AppError::Unexpected("the root key is no key"))?;
    Ok(placement.check(&root).is_ok())
}

fn travelling(nation: &Nation, placement: &Placement) -> Vec<u8> {
    let above = nation.node(&placement.parent).map(|known| &known.certificate);
    placement.with_certificate(above)
}

/// Tells a neighbour of all nodes that moved: it is new here, or begins anew.
pub fn tell_again(tx: &mut dyn WriteTx, nation: &Nation, peer: &NodeId) -> Result<(), AppError> {
    if !nation.neighbours().contains(peer) {
        return Ok(());
    }
    for placement in nation.placements() {
        send(tx, peer, Class::Care, &Message::Placement(travelling(nation, placement)))?;
    }
    Ok(())
}

/// Keeps a placement that holds, hands it on, and does what follows from it; gives whether it says
/// something new.
fn place(
    app: &App,
    tx: &mut dyn WriteTx,
    from: Option<&NodeId>,
    placement: &Placement,
) -> Result<bool, AppError> {
    let before = app.nation();
    let Some(after) = before.keep_placement(tx, &app.place, placement)? else { return Ok(false) };
    let (known, now) = (before.neighbours(), after.neighbours());
    let message = Message::Placement(travelling(&after, placement));
    let everybody: BTreeSet<&NodeId> = known.iter().chain(&now).collect();
    for neighbour in everybody.into_iter().filter(|node| Some(*node) != from) {
        send(tx, neighbour, Class::Care, &message)?;
        // The one above it may not know it, nor those below it.
        if let Some(moved) = after.node(&placement.node)
            && *neighbour != placement.node
        {
            let certificate = Message::Certificate(moved.certificate.to_bytes());
            send(tx, neighbour, Class::Care, &certificate)?;
        }
    }
    revoke::hang_below(app, tx, (&before, &after))?;
    for new in now.iter().filter(|node| !known.contains(node)) {
        introduce::tell_again(app, tx, &after, new)?;
        tell_again(tx, &after, new)?;
    }
    for gone in known.iter().filter(|node| !now.contains(node) && !after.is_revoked(node)) {
        // Told by it, there is nothing to say; but it has to learn that this node has heard.
        let sent = keys::number(tx, &keys::sent(gone, Class::Care))?;
        let told = if Some(gone) == from { 0 } else { sent };
        let value = [told.to_be_bytes(), app.now().0.to_be_bytes()].concat();
        tx.set_value(Space::Peer, &keys::parting(gone), Some(&value))?;
    }
    for back in &now {
        tx.set_value(Space::Peer, &keys::parting(back), None)?;
    }
    Ok(true)
}

/// Where a message goes that was for a neighbour which is one no more.
fn next(after: &Nation, message: &Message) -> Option<NodeId> {
    match message {
        Message::Relay { envelope, .. } => after.way_to(&envelope.to).first().copied(),
        Message::RelayDone { receipt, .. } => after.way_to(&receipt.to).first().copied(),
        // What is told and asked goes up. An answer to somebody below is asked for again.
        Message::Index(Index::Tell { .. } | Index::Want { .. } | Index::KeyWanted) => {
            after.parent()
        }
        _ => None,
    }
}

/// The neighbour that moved away says that it has heard.
fn has_heard(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    (peer, placement): (&NodeId, &Placement),
) -> Result<(), AppError> {
    let parting = keys::parting(peer);
    if placement.node == *peer && tx.value(Space::Peer, &parting)?.is_some() {
        tx.set_value(Space::Peer, &parting, None)?;
        part(app, tx, nation, peer)?;
    }
    Ok(())
}

/// A neighbour is one no more. What waits for it goes another way: what others send past this node at
/// once, charts of which something waits when the way is known, what is said to the node above to the
/// one that is above now. What it holds it keeps; what follows does not go there by itself.
fn part(app: &App, tx: &mut dyn WriteTx, after: &Nation, gone: &NodeId) -> Result<(), AppError> {
    let mut waiting: BTreeSet<ChartId> = BTreeSet::new();
    for class in Class::ALL {
        let prefix = keys::queue_prefix(gone, class);
        let mut last: Option<Vec<u8>> = None;
        loop {
            let some = tx.values(Space::ParcelOut, &prefix, last.as_deref(), AT_ONCE)?;
            let Some((newest, _)) = some.last() else { break };
            last = Some(newest.clone());
            for (_, bytes) in some {
                if let Ok(at) = Address::read(&mut Reader::new(&bytes)) {
                    waiting.extend(tx.entry(&at)?.map(|row| row.entry.chart));
                }
            }
        }
        let prefix = keys::message_prefix(gone, class);
        for (key, bytes) in tx.values(Space::ParcelOut, &prefix, None, usize::MAX)? {
            match Message::decode(&bytes) {
                Ok(Message::Parcel(parcel)) => {
                    let log = held::Log::new(&*tx, [app.place.node, *gone]);
                    let parcel = Parcel::decode_with(&parcel, &log);
                    log.into_result()?;
                    let Ok(parcel) = parcel else {
                        // Which charts waited in it cannot be said: whoever looks after the node
                        // sees that it is there.
                        pack::put_aside(tx, &key, &bytes)?;
                        continue;
                    };
                    let entries = parcel.batches.into_iter().flat_map(|batch| batch.entries);
                    waiting.extend(entries.map(|entry| entry.chart));
                }
                Ok(
                    message @ (Message::Relay { .. }
                    | Message::RelayDone { .. }
                    | Message::Index(_)),
                ) => {
                    if let Some(next) = next(after, &message) {
                        send(tx, &next, class, &message)?;
                    }
                }
                _ => {}
            }
        }
    }
    revoke::cut_off(tx, gone)?;
    for (key, _) in tx.values(Space::Scope, &gone.0, None, usize::MAX)? {
        let chart = ChartId::read(&mut Reader::new(&key[gone.0.len()..]));
        let chart = chart.map_err(|_| AppError::Unexpected("a chart that a node had"))?;
        scope::withdraw(tx, gone, &chart)?;
    }
    for chart in waiting.iter().filter(|chart| matches!(chart, ChartId::Patient(_))) {
        tx.set_value(Space::Peer, &keys::onward(gone, chart), Some(&[]))?;
    }
    Ok(())
}

impl Taking<'_> {
    /// Takes in a placement; false if it is none.
    pub(super) fn placement(&mut self, peer: &NodeId, bytes: &[u8]) -> Result<bool, Stop> {
        let Ok((placement, above)) = Placement::read(bytes) else { return Ok(false) };
        self.meet_first(above.as_slice())?;
        if !is_signed(self.app, &placement)? {
            return Ok(false);
        }
        let nation = self.app.nation();
        if nation.with_placement(&self.app.place, &placement)?.is_some() {
            return Err(Stop::Place(Box::new(placement)));
        }
        has_heard(self.app, self.tx, &nation, (peer, &placement))?;
        Ok(true)
    }
}
