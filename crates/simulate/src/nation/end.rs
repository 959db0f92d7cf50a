//! A node's end of a line: the real link, and what a node's program does with it
//! (`ondol-node`, `road/peer.rs`).

use std::collections::{BTreeMap, HashMap};

use ondol_kernel::Class;
use ondol_replicate::link::{Config, Event, Link, Position, Role, SendError};

use super::{
    machine::{Around, Machine},
    slip::Slip,
    state::{Op, place},
};

/// So many messages of a class wait in a link at the most.
const IN_LINK: usize = 4;
/// Parts of a message are kept each time so many bytes came, at the least.
const KEEP_PART_BYTES: usize = 2_048;
/// What a full disk refused is tried again after so long, ms.
const AGAIN_MS: u64 = 500;

struct Arriving {
    number: u64,
    bytes: Vec<u8>,
    kept: usize,
}

/// One end.
pub struct End {
    /// The link.
    pub link: Link,
    /// When something last moved.
    pub progress_at: u64,
    /// When its timer is due in the world; `u64::MAX` if it has none there.
    pub timer_at: u64,
    /// When what a full disk refused is tried again.
    pub again_at: u64,
    /// Bytes of the two slower classes that came.
    pub slower_bytes: u64,
    /// Emergencies that wait to be there: how many slower bytes the other end had when they were on
    /// the disk here, and when that was.
    pub urgent: BTreeMap<u64, (u64, u64)>,
    urgent_up_to: u64,
    /// Messages that began to come since somebody last looked: epoch, the class's place, number.
    pub came: Vec<(u64, usize, u64)>,
    epoch: u64,
    /// Emergencies that came whole since somebody last looked.
    pub urgent_here: Vec<u64>,
    given: [u64; 4],
    lengths: HashMap<(u8, u64), u32>,
    durable: [(u64, u32); 4],
    arriving: [Option<Arriving>; 4],
    stalled: Option<Event>,
}

impl End {
    /// The end of a line with a neighbour, as a node's program makes it when it starts.
    pub fn new(machine: &Machine, peer: usize, around: &Around<'_>) -> Result<Self, String> {
        let (at, tree) = (machine.at, around.tree);
        let role = if tree.seats[at].above == Some(peer) {
            Role::Initiator { remote: tree.seats[peer].public }
        } else {
            Role::Responder { allowed: vec![tree.seats[peer].public] }
        };
        let mut config =
            Config::new(u16::try_from(peer % 60_000).unwrap_or(1), machine.disk.epoch());
        config.queue_bytes = 1 << 20;
        config.mtu = around.mtu;
        let (mut arriving, mut given, mut epoch) = ([const { None }; 4], [0; 4], 0);
        if let Some(neighbour) = machine.disk.neighbours.get(&peer) {
            (epoch, given) = (neighbour.epoch, neighbour.acked);
            config.peer_epoch = epoch;
            for class in Class::ALL {
                let up_to = neighbour.up_to(epoch, class);
                let mut next = up_to + 1;
                if around.slip == Some(Slip::FrontierOffByOne) && up_to > 0 {
                    next += 1;
                }
                let mut position = Position { message_no: next, offset: 0 };
                if let Some((number, bytes)) = &neighbour.part[place(class)]
                    && *number == next
                {
                    let kept = bytes.len();
                    position.offset = u32::try_from(kept).unwrap_or(u32::MAX);
                    let bytes = bytes.to_vec();
                    arriving[place(class)] = Some(Arriving { number: *number, bytes, kept });
                }
                config.received[place(class)] = position;
            }
        }
        let mut seed = [0; 32];
        for part in seed.as_chunks_mut::<8>().0 {
            *part = around.chance.next().to_le_bytes();
        }
        let link = Link::new(config, role, tree.seats[at].private, seed, around.now)
            .map_err(|why| format!("node {at}: {why}"))?;
        Ok(Self {
            link,
            progress_at: around.now,
            timer_at: u64::MAX,
            again_at: 0,
            slower_bytes: 0,
            urgent: BTreeMap::new(),
            urgent_up_to: given[0],
            came: vec![],
            urgent_here: vec![],
            epoch,
            given,
            lengths: HashMap::new(),
            durable: [(0, 0); 4],
            arriving,
            stalled: None,
        })
    }
}

impl Machine {
    /// Does what a link told, and gives it what waits. `reads` is what the neighbour's program
    /// reads; `theirs` how many slower bytes it has from here.
    pub fn exchange(
        &mut self,
        peer: usize,
        (reads, theirs): (u8, u64),
        around: &mut Around<'_>,
    ) -> Result<(), String> {
        let Some(mut end) = self.ends.remove(&peer) else { return Ok(()) };
        let mut result = Ok(());
        if around.now >= end.again_at {
            result = self.events(&mut end, peer, reads, around);
        }
        for class in Class::ALL {
            result = result.and_then(|()| self.feed(&mut end, (peer, theirs), class, around));
        }
        self.ends.insert(peer, end);
        result
    }

    fn events(
        &mut self,
        end: &mut End,
        peer: usize,
        reads: u8,
        around: &mut Around<'_>,
    ) -> Result<(), String> {
        while let Some(event) = end.stalled.take().or_else(|| end.link.poll_event()) {
            let changes = !matches!(event, Event::Up | Event::Quiet { .. });
            if changes && around.now < self.full_until {
                around.faults.refused += 1;
                (end.stalled, end.again_at) = (Some(event), around.now + AGAIN_MS);
                return Ok(());
            }
            self.event(end, peer, reads, &event, around)?;
        }
        Ok(())
    }

    fn event(
        &mut self,
        end: &mut End,
        peer: usize,
        reads: u8,
        event: &Event,
        around: &mut Around<'_>,
    ) -> Result<(), String> {
        match event {
            Event::Received { class, message_no, offset, bytes, last } => {
                end.progress_at = around.now;
                if *class >= Class::Routine {
                    end.slower_bytes += bytes.len() as u64;
                }
                let part = (*class, *message_no, *offset as usize);
                self.received(end, peer, part, (bytes, *last), around)?;
            }
            Event::Durable { class, message_no, offset } => {
                end.progress_at = around.now;
                self.held(end, peer, (*class, *message_no, *offset), around);
            }
            Event::Renumbered { epoch } => {
                end.arriving = [const { None }; 4];
                end.epoch = *epoch;
                self.change(Op::Renumbered { from: peer, epoch: *epoch }, around.tree);
            }
            Event::Abandoned { class, .. } => end.arriving[place(*class)] = None,
            // The link itself always says the newest; here programs of two versions meet.
            Event::Reads { .. } => {
                around.faults.skewed += u64::from(reads != self.format);
                let told = self.memory.neighbours.get(&peer).map(|neighbour| neighbour.reads);
                if told != Some(reads) {
                    self.change(Op::Reads { from: peer, format: reads }, around.tree);
                }
            }
            Event::Resumed { .. } | Event::Up => end.progress_at = around.now,
            Event::Quiet { .. } | Event::UnknownVersion { .. } => {}
        }
        Ok(())
    }

    fn received(
        &mut self,
        end: &mut End,
        peer: usize,
        (class, number, offset): (Class, u64, usize),
        (bytes, last): (&[u8], bool),
        around: &Around<'_>,
    ) -> Result<(), String> {
        let slot = &mut end.arriving[place(class)];
        if slot.as_ref().is_none_or(|arriving| arriving.number != number) {
            let here = self.memory.neighbours.get(&peer);
            let up_to = here.map_or(0, |neighbour| neighbour.up_to(end.epoch, class));
            if number > up_to + 1 {
                let op = Op::Skipped { from: peer, epoch: end.epoch, class, number };
                self.change(op, around.tree);
            }
            *slot = Some(Arriving { number, bytes: vec![], kept: 0 });
            end.came.push((end.epoch, place(class), number));
        }
        let Some(arriving) = slot else { return Ok(()) };
        if arriving.bytes.len() < offset {
            return Err(format!("node {}: a part of a message is out of place", self.at));
        }
        arriving.bytes.truncate(offset);
        arriving.bytes.extend_from_slice(bytes);
        let here = arriving.bytes.len();
        let length = u32::try_from(here).unwrap_or(u32::MAX);
        if last {
            let message = slot.take().map(|arriving| arriving.bytes).unwrap_or_default();
            self.take_in((peer, end.epoch, class, number), &message, around)?;
            if class == Class::Emergency {
                end.urgent_here.push(number);
            }
        } else if here - arriving.kept >= KEEP_PART_BYTES.max(arriving.kept / 8) {
            arriving.kept = here;
            let bytes = arriving.bytes.clone().into();
            self.change(Op::Part { from: peer, class, number, bytes }, around.tree);
        } else {
            return Ok(());
        }
        if around.slip == Some(Slip::EarlyAcknowledgement) {
            end.link.durable(class, number, length);
            self.promise(peer, class);
        } else {
            self.tell_when_synced(peer, class, number, length);
        }
        Ok(())
    }

    /// The neighbour holds a class up to here.
    fn held(
        &mut self,
        end: &mut End,
        peer: usize,
        (class, number, offset): (Class, u64, u32),
        around: &Around<'_>,
    ) {
        end.durable[place(class)] = (number, offset);
        let whole = end.lengths.get(&(class.code(), number)) == Some(&offset);
        let up_to = if whole { number } else { number.saturating_sub(1) };
        if up_to == 0 {
            return;
        }
        end.lengths.retain(|&(of, number), _| of != class.code() || number > up_to);
        let up_to = up_to + u64::from(around.slip == Some(Slip::DeliveredOffByOne));
        self.change(Op::Delivered { to: peer, class, up_to }, around.tree);
    }

    /// Gives the link what waits: only messages whose numbers are synced.
    fn feed(
        &mut self,
        end: &mut End,
        (peer, theirs): (usize, u64),
        class: Class,
        around: &mut Around<'_>,
    ) -> Result<(), String> {
        let at = place(class);
        if class == Class::Emergency
            && let Some(neighbour) = self.disk.neighbours.get(&peer)
        {
            for (&number, _) in neighbour.kept[at].range(end.urgent_up_to + 1..) {
                end.urgent.insert(number, (theirs, around.now));
                end.urgent_up_to = number;
            }
        }
        if end.link.waiting(class).0 >= IN_LINK {
            return Ok(());
        }
        match around.slip {
            Some(Slip::UrgentLast)
                if class == Class::Emergency && end.link.waiting(Class::Bulk).0 > 0 =>
            {
                return Ok(());
            }
            Some(Slip::ForgottenQueue) if self.lives > 2 => return Ok(()),
            _ => {}
        }
        if around.now >= self.full_until {
            self.pack(peer, class, around);
        }
        let from = if around.slip == Some(Slip::SentUnsynced) { &self.memory } else { &self.disk };
        let Some(neighbour) = from.neighbours.get(&peer) else { return Ok(()) };
        let fresh: Vec<_> = neighbour.kept[at]
            .range(end.given[at] + 1..)
            .take(IN_LINK)
            .map(|(&number, bytes)| (number, bytes.clone()))
            .collect();
        for (number, bytes) in fresh {
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            match end.link.send(class, number, bytes.to_vec()) {
                Ok(()) => {
                    end.given[at] = number;
                    end.lengths.insert((class.code(), number), length);
                    if end.durable[at] == (number, length) {
                        // It was told before this program knew the message's length.
                        self.change(Op::Delivered { to: peer, class, up_to: number }, around.tree);
                    }
                }
                Err(SendError::Full { .. }) => break,
                Err(SendError::AlreadyDurable { .. }) => {
                    end.given[at] = number;
                    self.change(Op::Delivered { to: peer, class, up_to: number }, around.tree);
                }
                Err(why) => return Err(format!("node {}: {why}", self.at)),
            }
        }
        Ok(())
    }
}
