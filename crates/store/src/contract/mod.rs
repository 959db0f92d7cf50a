//! What every back end must do, as test bodies.
//!
//! A back end's test file names its way to an empty store and gets one test for each body:
//!
//! ```ignore
//! ondol_store::store_contract!(open_an_empty_store);
//! ```

pub mod charts;
pub mod scene;
pub mod transactions;
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

/// Makes one test of each body. `$open` is a `fn() -> ondol_store::contract::Opened`.
#[macro_export]
macro_rules! store_contract {
    ($open:path) => {
        $crate::store_contract! { @tests $open;
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
        }
    };
    (@tests $open:path; $($module:ident: $name:ident;)*) => {
        $(
            #[test]
            fn $name() {
                $crate::contract::$module::$name(&|| $open());
            }
        )*
    };
}
