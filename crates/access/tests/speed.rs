//! How long loading and deciding take. The figures are printed; the bound is wide, so that a
//! busy machine does not fail it and a decision that goes back to Cedar does.

#![expect(clippy::disallowed_methods, reason = "a stopwatch for the figures, not a time of care")]

use std::time::Instant;

use ondol_access::{
    Action, ChartFacts, ChartKind, Coded, Grant, Policies, Principal, Relation, Role, RoleSet,
};
use ondol_kernel::{Millis, ResourceId};

#[test]
fn a_decision_takes_less_than_50_microseconds() {
    let start = Instant::now();
    let policies = Policies::load().unwrap();
    println!("load: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);

    let roles: RoleSet =
        [Role::Doctor, Role::SectionDoctor, Role::Administrator].into_iter().collect();
    let doctor = Principal::new(ResourceId::new("dr").unwrap(), roles);
    let grants = [Relation::HomeFacility, Relation::SectionDoctor, Relation::OpenEncounter];
    let facts = ChartFacts::new(ChartKind::Patient, grants.map(Grant::standing));
    let start = Instant::now();
    for &action in Action::ALL {
        let _ = policies.decide(&doctor, action, &facts, Millis(0));
    }
    println!("first time: {:.1} ms for all actions", start.elapsed().as_secs_f64() * 1e3);
    let rounds = 1_000_u32;
    let start = Instant::now();
    let mut allowed = 0;
    for round in 0..rounds {
        for &action in Action::ALL {
            let decision = policies.decide(&doctor, action, &facts, Millis(i64::from(round)));
            allowed += u32::from(decision.allowed());
        }
    }
    let asked = rounds * u32::try_from(Action::ALL.len()).unwrap();
    let each = start.elapsed().as_secs_f64() * 1e6 / f64::from(asked);
    println!(
        "decide: {each:.3} µs each, {:.0} a second ({allowed} of {asked} allowed)",
        1e6 / each
    );
    assert!(each < 50.0, "{each} µs");
}
