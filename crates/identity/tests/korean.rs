//! People made up by a seed are told apart: the rates of their errors stand in ADR 0015.

mod made_up;

use ondol_identity::linkage::{Pair, Record, Records, Shape, link, person_schema};

#[test]
fn people_who_were_entered_twice_with_errors_are_told_from_namesakes_and_siblings() {
    // Without optimisation one set takes long enough.
    let seeds = if cfg!(debug_assertions) { 1..=1 } else { 1..=3 };
    for seed in seeds {
        let people = made_up::people(seed);
        let schema = person_schema();
        let all: Vec<Record> = people.iter().map(|one| one.of.record(&schema)).collect();
        let told = link(&schema, Records::one(&all), Shape::Groups);
        let person = |at: u32| people[at as usize].person;
        let right = told.same.iter().filter(|Pair { a, b }| person(*a) == person(*b)).count();
        let real = |count: usize| f64::from(u32::try_from(count).unwrap());
        let f1 = 2.0 * real(right) / (1_000.0 + real(told.same.len()));
        let (wrong, missing) = (told.same.len() - right, 1_000 - right);
        println!("seed {seed}: F1 {f1:.4}, {wrong} wrong, {missing} missing, {}", told.compared);
        assert!(f1 >= 0.99, "seed {seed}: F1 {f1:.4}, {wrong} wrong, {missing} missing");
    }
}
