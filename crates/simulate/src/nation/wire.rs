//! A line between two nodes, and what it does to datagrams.

use super::faults::Faults;
use crate::chance::Chance;

/// More than this never waits in a modem; what is sent then is lost, ms.
const QUEUE_MS_MAX: u64 = 4_000;
/// What the headers of IP and UDP add to a datagram, bytes.
const HEADERS: usize = 28;

/// What a line is like. Shares are of 1,000 datagrams.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// What it passes in each direction, bits per second.
    pub rate_bps: u64,
    /// One way, ms.
    pub delay_ms: u64,
    /// Up to so much more, ms: what is sent later may come first.
    pub jitter_ms: u64,
    /// Lost.
    pub loss: u64,
    /// Doubled.
    pub double: u64,
    /// Seconds late.
    pub late: u64,
    /// Changed in one bit.
    pub forge: u64,
}

/// A line between a node and the one above it.
pub struct Wire {
    /// What it is like.
    pub line: Line,
    /// Whether it passes anything, and since when that is so, ms.
    pub open: bool,
    /// Since when it is open or not.
    pub since: u64,
    /// Until when it cannot be opened, ms.
    pub dead_until: u64,
    /// Bytes that were sent in each direction, headers included.
    pub bytes: [u64; 2],
    /// Datagrams that were sent in each direction.
    pub datagrams: [u64; 2],
    free_at: [u64; 2],
    latest: [u64; 2],
}

impl Wire {
    /// A closed line.
    pub const fn new(line: Line) -> Self {
        Self {
            line,
            open: false,
            since: 0,
            dead_until: 0,
            bytes: [0; 2],
            datagrams: [0; 2],
            free_at: [0; 2],
            latest: [0; 2],
        }
    }

    /// Sends a datagram from a side. Gives when which bytes arrive at the other: never, once or
    /// twice.
    pub fn send(
        &mut self,
        now: u64,
        side: usize,
        mut bytes: Vec<u8>,
        chance: &Chance,
        faults: &mut Faults,
    ) -> [Option<(u64, Vec<u8>)>; 2] {
        let size = bytes.len() + HEADERS;
        self.bytes[side] += size as u64;
        self.datagrams[side] += 1;
        let start = self.free_at[side].max(now);
        if !self.open || start > now + QUEUE_MS_MAX {
            faults.lost += 1;
            return [None, None];
        }
        let sent = start + (size as u64 * 8_000).div_ceil(self.line.rate_bps);
        self.free_at[side] = sent;
        let (dice, line) = (chance.next(), self.line);
        let hits = |share: u64, at: u32| (dice >> at & 0x3ff) * 1_000 < share << 10;
        if hits(line.loss, 0) {
            faults.lost += 1;
            return [None, None];
        }
        if hits(line.forge, 10) && !bytes.is_empty() {
            let at = chance.place(bytes.len());
            bytes[at] ^= 1 << chance.place(8);
            faults.forged += 1;
        }
        let again = hits(line.double, 20).then(|| bytes.clone());
        let is_late = hits(line.late, 30);
        faults.late += u64::from(is_late);
        let first = self.arrives(sent, side, is_late, chance, faults);
        let second = again.map(|bytes| {
            faults.doubled += 1;
            (sent + self.line.delay_ms + chance.next() % (self.line.jitter_ms + 200), bytes)
        });
        [Some((first, bytes)), second]
    }

    fn arrives(
        &mut self,
        sent: u64,
        side: usize,
        is_late: bool,
        chance: &Chance,
        faults: &mut Faults,
    ) -> u64 {
        let mut at = sent + self.line.delay_ms + chance.next() % (self.line.jitter_ms + 1);
        if is_late {
            return at + 1_000 + chance.next() % 20_000;
        }
        if at < self.latest[side] {
            faults.overtaken += 1;
        } else {
            // Two never arrive in the same order by chance alone.
            at = at.max(self.latest[side] + 1);
            self.latest[side] = at;
        }
        at
    }
}
