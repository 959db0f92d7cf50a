//! What a node holds, and the changes that are made to it.
//!
//! Each change is a value of its own. A node makes it in memory at once and on its disk when it
//! syncs: so a power cut leaves exactly what was synced, and perhaps the first of what was not.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use ondol_kernel::{Class, Hlc, Millis};
use ondol_record::{ChartId, Entry, EntryHash, Stream};
use ondol_replicate::Batch;

use super::{compare::Gives, neighbour::Neighbour, select::select, tree::Tree};

/// A chart as one origin wrote it in one class.
pub type Chain = (Stream, ChartId);

/// The newest entry of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its count in the chain.
    pub number: u64,
    /// Its hash.
    pub hash: EntryHash,
}

/// Before the first entry of a chain.
pub const NO_HEAD: Head = Head { number: 0, hash: EntryHash::NONE };

/// The place of a class in a list of four.
pub fn place(class: Class) -> usize {
    usize::from(class.code())
}

const fn add((count, sum): &mut (u64, u64), of: u64) {
    *count += 1;
    *sum = sum.wrapping_add(of);
}

/// A change.
#[derive(Debug, Clone)]
pub enum Op {
    /// Somebody wrote something here.
    Wrote(Arc<Entry>),
    /// The own entries of a class that were not sealed are.
    Sealed(Class, Arc<Batch>),
    /// The front of a queue became a message.
    Packed { to: usize, class: Class, batches: usize, bytes: Arc<Vec<u8>> },
    /// A part of a picture became a message.
    Pictured { to: usize, bytes: Arc<Vec<u8>>, sum: u64 },
    /// A message came: the batches in it, each with a seal that holds, or what its sender is given
    /// for it.
    Took {
        from: usize,
        epoch: u64,
        class: Class,
        number: u64,
        batches: Arc<Vec<Arc<Batch>>>,
        picture: Option<u64>,
        gives: Option<Arc<Gives>>,
        /// Its sender may have counted anew since, and lost what is in it.
        is_late: bool,
        wall: Millis,
    },
    /// Nothing below a number will come.
    Skipped { from: usize, epoch: u64, class: Class, number: u64 },
    /// So much of a message is here.
    Part { from: usize, class: Class, number: u64, bytes: Arc<Vec<u8>> },
    /// A neighbour holds all up to a number.
    Delivered { to: usize, class: Class, up_to: u64 },
    /// A neighbour counts in an epoch.
    Renumbered { from: usize, epoch: u64 },
    /// A neighbour reads parcels of a format.
    Reads { from: usize, format: u8 },
    /// This is a copy: it counts anew from so many incarnations later on.
    Anew { step: u32 },
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It was made.
    New,
    /// The message was here before.
    Known,
    /// Another entry stands at the address, or another one before it: two nodes differ.
    Clash,
}

/// What a node holds.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Its incarnation.
    pub incarnation: u32,
    /// Its newest stamp.
    pub hlc: Hlc,
    /// The last own number of each class.
    pub numbers: [u64; 4],
    /// Everything it holds, as the heads of chains.
    pub heads: HashMap<Chain, Head>,
    /// Own entries that are not sealed.
    pub unsealed: [Vec<Arc<Entry>>; 4],
    /// Entries that wait for the one before them: a place in a batch that has to be handed on.
    pub waiting: BTreeMap<(Chain, u64), (usize, Arc<Batch>)>,
    /// Its neighbours.
    pub neighbours: BTreeMap<usize, Neighbour>,
}

impl State {
    /// The epoch of its numbers.
    pub fn epoch(&self) -> u64 {
        u64::from(self.incarnation) + 1
    }

    /// The head of a chain.
    pub fn head(&self, chain: &Chain) -> Head {
        self.heads.get(chain).copied().unwrap_or(NO_HEAD)
    }

    /// A neighbour.
    pub(super) fn neighbour(&mut self, at: usize) -> &mut Neighbour {
        self.neighbours.entry(at).or_default()
    }

    /// Makes a change at a node.
    pub fn apply(&mut self, op: &Op, me: usize, tree: &Tree) -> Done {
        match op {
            Op::Wrote(entry) => self.wrote(entry),
            Op::Sealed(class, batch) => {
                let unsealed = &mut self.unsealed[place(*class)];
                unsealed.drain(..batch.entries.len().min(unsealed.len()));
                self.spread(batch, me, tree);
            }
            Op::Packed { to, class, batches, bytes } => {
                let (neighbour, class) = (self.neighbour(*to), place(*class));
                let queue = &mut neighbour.queue[class];
                queue.drain(..(*batches).min(queue.len()));
                neighbour.keep(class, bytes.clone());
            }
            Op::Pictured { to, bytes, sum } => {
                let neighbour = self.neighbour(*to);
                neighbour.keep(place(Class::Bulk), bytes.clone());
                add(&mut neighbour.pictures_sent, *sum);
            }
            Op::Took { from, epoch, class, number, batches, picture, gives, is_late, wall } => {
                if self.neighbour(*from).counts_later_in(*epoch) {
                    self.counts_in(*from, *epoch, tree);
                }
                let neighbour = self.neighbour(*from);
                let got = &mut neighbour.got.entry(*epoch).or_default()[place(*class)];
                if !got.note(*number) {
                    return Done::Known;
                }
                if let Some(sum) = picture {
                    add(&mut neighbour.pictures_here, *sum);
                }
                for (chain, held) in gives.iter().flat_map(|gives| &gives.lowered) {
                    neighbour.source.insert(chain.clone(), *held);
                }
                if !is_late {
                    let entries = batches.iter().flat_map(|batch| &batch.entries);
                    entries.for_each(|entry| neighbour.gave(entry));
                }
                for range in gives.iter().flat_map(|gives| &gives.ranges) {
                    self.offer(*from, range, |_| true);
                }
                return self.take(batches, *wall, (me, tree));
            }
            Op::Skipped { from, epoch, class, number } => {
                let got = self.neighbour(*from).got.entry(*epoch).or_default();
                got[place(*class)].skip(number.saturating_sub(1));
            }
            Op::Part { from, class, number, bytes } => {
                self.neighbour(*from).part[place(*class)] = Some((*number, bytes.clone()));
            }
            Op::Delivered { to, class, up_to } => {
                let (neighbour, class) = (self.neighbour(*to), place(*class));
                // Nobody can hold what was never sent.
                let up_to = (*up_to).min(neighbour.sent[class]);
                if up_to > neighbour.acked[class] {
                    neighbour.acked[class] = up_to;
                    neighbour.kept[class] = neighbour.kept[class].split_off(&(up_to + 1));
                }
            }
            Op::Renumbered { from, epoch } => self.counts_in(*from, *epoch, tree),
            Op::Reads { from, format } => self.neighbour(*from).reads = *format,
            Op::Anew { step } => self.anew(*step, tree),
        }
        Done::New
    }

    fn wrote(&mut self, entry: &Arc<Entry>) {
        let class = place(entry.address.stream.class);
        self.numbers[class] = entry.address.number;
        self.hlc = entry.hlc;
        let head = Head { number: entry.chart_number, hash: entry.hash() };
        self.heads.insert((entry.address.stream, entry.chart.clone()), head);
        self.unsealed[class].push(entry.clone());
    }

    /// A neighbour counts in an epoch from now on.
    fn counts_in(&mut self, peer: usize, epoch: u64, tree: &Tree) {
        let neighbour = self.neighbour(peer);
        let before = neighbour.epoch;
        if epoch != before {
            neighbour.count_in(epoch);
            self.heard(peer, (before, epoch), tree);
        }
    }

    fn take(&mut self, batches: &[Arc<Batch>], wall: Millis, (me, tree): (usize, &Tree)) -> Done {
        let mut done = Done::New;
        for batch in batches {
            let mut any_new = false;
            for (index, entry) in batch.entries.iter().enumerate() {
                let chain = (entry.address.stream, entry.chart.clone());
                let head = self.head(&chain);
                if entry.chart_number <= head.number {
                    if entry.chart_number == head.number && entry.hash() != head.hash {
                        done = Done::Clash;
                    }
                } else if entry.chart_number > head.number + 1 {
                    let waits = (chain, entry.chart_number);
                    self.waiting.insert(waits, (index, batch.clone()));
                } else if entry.previous != head.hash {
                    done = Done::Clash;
                } else {
                    any_new = true;
                    self.ingest(entry, &chain, wall);
                    self.follow(&chain, wall, (me, tree));
                }
            }
            if any_new {
                self.spread(batch, me, tree);
            }
        }
        done
    }

    fn ingest(&mut self, entry: &Entry, chain: &Chain, wall: Millis) {
        self.hlc = self.hlc.observe(entry.hlc, wall);
        let head = Head { number: entry.chart_number, hash: entry.hash() };
        self.heads.insert(chain.clone(), head);
    }

    /// Takes in what waited for the entry that came last.
    fn follow(&mut self, chain: &Chain, wall: Millis, (me, tree): (usize, &Tree)) {
        loop {
            let next = (chain.clone(), self.head(chain).number + 1);
            let Some((index, batch)) = self.waiting.remove(&next) else { return };
            self.ingest(&batch.entries[index], chain, wall);
            self.spread(&batch, me, tree);
        }
    }

    /// Puts what is new into the queues of those whom it concerns.
    fn spread(&mut self, batch: &Arc<Batch>, me: usize, tree: &Tree) {
        for to in tree.neighbours(me) {
            self.offer(to, batch, |chart| tree.goes_to(to, chart));
        }
    }

    /// Queues charts of a batch for a neighbour, but for those that it gave us.
    fn offer(&mut self, to: usize, batch: &Arc<Batch>, wanted: impl Fn(&ChartId) -> bool) {
        let stream = batch.seal.stream;
        let neighbour = self.neighbour(to);
        let is_new = |entry: &Entry| {
            !neighbour.has_given(&(stream, entry.chart.clone()), entry.chart_number)
        };
        let new: BTreeSet<&ChartId> = batch
            .entries
            .iter()
            .filter(|entry| wanted(&entry.chart) && is_new(entry))
            .map(|entry| &entry.chart)
            .collect();
        if let Some(part) = select(batch, |chart| new.contains(chart)) {
            neighbour.queue[place(stream.class)].push_back(part);
        }
    }

    /// Begins a new incarnation: what waits is numbered anew, and all neighbours are told what is
    /// here (`ondol_app::road`, `restored`).
    fn anew(&mut self, step: u32, tree: &Tree) {
        self.incarnation += step;
        self.numbers = [0; 4];
        self.neighbours.values_mut().for_each(Neighbour::renumber);
        self.tell_all(tree);
    }
}
