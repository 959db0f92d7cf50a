//! What must hold, whatever happened.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ondol_app::{App, AppError};
use ondol_kernel::{NodeId, ResourceId};
use ondol_record::{Address, ChartId, ChartKind, Revoked, certificate::Tier, entry::ChangeKind};
use ondol_store::{Space, Store, View};
use serde_json::Value;

use crate::{
    land::land,
    loss,
    node::Node,
    theft::{self, Stolen},
    world::{Tally, World},
};

/// The shown version of a resource at a node, if it is there and was not taken back.
pub fn resource(node: &Node, kind: &str, id: &ResourceId) -> Option<Value> {
    let view = node.store().read().ok()?;
    let found = view.resource(kind, id).ok()??;
    let is_there = found.shown.kind == ChangeKind::Put;
    is_there.then(|| serde_json::from_str(&found.shown.body).ok())?
}

/// A message whose bytes somebody changed must not pass as one of its origin: if it still reads
/// as a parcel, some seal of it fails.
pub fn forged_does_no_harm(app: &Arc<App>, from: NodeId, bytes: &[u8]) -> Result<(), AppError> {
    let Some((0, parcel)) = bytes.split_first() else { return Ok(()) };
    let Some(parcel) = app.parcel_from(from, parcel)? else { return Ok(()) };
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
    charts_are_where_they_belong(world)?;
    scope_is_kept(world)?;
    records_are_sound(world)
}

pub(crate) fn view(node: &Node) -> Result<Box<dyn View + '_>, String> {
    node.store().read().map_err(|why| format!("a node cannot be read: {why}"))
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
    for (at, node) in trusted(world) {
        let status = node.app().road_status().map_err(|why| why.to_string())?;
        if let Some(peer) = status.iter().find(|peer| peer.is_waiting()) {
            let to = land().ids.iter().position(|id| *id == peer.node);
            let classes = &peer.classes;
            return Err(format!("node {at} still has something for node {to:?}: {classes:?}"));
        }
        let aside = view(node)?.values(Space::Quarantine, b"", None, usize::MAX);
        let aside = aside.map_err(|why| why.to_string())?;
        for (key, value) in aside.iter().filter(|(key, _)| !is_of_the_stolen(world, key)) {
            if !loss::waits_for_what_is_gone(world, key, value)? {
                return Err(format!("node {at} has put something aside"));
            }
        }
    }
    Ok(())
}

/// The nodes but the one that was stolen.
fn trusted(world: &World) -> impl Iterator<Item = (usize, &Node)> {
    let stolen = world.stolen.as_ref().map(|stolen| stolen.at);
    world.nodes.iter().enumerate().filter(move |(at, _)| Some(*at) != stolen)
}

/// Whether something that is put aside was written by the stolen computer: what came beyond the
/// last trusted numbers, marks of what had come before, and what waits for an entry that never
/// came.
fn is_of_the_stolen(world: &World, key: &[u8]) -> bool {
    let Some(stolen) = &world.stolen else { return false };
    let id = &land().ids[stolen.at].0[..];
    match key.split_first() {
        Some((b'r' | b'w', rest)) => rest.starts_with(id),
        Some((b'd', rest)) => rest.windows(id.len()).any(|part| part == id),
        _ => false,
    }
}

/// Nobody who heard of the theft took in anything more, and all that had come before is marked.
pub fn theft(world: &World, stolen: &Stolen) -> Result<Tally, String> {
    let mut tally = Tally { stolen: 1, ..Tally::default() };
    tally.by_thief =
        theft::beyond(&world.nodes[stolen.at], stolen.at, &stolen.revoked)?.len() as u64;
    for (at, node) in trusted(world) {
        let Some(before) = stolen.heard.get(&at) else {
            return Err(format!("node {at} was told of the theft and does not know of it"));
        };
        let now = theft::beyond(node, stolen.at, &stolen.revoked)?;
        if now != *before {
            return Err(format!("node {at} heard of the theft and took in what came afterwards"));
        }
        let marks = view(node)?.values(Space::Quarantine, b"d", None, usize::MAX);
        let marks = marks.map_err(|why| why.to_string())?;
        if marks.len() != now.len() {
            let (marked, doubted) = (marks.len(), now.len());
            return Err(format!("node {at} marked {marked} of {doubted} entries of a thief's"));
        }
        tally.doubted += now.len() as u64;
    }
    Ok(tally)
}

/// What a node shows of a chart: every resource with its heads, in an order of its own. Where some
/// have what a stolen computer wrote and others do not: all entries that are trusted.
type Shown = BTreeSet<String>;

fn chart_of(view: &dyn View, chart: &ChartId) -> Result<Shown, String> {
    let found = view.chart(chart, &[]).map_err(|why| why.to_string())?;
    let all = found.iter().map(|found| {
        let heads: Vec<String> = found.heads().iter().map(ToString::to_string).collect();
        let shown = &found.shown;
        format!("{}/{} {} {}", shown.resource_type, shown.id, heads.join(","), shown.body)
    });
    Ok(all.collect())
}

/// Every chart that anybody holds: who holds it, and what they show.
fn charts(world: &World) -> Result<BTreeMap<ChartId, BTreeMap<usize, Shown>>, String> {
    let mut charts: BTreeMap<ChartId, BTreeMap<usize, Shown>> = BTreeMap::new();
    let written_by_thief = charts_of_thief(world)?;
    for (at, node) in trusted(world) {
        let view = view(node)?;
        for kind in [ChartKind::Patient, ChartKind::Facility] {
            for chart in view.charts(kind, None, usize::MAX).map_err(|why| why.to_string())? {
                let shown = match &world.stolen {
                    Some(stolen) if written_by_thief.contains(&chart) => {
                        trusted_of(&*view, &chart, &stolen.revoked)?
                    }
                    _ => chart_of(&*view, &chart)?,
                };
                // Whoever has nothing but what a thief wrote holds nothing.
                if !shown.is_empty() || !written_by_thief.contains(&chart) {
                    charts.entry(chart).or_default().insert(at, shown);
                }
            }
        }
    }
    Ok(charts)
}

/// The charts in which anybody has something that the stolen computer wrote.
fn charts_of_thief(world: &World) -> Result<BTreeSet<ChartId>, String> {
    let mut charts = BTreeSet::new();
    let Some(stolen) = &world.stolen else { return Ok(charts) };
    for node in &world.nodes {
        let view = view(node)?;
        for address in theft::beyond(node, stolen.at, &stolen.revoked)? {
            let row = view.entry(&address).map_err(|why| why.to_string())?;
            charts.extend(row.map(|row| row.entry.chart));
        }
    }
    Ok(charts)
}

/// The entries of a chart that are trusted.
fn trusted_of(view: &dyn View, chart: &ChartId, revoked: &Revoked) -> Result<Shown, String> {
    let mut shown = Shown::new();
    let of_stolen =
        |at: &Address| revoked.statements().iter().any(|one| one.node == at.stream.origin);
    for (stream, newest, _) in view.chart_heads(chart).map_err(|why| why.to_string())? {
        let most = usize::try_from(newest).unwrap_or(usize::MAX);
        for row in view.chart_entries(&stream, chart, 1, most).map_err(|why| why.to_string())? {
            let at = row.entry.address;
            if !of_stolen(&at) || !theft::is_beyond(view, revoked, &at)? {
                shown.insert(format!("{at} {:?}", row.entry.hash().0));
            }
        }
    }
    Ok(shown)
}

/// Whoever has something of a chart has all of it, the same versions shown in the same way.
fn charts_agree(world: &World) -> Result<(), String> {
    for (chart, holders) in charts(world)? {
        let mut holders = holders.into_iter();
        let Some((first, whole)) = holders.next() else { continue };
        for (at, here) in holders {
            if here != whole {
                let missing = whole.difference(&here).count();
                let extra = here.difference(&whole).count();
                let entries = entries_of(world, &chart, [first, at])?;
                return Err(format!(
                    "{chart:?} differs: node {at} lacks {missing} that node {first} shows, and \
                     has {extra} more; {entries}"
                ));
            }
        }
    }
    Ok(())
}

/// The logs of a chart that are longer at one of two nodes, for whoever looks for the reason.
fn entries_of(world: &World, chart: &ChartId, two: [usize; 2]) -> Result<String, String> {
    let mut logs: BTreeMap<_, [u64; 2]> = BTreeMap::new();
    for (which, at) in two.into_iter().enumerate() {
        let heads = view(&world.nodes[at])?.chart_heads(chart).map_err(|why| why.to_string())?;
        for (stream, number, _) in heads {
            logs.entry(stream).or_default()[which] = number;
        }
    }
    let unlike = logs.iter().filter(|(_, [one, other])| one != other).map(|(stream, numbers)| {
        let origin = land().ids.iter().position(|id| *id == stream.origin);
        format!("of node {origin:?}, {}, {}: {numbers:?}", stream.incarnation, stream.class)
    });
    Ok(unlike.collect::<Vec<_>>().join("; "))
}

/// Those above who treat people of a place, itself among them.
fn treating_line(at: usize) -> impl Iterator<Item = usize> {
    land().line_up(at).into_iter().filter(|&above| land().treats(above))
}

/// Who holds a person's chart: who wrote in it, who was asked, and those above them who treat.
/// Who holds a facility's: those above it, those below it, and everybody if it is a specialist
/// hospital.
fn charts_are_where_they_belong(world: &World) -> Result<(), String> {
    let held = charts(world)?;
    for (chart, known) in &world.holders {
        let nobody = BTreeMap::new();
        let here = held.get(chart).unwrap_or(&nobody);
        let (must, may): (BTreeSet<usize>, BTreeSet<usize>) = match chart {
            ChartId::Patient(_) => (
                known.must.iter().copied().flat_map(treating_line).collect(),
                may_hold(world, chart).into_iter().flat_map(treating_line).collect(),
            ),
            _ => {
                let all = known.must.iter().flat_map(|&at| facility_line(at)).collect();
                (all, (0..world.nodes.len()).collect())
            }
        };
        // What the stolen computer wrote or was asked may never have got any further.
        let stolen = world.stolen.as_ref().map(|stolen| stolen.at);
        let is_sure = stolen.is_none_or(|stolen| !known.may.contains(&stolen));
        let has_to = |at: &&usize| Some(**at) != stolen && !here.contains_key(at);
        if let Some(at) = must.iter().find(has_to).filter(|_| is_sure) {
            return Err(format!("{chart:?} is not at node {at}, which has to hold it"));
        }
        if let Some(at) = here.keys().find(|at| !may.contains(at)) {
            return Err(format!("{chart:?} is at node {at}, which has no part in it"));
        }
    }
    Ok(())
}

/// Who may hold a chart for its own sake, or for that of another that was linked with it.
fn may_hold(world: &World, chart: &ChartId) -> BTreeSet<usize> {
    let mut charts = BTreeSet::from([chart]);
    loop {
        let known = charts.len();
        for (one, two) in &world.linked {
            if charts.contains(one) || charts.contains(two) {
                charts.extend([one, two]);
            }
        }
        if charts.len() == known {
            break;
        }
    }
    let holders = charts.into_iter().filter_map(|chart| world.holders.get(chart));
    holders.flat_map(|of| &of.may).copied().collect()
}

fn facility_line(at: usize) -> Vec<usize> {
    let everybody = 0..land().seats.len();
    if land().seats[at].tier == Tier::Specialist {
        return everybody.collect();
    }
    let up = land().line_up(at);
    everybody.filter(|other| up.contains(other) || land().line_up(*other).contains(&at)).collect()
}

/// Nobody's chart is where nobody is treated.
fn scope_is_kept(world: &World) -> Result<(), String> {
    for (at, node) in world.nodes.iter().enumerate().filter(|(at, _)| !land().treats(*at)) {
        let charts = view(node)?.charts(ChartKind::Patient, None, 1);
        if !charts.map_err(|why| why.to_string())?.is_empty() {
            return Err(format!("node {at} treats nobody and holds a chart"));
        }
    }
    Ok(())
}

/// `ondol verify` finds nothing.
fn records_are_sound(world: &World) -> Result<(), String> {
    for (at, node) in world.nodes.iter().enumerate() {
        let findings = node.store().verify(&mut |_, _| {}).map_err(|why| why.to_string())?;
        if let Some(finding) = findings.first() {
            return Err(format!("node {at}: {}", finding.what));
        }
    }
    Ok(())
}
