//! Use cases: authorise, decide, transact, audit.
