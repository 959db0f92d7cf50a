//! Writing what is sealed, sealing it for one more place, taking it back.

use std::sync::Arc;

use ondol_access::{Action, Reason};
use ondol_kernel::{Class, ResourceId};
use ondol_record::{
    ChartId, Draft, DraftChange, DraftId, VersionId, draft::DraftContent, sealed::SEALED_ENTRY,
};
use ondol_store::{Found, WriteTx};
use serde_json::Value;

use super::{
    SealKind,
    content::{Content, Step, new_id},
    readers::offered,
};
use crate::{
    Actor, App, AppError,
    encounter::{Visit, may_save_visit, sealed_visit},
};

impl App {
    /// Saves a visit sealed for this facility and for `readers` ([`App::seal_readers`]); gives the
    /// sealed piece's id. What was typed is checked as [`App::save_visit`] does. Nothing of it
    /// comes into the safety summary, lists, counts or what is remembered of words that were typed.
    pub fn seal_visit(
        self: &Arc<Self>,
        actor: &Actor,
        patient: &ResourceId,
        visit: Visit,
        kind: SealKind,
        readers: Vec<ResourceId>,
    ) -> Result<ResourceId, AppError> {
        let (app, actor, patient) = (self.clone(), actor.clone(), patient.clone());
        self.transact(move |tx| {
            let chart = ChartId::Patient(patient.clone());
            may_save_visit(&app, &*tx, &actor, &chart, &visit)?;
            are_offered(&app, &*tx, &patient, &readers)?;
            let (sealed, open) = sealed_visit(&app, &*tx, &actor, &chart, &visit)?;
            // Checks each resource against R4 as any write is.
            let draft = sealed.into_draft(&actor)?;
            let mut content = Content::new(&app, kind, &draft.changes);
            content.add(&app, &actor, Step::Sealed, &for_all(&app, &readers), None);
            if !open.is_empty() {
                app.append(tx, &actor, open)?;
            }
            let id = new_id(&app);
            put(&app, tx, (&chart, &id), vec![], &content, &readers)?;
            Ok(id)
        })
    }

    /// Seals a piece for more facilities. It cannot be closed to them again.
    pub fn share_sealed(
        self: &Arc<Self>,
        actor: &Actor,
        patient: &ResourceId,
        id: &ResourceId,
        readers: Vec<ResourceId>,
    ) -> Result<(), AppError> {
        let (app, actor, id) = (self.clone(), actor.clone(), id.clone());
        let patient = patient.clone();
        self.transact(move |tx| {
            let chart = ChartId::Patient(patient.clone());
            app.may(&*tx, &actor, Action::ReadSealed, &chart, None)?;
            app.may(&*tx, &actor, Action::WriteEntry, &chart, None)?;
            are_offered(&app, &*tx, &patient, &readers)?;
            let (found, mut content) = opened(&app, &*tx, &chart, &id)?;
            let before = content.readers();
            let more: Vec<ResourceId> =
                readers.into_iter().filter(|reader| !before.contains(reader)).collect();
            if more.is_empty() {
                return Err(AppError::Field { field: "readers", why: "empty" });
            }
            content.add(&app, &actor, Step::Shared, &more, None);
            again(&app, tx, (&chart, &id), &found, &content)
        })
    }

    /// Takes a piece back, for a reason that is sealed with it: whoever wrote it, or those at home
    /// who may take entries back. It stays to be read by whom it was sealed for.
    pub fn take_sealed_back(
        self: &Arc<Self>,
        actor: &Actor,
        patient: &ResourceId,
        id: &ResourceId,
        reason: &str,
    ) -> Result<(), AppError> {
        let reason = Reason::typed(reason)
            .map_err(|_| AppError::Field { field: "reason", why: "reason" })?;
        let (app, actor, id) = (self.clone(), actor.clone(), id.clone());
        let chart = ChartId::Patient(patient.clone());
        self.transact(move |tx| {
            app.may(&*tx, &actor, Action::ReadSealed, &chart, None)?;
            let (found, mut content) = opened(&app, &*tx, &chart, &id)?;
            if content.author() != actor.reference() {
                app.may(&*tx, &actor, Action::RetractEntry, &chart, Some(reason.clone()))?;
            }
            if content.taken_back().is_some() {
                return Err(AppError::Gone);
            }
            content.add(&app, &actor, Step::TakenBack, &[], Some(reason.reveal()));
            again(&app, tx, (&chart, &id), &found, &content)
        })
    }
}

/// Nobody seals for a place that has nothing to do with the person.
fn are_offered(
    app: &App,
    tx: &dyn ondol_store::View,
    patient: &ResourceId,
    readers: &[ResourceId],
) -> Result<(), AppError> {
    let offered = offered(app, tx, patient)?;
    let known = |reader: &ResourceId| {
        *reader == app.place.facility || offered.iter().any(|one| one.facility == *reader)
    };
    if readers.iter().all(known) {
        Ok(())
    } else {
        Err(AppError::Field { field: "readers", why: "choose" })
    }
}

/// This facility, and the others.
fn for_all(app: &App, readers: &[ResourceId]) -> Vec<ResourceId> {
    let others = readers.iter().filter(|reader| **reader != app.place.facility);
    std::iter::once(&app.place.facility).chain(others).cloned().collect()
}

fn opened(
    app: &App,
    tx: &dyn ondol_store::View,
    chart: &ChartId,
    id: &ResourceId,
) -> Result<(Found, Content), AppError> {
    let found = tx.resource(SEALED_ENTRY, id)?.ok_or(AppError::NotFound)?;
    if found.shown.chart != *chart {
        return Err(AppError::NotFound);
    }
    let content = super::read::content(app, &found).ok_or(AppError::NotFound)?;
    Ok((found, content))
}

/// A new version that settles all that stand.
fn again(
    app: &App,
    tx: &mut dyn WriteTx,
    at: (&ChartId, &ResourceId),
    found: &Found,
    content: &Content,
) -> Result<(), AppError> {
    let readers = content.readers();
    put(app, tx, at, found.heads(), content, &readers)
}

/// The entry names no author: who wrote it is sealed too. Nor does it say when the care was.
fn put(
    app: &App,
    tx: &mut dyn WriteTx,
    (chart, id): (&ChartId, &ResourceId),
    supersedes: Vec<VersionId>,
    content: &Content,
    readers: &[ResourceId],
) -> Result<(), AppError> {
    let body: Value = content.seal(app, (chart, id), readers)?;
    let change = DraftChange {
        resource_type: SEALED_ENTRY.into(),
        id: DraftId::Given(id.clone()),
        supersedes,
        chart: Some(chart.clone()),
        content: DraftContent::Put(body),
    };
    let (author, typist) = ("".into(), "".into());
    let draft =
        Draft { class: Class::Care, care_time: None, author, typist, changes: vec![change] };
    app.append_draft(tx, draft)?;
    Ok(())
}
