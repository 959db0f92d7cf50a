//! A live link between two neighbouring nodes, over datagrams. Sans-IO: sockets, time and
//! chance belong to the caller (ADR 0005).
//!
//! A [`Link`] carries four streams of numbered messages, one for each [`Class`](ondol_kernel::Class). A class is
//! reliable and in order by itself, and never waits for another: the most urgent goes first,
//! frame by frame. Two kinds of answers come back. Receipts serve recovery and rate alone.
//! *Durable* positions are what the receiving caller reports with [`Link::durable`] after its
//! own commit, and only they let a sender say 'delivered'.
//!
//! The caller's loop: give every datagram to [`Link::handle_datagram`], send what
//! [`Link::poll_answer`] then yields to wherever it came from, send what
//! [`Link::poll_transmit`] yields until it yields nothing, act on [`Link::poll_event`], and
//! call [`Link::handle_timeout`] at [`Link::poll_timeout`]. All times are milliseconds of one
//! monotonic clock.
//!
//! A message number stands for the same bytes for ever (within the sender's
//! [`Config::epoch`]): that is what makes resuming inside a message safe. Numbers increase and
//! may leave gaps; a message that is given up half-way is left out by going on with the next
//! number, and the receiver is told [`Event::Abandoned`].

mod calling;
mod config;
mod delay;
mod error;
mod event;
mod frame;
mod handshake;
mod incoming;
mod machine;
mod outgoing;
mod packet;
mod queue;
mod quota;
mod ranges;
mod rate;
mod receipt;
mod receive;
mod sent;
mod timers;
mod transmit;

pub use config::{Config, Role};
pub use error::{LinkError, SendError};
pub use event::{Event, Heard, Stats};
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
