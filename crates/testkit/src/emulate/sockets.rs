//! What the emulators for real sockets share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::{sync::Notify, time::Instant};

use super::{Conditions, Pipe};

/// Both directions of a running emulator, changeable at any time. Clones speak of the same
/// link.
#[derive(Debug, Clone)]
pub struct Controls {
    forward: Arc<Mutex<Pipe>>,
    backward: Arc<Mutex<Pipe>>,
    changed: Arc<Notify>,
    started: Instant,
}

impl Controls {
    pub(super) fn new(forward: Conditions, backward: Conditions, seed: u64) -> Self {
        Self {
            forward: Arc::new(Mutex::new(Pipe::new(forward, seed))),
            backward: Arc::new(Mutex::new(Pipe::new(backward, !seed))),
            changed: Arc::new(Notify::new()),
            started: Instant::now(),
        }
    }

    /// Changes how both directions behave.
    pub fn set(&self, mut change: impl FnMut(&mut Conditions)) {
        change(lock(&self.forward).conditions_mut());
        change(lock(&self.backward).conditions_mut());
        self.changed.notify_waiters();
    }

    /// Changes the rate of both directions, bits per second.
    pub fn set_rate(&self, rate_bps: u64) {
        self.set(|conditions| conditions.rate_bps = rate_bps);
    }

    /// Cuts the link: what is sent from now on is lost.
    pub fn cut(&self) {
        self.set_cut(true);
    }

    /// Cuts one way alone, towards the target or back from it: data passes, and no answer.
    pub fn cut_one_way(&self, forward: bool) {
        self.pipe(forward).set_cut(true);
        self.changed.notify_waiters();
    }

    /// Restores the link, both ways.
    pub fn restore(&self) {
        self.set_cut(false);
    }

    fn set_cut(&self, cut: bool) {
        lock(&self.forward).set_cut(cut);
        lock(&self.backward).set_cut(cut);
        self.changed.notify_waiters();
    }

    /// Bytes that took the link's time, forward and backward.
    pub fn passed_bytes(&self) -> (u64, u64) {
        (lock(&self.forward).passed_bytes(), lock(&self.backward).passed_bytes())
    }

    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) fn instant(&self, ms: u64) -> Instant {
        self.started + std::time::Duration::from_millis(ms)
    }

    pub(super) fn pipe(&self, forward: bool) -> MutexGuard<'_, Pipe> {
        lock(if forward { &self.forward } else { &self.backward })
    }

    pub(super) fn notify(&self) {
        self.changed.notify_waiters();
    }

    /// Waits until something comes out of a direction, and takes it.
    pub(super) async fn next(&self, forward: bool) -> Vec<u8> {
        loop {
            let changed = self.changed.notified();
            let at = {
                let mut pipe = self.pipe(forward);
                if let Some(packet) = pipe.pop(self.now_ms()) {
                    return packet;
                }
                pipe.next_arrival_ms()
            };
            match at {
                Some(at) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(self.instant(at)) => {}
                        () = changed => {}
                    }
                }
                None => changed.await,
            }
        }
    }
}

fn lock(pipe: &Mutex<Pipe>) -> MutexGuard<'_, Pipe> {
    pipe.lock().unwrap_or_else(PoisonError::into_inner)
}
