//! A stick: a file that a courier carries where no line reaches (ADR 0010).
//!
//! This module turns content into the bytes of a file and back; it touches no disk. The file
//! withstands what sticks do: it is cut short, a run of sectors is gone, bits flip, two copies
//! are damaged in different places, files are mixed up, one is delivered twice or years late.
//! What is sound is kept, and nothing is ever taken for what it is not.
//!
//! # What the caller does when writing
//!
//! 1. Take the next sequence number durably, before the file is written.
//! 2. [`write()`] the bytes. Content of more than [`CONTENT_BYTES_MAX`] is shared out over
//!    several files, the most urgent in the first.
//! 3. Twice, as `…-a` and `…-b`: write a temporary file in the directory of the stick, fsync
//!    it, rename it to its name, fsync the directory. The second copy is begun when the first
//!    is durable: so at any moment of being pulled out, one is whole or neither was announced.
//! 4. Read both back, past the cache where the system lets one, and compare. Only now say 'you
//!    can take the stick out'.
//! 5. Keep everything that was sent until an acknowledgement comes back: a stick in a bag is
//!    not delivered.
//!
//! # What the caller does when reading
//!
//! 1. Read every file with the stick's ending, those of no use too, of each at most
//!    [`FILE_BYTES_MAX`], and [`group`] them.
//! 2. [`read()`] each group. On [`BadStick`] say the plain sentence for it, and leave the file.
//! 3. Per (sender, epoch, class), take in messages whose number is new, and note message and number
//!    in one transaction. A message that is there already is passed over; one with a gap
//!    before it waits or is left, as on a link. So delivering twice is harmless, and so is a
//!    stick that is older than one that came before.
//! 4. Put acknowledgements up to the last number held durably on the next stick, and on the
//!    link. One of another epoch than the reader's own acknowledges nothing. [`StickRead::lost_frames`] and a gap in the numbers are told to the user; nothing
//!    of it is acknowledged, so it comes again.
//! 5. [`StickRead::mended_frames`] above zero: this stick wears out, say so.
//!
//! # Who reads what
//!
//! Every reader named in a file can read all of it. Who writes for several clinics makes one
//! file for each, unless all of them may see everything. For an item that is for itself, a
//! reader is sure that it comes from the sender, and from none of the other readers.

mod frame;
mod items;
mod parity;
mod read;
mod superblock;
mod write;

use std::fmt;

use ondol_kernel::{Class, Millis, NodeId, bytes::to_hex};

pub use read::{group, label, read};
pub use superblock::{FILE_BYTES_MAX, Label};
pub use write::write;

use crate::sealed::{BadSealed, CannotSeal};

/// The most bytes of items, with some 50 bytes of heading each, in one file.
pub const CONTENT_BYTES_MAX: usize = 32 << 20;
/// The most readers of one file.
pub const READERS_MAX: usize = 64;

/// By which sticks of one nation are told from another's.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NationId(pub [u8; 16]);

impl NationId {
    /// The id of the nation whose root key, an Ed25519 public key, is `key`.
    pub fn of_root_key(key: &[u8; 32]) -> Self {
        let hash = blake3::derive_key("ondol 1 nation id", key);
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        Self(id)
    }
}

impl fmt::Display for NationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for NationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NationId({self})")
    }
}

/// This node, as it writes or reads a stick.
#[derive(Clone, Copy)]
pub struct Party<'a> {
    /// Its nation.
    pub nation: NationId,
    /// Its id.
    pub node: NodeId,
    /// Its X25519 private key.
    pub link_private: &'a [u8; 32],
}

/// A node that shall be able to read a stick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient {
    /// Its id.
    pub node: NodeId,
    /// Its X25519 public key, as its certificate has it.
    pub link_key: [u8; 32],
}

/// One thing that a stick carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A message, as a live link would carry it.
    Message {
        /// Who does what it says.
        to: NodeId,
        /// How urgent it is.
        class: Class,
        /// The epoch of the sender's numbers.
        epoch: u64,
        /// Its number among those from the sender to `to` in this class and epoch.
        number: u64,
        /// At most [`crate::message::MESSAGE_BYTES_MAX`].
        bytes: Vec<u8>,
    },
    /// What `to` sent of a class is held durably by the sender of the stick.
    Ack {
        /// Whose messages they are.
        to: NodeId,
        /// The class.
        class: Class,
        /// The epoch of the numbers of `to`.
        epoch: u64,
        /// The last number of those held without a gap.
        up_to: u64,
    },
    /// The sender keeps nothing of a class below a number: it will not come again, and nobody
    /// has to wait for it.
    First {
        /// For whom the messages were.
        to: NodeId,
        /// The class.
        class: Class,
        /// The epoch of the sender's numbers.
        epoch: u64,
        /// The lowest number that may still come.
        number: u64,
    },
}

impl Item {
    /// Who it is for.
    pub const fn to(&self) -> NodeId {
        match self {
            Self::Message { to, .. } | Self::Ack { to, .. } | Self::First { to, .. } => *to,
        }
    }

    /// Its class.
    pub const fn class(&self) -> Class {
        match self {
            Self::Message { class, .. } | Self::Ack { class, .. } | Self::First { class, .. } => {
                *class
            }
        }
    }
}

/// What to put on a stick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StickContent {
    /// Who can read it: 1 to [`READERS_MAX`].
    pub to: Vec<Recipient>,
    /// Now, by the sender's clock.
    pub made_at: Millis,
    /// The sender's number for it, never used before.
    pub sequence: u64,
    /// Each for one of `to`.
    pub items: Vec<Item>,
}

/// What a stick brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StickRead {
    /// Who wrote it, proved.
    pub from: NodeId,
    /// When, by the writer's clock.
    pub made_at: Millis,
    /// The writer's number for it.
    pub sequence: u64,
    /// All items that are sound, most urgent first. Those for another reader of the file are
    /// among them, and only that reader can tell whether they are the sender's.
    pub items: Vec<Item>,
    /// Frames of data that no copy has and no parity restores: at most 990 bytes of items each.
    pub lost_frames: u32,
    /// Frames of data that the parity restored.
    pub mended_frames: u32,
    /// No copy has the length of the whole file: it was pulled out early, or copied in part.
    pub truncated: bool,
}

/// A stick cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotWrite {
    /// None, or more than [`READERS_MAX`].
    #[error("a stick has 1 to {READERS_MAX} readers, not {readers}")]
    Readers {
        /// How many were named.
        readers: usize,
    },
    /// An item is for a node that could not open the file: it would be lost silently.
    #[error("an item is for node {to}, which is no reader of the stick")]
    NoSuchReader {
        /// That node.
        to: NodeId,
    },
    /// Nothing can be sealed for a reader.
    #[error("the keys of the stick cannot be sealed for node {to}")]
    Reader {
        /// That node.
        to: NodeId,
        /// Why.
        source: CannotSeal,
    },
    /// A message of more than [`crate::message::MESSAGE_BYTES_MAX`].
    #[error("a message of {bytes} bytes is too long")]
    MessageTooLong {
        /// Its length.
        bytes: usize,
    },
    /// More than [`CONTENT_BYTES_MAX`]: share it out over several files.
    #[error("items of {bytes} bytes are too many for one stick file")]
    TooLong {
        /// The length of all items.
        bytes: usize,
    },
    /// The library refused.
    #[error("the cipher refused to seal")]
    Cipher,
}

/// Nothing of a stick can be used. Which sentence the user reads follows from the variant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadStick {
    /// Some other file.
    #[error("the file is no stick of Ondol")]
    NotAStick,
    /// Written by a newer program.
    #[error("the stick has format {format}, which is newer than this node")]
    Newer {
        /// Its format.
        format: u8,
    },
    /// Of another nation, or of a practice country.
    #[error("the stick belongs to nation {nation}")]
    ForeignNation {
        /// Which one.
        nation: NationId,
    },
    /// For other nodes.
    #[error("the stick is for other nodes: {to:?}")]
    NotForUs {
        /// Which ones.
        to: Vec<NodeId>,
    },
    /// From a node of which this one holds no certificate.
    #[error("the stick says it is from node {from}, which is not known here")]
    UnknownSender {
        /// Who it says it is from.
        from: NodeId,
    },
    /// From a node that was revoked: it was stolen or lost (ADR 0026).
    #[error("the stick is from node {from}, which was revoked")]
    Revoked {
        /// Who it is from.
        from: NodeId,
    },
    /// Sealed with a key that the sender does not have now: forged, or the sender has a new
    /// key since.
    #[error("the stick says it is from node {from}, and is sealed with another key")]
    NotFromSender {
        /// Who it says it is from.
        from: NodeId,
    },
    /// For a key that this node no longer has, or altered by somebody.
    #[error("the keys of the stick cannot be opened")]
    NotOpened {
        /// Why.
        source: BadSealed,
    },
    /// It was a stick, and nothing of it is sound.
    #[error("the stick is damaged; nothing on it is sound")]
    Damaged,
}
