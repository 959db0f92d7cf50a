//! Searches against the plainest possible search.

mod support;

#[test]
fn every_search_finds_what_reading_everything_finds() {
    if !support::is_there() {
        return;
    }
    ondol_store::contract::oracle::every_search_finds_what_reading_everything_finds(
        &support::open_empty,
    );
}
