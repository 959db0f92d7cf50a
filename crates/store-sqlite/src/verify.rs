//! Checking the log against itself.
