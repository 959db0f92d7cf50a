//! Writes whose resource has to be found first, or made from the one that stands: conditional
//! update and delete (R4 3.1.0.4.3, 3.1.0.7.1) and patches (3.1.0.5). They become plain updates
//! and deletes in the writer's transaction, so that everything after this is the same.

use ondol_fhir::{
    Issue, Limits, Resource, ResourceType, parse_json,
    patch::{Patch, apply},
    validate,
};
use ondol_kernel::ResourceId;
use ondol_store::{Found, View};

use super::{Verb, Write, build::check_type, target::check_seen};
use crate::{
    Actor, App, AppError,
    rest::{
        error::{ElementFault, RestError},
        guard,
        read::without_server_parts,
        search::{pairs_of, the_one},
        sight::Sight,
    },
};

/// Parameters that choose what comes back, and nothing by themselves.
const NO_CONDITIONS: &[&str] = &[
    "_count",
    "_sort",
    "_format",
    "_pretty",
    "_summary",
    "_elements",
    "_include",
    "_revinclude",
    "_total",
    "_contained",
    "_containedType",
    "_page",
];

/// Finds what conditions mean and carries patches out. A delete whose condition nothing meets
/// stays as it is.
pub(super) fn resolve(
    app: &App,
    actor: &Actor,
    view: &dyn View,
    writes: &mut [Write],
    base: &str,
) -> Result<(), RestError> {
    let mut sight = Sight::new(app, actor, view);
    for write in writes {
        let at = write.at;
        one(&mut sight, write, base).map_err(|why| why.in_entry(at))?;
    }
    Ok(())
}

/// Notes that whoever patches, or writes by a condition, reads: a `test` that fails says what
/// stands as well as one that does not, and so does a refusal that only comes where something
/// meets the condition. Recorded durably before the write is looked at.
pub(in crate::rest) fn note_met(
    app: &App,
    actor: &Actor,
    writes: &[Write],
    base: &str,
) -> Result<(), RestError> {
    let reads = |write: &Write| {
        matches!(
            write.verb,
            Verb::Patch { .. }
                | Verb::PatchWhere { .. }
                | Verb::UpdateWhere { .. }
                | Verb::DeleteWhere { .. }
        )
    };
    if !writes.iter().any(reads) {
        return Ok(());
    }
    let seen = {
        let view = app.view()?;
        let mut sight = Sight::new(app, actor, &*view);
        for write in writes {
            note_one(&mut sight, write, base).map_err(|why| why.in_entry(write.at))?;
        }
        sight.seen()
    };
    seen.record(app, actor)
}

fn note_one(sight: &mut Sight<'_>, write: &Write, base: &str) -> Result<(), RestError> {
    match &write.verb {
        Verb::Patch { id, .. } => standing(sight, write.kind, id).map(drop),
        Verb::PatchWhere { query, .. } => match met(sight, write.kind, query, base)? {
            Some(found) => sight.see(&found.shown),
            None => Err(RestError::NotFound),
        },
        // What is wrong with these conditions is said when they are carried out.
        Verb::UpdateWhere { query, .. } | Verb::DeleteWhere { query } => {
            match met(sight, write.kind, query, base) {
                Ok(Some(found)) => sight.see(&found.shown),
                _ => Ok(()),
            }
        }
        Verb::Create { .. } | Verb::Update { .. } | Verb::Delete { .. } => Ok(()),
    }
}

fn one(sight: &mut Sight<'_>, write: &mut Write, base: &str) -> Result<(), RestError> {
    let kind = write.kind;
    let found = match &write.verb {
        Verb::Create { .. } | Verb::Update { .. } | Verb::Delete { .. } => return Ok(()),
        Verb::Patch { .. } => None,
        Verb::UpdateWhere { query, .. }
        | Verb::PatchWhere { query, .. }
        | Verb::DeleteWhere { query } => met(sight, kind, query, base)?,
    };
    let becomes = match (&mut write.verb, found) {
        (Verb::UpdateWhere { resource, .. }, found) => {
            let resource = std::mem::replace(resource, Resource::new(kind));
            if found.is_none() && write.if_match.is_some() {
                return Err(RestError::VersionMismatch { heads: vec![] });
            }
            update(sight, resource, found)?
        }
        (Verb::DeleteWhere { .. }, Some(found)) => Verb::Delete { id: found.shown.id },
        (Verb::Patch { id, patch }, _) => {
            patched(sight, kind, id, patch, write.if_match.as_deref())?
        }
        (Verb::PatchWhere { patch, .. }, Some(found)) => {
            patched(sight, kind, &found.shown.id, patch, write.if_match.as_deref())?
        }
        (Verb::PatchWhere { .. }, None) => return Err(RestError::NotFound),
        _ => return Ok(()),
    };
    write.verb = becomes;
    Ok(())
}

/// The one resource that a condition means. A condition that asks nothing means none: it is
/// refused, or a slip of the pen would take back whatever is the only one of its type.
fn met(
    sight: &mut Sight<'_>,
    kind: ResourceType,
    query: &str,
    base: &str,
) -> Result<Option<Found>, RestError> {
    let asks = |(name, value): &(String, String)| {
        let name = name.split(':').next().unwrap_or(name);
        !value.is_empty() && !NO_CONDITIONS.contains(&name)
    };
    if !pairs_of(query).iter().any(asks) {
        return Err(RestError::NoCondition);
    }
    the_one(sight, kind, query, base)
}

fn update(
    sight: &Sight<'_>,
    mut resource: Resource,
    found: Option<Found>,
) -> Result<Verb, RestError> {
    let kind = resource.resource_type();
    let differs = || RestError::element(format!("{kind}.id"), ElementFault::IdDiffers);
    let given = match resource.id() {
        Some(id) => Some(ResourceId::new(id).map_err(|_| differs())?),
        None => None,
    };
    match (found, given) {
        (None, None) => Ok(Verb::Create { resource, if_none_exist: None }),
        // What stands under this id does not meet the condition: it is not written over.
        (None, Some(id)) if sight.view.resource(kind.name(), &id)?.is_some() => {
            Err(AppError::Conflict.into())
        }
        (None, Some(id)) => Ok(Verb::Update { id, resource }),
        (Some(found), Some(id)) if id != found.shown.id => Err(differs()),
        (Some(found), _) => {
            resource.set_id(&found.shown.id);
            Ok(Verb::Update { id: found.shown.id, resource })
        }
    }
}

/// What stands and may be read by whoever patches it.
fn standing(
    sight: &mut Sight<'_>,
    kind: ResourceType,
    id: &ResourceId,
) -> Result<Found, RestError> {
    let found = sight.view.resource(kind.name(), id)?.ok_or(RestError::NotFound)?;
    if guard::is_hidden(sight.view, kind.name(), id)? {
        return Err(RestError::NotFound);
    }
    if found.is_retracted() {
        return Err(RestError::Gone { version: found.shown.version });
    }
    sight.see(&found.shown)?;
    Ok(found)
}

fn patched(
    sight: &mut Sight<'_>,
    kind: ResourceType,
    id: &ResourceId,
    patch: &Patch,
    if_match: Option<&[ondol_record::VersionId]>,
) -> Result<Verb, RestError> {
    let found = standing(sight, kind, id)?;
    check_seen(if_match, &found)?;
    let text = found.shown.json().ok_or(RestError::Gone { version: found.shown.version })?;
    let mut document = parse_json(text.as_bytes(), Limits::IMPORT)?;
    apply(patch, &mut document).map_err(|why| RestError::Patch { kind, why })?;
    let resource = Resource::from_json(document)
        .map_err(|_| RestError::element(format!("{kind}.resourceType"), ElementFault::TypeDiffers));
    let mut resource = resource?;
    check_type(kind, &resource)?;
    if resource.id() != Some(id.as_str()) {
        return Err(RestError::element(format!("{kind}.id"), ElementFault::IdDiffers));
    }
    without_server_parts(&mut resource);
    guard::check_writable(&resource)?;
    let issues: Vec<Issue> = validate(&resource).into_iter().filter(Issue::is_error).collect();
    if !issues.is_empty() {
        return Err(AppError::Invalid(issues).into());
    }
    Ok(Verb::Update { id: id.clone(), resource })
}
