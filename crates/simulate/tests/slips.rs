//! Countries have teeth: each bug that is planted in the protocol's core is found by one of a few.

use ondol_simulate::nation::{HOUR, Plan, Slip, run};

/// So many countries have to do.
const COUNTRIES: u64 = 8;

fn is_found(slip: Slip) {
    is_found_by(slip, |seed| Plan { nodes: 7, ms: HOUR, ..Plan::bad(seed) });
}

fn is_found_by(slip: Slip, plan: impl Fn(u64) -> Plan) {
    let found = (1..=COUNTRIES)
        .find_map(|seed| Some((seed, run(Plan { slip: Some(slip), ..plan(seed) }).err()?)));
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

#[test]
fn a_number_that_is_sent_before_it_is_synced_is_found() {
    is_found(Slip::SentUnsynced);
}

#[test]
fn emergencies_that_wait_for_slower_messages_are_found() {
    is_found(Slip::UrgentLast);
}

#[test]
fn a_peer_that_does_not_give_what_was_lost_is_found() {
    is_found(Slip::NothingGiven);
}

#[test]
fn a_peer_that_believes_that_its_neighbour_holds_what_it_lost_is_found() {
    is_found(Slip::NotesNotLowered);
}

#[test]
fn a_peer_that_believes_old_sticks_is_found() {
    is_found_by(Slip::OldSticksBelieved, Plan::worst);
}
