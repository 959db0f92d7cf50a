//! What a node knows of a neighbour and keeps for it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use ondol_kernel::Class;
use ondol_record::Entry;
use ondol_replicate::Batch;

use super::state::{Chain, place};

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
    pub fn note(&mut self, number: u64) -> bool {
        if number <= self.up_to || !self.early.insert(number) {
            return false;
        }
        self.follow();
        true
    }

    /// Nothing up to a number will come.
    pub fn skip(&mut self, before: u64) {
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
    /// In which epochs it was told what it may have lost.
    pub heard: BTreeSet<u64>,
    /// The own epoch in which it was last told what is here.
    pub told: u64,
    /// Which parcels it reads.
    pub reads: u8,
    /// What came from it, by epoch and class.
    pub got: BTreeMap<u64, [Got; 4]>,
    /// How far it gave each chain itself.
    pub source: HashMap<Chain, u64>,
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
    pub fn keep(&mut self, class: usize, bytes: Arc<Vec<u8>>) {
        self.sent[class] += 1;
        self.kept[class].insert(self.sent[class], bytes);
    }

    /// Whether something of an epoch shows that it counts anew: of two copies of one backup the
    /// later one may count in the lower epoch.
    pub fn counts_later_in(&self, epoch: u64) -> bool {
        epoch > self.epoch && !self.heard.contains(&epoch)
    }

    /// Counts in an epoch from now on.
    pub fn count_in(&mut self, epoch: u64) {
        self.epoch = epoch;
        self.part = Default::default();
    }

    /// It gave an entry.
    pub fn gave(&mut self, entry: &Entry) {
        let gave = self.source.entry((entry.address.stream, entry.chart.clone())).or_default();
        *gave = (*gave).max(entry.chart_number);
    }

    /// Whether it gave a chain up to a number.
    pub fn has_given(&self, chain: &Chain, number: u64) -> bool {
        self.source.get(chain).is_some_and(|&gave| number <= gave)
    }

    /// Numbers what waits anew.
    pub fn renumber(&mut self) {
        for class in 0..4 {
            let kept = std::mem::take(&mut self.kept[class]);
            self.kept[class] = (1..).zip(kept.into_values()).collect();
            self.sent[class] = self.kept[class].len() as u64;
            self.acked[class] = 0;
        }
    }
}
