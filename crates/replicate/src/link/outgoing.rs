//! What waits to be sent, class by class.

use ondol_kernel::Class;

use super::{
    Position, SendError,
    queue::{Chunk, Message, Queue},
    ranges::Ranges,
};

/// Emergency messages up to this long go twice on a lossy link.
const MAX_TWICE: u32 = 2_048;
/// The share of the link that a class keeps while more urgent ones fill it: one part in 20.
const FLOOR_DIVISOR: usize = 20;

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
        queue.resume.is_some() && (queue.again || queue.twice || queue.may_send_new(self.window))
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

    /// The most urgent class with a message that the peer does not hold durably.
    pub fn most_urgent(&self) -> Option<Class> {
        let mut queues = Class::ALL.into_iter().zip(&self.queues);
        queues.find(|(_, queue)| !queue.messages.is_empty()).map(|(class, _)| class)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn header(_: u64, _: u32, _: u64) -> usize {
        5
    }

    fn at(message_no: u64, offset: u32) -> Position {
        Position { message_no, offset }
    }

    #[test]
    fn a_claim_to_hold_what_was_never_sent_drops_nothing() {
        let mut outgoing = Outgoing::new(1 << 20);
        for no in 0..3 {
            outgoing.send(Class::Care, no, vec![0; 100]).unwrap();
        }
        outgoing.restart(10_000, [Position::START; 4]);
        assert!(outgoing.take(Class::Care, 65, false, header).is_some());
        assert!(!outgoing.durable(Class::Care, at(0, 61)));
        assert!(!outgoing.durable(Class::Care, at(3, 0)));
        assert_eq!(outgoing.waiting(Class::Care), (3, 300));
        assert!(outgoing.durable(Class::Care, at(0, 60)));
        assert!(!outgoing.durable(Class::Care, at(0, 60)), "no news");
    }

    #[test]
    fn no_more_is_sent_ahead_of_a_hole_than_the_peer_keeps() {
        let mut outgoing = Outgoing::new(1 << 20);
        outgoing.send(Class::Bulk, 7, vec![0; 50_000]).unwrap();
        outgoing.restart(10_000, [Position::START; 4]);
        let mut chunks: Vec<Chunk> =
            std::iter::from_fn(|| outgoing.take(Class::Bulk, 1_005, false, header)).collect();
        assert_eq!(chunks.len(), 10);
        for chunk in chunks.drain(1..) {
            outgoing.arrived(&chunk);
        }
        assert!(!outgoing.any_ready(), "the first piece is missing");
        outgoing.arrived(&chunks[0]);
        assert!(outgoing.any_ready());
    }

    #[test]
    fn a_full_queue_says_so_and_takes_again_what_is_freed() {
        let mut outgoing = Outgoing::new(1_000);
        outgoing.restart(10_000, [Position::START; 4]);
        outgoing.send(Class::Routine, 0, vec![0; 900]).unwrap();
        let full = outgoing.send(Class::Routine, 1, vec![0; 200]);
        assert_eq!(full, Err(SendError::Full { queued_bytes: 900 }));
        while outgoing.take(Class::Routine, 500, false, header).is_some() {}
        assert!(outgoing.durable(Class::Routine, at(1, 0)));
        assert_eq!(outgoing.send(Class::Routine, 1, vec![0; 200]), Ok(()));
        let again = outgoing.send(Class::Routine, 0, vec![1]);
        assert_eq!(again, Err(SendError::AlreadyDurable { message_no: 0 }));
    }
}
