//! The binary that runs at every facility.
fn main() {}
