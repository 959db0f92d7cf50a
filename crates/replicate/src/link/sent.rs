//! What was sent and not yet answered: round-trip time, loss and probes.
//!
//! After RFC 9002 §5 and §6, with loss told by time alone as in RFC 8985 (RACK): a packet is
//! lost once another that was sent noticeably later is acknowledged. On a slow link that is
//! the very next packet.

use std::collections::BTreeMap;

use super::{frame::Ack, packet::QUOTE_BYTES, queue::Chunk};

/// Until something is known, a round trip is taken to last this long.
const INITIAL_RTT_MS: f64 = 1_000.0;
/// Packets given up are remembered to notice that they arrived after all.
const MAX_GIVEN_UP: usize = 512;

/// A packet on its way that the peer must acknowledge.
#[derive(Debug)]
pub(super) struct Sent {
    /// When, ms.
    pub at: u64,
    /// Bytes on the wire, IP and UDP included.
    pub size: usize,
    /// Bytes sent in this session up to and with this packet.
    pub total: u64,
    /// Whether the link stood idle just before it.
    pub limited: bool,
    /// Its last bytes.
    pub end: [u8; QUOTE_BYTES],
    /// The pieces of messages in it.
    pub chunks: Vec<Chunk>,
}

/// What an acknowledgement told.
#[derive(Default)]
pub(super) struct Outcome {
    /// Pieces that arrived.
    pub arrived: Vec<Chunk>,
    /// The highest packet, if it is newly acknowledged.
    pub newest: Option<Newest>,
    /// Packets newly acknowledged.
    pub acknowledged: usize,
    limited: bool,
}

/// The highest packet of an acknowledgement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Newest {
    pub number: u64,
    pub sent_at: u64,
    pub size: usize,
    pub sent_total: u64,
    pub delivered_total: u64,
    pub limited: bool,
}

/// Packets in flight of one session.
pub(super) struct Flight {
    packets: BTreeMap<u64, Sent>,
    given_up: BTreeMap<u64, Sent>,
    next: u64,
    sent_total: u64,
    delivered_total: u64,
    /// Bytes on their way.
    bytes: usize,
    largest_acked: Option<u64>,
    /// When the latest-sent acknowledged packet was sent, and its round trip.
    latest: Option<(u64, f64)>,
    smoothed: Option<f64>,
    variation: f64,
    least: [f64; 2],
    least_since: u64,
    reorder_ms: f64,
    last_eliciting_at: u64,
    /// Probes sent since the last acknowledgement.
    pub probes: u32,
    /// Share of packets lost, smoothed.
    pub loss: f64,
}

impl Flight {
    pub fn new(rtt_ms: Option<f64>) -> Self {
        Self {
            packets: BTreeMap::new(),
            given_up: BTreeMap::new(),
            next: 0,
            sent_total: 0,
            delivered_total: 0,
            bytes: 0,
            largest_acked: None,
            latest: None,
            smoothed: rtt_ms,
            variation: rtt_ms.unwrap_or(INITIAL_RTT_MS) / 2.0,
            least: [rtt_ms.unwrap_or(f64::INFINITY), f64::INFINITY],
            least_since: 0,
            reorder_ms: 0.0,
            last_eliciting_at: 0,
            probes: 0,
            loss: 0.0,
        }
    }

    /// The same road under new keys: what was learnt of it stays.
    #[must_use]
    pub fn renewed(&self, rtt_ms: Option<f64>) -> Self {
        let mut fresh = Self::new(self.smoothed.or(rtt_ms));
        if self.smoothed.is_some() {
            fresh.variation = self.variation;
        }
        (fresh.loss, fresh.reorder_ms) = (self.loss, self.reorder_ms);
        fresh
    }

    pub const fn next_number(&self) -> u64 {
        self.next
    }

    pub const fn largest_acked(&self) -> Option<u64> {
        self.largest_acked
    }

    pub const fn in_flight(&self) -> usize {
        self.bytes
    }

    pub fn rtt_ms(&self) -> f64 {
        self.smoothed.unwrap_or(INITIAL_RTT_MS)
    }

    /// The least round trip of the last half minute or so.
    pub fn least_rtt_ms(&self) -> f64 {
        let least = self.least[0].min(self.least[1]);
        if least.is_finite() { least } else { self.rtt_ms() }
    }

    /// Notes a packet that goes out now, and gives it its number.
    pub fn send(&mut self, eliciting: bool, mut sent: Sent) -> u64 {
        let number = self.next;
        self.next += 1;
        self.sent_total += sent.size as u64;
        // Bare acknowledgements are never acknowledged, so remembering them would never end.
        if eliciting {
            self.bytes += sent.size;
            self.last_eliciting_at = sent.at;
            sent.total = self.sent_total;
            self.packets.insert(number, sent);
        }
        number
    }

    /// Whether a packet with this end waits for its acknowledgement.
    pub fn awaits(&self, end: [u8; QUOTE_BYTES]) -> bool {
        self.packets.values().any(|sent| sent.end == end)
    }

    /// Reads an acknowledgement; `None` if it names packets that were never sent.
    pub fn acknowledge(&mut self, now: u64, ack: &Ack) -> Option<Outcome> {
        let &(_, highest) = ack.ranges.first()?;
        if highest >= self.next {
            return None;
        }
        let mut outcome = Outcome::default();
        let mut latest: Option<(u64, u64)> = None;
        for &(low, high) in &ack.ranges {
            let numbers: Vec<u64> = self.packets.range(low..=high).map(|(&n, _)| n).collect();
            for number in numbers {
                let Some(sent) = self.packets.remove(&number) else { continue };
                self.take_acknowledged(number, sent, highest, &mut latest, &mut outcome);
            }
            self.forgive(low, high, &mut outcome);
        }
        self.largest_acked = self.largest_acked.max(Some(highest));
        if let Some((_, sent_at)) = latest {
            self.sample_rtt(now, sent_at);
        }
        if let Some(newest) = &mut outcome.newest {
            (newest.delivered_total, newest.limited) = (self.delivered_total, outcome.limited);
        }
        if outcome.acknowledged > 0 {
            self.probes = 0;
        }
        Some(outcome)
    }

    fn take_acknowledged(
        &mut self,
        number: u64,
        sent: Sent,
        highest: u64,
        latest: &mut Option<(u64, u64)>,
        outcome: &mut Outcome,
    ) {
        self.delivered_total += sent.size as u64;
        self.bytes -= sent.size;
        self.loss -= self.loss / 64.0;
        outcome.acknowledged += 1;
        outcome.limited |= sent.limited;
        if latest.is_none_or(|(newest, _)| number > newest) {
            *latest = Some((number, sent.at));
        }
        if number == highest {
            outcome.newest = Some(Newest {
                number,
                sent_at: sent.at,
                size: sent.size,
                sent_total: sent.total,
                delivered_total: 0,
                limited: false,
            });
        }
        outcome.arrived.extend(sent.chunks);
    }

    /// Packets given up for lost that arrived after all: the link reorders, so wait longer.
    fn forgive(&mut self, low: u64, high: u64, outcome: &mut Outcome) {
        let numbers: Vec<u64> = self.given_up.range(low..=high).map(|(&n, _)| n).collect();
        for number in numbers {
            let Some(sent) = self.given_up.remove(&number) else { continue };
            self.delivered_total += sent.size as u64;
            self.loss = (self.loss - 1.0 / 64.0).max(0.0);
            self.reorder_ms = (self.reorder_ms * 2.0).max(10.0).min(self.rtt_ms());
            outcome.arrived.extend(sent.chunks);
        }
    }

    fn sample_rtt(&mut self, now: u64, sent_at: u64) {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let sample = now.saturating_sub(sent_at) as f64;
        if self.latest.is_none_or(|(at, _)| sent_at >= at) {
            self.latest = Some((sent_at, sample));
        }
        if now.saturating_sub(self.least_since) > 20_000 {
            self.least = [f64::INFINITY, self.least[0]];
            self.least_since = now;
        }
        self.least[0] = self.least[0].min(sample);
        let Some(smoothed) = self.smoothed else {
            (self.smoothed, self.variation) = (Some(sample), sample / 2.0);
            return;
        };
        // A packet that lay in a modem through an outage says nothing about the road.
        if self.probes >= 2 && sample > 4.0 * smoothed {
            return;
        }
        self.variation += ((smoothed - sample).abs() - self.variation) / 4.0;
        self.smoothed = Some(smoothed + (sample - smoothed) / 8.0);
    }

    /// How much later a packet must have been sent that an earlier one is given up for it.
    fn reorder_window_ms(&self) -> f64 {
        self.reorder_ms.max((self.rtt_ms() / 8.0).min(60.0)).max(4.0)
    }

    /// Takes out the packets that must be given up for lost by now: how many, and their pieces.
    pub fn lost(&mut self, now: u64) -> (usize, Vec<Chunk>) {
        let Some((latest_sent, rtt)) = self.latest else { return (0, Vec::new()) };
        let window = self.reorder_window_ms();
        let lost: Vec<u64> = self
            .packets
            .range(..self.largest_acked.unwrap_or(0))
            .take_while(|(_, sent)| sent.at <= latest_sent)
            .filter(|(_, sent)| lost_at(sent.at, rtt, window) <= now)
            .map(|(&number, _)| number)
            .collect();
        let (count, mut chunks) = (lost.len(), Vec::new());
        for number in lost {
            let Some(sent) = self.packets.remove(&number) else { continue };
            self.bytes -= sent.size;
            self.loss += (1.0 - self.loss) / 64.0;
            chunks.extend(sent.chunks.iter().copied());
            self.given_up.insert(number, sent);
        }
        while self.given_up.len() > MAX_GIVEN_UP {
            self.given_up.pop_first();
        }
        (count, chunks)
    }

    /// When the next packet will have to be given up.
    pub fn loss_timer(&self) -> Option<u64> {
        let (latest_sent, rtt) = self.latest?;
        let window = self.reorder_window_ms();
        self.packets
            .range(..self.largest_acked?)
            .take_while(|(_, sent)| sent.at <= latest_sent)
            .map(|(_, sent)| lost_at(sent.at, rtt, window))
            .min()
    }

    /// How long to wait for an acknowledgement before probing, without backing off.
    pub fn probe_base_ms(&self) -> u64 {
        let rtt = self.rtt_ms();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a positive time"
        )]
        let base = (rtt + (4.0 * self.variation).max(20.0) + (rtt / 2.0).clamp(25.0, 400.0)) as u64;
        base
    }

    /// When to probe, if anything is unanswered; the wait doubles up to `most_ms`.
    pub fn probe_timer(&self, most_ms: u64, not_before: u64) -> Option<u64> {
        if self.bytes == 0 {
            return None;
        }
        // On a lossy link probes and answers get lost too.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive")]
        let (patient, least) = (1 + (self.loss * 10.0) as u32, (1.5 * self.least_rtt_ms()) as u64);
        let doublings = self.probes.saturating_sub(patient).min(16);
        let wait = self.probe_base_ms().saturating_mul(1 << doublings).min(most_ms.max(least));
        Some(self.last_eliciting_at.max(not_before).saturating_add(wait))
    }

    /// When the oldest packet that still waits for an answer was sent.
    pub fn waiting_since(&self) -> Option<u64> {
        self.packets.first_key_value().map(|(_, sent)| sent.at)
    }

    /// The first piece of a message that waits, of the most urgent class.
    pub fn first_unanswered(&self) -> Option<Chunk> {
        let chunks = self.packets.values().flat_map(|sent| &sent.chunks);
        chunks.min_by_key(|chunk| (chunk.class, chunk.message_no, chunk.from)).copied()
    }
}

fn lost_at(sent_at: u64, rtt: f64, window: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive time")]
    let wait = (rtt + window).ceil() as u64;
    sent_at.saturating_add(wait)
}
