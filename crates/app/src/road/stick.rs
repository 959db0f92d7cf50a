//! The road on foot: a courier carries a file (ADR 0010). Files and folders belong to the caller.

use std::sync::Arc;

use ondol_access::Action;
use ondol_kernel::{Class, Millis, NodeId};
use ondol_record::ChartId;
use ondol_replicate::stick::{self, BadStick, Item, NationId, Party, Recipient, StickContent};

use super::{Arrival, keys, scope};
use crate::{Actor, App, AppError};

/// What was put on a stick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StickOut {
    /// The file.
    pub bytes: Vec<u8>,
    /// A name for it that says from where and which, and nothing about anybody.
    pub file_name: String,
    /// This node's certificate, to lie beside it: a reader that never met this node needs it.
    pub certificate: Vec<u8>,
    /// Messages on it.
    pub messages: u64,
    /// For whom.
    pub readers: Vec<NodeId>,
    /// Whether more waits than one file holds: carry again when this one was acknowledged.
    pub more_waits: bool,
}

/// What a stick brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StickIn {
    /// Who wrote it.
    pub from: Option<NodeId>,
    /// When, by the writer's clock.
    pub made_at: Millis,
    /// Messages that were new.
    pub arrived: u64,
    /// Messages that were here already.
    pub known: u64,
    /// Messages that cannot be used and were put aside.
    pub quarantined: u64,
    /// Frames that were lost and could not be mended.
    pub lost_frames: u32,
    /// Whether the file's end is missing.
    pub truncated: bool,
    /// Whether it acknowledged something of ours.
    pub acknowledged: bool,
}

/// The messages of one class that a stick takes at the most; what is left goes on the next.
const MESSAGES_MAX: usize = 2_000;

/// Bytes of messages on one stick, well below what a file can hold.
const BYTES_MAX: usize = 24 << 20;

impl App {
    /// Writes everything that waits for the neighbours, and what this node holds of theirs, as
    /// one file that only they can read. It is kept here until they acknowledge it.
    pub fn stick_out(self: &Arc<Self>, actor: &Actor) -> Result<StickOut, AppError> {
        self.may_carry(actor)?;
        let nation = self.nation();
        let neighbours = nation.neighbours();
        let to: Vec<Recipient> = neighbours
            .iter()
            .filter_map(|node| {
                let link_key = nation.node(node)?.certificate.link_key;
                Some(Recipient { node: *node, link_key })
            })
            .take(stick::READERS_MAX)
            .collect();
        if to.is_empty() {
            return Err(AppError::State("no-neighbour"));
        }
        let (items, more_waits) = self.stick_items(&to)?;
        let messages = items.iter().filter(|i| matches!(i, Item::Message { .. })).count() as u64;
        let sequence = self.next_stick()?;
        let content = StickContent { to, made_at: self.now(), sequence, items };
        let mut seed = [0; 32];
        self.rng.fill(&mut seed);
        let bytes = stick::write(&content, &self.party(), &seed)
            .map_err(|_| AppError::Unexpected("a stick could not be written"))?;
        let own = self.place.node.to_string();
        Ok(StickOut {
            bytes,
            file_name: format!("ondol-{}-{sequence}.stick", &own[..8]),
            certificate: self.own_certificate(),
            messages,
            readers: content.to.iter().map(|reader| reader.node).collect(),
            more_waits,
        })
    }

    /// Everything that waits for the readers, most urgent first, as far as it fits.
    fn stick_items(self: &Arc<Self>, to: &[Recipient]) -> Result<(Vec<Item>, bool), AppError> {
        let (mut items, mut bytes, mut more_waits) = (vec![], 0, false);
        for class in Class::ALL {
            for reader in to {
                let up_to = self.arrived_up_to(reader.node, class)?;
                if up_to > 0 {
                    items.push(Item::Ack { to: reader.node, class, up_to });
                }
                self.feed_blobs(reader.node, class, MESSAGES_MAX)?;
                for message in self.outgoing(reader.node, class, MESSAGES_MAX)? {
                    bytes += message.bytes.len();
                    if bytes > BYTES_MAX {
                        more_waits = true;
                        break;
                    }
                    items.push(Item::Message {
                        to: reader.node,
                        class,
                        number: message.number,
                        bytes: message.bytes,
                    });
                }
            }
        }
        Ok((items, more_waits))
    }

    /// Takes in a stick: all copies of one file that were found. What is sound is kept, whatever
    /// else is damaged.
    pub fn stick_in(
        self: &Arc<Self>,
        actor: &Actor,
        copies: &[&[u8]],
    ) -> Result<StickIn, AppError> {
        self.may_carry(actor)?;
        let nation = self.nation();
        let key = |node: &NodeId| Some(nation.node(node)?.certificate.link_key);
        let read = stick::read(copies, &self.party(), &key).map_err(AppError::Stick)?;
        let peers = scope::peers(&nation, &*self.view()?)?;
        if !peers.contains(&read.from) {
            return Err(AppError::Stick(BadStick::UnknownSender { from: read.from }));
        }
        let mut result = StickIn {
            from: Some(read.from),
            made_at: read.made_at,
            lost_frames: read.lost_frames,
            truncated: read.truncated,
            ..StickIn::default()
        };
        for item in read.items.into_iter().filter(|item| item.to() == self.place.node) {
            match item {
                Item::Ack { class, up_to, .. } => {
                    result.acknowledged |= up_to > self.delivered_up_to(read.from, class)?;
                    self.delivered(read.from, class, up_to)?;
                }
                Item::Message { class, number, bytes, .. } => {
                    match self.arrive(read.from, class, number, &bytes)? {
                        Arrival::Done => result.arrived += 1,
                        Arrival::Known => result.known += 1,
                        Arrival::Quarantined => result.quarantined += 1,
                    }
                }
            }
        }
        Ok(result)
    }

    fn may_carry(&self, actor: &Actor) -> Result<(), AppError> {
        let action = if actor.is_node() { Action::CarryEntries } else { Action::CarryStick };
        let own = ChartId::Facility(self.place.facility.clone());
        let grounds = self.may(&*self.view()?, actor, action, &own, None)?;
        if !actor.is_node() {
            self.record_reading(actor, action, &own, &grounds, "")?;
        }
        Ok(())
    }

    fn party(&self) -> Party<'_> {
        Party {
            nation: NationId::of_root_key(&self.place.root),
            node: self.place.node,
            link_private: &self.keys.link,
        }
    }

    /// A number for a stick, never used before.
    fn next_stick(&self) -> Result<u64, AppError> {
        ondol_store::transact(&*self.store, |tx| {
            let number = keys::number(tx, b"sticks")? + 1;
            keys::set_number(tx, b"sticks", number)?;
            Ok(number)
        })
    }
}
