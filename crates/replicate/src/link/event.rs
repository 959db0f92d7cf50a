//! What the caller is told.

use ondol_kernel::Class;

use super::Position;

/// What a datagram turned out to be: whether the caller may learn an address from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Not authentic, a repetition, or of no use. Learn nothing; there may be an
    /// [answer](super::Link::poll_answer).
    Nothing,
    /// The first message of a handshake, from the peer but perhaps replayed: send the
    /// [answer](super::Link::poll_answer) to where it came from, and nothing else.
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
    /// The peer said which format of parcels it reads at the most (ADR 0013).
    Reads {
        /// The format.
        parcels: u8,
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
