//! The urgent goes first.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "lengths and times of a test"
)]

mod link_world;

use link_world::{World, keep_busy};
use ondol_kernel::Class;
use ondol_testkit::emulate::Conditions;

/// Sends `count` emergencies of 600 B behind 50 MB of bulk over 9.6 kbit/s and 600 ms; the
/// times from sending to arrival and to 'durable', sorted, ms.
fn delays(loss: f64, count: u64, seed: u64) -> (Vec<u64>, Vec<u64>) {
    let mut world = World::new(Conditions::new(9_600, 300).with_loss(loss), seed);
    for no in 0..250 {
        world.send(0, Class::Bulk, no, 200_000);
    }
    let mut sent = Vec::new();
    for no in 0..count {
        // Every phase of a frame comes up.
        world.run_to(40_000 + no * 20_000 + (no * 7_919) % 1_000);
        world.send(0, Class::Emergency, no, 600);
        sent.push(world.now);
    }
    world.run_to(world.now + 60_000);
    let since_sent = |at: &dyn Fn(u64) -> u64| {
        let mut delays: Vec<u64> = (0..count).map(|no| at(no) - sent[no as usize]).collect();
        delays.sort_unstable();
        delays
    };
    let arrived = since_sent(&|no| world.sides[1].memory.whole_at[&(0, no)]);
    let durable = since_sent(&|no| world.sides[0].memory.durable_at[&(0, no)]);
    (arrived, durable)
}

fn percentile(sorted: &[u64], of_100: usize) -> u64 {
    sorted[(sorted.len() * of_100 / 100).min(sorted.len() - 1)]
}

#[test]
fn an_emergency_overtakes_50_mb_at_9600_bits() {
    println!("600 B behind 50 MB, 9.6 kbit/s, 600 ms: ms to arrival (to 'durable' at the sender)");
    for (loss, p50_most, p99_most) in
        [(0.0, 1_500, 2_000), (0.02, 1_500, 3_000), (0.1, 2_500, 6_000)]
    {
        let (arrived, durable) = delays(loss, 400, 17);
        let [p50, p95, p99] = [50, 95, 99].map(|p| percentile(&arrived, p));
        let back = [50, 95, 99].map(|p| percentile(&durable, p));
        println!("loss {:>2.0} %: p50 {p50}, p95 {p95}, p99 {p99} ({back:?})", loss * 100.0);
        assert!(p50 <= p50_most && p99 <= p99_most, "loss {loss}: p50 {p50}, p99 {p99}");
    }
}

#[test]
fn classes_share_the_road_by_urgency_and_bulk_keeps_its_floor() {
    let mut world = World::new(Conditions::new(64_000, 100), 5);
    let (mut care, mut routine, mut bulk) = (0, 0, 0);
    world.run(120_000, |world| {
        keep_busy(world, Class::Care, &mut care, 20_000);
        keep_busy(world, Class::Routine, &mut routine, 20_000);
        keep_busy(world, Class::Bulk, &mut bulk, 20_000);
        false
    });
    let all = world.sides[1].memory.bytes as f64;
    let share = world.sides[1].memory.bytes_by_class.map(|bytes| bytes as f64 / all);
    println!("care, routine and bulk together, shares by class: {share:.3?}");
    assert!(share[1] > 0.85, "the most urgent has most");
    assert!(share[2] > 0.04 && share[3] > 0.04, "nobody starves");
}

#[test]
fn a_class_that_loses_packets_holds_up_no_other() {
    // Care is sent in one burst while bulk flows; were the classes one stream, each loss
    // would hold all of them for a round trip.
    let mut world = World::new(Conditions::new(64_000, 1_000).with_loss(0.2), 8);
    let mut bulk = 0;
    let mut slow = 0;
    for no in 0..60 {
        world.run(30_000 + no * 3_000, |world| {
            keep_busy(world, Class::Bulk, &mut bulk, 50_000);
            false
        });
        world.send(0, Class::Care, no, 100);
    }
    let first = 30_000;
    world.run_to(world.now + 60_000);
    for no in 0..60 {
        let took = world.sides[1].memory.whole_at[&(1, no)] - (first + no * 3_000);
        slow += u64::from(took > 2_000);
    }
    // One way takes about 1.2 s; only care's own losses (20 %) may add to it.
    println!("{slow} of 60 waited for a second try");
    assert!(slow <= 25, "{slow}");
}
