//! What a chart lacks: how far what others wrote is here.

use std::collections::BTreeMap;

use ondol_kernel::{Millis, NodeId};
use ondol_record::{ChartId, Stream, sealed::SEALED_ENTRY};
use ondol_store::View;

use crate::{
    App, AppError,
    people::{Person, facility_name},
};

/// How far what a facility wrote in a chart is here.
#[derive(Clone, PartialEq, Eq)]
pub struct Lack {
    /// The facility; empty if its name is not here.
    pub facility: String,
    /// `Organization/…`; empty if the node's certificate is not here.
    pub reference: String,
    /// The newest that is here was written then; `None` if nothing is here.
    pub complete_to: Option<Millis>,
}

/// For each other facility that wrote in the chart, and for the home facility.
pub(crate) fn of(
    app: &App,
    view: &dyn View,
    chart: &ChartId,
    person: &Person,
) -> Result<Vec<Lack>, AppError> {
    let mut newest: BTreeMap<NodeId, Millis> = BTreeMap::new();
    for (stream, count, _) in view.chart_heads(chart)? {
        if stream.origin == app.place.node {
            continue;
        }
        if let Some(at) = newest_open(view, &stream, chart, count)? {
            let known = newest.entry(stream.origin).or_insert(at);
            *known = (*known).max(at);
        }
    }
    let nation = app.nation();
    let lack = |node: &NodeId, complete_to: Option<Millis>| -> Result<Lack, AppError> {
        let organization = nation.node(node).map(|known| &known.certificate.facility);
        let reference = organization.map_or_else(String::new, |id| format!("Organization/{id}"));
        let facility = facility_name(app, view, &reference)?;
        Ok(Lack { facility, reference, complete_to })
    };
    let mut lacks = vec![];
    for (node, at) in &newest {
        lacks.push(lack(node, Some(*at))?);
    }
    let home = person.home.as_deref().and_then(ChartId::from_reference);
    if let Some(ChartId::Facility(home)) = home
        && let Some(home) = nation.of_facility(&home)
        && home.node != app.place.node
        && !newest.contains_key(&home.node)
    {
        lacks.push(lack(&home.node, None)?);
    }
    Ok(lacks)
}

/// When the newest entry of a log was written in a chart that is not sealed: that somebody wrote
/// there what is sealed is told to nobody.
fn newest_open(
    view: &dyn View,
    stream: &Stream,
    chart: &ChartId,
    newest: u64,
) -> Result<Option<Millis>, AppError> {
    for number in (1..=newest).rev() {
        let rows = view.chart_entries(stream, chart, number, 1)?;
        let Some(row) = rows.first() else { return Ok(None) };
        if row.entry.changes.iter().any(|change| &*change.resource_type != SEALED_ENTRY) {
            return Ok(Some(row.entry.hlc.millis()));
        }
    }
    Ok(None)
}
