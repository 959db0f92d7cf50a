//! What a decision is made from.

use ondol_kernel::{Millis, NodeId, ResourceId, Sensitive};
use thiserror::Error;

use crate::{
    relation::{ChartKind, Grant, Relation, RelationSet},
    role::{Role, RoleSet},
};

/// Who asks: an account and the roles it holds at this node's facility.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    who: ResourceId,
    roles: RoleSet,
}

impl Principal {
    /// The practitioner with this id, in these roles.
    pub const fn new(who: ResourceId, roles: RoleSet) -> Self {
        Self { who, roles }
    }

    /// The node itself.
    pub fn system(node: NodeId) -> Self {
        let roles = RoleSet::EMPTY.with(Role::System);
        Self { who: ResourceId::from_uuid(node.0), roles }
    }

    /// The practitioner's id.
    pub const fn who(&self) -> &ResourceId {
        &self.who
    }

    /// The roles held.
    pub const fn roles(&self) -> RoleSet {
        self.roles
    }
}

/// A reason that somebody typed. It may name people, so it never prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(Sensitive<String>);

/// The text says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a reason needs at least two letters or digits")]
pub struct BlankReason;

impl Reason {
    /// Takes what was typed, without the blanks around it. At least two letters or digits: 응급
    /// is a reason, '..' is none.
    pub fn typed(text: &str) -> Result<Self, BlankReason> {
        let said = text.chars().filter(|c| c.is_alphanumeric()).take(2).count();
        if said < 2 { Err(BlankReason) } else { Ok(Self(text.trim().to_owned().into())) }
    }

    /// The text, for the audit and the alert.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }
}

/// The chart, how the principal stands to it, and what was brought along.
#[derive(Debug, Clone)]
pub struct ChartFacts {
    /// What the chart is about.
    pub kind: ChartKind,
    /// How the principal stands to it. Relations to another kind of chart are passed over;
    /// the least relation of the kind is always there without being named.
    pub grants: Vec<Grant>,
    /// Whether the patient asked that only those read who are treating now.
    pub restricted: bool,
    /// The reason that was typed, if any.
    pub reason: Option<Reason>,
    /// The second person who agreed at this screen, if any, already signed in. How the first
    /// stands to the chart is taken to hold for the second: both are of this facility.
    pub second: Option<Principal>,
}

impl ChartFacts {
    /// A chart to which the principal stands in these relations; open, unrestricted, and with
    /// nothing brought along.
    pub fn new(kind: ChartKind, grants: impl IntoIterator<Item = Grant>) -> Self {
        let grants = grants.into_iter().collect();
        Self { kind, grants, restricted: false, reason: None, second: None }
    }

    /// The relations that hold at `now`, the least one of the kind among them.
    pub fn relations(&self, now: Millis) -> RelationSet {
        self.matching(|grant| grant.holds_at(now)).with(self.kind.least_relation())
    }

    /// The relations that held once and have ended by `now`.
    pub(crate) fn ended(&self, now: Millis) -> RelationSet {
        self.matching(|grant| grant.ends().is_some_and(|ends| ends <= now))
    }

    fn matching(&self, keep: impl Fn(Grant) -> bool) -> RelationSet {
        let own_kind = |relation: &Relation| relation.kind() == self.kind;
        self.grants.iter().filter(|g| keep(**g)).map(|g| g.relation()).filter(own_kind).collect()
    }
}
