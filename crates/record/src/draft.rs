//! From what somebody wants to save to the entries that say so.

use std::{collections::HashMap, hash::BuildHasher};

use ondol_kernel::{Class, Hlc, Millis, NodeId, ResourceId};
use serde_json::Value;
use thiserror::Error;

use crate::{
    Body, Change, ChartId, Entry, EntryHash, Group, Stream, VersionId,
    body::BadBody,
    entry::{Content, derive_id},
    home::{Home, HomeError, home_of},
};

/// How a resource of a draft gets its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DraftId {
    /// It is new here: the id is derived. Other resources of the draft may refer to it by this
    /// full URL (`urn:uuid:…`) until then.
    New(Box<str>),
    /// It exists, or a client gave the id.
    Given(ResourceId),
}

/// What shall be done.
#[derive(Debug, Clone, PartialEq)]
pub enum DraftContent {
    /// Save this resource (JSON object).
    Put(Value),
    /// Take it back for this reason.
    Retract(Box<str>),
    /// Say that it belongs to another chart.
    Forward(ChartId),
}

/// One resource to be saved.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftChange {
    /// The resource type's name.
    pub resource_type: Box<str>,
    /// Its id, or how others refer to it until it has one.
    pub id: DraftId,
    /// The heads that the author has seen.
    pub supersedes: Vec<VersionId>,
    /// The chart where it already lives; a new one finds its home by the table.
    pub chart: Option<ChartId>,
    /// What shall be done.
    pub content: DraftContent,
}

/// One transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// How urgent it is on the road.
    pub class: Class,
    /// The time of care, where it is not now.
    pub care_time: Option<Millis>,
    /// Who is responsible: a FHIR reference, or empty for the node.
    pub author: Box<str>,
    /// Who typed, if another.
    pub typist: Box<str>,
    /// The resources.
    pub changes: Vec<DraftChange>,
}

/// What a draft has to know of the log it is written to.
pub trait Ledger {
    /// The node that writes.
    fn origin(&self) -> NodeId;
    /// Its incarnation.
    fn incarnation(&self) -> u32;
    /// The facility whose chart takes what belongs to nobody else.
    fn facility(&self) -> ResourceId;
    /// The number of the newest entry of our own in a class, 0 if none.
    fn last_number(&self, class: Class) -> u64;
    /// Count and hash of our newest entry of a class in a chart.
    fn chart_head(&self, class: Class, chart: &ChartId) -> Option<(u64, EntryHash)>;
    /// The chart where an existing resource lives.
    fn chart_of(&self, resource_type: &str, id: &ResourceId) -> Option<ChartId>;
}

/// A draft that cannot become entries. The element paths carry no values.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FinishError {
    /// Nothing to save.
    #[error("a transaction has at least one resource")]
    Empty,
    /// The change at this place is no resource.
    #[error("resource {0} of the transaction: {1}")]
    Body(usize, #[source] BadBody),
    /// The change at this place finds no home chart.
    #[error("resource {0} of the transaction: {1}")]
    Home(usize, #[source] HomeError),
}

impl Draft {
    /// Makes the entries: one for each chart, grouped if there are several, in the order in
    /// which the charts first appear. `hlc` is the stamp of the first; each next one is one
    /// tick later. Full URLs of new resources become references to their ids.
    pub fn finish(
        mut self,
        ledger: &dyn Ledger,
        hlc: Hlc,
        clock_doubtful: bool,
    ) -> Result<Vec<Entry>, FinishError> {
        let plan = Plan::of(&self.changes, ledger)?;
        let stream = Stream {
            origin: ledger.origin(),
            incarnation: ledger.incarnation(),
            class: self.class,
        };
        let first = ledger.last_number(self.class) + 1;
        let stamps: Vec<Hlc> = (0..plan.charts.len() as u64)
            .map(|at| Hlc::from_bits(hlc.bits().saturating_add(at)))
            .collect();
        let ids = plan.ids(&self.changes, |entry, ordinal| {
            derive_id(&stream.at(first + entry as u64), stamps[entry], ordinal)
        });
        let urls = full_urls(&self.changes, &ids);
        let size = u32::try_from(plan.charts.len()).unwrap_or(u32::MAX);
        let mut entries: Vec<Entry> = Vec::with_capacity(plan.charts.len());
        for (at, planned) in plan.charts.iter().enumerate() {
            let chart = planned.id(&ids);
            let (count, previous) =
                ledger.chart_head(self.class, &chart).unwrap_or((0, EntryHash::NONE));
            let mut changes = Vec::with_capacity(planned.members.len());
            for &member in &planned.members {
                let change = &mut self.changes[member];
                changes.push(finish_change(change, ids[member].clone(), &urls, member)?);
            }
            entries.push(Entry {
                address: stream.at(first + at as u64),
                chart,
                chart_number: count + 1,
                previous,
                hlc: stamps[at],
                clock_doubtful,
                care_time: self.care_time,
                author: self.author.clone(),
                typist: self.typist.clone(),
                group: (size > 1)
                    .then(|| Group { size, index: u32::try_from(at).unwrap_or(u32::MAX) }),
                changes,
            });
        }
        Ok(entries)
    }
}

/// Which change goes to which chart.
struct Plan {
    charts: Vec<PlannedChart>,
}

struct PlannedChart {
    chart: Home,
    members: Vec<usize>,
}

impl PlannedChart {
    /// The chart, once new resources have their ids.
    fn id(&self, ids: &[ResourceId]) -> ChartId {
        match &self.chart {
            Home::Chart(chart) => chart.clone(),
            Home::NewPatient(member) => ChartId::Patient(ids[*member].clone()),
            Home::NewPractitioner(member) => ChartId::Practitioner(ids[*member].clone()),
            Home::NewFacility(member) => ChartId::Facility(ids[*member].clone()),
        }
    }
}

impl Plan {
    fn of(changes: &[DraftChange], ledger: &dyn Ledger) -> Result<Self, FinishError> {
        let mut charts: Vec<PlannedChart> = Vec::new();
        for (at, change) in changes.iter().enumerate() {
            let home = home_of(changes, at, ledger).map_err(|why| FinishError::Home(at, why))?;
            debug_assert!(
                change.chart.is_none() || home == Home::Chart(change.chart.clone().unwrap())
            );
            match charts.iter_mut().find(|planned| planned.chart == home) {
                Some(planned) => planned.members.push(at),
                None => charts.push(PlannedChart { chart: home, members: vec![at] }),
            }
        }
        if charts.is_empty() { Err(FinishError::Empty) } else { Ok(Self { charts }) }
    }

    /// The id of each change: given, or derived from its entry and its ordinal there.
    fn ids(
        &self,
        changes: &[DraftChange],
        derive: impl Fn(usize, u32) -> ResourceId,
    ) -> Vec<ResourceId> {
        let mut places = vec![(0, 0); changes.len()];
        for (entry, planned) in self.charts.iter().enumerate() {
            for (ordinal, &member) in planned.members.iter().enumerate() {
                places[member] = (entry, u32::try_from(ordinal).unwrap_or(u32::MAX));
            }
        }
        let id = |(change, (entry, ordinal)): (&DraftChange, (usize, u32))| match &change.id {
            DraftId::New(_) => derive(entry, ordinal),
            DraftId::Given(id) => id.clone(),
        };
        changes.iter().zip(places).map(id).collect()
    }
}

/// From full URL to `Type/id`.
fn full_urls(changes: &[DraftChange], ids: &[ResourceId]) -> HashMap<Box<str>, String> {
    let mut urls = HashMap::new();
    for (change, id) in changes.iter().zip(ids) {
        if let DraftId::New(url) = &change.id
            && !url.is_empty()
        {
            urls.insert(url.clone(), format!("{}/{id}", change.resource_type));
        }
    }
    urls
}

fn finish_change(
    change: &mut DraftChange,
    id: ResourceId,
    urls: &HashMap<Box<str>, String>,
    at: usize,
) -> Result<Change, FinishError> {
    let content = match &mut change.content {
        DraftContent::Put(resource) => {
            if !urls.is_empty() {
                resolve(resource, urls);
            }
            let body = Body::take(std::mem::take(resource));
            Content::Put(body.map_err(|why| FinishError::Body(at, why))?)
        }
        DraftContent::Retract(reason) => Content::Retract(reason.clone()),
        DraftContent::Forward(chart) => Content::Forward(chart.clone()),
    };
    Ok(Change {
        resource_type: change.resource_type.clone(),
        id,
        id_is_derived: matches!(change.id, DraftId::New(_)),
        supersedes: change.supersedes.clone(),
        content,
    })
}

/// Replaces `Reference.reference` values that are full URLs of the transaction
/// (R4 3.1.0.11.2, replacing hyperlinks and full URLs) by what `urls` names for them.
pub fn resolve<S: BuildHasher>(value: &mut Value, urls: &HashMap<Box<str>, String, S>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| resolve(item, urls)),
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "reference" => {
                        if let Some(to) = urls.get(text.as_str()) {
                            text.clone_from(to);
                        }
                    }
                    _ => resolve(member, urls),
                }
            }
        }
        _ => {}
    }
}
