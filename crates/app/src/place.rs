//! Whose node this is, and where it stands in the line of responsibility.

use ondol_kernel::{NodeId, ResourceId};
use ondol_record::certificate::Tier;

/// The facility of this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The node.
    pub node: NodeId,
    /// Its Organization.
    pub facility: ResourceId,
    /// The facility's name.
    pub name: Box<str>,
    /// Its tier.
    pub tier: Tier,
    /// The node above it; none for the ministry.
    pub parent: Option<NodeId>,
    /// The nation's root key: what all certificates are checked against.
    pub root: [u8; 32],
}

impl Place {
    /// `Organization/…` of the facility.
    pub fn organization(&self) -> String {
        format!("Organization/{}", self.facility)
    }
}
