//! Which charts go to which neighbour (DESIGN §5, §6).
//!
//! By rule: treating tiers above hold the charts of the people below; facilities' charts go up
//! all the way, and the charts of facilities that everybody may have to ask (those above, and
//! the specialist hospitals) come down; the nation's chart comes down. Beyond the rules a chart
//! is granted: to whoever sent us entries of it, and along the way of a consult or referral.

use ondol_kernel::{Class, NodeId, ResourceId, bytes::Reader};
use ondol_record::{ChartId, Entry, certificate::Tier, entry::Content};
use ondol_replicate::message::Message;
use ondol_store::{Space, View, WriteTx};

use super::{keys, queue, relay};
use crate::{App, AppError, Nation};

/// So many grants are noted by their charts in one commit.
const NOTED_AT_ONCE: usize = 2_000;

/// Whether a chart goes to a peer.
pub fn goes_to(
    app: &App,
    nation: &Nation,
    view: &dyn View,
    peer: &NodeId,
    chart: &ChartId,
) -> Result<bool, AppError> {
    if app.practice {
        return Ok(false);
    }
    Ok(by_rule(app, nation, peer, chart)
        || view.value(Space::Scope, &keys::scope(peer, chart))?.is_some())
}

/// Whether a chart goes to a neighbour by the rules alone.
pub fn by_rule(app: &App, nation: &Nation, peer: &NodeId, chart: &ChartId) -> bool {
    if nation.parent() == Some(*peer) {
        return match chart {
            ChartId::Nation => false,
            ChartId::Facility(facility) => nation.is_below(facility),
            ChartId::Practitioner(_) | ChartId::Patient(_) => {
                nation.tier(peer).is_some_and(Tier::treats)
            }
        };
    }
    nation.parent_of(peer) == Some(app.place.node) && below_gets(app, nation, chart)
}

/// Whether a chart goes to every node below.
pub fn below_gets(app: &App, nation: &Nation, chart: &ChartId) -> bool {
    match chart {
        ChartId::Nation => true,
        ChartId::Facility(facility) => {
            nation.is_above(facility)
                || *facility == app.place.facility
                || nation.of_facility(facility).is_some_and(|node| node.tier == Tier::Specialist)
        }
        ChartId::Practitioner(_) | ChartId::Patient(_) => false,
    }
}

/// The peers of this node: tree neighbours and those reached through others. Nodes that are
/// revoked are nobody's peers, and have none.
pub fn peers(nation: &Nation, view: &dyn View) -> Result<Vec<NodeId>, AppError> {
    let mut peers = nation.neighbours();
    if nation.is_revoked(&nation.own()) {
        return Ok(peers);
    }
    for (key, _) in view.values(Space::Peer, keys::RELAYED, None, usize::MAX)? {
        if let Some(id) = key.get(keys::RELAYED.len()..).and_then(|id| id.try_into().ok())
            && !nation.is_revoked(&NodeId(id))
        {
            peers.push(NodeId(id));
        }
    }
    Ok(peers)
}

/// Whether a node is one of [`peers`].
fn is_peer(nation: &Nation, view: &dyn View, node: &NodeId) -> Result<bool, AppError> {
    let own = nation.own();
    if nation.is_revoked(&own) || nation.is_revoked(node) {
        return Ok(false);
    }
    Ok(nation.parent() == Some(*node)
        || nation.parent_of(node) == Some(own)
        || view.value(Space::Peer, &keys::relayed(node))?.is_some())
}

/// The peers that a chart goes to. A hub has thousands of peers below it: none of them is asked
/// about a patient's chart that was not granted to it.
pub fn receivers(
    app: &App,
    nation: &Nation,
    view: &dyn View,
    chart: &ChartId,
) -> Result<Vec<NodeId>, AppError> {
    let mut receivers = vec![];
    if below_gets(app, nation, chart) || view.value(Space::Peer, keys::GRANTED_ALL)?.is_none() {
        for peer in peers(nation, view)? {
            if goes_to(app, nation, view, &peer, chart)? {
                receivers.push(peer);
            }
        }
        return Ok(receivers);
    }
    if app.practice {
        return Ok(receivers);
    }
    let mut candidates: Vec<NodeId> = nation.parent().into_iter().collect();
    candidates.retain(|above| by_rule(app, nation, above, chart));
    let prefix = keys::granted_prefix(chart);
    for (key, _) in view.values(Space::Peer, &prefix, None, usize::MAX)? {
        let id = key.get(prefix.len()..).and_then(|id| id.try_into().ok());
        candidates.push(NodeId(id.ok_or(AppError::Unexpected("a note of a grant"))?));
    }
    for peer in candidates {
        if !receivers.contains(&peer) && is_peer(nation, view, &peer)? {
            receivers.push(peer);
        }
    }
    Ok(receivers)
}

/// Notes of all grants by which charts they are of, as [`receivers`] looks for them, if this record was
/// kept by a version that did not. A part at a time; it may be stopped at any moment, and begins
/// anew then.
pub fn note_by_chart(app: &App) -> Result<(), AppError> {
    let mut last: Option<Vec<u8>> = None;
    loop {
        let some = {
            let view = app.view()?;
            if view.value(Space::Peer, keys::GRANTED_ALL)?.is_some() {
                return Ok(());
            }
            view.values(Space::Scope, &[], last.as_deref(), NOTED_AT_ONCE)?
        };
        let done = some.len() < NOTED_AT_ONCE;
        last = some.last().map(|(key, _)| key.clone());
        ondol_store::transact(&*app.store, move |tx| -> Result<(), AppError> {
            for (key, value) in some {
                let (peer, chart) = read_scope(&key)?;
                tx.set_value(Space::Peer, &keys::granted(&chart, &peer), Some(&value))?;
            }
            if done {
                tx.set_value(Space::Peer, keys::GRANTED_ALL, Some(&[]))?;
            }
            Ok(())
        })?;
    }
}

/// Who and which chart a note of [`keys::scope`] is about.
fn read_scope(key: &[u8]) -> Result<(NodeId, ChartId), AppError> {
    let damaged = || AppError::Unexpected("a note of a chart");
    let mut from = Reader::new(key);
    let peer = NodeId(from.array().map_err(|_| damaged())?);
    Ok((peer, ChartId::read(&mut from).map_err(|_| damaged())?))
}

/// Takes a grant back.
pub fn withdraw(tx: &mut dyn WriteTx, peer: &NodeId, chart: &ChartId) -> Result<(), AppError> {
    tx.set_value(Space::Peer, &keys::granted(chart, peer), None)?;
    Ok(tx.set_value(Space::Scope, &keys::scope(peer, chart), None)?)
}

/// Grants a chart to a peer. What was distributed already is put into the peer's queue, so that
/// the peer gets the whole chart; `class` says how urgently.
pub fn grant(
    app: &App,
    tx: &mut dyn WriteTx,
    peer: &NodeId,
    chart: &ChartId,
    class: Class,
) -> Result<(), AppError> {
    let nation = app.nation();
    let is_nobody = *peer == app.place.node || nation.is_revoked(peer);
    if is_nobody || goes_to(app, &nation, &*tx, peer, chart)? {
        return Ok(());
    }
    tx.set_value(Space::Scope, &keys::scope(peer, chart), Some(&[class.code()]))?;
    tx.set_value(Space::Peer, &keys::granted(chart, peer), Some(&[class.code()]))?;
    queue::backfill(app, tx, &nation, (peer, chart), class)
}

/// Grants a chart along the way to a facility that is asked to consult or to receive.
///
/// Nodes that treat hold the chart as they pass it on. Behind a tier that treats nobody (the
/// ministry) the next treating node is reached through it, sealed. False if no way is known.
pub fn lead_to(
    app: &App,
    tx: &mut dyn WriteTx,
    chart: &ChartId,
    to: &NodeId,
    class: Class,
) -> Result<bool, AppError> {
    let nation = app.nation();
    let way = nation.way_to(to);
    let Some(next) = way.iter().find(|node| nation.tier(node).is_some_and(Tier::treats)) else {
        return Ok(false);
    };
    if way.first() != Some(next) {
        tx.set_value(Space::Peer, &keys::relayed(next), Some(&[]))?;
    }
    grant(app, tx, next, chart, class)?;
    Ok(true)
}

/// Grants a chart along the way to a facility that is asked. If no way to it is known yet, that
/// is noted, and done when the certificate that is missing comes.
pub fn lead_or_wait(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    (chart, facility): (&ChartId, &ResourceId),
    class: Class,
) -> Result<(), AppError> {
    if *facility == app.place.facility {
        return Ok(());
    }
    let to = nation.of_facility(facility).map(|node| node.node);
    let led = match to {
        Some(to) => lead_to(app, tx, chart, &to, class)?,
        None => false,
    };
    let key = keys::asked(facility, chart);
    let noted = tx.value(Space::Peer, &key)?;
    if led {
        return match noted {
            Some(_) => Ok(tx.set_value(Space::Peer, &key, None)?),
            None => Ok(()),
        };
    }
    let before = noted.and_then(|value| Class::from_code(*value.first()?));
    let class = before.map_or(class, |before| before.min(class));
    Ok(tx.set_value(Space::Peer, &key, Some(&[class.code()]))?)
}

/// A peer that has a part in a chart says that it goes on towards a node.
pub fn lead_on(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    peer: &NodeId,
    (to, chart): (&NodeId, &ChartId),
) -> Result<(), AppError> {
    let comes_back = nation.way_to(to).first() == Some(peer);
    if *to == app.place.node || comes_back || !goes_to(app, nation, &*tx, peer, chart)? {
        return Ok(());
    }
    tx.set_value(Space::Peer, &keys::onward(to, chart), Some(&[]))?;
    lead_onward(app, tx)
}

/// Leads charts on that go towards a node, and says so to the next one on the way that treats. What
/// has no way yet waits.
pub fn lead_onward(app: &App, tx: &mut dyn WriteTx) -> Result<(), AppError> {
    let nation = app.nation();
    for (key, _) in tx.values(Space::Peer, keys::ONWARD, None, usize::MAX)? {
        let mut from = Reader::new(&key[keys::ONWARD.len()..]);
        let to = from.array().map(NodeId);
        let (Ok(to), Ok(chart)) = (to, ChartId::read(&mut from)) else {
            return Err(AppError::Unexpected("a chart that goes on"));
        };
        let way = nation.way_to(&to);
        let Some(next) = way.iter().find(|node| nation.tier(node).is_some_and(Tier::treats)) else {
            continue;
        };
        lead_to(app, tx, &chart, &to, Class::Care)?;
        if *next != to {
            let message = Message::Lead { to, chart };
            relay::send_on(app, tx, next, Class::Care, &message)?;
        }
        tx.set_value(Space::Peer, &key, None)?;
    }
    Ok(())
}

/// Leads on what waited for the way to a facility that was asked.
pub fn lead_what_waited(app: &App, tx: &mut dyn WriteTx) -> Result<(), AppError> {
    let nation = app.nation();
    for (key, value) in tx.values(Space::Peer, keys::ASKED, None, usize::MAX)? {
        let mut from = Reader::new(&key[keys::ASKED.len()..]);
        let facility = from.text().ok().and_then(|id| ResourceId::new(id).ok());
        let chart = ChartId::read(&mut from).ok();
        let class = value.first().and_then(|&code| Class::from_code(code));
        let (Some(facility), Some(chart), Some(class)) = (facility, chart, class) else {
            return Err(AppError::Unexpected("a note of whom a case asked"));
        };
        lead_or_wait(app, tx, &nation, (&chart, &facility), class)?;
    }
    Ok(())
}

/// The facilities that an entry asks to consult or to receive its patient.
pub fn asked(entry: &Entry) -> Vec<ChartId> {
    let requests = entry.changes.iter().filter(|change| &*change.resource_type == "ServiceRequest");
    requests
        .filter_map(|change| match &change.content {
            Content::Put(body) => Some(body.to_value()),
            _ => None,
        })
        .flat_map(|request| request["performer"].as_array().cloned().unwrap_or_default())
        .filter_map(|performer| ChartId::from_reference(performer["reference"].as_str()?))
        .filter(|chart| matches!(chart, ChartId::Facility(_)))
        .collect()
}
