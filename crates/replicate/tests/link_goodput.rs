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
    let warm = 25_000 + 12 * rtt_ms;
    // At least 300 packets and 20 round trips.
    let time = (300 * 8_000 * (rate / 32).clamp(180, 1_228) / rate).max(20 * rtt_ms).max(15_000);
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

#[test]
fn the_road_is_used_at_all_rates_losses_and_round_trips() {
    println!("share of the road's bits that are messages (IP and all else counted against it)");
    println!("{:>10} {:>6} | loss 0 %   2 %  10 %  30 %", "bit/s", "RTT ms");
    let mut low = Vec::new();
    for rate in [1_200, 9_600, 64_000, 256_000, 2_000_000, 10_000_000] {
        for rtt in [20, 600, 2_000] {
            if rate > 5_000_000 && rtt > 600 {
                continue;
            }
            let shares = [0.0, 0.02, 0.1, 0.3].map(|loss| share_of_road(rate, rtt, loss, 0));
            println!(
                "{rate:>10} {rtt:>6} |  {:>5.3} {:>5.3} {:>5.3} {:>5.3}",
                shares[0], shares[1], shares[2], shares[3]
            );
            for (share, loss) in shares.into_iter().zip([0.0, 0.02, 0.1, 0.3]) {
                let least = 0.6 * (1.0 - loss);
                if share < least {
                    low.push((rate, rtt, loss, share));
                }
            }
        }
    }
    assert!(low.is_empty(), "too slow: {low:?}");
}
