//! What two nodes say to each other, one class and number at a time (ADR 0009).
//!
//! Numbers count from 1 without gaps for each (sender, receiver, class). A receiver does what a
//! message says and notes its number in one transaction, so that nothing is done twice.

use ondol_kernel::{
    Class, NodeId,
    bytes::{BadBytes, Reader, put_bytes, put_number},
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
        /// Who sealed it.
        from: NodeId,
        /// Who opens it.
        to: NodeId,
        /// The class and the number of what is inside, among those from `from` to `to`.
        class: Class,
        /// See `class`.
        number: u64,
        /// A message, sealed (ADR 0010).
        sealed: Vec<u8>,
    },
    /// Everything of a class up to a number arrived durably at `from`, sent by `to`.
    RelayDone {
        /// Who has it.
        from: NodeId,
        /// Who sent it.
        to: NodeId,
        /// The class.
        class: Class,
        /// The last number.
        up_to: u64,
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
}

const PARCEL: u8 = 0;
const RELAY: u8 = 1;
const RELAY_DONE: u8 = 2;
const BLOB_WANTED: u8 = 3;
const BLOB_PART: u8 = 4;
const CERTIFICATE: u8 = 5;

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
            Self::Relay { from, to, class, number, sealed } => {
                bytes.push(RELAY);
                put_way(bytes, from, to, *class, *number);
                bytes.extend_from_slice(sealed);
            }
            Self::RelayDone { from, to, class, up_to } => {
                bytes.push(RELAY_DONE);
                put_way(bytes, from, to, *class, *up_to);
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
        }
        to_bytes
    }

    /// Reads what [`Message::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadBytes> {
        let mut from = Reader::new(bytes);
        let message = match from.byte()? {
            PARCEL => return Ok(Self::Parcel(from.rest().to_vec())),
            CERTIFICATE => return Ok(Self::Certificate(from.rest().to_vec())),
            RELAY => {
                let (sender, to, class, number) = read_way(&mut from)?;
                let sealed = from.rest().to_vec();
                return Ok(Self::Relay { from: sender, to, class, number, sealed });
            }
            RELAY_DONE => {
                let (sender, to, class, up_to) = read_way(&mut from)?;
                Self::RelayDone { from: sender, to, class, up_to }
            }
            BLOB_WANTED => Self::BlobWanted { hash: from.array()?, from: from.number()? },
            BLOB_PART => Self::BlobPart {
                hash: from.array()?,
                size: from.number()?,
                offset: from.number()?,
                bytes: from.bytes()?.to_vec(),
            },
            _ => return Err(BadBytes),
        };
        if from.is_empty() { Ok(message) } else { Err(BadBytes) }
    }
}

fn put_way(to_bytes: &mut Vec<u8>, from: &NodeId, to: &NodeId, class: Class, number: u64) {
    to_bytes.extend_from_slice(&from.0);
    to_bytes.extend_from_slice(&to.0);
    to_bytes.push(class.code());
    put_number(to_bytes, number);
}

fn read_way(from: &mut Reader<'_>) -> Result<(NodeId, NodeId, Class, u64), BadBytes> {
    let sender = NodeId(from.array()?);
    let to = NodeId(from.array()?);
    let class = Class::from_code(from.byte()?).ok_or(BadBytes)?;
    Ok((sender, to, class, from.number()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn messages_round_trip() {
        let (from, to) = (NodeId([1; 16]), NodeId([2; 16]));
        for message in [
            Message::Parcel(vec![1, 2]),
            Message::Relay { from, to, class: Class::Care, number: 7, sealed: vec![9] },
            Message::RelayDone { from, to, class: Class::Bulk, up_to: 300 },
            Message::BlobWanted { hash: [3; 32], from: 5 },
            Message::BlobPart { hash: [3; 32], size: 9, offset: 4, bytes: vec![0; 5] },
            Message::Certificate(vec![1]),
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
