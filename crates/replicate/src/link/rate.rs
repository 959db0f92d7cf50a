//! How fast to send: just below what the narrowest part of the road passes, so that no queue
//! builds in a modem (ADR 0005, 'Rate').
//!
//! The peer stamps its acknowledgements with its own clock, so that the forward way is measured
//! alone: how much later than at best packets arrive is the queue, and bytes sent between two
//! arrivals over the time between them is what the road passes. Loss by itself means nothing
//! here: radio loses packets that it has passed.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "estimates of times below 2^40 ms and bytes below 2^50"
)]

use std::collections::VecDeque;

use super::{
    delay::Delay,
    sent::{Flight, Newest},
};

/// No link is taken to be slower than this, bytes per ms (400 bit/s).
const FLOOR: f64 = 0.05;
/// Frames aim at this much time of the link, ms.
const FRAME_MS: f64 = 250.0;
/// The queue is never judged more finely than this, ms.
const QUEUE_MS_MIN: f64 = 8.0;
/// What is shorter is no queue, ms.
const EMPTY_MS: f64 = 2.0;
/// The share of the capacity that is used while a queue runs empty.
const DRAIN: f64 = 0.6;
/// Delays within so many times the jitter show no queue.
const JITTER: f64 = 2.5;
/// After so many overuses in a row the road itself must have become longer.
const REBASE_AFTER: u32 = 6;
/// Packets over which a share of loss is judged.
const LOSS_BLOCK: u32 = 100;
/// A share of loss that few radios have: perhaps the road drops because we send too much.
const LOSS_TOO_MUCH: f64 = 0.4;
/// A share of loss that no radio has.
const LOSS_HOPELESS: f64 = 0.6;
/// So many unanswered probes may mean that too much was sent.
const PROBES_OF_DOUBT: u32 = 2;
/// Loss beyond the usual that makes us try whether less sent is less lost.
const LOSS_UNUSUAL: f64 = 0.2;
/// If a fifth less sent lowers the share of loss by this much, the road drops what is too much.
const LOSS_RELIEF: f64 = 0.08;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    /// Doubling each round trip until a queue shows.
    Startup,
    /// Letting a queue run empty: for as long as that should take.
    Drain { until: u64 },
    /// Creeping up from below.
    Cruise,
}

struct Point {
    arrival: i64,
    sent_total: u64,
    delivered_total: u64,
}

/// The estimate of one direction.
pub(super) struct Rate {
    capacity: f64,
    mode: Mode,
    delay: Delay,
    points: VecDeque<Point>,
    round_end: u64,
    round_samples: u32,
    round_limited: bool,
    clean_rounds: u32,
    /// Queues seen lately, the latest last.
    queues: VecDeque<f64>,
    /// Packets from this one on show what came of the last decision.
    judge_from: u64,
    /// Overuses without a clean round between.
    overuses: u32,
    /// The queue at the last overuse, ms.
    last_queue: f64,
    /// The shortest queue since then, ms.
    least_queue: f64,
    /// What the road passed when a queue last showed.
    known: Option<f64>,
    block: (u32, u32),
    usual_loss: Option<f64>,
    /// Capacity and loss before the one was lowered to see whether the other follows.
    trial: Option<(f64, f64)>,
    /// The capacity before silence lowered it.
    before_silence: Option<f64>,
    measured: bool,
}

impl Rate {
    pub const fn new() -> Self {
        Self {
            capacity: 0.25,
            mode: Mode::Startup,
            delay: Delay::new(),
            points: VecDeque::new(),
            round_end: 0,
            round_samples: 0,
            round_limited: false,
            clean_rounds: 0,
            queues: VecDeque::new(),
            judge_from: 0,
            overuses: 0,
            last_queue: 0.0,
            least_queue: f64::INFINITY,
            known: None,
            block: (0, 0),
            usual_loss: None,
            trial: None,
            before_silence: None,
            measured: false,
        }
    }

    /// A session begins: the peer's clock and our packet numbers begin anew. What the road
    /// passes is still the best guess; without one, four small packets a round trip are.
    pub fn restart(&mut self, rtt_ms: Option<f64>) {
        if let (false, Some(rtt)) = (self.measured, rtt_ms) {
            self.capacity = (720.0 / rtt.max(1.0)).clamp(FLOOR, 100.0);
        }
        self.forget_silence();
        self.overuses = 0;
        self.delay.restart();
        self.judge_from = 0;
        self.interrupt();
        self.mode = if self.measured { Mode::Cruise } else { Mode::Startup };
        self.new_round(0);
    }

    /// The road was cut: what was measured across the cut means nothing.
    pub fn interrupt(&mut self) {
        self.points.clear();
        self.queues.clear();
    }

    /// Whether the estimate rests on anything.
    pub const fn is_measured(&self) -> bool {
        self.measured
    }

    /// What the narrowest part passes, bytes per ms.
    pub const fn capacity(&self) -> f64 {
        self.capacity
    }

    /// Bytes per ms to send at. A queue has run empty when its time is over, and not only when the
    /// next acknowledgement comes.
    pub fn pace(&self, now: u64) -> f64 {
        match self.mode {
            Mode::Drain { until } if now < until => self.capacity * DRAIN,
            Mode::Startup | Mode::Cruise | Mode::Drain { .. } => self.capacity,
        }
    }

    /// Bytes of a frame: 250 ms of the link's time, at least 128.
    pub fn frame_bytes(&self) -> usize {
        if !self.measured {
            return 128;
        }
        ((self.capacity * FRAME_MS) as usize).max(128)
    }

    /// So many probes were not answered in time. Before the road is known that may be our doing
    /// at first; a longer silence is a cut, which says nothing about the rate.
    pub fn unanswered(&mut self, probes: u32) {
        if probes > PROBES_OF_DOUBT {
            self.forget_silence();
        } else if self.mode == Mode::Startup {
            self.before_silence.get_or_insert(self.capacity);
            self.capacity = (self.capacity / 2.0).max(FLOOR);
        }
    }

    /// The silence does not come from sending too much.
    fn forget_silence(&mut self) {
        if let Some(before) = self.before_silence.take() {
            self.capacity = self.capacity.max(before);
        }
    }

    /// Bytes that may be on their way at once: two round trips' worth, with the time that
    /// acknowledgements are held back or need a second try.
    pub fn most_in_flight(&self, flight: &Flight, packet_bytes: usize) -> usize {
        let time = (flight.least_rtt_ms() + flight.rtt_ms()) * (1.0 + 4.0 * flight.loss.min(0.5));
        (self.capacity * time) as usize + 6 * packet_bytes
    }

    /// From an acknowledgement: the highest newly acknowledged packet, when it arrived by the
    /// peer's clock (low 16 bits of ms), the next packet number and the least round trip.
    pub fn sample(&mut self, now: u64, newest: &Newest, arrival: u16, next: u64, rtt_ms: f64) {
        self.measured = true;
        let delay = self.delay.note(now, newest.sent_at, arrival, newest.size);
        // While the capacity is unknown, so is how much longer a longer packet takes.
        let capacity = (self.mode != Mode::Startup).then_some(self.capacity);
        let queue = self.delay.queue_ms(delay, newest.size, capacity);
        if queue <= self.threshold_ms() {
            self.forget_silence();
        }
        self.points.push_back(Point {
            arrival: newest.sent_at as i64 + delay,
            sent_total: newest.sent_total,
            delivered_total: newest.delivered_total,
        });
        if self.points.len() > 128 {
            self.points.pop_front();
        }
        if let Mode::Drain { until } = self.mode {
            if now < until {
                return;
            }
            self.mode = Mode::Cruise;
            (self.judge_from, self.round_end) = (next, next);
        }
        if newest.number < self.judge_from {
            return;
        }
        self.least_queue = self.least_queue.min(queue);
        self.round_samples += 1;
        self.round_limited |= newest.limited;
        self.queues.push_back(queue);
        if self.queues.len() > 4 {
            self.queues.pop_front();
        }
        let round_over = newest.number >= self.round_end;
        if self.is_overused(queue) {
            self.overuse(now, delay, newest.size, rtt_ms, next);
            self.new_round(next);
        } else if round_over && queue <= self.threshold_ms() {
            self.overuses = 0;
            match self.mode {
                Mode::Startup => self.startup_round(rtt_ms),
                _ => self.cruise_round(rtt_ms),
            }
            self.new_round(next);
        }
    }

    /// The road itself has become longer: what was lowered for a queue that never was is found
    /// again by doubling. Creeping up by hundredths each round trip would take hours.
    fn become_longer(&mut self, delay: i64, size: usize, next: u64) {
        self.delay.rebase(delay, size);
        self.overuses = 0;
        self.queues.clear();
        (self.known, self.mode, self.clean_rounds) = (None, Mode::Startup, 0);
        self.judge_from = next;
    }

    /// Whether the last few packets all found a queue, so that it is no jitter; where packets
    /// are few, two must do.
    fn is_overused(&self, queue: f64) -> bool {
        let threshold = self.threshold_ms();
        let few = self.round_samples < 6 && self.delay.jitter_ms() * JITTER < threshold;
        let enough = if few { 2 } else { 4 };
        let last = self.queues.iter().rev().take(enough);
        queue > 20.0 * threshold
            || self.queues.len() >= enough
                && last.copied().fold(f64::INFINITY, f64::min) > threshold
    }

    /// Packets acknowledged and packets given up.
    pub fn outcome(&mut self, acknowledged: usize, lost: usize) {
        self.block.0 += u32::try_from(acknowledged).unwrap_or(u32::MAX / 4);
        self.block.1 += u32::try_from(lost).unwrap_or(u32::MAX / 4);
        let all = self.block.0 + self.block.1;
        if all < LOSS_BLOCK {
            return;
        }
        let share = f64::from(self.block.1) / f64::from(all);
        self.block = (0, 0);
        let usual = self.usual_loss.unwrap_or(share);
        match self.trial.take() {
            // Slower, and no better: it is the radio.
            Some((before, loss)) if share > loss - LOSS_RELIEF && share < LOSS_HOPELESS => {
                self.usual_loss = Some(share);
                self.capacity = self.capacity.max(before);
            }
            _ if share > LOSS_HOPELESS => self.capacity = (self.capacity / 2.0).max(FLOOR),
            Some(_) => {}
            None if share > LOSS_TOO_MUCH || share > usual + LOSS_UNUSUAL => {
                self.trial = Some((self.capacity, share));
                self.capacity = (self.capacity * 0.8).max(FLOOR);
                self.clean_rounds = 0;
            }
            None => self.usual_loss = Some(usual + (share - usual) / 4.0),
        }
    }

    fn new_round(&mut self, next: u64) {
        (self.round_end, self.round_samples, self.round_limited) = (next, 0, false);
    }

    fn threshold_ms(&self) -> f64 {
        let frame = (self.frame_bytes().min(1_200) as f64 + 50.0) / self.capacity;
        (frame * 0.5).min(150.0).max(self.delay.jitter_ms() * JITTER).max(QUEUE_MS_MIN)
    }

    /// What passed per ms over about the last round trip.
    fn passing(&self, span_ms: f64) -> Option<f64> {
        let last = self.points.back()?;
        let first = self
            .points
            .iter()
            .rev()
            .skip(1)
            .find(|point| (last.arrival - point.arrival) as f64 >= span_ms)
            .or_else(|| self.points.front())?;
        let time = (last.arrival - first.arrival) as f64;
        if time < 2.0 {
            return None;
        }
        let sent = last.sent_total.saturating_sub(first.sent_total) as f64;
        let delivered = last.delivered_total.saturating_sub(first.delivered_total) as f64;
        // More loss than usual while a queue stands: the road drops before its narrowest part.
        let usual = self.usual_loss.unwrap_or(0.3) + 0.15;
        let many = sent > 30.0 * self.frame_bytes().min(1_200) as f64;
        let extra = if many { (1.0 - delivered / sent - usual).max(0.0) } else { 0.0 };
        (sent > 0.0).then_some(sent * (1.0 - extra) / time)
    }

    fn overuse(&mut self, now: u64, delay: i64, size: usize, rtt_ms: f64, next: u64) {
        let queue = self.queues.back().copied().unwrap_or(0.0);
        // A deep queue that shrinks only needs more time.
        let shrinks = self.overuses > 0 && queue < self.last_queue * 0.95;
        self.overuses += u32::from(!shrinks);
        self.last_queue = queue;
        if self.overuses > REBASE_AFTER {
            self.become_longer(delay, size, next);
            return;
        }
        let span = if self.mode == Mode::Startup { rtt_ms / 2.0 } else { rtt_ms };
        let span = span.max(self.delay.jitter_ms() * 8.0).max(40.0);
        let passing = self.passing(span).unwrap_or(self.capacity * 0.85);
        let least = match (self.round_limited, queue > 10.0 * self.threshold_ms()) {
            (true, false) => self.capacity * 0.85,
            (true, true) => self.capacity * 0.5,
            (false, _) => FLOOR,
        };
        // Where the road was seen empty since the last queue, what passes is known well.
        let was_empty = std::mem::replace(&mut self.least_queue, f64::INFINITY) < EMPTY_MS;
        let again = match (self.overuses > 1 && !shrinks, was_empty) {
            (true, _) => 0.85,
            (false, true) => 0.99,
            (false, false) => 0.98,
        };
        // Since it was seen the queue has grown on for about a round trip.
        let grown = (self.capacity / passing - 1.0).clamp(0.0, 0.2) * rtt_ms;
        self.capacity = (passing * again).clamp(least, self.capacity.max(least)).max(FLOOR);
        // The first measurement covers a time in which the road was not yet full.
        self.known = (self.mode != Mode::Startup).then_some(self.capacity / again);
        // The best delay may have had a part of the queue: below empty does no harm.
        let below = queue * 0.25 + self.threshold_ms() / 2.0;
        let drain = if was_empty { queue + grown.min(below) } else { queue + below };
        let drain = drain / (1.0 - DRAIN);
        let drain = drain.min(20_000.0);
        self.mode = Mode::Drain { until: now + drain as u64 };
        self.clean_rounds = 0;
        self.trial = None;
        self.queues.clear();
    }

    fn startup_round(&mut self, rtt_ms: f64) {
        if self.round_limited {
            return;
        }
        match self.passing(rtt_ms / 2.0) {
            Some(passing) if passing < self.capacity * 0.6 => {
                self.clean_rounds += 1;
                if self.clean_rounds >= 3 {
                    (self.capacity, self.mode, self.clean_rounds) = (passing, Mode::Cruise, 0);
                }
            }
            Some(passing) => {
                self.clean_rounds = 0;
                self.capacity = (2.5 * passing).clamp(self.capacity, 2.0 * self.capacity);
            }
            None => {}
        }
    }

    fn cruise_round(&mut self, rtt_ms: f64) {
        let kept_up = self.passing(rtt_ms).is_none_or(|passing| passing > self.capacity * 0.8);
        if self.round_limited || !kept_up || self.trial.is_some() {
            return;
        }
        // Carefully where a queue showed before, faster and faster where none ever did.
        let near = self.known.map(|known| self.capacity / known);
        let step = match near {
            Some(near) if near < 0.9 => 0.1,
            Some(near) if near < 1.1 => 0.01,
            _ => {
                self.clean_rounds += 1;
                [0.02, 0.04, 0.08, 0.15, 0.25][(self.clean_rounds as usize - 1).min(4)]
            }
        };
        self.capacity *= 1.0 + step;
    }
}
