//! The header that every datagram begins with (ADR 0005, 'Datagrams').

/// The version of everything on this link. It is the high half of a datagram's first byte and
/// part of the handshake's prologue, so that nobody can talk two neighbours into an older one.
pub const VERSION: u8 = 1;

/// Bytes of the authentication tag behind every encrypted payload.
pub const TAG_BYTES: usize = 16;

/// Bytes that IPv4 and UDP add to every datagram.
pub const IP_UDP_BYTES: usize = 28;

/// No datagram longer than this is looked at.
pub const MAX_DATAGRAM_BYTES: usize = 2048;

/// Bytes of a packet that 'lost' quotes.
pub(super) const QUOTE_BYTES: usize = 8;

const KIND_DATA: u8 = 0;
const KIND_INIT: u8 = 1;
const KIND_REPLY: u8 = 2;
const KIND_LOST: u8 = 3;

/// What a datagram is, read from its header alone. Nothing here is authentic yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The first message of a handshake. Who sent it stands inside, see
    /// [`initiator_of`](super::initiator_of).
    Init,
    /// The second message of a handshake, for the link with this connection id.
    Reply {
        /// The id that the initiator chose.
        connection_id: u16,
    },
    /// A packet of a session, for the link with this connection id.
    Data {
        /// The id that the receiver chose.
        connection_id: u16,
    },
    /// 'I know no session for this packet': the id is that of whoever sends this.
    Lost {
        /// The id that the packet was addressed to in vain.
        connection_id: u16,
        /// The packet's last bytes, which only those on its way can know.
        end: [u8; QUOTE_BYTES],
    },
    /// 'I began anew, call me': from a responder without a session.
    Call,
    /// Another version than [`VERSION`].
    OtherVersion {
        /// The version that the datagram names, 0 to 15.
        version: u8,
    },
}

/// Reads the kind of a datagram; `None` if it is none of ours.
pub fn peek(datagram: &[u8]) -> Option<Kind> {
    let (&first, rest) = datagram.split_first()?;
    if datagram.len() > MAX_DATAGRAM_BYTES {
        return None;
    }
    if first >> 4 != VERSION {
        return Some(Kind::OtherVersion { version: first >> 4 });
    }
    let (kind, low) = (first >> 2 & 3, first & 3);
    let id = || rest.first_chunk::<2>().map(|id| u16::from_be_bytes(*id));
    match (kind, low) {
        (KIND_INIT, 0) => Some(Kind::Init),
        (KIND_REPLY, 0) => Some(Kind::Reply { connection_id: id()? }),
        (KIND_LOST, 0) if rest.len() == 2 + QUOTE_BYTES => {
            Some(Kind::Lost { connection_id: id()?, end: end(rest)? })
        }
        (KIND_LOST, 1) if rest.is_empty() => Some(Kind::Call),
        (KIND_DATA, _) => Some(Kind::Data { connection_id: id()? }),
        _ => None,
    }
}

/// The connection id by which a socket that serves many neighbours finds the link of a
/// datagram; `None` for the first message of a handshake and for what is none of ours.
pub fn peek_connection_id(datagram: &[u8]) -> Option<u16> {
    match peek(datagram)? {
        Kind::Reply { connection_id } | Kind::Data { connection_id } => Some(connection_id),
        Kind::Init | Kind::Lost { .. } | Kind::Call | Kind::OtherVersion { .. } => None,
    }
}

/// The answer to a data packet whose connection id nobody here knows: it makes a restarted
/// neighbour's partner shake hands anew at once. `None` if no answer is due.
pub fn lost_reply(datagram: &[u8]) -> Option<Vec<u8>> {
    match peek(datagram)? {
        Kind::Data { connection_id } => {
            let mut reply = vec![first_byte(KIND_LOST, 0)];
            reply.extend_from_slice(&connection_id.to_be_bytes());
            reply.extend_from_slice(&end(datagram)?);
            Some(reply)
        }
        _ => None,
    }
}

/// The end of a packet as 'lost' quotes it.
pub(super) fn end(datagram: &[u8]) -> Option<[u8; QUOTE_BYTES]> {
    datagram.last_chunk().copied()
}

/// A responder's wish to be called.
pub(super) fn call() -> Vec<u8> {
    vec![first_byte(KIND_LOST, 1)]
}

const fn first_byte(kind: u8, low: u8) -> u8 {
    VERSION << 4 | kind << 2 | low
}

/// A datagram that carries the first message of a handshake.
pub(super) fn init(noise: &[u8]) -> Vec<u8> {
    let mut datagram = vec![first_byte(KIND_INIT, 0)];
    datagram.extend_from_slice(noise);
    datagram
}

/// A datagram that carries the second message of a handshake.
pub(super) fn reply(connection_id: u16, noise: &[u8]) -> Vec<u8> {
    let mut datagram = vec![first_byte(KIND_REPLY, 0)];
    datagram.extend_from_slice(&connection_id.to_be_bytes());
    datagram.extend_from_slice(noise);
    datagram
}

/// The header of a data packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataHeader {
    /// The id that the receiver chose.
    pub connection_id: u16,
    /// The low bytes of the packet number.
    pub truncated: u32,
    /// How many bytes of the packet number are sent, 1 to 4.
    pub number_bytes: u8,
}

impl DataHeader {
    /// The header for packet `number` when the peer is known to have all up to
    /// `largest_acked`: enough low bytes that the number stays plain even if all between
    /// were lost.
    pub fn new(connection_id: u16, number: u64, largest_acked: Option<u64>) -> Self {
        let distance = largest_acked.map_or(number + 1, |acked| number.saturating_sub(acked));
        let number_bytes = match distance {
            0..0x80 => 1,
            0x80..0x8000 => 2,
            0x8000..0x80_0000 => 3,
            _ => 4,
        };
        let mask = u64::from(u32::MAX) >> (32 - 8 * u32::from(number_bytes));
        let truncated = u32::try_from(number & mask).unwrap_or(u32::MAX);
        Self { connection_id, truncated, number_bytes }
    }

    /// Appends the header's 4 to 7 bytes.
    pub fn encode(&self, to: &mut Vec<u8>) {
        to.push(first_byte(KIND_DATA, self.number_bytes - 1));
        to.extend_from_slice(&self.connection_id.to_be_bytes());
        let bytes = self.truncated.to_be_bytes();
        to.extend_from_slice(&bytes[4 - usize::from(self.number_bytes)..]);
    }

    /// Reads the header of a data packet and what follows it.
    pub fn decode(datagram: &[u8]) -> Option<(Self, &[u8])> {
        let Kind::Data { connection_id } = peek(datagram)? else { return None };
        let number_bytes = (datagram[0] & 3) + 1;
        let (number, rest) = datagram[3..].split_at_checked(usize::from(number_bytes))?;
        let truncated = number.iter().fold(0, |number, &byte| number << 8 | u32::from(byte));
        Some((Self { connection_id, truncated, number_bytes }, rest))
    }

    /// The full packet number: of those with these low bytes, the one nearest to what comes
    /// after `largest`, the highest number that arrived so far.
    pub fn expand(&self, largest: Option<u64>) -> u64 {
        let expected = largest.map_or(0, |largest| largest.saturating_add(1));
        let window = 1u64 << (8 * u32::from(self.number_bytes));
        let candidate = expected & !(window - 1) | u64::from(self.truncated);
        if candidate.saturating_add(window / 2) <= expected && candidate < u64::MAX - window {
            candidate + window
        } else if candidate > expected.saturating_add(window / 2) && candidate >= window {
            candidate - window
        } else {
            candidate
        }
    }
}
