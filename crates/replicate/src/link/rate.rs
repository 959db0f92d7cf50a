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
    clippy::cast_sign_loss,
    reason = "estimates of times below 2^40 ms and bytes below 2^50"
)]

use std::collections::VecDeque;

use super::sent::{Flight, Newest};

/// No link is taken to be slower than this, bytes per ms (400 bit/s).
const FLOOR: f64 = 0.05;
/// Frames aim at this much time of the link, ms.
const FRAME_MS: f64 = 250.0;
/// The queue is never judged more finely than this, ms.
const QUEUE_MS_MIN: f64 = 8.0;
/// How long the best delay is remembered, ms (twice: this window and the one before).
const BASE_WINDOW_MS: u64 = 20_000;
/// Packets over which a share of loss is judged.
const LOSS_BLOCK: u32 = 100;
/// A share of loss that few radios have: perhaps the road drops because we send too much.
const LOSS_TOO_MUCH: f64 = 0.4;
/// A share of loss that no radio has.
const LOSS_HOPELESS: f64 = 0.6;
/// Loss beyond the usual that makes us try whether less sent is less lost.
const LOSS_UNUSUAL: f64 = 0.2;
/// If a fifth less sent lowers the share of loss by this much, the road drops what is too much.
const LOSS_RELIEF: f64 = 0.08;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    /// Doubling each round trip until a queue shows.
    Startup,
    /// Letting a queue run empty.
    Drain { until: u64, from_ms: f64 },
    /// Creeping up from below.
    Cruise,
}

struct Point {
    arrival: i64,
    sent_total: u64,
    delivered_total: u64,
}

#[derive(Clone, Copy)]
struct Best {
    delay: i64,
    size: usize,
}

/// The estimate of one direction.
pub(super) struct Rate {
    capacity: f64,
    mode: Mode,
    /// Best delay of this window and of the one before.
    best: [Option<Best>; 2],
    best_since: u64,
    jitter: f64,
    last_delay: Option<i64>,
    points: VecDeque<Point>,
    round_end: u64,
    round_queue: f64,
    round_limited: bool,
    clean_rounds: u32,
    high_samples: u32,
    block: (u32, u32),
    usual_loss: Option<f64>,
    /// Capacity and loss before the one was lowered to see whether the other follows.
    trial: Option<(f64, f64)>,
    measured: bool,
}

impl Rate {
    pub const fn new() -> Self {
        Self {
            capacity: 0.25,
            mode: Mode::Startup,
            best: [None; 2],
            best_since: 0,
            jitter: 0.0,
            last_delay: None,
            points: VecDeque::new(),
            round_end: 0,
            round_queue: f64::INFINITY,
            round_limited: false,
            clean_rounds: 0,
            high_samples: 0,
            block: (0, 0),
            usual_loss: None,
            trial: None,
            measured: false,
        }
    }

    /// A session begins: the peer's clock and our packet numbers begin anew. What the road
    /// passes is still the best guess; without one, four small packets a round trip are.
    pub fn restart(&mut self, rtt_ms: Option<f64>) {
        if let (false, Some(rtt)) = (self.measured, rtt_ms) {
            self.capacity = (720.0 / rtt.max(1.0)).clamp(FLOOR, 100.0);
        }
        (self.best, self.last_delay, self.round_end) = ([None; 2], None, 0);
        self.points.clear();
        self.mode = if self.measured { Mode::Cruise } else { Mode::Startup };
        self.new_round(0);
    }

    pub fn debug(&self) -> String {
        format!("{:?} thr {:.0} jit {:.0} clean {} lim {} usual {:.2?} trial {:?} rq {:.0}", self.mode, self.threshold_ms(), self.jitter, self.clean_rounds, self.round_limited, self.usual_loss, self.trial, self.round_queue)
    }

    /// The road was cut: what was measured across the cut means nothing.
    pub fn interrupt(&mut self) {
        self.points.clear();
        self.high_samples = 0;
    }

    /// Whether the estimate rests on anything.
    pub const fn is_measured(&self) -> bool {
        self.measured
    }

    /// What the narrowest part passes, bytes per ms.
    pub const fn capacity(&self) -> f64 {
        self.capacity
    }

    /// Bytes per ms to send at.
    pub fn pace(&self) -> f64 {
        match self.mode {
            Mode::Startup | Mode::Cruise => self.capacity,
            Mode::Drain { from_ms, .. } if from_ms > 1_000.0 => self.capacity * 0.4,
            Mode::Drain { .. } => self.capacity * 0.7,
        }
    }

    /// Bytes of a frame: 250 ms of the link's time, at least 128.
    pub fn frame_bytes(&self) -> usize {
        if !self.measured {
            return 128;
        }
        ((self.capacity * FRAME_MS) as usize).max(128)
    }

    /// Nothing was answered in time. Before the first measurements that may be our doing.
    pub fn unanswered(&mut self) {
        if self.mode == Mode::Startup {
            self.capacity = (self.capacity / 2.0).max(FLOOR);
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
        let delay = self.unwrap_delay(newest.sent_at, arrival);
        self.note_best(now, delay, newest.size);
        let queue = self.queue_ms(delay, newest.size);
        let threshold = self.threshold_ms();
        self.points.push_back(Point {
            arrival: newest.sent_at as i64 + delay,
            sent_total: newest.sent_total,
            delivered_total: newest.delivered_total,
        });
        if self.points.len() > 128 {
            self.points.pop_front();
        }
        self.round_queue = self.round_queue.min(queue);
        self.round_limited |= newest.limited;
        self.high_samples = match queue / threshold {
            0.0..3.0 => 0,
            3.0..10.0 => self.high_samples + 1,
            _ => self.high_samples + 3,
        };
        let round_over = newest.number >= self.round_end;
        match self.mode {
            Mode::Drain { from_ms, .. } if queue > from_ms + threshold && round_over => {
                self.overuse(now, queue, next, rtt_ms);
            }
            Mode::Drain { until, .. } => {
                if queue < threshold / 2.0 {
                    self.mode = Mode::Cruise;
                    self.new_round(next);
                } else if now >= until {
                    // It should be empty by now: the road itself has become longer.
                    self.best = [Some(Best { delay, size: newest.size }), None];
                    self.mode = Mode::Cruise;
                    self.new_round(next);
                }
            }
            _ if self.high_samples >= 3 || round_over && self.round_queue > threshold => {
                self.overuse(now, queue, next, rtt_ms);
            }
            Mode::Startup if round_over => {
                self.startup_round(rtt_ms);
                self.new_round(next);
            }
            Mode::Cruise if round_over => {
                self.cruise_round(rtt_ms);
                self.new_round(next);
            }
            _ => {}
        }
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
        self.round_end = next;
        self.round_queue = f64::INFINITY;
        self.round_limited = false;
        self.high_samples = 0;
    }

    /// The forward delay by two clocks that have nothing in common but their pace; only
    /// differences of it mean anything.
    fn unwrap_delay(&mut self, sent_at: u64, arrival: u16) -> i64 {
        let expected = self.last_delay.unwrap_or(0);
        let expected_arrival = (sent_at as i64).wrapping_add(expected) as u16;
        let difference = arrival.wrapping_sub(expected_arrival) as i16;
        let delay = expected + i64::from(difference);
        if let Some(last) = self.last_delay {
            self.jitter += ((delay - last).abs().min(1_000) as f64 - self.jitter) / 8.0;
        }
        self.last_delay = Some(delay);
        delay
    }

    fn note_best(&mut self, now: u64, delay: i64, size: usize) {
        if now.saturating_sub(self.best_since) > BASE_WINDOW_MS {
            self.best = [None, self.best[0]];
            self.best_since = now;
        }
        if self.best[0].is_none_or(|best| delay < best.delay) {
            self.best[0] = Some(Best { delay, size });
        }
    }

    fn queue_ms(&self, delay: i64, size: usize) -> f64 {
        let Some(best) = self.best.iter().flatten().min_by_key(|best| best.delay) else {
            return 0.0;
        };
        let longer = size.saturating_sub(best.size) as f64 / self.capacity;
        let longer = if self.mode == Mode::Startup { 0.0 } else { longer };
        ((delay - best.delay) as f64 - longer).max(0.0)
    }

    fn threshold_ms(&self) -> f64 {
        let frame = (self.frame_bytes().min(1_200) as f64 + 50.0) / self.capacity;
        (frame * 0.5).min(150.0).max(self.jitter).max(QUEUE_MS_MIN)
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
        let extra = (1.0 - delivered / sent.max(1.0) - self.usual_loss.unwrap_or(0.3) - 0.15).max(0.0);
        (sent > 0.0).then_some(sent * (1.0 - extra) / time)
    }

    fn overuse(&mut self, now: u64, queue: f64, next: u64, rtt_ms: f64) {
        let span = if self.mode == Mode::Startup { rtt_ms / 2.0 } else { rtt_ms };
        let passing = self.passing(span.max(40.0));
        let before = self.capacity;
        if self.round_limited {
            let most = if queue > 10.0 * self.threshold_ms() { 0.5 } else { 0.85 };
            self.capacity = passing.unwrap_or(0.0).max(before * most).min(before);
        } else if let Some(passing) = passing {
            self.capacity = passing.min(before);
        }
        self.capacity = self.capacity.max(FLOOR);
        // The queue was measured in time; what fills it now takes longer on a slower link.
        let drain = queue / 0.3 + 2.0 * rtt_ms;
        self.mode = Mode::Drain { until: now + drain as u64, from_ms: queue };
        self.clean_rounds = 0;
        self.trial = None;
        self.new_round(next);
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
        self.clean_rounds += 1;
        let step = match self.clean_rounds {
            0..3 => 0.01,
            3 => 0.02,
            4 => 0.04,
            5 => 0.08,
            6 => 0.15,
            _ => 0.25,
        };
        self.capacity *= 1.0 + step;
    }
}
