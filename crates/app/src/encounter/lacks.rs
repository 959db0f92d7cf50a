//! What a chart lacks: how far what others wrote is here.

use std::collections::BTreeMap;

use ondol_kernel::{Millis, NodeId};
use ondol_record::ChartId;
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
        let rows = view.chart_entries(&stream, chart, count, 1)?;
        let at = rows.iter().map(|row| row.entry.hlc.millis()).max();
        let known = newest.entry(stream.origin).or_insert(Millis(i64::MIN));
        *known = (*known).max(at.unwrap_or(Millis(i64::MIN)));
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
