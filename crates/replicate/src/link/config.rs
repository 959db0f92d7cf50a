//! What the caller decides.

use super::Position;

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
    /// Bytes that may wait in each class before [`Link::send`](super::Link::send) says
    /// [`Full`](super::SendError::Full).
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
