//! The queue of one class.

use std::collections::VecDeque;

use ondol_kernel::Class;

use super::{Position, ranges::Ranges};

/// What a message costs in the window beside its bytes, so that many empty ones are bounded.
const MESSAGE_COST: u64 = 64;
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

pub(super) struct Message {
    pub no: u64,
    pub bytes: Vec<u8>,
    /// How many numbers before it never come.
    pub gap: u64,
    /// Where it begins when all messages of the session stand in one line.
    pub start: u64,
    /// The first unit that was never sent in this session.
    pub next: u32,
    pub acked: Ranges,
    pub again: Ranges,
    pub twice: Ranges,
}

impl Message {
    #[expect(clippy::cast_possible_truncation, reason = "send() refuses messages beyond 4 MiB")]
    pub const fn units(&self) -> u32 {
        self.bytes.len() as u32 + 1
    }

    pub fn is_acked(&self) -> bool {
        self.acked.first_gap() >= self.units()
    }

    pub const fn cost(&self) -> u64 {
        self.bytes.len() as u64 + MESSAGE_COST
    }

    pub fn restart(&mut self, received: Position) {
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
pub(super) struct Queue {
    pub messages: VecDeque<Message>,
    pub bytes: usize,
    /// The number of the last message of this session's line.
    pub last_no: Option<u64>,
    /// The highest number ever queued.
    pub highest: Option<u64>,
    pub line: u64,
    /// Where the peer stood when the session began.
    pub resume: Option<Position>,
    pub durable: Position,
    /// Index of the first message with units never sent.
    pub unsent: usize,
    /// Index of the first message not wholly acknowledged.
    pub unacked: usize,
    pub again: bool,
    pub twice: bool,
    pub credit: usize,
}

impl Queue {
    /// Puts a message into the session's line.
    pub fn enrol(&mut self, message: &mut Message, resume: Position) {
        message.gap = match self.last_no {
            Some(last) => message.no - last - 1,
            None => message.no.saturating_sub(resume.message_no),
        };
        self.last_no = Some(message.no);
        message.start = self.line;
        self.line += message.cost();
        message.restart(resume);
    }

    pub fn index(&self, no: u64) -> Option<usize> {
        self.messages.binary_search_by_key(&no, |message| message.no).ok()
    }

    pub fn advance(&mut self) {
        while self.messages.get(self.unsent).is_some_and(|m| m.next == m.units()) {
            self.unsent += 1;
        }
    }

    pub fn may_send_new(&self, window: u64) -> bool {
        let Some(next) =
            self.messages.iter().skip(self.unsent).find(|message| message.next < message.units())
        else {
            return false;
        };
        let oldest = self.messages.iter().skip(self.unacked).find(|message| !message.is_acked());
        let acked = oldest.map_or(next.start, |m| m.start + u64::from(m.acked.first_gap()));
        (next.start + u64::from(next.next)).saturating_sub(acked) < window
    }

    pub fn pending(&self, which: impl Fn(&Message) -> &Ranges) -> Option<(usize, u32, u32)> {
        let mut sent = self.messages.iter().enumerate().take(self.unsent + 1).skip(self.unacked);
        sent.find_map(|(index, message)| which(message).first().map(|(from, to)| (index, from, to)))
    }

    /// Behind the last unit that was sent.
    pub fn sent_up_to(&self) -> Position {
        let unsent = self.messages.iter().skip(self.unsent).find(|m| m.next < m.units());
        let line = match (unsent, self.last_no) {
            (Some(message), Some(_)) => Position { message_no: message.no, offset: message.next },
            (None, Some(last)) => Position { message_no: last + 1, offset: 0 },
            (_, None) => Position::START,
        };
        line.max(self.resume.unwrap_or(Position::START))
    }

    pub fn chunk(&self, class: Class, index: usize, from: u32, to: u32) -> Chunk {
        Chunk { class, message_no: self.messages[index].no, from, to }
    }
}
