//! The power goes and comes, clocks go wrong, backups are put back.

use super::{
    Slip,
    country::{Country, around},
    due::What,
    end::End,
    machine::Around,
    state::Op,
};

/// 1 January 2026, ms.
pub(super) const START_MS: i64 = 1_767_225_600_000;
/// A year, ms.
const YEAR_MS: i64 = 365 * 86_400_000;

impl Country {
    pub(super) fn power_off(&mut self, at: usize) {
        if self.machines[at].on {
            let mut around = around!(self);
            self.machines[at].power_off(&mut around);
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
        match machine.backup.take() {
            Some(backup) if self.chance.happens(70) => {
                self.faults.restored += 1;
                for (chain, head) in &machine.disk.heads {
                    if backup.head(chain).number < head.number {
                        self.holes.insert((at, chain.clone()));
                        // Nobody can say what of its own others hold: they have to agree on it.
                        machine.ledger.remove(chain);
                    }
                }
                machine.promised.clear();
                machine.disk = *backup;
            }
            _ => self.faults.cloned += 1,
        }
        // What waits goes again under other numbers, and parts of pictures have no names.
        self.restored.insert(at);
        if self.plan.slip != Some(Slip::ReusedIncarnation) {
            let step = 1 + u32::try_from(self.chance.next() % 1_000).unwrap_or(0);
            machine.disk.apply(&Op::Anew { step }, at, &self.tree);
        }
        machine.memory = machine.disk.clone();
        self.later(3_000, What::PowerOn(at));
    }
}
