//! What a node holds, and the changes that are made to it.
//!
//! Each change is a value of its own. A node makes it in memory at once and on its disk when it
//! syncs: so a power cut leaves exactly what was synced, and perhaps the first of what was not.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use ondol_kernel::{Class, Hlc, Millis};
use ondol_record::{ChartId, Entry, EntryHash, Stream};
use ondol_replicate::Batch;

use super::{select::select, tree::Tree};

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

/// Which messages of a class are here.
#[derive(Debug, Clone, Default)]
pub struct Got {
    /// All up to this one.
    pub up_to: u64,
    early: BTreeSet<u64>,
}

impl Got {
    /// Whether a number is here.
    fn has(&self, number: u64) -> bool {
        number <= self.up_to || self.early.contains(&number)
    }

    /// Notes a number; false if it is here already.
    fn note(&mut self, number: u64) -> bool {
        if number <= self.up_to || !self.early.insert(number) {
            return false;
        }
        self.follow();
        true
    }

    /// Nothing up to a number will come.
    fn skip(&mut self, before: u64) {
        self.up_to = self.up_to.max(before);
        self.early = self.early.split_off(&(self.up_to + 1));
        self.follow();
    }

    fn follow(&mut self) {
        while self.early.remove(&(self.up_to + 1)) {
            self.up_to += 1;
        }
    }
}

/// What a node knows of a neighbour and keeps for it.
#[derive(Debug, Clone, Default)]
pub struct Neighbour {
    /// In which epoch it counts.
    pub epoch: u64,
    /// Which parcels it reads.
    pub reads: u8,
    /// What came from it, by epoch and class.
    pub got: BTreeMap<u64, [Got; 4]>,
    /// What goes to it and is not packed.
    pub queue: [VecDeque<Arc<Batch>>; 4],
    /// What is packed and not held there.
    pub kept: [BTreeMap<u64, Arc<Vec<u8>>>; 4],
    /// The last number given.
    pub sent: [u64; 4],
    /// What it holds.
    pub acked: [u64; 4],
    /// What is here of a message that was arriving.
    pub part: [Option<(u64, Arc<Vec<u8>>)>; 4],
    /// Parts of pictures that were sent to it, and that came from it: how many, and the sum of
    /// their hashes' first bytes.
    pub pictures_sent: (u64, u64),
    /// See `pictures_sent`.
    pub pictures_here: (u64, u64),
}

impl Neighbour {
    /// The last number up to which everything of a class is here, in an epoch.
    pub fn up_to(&self, epoch: u64, class: Class) -> u64 {
        self.got.get(&epoch).map_or(0, |got| got[place(class)].up_to)
    }

    /// Whether a message is here.
    pub fn has(&self, epoch: u64, class: Class, number: u64) -> bool {
        self.got.get(&epoch).is_some_and(|got| got[place(class)].has(number))
    }

    /// Whether something waits for it.
    pub fn waits(&self) -> bool {
        self.queue.iter().any(|queue| !queue.is_empty()) || self.kept.iter().any(|k| !k.is_empty())
    }

    /// Numbers a message and keeps it.
    fn keep(&mut self, class: usize, bytes: Arc<Vec<u8>>) {
        self.sent[class] += 1;
        self.kept[class].insert(self.sent[class], bytes);
    }

    fn count_in(&mut self, epoch: u64) {
        self.epoch = epoch;
        self.part = Default::default();
    }
}

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
    /// A message came: the batches in it, each with a seal that holds.
    Took {
        from: usize,
        epoch: u64,
        class: Class,
        number: u64,
        batches: Arc<Vec<Arc<Batch>>>,
        picture: Option<u64>,
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
    /// Entries that wait for the one before them, with the batch that has to be handed on.
    pub waiting: BTreeMap<(Chain, u64), (usize, usize, Arc<Batch>)>,
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

    fn neighbour(&mut self, at: usize) -> &mut Neighbour {
        self.neighbours.entry(at).or_default()
    }

    /// Makes a change at a node.
    pub fn apply(&mut self, op: &Op, me: usize, tree: &Tree) -> Done {
        match op {
            Op::Wrote(entry) => self.wrote(entry),
            Op::Sealed(class, batch) => {
                let unsealed = &mut self.unsealed[place(*class)];
                unsealed.drain(..batch.entries.len().min(unsealed.len()));
                self.spread(batch, None, me, tree);
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
            Op::Took { from, epoch, class, number, batches, picture, wall } => {
                let neighbour = self.neighbour(*from);
                if *epoch > neighbour.epoch {
                    neighbour.count_in(*epoch);
                }
                let got = &mut neighbour.got.entry(*epoch).or_default()[place(*class)];
                if !got.note(*number) {
                    return Done::Known;
                }
                if let Some(sum) = picture {
                    add(&mut neighbour.pictures_here, *sum);
                }
                return self.take(*from, batches, *wall, (me, tree));
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
            Op::Renumbered { from, epoch } => self.neighbour(*from).count_in(*epoch),
            Op::Reads { from, format } => self.neighbour(*from).reads = *format,
            Op::Anew { step } => self.anew(*step),
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

    fn take(
        &mut self,
        from: usize,
        batches: &[Arc<Batch>],
        wall: Millis,
        (me, tree): (usize, &Tree),
    ) -> Done {
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
                    self.waiting.insert(waits, (from, index, batch.clone()));
                } else if entry.previous != head.hash {
                    done = Done::Clash;
                } else {
                    any_new = true;
                    self.ingest(entry, &chain, wall);
                    self.follow(&chain, wall, (me, tree));
                }
            }
            if any_new {
                self.spread(batch, Some(from), me, tree);
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
            let Some((from, index, batch)) = self.waiting.remove(&next) else { return };
            self.ingest(&batch.entries[index], chain, wall);
            self.spread(&batch, Some(from), me, tree);
        }
    }

    /// Puts what is new into the queues of those whom it concerns.
    fn spread(&mut self, batch: &Arc<Batch>, from: Option<usize>, me: usize, tree: &Tree) {
        let class = place(batch.seal.stream.class);
        for to in tree.neighbours(me).filter(|&to| Some(to) != from) {
            if let Some(part) = select(batch, |chart| tree.goes_to(to, chart)) {
                self.neighbour(to).queue[class].push_back(part);
            }
        }
    }

    /// Begins a new incarnation: what waits is numbered anew (`ondol_app::road`, `restored`).
    fn anew(&mut self, step: u32) {
        self.incarnation += step;
        self.numbers = [0; 4];
        for neighbour in self.neighbours.values_mut() {
            for class in 0..4 {
                let kept = std::mem::take(&mut neighbour.kept[class]);
                neighbour.kept[class] = (1..).zip(kept.into_values()).collect();
                neighbour.sent[class] = neighbour.kept[class].len() as u64;
                neighbour.acked[class] = 0;
            }
        }
    }
}
