//! What travels past nodes that must not read it, and the receipts that come back (ADR 0009).
//!
//! Everything that stands on the outside is the context in which the inside is sealed: a node on
//! the way that alters a number, a class or an epoch has made a piece that nobody opens. A
//! receipt is a sealed piece with nothing in it: only the node that it names could make it.

use ondol_kernel::{
    Class, NodeId,
    bytes::{BadBytes, Reader, put_number},
};

use crate::{
    message::Message,
    sealed::{self, BadSealed, CannotSeal},
};

/// The outside of a relayed message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope {
    /// Who sealed it.
    pub from: NodeId,
    /// Who opens it.
    pub to: NodeId,
    /// The class.
    pub class: Class,
    /// The epoch of the sender's numbers.
    pub epoch: u64,
    /// Its number among those from `from` to `to` in this class and epoch.
    pub number: u64,
    /// The lowest number of them that the sender still keeps: nothing below it will come again.
    pub first: u64,
}

/// Who holds what of a sender's messages, as only the holder can say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Who has it.
    pub from: NodeId,
    /// Who sent it.
    pub to: NodeId,
    /// The class.
    pub class: Class,
    /// The epoch of the numbers of `to`.
    pub epoch: u64,
    /// Everything up to this number is held durably.
    pub up_to: u64,
}

pub(crate) const RELAY: u8 = 1;
pub(crate) const RELAY_DONE: u8 = 2;

impl Envelope {
    /// The bytes before the sealed piece, which are also its context.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = head(RELAY, &self.from, &self.to, self.class, self.epoch);
        put_number(&mut head, self.number);
        put_number(&mut head, self.first);
        head
    }

    /// Reads what stands behind the first byte of [`Envelope::head`].
    pub(crate) fn read(bytes: &mut Reader<'_>) -> Result<Self, BadBytes> {
        let (from, to, class, epoch) = read_head(bytes)?;
        Ok(Self { from, to, class, epoch, number: bytes.number()?, first: bytes.number()? })
    }

    /// Seals `plain` for `to`. `seed` is 32 fresh random bytes.
    pub fn seal(
        self,
        to_link_key: &[u8; 32],
        from_link_private: &[u8; 32],
        plain: &[u8],
        seed: &[u8; 32],
    ) -> Result<Message, CannotSeal> {
        let sealed = sealed::seal_in(&self.head(), to_link_key, from_link_private, plain, seed)?;
        Ok(Message::Relay { envelope: self, sealed })
    }

    /// Opens what was sealed in this envelope and no other: the sender's public key, which the
    /// caller compares with that of `from`, and the plain bytes.
    pub fn open(
        &self,
        my_link_private: &[u8; 32],
        sealed: &[u8],
    ) -> Result<([u8; 32], Vec<u8>), BadSealed> {
        sealed::open_in(&self.head(), my_link_private, sealed)
    }
}

impl Receipt {
    /// The bytes before the proof, which are also its context.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = head(RELAY_DONE, &self.from, &self.to, self.class, self.epoch);
        put_number(&mut head, self.up_to);
        head
    }

    /// Reads what stands behind the first byte of [`Receipt::head`].
    pub(crate) fn read(bytes: &mut Reader<'_>) -> Result<Self, BadBytes> {
        let (from, to, class, epoch) = read_head(bytes)?;
        Ok(Self { from, to, class, epoch, up_to: bytes.number()? })
    }

    /// Proves the receipt to `to`. `seed` is 32 fresh random bytes.
    pub fn prove(
        self,
        to_link_key: &[u8; 32],
        from_link_private: &[u8; 32],
        seed: &[u8; 32],
    ) -> Result<Message, CannotSeal> {
        let proof = sealed::seal_in(&self.head(), to_link_key, from_link_private, &[], seed)?;
        Ok(Message::RelayDone { receipt: self, proof })
    }

    /// The public key of whoever made the proof, which the caller compares with that of `from`.
    pub fn proved_by(
        &self,
        my_link_private: &[u8; 32],
        proof: &[u8],
    ) -> Result<[u8; 32], BadSealed> {
        let (key, plain) = sealed::open_in(&self.head(), my_link_private, proof)?;
        if plain.is_empty() { Ok(key) } else { Err(BadSealed::NotOpened) }
    }
}

fn head(kind: u8, from: &NodeId, to: &NodeId, class: Class, epoch: u64) -> Vec<u8> {
    let mut head = vec![kind];
    head.extend_from_slice(&from.0);
    head.extend_from_slice(&to.0);
    head.push(class.code());
    put_number(&mut head, epoch);
    head
}

fn read_head(bytes: &mut Reader<'_>) -> Result<(NodeId, NodeId, Class, u64), BadBytes> {
    let from = NodeId(bytes.array()?);
    let to = NodeId(bytes.array()?);
    let class = Class::from_code(bytes.byte()?).ok_or(BadBytes)?;
    Ok((from, to, class, bytes.number()?))
}
