//! Countries have teeth: each bug that is planted in the protocol's core is found by one of a few.

use ondol_simulate::nation::{HOUR, Plan, Slip, run};

/// So many countries have to do.
const COUNTRIES: u64 = 8;

fn is_found(slip: Slip) {
    let found = (1..=COUNTRIES).find_map(|seed| {
        let plan = Plan { nodes: 7, ms: HOUR, slip: Some(slip), ..Plan::bad(seed) };
        Some((seed, run(plan).err()?))
    });
    let (seed, why) = found.unwrap_or_else(|| panic!("no country found {slip:?}"));
    println!("{slip:?} was found by seed {seed}: {why}");
}

#[test]
fn a_frontier_that_is_one_too_far_is_found() {
    is_found(Slip::FrontierOffByOne);
}

#[test]
fn acknowledging_what_is_not_synced_is_found() {
    is_found(Slip::EarlyAcknowledgement);
}

#[test]
fn a_class_that_is_thrown_away_is_found() {
    is_found(Slip::DroppedClass);
}

#[test]
fn a_sync_that_is_skipped_is_found() {
    is_found(Slip::SkippedSync);
}

#[test]
fn an_incarnation_that_is_used_again_is_found() {
    is_found(Slip::ReusedIncarnation);
}

#[test]
fn charts_that_go_where_they_do_not_belong_are_found() {
    is_found(Slip::ScopeForgotten);
}

#[test]
fn parcels_that_the_version_before_does_not_read_are_found() {
    is_found(Slip::VersionForgotten);
}

#[test]
fn letting_go_of_one_message_too_many_is_found() {
    is_found(Slip::DeliveredOffByOne);
}

#[test]
fn a_queue_that_nobody_looks_at_is_found() {
    is_found(Slip::ForgottenQueue);
}
