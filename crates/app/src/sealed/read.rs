//! Opening what was sealed for this facility.

use std::collections::HashMap;

use ondol_access::Action;
use ondol_kernel::{Millis, ResourceId};
use ondol_record::{ChartId, sealed::SEALED_ENTRY};
use ondol_store::{Found, View};
use serde_json::Value;

use super::{
    SealKind,
    content::{Content, recorded},
};
use crate::{
    Actor, App, AppError,
    encounter::{Banner, VisitReader, VisitView},
    people::{facility_name, person_of, practitioner_name},
};

/// A sealed visit, opened. It has no `Debug`: it tells of somebody.
#[derive(Clone)]
pub struct SealedVisit {
    /// The sealed piece.
    pub id: ResourceId,
    /// Why it is sealed.
    pub kind: SealKind,
    /// The visit.
    pub visit: VisitView,
    /// The facilities that may open it, with their names (empty if those are not here).
    pub readers: Vec<(ResourceId, String)>,
    /// Whether the reader wrote it.
    pub own: bool,
    /// If it was taken back.
    pub taken_back: Option<TakenBack>,
}

/// That something sealed was taken back.
#[derive(Clone)]
pub struct TakenBack {
    /// When.
    pub at: Option<Millis>,
    /// The name of who did.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl App {
    /// What stands sealed in a chart for this facility, newest first, with the banner. Each reading
    /// is recorded as such.
    pub fn sealed(
        &self,
        actor: &Actor,
        patient: &ResourceId,
    ) -> Result<(Banner, Vec<SealedVisit>), AppError> {
        let chart = ChartId::Patient(patient.clone());
        self.reading(actor, Action::ReadSealed, &chart, |view| {
            let banner = self.banner_in(view, patient)?;
            let mut sealed = vec![];
            for (found, content) in all(self, view, &chart)? {
                sealed.extend(visit(self, view, actor, &found, &content)?);
            }
            sealed.sort_by_key(|one: &SealedVisit| std::cmp::Reverse(one.visit.at));
            Ok((banner, sealed))
        })
    }

    /// The same as FHIR: the Bundle within each seal, with the id of the sealed piece.
    pub fn sealed_bundles(
        &self,
        actor: &Actor,
        patient: &ResourceId,
    ) -> Result<Vec<(ResourceId, Value)>, AppError> {
        let chart = ChartId::Patient(patient.clone());
        self.reading(actor, Action::ReadSealed, &chart, |view| {
            person_of(view, patient)?;
            let all = all(self, view, &chart)?;
            Ok(all.into_iter().map(|(found, content)| (found.shown.id, content.0)).collect())
        })
    }
}

/// How many pieces this facility can open in a chart; none for whoever may not.
pub(crate) fn count(
    app: &App,
    view: &dyn View,
    actor: &Actor,
    chart: &ChartId,
) -> Result<usize, AppError> {
    if app.may(view, actor, Action::ReadSealed, chart, None).is_err() {
        return Ok(0);
    }
    let all = all(app, view, chart)?;
    Ok(all.iter().filter(|(_, content)| content.taken_back().is_none()).count())
}

fn all(app: &App, view: &dyn View, chart: &ChartId) -> Result<Vec<(Found, Content)>, AppError> {
    let found = view.chart(chart, &[SEALED_ENTRY])?;
    Ok(found.into_iter().filter_map(|found| content(app, &found).map(|c| (found, c))).collect())
}

/// What a piece says, if it opens here. Versions that were written at the same time are joined.
pub(super) fn content(app: &App, found: &Found) -> Option<Content> {
    let mut heads =
        std::iter::once(&found.shown).chain(&found.rivals).filter_map(|of| Content::open(app, of));
    let mut content = heads.next()?;
    heads.for_each(|other| content.join(&other));
    Some(content)
}

fn visit(
    app: &App,
    view: &dyn View,
    actor: &Actor,
    found: &Found,
    content: &Content,
) -> Result<Option<SealedVisit>, AppError> {
    let person = person_of(view, &patient_of(&found.shown.chart)?)?;
    let mut parts: HashMap<&str, &Value> = content.entries().collect();
    let first = content.entries().find(|(_, resource)| resource["resourceType"] == "Encounter");
    let Some((urn, encounter)) = first else { return Ok(None) };
    parts.remove(urn);
    let own = |urn: &str, document: &Value| as_found(found, urn, document);
    let in_order = content.entries().filter(|(urn, _)| parts.contains_key(urn));
    let parts: Vec<(Found, Value)> = in_order
        .filter(|(_, of)| {
            of["encounter"]["reference"] == *urn || of["context"]["reference"] == *urn
        })
        .filter_map(|(urn, document)| Some((own(urn, document)?, document.clone())))
        .collect();
    let Some(around) = own(urn, encounter) else { return Ok(None) };
    let visit = VisitReader::new(app, view, &person).given(&around, encounter, &parts)?;
    let mut readers = vec![];
    for facility in content.readers() {
        let name = facility_name(app, view, &format!("Organization/{facility}"))?;
        readers.push((facility, name));
    }
    let taken_back = match content.taken_back() {
        None => None,
        Some(step) => Some(TakenBack {
            at: recorded(step),
            by: practitioner_name(
                view,
                step["agent"][0]["who"]["reference"].as_str().unwrap_or(""),
            )?,
            reason: step["reason"][0]["text"].as_str().unwrap_or("").to_owned(),
        }),
    };
    Ok(Some(SealedVisit {
        id: found.shown.id.clone(),
        kind: content.kind(),
        visit,
        readers,
        own: content.author() == actor.reference(),
        taken_back,
    }))
}

fn patient_of(chart: &ChartId) -> Result<ResourceId, AppError> {
    match chart {
        ChartId::Patient(id) => Ok(id.clone()),
        _ => Err(AppError::NotFound),
    }
}

/// A resource within the seal as one of the record, so that it is shown like any other.
fn as_found(sealed: &Found, urn: &str, document: &Value) -> Option<Found> {
    let mut shown = sealed.shown.clone();
    shown.resource_type = document["resourceType"].as_str()?.into();
    shown.id = ResourceId::new(urn.strip_prefix("urn:uuid:")?).ok()?;
    shown.body = document.to_string().into();
    Some(Found { shown, rivals: vec![] })
}
