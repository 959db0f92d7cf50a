//! Datagrams going out.

use ondol_kernel::Class;

use super::{
    Link,
    frame::{Frame, Stream},
    machine::Session,
    packet::{self, DataHeader, IP_UDP_BYTES, TAG_BYTES},
    queue::Chunk,
    sent::Sent,
};

/// A caller that comes late may catch up this much, ms.
const SLACK_MS: f64 = 5.0;
/// A pause longer than this means that there was nothing to send, ms.
const IDLE_MS: f64 = 20.0;
/// Bytes of a length field that may be added to a frame when another follows it.
const LENGTH_BYTES: usize = 2;
/// A further frame is put into a packet only if this much room is left.
const WORTH_A_FRAME: usize = 24;
/// From this share of loss on, short emergencies go twice.
const LOSSY: f64 = 0.01;
/// After this many bare acknowledgements one asks to be acknowledged, so that packet numbers
/// stay short.
const BARE_RUN: u64 = 100;

impl Link {
    /// The next datagram to send now; `None` if there is none before
    /// [`poll_timeout`](Self::poll_timeout).
    pub fn poll_transmit(&mut self, now_ms: u64) -> Option<Vec<u8>> {
        self.now = self.now.max(now_ms);
        let first = self.probes_first().then(|| self.next_packet()).flatten();
        let datagram = first
            .or_else(|| self.answers.pop_front())
            .or_else(|| self.next_try())
            .or_else(|| self.next_call())
            .or_else(|| self.next_packet())?;
        self.goes(&datagram);
        Some(datagram)
    }

    /// The answer to the datagram that was handled last, for wherever that came from; `None`
    /// if there is none. What is not fetched goes with [`poll_transmit`](Self::poll_transmit).
    pub fn poll_answer(&mut self) -> Option<Vec<u8>> {
        // Not paced: what strangers ask for must not hold back what waits.
        let datagram = self.answers.pop_front()?;
        self.stats.bytes_out += (datagram.len() + IP_UDP_BYTES) as u64;
        Some(datagram)
    }

    fn goes(&mut self, datagram: &[u8]) {
        self.sent_at = Some(self.now);
        self.stats.bytes_out += (datagram.len() + IP_UDP_BYTES) as u64;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let (now, bytes) = (self.now as f64, (datagram.len() + IP_UDP_BYTES) as f64);
        // A side that only acknowledges knows nothing of its way out, and must not hold back
        // its acknowledgements for that.
        if self.rate.is_measured() || self.may_send_data() {
            self.free_at = self.free_at.max(now - SLACK_MS) + bytes / self.rate.pace(self.now);
        }
    }

    /// When the pacer lets the next packet go.
    pub(super) fn gate(&self) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time")]
        let gate = self.free_at.max(0.0).ceil() as u64;
        gate
    }

    /// When a packet without messages may go: it waits only for messages that can take it
    /// along.
    pub(super) fn control_gate(&self, data: bool) -> u64 {
        if data { self.gate() } else { self.now }
    }

    /// Whether messages may go as far as the number of packets on their way is concerned.
    pub(super) fn may_send_data(&self) -> bool {
        let Some(session) = &self.session else { return false };
        let flight = &session.flight;
        let packet = self.rate.frame_bytes().min(self.config.mtu) + 60;
        let most = self.rate.most_in_flight(flight, packet);
        self.outgoing.any_ready() && (self.probe || flight.in_flight() < most)
    }

    fn next_packet(&mut self) -> Option<Vec<u8>> {
        let now = self.now;
        let data = self.may_send_data();
        let session = self.session.as_ref()?;
        if now < self.control_gate(data) {
            return None;
        }
        let due = |at: Option<u64>| at.is_some_and(|at| at <= now);
        if !data && !self.ping && !due(session.receipt.due()) && !due(self.tell_due) {
            return None;
        }
        self.probe = false;
        let number = session.flight.next_number();
        let header = DataHeader::new(session.peer_id, number, session.flight.largest_acked());
        let mut datagram = Vec::with_capacity(self.config.mtu);
        header.encode(&mut datagram);
        let room = self.config.mtu - datagram.len() - TAG_BYTES;
        let mut payload = Vec::with_capacity(room);
        self.put_control(&mut payload);
        let chunks = if data { self.put_messages(room, &mut payload) } else { Vec::new() };
        let session = self.session.as_mut()?;
        let bare = session.flight.largest_acked().map_or(number, |acked| number - acked);
        if !self.ping && chunks.is_empty() && bare > BARE_RUN && session.flight.in_flight() == 0 {
            self.ping = true;
        }
        let eliciting = self.ping || !chunks.is_empty();
        if self.ping && payload.len() < room {
            // In front, so that a stream frame without a length may stay the last.
            payload.insert(0, PING);
        }
        self.ping = false;
        if payload.is_empty() {
            return None;
        }
        session.keys.seal(number, &payload, &mut datagram)?;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let limited = now as f64 > self.free_at + IDLE_MS;
        let (size, end) = (datagram.len() + IP_UDP_BYTES, packet::end(&datagram)?);
        session.flight.send(eliciting, Sent { at: now, size, total: 0, limited, end, chunks });
        Some(datagram)
    }

    fn put_control(&mut self, payload: &mut Vec<u8>) {
        let Some(session) = &mut self.session else { return };
        if session.receipt.is_pending()
            && let Some(ack) = session.receipt.acknowledge()
        {
            Frame::Ack(ack).encode(payload, false);
        }
        for class in Class::ALL {
            let tell = &mut self.tell[usize::from(class.code())];
            if *tell > 0 {
                *tell -= 1;
                let position = self.incoming.durable_position(class);
                Frame::Durable(class, position).encode(payload, false);
            }
        }
        self.tell_due = None;
    }

    /// Fills a packet with pieces of one class: another class's pieces would only make the
    /// more urgent ones arrive later.
    fn put_messages(&mut self, room: usize, payload: &mut Vec<u8>) -> Vec<Chunk> {
        let lossy = self.session.as_ref().is_some_and(|s: &Session| s.flight.loss > LOSSY);
        let frame = self.rate.frame_bytes();
        // One byte stays free for a ping.
        let mut room = room
            .saturating_sub(1 + payload.len())
            .min(frame + Stream::header_bytes(1 << 20, 1 << 20, 0));
        let full = frame.min(room);
        let Some(class) = self.outgoing.turn(full) else { return Vec::new() };
        let mut chunks: Vec<Chunk> = Vec::new();
        while let Some(chunk) = self.outgoing.take(class, room, lossy, Stream::header_bytes) {
            let Some((gap, bytes, _)) = self.outgoing.read(&chunk) else { break };
            let used = Stream::header_bytes(chunk.message_no, chunk.from, gap) + bytes.len();
            self.outgoing.charge(class, used, full);
            chunks.push(chunk);
            room = room.saturating_sub(used + LENGTH_BYTES);
            if room < WORTH_A_FRAME {
                break;
            }
        }
        for (index, chunk) in chunks.iter().enumerate() {
            let Some((gap, bytes, last)) = self.outgoing.read(chunk) else { continue };
            let stream = Stream {
                class,
                message_no: chunk.message_no,
                offset: chunk.from,
                gap,
                last,
                bytes,
            };
            Frame::Stream(stream).encode(payload, index + 1 == chunks.len());
        }
        chunks
    }
}

const PING: u8 = 0x02;
