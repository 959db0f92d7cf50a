//! The power goes and comes, clocks go wrong, backups are put back.

use super::{
    Slip,
    country::{Country, around},
    due::What,
    end::End,
    machine::Around,
    state::{Chain, Head, NO_HEAD, Op},
};

/// 1 January 2026, ms.
pub(super) const START_MS: i64 = 1_767_225_600_000;
/// How far apart incarnations are at the most, as in the product: two copies of one backup know
/// nothing of each other.
const STEP_BITS: u32 = 24;
/// A year, ms.
const YEAR_MS: i64 = 365 * 86_400_000;

impl Country {
    pub(super) fn power_off(&mut self, at: usize) {
        if self.machines[at].on {
            let mut around = around!(self);
            self.machines[at].power_off(&mut around);
            self.hang_up_all(at);
        }
    }

    pub(super) fn power_on(&mut self, at: usize) -> Result<(), String> {
        if self.machines[at].on {
            return Ok(());
        }
        self.machines[at].check_promises()?;
        let machine = &mut self.machines[at];
        (machine.on, machine.since) = (true, self.now);
        machine.lives += 1;
        if !self.calm && self.chance.happens(10) {
            self.faults.clocks += 1;
            machine.wall_offset = -i64::try_from(self.now).unwrap_or(0);
        }
        let peers: Vec<usize> = self.tree.neighbours(at).collect();
        for &peer in &peers {
            let around = around!(self);
            let end = End::new(&self.machines[at], peer, &around)?;
            self.machines[at].ends.insert(peer, Box::new(end));
        }
        for peer in peers {
            self.service(at, peer)?;
            // Emergencies of either side.
            self.dial_if_urgent(at, peer)?;
            self.dial_if_urgent(peer, at)?;
        }
        let means = self.means(at);
        if !self.calm {
            let after = self.about(means.power_on);
            let life = self.machines[at].lives;
            self.later(after, What::PowerOff { at, life });
        }
        Ok(())
    }

    pub(super) fn a_clock_is_wrong(&mut self, at: usize) {
        self.faults.clocks += 1;
        let years = i64::try_from(self.chance.next() % 21).unwrap_or(0) - 10;
        self.machines[at].wall_offset = match self.chance.next() % 3 {
            // Somebody set it right.
            0 => START_MS,
            _ => START_MS + years * YEAR_MS,
        };
    }

    /// A node is put back from its backup, or goes on on a copy of its disk.
    pub(super) fn put_back(&mut self, at: usize) {
        self.power_off(at);
        let machine = &mut self.machines[at];
        // Now and then the one that was put back the last time, though there may be a newer one.
        let again = machine.put_back.is_some() && self.chance.happens(25);
        let backup = if again { machine.put_back.clone() } else { machine.backup.take() };
        match backup {
            Some(backup) if self.chance.happens(70) => {
                self.faults.restored += 1;
                machine.put_back = Some(backup.clone());
                for (chain, saved) in &mut machine.ledger {
                    saved.here = saved.here.min(backup.head(chain).number);
                }
                machine.promised.clear();
                let broken = std::mem::replace(&mut machine.disk, *backup);
                for (chain, head) in broken.heads {
                    if self.machines[at].disk.head(&chain).number < head.number {
                        self.only_the_broken_disk_had(&chain);
                    }
                }
            }
            _ => self.faults.cloned += 1,
        }
        // What waits goes again under other numbers, and parts of pictures have no names.
        self.restored.insert(at);
        let machine = &mut self.machines[at];
        if self.plan.slip != Some(Slip::ReusedIncarnation) {
            let step = 1 + u32::try_from(self.chance.next() >> (64 - STEP_BITS)).unwrap_or(0);
            machine.disk.apply(&Op::Anew { step }, at, &self.tree);
        }
        machine.memory = machine.disk.clone();
        self.later(3_000, What::PowerOn(at));
    }

    /// A disk is broken that had something of a chain. Its writers were told that it is saved: what
    /// is lost now, and what follows it, has to be nowhere any more. Nothing else may be lost: not
    /// what is on the disk of anybody, also if it waits there for what is elsewhere.
    fn only_the_broken_disk_had(&mut self, chain: &Chain) {
        let Some(origin) = self.tree.place_of(&chain.0.origin) else { return };
        let mut concerned = self.tree.concerned(&chain.1);
        concerned.push(origin);
        let disks = || concerned.iter().map(|&at| &self.machines[at].disk);
        let mut there = disks().map(|disk| disk.head(chain)).max_by_key(|head| head.number);
        let mut next = there;
        while let Some(head) = next {
            there = Some(head);
            let follows = (chain.clone(), head.number + 1);
            next =
                disks().filter_map(|disk| disk.waiting.get(&follows)).find_map(|(index, batch)| {
                    let entry = &batch.entries[*index];
                    let hash = entry.hash();
                    (entry.previous == head.hash).then_some(Head { number: head.number + 1, hash })
                });
        }
        let there = there.unwrap_or(NO_HEAD);
        if let Some(saved) = self.machines[origin].ledger.get_mut(chain)
            && saved.everywhere.number > there.number
        {
            saved.everywhere = there;
        }
    }
}
