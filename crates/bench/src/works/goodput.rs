//! How much of a road the link fills with messages, in virtual time: any road, tuned by nobody.

use std::thread;

use ondol_kernel::Class;
use ondol_testkit::emulate::Conditions;

use super::index::index_exchange::link_world::{World, keep_busy};
use crate::figure::{Aim, Figure};

/// A message of bulk, bytes.
const MESSAGE: usize = 100_000;
/// A road is driven so often, each time with other losses.
const DRIVES: u64 = 4;
/// Both sides have heard each other in so long, ms.
const HANDSHAKES_MS: u64 = 120_000;
/// The link finds its rate in so long, and is then looked at for so long, ms.
const WARM_MS: u64 = 30_000;
const LOOK_MS: u64 = 600_000;

/// One direction of a road; the other is like it.
#[derive(Debug, Clone, Copy)]
pub struct Road {
    /// Bits per second.
    pub rate: u64,
    /// Both ways together, ms.
    pub rtt_ms: u64,
    /// The share of packets lost each way.
    pub loss: f64,
}

/// The roads of the aims: what is lost is lost, and the other two are whole.
const ROADS: [Road; 3] = [
    Road { rate: 256_000, rtt_ms: 600, loss: 0.1 },
    Road { rate: 256_000, rtt_ms: 600, loss: 0.0 },
    Road { rate: 9_600, rtt_ms: 600, loss: 0.0 },
];

/// Takes the figures of one road, or of those that have an aim.
pub fn figures(road: Option<Road>, seed: u64) -> Vec<Figure> {
    if let Some(road) = road {
        return vec![on(road, "kbit_per_s", seed)];
    }
    let [lossy, whole, slow] = ROADS;
    vec![
        on(lossy, "kbit_per_s_256k_10_lost", seed)
            .aim(Aim::AtLeast(215.0))
            .peer("TCP cubic 77-193, BBR 208-213"),
        on(whole, "kbit_per_s_256k", seed).aim(Aim::AtLeast(0.95 * 256.0)),
        on(slow, "kbit_per_s_9600", seed).aim(Aim::AtLeast(0.8 * 9.6)),
    ]
}

fn on(road: Road, name: &str, seed: u64) -> Figure {
    let each: Vec<f64> =
        (0..DRIVES).map(|drive| drive_on(road, (WARM_MS, LOOK_MS), seed + drive)).collect();
    let mean = each.iter().sum::<f64>() / real(DRIVES);
    let least = each.iter().copied().fold(f64::INFINITY, f64::min);
    let how = format!(
        "{:.1} % of the road's bits; {} bit/s with IP and UDP, {} ms, {} % lost each way; mean of \
         {DRIVES} times {} min in virtual time, least {least:.1}",
        mean * 100_000.0 / real(road.rate),
        road.rate,
        road.rtt_ms,
        road.loss * 100.0,
        LOOK_MS / 60_000,
    );
    Figure::new(name, mean, "kbit/s").how(how)
}

/// Bulk delivered while it is looked at, kbit/s.
fn drive_on(road: Road, (warm_ms, look_ms): (u64, u64), seed: u64) -> f64 {
    let mut world =
        World::new(Conditions::new(road.rate, road.rtt_ms / 2).with_loss(road.loss), seed);
    let mut no = 0;
    let mut busy = |world: &mut World| {
        keep_busy(world, Class::Bulk, &mut no, MESSAGE);
        false
    };
    // Where much is lost the first handshakes are, too.
    world.run(HANDSHAKES_MS, |world| busy(world) || world.sides[1].memory.bytes > 0);
    let warm = world.now + warm_ms;
    world.run(warm, &mut busy);
    let before = world.sides[1].memory.bytes;
    world.run(warm + look_ms, &mut busy);
    real(world.sides[1].memory.bytes - before) * 8.0 / real(look_ms)
}

/// What the matrix is made of: bit/s, ms, share lost each way.
const RATES: [u64; 8] =
    [1_200, 9_600, 64_000, 256_000, 2_000_000, 10_000_000, 100_000_000, 1_000_000_000];
const ROUND_TRIPS_MS: [u64; 3] = [20, 600, 2_000];
const LOSSES: [f64; 4] = [0.0, 0.02, 0.1, 0.3];

/// Takes a figure for each rate and round trip: the share of the road's bits that are messages.
pub fn matrix(seed: u64) -> Vec<Figure> {
    let roads: Vec<(u64, u64)> =
        RATES.iter().flat_map(|rate| ROUND_TRIPS_MS.map(|rtt_ms| (*rate, rtt_ms))).collect();
    // The fast ones take longest: every other road goes to the other hand.
    let half = |at: usize| roads.iter().skip(at).step_by(2).map(|road| row(*road, seed)).collect();
    let (even, odd): (Vec<_>, Vec<_>) = thread::scope(|scope| {
        let other = scope.spawn(move || half(1));
        (half(0), other.join().unwrap_or_default())
    });
    let mut odd = odd.into_iter();
    even.into_iter().flat_map(|figure| [Some(figure), odd.next()]).flatten().collect()
}

fn row((rate, rtt_ms): (u64, u64), seed: u64) -> Figure {
    let shares = LOSSES.map(|loss| {
        // Long enough for 300 packets of a slow road, and for 20 round trips.
        let packet_bits = (rate / 32).clamp(180, 1_228) * 8;
        let least_ms = if rate > 20_000_000 { 4_000 } else { 15_000 };
        let look_ms = (300 * packet_bits * 1_000 / rate).max(20 * rtt_ms).max(least_ms);
        let warm_ms = least_ms + 15 * rtt_ms + 10_000 * u64::from(rate < 20_000_000);
        let kbit = drive_on(Road { rate, rtt_ms, loss }, (warm_ms, look_ms), seed + rate + rtt_ms);
        kbit * 100_000.0 / real(rate)
    });
    let [none, two, ten, thirty] = shares;
    Figure::new(format!("percent_of_{rate}_bit_s_{rtt_ms}_ms"), none, "%").how(format!(
        "lost each way 2 %: {two:.1}, 10 %: {ten:.1}, 30 %: {thirty:.1}; a window of 1 MiB, as \
         nodes have it"
    ))
}

#[expect(clippy::cast_precision_loss, reason = "bytes, bits and times far below 2^52")]
const fn real(count: u64) -> f64 {
    count as f64
}
