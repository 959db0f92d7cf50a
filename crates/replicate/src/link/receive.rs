//! Datagrams coming in.

use ondol_kernel::Class;

use super::{
    Event, Heard, Link, Role,
    frame::{Ack, Frame, Stream, decode_all},
    handshake,
    machine::{Pending, Session},
    packet::{self, DataHeader, IP_UDP_BYTES, Kind},
};

/// Handshakes answered but not confirmed that are kept at once.
const MAX_PENDING: usize = 32;
/// The least time between two answers to the same first message, ms.
const REPEAT_MS: u64 = 500;
/// No road is taken to be longer than that from a handshake alone, ms.
const ROUND_TRIP_MS_MAX: f64 = 3_000.0;
/// Events that wait for the caller before packets count as lost.
const MAX_EVENTS: usize = 65_536;

impl Link {
    /// Takes a datagram from the network. Whatever it is, it does no harm.
    pub fn handle_datagram(&mut self, now_ms: u64, datagram: &[u8]) -> Heard {
        self.now = self.now.max(now_ms);
        self.stats.bytes_in += (datagram.len() + IP_UDP_BYTES) as u64;
        match packet::peek(datagram) {
            Some(Kind::OtherVersion { version }) => {
                if self.versions_seen & 1 << version == 0 {
                    self.versions_seen |= 1 << version;
                    self.events.push_back(Event::UnknownVersion { version });
                }
                Heard::Nothing
            }
            Some(Kind::Init) => self.take_init(&datagram[1..]),
            Some(Kind::Reply { connection_id }) => {
                self.take_reply(connection_id, &datagram[3..]).unwrap_or(Heard::Nothing)
            }
            Some(Kind::Lost { connection_id, end }) => {
                self.take_lost(connection_id, end);
                Heard::Nothing
            }
            Some(Kind::Call) => {
                self.take_hint();
                Heard::Nothing
            }
            Some(Kind::Data { connection_id }) if connection_id == self.config.connection_id => {
                self.take_data(datagram)
            }
            Some(Kind::Data { .. }) | None => Heard::Nothing,
        }
    }

    /// The session that stands is left alone until the initiator has shown by a packet that
    /// it holds the new keys: a replayed first message cannot do that.
    fn take_init(&mut self, init: &[u8]) -> Heard {
        let Role::Responder { allowed } = &self.role else { return Heard::Nothing };
        if self.answers.len() >= MAX_PENDING {
            return Heard::Nothing;
        }
        if let Some(known) = self.pending.iter_mut().find(|pending| pending.init == init) {
            if self.now < known.repeated_at + REPEAT_MS {
                return Heard::Nothing;
            }
            known.repeated_at = self.now;
            self.answers.push_back(known.reply.clone());
            return Heard::Handshake;
        }
        if !self.quota.look(self.now, init) {
            return Heard::Nothing;
        }
        let hello = self.hello();
        let answer = handshake::answer(&mut self.chance, &self.private, allowed, init, &hello);
        let Some(answer) = answer else { return Heard::Nothing };
        if !self.quota.reply(self.now, init) {
            return Heard::Nothing;
        }
        let reply = packet::reply(answer.hello.connection_id, &answer.reply);
        if self.pending.len() == MAX_PENDING {
            self.pending.remove(0);
        }
        self.answers.push_back(reply.clone());
        self.pending.push(Pending {
            init: init.to_vec(),
            reply,
            keys: answer.keys,
            hello: answer.hello,
            replied_at: self.now,
            repeated_at: self.now,
        });
        Heard::Handshake
    }

    fn take_reply(&mut self, connection_id: u16, reply: &[u8]) -> Option<Heard> {
        if connection_id != self.config.connection_id {
            return None;
        }
        let trying = self.trying.as_mut()?;
        let hello = trying.attempt.finish(reply)?;
        // Of several tries nobody knows which one was answered.
        let first = trying.sent_at.filter(|_| trying.sends == 1);
        let rtt = first.map(|sent_at| ms_between(sent_at, self.now));
        let keys = self.trying.take()?.attempt.into_keys()?;
        self.begin_session(self.now, keys, &hello, rtt);
        self.heard(self.now);
        // The responder may use the keys once it has seen them used.
        self.ping = true;
        Some(Heard::Peer)
    }

    fn take_data(&mut self, datagram: &[u8]) -> Heard {
        let Some((header, sealed)) = DataHeader::decode(datagram) else { return Heard::Nothing };
        if let Some(session) = &self.session {
            let number = header.expand(session.receipt.largest());
            if !session.receipt.seen(number)
                && let Some(payload) = session.keys.open(number, sealed)
            {
                return self.take_payload(number, &payload);
            }
        }
        let number = header.expand(None);
        let opened = self.pending.iter().enumerate().rev().find_map(|(index, pending)| {
            pending.keys.open(number, sealed).map(|payload| (index, payload))
        });
        if let Some((index, payload)) = opened {
            let pending = self.pending.swap_remove(index);
            self.pending.clear();
            let rtt = Some(ms_between(pending.replied_at, self.now));
            // After more than that something was lost between.
            let rtt = rtt.filter(|&rtt| rtt < ROUND_TRIP_MS_MAX);
            self.begin_session(self.now, pending.keys, &pending.hello, rtt);
            return self.take_payload(number, &payload);
        }
        match self.role {
            Role::Initiator { .. } => self.take_hint(),
            // Also while a session stands: what comes late of an old one is not waited for any
            // more at the other side, which then ignores the answer.
            Role::Responder { .. } => {
                if self.answers.len() < MAX_PENDING && self.quota.lost(self.now) {
                    self.answers.extend(packet::lost_reply(datagram));
                }
            }
        }
        Heard::Nothing
    }

    /// Takes what an authentic packet carries. A packet for which there is no room counts as
    /// lost on the way.
    fn take_payload(&mut self, number: u64, payload: &[u8]) -> Heard {
        let now = self.now;
        let was_up = self.stats.is_up;
        let Ok(frames) = decode_all(payload) else { return Heard::Nothing };
        let room = self.events.len() < MAX_EVENTS
            && frames.iter().all(|frame| match frame {
                Frame::Stream(stream) => self.incoming.has_room(stream),
                _ => true,
            });
        let Some(session) = self.session.as_mut().filter(|_| room) else { return Heard::Nothing };
        let rtt = session.flight.rtt_ms();
        let gap = session.receipt.note(now, number);
        self.doubt_no_more();
        self.heard(now);
        let mut ack_within: Option<u64> = None;
        let mut want = |delay: u64| {
            ack_within = Some(ack_within.map_or(delay, |sooner| sooner.min(delay)));
        };
        if gap || !was_up {
            want(0);
        }
        let mut eliciting = false;
        for frame in frames {
            match frame {
                Frame::Ack(ack) => self.take_ack(&ack),
                Frame::Durable(class, position) => self.take_durable(class, position),
                Frame::Ping => {
                    eliciting = true;
                    want(0);
                    self.tell_all();
                    if let Some(session) = &mut self.session {
                        session.receipt.want_all();
                    }
                }
                Frame::Stream(stream) => {
                    eliciting = true;
                    self.incoming.take(&stream, &mut self.events);
                    if let Some(session) = &self.session {
                        want(ack_delay_ms(session, &stream, rtt));
                    }
                }
            }
        }
        if let (true, Some(delay), Some(session)) = (eliciting, ack_within, &mut self.session) {
            session.receipt.want(now, delay);
        }
        Heard::Peer
    }

    fn take_ack(&mut self, ack: &Ack) {
        let now = self.now;
        let Some(session) = &mut self.session else { return };
        let Some(outcome) = session.flight.acknowledge(now, ack) else { return };
        for chunk in &outcome.arrived {
            self.outgoing.arrived(chunk);
        }
        if let Some(newest) = &outcome.newest {
            let least_rtt = session.flight.least_rtt_ms();
            let next = session.flight.next_number();
            self.rate.sample(now, newest, ack.arrival, next, least_rtt);
        }
        if outcome.acknowledged > 0 {
            self.progress_at = now;
        }
        self.give_up_lost(now, outcome.acknowledged);
    }

    /// Puts what is lost back into the queues.
    pub(super) fn give_up_lost(&mut self, now: u64, acknowledged: usize) {
        let Some(session) = &mut self.session else { return };
        let (lost, chunks) = session.flight.lost(now);
        for chunk in &chunks {
            self.outgoing.again(chunk);
        }
        self.rate.outcome(acknowledged, lost);
    }
}

/// How long the receipt of a piece may wait. The end of an urgent message waits only long
/// enough that its durable position can travel with it.
fn ack_delay_ms(session: &Session, stream: &Stream, rtt_ms: f64) -> u64 {
    let usual = session.receipt.usual_delay_ms(rtt_ms);
    match (stream.last, stream.class) {
        (true, Class::Emergency | Class::Care) => usual.min(60),
        (true, _) => usual.min(300),
        (false, _) => usual,
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
const fn ms_between(from: u64, to: u64) -> f64 {
    to.saturating_sub(from) as f64
}
