//! Roads that change, jitter, drop or differ by direction.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "lengths and times of a test"
)]

mod link_world;

use link_world::{World, keep_busy};
use ondol_kernel::Class;
use ondol_testkit::emulate::Conditions;

/// Bits per second of messages delivered until a time, from now on, and the mean queue before
/// the road, ms.
fn measure(world: &mut World, no: &mut u64, until: u64) -> (f64, f64) {
    let (start, before) = (world.now, world.sides[1].memory.bytes);
    let (mut queued, mut looks) = (0, 0);
    let mut next_look = start;
    world.run(until, |world| {
        keep_busy(world, Class::Bulk, no, 100_000);
        if world.now >= next_look {
            next_look += 500;
            looks += 1;
            let pipe = &world.pipes[0];
            queued += pipe.queued_bytes(world.now) * 8_000 / pipe.conditions().rate_bps;
        }
        false
    });
    let bits = (world.sides[1].memory.bytes - before) as f64 * 8_000.0;
    (bits / (until - start) as f64, queued as f64 / f64::from(looks.max(1)))
}

#[test]
fn the_rate_follows_a_road_that_becomes_slow_and_fast_again() {
    let mut world = World::new(Conditions::new(256_000, 150), 2);
    let mut no = 0;
    measure(&mut world, &mut no, 40_000);
    let (fast, _) = measure(&mut world, &mut no, 60_000);
    // What the modem holds now takes a minute at the new rate.
    world.pipes[0].conditions_mut().rate_bps = 9_600;
    measure(&mut world, &mut no, 130_000);
    let (slow, queue) = measure(&mut world, &mut no, 190_000);
    world.pipes[0].conditions_mut().rate_bps = 256_000;
    measure(&mut world, &mut no, 220_000);
    let (again, _) = measure(&mut world, &mut no, 250_000);
    println!(
        "256k: {fast:.0}; 70 s after it became 9.6k: {slow:.0}, queue {queue:.0} ms; \
         30 s after it became 256k: {again:.0}"
    );
    assert!(fast > 225_000.0 && slow > 6_500.0 && again > 200_000.0);
    assert!(queue < 800.0);
}

#[test]
fn the_rate_survives_a_road_that_becomes_longer() {
    // A satellite for a cable, another way through the exchange: later by the same time for all.
    for (rate, before, after) in [(9_600, 10, 300), (64_000, 10, 300), (256_000, 20, 700)] {
        let mut world = World::new(Conditions::new(rate, before), 2);
        let mut no = 0;
        measure(&mut world, &mut no, 60_000);
        world.pipes.iter_mut().for_each(|pipe| pipe.conditions_mut().delay_ms = after);
        measure(&mut world, &mut no, 180_000);
        let (goodput, queue) = measure(&mut world, &mut no, 300_000);
        println!(
            "{rate}, {before} ms that became {after}: {goodput:.0} bit/s, queue {queue:.0} ms"
        );
        assert!(goodput > 0.75 * rate as f64, "{rate}: {goodput}");
        assert!(queue < 500.0, "{rate}: {queue} ms");
    }
}

#[test]
fn a_fast_road_that_becomes_slow_and_long_at_once_is_followed() {
    for loss in [0.0, 0.02] {
        let mut world = World::new(Conditions::new(2_000_000, 10), 2);
        let mut no = 0;
        measure(&mut world, &mut no, 30_000);
        for pipe in &mut world.pipes {
            let road = pipe.conditions_mut();
            (road.rate_bps, road.delay_ms, road.loss) = (9_600, 300, loss);
        }
        measure(&mut world, &mut no, 600_000);
        let (goodput, queue) = measure(&mut world, &mut no, 900_000);
        println!(
            "9600 with {loss} lost, ten minutes later: {goodput:.0} bit/s, queue {queue:.0} ms"
        );
        assert!(goodput > 6_500.0, "{goodput}");
        assert!(queue < 800.0, "{queue} ms");
    }
}

#[test]
fn no_queue_builds_in_the_modem() {
    for (rate, delay, most_ms) in [(9_600, 300, 450.0), (64_000, 150, 150.0), (256_000, 75, 60.0)] {
        let mut world = World::new(Conditions::new(rate, delay), 2);
        let mut no = 0;
        measure(&mut world, &mut no, 60_000);
        let (goodput, queue) = measure(&mut world, &mut no, 360_000);
        println!(
            "{rate}: goodput {goodput:.0} bit/s, queue with the packet under way {queue:.0} ms"
        );
        assert!(queue < most_ms, "{rate}: {queue} ms");
        assert!(goodput > 0.8 * rate as f64, "{rate}: {goodput}");
    }
}

#[test]
fn a_modem_that_holds_three_packets_is_not_overrun() {
    let mut road = Conditions::new(64_000, 200);
    road.queue_bytes = 2_000;
    let mut world = World::new(road, 2);
    let mut no = 0;
    measure(&mut world, &mut no, 60_000);
    let (goodput, _) = measure(&mut world, &mut no, 180_000);
    let loss = world.sides[0].link().stats().loss;
    println!("three packets of queue: {goodput:.0} of 64000, loss {loss:.3}");
    assert!(goodput > 48_000.0 && loss < 0.15);
}

#[test]
fn jitter_that_reorders_costs_little() {
    for jitter in [30, 100, 300] {
        let mut world = World::new(Conditions::new(64_000, 150).with_jitter_ms(jitter), 2);
        let mut no = 0;
        measure(&mut world, &mut no, 60_000);
        let (goodput, _) = measure(&mut world, &mut no, 180_000);
        let stats = world.sides[1].link().stats();
        let repeated = stats.repeated_bytes as f64 / world.sides[1].memory.bytes as f64;
        println!("jitter {jitter} ms: {goodput:.0} of 64000, repeated {repeated:.3}");
        assert!(goodput > 40_000.0 && repeated < 0.05);
    }
}

#[test]
fn both_ways_at_once_and_unlike() {
    let slow = Conditions::new(9_600, 150).with_loss(0.02);
    let fast = Conditions::new(256_000, 150).with_loss(0.02);
    let mut world = World::with_roads([fast, slow], 4);
    let mut no = 0;
    for no in 0..30 {
        world.send(1, Class::Bulk, no, 200_000);
    }
    measure(&mut world, &mut no, 60_000);
    let back = world.sides[0].memory.bytes;
    let (fast, _) = measure(&mut world, &mut no, 180_000);
    let slow = (world.sides[0].memory.bytes - back) as f64 * 8.0 / 120.0;
    println!("256k with 2 %: {fast:.0}, while 9.6k the other way carries {slow:.0}");
    assert!(fast > 190_000.0, "{fast}");
    assert!(slow > 5_000.0, "{slow}");
}

#[test]
fn bulk_at_256_kbits_with_ten_percent_lost_each_way() {
    let mut all = Vec::new();
    for seed in 0..4 {
        let mut world = World::new(Conditions::new(256_000, 300).with_loss(0.1), seed);
        let mut no = 0;
        measure(&mut world, &mut no, 30_000);
        all.push(measure(&mut world, &mut no, 630_000).0);
    }
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    println!("256 kbit/s, 600 ms, 10 % each way: {mean:.0} bit/s ({all:.0?})");
    assert!(mean > 215_000.0);
}

#[test]
fn a_road_that_loses_nothing_is_filled() {
    for (rate, rtt, least) in [(256_000, 600, 0.95), (256_000, 20, 0.94), (9_600, 600, 0.84)] {
        let mut world = World::new(Conditions::new(rate, rtt / 2), 5);
        let mut no = 0;
        measure(&mut world, &mut no, 30_000);
        let share = measure(&mut world, &mut no, 630_000).0 / rate as f64;
        println!("{rate} bit/s, {rtt} ms: {share:.4}");
        assert!(share > least, "{rate} bit/s, {rtt} ms: {share}");
    }
}
