//! Countries on the protocol's core, in which everything goes wrong all the time: nothing that was
//! acknowledged is lost, nobody disagrees, nothing stands still, the urgent is not passed by the
//! slow, nobody gets what does not concern them. More than three million faults.

use ondol_simulate::nation::{self, Faults, Outcome, Plan};

/// So many faults at least.
const FAULTS: u64 = 3_350_000;

/// Runs countries until enough went wrong, and says of each that fails how it is had again.
#[test]
fn countries_in_which_everything_goes_wrong_lose_nothing() {
    let (mut failed, mut all) = (vec![], Outcome::default());
    for seed in 1.. {
        let plan = Plan::bad(seed);
        match nation::run(plan) {
            Ok(outcome) => all += outcome,
            Err(why) => failed.push(format!("seed {seed}: {why}\n  {}", nation::again(&plan))),
        }
        if all.faults.total() >= FAULTS || failed.len() > 3 {
            break;
        }
    }
    println!("{all}");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let Faults { lost, doubled, overtaken, late, forged, .. } = all.faults;
    let datagrams = lost + doubled + overtaken + late + forged;
    assert!(all.written > 1_000 && all.sticks > 30, "{all}");
    // Not of one kind alone, and none that never happens.
    assert!(lost.max(overtaken) < datagrams * 4 / 5, "{all}");
    assert_eq!(all.faults.missing(), Vec::<&str>::new(), "{all}");
}

/// Else a seed that failed could not be looked into.
#[test]
fn a_country_is_had_again_from_its_seed() {
    let plan = Plan { nodes: 12, ms: nation::HOUR, ..Plan::bad(5) };
    let [first, second] = [0; 2].map(|_| nation::run(plan).unwrap().digest);
    let other = nation::run(Plan { seed: 6, ..plan }).unwrap().digest;
    assert_eq!(first, second);
    assert_ne!(first, other);
}
