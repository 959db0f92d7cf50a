//! The record on SQLite.
