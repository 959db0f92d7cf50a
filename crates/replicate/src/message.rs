//! What two nodes say to each other, one class and number at a time (ADR 0009).
//!
//! Numbers count from 1 without gaps for each (sender, receiver, epoch, class). A receiver does what a
//! message says and notes its number in one transaction, so that nothing is done twice.

use ondol_kernel::{
    NodeId,
    bytes::{BadBytes, Reader, put_bytes, put_number},
};
use ondol_record::ChartId;

use crate::{
    holdings::Holdings,
    national::Index,
    relay::{Envelope, RELAY, RELAY_DONE, Receipt},
};

/// The longest message, bytes.
pub const MESSAGE_BYTES_MAX: usize = 4 << 20;

/// The most bytes of a blob in one message: small enough to be pre-empted on a slow link.
pub const BLOB_PART_BYTES: usize = 4 << 10;

/// The BLAKE3 hash by which a picture or a sound is called.
pub type BlobHash = [u8; 32];

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Entries: a packed [`crate::Parcel`].
    Parcel(Vec<u8>),
    /// Something for another node, which the nodes in between cannot read.
    Relay {
        /// What everybody on the way reads.
        envelope: Envelope,
        /// A message, sealed in the context of the envelope (ADR 0010).
        sealed: Vec<u8>,
    },
    /// What was relayed has arrived.
    RelayDone {
        /// What everybody on the way reads.
        receipt: Receipt,
        /// Nothing, sealed in the context of the receipt.
        proof: Vec<u8>,
    },
    /// Send this picture or sound, from this byte on.
    BlobWanted {
        /// Its name.
        hash: BlobHash,
        /// Bytes that are here already.
        from: u64,
    },
    /// A part of a picture or a sound.
    BlobPart {
        /// Its name.
        hash: BlobHash,
        /// Bytes of the whole.
        size: u64,
        /// Where the part begins.
        offset: u64,
        /// The part.
        bytes: Vec<u8>,
    },
    /// A certificate: how a new node makes itself known.
    Certificate(Vec<u8>),
    /// A parcel of the receiver's that builds upon entries which the teller does not hold: its
    /// entries are to be sent in full (ADR 0013).
    Unread(Vec<u8>),
    /// A node is believed no more: a `ondol_record::Revocation` (ADR 0026).
    Revocation(Vec<u8>),
    /// About the nation's index of persons (ADR 0027).
    Index(Index),
    /// What the teller holds, now that it counts anew: the rest is to be given (ADR 0029).
    Holdings(Holdings),
    /// A node hangs below another one from now on: a `ondol_record::Placement` as it travels (ADR
    /// 0030).
    Placement(Vec<u8>),
    /// A chart that the teller has a part in goes on towards a node (ADR 0030).
    Lead {
        /// To whom in the end.
        to: NodeId,
        /// Which chart.
        chart: ChartId,
    },
    /// A node counts anew: whoever reaches it through those who treat nobody has to be found, since
    /// it may have forgotten who that is (ADR 0029).
    Anew {
        /// Which node.
        node: NodeId,
        /// In which epoch.
        epoch: u64,
    },
}

const PARCEL: u8 = 0;
const BLOB_WANTED: u8 = 3;
const BLOB_PART: u8 = 4;
const CERTIFICATE: u8 = 5;
const UNREAD: u8 = 6;
const REVOCATION: u8 = 7;
const INDEX: u8 = 8;
const HOLDINGS: u8 = 9;
const ANEW: u8 = 10;
const PLACEMENT: u8 = 11;
const LEAD: u8 = 12;

impl Message {
    /// The bytes that travel.
    pub fn encode(&self) -> Vec<u8> {
        let mut to_bytes = vec![];
        let bytes = &mut to_bytes;
        match self {
            Self::Parcel(parcel) => {
                bytes.push(PARCEL);
                bytes.extend_from_slice(parcel);
            }
            Self::Relay { envelope, sealed } => {
                bytes.extend_from_slice(&envelope.head());
                bytes.extend_from_slice(sealed);
            }
            Self::RelayDone { receipt, proof } => {
                bytes.extend_from_slice(&receipt.head());
                bytes.extend_from_slice(proof);
            }
            Self::BlobWanted { hash, from } => {
                bytes.push(BLOB_WANTED);
                bytes.extend_from_slice(hash);
                put_number(bytes, *from);
            }
            Self::BlobPart { hash, size, offset, bytes: part } => {
                bytes.push(BLOB_PART);
                bytes.extend_from_slice(hash);
                put_number(bytes, *size);
                put_number(bytes, *offset);
                put_bytes(bytes, part);
            }
            Self::Certificate(certificate) => {
                bytes.push(CERTIFICATE);
                bytes.extend_from_slice(certificate);
            }
            Self::Unread(parcel) => {
                bytes.push(UNREAD);
                bytes.extend_from_slice(parcel);
            }
            Self::Revocation(revocation) => {
                bytes.push(REVOCATION);
                bytes.extend_from_slice(revocation);
            }
            Self::Placement(placement) => {
                bytes.push(PLACEMENT);
                bytes.extend_from_slice(placement);
            }
            Self::Index(index) => {
                bytes.push(INDEX);
                index.put(bytes);
            }
            Self::Holdings(holdings) => {
                bytes.push(HOLDINGS);
                holdings.put(bytes);
            }
            Self::Lead { to, chart } => {
                bytes.push(LEAD);
                bytes.extend_from_slice(&to.0);
                chart.put(bytes);
            }
            Self::Anew { node, epoch } => {
                bytes.push(ANEW);
                bytes.extend_from_slice(&node.0);
                put_number(bytes, *epoch);
            }
        }
        to_bytes
    }

    /// Reads what [`Message::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadBytes> {
        let mut from = Reader::new(bytes);
        let message = match from.byte()? {
            PARCEL => return Ok(Self::Parcel(from.rest().to_vec())),
            CERTIFICATE => return Ok(Self::Certificate(from.rest().to_vec())),
            UNREAD => return Ok(Self::Unread(from.rest().to_vec())),
            REVOCATION => return Ok(Self::Revocation(from.rest().to_vec())),
            PLACEMENT => return Ok(Self::Placement(from.rest().to_vec())),
            RELAY => {
                let envelope = Envelope::read(&mut from)?;
                return Ok(Self::Relay { envelope, sealed: from.rest().to_vec() });
            }
            RELAY_DONE => {
                let receipt = Receipt::read(&mut from)?;
                return Ok(Self::RelayDone { receipt, proof: from.rest().to_vec() });
            }
            BLOB_WANTED => Self::BlobWanted { hash: from.array()?, from: from.number()? },
            BLOB_PART => Self::BlobPart {
                hash: from.array()?,
                size: from.number()?,
                offset: from.number()?,
                bytes: from.bytes()?.to_vec(),
            },
            INDEX => Self::Index(Index::read(&mut from)?),
            LEAD => Self::Lead { to: NodeId(from.array()?), chart: ChartId::read(&mut from)? },
            HOLDINGS => Self::Holdings(Holdings::read(&mut from)?),
            ANEW => Self::Anew { node: NodeId(from.array()?), epoch: from.number()? },
            _ => return Err(BadBytes),
        };
        if from.is_empty() { Ok(message) } else { Err(BadBytes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ondol_kernel::Class;
    use proptest::prelude::*;

    #[test]
    fn messages_round_trip() {
        let (from, to) = (NodeId([1; 16]), NodeId([2; 16]));
        let class = Class::Care;
        let envelope = Envelope { from, to, class, epoch: 3, number: 700, first: 650 };
        let receipt = Receipt { from, to, class: Class::Bulk, epoch: 200, up_to: 300 };
        for message in [
            Message::Parcel(vec![1, 2]),
            Message::Relay { envelope, sealed: vec![9] },
            Message::RelayDone { receipt, proof: vec![8] },
            Message::BlobWanted { hash: [3; 32], from: 5 },
            Message::BlobPart { hash: [3; 32], size: 9, offset: 4, bytes: vec![0; 5] },
            Message::Certificate(vec![1]),
            Message::Unread(vec![2, 3]),
            Message::Revocation(vec![4]),
            Message::Placement(vec![5]),
            Message::Lead { to, chart: ChartId::Nation },
            Message::Anew { node: from, epoch: 300 },
        ] {
            assert_eq!(Message::decode(&message.encode()), Ok(message));
        }
    }

    proptest! {
        #[test]
        fn decoding_never_panics(bytes: Vec<u8>) {
            let _ = Message::decode(&bytes);
        }
    }
}
