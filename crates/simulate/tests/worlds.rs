//! Worlds from seeds: nothing acknowledged is lost, everybody concerned agrees, nothing waits.

use ondol_simulate::World;

fn run(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let mut world = World::new(seed, &format!("t{seed}")).unwrap();
        let tally = world.run(300).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        assert!(tally.written > 20 && tally.arrived > 100, "seed {seed}: {tally:?}");
    }
}

#[test]
fn worlds_with_cuts_crashes_jumps_and_sticks_converge() {
    run(1..12);
}

#[test]
fn other_worlds_converge_too() {
    run(1_000..1_011);
}
