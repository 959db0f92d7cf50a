//! Who does something.

use ondol_access::{Principal, Role, RoleSet};
use ondol_kernel::{NodeId, ResourceId};

/// A signed-in person, or the node itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    id: ResourceId,
    /// How the person is called on pages; the facility's name for the node.
    name: Box<str>,
    roles: RoleSet,
}

impl Actor {
    /// A person who is signed in.
    pub fn person(practitioner: ResourceId, name: &str, roles: RoleSet) -> Self {
        Self { id: practitioner, name: name.into(), roles }
    }

    /// The node itself.
    pub fn node(node: NodeId, facility_name: &str) -> Self {
        let id = ResourceId::from_uuid(node.0);
        Self { id, name: facility_name.into(), roles: RoleSet::EMPTY.with(Role::System) }
    }

    /// The Practitioner's id (the node's for the node).
    pub const fn id(&self) -> &ResourceId {
        &self.id
    }

    /// The name for pages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The roles at this facility.
    pub const fn roles(&self) -> RoleSet {
        self.roles
    }

    /// Whether this is the node itself.
    pub fn is_node(&self) -> bool {
        self.roles.contains(Role::System)
    }

    /// `Practitioner/…`, or `Device/…` for the node.
    pub fn reference(&self) -> String {
        let name = if self.is_node() { "Device" } else { "Practitioner" };
        format!("{name}/{}", self.id)
    }

    /// What is written as an entry's author: empty for the node, which the address names.
    pub(crate) fn author(&self) -> String {
        if self.is_node() { String::new() } else { self.reference() }
    }

    pub(crate) fn principal(&self) -> Principal {
        Principal::new(self.id.clone(), self.roles)
    }
}
