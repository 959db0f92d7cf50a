//! Goodput over the whole range of roads, tuned by nobody.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "lengths and times of a test"
)]

mod link_world;

use link_world::{World, keep_busy};
use ondol_kernel::Class;
use ondol_testkit::emulate::Conditions;

/// Bits of messages delivered in the second half of a long transfer, as a share of the road.
fn share_of_road(rate: u64, rtt_ms: u64, loss: f64, jitter_ms: u64) -> f64 {
    let road = Conditions::new(rate, rtt_ms / 2).with_loss(loss).with_jitter_ms(jitter_ms);
    // What is on its way and what is tried for the third time must fit in the window.
    let window = if rate > 1_000_000 { 16 << 20 } else { 1 << 20 };
    let mut world = World::with_window([road.clone(), road], rate + rtt_ms, window);
    let (mut no, length) = (0, 200_000);
    let warm = if rate > 1_000_000 { 12_000 } else { 25_000 } + 12 * rtt_ms;
    // At least 300 packets and 20 round trips.
    let time = (300 * 8_000 * (rate / 32).clamp(180, 1_228) / rate)
        .max(20 * rtt_ms)
        .max(if rate > 1_000_000 { 6_000 } else { 15_000 });
    let mut busy = |world: &mut World| {
        keep_busy(world, Class::Bulk, &mut no, length);
        false
    };
    world.run(warm, &mut busy);
    let before = world.sides[1].memory.bytes;
    world.run(warm + time, &mut busy);
    let bits = (world.sides[1].memory.bytes - before) as f64 * 8.0;
    bits / (rate as f64 * time as f64 / 1_000.0)
}

/// Prints and checks the shares of some rates.
fn check(rates: &[u64], rtts: &[u64]) {
    println!("share of the road's bits that are messages (IP and all else counted against it)");
    println!("{:>10} {:>6} | loss 0 %   2 %  10 %  30 %", "bit/s", "RTT ms");
    let losses = [0.0, 0.02, 0.1, 0.3];
    for &rate in rates {
        for &rtt in rtts {
            let shares = losses.map(|loss| share_of_road(rate, rtt, loss, 0));
            let [none, two, ten, thirty] = shares;
            println!("{rate:>10} {rtt:>6} |  {none:>5.3} {two:>5.3} {ten:>5.3} {thirty:>5.3}");
            // On the slowest links a frame is 128 B, and its packet half as much again.
            let full = if rate < 9_000 { 0.6 } else { 0.75 };
            let least = [full, full * 0.9, full * 0.8, full * 0.5];
            for (share, least) in shares.into_iter().zip(least) {
                assert!(share >= least, "{rate} bit/s, {rtt} ms: {share} < {least}");
            }
        }
    }
}

#[test]
fn slow_roads_are_used() {
    check(&[1_200, 9_600], &[20, 600, 2_000]);
}

#[test]
fn usual_roads_are_used() {
    check(&[64_000, 256_000], &[20, 600, 2_000]);
}

#[test]
fn fast_roads_are_used() {
    check(&[2_000_000], &[20, 600]);
    check(&[10_000_000], &[20]);
}
