//! Starts real nodes, links between them and browsers, for tests and the demo. Never shipped.

pub mod emulate;
