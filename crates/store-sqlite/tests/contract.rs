//! The contract of all stores, on SQLite.

mod support;

ondol_store::store_contract!(support::open_empty);
