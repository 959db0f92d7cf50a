//! Neighbours that give back what a node lost when a backup of it was put back (ADR 0029).
//!
//! A node that counts anew tells each peer what it holds of the charts that they share, class by
//! class. Whoever is told gives it the rest, also what that node itself once wrote or brought. What
//! is given is queued as everything else, so that it travels by link, by stick and past others.

use std::collections::{BTreeMap, BTreeSet};

use ondol_kernel::{Class, NodeId, bytes::Reader};
use ondol_record::{Address, ChartId, ChartKind, Stream, certificate::Tier};
use ondol_replicate::{
    holdings::{self, Held, Holdings},
    message::Message,
};
use ondol_store::{Space, View, WriteTx};

use super::{introduce, keys, numbers, placed, queue, relay, revoke, scope, send};
use crate::{App, AppError, Nation};

/// So many charts are told of in one message, unless there would be more than [`PARTS`]: a first part
/// is answered while the next ones are on a slow line.
const CHARTS_AT_ONCE: usize = 500;

/// So many messages of a class tell what is held at the most: for each, a receiver goes through all
/// the charts that it shares with the teller.
const PARTS: usize = 32;

/// The epoch of a node that never lost anything.
const FIRST_EPOCH: u64 = 1;

/// So many rows are read before the next ones.
const STEP: usize = 500;

/// Tells all peers what is here.
pub fn tell_all(app: &App, tx: &mut dyn WriteTx) -> Result<(), AppError> {
    let nation = app.nation();
    for peer in scope::peers(&nation, &*tx)? {
        tell(app, tx, &nation, &peer)?;
    }
    Ok(())
}

/// A peer counts in an epoch in which nothing came from it yet: what this node said to it before may
/// be gone, and what it was told of the nation.
pub fn heard(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    (peer, before, epoch): (&NodeId, u64, u64),
) -> Result<(), AppError> {
    revoke::tell_again(tx, nation, peer)?;
    // Two copies of one node that call in turn are told once each. Of two that were made of the same
    // backup the later one may count in the lower epoch.
    if was_heard(tx, peer, epoch)? || nation.is_revoked(peer) {
        return Ok(());
    }
    tx.set_value(Space::Peer, &keys::heard(peer, epoch), Some(&[]))?;
    let has_lost = before > 0 || epoch > FIRST_EPOCH;
    if has_lost {
        introduce::tell_again(app, tx, nation, peer)?;
        placed::tell_again(tx, nation, peer)?;
    }
    // It may have lost, too, what this node once told it of its own loss; and whom this node had
    // forgotten was told nothing yet.
    let own = numbers::own_epoch(tx)?;
    if own > FIRST_EPOCH && (has_lost || keys::number(tx, &keys::told(peer))? < own) {
        tell(app, tx, nation, peer)?;
    }
    Ok(())
}

/// Whether a peer was heard of that counts in an epoch.
pub fn was_heard(view: &(impl View + ?Sized), peer: &NodeId, epoch: u64) -> Result<bool, AppError> {
    Ok(view.value(Space::Peer, &keys::heard(peer, epoch))?.is_some())
}

/// Tells a peer what is here of the charts that it may have a part in.
fn tell(app: &App, tx: &mut dyn WriteTx, nation: &Nation, peer: &NodeId) -> Result<(), AppError> {
    let own = numbers::own_epoch(tx)?;
    keys::set_number(tx, &keys::told(peer), own)?;
    let mut salt = [0; 8];
    app.rng.fill(&mut salt);
    let salt = u64::from_be_bytes(salt);
    let mut held: [BTreeMap<u64, Held>; Class::ALL.len()] = Default::default();
    for chart in charts_between(app, nation, &*tx, peer)? {
        let hash = holdings::hash(salt, &chart);
        for (Stream { origin, incarnation, class }, number, _) in tx.chart_heads(&chart)? {
            let of_class = &mut held[usize::from(class.code())];
            of_class.entry(hash).or_default().insert((origin, incarnation), number);
        }
    }
    for (class, charts) in Class::ALL.into_iter().zip(held) {
        let at_most = CHARTS_AT_ONCE.max(charts.len().div_ceil(PARTS));
        for part in holdings::divide(salt, charts, at_most) {
            relay::send_on(app, tx, peer, class, &Message::Holdings(part))?;
        }
    }
    // Behind a node that treats nobody there may be peers whom this node has forgotten.
    if nation.neighbours().contains(peer) && nation.tier(peer).is_some_and(|tier| !tier.treats()) {
        let anew = Message::Anew { node: app.place.node, epoch: own };
        send(tx, peer, Class::Care, &anew)?;
    }
    Ok(())
}

/// A neighbour says that a node on its side counts anew. Who treats nobody passes that on; whoever
/// has that node as a peer tells it what is here, so that it knows whom to ask. (Nothing else is
/// believed of it: the epoch of a peer behind others stands in what that peer itself sealed.)
pub fn anew(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    from: &NodeId,
    (node, epoch): (&NodeId, u64),
) -> Result<(), AppError> {
    if nation.way_to(node).first() != Some(from) {
        return Ok(());
    }
    if nation.tier(&app.place.node).is_some_and(|tier| !tier.treats()) {
        let message = Message::Anew { node: *node, epoch };
        for neighbour in nation.neighbours().iter().filter(|neighbour| *neighbour != from) {
            send(tx, neighbour, Class::Care, &message)?;
        }
    } else if tx.value(Space::Peer, &keys::relayed(node))?.is_some() && !was_heard(tx, node, epoch)?
    {
        tell(app, tx, nation, node)?;
    }
    Ok(())
}

/// The charts that may go to a peer, with those of which something came from it.
fn charts_between(
    app: &App,
    nation: &Nation,
    view: &(impl View + ?Sized),
    peer: &NodeId,
) -> Result<BTreeSet<ChartId>, AppError> {
    let mut charts = BTreeSet::new();
    let goes_to_hospital =
        nation.parent() == Some(*peer) && nation.tier(peer).is_some_and(Tier::treats);
    let everybodys = [ChartKind::Nation, ChartKind::Facility];
    let treated = [ChartKind::Practitioner, ChartKind::Patient];
    let kinds = treated.into_iter().filter(|_| goes_to_hospital).chain(everybodys);
    for kind in kinds {
        let mut last: Option<ChartId> = None;
        loop {
            let some = view.charts(kind, last.as_ref(), STEP)?;
            let Some(newest) = some.last() else { break };
            last = Some(newest.clone());
            charts
                .extend(some.into_iter().filter(|chart| scope::by_rule(app, nation, peer, chart)));
        }
    }
    for (space, prefix) in
        [(Space::Scope, peer.0.to_vec()), (Space::Peer, keys::source_prefix(peer))]
    {
        let mut last: Option<Vec<u8>> = None;
        loop {
            let some = view.values(space, &prefix, last.as_deref(), STEP)?;
            let Some((newest, _)) = some.last() else { break };
            last = Some(newest.clone());
            for (key, _) in some {
                charts.insert(chart_of(&key, prefix.len())?);
            }
        }
    }
    Ok(charts)
}

fn chart_of(key: &[u8], at: usize) -> Result<ChartId, AppError> {
    let damaged = || AppError::Unexpected("a note of a chart");
    let mut from = Reader::new(key.get(at..).ok_or_else(damaged)?);
    ChartId::read(&mut from).map_err(|_| damaged())
}

/// A peer told what it holds of a class: it is given the rest, of the charts that go to it.
pub fn give(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    (peer, class): (&NodeId, Class),
    holdings: &Holdings,
) -> Result<(), AppError> {
    // What waits for it already does not have to wait twice.
    let queued = queue::queued(tx, peer, class)?;
    let mut lacking: BTreeSet<Address> = BTreeSet::new();
    for chart in charts_between(app, nation, &*tx, peer)? {
        if !scope::goes_to(app, nation, &*tx, peer, &chart)? {
            continue;
        }
        let held = |stream: &Stream| {
            let of_class = (stream.class == class).then_some((stream.origin, stream.incarnation));
            holdings.of(&chart, &of_class?)
        };
        // What it once gave itself it has to be given, too.
        let mut prefix = keys::source_prefix(peer);
        chart.put(&mut prefix);
        for (key, _) in tx.values(Space::Peer, &prefix, None, usize::MAX)? {
            let stream = Stream::read(&mut Reader::new(&key[prefix.len()..]))
                .map_err(|_| AppError::Unexpected("a note of a stream"))?;
            if let Some(held) = held(&stream)
                && held < keys::number(tx, &key)?
            {
                keys::set_number(tx, &key, held)?;
            }
        }
        for (stream, newest, _) in tx.chart_heads(&chart)? {
            if let Some(held) = held(&stream)
                && held < newest
            {
                let entries = queue::distributed_after(tx, &chart, (&stream, held))?;
                lacking.extend(entries.into_iter().map(|entry| entry.address));
            }
        }
    }
    // In the order of the logs, and not chart by chart: what was sealed together travels together, and
    // a range that travels whole needs no paths.
    lacking
        .difference(&queued)
        .try_for_each(|at| queue::offer_at(app, tx, nation, (peer, at), class))
}
