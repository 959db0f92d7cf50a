//! Putting messages together again, class by class.

use std::collections::{BTreeMap, VecDeque};

use ondol_kernel::Class;

use super::{Event, Position, frame::Stream};

/// What a fragment costs in memory beside its bytes.
const FRAGMENT_COST: usize = 64;
/// Gaps between messages that are known ahead.
const MAX_JUMPS: usize = 4_096;
/// Whole messages delivered and not yet reported durable.
const MAX_UNSETTLED: usize = 65_536;

#[derive(Debug)]
struct Fragment {
    bytes: Vec<u8>,
    last: bool,
}

#[derive(Default)]
struct Assembly {
    /// Delivered up to here.
    next: Position,
    durable: Position,
    /// Messages delivered whole, with their lengths, that are not durable yet.
    unsettled: VecDeque<(u64, u32)>,
    fragments: BTreeMap<(u64, u32), Fragment>,
    buffered: usize,
    /// Ranges of numbers that will never come: first → behind the last.
    jumps: BTreeMap<u64, u64>,
    repeated_bytes: u64,
}

/// All classes.
pub(super) struct Incoming {
    classes: [Assembly; 4],
    window: usize,
    /// Bytes in events that the caller has not fetched.
    pub undrained: usize,
}

impl Incoming {
    pub fn new(window: usize, positions: [Position; 4]) -> Self {
        let classes = positions.map(|position| Assembly {
            next: position,
            durable: position,
            ..Assembly::default()
        });
        Self { classes, window, undrained: 0 }
    }

    /// Received and durable positions, as a handshake tells them.
    pub fn positions(&self) -> [(Position, Position); 4] {
        std::array::from_fn(|n| (self.classes[n].next, self.classes[n].durable))
    }

    /// How far a class is durable.
    pub fn durable_position(&self, class: Class) -> Position {
        self.classes[usize::from(class.code())].durable
    }

    /// Bytes that came more than once.
    pub fn repeated_bytes(&self) -> u64 {
        self.classes.iter().map(|class| class.repeated_bytes).sum()
    }

    /// A new session: what lies ahead of a hole will be sent again.
    pub fn restart(&mut self) {
        for class in &mut self.classes {
            class.fragments.clear();
            class.jumps.clear();
            class.buffered = 0;
        }
    }

    /// The peer numbers its messages anew.
    pub fn renumber(&mut self) {
        self.classes = Default::default();
    }

    /// Whether there is room for a piece. If not, its packet counts as never received.
    pub fn has_room(&self, stream: &Stream) -> bool {
        let class = &self.classes[usize::from(stream.class.code())];
        let cost = stream.bytes.len() + FRAGMENT_COST;
        let held = class.buffered + self.undrained;
        class.unsettled.len() < MAX_UNSETTLED
            && class.jumps.len() < MAX_JUMPS
            && (held + cost <= self.window.saturating_mul(2) || class.is_next(stream) && held == 0)
    }

    /// Takes a piece, and delivers whatever is in order now.
    pub fn take(&mut self, stream: &Stream, events: &mut VecDeque<Event>) {
        let class = &mut self.classes[usize::from(stream.class.code())];
        let before = class.next;
        if stream.gap > 0 && stream.message_no > class.next.message_no {
            let from = stream.message_no - stream.gap;
            let to = class.jumps.entry(from).or_default();
            *to = stream.message_no.max(*to);
        }
        class.keep(stream);
        while class.step(stream.class, events, &mut self.undrained) {}
        debug_assert!(class.next >= before);
    }

    /// The caller holds a class durably up to an offset of a message; true if that is news.
    pub fn durable(&mut self, class: Class, message_no: u64, offset: u32) -> bool {
        let class = &mut self.classes[usize::from(class.code())];
        let whole = class
            .unsettled
            .binary_search_by_key(&message_no, |&(no, _)| no)
            .is_ok_and(|index| offset >= class.unsettled[index].1);
        let position = if whole {
            Position { message_no: message_no + 1, offset: 0 }
        } else {
            Position { message_no, offset }
        };
        if position > class.next || position <= class.durable {
            return false;
        }
        class.durable = position;
        while class.unsettled.front().is_some_and(|&(no, _)| no < position.message_no) {
            class.unsettled.pop_front();
        }
        true
    }
}

impl Assembly {
    fn is_next(&self, stream: &Stream) -> bool {
        stream.message_no == self.next.message_no && stream.offset <= self.next.offset
    }

    fn keep(&mut self, stream: &Stream) {
        let key = (stream.message_no, stream.offset);
        let end = u64::from(stream.offset) + stream.bytes.len() as u64;
        let old = stream.message_no < self.next.message_no
            || stream.message_no == self.next.message_no
                && end <= u64::from(self.next.offset)
                && !stream.last;
        let longer = self
            .fragments
            .get(&key)
            .is_none_or(|kept| stream.bytes.len() > kept.bytes.len() || stream.last && !kept.last);
        if old || !longer {
            self.repeated_bytes += stream.bytes.len() as u64;
            return;
        }
        let fragment = Fragment { bytes: stream.bytes.to_vec(), last: stream.last };
        self.buffered += stream.bytes.len() + FRAGMENT_COST;
        if let Some(shorter) = self.fragments.insert(key, fragment) {
            self.buffered -= shorter.bytes.len() + FRAGMENT_COST;
            self.repeated_bytes += shorter.bytes.len() as u64;
        }
    }

    /// Delivers one thing, if one is in order.
    fn step(&mut self, class: Class, events: &mut VecDeque<Event>, undrained: &mut usize) -> bool {
        let no = self.next.message_no;
        if let Some((&from, &to)) = self.jumps.first_key_value()
            && from <= no
        {
            self.jumps.remove(&from);
            if no < to {
                if self.next.offset > 0 {
                    events.push_back(Event::Abandoned { class, message_no: no });
                }
                self.next = Position { message_no: to, offset: 0 };
            }
            return true;
        }
        let Some((&(first_no, offset), _)) = self.fragments.first_key_value() else { return false };
        if (first_no, offset) > (no, self.next.offset) {
            return false;
        }
        let Some((_, mut fragment)) = self.fragments.pop_first() else { return false };
        self.buffered -= fragment.bytes.len() + FRAGMENT_COST;
        let known = (self.next.offset.saturating_sub(offset)) as usize;
        let is_news =
            known < fragment.bytes.len() || fragment.last && known == fragment.bytes.len();
        if first_no < no || !is_news {
            self.repeated_bytes += fragment.bytes.len() as u64;
            return true;
        }
        self.repeated_bytes += known as u64;
        let bytes = fragment.bytes.split_off(known);
        let offset = self.next.offset;
        *undrained += bytes.len();
        #[expect(clippy::cast_possible_truncation, reason = "a datagram's length")]
        let end = offset + bytes.len() as u32;
        if fragment.last {
            self.unsettled.push_back((no, end));
            self.next = Position { message_no: no + 1, offset: 0 };
        } else {
            self.next.offset = end;
        }
        events.push_back(Event::Received {
            class,
            message_no: no,
            offset,
            bytes,
            last: fragment.last,
        });
        true
    }
}
