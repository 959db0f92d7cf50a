//! A live link between two neighbouring nodes, over datagrams. Sans-IO: sockets, time and
//! chance belong to the caller (ADR 0005).
//!
//! A [`Link`] carries four streams of numbered messages, one for each [`Class`]. A class is
//! reliable and in order by itself, and never waits for another: the most urgent goes first,
//! frame by frame. Two kinds of answers come back. Receipts serve recovery and rate alone.
//! *Durable* positions are what the receiving caller reports with [`Link::durable`] after its
//! own commit, and only they let a sender say 'delivered'.
//!
//! The caller's loop: give every datagram to [`Link::handle_datagram`], send what
//! [`Link::poll_transmit`] yields until it yields nothing, act on [`Link::poll_event`], and
//! call [`Link::handle_timeout`] at [`Link::poll_timeout`]. All times are milliseconds of one
//! monotonic clock.
//!
//! A message number stands for the same bytes for ever (within the sender's
//! [`Config::epoch`]): that is what makes resuming inside a message safe. Numbers increase and
//! may leave gaps; a message that is given up half-way is left out by going on with the next
//! number, and the receiver is told [`Event::Abandoned`].

mod frame;
mod handshake;
mod incoming;
mod machine;
mod outgoing;
mod packet;
mod ranges;
mod rate;
mod receipt;
mod receive;
mod sent;
mod timers;
mod transmit;

use ondol_kernel::Class;

pub use frame::{Ack, Frame, Stream, decode_all};
pub use handshake::{initiator_of, public_key};
pub use machine::Link;
pub use packet::{
    DataHeader, IP_UDP_BYTES, Kind, MAX_DATAGRAM_BYTES, TAG_BYTES, VERSION, lost_reply, peek,
    peek_connection_id,
};

/// The longest message, bytes.
pub const MAX_MESSAGE_BYTES: usize = 4 << 20;

/// A place in the stream of one class: all messages before `message_no`, and the first
/// `offset` bytes of that one. (m, all of m's bytes) and (m + 1, 0) differ only in whether the
/// end of m is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// The number of a message.
    pub message_no: u64,
    /// Bytes of it.
    pub offset: u32,
}

impl Position {
    /// Before everything.
    pub const START: Self = Self { message_no: 0, offset: 0 };
}

/// What a node brings to a link. [`Config::new`] gives the usual values.
#[derive(Debug, Clone)]
pub struct Config {
    /// Under which id this side wants to be addressed: unique among the links that share a
    /// socket.
    pub connection_id: u16,
    /// The longest datagram to send, bytes without IP and UDP; 512 to 1,400.
    pub mtu: usize,
    /// Bytes kept of each class while an earlier byte is missing.
    pub window_bytes: u32,
    /// Bytes that may wait in each class before [`Link::send`] says
    /// [`Full`](SendError::Full).
    pub queue_bytes: usize,
    /// How long an idle initiator waits before it shows that it is there, ms.
    pub keepalive_ms: u64,
    /// After how many packets the initiator makes new keys.
    pub rekey_packets: u64,
    /// The epoch of this side's message numbers, not 0: a node that lost count of them (a
    /// restored backup) takes a new one, and the peer begins at 0 again.
    pub epoch: u64,
    /// The epoch of the peer's numbers that `received` speaks of; 0 if there is none.
    pub peer_epoch: u64,
    /// How far this side holds each class of the peer's messages durably.
    pub received: [Position; 4],
}

impl Config {
    /// The usual values, for a node that never heard of its peer.
    pub const fn new(connection_id: u16, epoch: u64) -> Self {
        Self {
            connection_id,
            mtu: 1_200,
            window_bytes: 1 << 20,
            queue_bytes: 8 << 20,
            keepalive_ms: 60_000,
            rekey_packets: 1 << 32,
            epoch,
            peer_epoch: 0,
            received: [Position::START; 4],
        }
    }
}

/// Which side shakes hands first.
#[derive(Debug, Clone)]
pub enum Role {
    /// The side that knows the other's address and key: usually the lower tier.
    Initiator {
        /// The static X25519 public key of the responder.
        remote: [u8; 32],
    },
    /// The side that waits.
    Responder {
        /// Static X25519 public keys that may connect. All are the same neighbour to this link.
        allowed: Vec<[u8; 32]>,
    },
}

/// What a datagram turned out to be: whether the caller may learn an address from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Not authentic, a repetition, or of no use. Learn nothing.
    Nothing,
    /// The first message of a handshake, from the peer but perhaps replayed: send the
    /// [`Kind::Reply`] that follows to where it came from, and nothing else.
    Handshake,
    /// A fresh packet of the peer: its address is where this came from.
    Peer,
}

/// What happened on the link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The peer is heard (again).
    Up,
    /// The peer is not heard any more; nothing is lost, and the link goes on trying.
    Quiet {
        /// When it was last heard, ms.
        since_ms: u64,
    },
    /// A session began, and the peer has received each class up to here (by class code).
    /// Sending goes on from there by itself; a caller without a memory of its numbers
    /// learns here where to go on.
    Resumed {
        /// By class code.
        received: [Position; 4],
    },
    /// The peer counts its messages anew: positions of the old epoch mean nothing any more.
    Renumbered {
        /// The peer's new epoch, to be kept with the positions.
        epoch: u64,
    },
    /// The next bytes of a class, in order, once.
    Received {
        /// The class.
        class: Class,
        /// The message.
        message_no: u64,
        /// Where in the message the bytes belong.
        offset: u32,
        /// The bytes; empty only in an empty message or when nothing but its end was missing.
        bytes: Vec<u8>,
        /// Whether the message ends with them.
        last: bool,
    },
    /// The sender gave up a message of which a part was delivered.
    Abandoned {
        /// The class.
        class: Class,
        /// The message; its rest will never come.
        message_no: u64,
    },
    /// The peer holds durably all messages before `message_no` and `offset` bytes of it.
    Durable {
        /// The class.
        class: Class,
        /// A message.
        message_no: u64,
        /// Bytes of it.
        offset: u32,
    },
    /// Somebody speaks another version of this protocol. Told once for each version.
    UnknownVersion {
        /// The version, 0 to 15.
        version: u8,
    },
}

/// For the road page.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Stats {
    /// What the road is measured to pass outwards, bits per second.
    pub rate_bps: u64,
    /// The smoothed round trip with the peer's delay in it, ms; `None` before the first.
    pub rtt_ms: Option<u64>,
    /// The share of packets lost on the way out, 0 to 1, smoothed over some 64.
    pub loss: f64,
    /// Bytes received, with IP and UDP.
    pub bytes_in: u64,
    /// Bytes sent, with IP and UDP.
    pub bytes_out: u64,
    /// When the peer was last heard, ms.
    pub last_heard_ms: Option<u64>,
    /// Whether the peer is heard.
    pub is_up: bool,
    /// Handshakes completed.
    pub handshakes: u64,
    /// Bytes of messages that arrived more than once.
    pub repeated_bytes: u64,
}

/// Why a link cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The cryptography is not built in.
    #[error("the cryptography of links is missing")]
    NoCrypto,
    /// A value of the configuration is out of range.
    #[error("{field} of the link's configuration is out of range")]
    Config {
        /// The field.
        field: &'static str,
    },
    /// The handshake could not be begun.
    #[error("the handshake cannot begin: {0}")]
    Handshake(snow::Error),
}

/// Why a message is not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The message is longer than [`MAX_MESSAGE_BYTES`].
    #[error("a message of {bytes} bytes is too long")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Its number is not above those queued before.
    #[error("message {message_no} comes after {highest}")]
    NotIncreasing {
        /// Its number.
        message_no: u64,
        /// The highest number before.
        highest: u64,
    },
    /// The peer holds a message of this number durably already.
    #[error("message {message_no} is durable at the peer already")]
    AlreadyDurable {
        /// Its number.
        message_no: u64,
    },
    /// Too much waits already in this class: wait for [`Event::Durable`].
    #[error("{queued_bytes} bytes wait already")]
    Full {
        /// What waits.
        queued_bytes: usize,
    },
}
