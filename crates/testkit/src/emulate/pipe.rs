//! One direction of a link in virtual time.

use std::{collections::BTreeMap, ops::Range};

/// How one direction of a link behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Conditions {
    /// What the narrowest part passes, bits per second, headers included.
    pub rate_bps: u64,
    /// One-way delay beside the time that the bits take, ms.
    pub delay_ms: u64,
    /// A packet is late by up to this much more, evenly spread, ms.
    pub jitter_ms: u64,
    /// The share of packets that the road loses after they used its time, 0 to 1.
    pub loss: f64,
    /// The share of packets that arrive twice, 0 to 1.
    pub duplicate: f64,
    /// What may wait before the narrowest part, bytes; more is dropped.
    pub queue_bytes: usize,
    /// Bytes that each packet takes beside its own: 28 for IPv4 and UDP.
    pub overhead_bytes: usize,
    /// Whether jitter leaves packets in their order.
    pub in_order: bool,
    /// Times at which all that is sent is lost, ms.
    pub outages: Vec<Range<u64>>,
}

impl Conditions {
    /// A link with a rate and a one-way delay, without loss or jitter, that queues up to two
    /// seconds (at least 4 KiB).
    pub fn new(rate_bps: u64, delay_ms: u64) -> Self {
        Self {
            rate_bps,
            delay_ms,
            jitter_ms: 0,
            loss: 0.0,
            duplicate: 0.0,
            queue_bytes: usize::try_from(rate_bps / 4).unwrap_or(usize::MAX).max(4_096),
            overhead_bytes: 28,
            in_order: false,
            outages: Vec::new(),
        }
    }

    /// The same with a share of packets lost.
    #[must_use]
    pub fn with_loss(mut self, loss: f64) -> Self {
        self.loss = loss;
        self
    }

    /// The same with jitter, which reorders.
    #[must_use]
    pub fn with_jitter_ms(mut self, jitter_ms: u64) -> Self {
        self.jitter_ms = jitter_ms;
        self
    }

    /// The same with a time at which everything is lost, ms.
    #[must_use]
    pub fn with_outage(mut self, outage_ms: Range<u64>) -> Self {
        self.outages.push(outage_ms);
        self
    }
}

/// One direction: packets go in at a time, and come out later, or never.
#[derive(Debug)]
pub struct Pipe {
    conditions: Conditions,
    is_cut: bool,
    chance: u64,
    free_at_us: u64,
    last_arrival_us: u64,
    under_way: BTreeMap<(u64, u64), Vec<u8>>,
    count: u64,
    passed_bytes: u64,
}

impl Pipe {
    /// A pipe whose losses and jitter come from `seed`.
    pub fn new(conditions: Conditions, seed: u64) -> Self {
        Self {
            conditions,
            is_cut: false,
            chance: seed,
            free_at_us: 0,
            last_arrival_us: 0,
            under_way: BTreeMap::new(),
            count: 0,
            passed_bytes: 0,
        }
    }

    /// How it behaves from now on.
    pub fn conditions_mut(&mut self) -> &mut Conditions {
        &mut self.conditions
    }

    /// How it behaves.
    pub const fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    /// Cuts the pipe (what is sent is lost) or restores it.
    pub fn set_cut(&mut self, cut: bool) {
        self.is_cut = cut;
    }

    /// Puts a packet in.
    pub fn push(&mut self, now_ms: u64, packet: Vec<u8>) {
        if !self.occupy(now_ms, packet.len()) {
            return;
        }
        if self.chance() < self.conditions.duplicate {
            self.deliver(packet.clone());
        }
        self.deliver(packet);
    }

    /// What would become of a packet of this length: when the link is free again and when it
    /// would arrive, ms; `None` if it is lost.
    pub fn pass(&mut self, now_ms: u64, length: usize) -> Option<(u64, u64)> {
        self.occupy(now_ms, length)
            .then(|| (self.free_at_us.div_ceil(1_000), self.arrival_us().div_ceil(1_000)))
    }

    /// Takes the time of the narrowest part; false if the packet is lost.
    fn occupy(&mut self, now_ms: u64, length: usize) -> bool {
        let now = now_ms * 1_000;
        let rate = self.conditions.rate_bps.max(1);
        let size = (length + self.conditions.overhead_bytes) as u64;
        if self.queued_bytes(now_ms) > self.conditions.queue_bytes as u64 {
            return false;
        }
        self.free_at_us = self.free_at_us.max(now) + size * 8_000_000 / rate;
        self.passed_bytes += size;
        let lost = self.chance() < self.conditions.loss;
        !lost && !self.is_cut && !self.conditions.outages.iter().any(|o| o.contains(&now_ms))
    }

    fn deliver(&mut self, packet: Vec<u8>) {
        let arrival = self.arrival_us();
        self.count += 1;
        self.under_way.insert((arrival, self.count), packet);
    }

    fn arrival_us(&mut self) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of a jitter in ms"
        )]
        let jitter = (self.chance() * self.conditions.jitter_ms as f64 * 1_000.0) as u64;
        let mut arrival = self.free_at_us + self.conditions.delay_ms * 1_000 + jitter;
        if self.conditions.in_order {
            arrival = arrival.max(self.last_arrival_us);
        }
        self.last_arrival_us = arrival;
        arrival
    }

    /// When the next packet comes out, ms.
    pub fn next_arrival_ms(&self) -> Option<u64> {
        self.under_way.first_key_value().map(|(&(at, _), _)| at.div_ceil(1_000))
    }

    /// A packet that is out by now.
    pub fn pop(&mut self, now_ms: u64) -> Option<Vec<u8>> {
        let first = self.under_way.first_entry()?;
        (first.key().0 <= now_ms * 1_000).then(|| first.remove())
    }

    /// Bytes that have taken the narrowest part's time, headers included.
    pub const fn passed_bytes(&self) -> u64 {
        self.passed_bytes
    }

    /// Bytes that wait before the narrowest part.
    pub fn queued_bytes(&self, now_ms: u64) -> u64 {
        self.free_at_us.saturating_sub(now_ms * 1_000) * self.conditions.rate_bps / 8_000_000
    }

    /// A number from 0 to 1 (`SplitMix64`).
    fn chance(&mut self) -> f64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.chance;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        #[expect(clippy::cast_precision_loss, reason = "53 bits are kept")]
        let share = (z >> 11) as f64 / (1u64 << 53) as f64;
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_takes_the_time_of_its_bits_and_the_delay() {
        let mut pipe = Pipe::new(Conditions::new(9_600, 300), 1);
        pipe.push(0, vec![0; 272]);
        pipe.push(0, vec![1; 92]);
        assert_eq!(pipe.next_arrival_ms(), Some(550));
        assert_eq!(pipe.pop(549), None);
        assert_eq!(pipe.pop(550).map(|p| p.len()), Some(272));
        assert_eq!(pipe.next_arrival_ms(), Some(650));
        assert_eq!(pipe.queued_bytes(250), 120);
    }

    #[test]
    fn a_full_queue_drops_and_an_outage_loses() {
        let mut conditions = Conditions::new(8_000, 0).with_outage(5_000..6_000);
        conditions.queue_bytes = 1_000;
        let mut pipe = Pipe::new(conditions, 1);
        for _ in 0..10 {
            pipe.push(0, vec![0; 472]);
        }
        let out = std::iter::from_fn(|| pipe.pop(4_999)).count();
        assert_eq!(out, 3, "one under way and two in the queue");
        pipe.push(5_999, vec![0]);
        pipe.push(6_000, vec![1]);
        assert_eq!(pipe.pop(9_000), Some(vec![1]));
        assert_eq!(pipe.pop(9_000), None);
    }

    #[test]
    fn the_same_seed_loses_the_same_packets() {
        let run = |seed| {
            let conditions = Conditions::new(1_000_000, 10).with_loss(0.3).with_jitter_ms(50);
            let mut pipe = Pipe::new(conditions, seed);
            for n in 0..200u8 {
                pipe.push(u64::from(n) * 10, vec![n]);
            }
            std::iter::from_fn(|| pipe.pop(10_000)).map(|p| p[0]).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        assert!((110..170).contains(&run(7).len()));
        assert!(run(7).windows(2).any(|pair| pair[0] > pair[1]), "jitter reorders");
    }
}
