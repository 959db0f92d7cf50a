//! What is sent again after a cut although it had arrived, in virtual time.

use ondol_kernel::Class;
use ondol_replicate::link::Position;
use ondol_testkit::emulate::Conditions;

use super::index::index_exchange::link_world::{World, body, keep_busy};
use crate::figure::{Aim, Figure};

/// A message of bulk, bytes.
const MESSAGE: usize = 20_000;
/// The road is cut after so long, and mended after so long, ms.
const BEFORE_MS: u64 = 60_000;
const CUT_MS: [u64; 4] = [300, 1_500, 7_000, 600_000];
/// Cuts at each rate and of each length, each at another moment of a frame.
const CUTS: u64 = 12;
/// The roads, bit/s.
const RATES: [u64; 3] = [9_600, 64_000, 256_000];
/// A node dies in the middle of a message of so many bytes, or ten times as many on a fast road.
const LONG: usize = 200_000;

/// What one cut did.
struct Repeated {
    bytes: u64,
    /// What a frame was just before: 250 ms of the rate that the link measured, at least 128 B, at
    /// most a datagram (ADR 0005).
    frame: u64,
}

/// Takes the figures.
pub fn figures(seed: u64) -> Vec<Figure> {
    let mut figures = vec![];
    for rate in RATES {
        for class in [Class::Routine, Class::Bulk] {
            let cuts = CUT_MS.into_iter().flat_map(|cut_ms| {
                (0..CUTS).map(move |at| {
                    road_cut((rate, class), (BEFORE_MS + at * 137, cut_ms), seed + at)
                })
            });
            figures.push(reported(&format!("road_{class:?}"), rate, &cuts.collect::<Vec<_>>(), &format!(
                "of {} cuts of 0.3 s, 1.5 s, 7 s and 10 min in a stream of it at {rate} bit/s and 600 ms, no \
                 other loss; counted by the receiver",
                CUTS * 4
            )));
        }
        let kills = (0..2).flat_map(|side| {
            (0..CUTS).map(move |at| node_killed(rate, side, 15_000 + at * 333, seed + at))
        });
        figures.push(reported("node", rate, &kills.collect::<Vec<_>>(), &format!(
            "of {} times that one of the two nodes was killed in the middle of a message of bulk and \
             began again 2 s later from what was durable",
            CUTS * 2
        )));
    }
    figures
}

/// The worst of some cuts, in frames.
fn reported(what: &str, rate: u64, all: &[Repeated], how: &str) -> Figure {
    let real = |bytes: u64| f64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
    let frames = |one: &Repeated| real(one.bytes) / real(one.frame);
    let worst = all.iter().map(frames).fold(0.0, f64::max);
    let bytes = all.iter().map(|one| one.bytes).max().unwrap_or_default();
    let name = format!("frames_repeated_{}_{rate}", what.to_lowercase());
    Figure::new(name, worst, "frames")
        .aim(Aim::AtMost(1.0))
        .how(format!("{bytes} B, the worst {how}"))
}

fn frame_of(world: &mut World) -> u64 {
    (world.sides[0].link().stats().rate_bps / 32).clamp(128, 1_200)
}

/// What the receiver got twice because the road was cut.
fn road_cut((rate, class): (u64, Class), (at_ms, cut_ms): (u64, u64), seed: u64) -> Repeated {
    let road = Conditions::new(rate, 300).with_outage(at_ms..at_ms + cut_ms);
    let mut world = World::new(road, seed);
    let mut no = 0;
    let mut busy = |world: &mut World| {
        keep_busy(world, class, &mut no, MESSAGE);
        false
    };
    world.run(at_ms, &mut busy);
    let (before, frame) = (world.sides[1].link().stats().repeated_bytes, frame_of(&mut world));
    world.run(at_ms + cut_ms, &mut busy);
    let held = world.sides[1].memory.bytes;
    world.run(at_ms + cut_ms + 60_000, &mut busy);
    assert!(world.sides[1].memory.bytes > held + 10_000, "the transfer goes on after the cut");
    Repeated { bytes: world.sides[1].link().stats().repeated_bytes - before, frame }
}

/// What the receiver got twice because a node was killed.
fn node_killed(rate: u64, side: usize, at_ms: u64, seed: u64) -> Repeated {
    let mut world = World::new(Conditions::new(rate, 300), seed);
    // Still under way when the node dies.
    let length = if rate > 20_000 { LONG * 10 } else { LONG };
    world.send(0, Class::Bulk, 0, length);
    world.run_to(at_ms);
    let frame = frame_of(&mut world);
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
    Repeated { bytes: world.sides[1].link().stats().repeated_bytes, frame }
}
