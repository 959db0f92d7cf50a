//! Two nodes and the road between them, in virtual time.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::cast_possible_truncation, reason = "a byte of a pattern")]

use std::collections::BTreeMap;

use ondol_kernel::Class;
use ondol_replicate::link::{Config, Event, Heard, Link, Position, Role, public_key};
use ondol_testkit::emulate::{Conditions, Pipe};

/// The byte at a place of a message: what should arrive can be told without keeping it.
pub fn byte(class: Class, no: u64, at: usize) -> u8 {
    (at as u64 * 31 + (at as u64 >> 8) * 7 + no * 13 + u64::from(class.code()) * 101) as u8
}

/// A whole message.
pub fn body(class: Class, no: u64, length: usize) -> Vec<u8> {
    (0..length).map(|at| byte(class, no, at)).collect()
}

/// A node's memory, which outlives its link, and what the test wants to know of it.
#[derive(Default)]
pub struct Memory {
    /// What it holds durably of the peer's messages, and the peer's epoch.
    pub durable: [Position; 4],
    pub peer_epoch: u64,
    /// Received and not yet durable: (due, class, no, offset behind, whether last).
    settling: Vec<(u64, Class, u64, u32, bool)>,
    /// Where the next byte of each class must be.
    pub next: [Position; 4],
    /// When each message was whole, by class and number.
    pub whole_at: BTreeMap<(u8, u64), u64>,
    /// When the peer said that a message was durable.
    pub durable_at: BTreeMap<(u8, u64), u64>,
    /// How far the peer holds what this node sent.
    pub acked: [Position; 4],
    pub bytes: u64,
    pub bytes_by_class: [u64; 4],
    pub events: Vec<(u64, Event)>,
    pub last_bytes_at: u64,
    /// Whether numbers may be left out.
    pub gaps_allowed: bool,
}

pub struct Side {
    pub link: Option<Link>,
    pub memory: Memory,
    pub config: Config,
    role: Role,
    private: [u8; 32],
    starts: u8,
    /// Whether it knows where the other is; what it sends goes nowhere until then.
    has_address: bool,
}

impl Side {
    fn start(&mut self, now: u64) {
        self.starts += 1;
        self.config.peer_epoch = self.memory.peer_epoch;
        self.config.received = self.memory.durable;
        self.memory.next = self.memory.durable;
        self.memory.settling.clear();
        let seed = [self.starts ^ self.private[0]; 32];
        let link = Link::new(self.config.clone(), self.role.clone(), self.private, seed, now);
        self.link = Some(link.expect("the configuration is good"));
    }

    pub fn link(&mut self) -> &mut Link {
        self.link.as_mut().expect("running")
    }
}

/// Two nodes: `sides[0]` initiates.
pub struct World {
    pub now: u64,
    pub sides: [Side; 2],
    /// From 0 to 1, and back.
    pub pipes: [Pipe; 2],
    /// How long a commit takes at either node, ms.
    pub commit_ms: u64,
    /// Every datagram as it goes in: who sent it, and its bytes.
    pub tap: Option<Vec<(usize, Vec<u8>)>>,
    /// Whether the address of a neighbour outlives a restart.
    pub remembers: bool,
    same_instant: u32,
}

impl World {
    pub fn new(conditions: Conditions, seed: u64) -> Self {
        Self::with_roads([conditions.clone(), conditions], seed)
    }

    pub fn with_roads(roads: [Conditions; 2], seed: u64) -> Self {
        Self::with_window(roads, seed, 1 << 20)
    }

    pub fn with_window(roads: [Conditions; 2], seed: u64, window_bytes: u32) -> Self {
        let privates = [[11; 32], [22; 32]];
        let publics = privates.map(|private| public_key(&private).unwrap());
        let roles =
            [Role::Initiator { remote: publics[1] }, Role::Responder { allowed: vec![publics[0]] }];
        let mut n = 0;
        let mut sides = roles.map(|role| {
            n += 1;
            let mut config = Config::new(n, u64::from(n) + 70);
            config.window_bytes = window_bytes;
            config.queue_bytes = 64 << 20;
            let memory = Memory::default();
            let private = privates[usize::from(n - 1)];
            // The initiator is told the address.
            let has_address = n == 1;
            Side { link: None, memory, config, role, private, starts: 0, has_address }
        });
        for side in &mut sides {
            side.start(0);
        }
        let [there, back] = roads;
        let pipes = [Pipe::new(there, seed), Pipe::new(back, seed ^ 0xffff)];
        Self { now: 0, sides, pipes, commit_ms: 10, tap: None, remembers: true, same_instant: 0 }
    }

    /// A node dies: what it had not made durable is gone.
    pub fn kill(&mut self, side: usize) {
        self.sides[side].link = None;
        self.sides[side].memory.settling.clear();
    }

    /// A node starts again from what is durable. Its messages must be sent again by the test.
    pub fn start(&mut self, side: usize) {
        self.sides[side].has_address &= self.remembers || side == 0;
        self.sides[side].start(self.now);
    }

    pub fn send(&mut self, side: usize, class: Class, no: u64, length: usize) {
        self.sides[side].link().send(class, no, body(class, no, length)).expect("queued");
    }

    /// Runs until a time, or until `done` says so; true if it did.
    pub fn run(&mut self, until: u64, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        loop {
            self.settle();
            if done(self) {
                return true;
            }
            let links = self.sides.iter().filter_map(|side| side.link.as_ref()?.poll_timeout());
            let roads = self.pipes.iter().filter_map(Pipe::next_arrival_ms);
            let commits = self.sides.iter().flat_map(|side| &side.memory.settling).map(|s| s.0);
            let next = links.chain(roads).chain(commits).min().unwrap_or(u64::MAX);
            if next > until {
                self.now = until;
                return false;
            }
            self.same_instant = if next > self.now { 0 } else { self.same_instant + 1 };
            assert!(self.same_instant < 10_000, "the world stands still at {} ms", self.now);
            self.now = self.now.max(next);
            self.arrive();
            self.commit();
        }
    }

    pub fn run_to(&mut self, until: u64) {
        self.run(until, |_| false);
    }

    fn arrive(&mut self) {
        for from in 0..2 {
            while let Some(packet) = self.pipes[from].pop(self.now) {
                let side = &mut self.sides[1 - from];
                let Some(link) = &mut side.link else { continue };
                let heard = link.handle_datagram(self.now, &packet);
                assert!(!(from == 1 && heard == Heard::Handshake), "only responders answer");
                side.has_address |= heard == Heard::Peer;
                while let Some(answer) = link.poll_answer() {
                    if let Some(tap) = &mut self.tap {
                        tap.push((1 - from, answer.clone()));
                    }
                    self.pipes[1 - from].push(self.now, answer);
                }
            }
        }
    }

    fn commit(&mut self) {
        for side in &mut self.sides {
            let Some(link) = &mut side.link else { continue };
            let memory = &mut side.memory;
            while memory.settling.first().is_some_and(|first| first.0 <= self.now) {
                let (_, class, no, end, last) = memory.settling.remove(0);
                memory.durable[usize::from(class.code())] = if last {
                    Position { message_no: no + 1, offset: 0 }
                } else {
                    Position { message_no: no, offset: end }
                };
                link.durable(class, no, end);
            }
        }
    }

    fn settle(&mut self) {
        for n in 0..2 {
            let side = &mut self.sides[n];
            let Some(link) = &mut side.link else { continue };
            if link.poll_timeout().is_some_and(|at| at <= self.now) {
                link.handle_timeout(self.now);
            }
            while let Some(event) = link.poll_event() {
                side.memory.note(self.now, self.commit_ms, event);
            }
            while let Some(packet) = link.poll_transmit(self.now) {
                if !side.has_address {
                    continue;
                }
                if let Some(tap) = &mut self.tap {
                    tap.push((n, packet.clone()));
                }
                self.pipes[n].push(self.now, packet);
            }
        }
    }
}

impl Memory {
    fn note(&mut self, now: u64, commit_ms: u64, event: Event) {
        match &event {
            Event::Received { class, message_no, offset, bytes, last } => {
                let next = &mut self.next[usize::from(class.code())];
                let here = Position { message_no: *message_no, offset: *offset };
                if self.gaps_allowed && next.offset == 0 && here.offset == 0 {
                    assert!(*next <= here, "in order and once");
                    *next = here;
                } else {
                    assert_eq!(*next, here, "in order and once");
                }
                for (at, got) in bytes.iter().enumerate() {
                    assert_eq!(*got, byte(*class, *message_no, *offset as usize + at));
                }
                let end = offset + u32::try_from(bytes.len()).unwrap();
                if *last {
                    *next = Position { message_no: message_no + 1, offset: 0 };
                    self.whole_at.insert((class.code(), *message_no), now);
                } else {
                    next.offset = end;
                }
                self.bytes += bytes.len() as u64;
                self.bytes_by_class[usize::from(class.code())] += bytes.len() as u64;
                self.last_bytes_at = now;
                self.settling.push((now + commit_ms, *class, *message_no, end, *last));
                return;
            }
            Event::Abandoned { class, message_no } => {
                let next = &mut self.next[usize::from(class.code())];
                assert_eq!(next.message_no, *message_no);
                assert!(next.offset > 0, "a part was delivered");
                *next = Position { message_no: message_no + 1, offset: 0 };
            }
            Event::Durable { class, message_no, offset } => {
                let acked = &mut self.acked[usize::from(class.code())];
                let position = Position { message_no: *message_no, offset: *offset };
                assert!(position >= *acked, "durable positions only grow");
                for no in acked.message_no..*message_no {
                    self.durable_at.insert((class.code(), no), now);
                }
                *acked = position;
            }
            Event::Renumbered { epoch } => {
                if self.peer_epoch != 0 {
                    (self.next, self.durable) = Default::default();
                    self.settling.clear();
                }
                self.peer_epoch = *epoch;
            }
            _ => {}
        }
        self.events.push((now, event));
    }

    pub fn count(&self, which: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|(_, event)| which(event)).count()
    }
}

/// Keeps some messages of a class waiting at side 0; returns the next number to use.
pub fn keep_busy(world: &mut World, class: Class, next_no: &mut u64, length: usize) {
    while let Some(link) = &mut world.sides[0].link
        && link.waiting(class).1 < 12 << 20
        && link.waiting(class).0 < 60
    {
        link.send(class, *next_no, body(class, *next_no, length)).expect("room");
        *next_no += 1;
    }
}
