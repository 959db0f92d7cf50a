//! A link comes back at once, however often nodes died and the line was cut before.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "lengths and times of a test"
)]

mod link_world;

use link_world::{World, body};
use ondol_kernel::Class;
use ondol_replicate::link::Link;
use ondol_testkit::{emulate::Conditions, population::Chance};

/// An emergency's length.
const URGENT: usize = 300;

/// What a schedule of bad luck ended with, ms after everything was mended.
#[derive(Debug, Clone, Copy)]
struct Back {
    /// Both sides heard each other.
    heard: u64,
    /// An emergency that waited was at the other side.
    urgent: u64,
}

/// What waits while bad things happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Urgent {
    /// An emergency at the side that calls.
    AtInitiator,
    /// One at the side that is called.
    AtResponder,
    /// Nothing; an emergency is written at either within a minute after everything was mended.
    Later,
}

/// How a schedule is played.
#[derive(Debug, Clone, Copy)]
struct Play {
    loss: f64,
    urgent: Urgent,
    /// Whether somebody sends forged and replayed datagrams to both, 50 a second.
    flood: bool,
}

/// Short and long times alike: from 20 ms up to some seconds.
fn some_time(chance: &mut Chance, most_ms: i64) -> u64 {
    let octaves = i64::from((most_ms / 20).ilog2());
    let scale = 20 << chance.from_to(0, octaves + 1);
    chance.from_to(scale / 2, scale + 1).min(most_ms) as u64
}

struct Story {
    world: World,
    chance: Chance,
    /// Emergencies written at each side.
    written: [u64; 2],
    recorded: Vec<(usize, Vec<u8>)>,
}

impl Story {
    fn begin(loss: f64, seed: u64) -> Self {
        let mut world = World::new(Conditions::new(9_600, 300).with_loss(loss), seed);
        world.tap = Some(vec![]);
        Self { world, chance: Chance::new(seed ^ 0x5eed), written: [0; 2], recorded: vec![] }
    }

    fn write(&mut self, side: usize) {
        let no = self.written[side];
        self.written[side] += 1;
        if self.world.sides[side].link.is_some() {
            self.world.send(side, Class::Emergency, no, URGENT);
        }
    }

    fn start(&mut self, side: usize) {
        self.world.start(side);
        let from = self.world.sides[side].memory.acked[0].message_no;
        for no in from..self.written[side] {
            let queued = self.world.sides[side].link().send(
                Class::Emergency,
                no,
                body(Class::Emergency, no, URGENT),
            );
            assert_eq!(queued, Ok(()));
        }
    }

    /// Something bad, for a while.
    fn strike(&mut self, most_ms: i64, during: impl Fn(&mut Self)) {
        let cuts = self.chance.from_to(0, 4);
        let dies = self.chance.from_to(0, 4);
        for (at, pipe) in self.world.pipes.iter_mut().enumerate() {
            pipe.set_cut(cuts == 3 || cuts == at as i64 && dies > 1);
        }
        for side in 0..2 {
            if dies == side as i64 || dies == 2 && cuts == 2 {
                self.world.kill(side);
            }
        }
        let (first, second) =
            (some_time(&mut self.chance, most_ms), some_time(&mut self.chance, most_ms));
        self.world.run_to(self.world.now + first);
        during(self);
        // What was mended first may be the line or a node.
        let line_first = self.chance.percent(50);
        for turn in [line_first, !line_first] {
            if turn {
                self.world.pipes.iter_mut().for_each(|pipe| pipe.set_cut(false));
            } else {
                for side in 0..2 {
                    if self.world.sides[side].link.is_none() {
                        self.start(side);
                    }
                }
            }
            if turn == line_first {
                self.world.run_to(self.world.now + second.min(3_000));
            }
        }
    }

    /// One forged or replayed datagram to each side.
    fn forge(&mut self) {
        let now = self.world.now;
        if self.recorded.is_empty() {
            self.recorded = self.world.tap.clone().unwrap_or_default();
        }
        let noise = self.chance.bits().to_le_bytes();
        for side in 0..2 {
            let id = [0, 1 + side as u8];
            let datagram = match self.chance.from_to(0, 8) {
                0 => [&[0x1c, 0, 2 - side as u8][..], &noise].concat(),
                1 => vec![0x1d],
                2 => [&[0x10][..], &id, &noise, &[7; 30]].concat(),
                3 => [&[0x18][..], &id, &noise, &[9; 70]].concat(),
                4 => [&[0x14][..], &noise, &[5; 111]].concat(),
                _ => {
                    let at = self.chance.from_to(0, self.recorded.len() as i64) as usize;
                    self.recorded[at].1.clone()
                }
            };
            if let Some(link) = &mut self.world.sides[side].link {
                link.handle_datagram(now, &datagram);
                // The answers go to whoever forged it, not to the peer.
                while link.poll_answer().is_some() {}
            }
        }
    }

    fn run(&mut self, until: u64, flood: bool, done: impl Fn(&World) -> bool) -> bool {
        while flood && self.world.now < until {
            self.forge();
            if self.world.run((self.world.now + 20).min(until), |world| done(world)) {
                return true;
            }
        }
        self.world.run(until, |world| done(world))
    }
}

fn heard_since(world: &World, since: u64) -> bool {
    world.sides.iter().all(|side| {
        let stats = side.link.as_ref().map(Link::stats);
        stats.is_some_and(|stats| stats.is_up && stats.last_heard_ms.is_some_and(|at| at >= since))
    })
}

fn play(seed: u64, how: Play) -> Back {
    let mut story = Story::begin(how.loss, seed);
    // They met before.
    assert!(story.world.run(60_000, |world| heard_since(world, 1)));
    let begun = story.world.now + some_time(&mut story.chance, 20_000);
    story.world.run_to(begun);
    let strikes = story.chance.from_to(1, 12);
    for _ in 1..strikes {
        story.strike(120_000, |_| {});
        let pause = some_time(&mut story.chance, 10_000);
        story.world.run_to(story.world.now + pause);
    }
    let mut from = usize::from(how.urgent == Urgent::AtResponder);
    if how.flood {
        let now = story.world.now;
        story.run(now + 5_000, true, |_| false);
    }
    story.strike(600_000, |story| {
        if how.urgent != Urgent::Later {
            story.write(from);
        }
    });
    let mended = story.world.now;
    if how.urgent == Urgent::Later {
        let pause = some_time(&mut story.chance, 60_000);
        story.world.run_to(mended + pause);
        from = usize::from(story.chance.percent(50));
        story.write(from);
    } else if story.world.sides[1 - from].memory.whole_at.contains_key(&(0, 0)) {
        // It passed before; another one, so that something is urgent.
        story.write(from);
    }
    let since = story.world.now;
    let limit = since + 120_000;
    let heard = |world: &World| heard_since(world, since);
    assert!(story.run(limit, how.flood, heard), "seed {seed}, {how:?}: not heard in two minutes");
    let heard = story.world.now - since;
    let last = (0, story.written[from] - 1);
    let came = |world: &World| world.sides[1 - from].memory.whole_at.contains_key(&last);
    assert!(story.run(limit, how.flood, came), "seed {seed}, {how:?}: not there in two minutes");
    let at = story.world.sides[1 - from].memory.whole_at[&last];
    Back { heard, urgent: at.saturating_sub(since) }
}

fn percentiles(mut times: Vec<u64>) -> [u64; 4] {
    times.sort_unstable();
    [50, 95, 99, 100].map(|of_100| times[(times.len() * of_100 / 100).min(times.len() - 1)])
}

/// Plays many schedules; percentiles 50, 95, 99 and the worst of 'heard' and of 'urgent'.
fn many(count: u64, how: Play) -> ([u64; 4], [u64; 4]) {
    let back: Vec<Back> = (0..count).map(|seed| play(seed, how)).collect();
    let heard = percentiles(back.iter().map(|back| back.heard).collect());
    let urgent = percentiles(back.iter().map(|back| back.urgent).collect());
    println!("{how:?}: heard after {heard:?}, the emergency after {urgent:?} ms");
    (heard, urgent)
}

#[test]
fn after_any_cuts_and_kills_the_link_is_up_in_seconds_while_an_emergency_waits() {
    for urgent in [Urgent::AtInitiator, Urgent::AtResponder] {
        for (loss, up, there) in [(0.02, 5_000, 6_500), (0.1, 7_500, 10_000)] {
            let (heard, came) = many(400, Play { loss, urgent, flood: false });
            assert!(heard[2] <= up, "{loss}, {urgent:?}: {heard:?}");
            assert!(came[2] <= there, "{loss}, {urgent:?}: {came:?}");
        }
    }
}

#[test]
fn an_emergency_that_is_written_after_all_is_mended_finds_its_way_at_once() {
    for (loss, most) in [(0.02, 5_000), (0.1, 8_000)] {
        let (_, came) = many(300, Play { loss, urgent: Urgent::Later, flood: false });
        assert!(came[2] <= most, "{loss}: {came:?}");
    }
}

#[test]
fn forged_and_replayed_datagrams_do_not_keep_the_link_down() {
    for urgent in [Urgent::AtInitiator, Urgent::AtResponder] {
        let (heard, came) = many(150, Play { loss: 0.05, urgent, flood: true });
        assert!(heard[2] <= 7_500, "{urgent:?}: {heard:?}");
        assert!(came[2] <= 10_000, "{urgent:?}: {came:?}");
    }
}

#[test]
fn calling_into_silence_costs_little() {
    // Bytes in an hour of silence, with IP and UDP, by what waits; the link passes 4.3 MB in it.
    for (class, most) in
        [(None, 60_000), (Some(Class::Bulk), 110_000), (Some(Class::Emergency), 500_000)]
    {
        for session in [true, false] {
            let mut world = World::new(Conditions::new(9_600, 300), 1);
            if session {
                world.run_to(5_000);
            }
            world.pipes.iter_mut().for_each(|pipe| pipe.set_cut(true));
            world.run_to(10_000);
            if let Some(class) = class {
                world.send(0, class, 0, 600);
                world.send(1, class, 0, 600);
            }
            let before = world.sides.each_mut().map(|side| side.link().stats().bytes_out);
            world.run_to(world.now + 3_600_000);
            let after = world.sides.each_mut().map(|side| side.link().stats().bytes_out);
            let [out, back] = [after[0] - before[0], after[1] - before[1]];
            println!(
                "an hour of silence, {class:?}, session {session}: {out} B out, {back} B back"
            );
            assert!(out <= most && back <= most, "{class:?}: {out} {back}");
        }
    }
}

#[test]
fn a_neighbour_that_forgot_where_the_caller_is_gets_its_emergency_when_it_is_called() {
    let mut world = World::new(Conditions::new(9_600, 300), 1);
    world.remembers = false;
    world.run_to(5_000);
    world.kill(1);
    world.run_to(6_000);
    world.start(1);
    world.send(1, Class::Emergency, 0, URGENT);
    let begun = world.now;
    let came = |world: &mut World| world.sides[0].memory.whole_at.contains_key(&(0, 0));
    assert!(world.run(begun + 70_000, came), "at the latest with the next keepalive");
    world.kill(1);
    world.start(1);
    world.remembers = true;
    world.run_to(world.now + 70_000);
    world.kill(1);
    world.run_to(world.now + 1_000);
    world.start(1);
    world.send(1, Class::Emergency, 1, URGENT);
    let begun = world.now;
    let came = |world: &mut World| world.sides[0].memory.whole_at.contains_key(&(0, 1));
    assert!(world.run(begun + 5_000, came), "one that did not forget asks to be called");
}
