//! How late packets arrive, measured on the forward way alone.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "times below 2^40 ms; a clock of 16 bits wraps on purpose"
)]

/// How often the best delay may be found a little worse, ms.
const WINDOW_MS: u64 = 20_000;
/// How much two clocks may drift apart in that time, ms.
const DRIFT_MS: i64 = 5;

#[derive(Clone, Copy)]
struct Best {
    ms: i64,
    size: usize,
}

/// Forward delays by two clocks that have nothing in common but their pace: only differences
/// mean anything.
pub(super) struct Delay {
    /// The road with nothing in the way.
    best: Option<Best>,
    /// The best since.
    window: Option<Best>,
    since: u64,
    jitter: f64,
    /// The latest two.
    last: [Option<i64>; 2],
}

impl Delay {
    pub const fn new() -> Self {
        Self { best: None, window: None, since: 0, jitter: 0.0, last: [None; 2] }
    }

    /// The peer's clock begins anew.
    pub const fn restart(&mut self) {
        (self.best, self.window, self.last) = (None, None, [None; 2]);
    }

    /// From now on this is the best: the road itself has changed.
    pub const fn rebase(&mut self, delay_ms: i64, size: usize) {
        self.best = Some(Best { ms: delay_ms, size });
        self.window = None;
    }

    /// How much a delay differs from the next for no reason, ms.
    pub const fn jitter_ms(&self) -> f64 {
        self.jitter
    }

    /// Notes a packet of `size` bytes that was sent at `sent_at` by our clock and arrived at
    /// `arrival` by the low 16 bits of the peer's; gives its delay.
    pub fn note(&mut self, now: u64, sent_at: u64, arrival: u16, size: usize) -> i64 {
        let [last, before] = self.last;
        let expected = last.unwrap_or(0);
        let expected_arrival = (sent_at as i64).wrapping_add(expected) as u16;
        let delay = expected + i64::from(arrival.wrapping_sub(expected_arrival) as i16);
        // A queue that grows steadily is no jitter.
        if let (Some(last), Some(before)) = (last, before) {
            let bend = (delay - 2 * last + before).abs().min(2_000) as f64 / 2.0;
            self.jitter += (bend - self.jitter) / 8.0;
        }
        self.last = [Some(delay), last];
        let here = Best { ms: delay, size };
        if self.best.is_none_or(|best| delay < best.ms) {
            self.best = Some(here);
        }
        if self.window.is_none_or(|best| delay < best.ms) {
            self.window = Some(here);
        }
        if now.saturating_sub(self.since) > WINDOW_MS {
            // More than drift is a queue that stands, or a longer road: see `rebase`.
            if let (Some(best), Some(window)) = (self.best, self.window)
                && window.ms <= best.ms + DRIFT_MS
            {
                self.best = Some(window);
            }
            (self.window, self.since) = (None, now);
        }
        delay
    }

    /// How long a packet waited in a queue, ms; longer packets take longer by themselves on a
    /// road of a known capacity, bytes per ms.
    pub fn queue_ms(&self, delay: i64, size: usize, capacity: Option<f64>) -> f64 {
        let Some(best) = self.best else { return 0.0 };
        let more = size.saturating_sub(best.size) as f64;
        let longer = capacity.map_or(0.0, |capacity| more / capacity);
        ((delay - best.ms) as f64 - longer).max(0.0)
    }
}
