//! Disks break, and backups are put back. What others hold comes back (ADR 0029); what stood on the
//! broken disk alone is gone, and nobody is asked for it any more.

use std::collections::{BTreeMap, BTreeSet};

use ondol_app::AppError;
use ondol_fault_vfs::Image;
use ondol_record::{ChartId, Entry};
use ondol_store::Store as _;

use crate::{
    check,
    land::land,
    node::Node,
    world::{Saved, World},
};

/// In one of so many worlds disks break.
const BREAKS_EVERY: u64 = 5;

/// How often a backup is taken, and how often one is put back, in a hundred steps.
const BACKUP_PERCENT: u64 = 12;
const PUT_BACK_PERCENT: u64 = 4;

/// The backups of a world in which disks break.
#[derive(Default)]
pub struct Backups {
    of: BTreeMap<usize, Image>,
    /// Those over whose disks one was put back.
    put_back: BTreeSet<usize>,
}

impl Backups {
    /// Those of the world of a seed, if disks break in it.
    pub fn of_world(seed: u64) -> Option<Self> {
        (seed % BREAKS_EVERY == 2).then(Self::default)
    }
}

impl World {
    /// Perhaps somebody takes a backup; perhaps a disk breaks.
    pub(crate) fn a_disk_breaks(&mut self) -> Result<(), AppError> {
        let Some(backups) = &mut self.backups else { return Ok(()) };
        if self.chance.happens(BACKUP_PERCENT) {
            let at = self.chance.place(self.nodes.len());
            backups.of.insert(at, self.nodes[at].backup(&self.chance));
        }
        if backups.of.is_empty() || !self.chance.happens(PUT_BACK_PERCENT) {
            return Ok(());
        }
        let which = self.chance.place(backups.of.len());
        let Some((&at, image)) = backups.of.iter().nth(which) else { return Ok(()) };
        let image = image.clone();
        backups.put_back.insert(at);
        self.put_back(at, image)
    }

    fn put_back(&mut self, at: usize, image: Image) -> Result<(), AppError> {
        self.tally.put_back += 1;
        self.nodes[at].put_back(image)?;
        let nation = self.nodes[at].app().nation();
        for (below, knocked) in self.has_knocked.iter_mut().enumerate() {
            if land().seats[below].above == Some(at) {
                *knocked = nation.node(&land().ids[below]).is_some();
            }
        }
        // What it said to be here was true of another disk, and what it sent had other numbers.
        self.taken.retain(|((_, to, _), ..)| *to != at);
        self.promised.retain(|(who, whose, _), _| *who != at && *whose != at);
        self.give_up_what_is_gone()
    }

    /// What is on no disk any more cannot come back, nor what followed from it.
    fn give_up_what_is_gone(&mut self) -> Result<(), AppError> {
        let mut gone: BTreeSet<ChartId> = BTreeSet::new();
        for saved in std::mem::take(&mut self.saved) {
            let at_home = has(&self.nodes[saved.at], &saved)?;
            let mut elsewhere = false;
            for node in self.nodes.iter().filter(|_| !at_home) {
                elsewhere = elsewhere || has(node, &saved)?;
            }
            self.tally.returned += u64::from(elsewhere);
            if at_home || elsewhere {
                self.saved.push(saved);
            } else {
                self.tally.gone += 1;
                gone.insert(saved.chart);
            }
        }
        for chart in gone {
            let mut here = BTreeSet::new();
            for (at, node) in self.nodes.iter().enumerate() {
                if !node.store().read()?.chart_heads(&chart)?.is_empty() {
                    here.insert(at);
                }
            }
            self.holders.entry(chart).or_default().must = here;
        }
        let nodes = &self.nodes;
        self.people.retain(|person| {
            nodes.iter().any(|node| check::resource(node, "Patient", &person.id).is_some())
        });
        Ok(())
    }
}

fn has(node: &Node, saved: &Saved) -> Result<bool, AppError> {
    let hash = node.store().read()?.entry_hash(&saved.address)?;
    Ok(hash == Some(saved.hash))
}

/// Whether something that was put aside is an entry of a node whose disk broke, and the one before it
/// is on no disk any more.
pub fn waits_for_what_is_gone(world: &World, key: &[u8], value: &[u8]) -> Result<bool, String> {
    let (Some(backups), Some(b'w')) = (&world.backups, key.first()) else { return Ok(false) };
    let entry = Entry::from_bytes(value).map_err(|_| "what waits is no entry")?;
    let origin = land().ids.iter().position(|id| *id == entry.address.stream.origin);
    if !origin.is_some_and(|origin| backups.put_back.contains(&origin)) {
        return Ok(false);
    }
    for node in &world.nodes {
        let head = check::view(node)?.chart_head(&entry.address.stream, &entry.chart);
        let head = head.map_err(|why| why.to_string())?.map_or(0, |(number, _)| number);
        if head + 1 >= entry.chart_number {
            return Ok(false);
        }
    }
    Ok(true)
}
