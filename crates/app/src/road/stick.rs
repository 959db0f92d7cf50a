//! The road on foot: a courier carries a file (ADR 0010). Files and folders belong to the caller.

use std::sync::Arc;

use ondol_access::Action;
use ondol_kernel::{Class, Millis, NodeId};
use ondol_record::ChartId;
use ondol_replicate::stick::{self, BadStick, Item, NationId, Party, Recipient, StickContent};

use super::{Arrival, carried, scope, status};
use crate::{Actor, App, AppError, founding};

/// What was put on a stick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StickOut {
    /// The file.
    pub bytes: Vec<u8>,
    /// A name for it that says from where and which, and nothing about anybody.
    pub file_name: String,
    /// This node's certificate, which also stands at the end of `bytes`: a reader that never met
    /// this node needs it.
    pub certificate: Vec<u8>,
    /// Messages on it.
    pub messages: u64,
    /// For whom.
    pub reader: NodeId,
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
    /// The writer's number for it.
    pub sequence: u64,
    /// Messages that were new.
    pub arrived: u64,
    /// Messages that were here already.
    pub known: u64,
    /// Messages that cannot be used and were put aside.
    pub quarantined: u64,
    /// Frames that were lost and could not be mended.
    pub lost_frames: u32,
    /// Frames that were damaged and mended: the stick wears out.
    pub mended_frames: u32,
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
    /// Writes everything that waits for a neighbour, and what this node holds of its messages, as
    /// one file that only that neighbour can read. All of it is kept here until the neighbour
    /// acknowledges it.
    pub fn stick_for(self: &Arc<Self>, actor: &Actor, to: NodeId) -> Result<StickOut, AppError> {
        self.may_carry(actor)?;
        let nation = self.nation();
        if !nation.neighbours().contains(&to) {
            return Err(AppError::NotFound);
        }
        let link_key = self.reader_key(to)?.ok_or(AppError::State("no-neighbour"))?;
        let reader = Recipient { node: to, link_key };
        let (items, more_waits) = self.stick_items(to)?;
        let made_at = self.now();
        let (sequence, messages) = self.note_carried(to, made_at, &items)?;
        let content = StickContent { to: vec![reader], made_at, sequence, items };
        let mut seed = [0; 32];
        self.rng.fill(&mut seed);
        let mut bytes = stick::write(&content, &self.party(), &seed)
            .map_err(|_| AppError::Unexpected("a stick could not be written"))?;
        let certificate = self.own_certificate();
        carried::put_certificate(&mut bytes, &certificate);
        let own = self.place.node.to_string();
        let file_name = format!("ondol-{}-{sequence}.stick", &own[..8]);
        Ok(StickOut { bytes, file_name, certificate, messages, reader: to, more_waits })
    }

    /// [`App::stick_for`] each neighbour: what is for one cannot be read by another.
    pub fn sticks_out(self: &Arc<Self>, actor: &Actor) -> Result<Vec<StickOut>, AppError> {
        let nation = self.nation();
        let mut neighbours = nation.neighbours();
        // A neighbour whose key is not known cannot be written to yet.
        for (at, node) in neighbours.clone().iter().enumerate().rev() {
            if self.reader_key(*node)?.is_none() {
                neighbours.remove(at);
            }
        }
        if neighbours.is_empty() {
            return Err(AppError::State("no-neighbour"));
        }
        neighbours.into_iter().map(|node| self.stick_for(actor, node)).collect()
    }

    /// The key for which a stick for a neighbour is sealed: by its certificate, or, for the node
    /// above, by the invitation with which this one joined.
    fn reader_key(&self, node: NodeId) -> Result<Option<[u8; 32]>, AppError> {
        let nation = self.nation();
        match nation.node(&node) {
            Some(known) => Ok(Some(known.certificate.link_key)),
            None if nation.parent() == Some(node) => founding::invited_by(&*self.view()?),
            None => Ok(None),
        }
    }

    /// Everything that waits for a reader, most urgent first, as far as it fits.
    fn stick_items(self: &Arc<Self>, to: NodeId) -> Result<(Vec<Item>, bool), AppError> {
        let (mut items, mut bytes) = (vec![], 0);
        let (own, theirs) = (self.own_epoch()?, self.peer_epoch(to)?);
        for class in Class::ALL {
            let up_to = self.arrived_up_to_in(to, theirs, class)?;
            if up_to > 0 {
                items.push(Item::Ack { to, class, epoch: theirs, up_to });
            }
            let held = self.delivered_up_to(to, class)?;
            if held > 0 {
                items.push(Item::First { to, class, epoch: own, number: held + 1 });
            }
        }
        for class in Class::ALL {
            self.feed_for_stick(to, class)?;
            let messages = self.outgoing(to, class, MESSAGES_MAX)?;
            let as_many_as_fit = messages.len() == MESSAGES_MAX;
            for message in messages {
                bytes += message.bytes.len();
                if bytes > BYTES_MAX {
                    return Ok((items, true));
                }
                let (number, bytes) = (message.number, message.bytes);
                items.push(Item::Message { to, class, epoch: own, number, bytes });
            }
            if as_many_as_fit {
                return Ok((items, true));
            }
        }
        Ok((items, false))
    }

    /// Turns so many bytes of pictures into messages as one stick takes.
    fn feed_for_stick(self: &Arc<Self>, to: NodeId, class: Class) -> Result<(), AppError> {
        let waiting = status::of_class(&*self.view()?, &to, class)?.messages_waiting;
        let room = MESSAGES_MAX.saturating_sub(usize::try_from(waiting).unwrap_or(usize::MAX));
        if room > 0 {
            self.feed_blobs(to, class, room)?;
        }
        Ok(())
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
        if nation.is_revoked(&read.from) {
            return Err(AppError::Stick(BadStick::Revoked { from: read.from }));
        }
        let peers = scope::peers(&nation, &*self.view()?)?;
        if !peers.contains(&read.from) {
            return Err(AppError::Stick(BadStick::UnknownSender { from: read.from }));
        }
        let mut result = StickIn {
            from: Some(read.from),
            made_at: read.made_at,
            sequence: read.sequence,
            lost_frames: read.lost_frames,
            mended_frames: read.mended_frames,
            truncated: read.truncated,
            ..StickIn::default()
        };
        for item in read.items.into_iter().filter(|item| item.to() == self.place.node) {
            match item {
                Item::Ack { class, epoch, up_to, .. } => {
                    result.acknowledged |= self.delivered_in(read.from, epoch, class, up_to)?;
                }
                Item::First { class, epoch, number, .. } => {
                    self.skipped_in(read.from, epoch, class, number)?;
                }
                Item::Message { class, epoch, number, bytes, .. } => {
                    match self.arrive_in(read.from, epoch, class, number, &bytes)? {
                        Arrival::Done => result.arrived += 1,
                        Arrival::Known => result.known += 1,
                        Arrival::Quarantined => result.quarantined += 1,
                        // It was revoked by what the same stick brought.
                        Arrival::Refused => break,
                    }
                }
            }
        }
        Ok(result)
    }

    pub(super) fn may_carry(&self, actor: &Actor) -> Result<(), AppError> {
        if self.practice {
            return Err(AppError::State("practice"));
        }
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
}
