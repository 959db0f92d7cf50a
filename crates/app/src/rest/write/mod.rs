//! Saving over the API: create, update and delete, alone or several as one transaction
//! (R4 3.1.0.4–3.1.0.11). All of it happens in the writer's transaction: what is looked at to
//! decide is what stands when it is written.

mod build;
mod homes;
mod refs;
mod resolve;
mod rights;
mod target;

use std::sync::Arc;

use ondol_fhir::{Resource, ResourceType, patch::Patch, validate};
use ondol_kernel::{Class, Millis, ResourceId};
use ondol_record::{
    Entry, VersionId,
    entry::Content,
    home::{Home, home_of},
};
use ondol_store::{Found, WriteTx};

pub(super) use self::{build::prepare, resolve::note_met};
use self::{
    build::{changes, full_url},
    refs::{Dangling, References},
    rights::Rights,
    target::{Target, targets},
};
use super::error::RestError;
use crate::{Actor, App, AppError, Changes};

pub use refs::DANGLING;

/// What is to be done with one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// Its place in a bundle, for errors.
    pub at: Option<usize>,
    /// What is to be done.
    pub verb: Verb,
    /// The type.
    pub kind: ResourceType,
    /// The `fullUrl` by which others of the transaction name it.
    pub full_url: Option<String>,
    /// The versions that the client has seen (`If-Match`).
    pub if_match: Option<Vec<VersionId>>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Verb {
    /// Save as new; the id is given here.
    Create {
        /// The resource.
        resource: Resource,
        /// Only if nothing fits this query (`If-None-Exist`).
        if_none_exist: Option<String>,
    },
    /// Save as this resource, new or not.
    Update {
        /// The id.
        id: ResourceId,
        /// The resource.
        resource: Resource,
    },
    /// Take it back.
    Delete {
        /// The id.
        id: ResourceId,
    },
    /// Change some of it.
    Patch {
        /// The id.
        id: ResourceId,
        /// What is changed.
        patch: Patch,
    },
    /// Save as the one that fits a query, or as new.
    UpdateWhere {
        /// The query.
        query: String,
        /// The resource; its id may be missing.
        resource: Resource,
    },
    /// Change some of the one that fits a query.
    PatchWhere {
        /// The query.
        query: String,
        /// What is changed.
        patch: Patch,
    },
    /// Take back the one that fits a query, if one does.
    DeleteWhere {
        /// The query.
        query: String,
    },
}

/// How a transaction is to be carried out.
#[derive(Debug, Clone)]
pub struct How {
    /// How urgent it is on the road.
    pub class: Class,
    /// Why, for what asks for a reason (`X-Ondol-Reason`).
    pub reason: Option<String>,
    /// This server's address, without a slash at its end.
    pub base: String,
    /// The Organization of a new patient who names none.
    pub home: ResourceId,
    /// Whether this is an import: what stands just so stays, what somebody here wrote since is
    /// spared, and a conditional reference that finds nothing is left as it is.
    pub is_import: bool,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is new, or stands again.
    Created,
    /// It has a new version.
    Updated,
    /// Nothing was written: it was there.
    Unchanged,
    /// An import left it alone: somebody here has written it since.
    Spared,
    /// It was taken back, now or before, or there was nothing to take back.
    Deleted,
}

/// What stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stands {
    /// The id.
    pub id: ResourceId,
    /// The version.
    pub version: VersionId,
    /// When it was written.
    pub updated: Millis,
}

/// One resource that was dealt with.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// What became of it.
    pub outcome: Outcome,
    /// The type.
    pub kind: ResourceType,
    /// What stands now; none where nothing met the condition of a delete.
    pub stands: Option<Stands>,
    /// The resource as JSON text; none if it was taken back.
    pub json: Option<String>,
    /// References that lead to nothing here.
    pub dangling: Dangling,
}

/// The parts of the store's transaction that was prepared.
struct Prepared {
    changes: Changes,
    /// For each change the place of its write.
    of: Vec<usize>,
}

impl App {
    /// How clients' requests are carried out.
    pub fn rest_how(&self, base: &str, reason: Option<String>) -> How {
        How {
            class: Class::Routine,
            reason,
            base: base.to_owned(),
            home: self.place.facility.clone(),
            is_import: false,
        }
    }

    /// Carries out one write.
    pub fn rest_write(
        self: &Arc<Self>,
        actor: &Actor,
        mut write: Write,
        how: How,
    ) -> Result<Done, RestError> {
        prepare(&mut write)?;
        note_met(self, actor, std::slice::from_ref(&write), &how.base)?;
        if let Verb::Create { resource, .. }
        | Verb::Update { resource, .. }
        | Verb::UpdateWhere { resource, .. } = &write.verb
        {
            let issues: Vec<_> =
                validate(resource).into_iter().filter(ondol_fhir::Issue::is_error).collect();
            if !issues.is_empty() {
                return Err(AppError::Invalid(issues).into());
            }
        }
        let mut done = self.rest_write_all(actor, vec![write], how)?;
        done.pop().ok_or(RestError::App(AppError::Unexpected("a write gave nothing")))
    }

    /// Carries out several writes, all or none. The resources were validated by the caller.
    pub fn rest_write_all(
        self: &Arc<Self>,
        actor: &Actor,
        mut writes: Vec<Write>,
        how: How,
    ) -> Result<Vec<Done>, RestError> {
        for write in &mut writes {
            prepare(write).map_err(|why| why.in_entry(write.at))?;
        }
        let (app, actor) = (self.clone(), actor.clone());
        let done = ondol_store::transact(&*self.store, move |tx| {
            app.rest_write_in(tx, &actor, writes, &how)
        })?;
        self.woken();
        Ok(done)
    }

    /// The same within the writer's transaction, for resources that were prepared.
    pub(super) fn rest_write_in(
        self: &Arc<Self>,
        tx: &mut dyn WriteTx,
        actor: &Actor,
        mut writes: Vec<Write>,
        how: &How,
    ) -> Result<Vec<Done>, RestError> {
        resolve::resolve(self, actor, &*tx, &mut writes, &how.base)?;
        let (mut targets, seen) = targets(self, actor, &*tx, &writes, how)?;
        // What was there already is handed out: that is a reading.
        seen.record_in(tx, self, actor)?;
        References::of(&writes, &targets).rewrite(self, actor, &*tx, &mut writes, how)?;
        if how.is_import {
            target::spare(&writes, &mut targets, &how.home);
        }
        let given = refs::given(&writes, &targets);
        let mut dangling = vec![];
        for write in &writes {
            dangling.push(refs::dangling(&*tx, write, &given)?);
        }
        let prepared = changes(&mut writes, &targets, how);
        if prepared.changes.is_empty() {
            return targets.iter().zip(&writes).zip(dangling).map(unwritten).collect();
        }
        let ledger = homes::ViewLedger::new(&*tx, &self.place);
        let homes: Vec<Home> = (0..prepared.of.len())
            .map(|at| {
                home_of(prepared.changes.drafts(), at, &ledger).map_err(|why| {
                    unplaceable(prepared.of[at], why).in_entry(writes[prepared.of[at]].at)
                })
            })
            .collect::<Result<_, _>>()?;
        let mut rights = Rights::new(self, actor, how);
        rights.before(&*tx, &prepared, &writes, &targets, &homes)?;
        // Only then: whose a resource is, is told to those alone who may write it.
        homes::check_moves(&prepared, &writes, &ledger)?;
        ledger.whole()?;
        let draft = prepared.changes.into_checked_draft(actor);
        let entries = self.append_draft(tx, draft)?;
        let places = places(&homes);
        rights.after(&*tx, &entries, &places)?;
        let mut done: Vec<Option<Done>> = vec![None; writes.len()];
        for ((entry, ordinal), at) in places.into_iter().zip(&prepared.of) {
            let entry = entries.get(entry).ok_or(AppError::Unexpected("an entry is missing"))?;
            done[*at] = Some(written(entry, ordinal, &targets[*at])?);
        }
        let rest = targets.iter().zip(&writes);
        done.into_iter()
            .zip(rest)
            .zip(dangling)
            .map(|((done, rest), dangling)| match done {
                Some(done) => Ok(Done { dangling, ..done }),
                None => unwritten((rest, dangling)),
            })
            .collect()
    }
}

fn unplaceable(at: usize, why: ondol_record::home::HomeError) -> RestError {
    let why = ondol_record::draft::FinishError::Home(at, why);
    AppError::Append(ondol_store::AppendError::Draft(why)).into()
}

/// Which entry each change is in, and its place there: as `Draft::finish` groups them.
fn places(homes: &[Home]) -> Vec<(usize, u32)> {
    let mut charts: Vec<(&Home, u32)> = vec![];
    homes
        .iter()
        .map(|home| match charts.iter().position(|(known, _)| *known == home) {
            Some(at) => {
                charts[at].1 += 1;
                (at, charts[at].1)
            }
            None => {
                charts.push((home, 0));
                (charts.len() - 1, 0)
            }
        })
        .collect()
}

fn written(entry: &Entry, ordinal: u32, target: &Target) -> Result<Done, RestError> {
    let change = usize::try_from(ordinal).ok().and_then(|at| entry.changes.get(at));
    let change = change.ok_or(AppError::Unexpected("a change is missing"))?;
    let kind = ResourceType::from_name(&change.resource_type)
        .ok_or(AppError::Unexpected("a type that R4 does not have"))?;
    let (version, updated) = (entry.version_id(ordinal), entry.hlc.millis());
    let json = match &change.content {
        Content::Put(body) => Some(body.assemble(
            kind.name(),
            change.id.as_str(),
            &version.to_string(),
            &updated.to_fhir(0),
        )),
        Content::Retract(_) | Content::Forward(_) => None,
    };
    let outcome = match (target, &json) {
        (_, None) => Outcome::Deleted,
        (Target::Standing(found), _) if !found.is_retracted() => Outcome::Updated,
        _ => Outcome::Created,
    };
    let stands = Some(Stands { id: change.id.clone(), version, updated });
    Ok(Done { outcome, kind, stands, json, dangling: Dangling::default() })
}

/// What was there already.
fn unwritten(
    ((target, write), dangling): ((&Target, &Write), Dangling),
) -> Result<Done, RestError> {
    let found = match target {
        Target::Exists(found) | Target::Spared(found) => found,
        Target::Nothing => {
            let (outcome, kind) = (Outcome::Deleted, write.kind);
            return Ok(Done { outcome, kind, stands: None, json: None, dangling });
        }
        Target::New | Target::Standing(_) => {
            return Err(AppError::Unexpected("a write was left out").into());
        }
    };
    let shown = &found.shown;
    Ok(Done {
        outcome: match (&write.verb, target) {
            (Verb::Delete { .. }, _) => Outcome::Deleted,
            (_, Target::Spared(_)) => Outcome::Spared,
            _ => Outcome::Unchanged,
        },
        kind: write.kind,
        stands: Some(Stands {
            id: shown.id.clone(),
            version: shown.version,
            updated: shown.hlc.millis(),
        }),
        json: shown.json(),
        dangling,
    })
}

/// The found resource of a target, if there is one.
pub(super) fn standing(target: &Target) -> Option<&Found> {
    match target {
        Target::Standing(found) | Target::Exists(found) | Target::Spared(found) => Some(found),
        Target::New | Target::Nothing => None,
    }
}
