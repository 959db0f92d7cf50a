//! Finding each other, again and again: when a handshake is tried, and how little a stranger
//! can bring about (ADR 0005, 'Finding each other').

use ondol_kernel::Class;

use super::{Link, Role, packet};

/// Waits between tries of a handshake, ms; the last one stays. What waits bounds them.
const RETRY_MS: [u64; 8] = [1_000, 1_500, 2_000, 3_000, 4_000, 6_000, 8_000, 15_000];
/// The least time between two tries, whatever asks for the second, ms.
const SOONER_MS: u64 = 1_500;
/// A peer heard within this time is not doubted for anything that cannot be read, ms.
const SILENT_MS: u64 = 2_000;
/// What cannot be read brings about no more than one probe and try in this time, ms.
const HINTED_MS: u64 = 3_000;
/// So often the same first message is sent.
const TRIES: u32 = 3;
/// So many probes stay unanswered before each is followed by the first message of a handshake.
const PROBES_BEFORE_DOUBT: u32 = 3;

/// Why a handshake is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// There is no session yet.
    First,
    /// The peer said that it has none, and what it quoted proves that it is on the way.
    Lost,
    /// The peer is silent: it may have begun anew. Tried with the probes, behind them.
    Silent,
    /// The keys were used long enough.
    OldKeys,
}

impl Link {
    /// The longest wait between two tries to reach a peer that does not answer, ms.
    pub(super) fn patience_ms(&self) -> u64 {
        match self.outgoing.most_urgent() {
            Some(Class::Emergency) => 1_500,
            Some(Class::Care) => 4_000,
            Some(Class::Routine | Class::Bulk) => 8_000,
            None => 15_000,
        }
    }

    /// When the first message of a handshake goes, for the first time or again.
    pub(super) fn try_timer(&self) -> Option<u64> {
        let trying = self.trying.as_ref()?;
        let Some(sent_at) = trying.sent_at else { return Some(self.now) };
        let usual = RETRY_MS[(trying.sends as usize).min(RETRY_MS.len()) - 1];
        let wait = match trying.why {
            _ if trying.sooner => SOONER_MS,
            Why::Silent => return None,
            _ => usual.min(self.patience_ms()),
        };
        Some(sent_at.saturating_add(wait))
    }

    pub(super) fn next_try(&mut self) -> Option<Vec<u8>> {
        let now = self.now;
        if self.try_timer().is_none_or(|at| at > now) {
            return None;
        }
        self.renew_attempt();
        let trying = self.trying.as_mut()?;
        trying.sends += 1;
        trying.attempt_sends += 1;
        (trying.sent_at, trying.sooner) = (Some(now), false);
        Some(packet::init(&trying.attempt.init))
    }

    /// After some tries in vain the first message is made anew: the other side answers none that
    /// it may have answered before.
    fn renew_attempt(&mut self) {
        let Some(old) = self.trying.as_ref().filter(|trying| trying.attempt_sends >= TRIES) else {
            return;
        };
        let (why, sends, sent_at) = (old.why, old.sends, old.sent_at);
        // It fails only if the keys are unusable, which Link::new would have told.
        if self.try_handshake(why).is_ok()
            && let Some(trying) = &mut self.trying
        {
            (trying.sends, trying.sent_at) = (sends, sent_at);
        }
    }

    /// Whether a probe goes before the first message of a handshake: if the peer kept its
    /// keys, its answer comes first and ends the handshake.
    pub(super) fn probes_first(&self) -> bool {
        self.trying.as_ref().is_some_and(|trying| trying.why == Why::Silent)
    }

    /// A probe goes. After some in vain each is followed by a try.
    pub(super) fn doubt_silence(&mut self, probes: u32) {
        if probes < PROBES_BEFORE_DOUBT {
            return;
        }
        self.try_sooner();
    }

    fn try_sooner(&mut self) {
        match &mut self.trying {
            Some(trying) => trying.sooner = true,
            // It fails only if the keys are unusable, which Link::new would have told.
            None => drop(self.try_handshake(Why::Silent)),
        }
    }

    /// The peer was heard under the keys that stand.
    pub(super) fn doubt_no_more(&mut self) {
        if self.trying.as_ref().is_some_and(|trying| trying.why != Why::OldKeys) {
            self.trying = None;
        }
    }

    /// The peer has no session for a packet, and quotes its end.
    pub(super) fn take_lost(&mut self, connection_id: u16, end: [u8; packet::QUOTE_BYTES]) {
        let is_quoted = self
            .session
            .as_ref()
            .is_some_and(|s| s.peer_id == connection_id && s.flight.awaits(end));
        let recent = self.lost_believed_at.is_some_and(|at| self.now < at + SOONER_MS);
        if !is_quoted {
            self.take_hint();
        } else if let Some(trying) = &mut self.trying {
            (trying.sooner, trying.sends) = (true, trying.sends.min(1));
            if trying.why == Why::Silent {
                trying.why = Why::Lost;
            }
        } else if !recent {
            self.lost_believed_at = Some(self.now);
            // It fails only if the keys are unusable, which Link::new would have told.
            let _ = self.try_handshake(Why::Lost);
        }
    }

    /// Something came that may be of the peer and cannot be read. Anybody can send that, so
    /// all it does is to bring forward what would be done anyway: the next try if there is no
    /// session, else a probe and a try to a peer that is silent.
    pub(super) fn take_hint(&mut self) {
        if let Role::Responder { .. } = self.role {
            return;
        }
        let now = self.now;
        let long_ago = |at: Option<u64>, ms| at.is_none_or(|at| now >= at + ms);
        if self.session.is_none() {
            self.try_sooner();
        } else if long_ago(self.heard_at, SILENT_MS) && long_ago(self.hinted_at, HINTED_MS) {
            self.hinted_at = Some(now);
            self.ping = true;
            self.try_sooner();
        }
    }

    /// When a responder without a session asks to be called.
    pub(super) fn call_timer(&self) -> Option<u64> {
        let waits = matches!(self.role, Role::Responder { .. }) && self.session.is_none();
        let Some(called_at) = self.called_at else { return waits.then_some(self.now) };
        let usual = RETRY_MS[(self.calls as usize).min(RETRY_MS.len()) - 1];
        waits.then(|| called_at.saturating_add(usual.min(self.patience_ms() / 2)))
    }

    pub(super) fn next_call(&mut self) -> Option<Vec<u8>> {
        if self.call_timer().is_none_or(|at| at > self.now) {
            return None;
        }
        self.calls = self.calls.saturating_add(1);
        self.called_at = Some(self.now);
        Some(packet::call())
    }
}
