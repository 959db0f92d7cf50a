//! From what a client sent to what is saved.

use ondol_fhir::{Resource, ResourceType};

use super::{How, Prepared, Target, Verb, Write, homes::at_home, rights};
use crate::{
    Changes,
    rest::{
        error::{ElementFault, RestError},
        guard,
        read::without_server_parts,
    },
};

/// Checks ids and takes away what only a server writes.
pub(in crate::rest) fn prepare(write: &mut Write) -> Result<(), RestError> {
    let kind = write.kind;
    match &mut write.verb {
        Verb::Create { resource, .. } => {
            check_type(kind, resource)?;
            resource.remove_id();
            without_server_parts(resource);
            guard::check_writable(resource)
        }
        Verb::Update { id, resource } => {
            check_type(kind, resource)?;
            match resource.id() {
                None => {
                    return Err(RestError::element(format!("{kind}.id"), ElementFault::IdMissing));
                }
                Some(own) if own != id.as_str() => {
                    return Err(RestError::element(format!("{kind}.id"), ElementFault::IdDiffers));
                }
                Some(_) => {}
            }
            without_server_parts(resource);
            guard::check_writable(resource)
        }
        Verb::UpdateWhere { resource, .. } => {
            check_type(kind, resource)?;
            without_server_parts(resource);
            guard::check_writable(resource)
        }
        Verb::Delete { .. }
        | Verb::DeleteWhere { .. }
        | Verb::Patch { .. }
        | Verb::PatchWhere { .. } => Ok(()),
    }
}

pub(super) fn check_type(kind: ResourceType, resource: &Resource) -> Result<(), RestError> {
    if resource.resource_type() == kind {
        return Ok(());
    }
    let expression = format!("{}.resourceType", resource.resource_type());
    Err(RestError::element(expression, ElementFault::TypeDiffers))
}

/// What is to be saved. The resources move out of the writes.
pub(super) fn changes(writes: &mut [Write], targets: &[Target], how: &How) -> Prepared {
    let mut prepared = Prepared { changes: Changes::new(how.class), of: vec![] };
    for (at, (write, target)) in writes.iter_mut().zip(targets).enumerate() {
        let url = full_url(write, at);
        let changes = &mut prepared.changes;
        match (&mut write.verb, target) {
            // Conditions and patches were looked up before: they are plain writes by now.
            (_, Target::Exists(_) | Target::Spared(_) | Target::Nothing)
            | (Verb::Delete { .. }, Target::New)
            | (
                Verb::UpdateWhere { .. }
                | Verb::Patch { .. }
                | Verb::PatchWhere { .. }
                | Verb::DeleteWhere { .. },
                _,
            ) => continue,
            (Verb::Create { resource, .. }, _) => {
                changes.create_named(&url, at_home(take(resource), None, &how.home));
            }
            (Verb::Update { id, resource }, Target::New) => {
                changes.create_as(id.clone(), at_home(take(resource), None, &how.home));
            }
            (Verb::Update { resource, .. }, Target::Standing(found)) => {
                let resource = at_home(take(resource), Some(found), &how.home);
                changes.update(found, resource);
            }
            (Verb::Delete { .. }, Target::Standing(found)) => {
                changes.retract(found, how.reason.as_deref().unwrap_or(rights::NOT_GIVEN));
            }
        }
        prepared.of.push(at);
    }
    prepared
}

/// By what others of the transaction name a new resource; unlike any other if the client gave
/// nothing.
pub(super) fn full_url(write: &Write, at: usize) -> String {
    write.full_url.clone().unwrap_or_else(|| format!("urn:ondol:entry:{at}"))
}

fn take(resource: &mut Resource) -> Resource {
    std::mem::replace(resource, Resource::new(resource.resource_type()))
}
