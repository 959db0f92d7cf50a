//! The state of a link, and what the caller does with it.

use std::collections::VecDeque;

use ondol_kernel::Class;

use super::{
    Config, Event, LinkError, Position, Role, SendError, Stats,
    calling::Why,
    handshake::{Attempt, Chance, Hello, Keys},
    incoming::Incoming,
    outgoing::Outgoing,
    quota::Quota,
    rate::Rate,
    receipt::Receipt,
    sent::Flight,
};

/// How often a durable position is told: once at once, then where a packet goes anyway.
const DURABLE_REPEATS: u8 = 3;

/// An initiator's handshake under way.
pub(super) struct Trying {
    pub attempt: Attempt,
    pub why: Why,
    pub sends: u32,
    /// How often this very first message was sent.
    pub attempt_sends: u32,
    pub sent_at: Option<u64>,
    /// It is to be sent again as soon as may be.
    pub sooner: bool,
}

/// A responder's handshake that the initiator has not confirmed by a packet.
pub(super) struct Pending {
    pub init: Vec<u8>,
    pub reply: Vec<u8>,
    pub keys: Keys,
    pub hello: Hello,
    pub replied_at: u64,
    pub repeated_at: u64,
}

/// Keys and everything that is numbered under them.
pub(super) struct Session {
    pub keys: Keys,
    pub peer_id: u16,
    pub flight: Flight,
    pub receipt: Receipt,
}

/// One side of a link with one neighbour.
pub struct Link {
    pub(super) config: Config,
    pub(super) role: Role,
    pub(super) private: [u8; 32],
    pub(super) chance: Chance,
    pub(super) now: u64,
    pub(super) trying: Option<Trying>,
    /// When a 'lost' last led to a handshake.
    pub(super) lost_believed_at: Option<u64>,
    /// When something that could not be read last led to a ping.
    pub(super) hinted_at: Option<u64>,
    /// When a responder without a session asked last to be called, and how often it did.
    pub(super) called_at: Option<u64>,
    pub(super) calls: u32,
    pub(super) pending: Vec<Pending>,
    pub(super) session: Option<Session>,
    pub(super) outgoing: Outgoing,
    pub(super) incoming: Incoming,
    pub(super) rate: Rate,
    /// When the modem will have sent what it was given, ms.
    pub(super) free_at: f64,
    /// Datagrams for whoever sent the one that was handled last.
    pub(super) answers: VecDeque<Vec<u8>>,
    pub(super) events: VecDeque<Event>,
    /// How often the durable position of each class is still to be told.
    pub(super) tell: [u8; 4],
    pub(super) tell_due: Option<u64>,
    pub(super) ping: bool,
    /// One packet may go although enough are on their way.
    pub(super) probe: bool,
    pub(super) probe_after: u64,
    pub(super) heard_at: Option<u64>,
    pub(super) sent_at: Option<u64>,
    pub(super) progress_at: u64,
    pub(super) durable_asks: u32,
    pub(super) quota: Quota,
    pub(super) versions_seen: u16,
    pub(super) stats: Stats,
}

impl Link {
    /// A link with one neighbour. `private` is this node's static X25519 key, `seed` 32 random
    /// bytes that are never used twice. An initiator begins its handshake at once.
    pub fn new(
        config: Config,
        role: Role,
        private: [u8; 32],
        seed: [u8; 32],
        now_ms: u64,
    ) -> Result<Self, LinkError> {
        for (field, good) in [
            ("mtu", (512..=1_400).contains(&config.mtu)),
            ("window_bytes", config.window_bytes >= 4_096),
            ("epoch", config.epoch != 0),
            ("keepalive_ms", config.keepalive_ms >= 1_000),
        ] {
            if !good {
                return Err(LinkError::Config { field });
            }
        }
        let mut link = Self {
            outgoing: Outgoing::new(config.queue_bytes),
            incoming: Incoming::new(config.window_bytes as usize, config.received),
            config,
            role,
            private,
            chance: Chance::new(seed),
            now: now_ms,
            trying: None,
            lost_believed_at: None,
            hinted_at: None,
            called_at: None,
            calls: 0,
            pending: Vec::new(),
            session: None,
            rate: Rate::new(),
            free_at: 0.0,
            answers: VecDeque::new(),
            events: VecDeque::new(),
            tell: [0; 4],
            tell_due: None,
            ping: false,
            probe: false,
            probe_after: now_ms,
            heard_at: None,
            sent_at: None,
            progress_at: now_ms,
            durable_asks: 0,
            quota: Quota::default(),
            versions_seen: 0,
            stats: Stats::default(),
        };
        link.try_handshake(Why::First)?;
        Ok(link)
    }

    /// Queues a message. Its number must be above all before in its class.
    pub fn send(&mut self, class: Class, message_no: u64, bytes: Vec<u8>) -> Result<(), SendError> {
        self.outgoing.send(class, message_no, bytes)
    }

    /// The caller holds durably what it received of a class up to `offset` bytes of a message
    /// (all of it, if that is its length). Positions already reported or not yet received are
    /// ignored.
    pub fn durable(&mut self, class: Class, message_no: u64, offset: u32) {
        if !self.incoming.durable(class, message_no, offset) {
            return;
        }
        self.tell[usize::from(class.code())] = DURABLE_REPEATS;
        let rtt = self.session.as_ref().map_or(0.0, |session| session.flight.rtt_ms());
        let delay = match (class, &self.session) {
            (Class::Emergency | Class::Care, _) | (_, None) => 0,
            (_, Some(session)) => session.receipt.usual_delay_ms(rtt),
        };
        let due = self.now.saturating_add(delay);
        self.tell_due = Some(self.tell_due.map_or(due, |earlier| earlier.min(due)));
    }

    /// What happened, oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        if let Event::Received { bytes, .. } = &event {
            self.incoming.undrained -= bytes.len();
        }
        Some(event)
    }

    /// Messages and bytes of a class that the peer does not hold durably yet.
    pub fn waiting(&self, class: Class) -> (usize, usize) {
        self.outgoing.waiting(class)
    }

    /// How the link does.
    pub fn stats(&self) -> Stats {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive")]
        let rounded = |n: f64| n.round() as u64;
        let flight = self.session.as_ref().map(|session| &session.flight);
        Stats {
            rate_bps: rounded(self.rate.capacity() * 8_000.0),
            rtt_ms: flight.map(|flight| rounded(flight.rtt_ms())),
            loss: flight.map_or(0.0, |flight| flight.loss),
            last_heard_ms: self.heard_at,
            repeated_bytes: self.incoming.repeated_bytes(),
            ..self.stats
        }
    }

    /// What this side tells in a handshake.
    pub(super) fn hello(&self) -> Hello {
        Hello {
            connection_id: self.config.connection_id,
            epoch: self.config.epoch,
            window: self.config.window_bytes,
            known_epoch: self.config.peer_epoch,
            classes: self.incoming.positions(),
            parcels: crate::parcel::FORMAT,
        }
    }

    /// Begins a handshake, if this side is the one to begin.
    pub(super) fn try_handshake(&mut self, why: Why) -> Result<(), LinkError> {
        let Role::Initiator { remote } = &self.role else { return Ok(()) };
        let hello = self.hello();
        let attempt = Attempt::new(&mut self.chance, &self.private, remote, &hello)
            .map_err(LinkError::Handshake)?;
        self.trying =
            Some(Trying { attempt, why, sends: 0, attempt_sends: 0, sent_at: None, sooner: false });
        Ok(())
    }

    /// A handshake is complete: everything goes on under the new keys.
    pub(super) fn begin_session(
        &mut self,
        now: u64,
        keys: Keys,
        hello: &Hello,
        rtt_ms: Option<f64>,
    ) {
        if hello.epoch != self.config.peer_epoch {
            self.incoming.renumber();
            self.config.peer_epoch = hello.epoch;
            self.events.push_back(Event::Renumbered { epoch: hello.epoch });
        }
        let mut classes = hello.classes;
        if hello.known_epoch != self.config.epoch {
            classes = Default::default();
            self.outgoing.forget_durable();
        }
        let received = classes.map(|(received, _)| received);
        self.outgoing.restart(hello.window, received);
        self.incoming.restart();
        self.rate.restart(rtt_ms);
        let known = self.session.as_ref().map(|session| &session.flight);
        let flight = known.map_or_else(|| Flight::new(rtt_ms), |known| known.renewed(rtt_ms));
        self.session =
            Some(Session { keys, peer_id: hello.connection_id, flight, receipt: Receipt::new() });
        self.stats.handshakes += 1;
        self.events.push_back(Event::Reads { parcels: hello.parcels });
        self.events.push_back(Event::Resumed { received });
        for class in Class::ALL {
            self.take_durable(class, classes[usize::from(class.code())].1);
        }
        self.tell_all();
        (self.progress_at, self.durable_asks, self.probe_after) = (now, 0, now);
        self.owe_nothing(now);
    }

    /// What was sent into silence stands in no queue any more.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    const fn owe_nothing(&mut self, now: u64) {
        self.free_at = self.free_at.min(now as f64);
    }

    /// The peer says that it holds a class durably up to here.
    pub(super) fn take_durable(&mut self, class: Class, position: Position) {
        if self.outgoing.durable(class, position) {
            let Position { message_no, offset } = position;
            (self.progress_at, self.durable_asks) = (self.now, 0);
            self.events.push_back(Event::Durable { class, message_no, offset });
        }
    }

    /// Tells the durable positions of all classes with the next packet.
    pub(super) fn tell_all(&mut self) {
        for class in Class::ALL {
            if self.incoming.durable_position(class) > Position::START {
                let tell = &mut self.tell[usize::from(class.code())];
                *tell = (*tell).max(1);
            }
        }
    }

    /// The peer was heard: it is there.
    pub(super) fn heard(&mut self, now: u64) {
        self.heard_at = Some(now);
        if !self.stats.is_up {
            self.stats.is_up = true;
            self.rate.interrupt();
            self.owe_nothing(now);
            if let Some(session) = &mut self.session {
                session.flight.probes = 0;
            }
            self.probe_after = now;
            self.events.push_back(Event::Up);
        }
    }
}
