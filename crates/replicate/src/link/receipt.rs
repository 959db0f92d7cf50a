//! What arrived: the guard against replays, and when to acknowledge.

use super::frame::{Ack, MAX_RANGES};

/// Ranges of packet numbers that are remembered. What lies below the oldest is too old.
const MAX_SPANS: usize = 128;
/// How often a range is named again after it last grew, unless a ping asks for all.
const REPEATS: u8 = 6;
/// Packets after which an acknowledgement goes at once.
const MAX_PENDING: u32 = 8;

struct Span {
    low: u64,
    high: u64,
    named: u8,
}

/// The packets of one session that arrived.
pub(super) struct Receipt {
    /// Highest first.
    spans: Vec<Span>,
    /// Below this everything counts as seen.
    floor: u64,
    largest_at: u64,
    /// Packets since the last acknowledgement that want one.
    pending: u32,
    due: Option<u64>,
    full: bool,
    /// The usual time between packets, ms.
    spacing_ms: f64,
    /// The share of packets that come with a gap before them.
    gaps: f64,
}

impl Receipt {
    pub const fn new() -> Self {
        Self {
            spans: Vec::new(),
            floor: 0,
            largest_at: 0,
            pending: 0,
            due: None,
            full: false,
            spacing_ms: 0.0,
            gaps: 0.0,
        }
    }

    /// The highest packet number that arrived.
    pub fn largest(&self) -> Option<u64> {
        self.spans.first().map(|span| span.high)
    }

    /// Whether this number came before, or is too old to tell.
    pub fn seen(&self, number: u64) -> bool {
        number < self.floor
            || self.spans.iter().any(|span| span.low <= number && number <= span.high)
    }

    /// Notes a packet; true if it shows that an earlier one is missing.
    pub fn note(&mut self, now: u64, number: u64) -> bool {
        let largest = self.largest();
        let gap = largest.map_or(number > 0, |largest| number > largest + 1);
        if largest.is_none_or(|largest| number > largest) {
            if largest.is_some() {
                #[expect(clippy::cast_precision_loss, reason = "below 3000")]
                let spacing = now.saturating_sub(self.largest_at).min(3_000) as f64;
                self.spacing_ms += (spacing - self.spacing_ms) / 4.0;
            }
            self.largest_at = now;
        }
        self.gaps += (if gap { 1.0 } else { 0.0 } - self.gaps) / 32.0;
        let at = self.spans.partition_point(|span| span.low > number + 1);
        match self.spans.get_mut(at) {
            Some(span) if span.high + 1 >= number => {
                span.low = span.low.min(number);
                span.high = span.high.max(number);
                span.named = 0;
            }
            _ => self.spans.insert(at, Span { low: number, high: number, named: 0 }),
        }
        if self.spans.get(at + 1).is_some_and(|below| below.high + 1 == self.spans[at].low) {
            let below = self.spans.remove(at + 1);
            self.spans[at].low = below.low;
        }
        if self.spans.len() > MAX_SPANS {
            self.spans.pop();
            self.floor = self.spans.last().map_or(0, |span| span.low);
        }
        gap
    }

    /// An acknowledgement is wanted within `delay_ms` of now.
    pub fn want(&mut self, now: u64, delay_ms: u64) {
        self.pending += 1;
        let delay_ms = if self.pending < MAX_PENDING { delay_ms } else { 0 };
        let due = now.saturating_add(delay_ms);
        self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
    }

    /// The next acknowledgement names everything.
    pub const fn want_all(&mut self) {
        self.full = true;
    }

    /// How long an acknowledgement may wait in the middle of a message: long enough that on a
    /// slow link one answers for two packets, since each costs 50 bytes of the way back. On a
    /// lossy link the answers themselves get lost, and must be more.
    pub fn usual_delay_ms(&self, rtt_ms: f64) -> u64 {
        let delay = if self.gaps > 0.05 {
            (rtt_ms / 8.0).clamp(10.0, 300.0)
        } else {
            (rtt_ms / 4.0).max(self.spacing_ms * 1.2).clamp(10.0, 1_500.0)
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "10 to 1500")]
        let delay = delay as u64;
        delay
    }

    /// When an acknowledgement must go at the latest.
    pub const fn due(&self) -> Option<u64> {
        self.due
    }

    /// Whether an acknowledgement would tell anything new.
    pub const fn is_pending(&self) -> bool {
        self.pending > 0
    }

    /// The acknowledgement to send now.
    pub fn acknowledge(&mut self) -> Option<Ack> {
        let mut ranges = Vec::new();
        for (index, span) in self.spans.iter_mut().take(MAX_RANGES).enumerate() {
            if index > 0 && !self.full && span.named >= REPEATS {
                break;
            }
            span.named = span.named.saturating_add(1);
            ranges.push((span.low, span.high));
        }
        (self.pending, self.due, self.full) = (0, None, false);
        #[expect(clippy::cast_possible_truncation, reason = "the low 16 bits are what is sent")]
        let arrival = self.largest_at as u16;
        (!ranges.is_empty()).then_some(Ack { arrival, ranges })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_number_is_new_once_and_named_in_the_next_full_acknowledgement(
            numbers in prop::collection::vec(0u64..80, 1..100),
        ) {
            let (mut receipt, mut all) = (Receipt::new(), BTreeSet::new());
            for number in numbers {
                prop_assert_eq!(receipt.seen(number), !all.insert(number));
                if !receipt.seen(number) {
                    receipt.note(0, number);
                }
                prop_assert!(receipt.seen(number));
            }
            receipt.want_all();
            let ack = receipt.acknowledge().unwrap();
            if all.len() < 30 {
                let named: BTreeSet<u64> =
                    ack.ranges.iter().flat_map(|&(low, high)| low..=high).collect();
                prop_assert_eq!(named, all);
            }
        }
    }

    #[test]
    fn what_is_older_than_the_memory_counts_as_seen() {
        let mut receipt = Receipt::new();
        for number in 0..1_000 {
            receipt.note(0, number * 2 + 1);
        }
        assert!(receipt.seen(2));
        assert!(!receipt.seen(1_998));
        assert!(receipt.spans.len() <= MAX_SPANS);
    }
}
