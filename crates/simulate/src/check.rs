//! What must hold, whatever happened.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ondol_app::{App, AppError};
use ondol_kernel::ResourceId;
use ondol_record::{ChartId, ChartKind};
use ondol_replicate::Parcel;
use ondol_store::{Space, Store, View};
use serde_json::Value;

use crate::{node::Node, world::World};

/// The shown version of a resource at a node, if it is there.
pub fn resource(node: &Node, kind: &str, id: &ResourceId) -> Option<Value> {
    let view = node.store().read().ok()?;
    let found = view.resource(kind, id).ok()??;
    serde_json::from_str(&found.shown.body).ok()
}

/// A message whose bytes somebody changed must not pass as one of its origin: if it still reads
/// as a parcel, some seal of it fails.
pub fn forged_does_no_harm(app: &Arc<App>, bytes: &[u8]) -> Result<(), AppError> {
    let Some((0, parcel)) = bytes.split_first() else { return Ok(()) };
    let Ok(parcel) = Parcel::decode(parcel) else { return Ok(()) };
    for batch in parcel.batches {
        let nation = app.nation();
        if let Some(known) = nation.node(&batch.seal.stream.origin)
            && batch.check(&known.key).is_ok()
        {
            // The flipped bit made no difference to what the origin sealed.
            let sound = app.check_known(&batch.entries)?;
            if !sound {
                return Err(AppError::Unexpected("a changed entry passed its seal"));
            }
        }
    }
    Ok(())
}

/// All invariants at rest.
pub fn all(world: &World) -> Result<(), String> {
    nothing_acknowledged_is_lost(world)?;
    nothing_waits(world)?;
    charts_agree(world)?;
    scope_is_kept(world)?;
    records_are_sound(world)
}

fn view(node: &Node) -> Result<Box<dyn View + '_>, String> {
    node.store().read().map_err(|why| format!("node {}: {why}", node.seat.at))
}

/// What a writer was told is saved is at its node, the same bytes.
fn nothing_acknowledged_is_lost(world: &World) -> Result<(), String> {
    for saved in &world.saved {
        let view = view(&world.nodes[saved.at])?;
        let found = view.entry(&saved.address).map_err(|why| why.to_string())?;
        match found {
            Some(row) if row.entry.hash() == saved.hash => {}
            Some(_) => return Err(format!("{} changed after it was acknowledged", saved.address)),
            None => return Err(format!("{} was acknowledged and is lost", saved.address)),
        }
    }
    Ok(())
}

/// Every queue is empty, and nothing is put aside.
fn nothing_waits(world: &World) -> Result<(), String> {
    for node in &world.nodes {
        let status = node.app().road_status().map_err(|why| why.to_string())?;
        if let Some(peer) = status.iter().find(|peer| peer.is_waiting()) {
            return Err(format!("node {} still has something for {}", node.seat.at, peer.node));
        }
        let aside = view(node)?.values(Space::Quarantine, b"", None, 1);
        if !aside.map_err(|why| why.to_string())?.is_empty() {
            return Err(format!("node {} has put something aside", node.seat.at));
        }
    }
    Ok(())
}

/// A chart as one node sees it: every resource with its heads, in an order of its own.
fn chart_of(node: &Node, chart: &ChartId) -> Result<BTreeSet<String>, String> {
    let found = view(node)?.chart(chart, &[]).map_err(|why| why.to_string())?;
    let all = found.iter().map(|found| {
        let heads: Vec<String> = found.heads().iter().map(ToString::to_string).collect();
        let shown = &found.shown;
        format!("{}/{} {} {}", shown.resource_type, shown.id, heads.join(","), shown.body)
    });
    Ok(all.collect())
}

/// Whoever has something of a chart has all of it, the same versions in the same order.
fn charts_agree(world: &World) -> Result<(), String> {
    let mut charts: BTreeMap<ChartId, Vec<usize>> = BTreeMap::new();
    for saved in &world.saved {
        charts.entry(saved.chart.clone()).or_default().push(saved.at);
    }
    for (chart, writers) in charts {
        let whole = chart_of(&world.nodes[writers[0]], &chart)?;
        let mut holders: BTreeSet<usize> = writers.into_iter().collect();
        // By rule: whoever treats above a holder.
        for at in holders.clone() {
            let mut at = at;
            while let Some(above) = world.nodes[at].seat.above {
                if !world.nodes[above].seat.tier.treats() {
                    break;
                }
                holders.insert(above);
                at = above;
            }
        }
        for node in &world.nodes {
            let here = chart_of(node, &chart)?;
            if here == whole || here.is_empty() && !holders.contains(&node.seat.at) {
                continue;
            }
            let missing = whole.difference(&here).count();
            let extra = here.difference(&whole).count();
            return Err(format!(
                "{chart:?} differs at node {}: {missing} missing, {extra} more",
                node.seat.at
            ));
        }
    }
    Ok(())
}

/// Nobody's chart is at the ministry.
fn scope_is_kept(world: &World) -> Result<(), String> {
    for node in world.nodes.iter().filter(|node| !node.seat.tier.treats()) {
        let charts = view(node)?.charts(ChartKind::Patient, None, 1);
        if !charts.map_err(|why| why.to_string())?.is_empty() {
            return Err(format!("node {} treats nobody and holds a chart", node.seat.at));
        }
    }
    Ok(())
}

/// `ondol verify` finds nothing.
fn records_are_sound(world: &World) -> Result<(), String> {
    for node in &world.nodes {
        let findings = node.store().verify(&mut |_, _| {}).map_err(|why| why.to_string())?;
        if let Some(finding) = findings.first() {
            return Err(format!("node {}: {}", node.seat.at, finding.what));
        }
    }
    Ok(())
}
