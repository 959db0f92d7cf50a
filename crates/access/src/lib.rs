//! Who may do what with a chart: Cedar policies evaluated purely.
//!
//! The policies are text (`policies/*.cedar`), parsed once by [`Policies::load`]. Cedar is asked
//! about a role in a relation doing an action when that first comes up, and the answer is
//! kept: [`Policies::decide`] looks it up. Nothing here reads a store or a clock: the caller
//! says how the principal stands to the chart ([`ChartFacts`]), and carries out the
//! [`Obligations`] of what is allowed. `docs/access.md` shows the whole table, and a test holds
//! it to [`Policies::decide`] cell by cell (ADR 0006).

pub mod action;
pub mod coded;
pub mod decide;
pub mod decision;
pub mod facts;
mod policies;
#[cfg(test)]
mod policy_tests;
pub mod relation;
pub mod role;
mod table;

pub use action::Action;
pub use coded::{CodeSet, Coded};
pub use decide::Policies;
pub use decision::{Decision, Denial, Grounds, Need, Needs, Obligation, Obligations, PolicyName};
pub use facts::{BlankReason, ChartFacts, Principal, Reason};
pub use policies::LoadError;
pub use relation::{BREAK_GLASS_LEASE_MS, ChartKind, Grant, Relation, RelationSet};
pub use role::{Role, RoleSet};
