//! Which chart a resource lives in: the home-chart table (ADR 0003, `home.tsv`).
//!
//! A home is fixed when the resource is made. Its paths are looked at in the table's order: the
//! first reference to a Patient wins; without one the first reference whose home is known; else
//! the chart of the facility that writes, or the nation's for definitions.

use std::{collections::HashMap, sync::OnceLock};

use ondol_kernel::ResourceId;
use serde_json::Value;
use thiserror::Error;

use crate::{
    ChartId,
    draft::{DraftChange, DraftContent, DraftId, Ledger},
};

/// Where a resource of a draft will live. New subjects have no id yet, so that they are named
/// by their place in the draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home {
    /// A chart that has an id.
    Chart(ChartId),
    /// The chart of the Patient at this place of the draft.
    NewPatient(usize),
    /// The chart of the Practitioner at this place of the draft.
    NewPractitioner(usize),
    /// The chart of the Organization at this place of the draft.
    NewFacility(usize),
}

/// The home of a resource cannot be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HomeError {
    /// The type is no resource type of R4.
    #[error("the resource type is not one of FHIR R4")]
    UnknownType,
    /// A new version can change no home, and a retraction has to say where the resource lives.
    #[error("no such resource here")]
    UnknownResource,
}

/// Where a resource stands that names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Default {
    /// It is the subject of a chart itself.
    Itself,
    Facility,
    Nation,
}

struct Row {
    default: Default,
    paths: Vec<&'static str>,
}

/// References that lead from resource to resource are followed this far, so that a circle ends.
const HOPS_MAX: u8 = 8;

fn table() -> &'static HashMap<&'static str, Row> {
    static TABLE: OnceLock<HashMap<&'static str, Row>> = OnceLock::new();
    TABLE.get_or_init(|| include_str!("home.tsv").lines().filter_map(row).collect())
}

fn row(line: &'static str) -> Option<(&'static str, Row)> {
    let mut columns = line.split('\t');
    let (name, default, paths) = (columns.next()?, columns.next()?, columns.next()?);
    let default = match default {
        "self" => Default::Itself,
        "facility" => Default::Facility,
        "nation" => Default::Nation,
        _ => return None,
    };
    let paths = paths.split(',').filter(|path| !path.is_empty()).collect();
    Some((name, Row { default, paths }))
}

/// The resource types of the table, with the paths to their home.
pub fn rows() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    table().iter().map(|(name, row)| (*name, row.paths.as_slice()))
}

/// The home of the resource at place `at` of a draft.
pub fn home_of(changes: &[DraftChange], at: usize, ledger: &dyn Ledger) -> Result<Home, HomeError> {
    Finder { changes, ledger }.home(at, HOPS_MAX)
}

struct Finder<'a> {
    changes: &'a [DraftChange],
    ledger: &'a dyn Ledger,
}

impl Finder<'_> {
    fn home(&self, at: usize, hops: u8) -> Result<Home, HomeError> {
        let change = &self.changes[at];
        if let Some(chart) = &change.chart {
            return Ok(Home::Chart(chart.clone()));
        }
        let row = table().get(&*change.resource_type).ok_or(HomeError::UnknownType)?;
        let DraftContent::Put(resource) = &change.content else {
            return Err(HomeError::UnknownResource);
        };
        if row.default == Default::Itself {
            return Ok(own_chart(change, at));
        }
        let found: Vec<Home> = row
            .paths
            .iter()
            .flat_map(|path| references(resource, path))
            .filter_map(|reference| self.follow(reference, hops))
            .collect();
        let patient = found
            .iter()
            .find(|home| matches!(home, Home::NewPatient(_) | Home::Chart(ChartId::Patient(_))));
        Ok(patient.or(found.first()).cloned().unwrap_or_else(|| {
            Home::Chart(match row.default {
                Default::Nation => ChartId::Nation,
                Default::Facility | Default::Itself => ChartId::Facility(self.ledger.facility()),
            })
        }))
    }

    /// The home that a reference leads to.
    fn follow(&self, reference: &str, hops: u8) -> Option<Home> {
        if hops == 0 {
            return None;
        }
        let in_draft = self.changes.iter().position(|change| match &change.id {
            DraftId::New(url) => !url.is_empty() && **url == *reference,
            DraftId::Given(id) => reference
                .split_once('/')
                .is_some_and(|(name, text)| name == &*change.resource_type && text == id.as_str()),
        });
        if let Some(at) = in_draft {
            return self.home(at, hops - 1).ok();
        }
        let (name, id) = reference.split_once('/')?;
        let id = ResourceId::new(id.split('/').next()?).ok()?;
        match name {
            "Patient" => Some(Home::Chart(ChartId::Patient(id))),
            "Practitioner" => Some(Home::Chart(ChartId::Practitioner(id))),
            "Organization" => Some(Home::Chart(ChartId::Facility(id))),
            _ => self.ledger.chart_of(name, &id).map(Home::Chart),
        }
    }
}

fn own_chart(change: &DraftChange, at: usize) -> Home {
    match (&change.id, &*change.resource_type) {
        (DraftId::Given(id), "Patient") => Home::Chart(ChartId::Patient(id.clone())),
        (DraftId::Given(id), "Practitioner") => Home::Chart(ChartId::Practitioner(id.clone())),
        (DraftId::Given(id), _) => Home::Chart(ChartId::Facility(id.clone())),
        (DraftId::New(_), "Patient") => Home::NewPatient(at),
        (DraftId::New(_), "Practitioner") => Home::NewPractitioner(at),
        (DraftId::New(_), _) => Home::NewFacility(at),
    }
}

/// The `reference` strings at a dotted path, arrays flattened.
fn references<'a>(resource: &'a Value, path: &str) -> Vec<&'a str> {
    let mut values = vec![resource];
    for name in path.split('.') {
        values = values.into_iter().filter_map(|value| value.get(name)).flat_map(flatten).collect();
    }
    values.into_iter().filter_map(|value| value.get("reference")?.as_str()).collect()
}

fn flatten(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        other => vec![other],
    }
}
