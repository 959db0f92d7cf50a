//! What happens when time passes.

use ondol_kernel::Class;

use super::{Event, Link, Role, calling::Why};

/// The shortest silence that counts as quiet, ms.
const QUIET_MS_MIN: u64 = 5_000;
/// How long to wait for a durable position before asking, ms; it doubles.
const DURABLE_ASK_MS: u64 = 2_000;
const DURABLE_ASK_MS_MAX: u64 = 60_000;
/// The first probes of a session wait no longer than this, ms.
const BEGINNING_MS: u64 = 1_500;
const BEGINNING_PROBES: u32 = 4;

impl Link {
    /// When [`handle_timeout`](Self::handle_timeout) and
    /// [`poll_transmit`](Self::poll_transmit) are due next, ms. It may lie in the past.
    pub fn poll_timeout(&self) -> Option<u64> {
        let mut next = self.try_timer();
        let mut sooner = |at: Option<u64>| {
            if let Some(at) = at {
                next = Some(next.map_or(at, |other: u64| other.min(at)));
            }
        };
        if !self.answers.is_empty() {
            sooner(Some(self.now));
        }
        sooner(self.call_timer());
        if let Some(session) = &self.session {
            let data = self.may_send_data();
            let gate = self.control_gate(data);
            if self.ping || data {
                sooner(Some(gate));
            }
            sooner(session.receipt.due().map(|due| due.max(gate)));
            sooner(self.tell_due.map(|due| due.max(gate)));
            sooner(session.flight.loss_timer());
            sooner(self.probe_timer());
            sooner(self.keepalive_timer());
            sooner(self.durable_timer());
            sooner(self.quiet_timer());
        }
        next
    }

    /// Does what is due by now.
    pub fn handle_timeout(&mut self, now_ms: u64) {
        self.now = self.now.max(now_ms);
        let now = self.now;
        let due = |at: Option<u64>| at.is_some_and(|at| at <= now);
        self.give_up_lost(now, 0);
        if due(self.quiet_timer()) {
            self.stats.is_up = false;
            self.rate.interrupt();
            self.events.push_back(Event::Quiet { since_ms: self.heard_at.unwrap_or(now) });
        }
        if due(self.probe_timer()) {
            self.send_probe();
        }
        if due(self.keepalive_timer()) {
            self.ping = true;
        }
        if due(self.durable_timer()) {
            self.durable_asks += 1;
            self.progress_at = now;
            self.ping = true;
        }
        self.rekey_if_due();
    }

    /// The first probe repeats the most urgent piece on its way (of an emergency three do, of bulk
    /// none does, since nobody waits for it); later ones are a byte, so that an outage ends with the
    /// peer telling what it has, and nothing is sent twice.
    fn send_probe(&mut self) {
        let Some(session) = &mut self.session else { return };
        session.flight.probes += 1;
        let probes = session.flight.probes;
        self.rate.unanswered(probes);
        self.probe_after = self.now;
        // In a long silence there are many probes, and all that was sent before each.
        let may_repeat = probes <= repeats(Class::Emergency);
        match may_repeat.then(|| session.flight.first_unanswered()).flatten() {
            Some(chunk) if probes <= repeats(chunk.class) => {
                self.outgoing.again(&chunk);
                self.probe = self.outgoing.any_ready();
                self.ping |= !self.probe;
            }
            _ => self.ping = true,
        }
        self.doubt_silence(probes);
    }

    fn rekey_if_due(&mut self) {
        let Some(session) = &self.session else { return };
        let most = session.flight.next_number().max(session.receipt.largest().unwrap_or(0));
        if most >= self.config.rekey_packets && self.trying.is_none() {
            // It fails only if the keys are unusable, which Link::new would have told.
            let _ = self.try_handshake(Why::OldKeys);
        }
    }

    fn probe_timer(&self) -> Option<u64> {
        let session = self.session.as_ref()?;
        if self.ping || self.probe {
            return None;
        }
        // What begins a session is awaited at the other side, whatever else waits.
        let most = match session.flight.largest_acked() {
            None if session.flight.probes < BEGINNING_PROBES => BEGINNING_MS,
            _ => self.patience_ms(),
        };
        session.flight.probe_timer(most, self.probe_after)
    }

    fn keepalive_timer(&self) -> Option<u64> {
        let Role::Initiator { .. } = self.role else { return None };
        let session = self.session.as_ref()?;
        let last = self.heard_at.max(self.sent_at)?;
        (!self.ping && session.flight.in_flight() == 0)
            .then(|| last.saturating_add(self.config.keepalive_ms))
    }

    /// When to ask for a durable position that should have come.
    fn durable_timer(&self) -> Option<u64> {
        let session = self.session.as_ref()?;
        let idle = session.flight.in_flight() == 0 && !self.ping && !self.outgoing.any_ready();
        if !idle || !self.outgoing.awaits_durable() {
            return None;
        }
        let wait = DURABLE_ASK_MS.max(2 * session.flight.probe_base_ms());
        let wait = wait.saturating_mul(1 << self.durable_asks.min(8)).min(DURABLE_ASK_MS_MAX);
        Some(self.progress_at.saturating_add(wait))
    }

    fn quiet_timer(&self) -> Option<u64> {
        let session = self.session.as_ref().filter(|_| self.stats.is_up)?;
        let heard = self.heard_at?;
        let idle = heard.saturating_add(self.config.keepalive_ms * 5 / 2);
        let waiting = session.flight.waiting_since().map(|since| {
            let wait = QUIET_MS_MIN.max(4 * session.flight.probe_base_ms());
            since.max(heard).saturating_add(wait)
        });
        Some(waiting.map_or(idle, |waiting| waiting.min(idle)))
    }
}

/// How many probes repeat a piece.
const fn repeats(class: Class) -> u32 {
    match class {
        Class::Emergency => 3,
        Class::Care | Class::Routine => 1,
        Class::Bulk => 0,
    }
}
