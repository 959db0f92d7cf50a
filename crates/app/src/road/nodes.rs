//! The computers of the nation as people look after them: which are trusted, and revoking one that
//! was stolen or lost (ADR 0026).

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use ondol_access::{Action, Denial, Reason};
use ondol_kernel::{Class, Millis, NodeId, ResourceId};
use ondol_record::{
    Address, ChartId, Entry, Revocation, Stream,
    certificate::Tier,
    revocation::{INCARNATIONS_MAX, Trusted, Why},
    sealed::SEALED_ENTRY,
};
use ondol_replicate::Parcel;
use ondol_store::{Space, View};

use super::revoke;
use crate::{Actor, App, AppError, arrivals};

/// Where the nation's root key lies. It is asked each time, since it may be put into a safe.
pub trait RootKey: Send + Sync {
    /// The key; none if it is not at this node, or not now.
    fn key(&self) -> Option<SigningKey>;
}

/// A computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRow {
    /// The node.
    pub node: NodeId,
    /// Its facility.
    pub facility: ResourceId,
    /// The facility's name; empty if it is not known here.
    pub name: String,
    /// Its tier.
    pub tier: Tier,
    /// When its certificate was made.
    pub issued: Millis,
    /// Whether it is the one that is asked.
    pub is_own: bool,
    /// Whether who asks may revoke it.
    pub may_revoke: bool,
    /// Whether who asks may hang it below another one.
    pub may_move: bool,
    /// The name of the facility above it; empty if there is none or it is not known here.
    pub above: String,
    /// Since when it hangs there, if it moved.
    pub moved: Option<Millis>,
    /// What is known if it was revoked.
    pub revoked: Option<RevokedNode>,
}

/// What a revocation of a node says, and what it did here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedNode {
    /// When it was signed first.
    pub at: Millis,
    /// Why.
    pub why: Why,
    /// The last numbers that are trusted.
    pub trusted: Trusted,
    /// What came afterwards beyond them and was not taken in.
    pub apart: u64,
    /// Entries beyond them that had been taken in before.
    pub doubted: u64,
    /// Entries that waited for it and are not sent any more. They are in the record.
    pub entries_dropped: u64,
    /// Messages that waited for it and are not sent any more.
    pub messages_dropped: u64,
}

/// An entry beyond the last trusted number of a revoked node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its address.
    pub address: Address,
    /// Its chart, if who asks may see it.
    pub chart: Option<ChartId>,
    /// When it was written, by the clock of the node that wrote it.
    pub written: Millis,
    /// The types of its resources. What is sealed is not told.
    pub types: Vec<Box<str>>,
    /// Whether it stands in the record, since it came before the revocation did.
    pub is_here: bool,
}

/// Whom to revoke.
#[derive(Debug, Clone)]
pub struct Revoking {
    /// The node.
    pub node: NodeId,
    /// Why, as everybody reads it.
    pub why: Why,
    /// The last numbers that are trusted.
    pub trusted: Trusted,
    /// What happened, for the account of this node.
    pub reason: String,
}

/// Trusted numbers as people read them to each other: a line for each incarnation, `3: 12 340 5600
/// 9`, the most urgent class first.
pub fn trusted_text(trusted: &Trusted) -> String {
    let line =
        |(incarnation, [a, b, c, d]): (&u32, &[u64; 4])| format!("{incarnation}: {a} {b} {c} {d}");
    trusted.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Reads what [`trusted_text`] wrote and people typed; blank lines are passed over. None if a line
/// is not of that form, an incarnation stands there twice, or a number is out of range.
pub fn read_trusted(text: &str) -> Option<Trusted> {
    let mut trusted = Trusted::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (incarnation, numbers) = line.split_once(':')?;
        let number = |text: &str| text.parse().ok().filter(|&number| i64::try_from(number).is_ok());
        let numbers: Option<Vec<u64>> = numbers.split_whitespace().map(number).collect();
        let numbers: [u64; 4] = numbers?.try_into().ok()?;
        if trusted.insert(incarnation.trim().parse().ok()?, numbers).is_some() {
            return None;
        }
    }
    (trusted.len() <= INCARNATIONS_MAX).then_some(trusted)
}

impl App {
    /// Gives this node the nation's root key, once.
    pub fn use_root_key(&self, key: Arc<dyn RootKey>) {
        // Whoever opens the node does so once.
        let _ = self.root_key.set(key);
    }

    /// Whether the nation's root key lies here now: only there a node can be revoked.
    pub fn has_root_key(&self) -> bool {
        self.root().is_some()
    }

    pub(super) fn root(&self) -> Option<SigningKey> {
        let key = self.root_key.get()?.key()?;
        (key.verifying_key().to_bytes() == self.place.root).then_some(key)
    }

    /// Since when and why this node itself is believed no more.
    pub fn own_revocation(&self) -> Option<(Millis, Why)> {
        let nation = self.nation();
        let first = nation.revoked(&self.place.node)?.statements().first()?;
        Some((first.at, first.why))
    }

    /// This computer, those below, and all that were revoked; by name.
    pub fn nodes(&self, actor: &Actor) -> Result<Vec<NodeRow>, AppError> {
        self.node_rows_for(actor, None)
    }

    /// One of [`App::nodes`].
    pub fn node(&self, actor: &Actor, node: &NodeId) -> Result<NodeRow, AppError> {
        self.node_rows_for(actor, Some(node))?.pop().ok_or(AppError::NotFound)
    }

    /// The same for the command line, which belongs to whoever holds the data directory.
    pub fn nodes_at_console(&self) -> Result<Vec<NodeRow>, AppError> {
        self.node_rows(&*self.view()?, None)
    }

    fn node_rows_for(
        &self,
        actor: &Actor,
        only: Option<&NodeId>,
    ) -> Result<Vec<NodeRow>, AppError> {
        let own = ChartId::Facility(self.place.facility.clone());
        let view = self.view()?;
        self.may(&*view, actor, Action::SeeRoad, &own, None)?;
        let mut rows = self.node_rows(&*view, only)?;
        for row in &mut rows {
            let chart = ChartId::Facility(row.facility.clone());
            let may = |action| match self.may(&*view, actor, action, &chart, None) {
                Ok(_) | Err(AppError::Denied(Denial::NeedsReason { .. })) => Ok(true),
                Err(AppError::Denied(_)) => Ok(false),
                Err(why) => Err(why),
            };
            let is_other = !row.is_own && !self.practice;
            row.may_revoke = is_other && may(Action::RevokeNode)?;
            row.may_move = is_other && row.revoked.is_none() && may(Action::InviteNode)?;
        }
        Ok(rows)
    }

    fn node_rows(&self, view: &dyn View, only: Option<&NodeId>) -> Result<Vec<NodeRow>, AppError> {
        let nation = self.nation();
        let shown = nation.nodes().filter(|known| {
            only.is_none_or(|only| known.node == *only)
                && (nation.is_within(&known.node, &self.place.node)
                    || nation.is_revoked(&known.node))
        });
        let mut rows = vec![];
        for known in shown {
            rows.push(NodeRow {
                node: known.node,
                facility: known.facility.clone(),
                name: self.node_name(view, &known.node)?,
                tier: known.tier,
                issued: known.issued,
                is_own: known.node == self.place.node,
                may_revoke: false,
                may_move: false,
                above: match nation.parent_of(&known.node) {
                    Some(above) => self.node_name(view, &above)?,
                    None => String::new(),
                },
                moved: nation.placement(&known.node).map(|placement| placement.at),
                revoked: self.revoked_node(view, &known.node)?,
            });
        }
        rows.sort_by(|a, b| (!a.is_own, &a.name, a.issued).cmp(&(!b.is_own, &b.name, b.issued)));
        Ok(rows)
    }

    fn revoked_node(
        &self,
        view: &dyn View,
        node: &NodeId,
    ) -> Result<Option<RevokedNode>, AppError> {
        let nation = self.nation();
        let Some(revoked) = nation.revoked(node) else { return Ok(None) };
        let Some(first) = revoked.statements().first() else { return Ok(None) };
        let (entries_dropped, messages_dropped) = revoke::dropped(view, node)?;
        let apart = view.values(Space::Quarantine, &of_node(node), None, usize::MAX)?.len() as u64;
        Ok(Some(RevokedNode {
            at: first.at,
            why: first.why,
            trusted: revoked.trusted(),
            apart,
            doubted: doubted(view, revoke::DOUBTED, Some(node))?.len() as u64,
            entries_dropped,
            messages_dropped,
        }))
    }

    /// What a node wrote beyond the last trusted numbers, as far as it came here; oldest first.
    pub fn pieces_of(&self, actor: &Actor, node: &NodeId) -> Result<Vec<Piece>, AppError> {
        let own = ChartId::Facility(self.place.facility.clone());
        let view = self.view()?;
        self.may(&*view, actor, Action::SeeRoad, &own, None)?;
        let mut entries: Vec<(Entry, bool)> = vec![];
        for (_, value) in view.values(Space::Quarantine, &of_node(node), None, usize::MAX)? {
            entries.extend(apart(&value)?.into_iter().map(|entry| (entry, false)));
        }
        for at in doubted(&*view, revoke::DOUBTED, Some(node))? {
            entries.extend(view.entry(&at)?.map(|row| (row.entry, true)));
        }
        let mut pieces = vec![];
        for (entry, is_here) in entries {
            let reads = match &entry.chart {
                chart @ ChartId::Patient(_) => {
                    match self.may(&*view, actor, Action::ReadSafetySummary, chart, None) {
                        Ok(_) => true,
                        Err(AppError::Denied(_)) => false,
                        Err(why) => return Err(why),
                    }
                }
                _ => true,
            };
            pieces.extend(piece(entry, reads, is_here));
        }
        pieces.sort_by_key(|piece| (piece.written, piece.address));
        pieces.dedup_by_key(|piece| piece.address);
        Ok(pieces)
    }

    /// The last numbers of a node of which something had come here before a time, by this node's
    /// clock: all that is sealed up to them cannot have been changed since.
    pub fn came_before(
        &self,
        actor: &Actor,
        node: &NodeId,
        time: Millis,
    ) -> Result<Trusted, AppError> {
        let own = ChartId::Facility(self.place.facility.clone());
        let view = self.view()?;
        if !actor.is_node() {
            self.may(&*view, actor, Action::SeeRoad, &own, None)?;
        }
        let arrival = arrivals::before(&*view, time)?;
        let mut trusted = Trusted::new();
        for (stream, _) in view.frontiers()? {
            if stream.origin == *node {
                let last = last_before(&*view, &stream, arrival)?;
                let row = trusted.entry(stream.incarnation).or_default();
                row[usize::from(stream.class.code())] = last;
            }
        }
        trusted.retain(|_, last| *last != [0; Class::ALL.len()]);
        Ok(trusted)
    }

    /// Revokes a node with the root key that lies here. Gives the revocation as it travels.
    pub fn revoke(
        self: &Arc<Self>,
        actor: &Actor,
        revoking: &Revoking,
    ) -> Result<Vec<u8>, AppError> {
        let root = self.root().ok_or(AppError::State("root-key"))?;
        self.revoke_with(actor, &root, revoking)
    }

    /// [`App::revoke`] with a root key that is brought along.
    pub fn revoke_with(
        self: &Arc<Self>,
        actor: &Actor,
        root: &SigningKey,
        revoking: &Revoking,
    ) -> Result<Vec<u8>, AppError> {
        let nation = self.nation();
        let known = nation.node(&revoking.node).ok_or(AppError::NotFound)?;
        if self.practice || revoking.node == self.place.node {
            return Err(AppError::State("own-node"));
        }
        // Whoever holds the file of the root key may do it on the command line as the node itself.
        if !actor.is_node() {
            let reason = Reason::typed(&revoking.reason)
                .map_err(|_| AppError::Field { field: "reason", why: "missing" })?;
            let chart = ChartId::Facility(known.certificate.facility.clone());
            let grounds = {
                let view = self.view()?;
                self.may(&*view, actor, Action::RevokeNode, &chart, Some(reason.clone()))?
            };
            self.record_reading(actor, Action::RevokeNode, &chart, &grounds, reason.reveal())?;
        }
        let revocation = Revocation {
            node: revoking.node,
            at: self.now(),
            why: revoking.why,
            trusted: revoking.trusted.clone(),
            signature: [0; 64],
        }
        .signed(root);
        if !revoke::is_signed(self, &revocation)? {
            return Err(AppError::State("root-key"));
        }
        let bytes = revocation.to_bytes();
        if self.heed(None, revocation)? {
            Ok(bytes)
        } else {
            Err(AppError::State("revoked-already"))
        }
    }
}

/// What stands in a chart beyond the last trusted numbers of a revoked node. Whoever shows the
/// chart has to say so.
pub(crate) fn doubted_in(view: &dyn View, chart: &ChartId) -> Result<Vec<Piece>, AppError> {
    let mut pieces = vec![];
    for at in doubted(view, &revoke::doubted_prefix(chart), None)? {
        let entry = view.entry(&at)?.map(|row| row.entry);
        pieces.extend(entry.and_then(|entry| piece(entry, true, true)));
    }
    pieces.sort_by_key(|piece| (piece.written, piece.address));
    Ok(pieces)
}

fn of_node(node: &NodeId) -> Vec<u8> {
    [revoke::APART, &node.0].concat()
}

/// The marked entries behind a prefix, of one node or of any.
fn doubted(
    view: &dyn View,
    prefix: &[u8],
    node: Option<&NodeId>,
) -> Result<Vec<Address>, AppError> {
    let mut found = vec![];
    for (key, _) in view.values(Space::Quarantine, prefix, None, usize::MAX)? {
        let at = revoke::read_doubted(&key)?;
        if node.is_none_or(|node| at.stream.origin == *node) {
            found.push(at);
        }
    }
    Ok(found)
}

/// The entries of a value that was kept apart.
fn apart(value: &[u8]) -> Result<Vec<Entry>, AppError> {
    let damaged = AppError::Unexpected("what was kept apart");
    match value.split_first() {
        Some((&revoke::APART_PARCEL, parcel)) => {
            let parcel = Parcel::decode(parcel).map_err(|_| damaged)?;
            Ok(parcel.batches.into_iter().flat_map(|batch| batch.entries).collect())
        }
        Some((&revoke::APART_ENTRY, entry)) => {
            Ok(vec![Entry::from_bytes(entry).map_err(|_| damaged)?])
        }
        _ => Err(damaged),
    }
}

/// An entry as a list shows it; none if all of it is sealed: of that nobody is told.
fn piece(entry: Entry, shows_chart: bool, is_here: bool) -> Option<Piece> {
    let types = entry.changes.iter().map(|change| change.resource_type.clone());
    let mut types: Vec<Box<str>> = types.filter(|name| **name != *SEALED_ENTRY).collect();
    types.sort();
    types.dedup();
    let written = entry.hlc.millis();
    let chart = shows_chart.then_some(entry.chart);
    (!types.is_empty()).then_some(Piece { address: entry.address, chart, written, types, is_here })
}

/// The end of the last sealed range of a log of which something had come before an arrival.
fn last_before(view: &dyn View, stream: &Stream, arrival: u64) -> Result<u64, AppError> {
    const AT_ONCE: u64 = 500;
    let (mut end, mut width) = (view.last_sealed(stream)?, AT_ONCE);
    while end > 0 {
        let first = end.saturating_sub(width - 1).max(1);
        let rows = view.stream_entries(stream, first, end)?;
        // Numbers may be far apart where only some charts come.
        width = if rows.is_empty() { width.saturating_mul(2) } else { AT_ONCE };
        if let Some(row) = rows.iter().rev().find(|row| row.arrival <= arrival) {
            let seal = view.seal(&row.entry.address)?;
            return Ok(seal.map_or(row.entry.address.number, |seal| seal.last));
        }
        end = first - 1;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trusted_numbers_are_read_as_they_are_told() {
        let trusted = Trusted::from([(0, [1, 2, 3, 4]), (7, [0, 340, 5_600, 9])]);
        assert_eq!(trusted_text(&trusted), "0: 1 2 3 4\n7: 0 340 5600 9");
        assert_eq!(read_trusted(&trusted_text(&trusted)), Some(trusted));
        assert_eq!(read_trusted("\n 7 :0  340 5600 9 \n\n").unwrap()[&7], [0, 340, 5_600, 9]);
        assert_eq!(read_trusted(""), Some(Trusted::new()));
        for bad in ["7", "7: 1 2 3", "7: 1 2 3 4 5", "x: 1 2 3 4", "7: 1 2 3 -4", "7: 1 2 3 4,5"] {
            assert_eq!(read_trusted(bad), None, "{bad}");
        }
        assert_eq!(read_trusted("7: 1 2 3 4\n7: 1 2 3 4"), None);
        assert_eq!(read_trusted("7: 1 2 3 18446744073709551615"), None);
    }
}
