//! What a write meets: something new, or what stands, with its preconditions.

use std::collections::HashSet;

use ondol_fhir::ResourceType;
use ondol_kernel::ResourceId;
use ondol_record::{Body, VersionId};
use ondol_store::{Found, View};

use super::{How, Verb, Write, homes::at_home};
use crate::{
    Actor, App, AppError,
    rest::{
        error::{ElementFault, RestError},
        guard,
        search::the_one,
        sight::{Seen, Sight},
    },
};

/// What a write meets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Target {
    /// Nothing: it will be new.
    New,
    /// A resource that gets a new version.
    Standing(Found),
    /// A resource that stays as it is: a condition was met, or nothing changes.
    Exists(Found),
    /// No resource meets the condition of a delete: nothing is done.
    Nothing,
    /// A resource that an import leaves alone: somebody here has written it since.
    Spared(Found),
}

/// What each write meets, and what of it is handed out although nothing is written.
pub(super) fn targets(
    app: &App,
    actor: &Actor,
    view: &dyn View,
    writes: &[Write],
    how: &How,
) -> Result<(Vec<Target>, Seen), RestError> {
    let mut sight = Sight::new(app, actor, view);
    let mut named: HashSet<(ResourceType, ResourceId)> = HashSet::new();
    let mut targets = vec![];
    for write in writes {
        if let Verb::Update { id, .. } | Verb::Delete { id } = &write.verb
            && !named.insert((write.kind, id.clone()))
        {
            return Err(twice().in_entry(write.at));
        }
        let target = target(&mut sight, view, write, how).map_err(|why| why.in_entry(write.at))?;
        if let (Verb::Create { .. }, Target::Exists(found), false) =
            (&write.verb, &target, actor.is_node())
        {
            sight.see(&found.shown).map_err(|why| why.in_entry(write.at))?;
        }
        targets.push(target);
    }
    Ok((targets, sight.seen()))
}

fn twice() -> RestError {
    RestError::element("Bundle.entry", ElementFault::SameTwice)
}

fn target(
    sight: &mut Sight<'_>,
    view: &dyn View,
    write: &Write,
    how: &How,
) -> Result<Target, RestError> {
    match &write.verb {
        Verb::DeleteWhere { .. } => Ok(Target::Nothing),
        Verb::UpdateWhere { .. } | Verb::Patch { .. } | Verb::PatchWhere { .. } => {
            Err(AppError::Unexpected("a condition was not looked up").into())
        }
        Verb::Create { if_none_exist: None, .. } => Ok(Target::New),
        Verb::Create { if_none_exist: Some(query), .. } => {
            let found = the_one(sight, write.kind, query, &how.base)?;
            Ok(found.map_or(Target::New, Target::Exists))
        }
        Verb::Update { id, .. } => {
            let Some(found) = view.resource(write.kind.name(), id)? else {
                return match &write.if_match {
                    Some(_) => Err(RestError::VersionMismatch { heads: vec![] }),
                    None => Ok(Target::New),
                };
            };
            if guard::is_hidden(view, write.kind.name(), id)? {
                return Err(RestError::element(write.kind.name(), ElementFault::OwnSteps));
            }
            check_steps(sight, write.kind, &found)?;
            Ok(Target::Standing(found))
        }
        Verb::Delete { id } => {
            let found = view.resource(write.kind.name(), id)?.ok_or(RestError::NotFound)?;
            if guard::is_hidden(view, write.kind.name(), id)? {
                return Err(RestError::NotFound);
            }
            check_steps(sight, write.kind, &found)?;
            if !found.is_retracted() || !found.rivals.is_empty() {
                return Ok(Target::Standing(found));
            }
            // Nothing is written, so that no right to write is asked for below. Of a Patient that
            // was taken back everybody is told so: with it went every relation to the chart.
            if write.kind != ResourceType::Patient && !sight.may_see(&found.shown)? {
                sight.see(&found.shown)?;
            }
            Ok(Target::Exists(found))
        }
    }
}

/// Refuses what has its own steps; whoever may not see it is told no more than that.
fn check_steps(sight: &mut Sight<'_>, kind: ResourceType, found: &Found) -> Result<(), RestError> {
    let Err(why) = guard::check_standing(kind, &found.shown) else { return Ok(()) };
    if !sight.may_see(&found.shown)? {
        sight.see(&found.shown)?;
    }
    Err(why)
}

/// What an import does not write again: what stands just so, and what somebody here (not the
/// node, which writes what it imports) has written.
pub(super) fn spare(writes: &[Write], targets: &mut [Target], home: &ResourceId) {
    for (write, target) in writes.iter().zip(targets) {
        let (Verb::Update { resource, .. }, Target::Standing(found)) = (&write.verb, &*target)
        else {
            continue;
        };
        let body = Body::of(&at_home(resource.clone(), Some(found), home));
        let is_same = body.is_ok_and(|body| body.as_str() == &*found.shown.body);
        if is_same && found.rivals.is_empty() {
            *target = Target::Exists(found.clone());
        } else if !found.shown.author.is_empty() || !found.rivals.is_empty() {
            *target = Target::Spared(found.clone());
        }
    }
}

/// Whether the client has seen what stands: all heads and nothing else. Without `If-Match` a
/// single head may be replaced unseen, rivals may not.
pub(super) fn check_seen(if_match: Option<&[VersionId]>, found: &Found) -> Result<(), RestError> {
    let heads = found.heads();
    let matches = match if_match {
        None => heads.len() == 1,
        Some(seen) => {
            let seen: HashSet<&VersionId> = seen.iter().collect();
            seen == heads.iter().collect()
        }
    };
    if matches { Ok(()) } else { Err(RestError::VersionMismatch { heads }) }
}
