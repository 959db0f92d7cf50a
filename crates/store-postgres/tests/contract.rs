//! The contract of all back ends, on the tables as `ondol` makes them.

mod support;

ondol_store::store_contract!(support::open_empty, support::is_there);
