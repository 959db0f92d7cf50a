//! The world of one seed: what happens, and in which order.

use std::collections::{BTreeMap, BTreeSet};

use ondol_app::AppError;
use ondol_kernel::{Class, Millis, ResourceId};
use ondol_record::{Address, ChartId, EntryHash};
use ondol_store::StoreError;

use crate::{
    bag::{Bag, OnTheWay},
    chance::Chance,
    check,
    land::land,
    loss::Backups,
    node::{Danger, Ended, Node},
    plant::Bug,
    theft::Stolen,
};

/// A year, ms.
const YEAR_MS: i64 = 365 * 86_400_000;

/// The start of the world: 1 January 2026.
const START: Millis = Millis(1_767_225_600_000);

/// A step takes so long, ms.
const STEP_MS: u32 = 1_000;

/// In one of so many worlds a computer is stolen.
const STEALS_EVERY: u64 = 7;

/// How often the disk of a node that is at work is about to fail, in a hundred.
const DANGER_PERCENT: u64 = 2;

/// What happened in a world.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Entries that were acknowledged to whoever wrote them.
    pub written: u64,
    /// Messages and acknowledgements that arrived, repetitions among them.
    pub arrived: u64,
    /// Messages that arrived again.
    pub repeated: u64,
    /// Power cuts.
    pub crashes: u64,
    /// What a full or failing disk refused.
    pub refused: u64,
    /// Jumps of a clock.
    pub jumps: u64,
    /// Sticks that were read.
    pub sticks: u64,
    /// Sticks of others that were refused.
    pub foreign: u64,
    /// Messages and acknowledgements that were lost.
    pub lost: u64,
    /// Messages that were changed on the way.
    pub forged: u64,
    /// Links that were cut, in one direction or both.
    pub cuts: u64,
    /// Copies on sticks that were cut short or lost bits or sectors.
    pub worn: u64,
    /// Sticks that lay in a drawer while others went.
    pub old: u64,
    /// Consults, referrals, and consults that were sent on.
    pub asked: u64,
    /// Resources that were taken back.
    pub retracted: u64,
    /// Pairs of persons that were linked or unlinked.
    pub linked: u64,
    /// Computers that were stolen and revoked.
    pub stolen: u64,
    /// Entries that a stolen computer wrote after it was trusted for the last time.
    pub by_thief: u64,
    /// Messages of a stolen computer that were refused.
    pub refused_of_thief: u64,
    /// What of it others had taken in before they heard, and marked then.
    pub doubted: u64,
    /// Disks that broke, so that a backup was put back.
    pub put_back: u64,
    /// Acknowledged entries that were on such a disk alone.
    pub gone: u64,
    /// Acknowledged entries that came back.
    pub returned: u64,
}

impl Tally {
    /// What went wrong in all. Each message that was lost, came again or was changed is one; so is
    /// each power cut, and each thing that a disk refused, whatever else it took along.
    pub const fn faults(&self) -> u64 {
        self.repeated
            + self.crashes
            + self.refused
            + self.jumps
            + self.foreign
            + self.lost
            + self.forged
            + self.cuts
            + self.worn
            + self.old
            + self.put_back
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.written += other.written;
        self.arrived += other.arrived;
        self.repeated += other.repeated;
        self.crashes += other.crashes;
        self.refused += other.refused;
        self.jumps += other.jumps;
        self.sticks += other.sticks;
        self.foreign += other.foreign;
        self.lost += other.lost;
        self.forged += other.forged;
        self.cuts += other.cuts;
        self.worn += other.worn;
        self.old += other.old;
        self.asked += other.asked;
        self.retracted += other.retracted;
        self.linked += other.linked;
        self.stolen += other.stolen;
        self.by_thief += other.by_thief;
        self.refused_of_thief += other.refused_of_thief;
        self.doubted += other.doubted;
        self.put_back += other.put_back;
        self.gone += other.gone;
        self.returned += other.returned;
    }
}

/// An entry whose writer was told that it is saved.
pub struct Saved {
    /// Where it was written.
    pub at: usize,
    /// Its address.
    pub address: Address,
    /// Its hash.
    pub hash: EntryHash,
    /// Its chart.
    pub chart: ChartId,
}

/// A person of this world.
pub(crate) struct Person {
    pub(crate) id: ResourceId,
    pub(crate) home: usize,
    pub(crate) requests: Vec<ResourceId>,
    pub(crate) notes: Vec<ResourceId>,
}

/// Who holds a chart: those who have to, and those who may.
#[derive(Default)]
pub(crate) struct Holders {
    pub(crate) must: BTreeSet<usize>,
    /// Whoever wrote or asked in it, or would have if the disk had not failed.
    pub(crate) may: BTreeSet<usize>,
}

/// A sequence: (sender, receiver, class); of promises (who promises, to whom, class).
pub(crate) type Way = (usize, usize, Class);

/// Nodes and everything between them.
pub struct World {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// What was acknowledged.
    pub saved: Vec<Saved>,
    /// What happened.
    pub tally: Tally,
    pub(crate) holders: BTreeMap<ChartId, Holders>,
    /// Charts that were ever linked as one person's: whoever may hold the one may hold the other.
    pub(crate) linked: Vec<(ChartId, ChartId)>,
    pub(crate) chance: Chance,
    pub(crate) bag: Bag,
    /// Sticks that were written once, and lie in somebody's drawer.
    pub(crate) drawer: Vec<OnTheWay>,
    pub(crate) people: Vec<Person>,
    /// Links that are cut in one direction, and until which step.
    pub(crate) cuts: Vec<(usize, usize, u64)>,
    /// What was taken in, and answered so: by epoch and number.
    pub(crate) taken: BTreeSet<(Way, u64, u64)>,
    /// How far a node said that it holds everything.
    pub(crate) promised: BTreeMap<Way, u64>,
    /// Whom the node above knows.
    pub(crate) has_knocked: Vec<bool>,
    pub(crate) step: u64,
    pub(crate) bug: Option<Bug>,
    /// At which step a computer is stolen, in some worlds.
    steals_at: Option<u64>,
    /// The one that was stolen.
    pub(crate) stolen: Option<Stolen>,
    /// In some worlds disks break: the backups that were taken.
    pub(crate) backups: Option<Backups>,
}

impl World {
    /// The world of a seed.
    pub fn new(seed: u64) -> Result<Self, AppError> {
        Self::with_bug(seed, None)
    }

    /// The world of a seed with a bug in it.
    pub fn with_bug(seed: u64, bug: Option<Bug>) -> Result<Self, AppError> {
        // In every other world nodes have just joined: they knock, and meet the others by what
        // arrives.
        let knows_everybody = seed.is_multiple_of(2);
        let nodes = (0..land().seats.len())
            .map(|at| Node::new(at, knows_everybody, START, bug))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            nodes,
            saved: vec![],
            tally: Tally::default(),
            holders: BTreeMap::new(),
            linked: vec![],
            chance: Chance::new(seed),
            bag: Bag::default(),
            drawer: vec![],
            people: vec![],
            cuts: vec![],
            taken: BTreeSet::new(),
            promised: BTreeMap::new(),
            has_knocked: vec![knows_everybody; land().seats.len()],
            step: 0,
            bug,
            // Early enough that a thief has time, and in worlds of every length.
            steals_at: (seed % STEALS_EVERY == STEALS_EVERY / 2).then_some(30 + seed % 30),
            stolen: None,
            backups: Backups::of_world(seed).filter(|_| seed % STEALS_EVERY != STEALS_EVERY / 2),
        })
    }

    /// Lets so many things happen, then mends everything, lets the road come to rest, and checks
    /// what must hold. The error says what does not.
    pub fn run(&mut self, steps: u64) -> Result<Tally, String> {
        for _ in 0..steps {
            self.step += 1;
            self.happen().map_err(|why| format!("step {}: {why}", self.step))?;
            self.notice_who_heard()?;
        }
        self.bag.clear();
        self.cuts.clear();
        for at in 0..self.nodes.len() {
            // A node knocks until it is heard: the disk of the one above may refuse what it heard.
            while !self.knock(at).map_err(|why| format!("at rest: {why}"))? {}
        }
        self.tell_of_the_theft().map_err(|why| format!("at rest: {why}"))?;
        self.come_to_rest()?;
        if self.backups.is_some() {
            // What a node handed on for others may have been lost with its disk: nodes do this
            // every hour.
            for node in &self.nodes {
                node.app().relay_again().map_err(|why| format!("at rest: {why}"))?;
            }
            self.come_to_rest()?;
        }
        check::all(self)?;
        if let Some(stolen) = &self.stolen {
            self.tally += check::theft(self, stolen)?;
        }
        Ok(self.tally)
    }

    fn happen(&mut self) -> Result<(), AppError> {
        for node in &self.nodes {
            node.clock.pass(STEP_MS);
        }
        if self.steals_at == Some(self.step) {
            self.steal()?;
        }
        self.a_disk_breaks()?;
        let at = self.chance.place(self.nodes.len());
        if !self.has_knocked[at] {
            self.knock(at)?;
        }
        match self.chance.next() % 100 {
            0..=26 => self.somebody_writes(),
            27..=53 => self.somebody_sends(),
            54..=81 => self.something_arrives(),
            82..=86 => {
                let at = self.chance.place(self.nodes.len());
                self.crash(at)
            }
            87..=89 => {
                self.a_clock_is_wrong();
                Ok(())
            }
            90..=93 => self.somebody_carries(),
            94..=96 => {
                self.cut_a_link();
                Ok(())
            }
            97 => {
                let at = self.chance.place(self.nodes.len());
                self.endanger(at);
                let again = self.nodes[at].app().relay_again();
                self.survived(at, again).map(drop)
            }
            _ => {
                // A thing is lost.
                self.tally.lost += u64::from(self.bag.take(&self.chance).is_some());
                Ok(())
            }
        }
    }

    fn a_clock_is_wrong(&mut self) {
        let clock = &self.nodes[self.chance.place(self.nodes.len())].clock;
        self.tally.jumps += 1;
        match self.chance.next() % 4 {
            // The battery is empty: 1 January 1970.
            0 => clock.set(Millis(0)),
            // Somebody set it right.
            1 => clock.set(START.plus(i64::try_from(self.step).unwrap_or(0) * i64::from(STEP_MS))),
            _ => {
                let years = i64::try_from(self.chance.next() % 21).unwrap_or(0) - 10;
                clock.jump(years * YEAR_MS);
            }
        }
    }

    /// Cuts the power of a node. Whatever it said before, it still says afterwards.
    fn crash(&mut self, at: usize) -> Result<(), AppError> {
        self.tally.crashes += 1;
        self.nodes[at].crash(&self.chance)?;
        if self.chance.happens(15) {
            self.nodes[at].clock.set(Millis(0));
        }
        for (&(_, from, class), &promised) in
            self.promised.range((at, 0, Class::ALL[0])..(at + 1, 0, Class::ALL[0]))
        {
            let epoch = self.epoch(from)?;
            let now = self.nodes[at].app().arrived_up_to_in(land().ids[from], epoch, class)?;
            if now < promised {
                return Err(AppError::Unexpected("what was said to be here is gone after a cut"));
            }
        }
        Ok(())
    }

    /// Now and then the disk fails while a node is at work.
    pub(crate) fn endanger(&mut self, at: usize) {
        if self.chance.happens(DANGER_PERCENT) {
            let (danger, after) = match self.chance.next() % 10 {
                0..=5 => (Danger::Cut, 24),
                6..=8 => (Danger::Full, 8),
                _ => (Danger::Errors, 8),
            };
            let after = self.chance.next() % after;
            self.nodes[at].endanger(danger, after);
        }
    }

    /// What a node's work gave; none if its disk refused it, or the power went meanwhile and it
    /// started again.
    pub(crate) fn survived<T>(
        &mut self,
        at: usize,
        result: Result<T, AppError>,
    ) -> Result<Option<T>, AppError> {
        match (self.nodes[at].ended(), result) {
            (Ended::Cut, result) => {
                self.crash(at)?;
                // What was said to be saved before the cut is saved.
                Ok(result.ok())
            }
            (Ended::Refused, Err(AppError::Store(StoreError::Full | StoreError::Io(_)))) => {
                self.tally.refused += 1;
                Ok(None)
            }
            (_, result) => result.map(Some),
        }
    }

    /// A number that is the same whenever the same things happened.
    pub fn digest(&self) -> Result<u64, String> {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        for node in &self.nodes {
            let view = check::view(node)?;
            for row in view.arrived_after(0, usize::MAX).map_err(|why| why.to_string())? {
                (row.arrival, row.entry.hash().0).hash(&mut hasher);
            }
        }
        Ok(hasher.finish())
    }
}
