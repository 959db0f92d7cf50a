//! Worlds from seeds: nothing acknowledged is lost, nothing arrives twice, everybody concerned
//! agrees and nobody else knows, nothing waits.

use ondol_simulate::{Tally, World, again, run, steps};

/// So many worlds in each of the tests below, which run beside each other.
const WORLDS: u64 = 110;

/// Runs worlds, and says of each that fails how it is had again.
fn worlds(first: u64) {
    let mut failed = vec![];
    let mut all = Tally::default();
    for seed in first..first + WORLDS {
        match run(seed, steps(seed), None) {
            Ok(tally) => all += tally,
            Err(why) => failed.push(format!("seed {seed}: {why}\n  {}", again(seed))),
        }
    }
    assert!(failed.is_empty(), "{} of {WORLDS} failed\n{}", failed.len(), failed.join("\n"));
    println!("{} faults in {WORLDS} worlds: {all:?}", all.faults());
    // A world in which nothing happens would prove nothing.
    assert!(all.faults() > 40 * WORLDS, "{all:?}");
    let Tally { written, arrived, repeated, crashes, refused, jumps, .. } = all;
    let Tally { sticks, foreign, lost, forged, asked, retracted, linked, .. } = all;
    assert!(written > 10 * WORLDS && arrived > 50 * WORLDS && repeated > 10 * WORLDS, "{all:?}");
    assert!(crashes > WORLDS && jumps > WORLDS && sticks > WORLDS && asked > WORLDS, "{all:?}");
    let Tally { stolen, by_thief, refused_of_thief, doubted, put_back, gone, returned, .. } = all;
    let rare = [refused, foreign, lost, forged, retracted, linked, stolen, by_thief];
    let rarer = [refused_of_thief, doubted, put_back, gone, returned];
    let rare = rare.into_iter().chain(rarer).collect::<Vec<_>>();
    assert!(rare.iter().all(|&count| count > 0), "{all:?}");
}

#[test]
fn worlds_with_cuts_crashes_jumps_and_sticks_converge() {
    worlds(1);
}

macro_rules! more_worlds {
    ($($name:ident: $shard:literal;)*) => {
        $(
            #[test]
            fn $name() {
                worlds(1 + $shard * WORLDS);
            }
        )*
    };
}

more_worlds! {
    more_worlds_converge_01: 1;
    more_worlds_converge_02: 2;
    more_worlds_converge_03: 3;
    more_worlds_converge_04: 4;
    more_worlds_converge_05: 5;
    more_worlds_converge_06: 6;
    more_worlds_converge_07: 7;
    more_worlds_converge_08: 8;
    more_worlds_converge_09: 9;
    more_worlds_converge_10: 10;
    more_worlds_converge_11: 11;
    more_worlds_converge_12: 12;
    more_worlds_converge_13: 13;
    more_worlds_converge_14: 14;
    more_worlds_converge_15: 15;
}

/// Else a seed that failed could not be looked into.
#[test]
fn a_world_is_had_again_from_its_seed() {
    for seed in [7, 8, 20] {
        let [first, second] = [0; 2].map(|_| {
            let mut world = World::new(seed).unwrap();
            (world.run(steps(seed)).unwrap(), world.digest().unwrap())
        });
        assert_eq!(first, second, "seed {seed}");
    }
}
