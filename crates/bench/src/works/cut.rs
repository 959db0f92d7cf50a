//! What is sent again after a cut although it had arrived, in virtual time.

use ondol_kernel::Class;
use ondol_replicate::link::Position;
use ondol_testkit::emulate::Conditions;

use super::goodput::link_world::{World, body, keep_busy};
use crate::figure::{Aim, Figure};

/// A message of bulk, bytes.
const MESSAGE: usize = 20_000;
/// The road is cut after so long, and mended after so long, ms.
const BEFORE_MS: u64 = 60_000;
const CUT_MS: [u64; 3] = [7_000, 60_000, 600_000];
/// Cuts at each rate and of each length, each at another moment of a frame.
const CUTS: u64 = 8;
/// The roads, bit/s.
const RATES: [u64; 3] = [9_600, 64_000, 256_000];
/// A node that dies does so in the middle of a message of so many bytes.
const LONG: usize = 200_000;

/// What a frame is (ADR 0005): 250 ms of the road, at least 128 B, at most a datagram.
fn frame(rate: u64) -> u64 {
    (rate / 32).clamp(128, 1_200)
}

/// Takes the figures.
pub fn figures(seed: u64) -> Vec<Figure> {
    let mut figures = vec![];
    for rate in RATES {
        let cuts = CUT_MS.into_iter().flat_map(|cut_ms| {
            (0..CUTS).map(move |at| road_cut(rate, cut_ms, BEFORE_MS + at * 137, seed + at))
        });
        figures.push(reported("road", rate, &cuts.collect::<Vec<_>>()).how(format!(
            "{} cuts of 7 s, 1 min and 10 min in a stream of bulk at {rate} bit/s and 600 ms, no \
             other loss; counted by the receiver",
            CUTS * 3
        )));
        let kills = (0..2).flat_map(|side| {
            (0..CUTS).map(move |at| node_killed(rate, side, 15_000 + at * 333, seed + at))
        });
        figures.push(reported("node", rate, &kills.collect::<Vec<_>>()).how(format!(
            "{} times one of the two nodes was killed in the middle of a message of {LONG} B and \
             began again 2 s later from what was durable",
            CUTS * 2
        )));
    }
    figures
}

/// The worst of some cuts, in frames.
fn reported(what: &str, rate: u64, repeated: &[u64]) -> Figure {
    let most = repeated.iter().copied().max().unwrap_or(u64::MAX);
    let value = f64::from(u32::try_from(most).unwrap_or(u32::MAX));
    let frame = f64::from(u32::try_from(frame(rate)).unwrap_or(u32::MAX));
    Figure::new(format!("repeated_{what}_cut_{rate}"), value, "B").aim(Aim::AtMost(frame))
}

/// Bytes that the receiver got twice because the road was cut.
fn road_cut(rate: u64, cut_ms: u64, at_ms: u64, seed: u64) -> u64 {
    let road = Conditions::new(rate, 300).with_outage(at_ms..at_ms + cut_ms);
    let mut world = World::new(road, seed);
    let mut no = 0;
    let mut busy = |world: &mut World| {
        keep_busy(world, Class::Bulk, &mut no, MESSAGE);
        false
    };
    world.run(at_ms, &mut busy);
    let before = world.sides[1].link().stats().repeated_bytes;
    world.run(at_ms + cut_ms, &mut busy);
    let held = world.sides[1].memory.bytes;
    world.run(at_ms + cut_ms + 60_000, &mut busy);
    assert!(world.sides[1].memory.bytes > held + 10_000, "the transfer goes on after the cut");
    world.sides[1].link().stats().repeated_bytes - before
}

/// Bytes that the receiver got twice because a node was killed.
fn node_killed(rate: u64, side: usize, at_ms: u64, seed: u64) -> u64 {
    let mut world = World::new(Conditions::new(rate, 300), seed);
    let mut length = LONG;
    if rate > 20_000 {
        // Still under way when the node dies.
        length = LONG * 10;
    }
    world.send(0, Class::Bulk, 0, length);
    world.run_to(at_ms);
    world.kill(side);
    world.run_to(at_ms + 2_000);
    let durable = world.sides[1].memory.durable[3];
    assert!(durable.offset > 5_000 && durable.message_no == 0, "in the middle of the message");
    world.start(side);
    if side == 0 {
        let again = body(Class::Bulk, 0, length);
        let queued = world.sides[0].link().send(Class::Bulk, 0, again);
        assert!(queued.is_ok(), "a restarted sender queues what it does not know to be durable");
    }
    let whole = Position { message_no: 1, offset: 0 };
    let done = world.run(at_ms + 1_200_000, |world| world.sides[1].memory.durable[3] == whole);
    assert!(done, "the message is whole in the end");
    world.sides[1].link().stats().repeated_bytes
}
