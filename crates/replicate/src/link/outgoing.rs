//! What waits to be sent, class by class.

use std::collections::VecDeque;

use ondol_kernel::Class;

use super::{Position, SendError, ranges::Ranges};

/// What a message costs in the window beside its bytes, so that many empty ones are bounded.
const MESSAGE_COST: u64 = 64;
/// Emergency messages up to this long go twice on a lossy link.
const MAX_TWICE: u32 = 2_048;
/// The share of the link that a class keeps while more urgent ones fill it: one part in 20.
const FLOOR_DIVISOR: usize = 20;

/// A piece of a message on its way. The message's end is a unit of its own behind its last
/// byte, so that an empty message has something to send too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    pub class: Class,
    pub message_no: u64,
    /// First unit.
    pub from: u32,
    /// Behind the last unit.
    pub to: u32,
}

struct Message {
    no: u64,
    bytes: Vec<u8>,
    /// How many numbers before it never come.
    gap: u64,
    /// Where it begins when all messages of the session stand in one line.
    start: u64,
    /// The first unit that was never sent in this session.
    next: u32,
    acked: Ranges,
    again: Ranges,
    twice: Ranges,
}

impl Message {
    #[expect(clippy::cast_possible_truncation, reason = "send() refuses messages beyond 4 MiB")]
    const fn units(&self) -> u32 {
        self.bytes.len() as u32 + 1
    }

    fn is_acked(&self) -> bool {
        self.acked.first_gap() >= self.units()
    }

    const fn cost(&self) -> u64 {
        self.bytes.len() as u64 + MESSAGE_COST
    }

    fn restart(&mut self, received: Position) {
        (self.again, self.twice, self.acked) = Default::default();
        let done = match self.no.cmp(&received.message_no) {
            std::cmp::Ordering::Less => self.units(),
            std::cmp::Ordering::Equal => received.offset.min(self.units() - 1),
            std::cmp::Ordering::Greater => 0,
        };
        self.acked.insert(0, done);
        self.next = done;
    }
}

/// One class.
#[derive(Default)]
struct Queue {
    messages: VecDeque<Message>,
    bytes: usize,
    /// The number of the last message of this session's line.
    last_no: Option<u64>,
    /// The highest number ever queued.
    highest: Option<u64>,
    line: u64,
    /// Where the peer stood when the session began.
    resume: Option<Position>,
    durable: Position,
    /// Index of the first message with units never sent.
    unsent: usize,
    /// Index of the first message not wholly acknowledged.
    unacked: usize,
    again: bool,
    twice: bool,
    credit: usize,
}

/// Messages of all classes.
pub(super) struct Outgoing {
    queues: [Queue; 4],
    window: u64,
    limit: usize,
}

impl Outgoing {
    pub fn new(limit: usize) -> Self {
        Self { queues: Default::default(), window: 0, limit }
    }

    /// Queues a message.
    pub fn send(&mut self, class: Class, no: u64, bytes: Vec<u8>) -> Result<(), SendError> {
        let limit = self.limit;
        let queue = self.queue(class);
        if bytes.len() > super::MAX_MESSAGE_BYTES {
            return Err(SendError::TooLong { bytes: bytes.len() });
        }
        if no < queue.durable.message_no || no == u64::MAX {
            return Err(SendError::AlreadyDurable { message_no: no });
        }
        if let Some(highest) = queue.highest.filter(|&highest| no <= highest) {
            return Err(SendError::NotIncreasing { message_no: no, highest });
        }
        if !queue.messages.is_empty() && queue.bytes + bytes.len() > limit {
            return Err(SendError::Full { queued_bytes: queue.bytes });
        }
        queue.highest = Some(no);
        queue.bytes += bytes.len();
        let mut message = Message {
            no,
            bytes,
            gap: 0,
            start: 0,
            next: 0,
            acked: Ranges::default(),
            again: Ranges::default(),
            twice: Ranges::default(),
        };
        let durable = queue.durable;
        if let Some(resume) = queue.resume {
            queue.enrol(&mut message, resume);
        }
        if message.no == durable.message_no {
            let done = durable.offset.min(message.units() - 1);
            message.acked.insert(0, done);
            message.next = message.next.max(done);
        }
        queue.messages.push_back(message);
        Ok(())
    }

    /// Messages and bytes of a class that the peer does not hold durably.
    pub fn waiting(&self, class: Class) -> (usize, usize) {
        let queue = &self.queues[usize::from(class.code())];
        (queue.messages.len(), queue.bytes)
    }

    /// A session begins, and the peer stands here in each class.
    pub fn restart(&mut self, window: u32, received: [Position; 4]) {
        self.window = u64::from(window);
        for (queue, received) in self.queues.iter_mut().zip(received) {
            (queue.last_no, queue.line, queue.resume) = (None, 0, Some(received));
            (queue.unsent, queue.unacked, queue.again, queue.twice) = (0, 0, false, false);
            let mut messages = std::mem::take(&mut queue.messages);
            for message in &mut messages {
                queue.enrol(message, received);
            }
            queue.messages = messages;
        }
    }

    /// The peer holds a class durably up to here. True if that is news; a claim to hold what
    /// was never sent is none, for it would drop messages that nobody has.
    pub fn durable(&mut self, class: Class, position: Position) -> bool {
        let queue = self.queue(class);
        if position <= queue.durable || position > queue.sent_up_to() {
            return false;
        }
        queue.durable = position;
        while queue.messages.front().is_some_and(|first| first.no < position.message_no) {
            if let Some(first) = queue.messages.pop_front() {
                queue.bytes -= first.bytes.len();
            }
            queue.unsent = queue.unsent.saturating_sub(1);
            queue.unacked = queue.unacked.saturating_sub(1);
        }
        if let Some(first) = queue.messages.front_mut()
            && first.no == position.message_no
        {
            let done = position.offset.min(first.units() - 1);
            first.acked.insert(0, done);
            first.again.remove(0, done);
            first.twice.remove(0, done);
            first.next = first.next.max(done);
        }
        true
    }

    /// Forgets how far the peer was: its numbers begin anew.
    pub fn forget_durable(&mut self) {
        for queue in &mut self.queues {
            queue.durable = Position::START;
        }
    }

    /// A piece arrived.
    pub fn arrived(&mut self, chunk: &Chunk) {
        let queue = self.queue(chunk.class);
        let Some(index) = queue.index(chunk.message_no) else { return };
        let message = &mut queue.messages[index];
        let to = chunk.to.min(message.units());
        message.acked.insert(chunk.from, to);
        message.again.remove(chunk.from, to);
        message.twice.remove(chunk.from, to);
        while queue.messages.get(queue.unacked).is_some_and(Message::is_acked) {
            queue.unacked += 1;
        }
    }

    /// A piece must go again.
    pub fn again(&mut self, chunk: &Chunk) {
        let queue = self.queue(chunk.class);
        let Some(index) = queue.index(chunk.message_no) else { return };
        let message = &mut queue.messages[index];
        let to = chunk.to.min(message.next);
        message.again.insert_except(chunk.from, to, &message.acked);
        message.twice.remove(chunk.from, to);
        queue.again |= !message.again.is_empty();
    }

    /// Whether a class has anything to send now.
    fn ready(&self, class: Class) -> bool {
        let queue = &self.queues[usize::from(class.code())];
        queue.resume.is_some()
            && (queue.again || queue.twice || queue.may_send_new(self.window))
    }

    /// Whether anything can be sent now.
    pub fn any_ready(&self) -> bool {
        Class::ALL.into_iter().any(|class| self.ready(class))
    }

    /// Whether something was sent that is not yet durable at the peer.
    pub fn awaits_durable(&self) -> bool {
        self.queues.iter().any(|queue| {
            queue.messages.front().is_some_and(|message| {
                message.acked.first_gap() > 0
                    && (message.no, message.acked.first_gap())
                        > (queue.durable.message_no, queue.durable.offset)
            })
        })
    }

    /// Whether the peer holds all messages durably.
    pub fn is_empty(&self) -> bool {
        self.queues.iter().all(|queue| queue.messages.is_empty())
    }

    /// Whether an emergency is among what is not yet durable.
    pub fn has_emergency(&self) -> bool {
        !self.queues[0].messages.is_empty()
    }

    /// The class whose turn it is: the most urgent, unless one below it has been kept waiting
    /// so long that its 5 % are a whole frame.
    pub fn turn(&mut self, frame_bytes: usize) -> Option<Class> {
        let ready = Class::ALL.map(|class| self.ready(class));
        let top = Class::ALL.into_iter().find(|class| ready[usize::from(class.code())])?;
        let owed = Class::ALL.into_iter().rev().find(|&class| {
            class > top
                && ready[usize::from(class.code())]
                && self.queue(class).credit >= frame_bytes
        });
        Some(owed.unwrap_or(top))
    }

    /// Counts bytes sent for a class, and what that owes to the classes below.
    pub fn charge(&mut self, class: Class, bytes: usize, frame_bytes: usize) {
        let ready = Class::ALL.map(|class| self.ready(class));
        for other in Class::ALL {
            let queue = self.queue(other);
            if other == class {
                queue.credit = queue.credit.saturating_sub(bytes);
            } else if other > class && ready[usize::from(other.code())] {
                queue.credit = (queue.credit + bytes.div_ceil(FLOOR_DIVISOR)).min(2 * frame_bytes);
            }
        }
    }

    /// Takes the next piece of a class whose header and bytes fit in `room`; `header` gives
    /// the header's size for (number, offset, gap). On a `lossy` link emergencies go twice.
    pub fn take(
        &mut self,
        class: Class,
        room: usize,
        lossy: bool,
        header: impl Fn(u64, u32, u64) -> usize,
    ) -> Option<Chunk> {
        let window = self.window;
        let queue = self.queue(class);
        queue.advance();
        let fit = |message: &Message, from: u32, to: u32| {
            let room = room.checked_sub(header(message.no, from, message.gap))?;
            let to = to.min(from.saturating_add(u32::try_from(room).ok()?));
            // The end travels with the last byte and takes no room of its own.
            let to = if to + 1 == message.units() { to + 1 } else { to };
            (to > from).then_some((from, to))
        };
        if let Some((index, from, to)) = queue.pending(|message| &message.again) {
            let (from, to) = fit(&queue.messages[index], from, to)?;
            queue.messages[index].again.remove(from, to);
            return Some(queue.chunk(class, index, from, to));
        }
        queue.again = false;
        if queue.may_send_new(window) {
            let index = queue.unsent;
            let message = &mut queue.messages[index];
            let (from, to) = fit(message, message.next, message.units())?;
            message.next = to;
            if lossy && class == Class::Emergency && message.units() <= MAX_TWICE {
                message.twice.insert(from, to);
                queue.twice = true;
            }
            if to == message.units() {
                queue.advance();
            }
            return Some(queue.chunk(class, index, from, to));
        }
        if let Some((index, from, to)) = queue.pending(|message| &message.twice) {
            let (from, to) = fit(&queue.messages[index], from, to)?;
            queue.messages[index].twice.remove(from, to);
            return Some(queue.chunk(class, index, from, to));
        }
        queue.twice = false;
        None
    }

    /// The gap before a piece's message, its bytes, and whether it ends its message.
    pub fn read(&self, chunk: &Chunk) -> Option<(u64, &[u8], bool)> {
        let queue = &self.queues[usize::from(chunk.class.code())];
        let message = &queue.messages[queue.index(chunk.message_no)?];
        let last = chunk.to == message.units();
        let bytes =
            message.bytes.get(chunk.from as usize..chunk.to as usize - usize::from(last))?;
        Some((message.gap, bytes, last))
    }

    fn queue(&mut self, class: Class) -> &mut Queue {
        &mut self.queues[usize::from(class.code())]
    }
}

impl Queue {
    /// Puts a message into the session's line.
    fn enrol(&mut self, message: &mut Message, resume: Position) {
        message.gap = match self.last_no {
            Some(last) => message.no - last - 1,
            None => message.no.saturating_sub(resume.message_no),
        };
        self.last_no = Some(message.no);
        message.start = self.line;
        self.line += message.cost();
        message.restart(resume);
    }

    fn index(&self, no: u64) -> Option<usize> {
        self.messages.binary_search_by_key(&no, |message| message.no).ok()
    }

    fn advance(&mut self) {
        while self.messages.get(self.unsent).is_some_and(|m| m.next == m.units()) {
            self.unsent += 1;
        }
    }

    fn may_send_new(&self, window: u64) -> bool {
        let Some(next) =
            self.messages.iter().skip(self.unsent).find(|message| message.next < message.units())
        else {
            return false;
        };
        let oldest = self.messages.iter().skip(self.unacked).find(|message| !message.is_acked());
        let acked = oldest.map_or(next.start, |m| m.start + u64::from(m.acked.first_gap()));
        (next.start + u64::from(next.next)).saturating_sub(acked) < window
    }

    fn pending(&self, which: impl Fn(&Message) -> &Ranges) -> Option<(usize, u32, u32)> {
        let sent = self.messages.iter().enumerate().take(self.unsent + 1).skip(self.unacked);
        sent.filter_map(|(index, message)| {
            which(message).first().map(|(from, to)| (index, from, to))
        })
        .next()
    }

    /// Behind the last unit that was sent.
    fn sent_up_to(&self) -> Position {
        let unsent = self.messages.iter().skip(self.unsent).find(|m| m.next < m.units());
        let line = match (unsent, self.last_no) {
            (Some(message), Some(_)) => Position { message_no: message.no, offset: message.next },
            (None, Some(last)) => Position { message_no: last + 1, offset: 0 },
            (_, None) => Position::START,
        };
        line.max(self.resume.unwrap_or(Position::START))
    }

    fn chunk(&self, class: Class, index: usize, from: u32, to: u32) -> Chunk {
        Chunk { class, message_no: self.messages[index].no, from, to }
    }
}
