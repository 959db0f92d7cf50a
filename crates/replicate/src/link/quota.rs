//! How much is done for datagrams that anybody can send. What is left refills steadily: in
//! whole seconds, a neighbour that calls in a steady rhythm could always come too late.

use std::collections::VecDeque;

/// First messages of handshakes that are looked at: two multiplications on the curve each.
const LOOKS_PER_S: u64 = 200;
/// Handshakes answered anew.
const REPLIES_PER_S: u64 = 16;
/// Packets answered by 'lost', which is shorter than any of them.
const LOSTS_PER_S: u64 = 20;
/// Answered first messages that are remembered.
const MAX_ANSWERED: usize = 1_024;

/// What may be done once, and what may be done now.
#[derive(Debug, Default)]
pub(super) struct Quota {
    looks: Bucket,
    replies: Bucket,
    losts: Bucket,
    answered: VecDeque<[u8; 8]>,
}

#[derive(Debug)]
struct Bucket {
    /// Time that was not used, ms: at most a second.
    left_ms: u64,
    at: u64,
}

impl Default for Bucket {
    fn default() -> Self {
        Self { left_ms: 1_000, at: 0 }
    }
}

impl Bucket {
    fn take(&mut self, now: u64, per_s: u64) -> bool {
        let left = (self.left_ms + now.saturating_sub(self.at)).min(1_000);
        self.at = now;
        let paid = left.checked_sub(1_000 / per_s);
        self.left_ms = paid.unwrap_or(left);
        paid.is_some()
    }
}

impl Quota {
    /// Whether a first message may be looked at. One that was answered is a replay: who calls
    /// in earnest makes a new one after some tries.
    pub fn look(&mut self, now: u64, init: &[u8]) -> bool {
        let fresh = init.first_chunk().is_some_and(|key| !self.answered.contains(key));
        fresh && self.looks.take(now, LOOKS_PER_S)
    }

    /// Whether a handshake may be answered. It will not be answered again.
    pub fn reply(&mut self, now: u64, init: &[u8]) -> bool {
        let may = self.replies.take(now, REPLIES_PER_S);
        if may {
            self.answered.extend(init.first_chunk());
            self.answered.drain(..self.answered.len().saturating_sub(MAX_ANSWERED));
        }
        may
    }

    /// Whether a packet may be answered by 'lost'.
    pub fn lost(&mut self, now: u64) -> bool {
        self.losts.take(now, LOSTS_PER_S)
    }
}
