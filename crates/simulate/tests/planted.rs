//! The simulation has teeth: each bug that is planted is found by one of a few worlds. What the
//! others find later than this they would hardly find at all.

use ondol_simulate::{Bug, run, steps};

/// So many worlds have to do. Each of the bugs was found by one of the first four.
const WORLDS: u64 = 12;

fn is_found(bug: Bug) {
    let found =
        (1..=WORLDS).find_map(|seed| Some((seed, run(seed, steps(seed), Some(bug)).err()?)));
    let (seed, why) = found.unwrap_or_else(|| panic!("no world found {bug:?}"));
    println!("{bug:?} was found by seed {seed}: {why}");
}

#[test]
fn a_number_that_is_given_twice_is_found() {
    is_found(Bug::ReusedNumber);
}

#[test]
fn entries_that_go_back_to_where_they_came_from_are_found() {
    is_found(Bug::SourceInverted);
}

#[test]
fn a_class_that_never_leaves_is_found() {
    is_found(Bug::DroppedClass);
}

#[test]
fn acknowledgements_that_are_not_kept_are_found() {
    is_found(Bug::LostAcknowledgement);
}

#[test]
fn entries_that_wait_for_ever_are_found() {
    is_found(Bug::ForgottenFollower);
}

#[test]
fn acknowledging_what_is_on_its_way_is_found() {
    is_found(Bug::EarlyAcknowledgement);
}

#[test]
fn letting_go_of_one_message_too_many_is_found() {
    is_found(Bug::DeliveredOffByOne);
}

#[test]
fn a_revocation_that_is_not_kept_is_found() {
    is_found(Bug::ForgottenRevocation);
}

#[test]
fn what_a_thief_wrote_and_nobody_marked_is_found() {
    is_found(Bug::UnmarkedDoubt);
}

#[test]
fn a_log_that_is_not_synced_is_found() {
    is_found(Bug::UnsyncedLog);
}

#[test]
fn a_database_that_is_not_synced_is_found() {
    is_found(Bug::UnsyncedDatabase);
}
