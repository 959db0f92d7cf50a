//! Neighbours that give back what a node lost when a backup of it was put back, as
//! `ondol_app::road::compare` does (ADR 0029).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ondol_kernel::Class;
use ondol_record::{Address, ChartId, EntryHash};
use ondol_replicate::{
    Batch,
    holdings::{self, Held, Holdings},
    message::Message,
};

use super::{
    library::Library,
    select::select,
    state::{Chain, State, place},
    tree::Tree,
};

/// So many charts are told of in one message: few, so that there are several of most classes.
const CHARTS_AT_ONCE: usize = 12;
/// So many messages of a class tell what is held at the most.
const PARTS: usize = 32;
/// The epoch of a node that never lost anything.
const FIRST_EPOCH: u64 = 1;

/// A range, and which charts of it.
type Part<'a> = (Arc<Batch>, BTreeSet<&'a ChartId>);

/// What a neighbour is given that told what it holds.
#[derive(Debug, Default)]
pub struct Gives {
    /// It does not hold what it once gave itself: so far it does.
    pub lowered: Vec<(Chain, u64)>,
    /// What it does not hold.
    pub ranges: Vec<Arc<Batch>>,
}

impl State {
    /// Tells all neighbours what is here.
    pub(super) fn tell_all(&mut self, tree: &Tree) {
        let all: Vec<usize> = self.neighbours.keys().copied().collect();
        for peer in all {
            self.tell(peer, tree);
        }
    }

    /// A neighbour counts in an epoch in which nothing came from it yet.
    pub(super) fn heard(&mut self, peer: usize, (before, epoch): (u64, u64), tree: &Tree) {
        let own = self.epoch();
        let neighbour = self.neighbour(peer);
        if !neighbour.heard.insert(epoch) {
            return;
        }
        if own > FIRST_EPOCH && (before > 0 || neighbour.told < own) {
            self.tell(peer, tree);
        }
    }

    /// Tells a neighbour what is here of the charts that it has a part in.
    fn tell(&mut self, peer: usize, tree: &Tree) {
        let own = self.epoch();
        let neighbour = self.neighbour(peer);
        neighbour.told = own;
        // Another one each time: since the last one something was sent, or another epoch began.
        let salt = neighbour.sent.iter().fold(own, |salt, sent| (salt << 16) ^ sent);
        let mut hashes: BTreeMap<&ChartId, u64> = BTreeMap::new();
        let mut held: [BTreeMap<u64, Held>; 4] = Default::default();
        for ((stream, chart), head) in &self.heads {
            if tree.goes_to(peer, chart) {
                let hash = *hashes.entry(chart).or_insert_with(|| holdings::hash(salt, chart));
                let of_chart = held[place(stream.class)].entry(hash).or_default();
                of_chart.insert((stream.origin, stream.incarnation), head.number);
            }
        }
        for (class, charts) in held.into_iter().enumerate() {
            let at_most = CHARTS_AT_ONCE.max(charts.len().div_ceil(PARTS));
            for part in holdings::divide(salt, charts, at_most) {
                let bytes = Arc::new(Message::Holdings(part).encode());
                self.neighbour(peer).keep(class, bytes);
            }
        }
    }

    /// What a neighbour is given that told what it holds of a class.
    pub(super) fn gives(
        &self,
        (peer, class): (usize, Class),
        holdings: &Holdings,
        (library, tree): (&Library, &Tree),
    ) -> Result<Gives, String> {
        let mut gives = Gives::default();
        let Some(neighbour) = self.neighbours.get(&peer) else { return Ok(gives) };
        let held = |(stream, chart): &Chain| {
            if stream.class != class {
                return None;
            }
            holdings.of(chart, &(stream.origin, stream.incarnation))
        };
        for (chain, &gave) in &neighbour.source {
            if let Some(held) = held(chain).filter(|&held| held < gave) {
                gives.lowered.push((chain.clone(), held));
            }
        }
        let unsealed: BTreeSet<EntryHash> =
            self.unsealed[place(class)].iter().map(|entry| entry.hash()).collect();
        // What waits for it already does not have to wait twice.
        let queued: BTreeSet<Address> = neighbour.queue[place(class)]
            .iter()
            .flat_map(|batch| batch.entries.iter().map(|entry| entry.address))
            .collect();
        let mut ranges: BTreeMap<_, Part<'_>> = BTreeMap::new();
        for (chain, head) in &self.heads {
            let Some(held) = held(chain).filter(|&held| held < head.number) else { continue };
            let (stream, chart) = chain;
            if !tree.goes_to(peer, chart) {
                continue;
            }
            let rest = library.rest(chart, *head, held);
            let rest = rest.ok_or_else(|| format!("nobody wrote what is held of {chain:?}"))?;
            // Everybody gets these when they are sealed.
            if !rest.unsealed.iter().all(|hash| unsealed.contains(hash)) {
                return Err(format!("nobody sealed what is held of {chain:?}"));
            }
            for range in rest.ranges {
                let mut of_chart = range.entries.iter().filter(|entry| entry.chart == *chart);
                if of_chart.all(|entry| queued.contains(&entry.address)) {
                    continue;
                }
                let key = (*stream, range.seal.first, range.seal.last);
                ranges.entry(key).or_insert((range, BTreeSet::new())).1.insert(chart);
            }
        }
        let parts = ranges.into_values();
        gives.ranges = parts
            .filter_map(|(range, charts)| select(&range, |chart| charts.contains(chart)))
            .collect();
        Ok(gives)
    }
}
