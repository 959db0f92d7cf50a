//! Items: what a stick carries, as one stream of bytes laid over the frames (ADR 0010, 'Items').
//!
//! A frame's 992 plain bytes are a 16-bit number, where in the following 990 bytes the first
//! item begins (`ffff`: none does), and those bytes. So reading goes on after a lost frame with
//! the next item that begins. An item is a kind (1: message, 2: acknowledgement, 3: the first
//! number that is kept), the node it is for, a class, the epoch in which the number counts, a
//! number, for a message its length and bytes, and a 16-byte proof: the front of keyed BLAKE3 of what stands before, under the own key of the reader it is for.
//! Other readers of the file do not know that key and cannot alter an item that is not for
//! them. Zeros follow the last item.

use ondol_kernel::{
    Class, NodeId,
    bytes::{BadBytes, Reader, put_bytes, put_number},
};

use super::{
    Item,
    frame::{PLAIN_BYTES, Plain},
};
use crate::message::MESSAGE_BYTES_MAX;

/// Bytes of items in a frame.
pub(super) const FRAME_CONTENT_BYTES: usize = PLAIN_BYTES - 2;
const PROOF_BYTES: usize = 16;
/// Kind, node, class, epoch, number, length: the most that stands before a message's bytes.
const ITEM_HEAD_BYTES_MAX: usize = 1 + 16 + 1 + 10 + 10 + 10;
const NONE_BEGINS: u16 = u16::MAX;

const END: u8 = 0;
const MESSAGE: u8 = 1;
const ACK: u8 = 2;
const FIRST: u8 = 3;

/// The key with which a reader tells that an item comes from the sender.
pub(super) type ProofKey = [u8; 32];

fn proof(key: &ProofKey, item: &[u8]) -> [u8; PROOF_BYTES] {
    let mut proof = [0; PROOF_BYTES];
    proof.copy_from_slice(&blake3::keyed_hash(key, item).as_bytes()[..PROOF_BYTES]);
    proof
}

/// Items packed one behind the other, with room for their proofs.
#[derive(Default)]
pub(super) struct Packed {
    bytes: Vec<u8>,
    /// Where each begins, where its proof stands, and for which reader it is.
    places: Vec<(usize, usize, usize)>,
}

impl Packed {
    /// Appends an item for a reader.
    pub fn push(&mut self, item: &Item, reader: usize) {
        let begins = self.bytes.len();
        let (kind, to, class, epoch, number) = match item {
            Item::Message { to, class, epoch, number, .. } => (MESSAGE, to, class, epoch, number),
            Item::Ack { to, class, epoch, up_to } => (ACK, to, class, epoch, up_to),
            Item::First { to, class, epoch, number } => (FIRST, to, class, epoch, number),
        };
        self.bytes.push(kind);
        self.bytes.extend_from_slice(&to.0);
        self.bytes.push(class.code());
        put_number(&mut self.bytes, *epoch);
        put_number(&mut self.bytes, *number);
        if let Item::Message { bytes, .. } = item {
            put_bytes(&mut self.bytes, bytes);
        }
        self.places.push((begins, self.bytes.len(), reader));
        self.bytes.extend_from_slice(&[0; PROOF_BYTES]);
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Writes the proofs; `keys` has one for each reader.
    pub fn prove(&mut self, keys: &[ProofKey]) {
        for &(begins, proof_at, reader) in &self.places {
            let proof = proof(&keys[reader], &self.bytes[begins..proof_at]);
            self.bytes[proof_at..proof_at + PROOF_BYTES].copy_from_slice(&proof);
        }
    }

    /// How many frames they fill.
    pub const fn frames(&self) -> usize {
        self.bytes.len().div_ceil(FRAME_CONTENT_BYTES)
    }

    /// What the frames hold, in order.
    pub fn plains(&self) -> impl Iterator<Item = Plain> {
        let mut begins = self.places.iter().map(|place| place.0).peekable();
        self.bytes.chunks(FRAME_CONTENT_BYTES).enumerate().map(move |(frame, bytes)| {
            let start = frame * FRAME_CONTENT_BYTES;
            let first = begins.peek().and_then(|first| u16::try_from(first - start).ok());
            let first = first.filter(|&first| usize::from(first) < bytes.len());
            while begins.next_if(|&next| next < start + FRAME_CONTENT_BYTES).is_some() {}
            let mut plain = [0; PLAIN_BYTES];
            plain[..2].copy_from_slice(&first.unwrap_or(NONE_BEGINS).to_be_bytes());
            plain[2..2 + bytes.len()].copy_from_slice(bytes);
            plain
        })
    }
}

/// Takes frames in order and gives the items that are whole.
pub(super) struct Unpacker<'a> {
    me: NodeId,
    key: &'a ProofKey,
    /// Begun and not yet whole.
    pending: Vec<u8>,
    /// Whether `pending` begins where an item begins.
    in_step: bool,
    pub items: Vec<Item>,
}

enum Step {
    /// An item, or one whose proof does not hold, of so many bytes.
    Item(Option<Item>, usize),
    NeedsMore,
    End,
}

impl<'a> Unpacker<'a> {
    pub const fn new(me: NodeId, key: &'a ProofKey) -> Self {
        Self { me, key, pending: vec![], in_step: false, items: vec![] }
    }

    /// The next frame is lost, and with it the item that was begun.
    pub fn lost(&mut self) {
        self.pending.clear();
        self.in_step = false;
    }

    /// The next frame.
    pub fn frame(&mut self, plain: &Plain) {
        let first = u16::from_be_bytes([plain[0], plain[1]]);
        let mut bytes = &plain[2..];
        if !self.in_step {
            let Some(from_first) = bytes.get(usize::from(first)..) else { return };
            bytes = from_first;
            self.in_step = true;
        }
        self.pending.extend_from_slice(bytes);
        let mut at = 0;
        loop {
            match self.step(&self.pending[at..]) {
                Ok(Step::Item(item, bytes)) => {
                    self.items.extend(item);
                    at += bytes;
                }
                Ok(Step::NeedsMore) => break,
                Ok(Step::End) => return self.pending.clear(),
                Err(BadBytes) => return self.lost(),
            }
        }
        self.pending.drain(..at);
    }

    fn step(&self, bytes: &[u8]) -> Result<Step, BadBytes> {
        if bytes.first() == Some(&END) {
            return Ok(Step::End);
        }
        let mut from = Reader::new(bytes);
        let (item, length) = match head(&mut from) {
            Ok(head) => head,
            Err(BadBytes) if bytes.len() < ITEM_HEAD_BYTES_MAX => return Ok(Step::NeedsMore),
            Err(BadBytes) => return Err(BadBytes),
        };
        let Ok(message) = from.take(length) else { return Ok(Step::NeedsMore) };
        let item_bytes = bytes.len() - from.rest().len();
        let Ok(given) = from.array::<PROOF_BYTES>() else { return Ok(Step::NeedsMore) };
        let holds = item.to() != self.me || given == proof(self.key, &bytes[..item_bytes]);
        let item = match item {
            Item::Message { to, class, epoch, number, .. } => {
                Item::Message { to, class, epoch, number, bytes: message.to_vec() }
            }
            other @ (Item::Ack { .. } | Item::First { .. }) => other,
        };
        Ok(Step::Item(holds.then_some(item), item_bytes + PROOF_BYTES))
    }
}

/// An item without its bytes, and how many they are.
fn head(from: &mut Reader<'_>) -> Result<(Item, usize), BadBytes> {
    let kind = from.byte()?;
    let to = NodeId(from.array()?);
    let class = Class::from_code(from.byte()?).ok_or(BadBytes)?;
    let epoch = from.number()?;
    let number = from.number()?;
    match kind {
        MESSAGE => {
            let item = Item::Message { to, class, epoch, number, bytes: vec![] };
            Ok((item, from.size(MESSAGE_BYTES_MAX)?))
        }
        ACK => Ok((Item::Ack { to, class, epoch, up_to: number }, 0)),
        FIRST => Ok((Item::First { to, class, epoch, number }, 0)),
        _ => Err(BadBytes),
    }
}

#[cfg(test)]
mod tests;
