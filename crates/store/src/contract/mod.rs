//! What every back end must do, as test bodies.
//!
//! A back end's test file names its way to an empty store and gets one test for each body:
//!
//! ```ignore
//! ondol_store::store_contract!(open_an_empty_store);
//! ```

pub mod charts;
pub mod convergence;
pub mod ingestion;
pub mod oracle;
pub mod own_things;
pub mod paging;
pub mod scene;
pub mod searching;
pub mod threads;
pub mod transactions;
pub mod upkeep;
pub mod versions;

use std::{any::Any, sync::Arc};

use crate::Store;

/// An empty store for one test, and what has to live as long as it (its directory).
pub struct Opened {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Dropped after the store.
    pub keep: Box<dyn Any>,
}

/// A test body.
pub type Body = fn(scene::Open<'_>);

/// Makes one test of each body: `$open` is a `fn() -> ondol_store::contract::Opened`. Or gives all
/// bodies with their names (`store_contract!(bodies)`), for a back end where making an empty store
/// in each of many processes would cost more than the tests.
#[macro_export]
macro_rules! store_contract {
    (bodies) => {
        $crate::store_contract! { @all bodies; }
    };
    ($open:path) => {
        $crate::store_contract! { @all tests $open; }
    };
    (@all $what:ident $($open:path)?;) => {
        $crate::store_contract! { @$what $($open)?;
            transactions: an_empty_store_has_nothing;
            transactions: a_saved_resource_is_read_back_with_all_that_was_said_of_it;
            transactions: new_resources_refer_to_each_other_by_full_url;
            transactions: a_transaction_over_two_charts_is_one_group;
            transactions: a_draft_that_cannot_be_finished_leaves_nothing;
            transactions: a_job_that_gives_up_leaves_nothing;
            transactions: a_job_that_panics_leaves_nothing_and_the_next_one_works;
            transactions: stamps_never_go_back_with_the_clock;
            transactions: a_job_reads_what_it_wrote;
            transactions: each_class_counts_its_own_numbers;
            transactions: large_and_strange_texts_come_back_as_they_were;
            versions: an_update_is_shown_and_the_old_version_stays_readable;
            versions: concurrent_versions_stand_side_by_side_until_somebody_settles_them;
            versions: a_retraction_hides_the_resource_and_keeps_its_history;
            versions: a_resource_can_come_back_after_its_retraction;
            versions: a_resource_forwarded_to_another_chart_lives_there;
            versions: the_same_foreign_id_made_at_two_nodes_is_two_versions;
            versions: several_changes_of_one_resource_in_one_entry_count_in_order;
            charts: a_chart_lists_its_resources_newest_first;
            charts: charts_come_in_the_order_of_their_arrival;
            charts: entries_are_found_by_stream_chart_and_arrival;
            charts: frontiers_stop_at_the_first_gap;
            charts: heads_of_a_chart_name_every_stream;
            ingestion: what_one_node_wrote_another_shows_alike;
            ingestion: an_entry_that_is_here_is_known;
            ingestion: an_entry_whose_predecessor_is_missing_waits;
            ingestion: another_entry_at_the_same_place_is_a_clash;
            ingestion: a_version_may_arrive_before_the_one_it_supersedes;
            ingestion: a_remote_clock_advances_ours_unless_it_is_far_ahead;
            ingestion: bytes_that_are_not_the_entrys_are_refused;
            ingestion: own_entries_come_back_after_a_restore;
            ingestion: unknown_resource_types_are_kept;
            convergence: any_order_of_arrival_gives_the_same_record;
            convergence: merging_is_commutative_associative_and_idempotent;
            searching: each_test_finds_what_it_should;
            searching: numbers_are_found_within_bounds;
            searching: quantities_are_found_in_every_unit_that_can_be_converted;
            searching: tests_are_turned_round_and_put_together;
            searching: filters_narrow_and_alternatives_widen;
            searching: rivals_are_found_and_retracted_resources_are_not;
            searching: an_update_takes_old_values_out;
            searching: ids_and_times_of_writing_are_searched;
            searching: searches_keep_to_a_chart;
            searching: counts_agree_with_pages;
            searching: pages_by_a_time_have_its_order;
            searching: counts_by_chart_add_up;
            searching: charts_are_found_by_a_reference;
            paging: pages_neither_miss_nor_repeat_while_writes_go_on;
            paging: newest_first_pages_go_back_in_time;
            threads: a_reader_sees_whole_transactions_only;
            threads: a_view_stays_at_its_moment;
            threads: many_writers_get_each_their_own_numbers;
            own_things: identity_is_set_and_set_again;
            own_things: small_values_are_kept_by_space_and_prefix;
            own_things: readings_are_listed_newest_first_and_after_a_number;
            own_things: readings_make_no_chart;
            own_things: seals_are_found_by_range_with_their_paths;
            own_things: seals_and_their_paths_are_listed;
            own_things: an_entrys_hash_is_kept_with_it;
            upkeep: reindexing_changes_nothing;
            upkeep: a_sound_store_has_no_findings;
            upkeep: writes_during_reindexing_are_indexed;
        }
    };
    (@bodies; $($module:ident: $name:ident;)*) => {{
        const BODIES: &[(&str, $crate::contract::Body)] =
            &[$((stringify!($name), |open| $crate::contract::$module::$name(open)),)*];
        BODIES
    }};
    (@tests $open:path; $($module:ident: $name:ident;)*) => {
        $(
            #[test]
            fn $name() {
                $crate::contract::$module::$name(&|| $open());
            }
        )*
    };
}
