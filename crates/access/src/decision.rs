//! What comes out of a decision.

use std::sync::Arc;

use thiserror::Error;

use crate::{
    coded::{CodeSet, coded},
    relation::Relation,
    role::Role,
};

coded! {
    /// What the one who carries out an allowed action must do along with it.
    Obligation {
        /// Write a durable line of audit before anything is shown.
        Audit = "audit",
        /// Alert the patient's home facility, with name, place, time and reason. Nothing above
        /// the two facilities can hold it back.
        AlertHomeFacility = "alert-home-facility",
        /// Say only whether such a person exists, on an exact match: no place, no list.
        ExistenceOnly = "existence-only",
        /// Count it against the account's limit.
        LimitRate = "limit-rate",
        /// Suppress small cells.
        SuppressSmallCells = "suppress-small-cells",
    }
}

/// Some obligations.
pub type Obligations = CodeSet<Obligation>;

coded! {
    /// What has to be brought along before a permit counts.
    Need {
        /// A typed reason.
        Reason = "reason",
        /// A second person, with another account, who may do the same.
        SecondPerson = "second-person",
    }
}

/// Some needs.
pub type Needs = CodeSet<Need>;

/// The `@id` of a policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyName(pub(crate) Arc<str>);

impl PolicyName {
    /// The text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for PolicyName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// On what grounds something is allowed, for the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grounds {
    /// The policy that permits it.
    pub policy: PolicyName,
    /// The role it is permitted to.
    pub role: Role,
    /// The relation it is permitted in.
    pub relation: Relation,
    /// What must be done along with it.
    pub obligations: Obligations,
}

/// Why something is not allowed. It says nothing about the chart.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Denial {
    /// No policy permits it.
    #[error("no policy permits this")]
    NothingPermits,
    /// A policy forbids it, whatever others permit.
    #[error("forbidden by the policy '{policy}'")]
    Forbidden {
        /// The policy that forbids it.
        policy: PolicyName,
    },
    /// It was allowed until a lease ended.
    #[error("the lease of '{}' has ended", crate::coded::Coded::code(*.relation))]
    LeaseEnded {
        /// The relation that ended.
        relation: Relation,
    },
    /// It is allowed once a reason is typed.
    #[error("the policy '{policy}' asks for a typed reason")]
    NeedsReason {
        /// The policy that would permit it.
        policy: PolicyName,
    },
    /// It is allowed once a second person agrees who may do the same.
    #[error("the policy '{policy}' asks for a second person")]
    NeedsSecondPerson {
        /// The policy that would permit it.
        policy: PolicyName,
    },
}

/// The answer of [`crate::Policies::decide`].
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It may be done, with these obligations.
    Allowed(Grounds),
    /// It may not be done.
    Denied(Denial),
}

impl Decision {
    /// Whether it may be done.
    pub const fn allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }

    /// What must be done along with it; nothing if it is denied.
    pub fn obligations(&self) -> Obligations {
        match self {
            Self::Allowed(grounds) => grounds.obligations,
            Self::Denied(_) => Obligations::EMPTY,
        }
    }

    /// The grounds, or why not.
    pub fn into_result(self) -> Result<Grounds, Denial> {
        match self {
            Self::Allowed(grounds) => Ok(grounds),
            Self::Denied(denial) => Err(denial),
        }
    }
}
