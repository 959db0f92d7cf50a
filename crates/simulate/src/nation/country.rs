//! Nodes, lines, and everything that happens, in the order of time.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
};

use ondol_record::certificate::Tier;
use ondol_replicate::parcel::FORMAT;

use super::{
    Outcome, Plan, Slip, check,
    courier::Carried,
    due::{Due, What},
    faults::Faults,
    library::Library,
    machine::{Around, Machine},
    neighbour::Neighbour,
    people,
    power::START_MS,
    service::LOOK_MS,
    tree::Tree,
    weather::{DAY, MINUTE, Means, Weather, about},
    wire::{Line, Wire},
};
use crate::chance::Chance;

/// When everything is mended, the country comes to rest within so long.
const REST_MS_MAX: u64 = 3 * DAY;

/// A country.
pub struct Country {
    pub(super) plan: Plan,
    pub(super) tree: Tree,
    pub(super) library: Library,
    pub(super) machines: Vec<Machine>,
    pub(super) chance: Chance,
    pub(super) faults: Faults,
    pub(super) now: u64,
    /// By how many ms of its line slower bytes passed an emergency at the most.
    pub(super) passed_ms: u64,
    /// Nodes that began a new incarnation.
    pub(super) restored: HashSet<usize>,
    pub(super) drawer: Vec<Carried>,
    pub(super) sticks: u64,
    /// The line above each node.
    pub(super) wires: Vec<Wire>,
    /// Nothing bad happens any more.
    pub(super) calm: bool,
    due: BinaryHeap<Reverse<Due>>,
    order: u64,
    sync_due: Vec<bool>,
}

macro_rules! around {
    ($self:ident) => {
        Around {
            now: $self.now,
            tree: &$self.tree,
            library: &$self.library,
            chance: &$self.chance,
            faults: &mut $self.faults,
            slip: $self.plan.slip,
            mtu: $self.plan.weather.mtu(),
        }
    };
}
pub(super) use around;

impl Country {
    /// A country on its first day.
    pub fn new(plan: Plan) -> Self {
        let (mut tree, chance) = (Tree::new(plan.nodes), Chance::new(plan.seed));
        tree.leaks = plan.slip == Some(Slip::ScopeForgotten);
        // Half of the nodes have the program of before.
        let formats: Vec<u8> =
            (0..tree.count()).map(|_| 1 + u8::from(chance.happens(50))).collect();
        let machines = (0..tree.count())
            .map(|at| {
                let neighbours = tree.neighbours(at).map(|peer| (peer, formats[peer]));
                Machine::new(at, formats[at], neighbours)
            })
            .collect();
        let wires = tree
            .seats
            .iter()
            .map(|seat| Wire::new(plan.weather.line(seat.tier, &chance)))
            .collect();
        let sync_due = vec![false; tree.count()];
        Self {
            plan,
            tree,
            library: Library::default(),
            machines,
            chance,
            faults: Faults::default(),
            now: 0,
            passed_ms: 0,
            restored: HashSet::new(),
            drawer: vec![],
            sticks: 0,
            wires,
            calm: false,
            due: BinaryHeap::new(),
            order: 0,
            sync_due,
        }
    }

    /// Lets everything happen, mends it, lets the country come to rest, and checks what must
    /// hold.
    pub fn run(mut self) -> Result<Outcome, String> {
        self.begin();
        while self.now < self.plan.ms {
            self.step()?;
        }
        self.mend()?;
        let mended = self.now;
        let mut look = self.now;
        loop {
            look += MINUTE;
            while self.due.peek().is_some_and(|next| next.0.at <= look) {
                self.step()?;
            }
            self.now = look;
            match self.waits() {
                None => break,
                Some(what) if self.now - mended > REST_MS_MAX => {
                    return Err(format!("the country does not come to rest: {what}"));
                }
                Some(_) => {}
            }
        }
        check::at_rest(&self)?;
        Ok(self.outcome(mended))
    }

    fn outcome(&self, mended: u64) -> Outcome {
        let mut outcome = Outcome {
            faults: self.faults,
            sticks: self.sticks,
            rest_ms: self.now - mended,
            passed_ms: self.passed_ms,
            digest: check::digest(self),
            ..Outcome::default()
        };
        for (at, machine) in self.machines.iter().enumerate() {
            outcome.written += machine.written;
            let Some(above) = self.tree.seats[at].above else { continue };
            let of = match self.tree.seats[at].tier {
                Tier::Clinic => 0,
                Tier::County => 1,
                _ => 2,
            };
            let (tier, wire) = (&mut outcome.traffic[of], &self.wires[at]);
            tier.lines += 1;
            for side in 0..2 {
                tier.bytes[side] += wire.bytes[side];
                tier.datagrams[side] += wire.datagrams[side];
            }
            tier.messages[0] += self.machines[above].taken.get(&at).copied().unwrap_or(0);
            tier.messages[1] += machine.taken.get(&above).copied().unwrap_or(0);
        }
        outcome
    }

    pub(super) fn later(&mut self, after: u64, what: What) {
        self.order += 1;
        self.due.push(Reverse(Due { at: self.now + after, order: self.order, what }));
    }

    pub(super) fn about(&self, mean: u64) -> u64 {
        about(mean, &self.chance)
    }

    pub(super) fn means(&self, at: usize) -> Means {
        self.plan.weather.means(self.tree.seats[at].tier)
    }

    fn begin(&mut self) {
        self.later(LOOK_MS, What::Look);
        for at in 0..self.machines.len() {
            self.machines[at].wall_offset = START_MS;
            let means = self.means(at);
            self.later(self.chance.next() % 30_000, What::PowerOn(at));
            let mean = |mean: u64| about(mean, &self.chance);
            let mut all = vec![
                (mean(means.write), What::Write(at)),
                (mean(means.picture), What::Picture(at)),
                (mean(means.clock), What::Clock(at)),
                (mean(means.stick), What::Courier(at)),
                (mean(means.backup), What::Backup(at)),
                (mean(means.restore), What::Restore(at)),
                (mean(means.full), What::Full(at)),
                (mean(self.plan.ms), What::Upgrade(at)),
            ];
            if at > 0 {
                let first = match self.plan.weather {
                    Weather::Bad | Weather::Worst => self.chance.next() % MINUTE,
                    Weather::Usual => self.chance.next() % means.open,
                };
                all.push((first, What::Open(at)));
            }
            for (after, what) in all {
                self.later(after, what);
            }
        }
    }

    fn step(&mut self) -> Result<(), String> {
        let Some(Reverse(Due { at, what, .. })) = self.due.pop() else {
            return Err("nothing happens any more".into());
        };
        self.now = self.now.max(at);
        match what {
            What::Datagram { child, to, from, bytes } => self.arrives(child, to, from, &bytes),
            What::Timer { at, peer } => self.timer(at, peer),
            What::Sync(at) => self.sync(at),
            What::PowerOn(at) => self.power_on(at),
            What::Look => self.look(),
            What::Idle(child) => {
                self.hang_up_if_idle(child);
                Ok(())
            }
            What::Stick(carried) => self.stick_arrives(*carried),
            // What follows is over when the country is mended.
            _ if self.calm => Ok(()),
            other => self.happens(&other),
        }
    }

    /// What happens until the country is mended.
    fn happens(&mut self, what: &What) -> Result<(), String> {
        match *what {
            What::Open(child) => return self.open(child),
            What::Cut(child) => self.cut(child),
            What::Write(at) => {
                self.write(at);
                let after = self.about(self.means(at).write);
                self.later(after, What::Write(at));
            }
            What::Picture(at) => {
                if self.machines[at].on && self.now >= self.machines[at].full_until {
                    people::picture(&mut self.machines[at], &self.tree, &self.chance);
                    self.want_sync(at);
                }
                let after = self.about(self.means(at).picture);
                self.later(after, What::Picture(at));
            }
            What::PowerOff { at, life } => {
                // An older one that is over.
                if self.machines[at].lives != life {
                    return Ok(());
                }
                self.faults.power_cuts += u64::from(self.machines[at].on);
                self.power_off(at);
                let after = self.about(self.means(at).power_off);
                self.later(after, What::PowerOn(at));
            }
            What::Clock(at) => {
                let after = self.about(self.means(at).clock);
                self.a_clock_is_wrong(at);
                self.later(after, What::Clock(at));
            }
            What::Backup(at) => {
                let after = self.about(self.means(at).backup);
                self.machines[at].backup = Some(Box::new(self.machines[at].disk.clone()));
                self.later(after, What::Backup(at));
            }
            What::Restore(at) => {
                let after = self.about(self.means(at).restore);
                self.put_back(at);
                self.later(after, What::Restore(at));
            }
            What::Full(at) => {
                let (after, long) = (self.about(self.means(at).full), self.about(10 * MINUTE));
                self.machines[at].full_until = self.now + long;
                self.later(after, What::Full(at));
            }
            What::Upgrade(at) if self.machines[at].format == FORMAT => {}
            What::Upgrade(at) => {
                // Programs are replaced while they stand still.
                self.power_off(at);
                self.machines[at].format = FORMAT;
                self.later(5_000, What::PowerOn(at));
            }
            What::Courier(at) => {
                let after = self.about(self.means(at).stick);
                self.somebody_carries(at)?;
                self.later(after, What::Courier(at));
            }
            // They are looked at before.
            _ => {}
        }
        Ok(())
    }

    fn write(&mut self, at: usize) {
        let machine = &mut self.machines[at];
        if !machine.on {
            return;
        }
        if self.now < machine.full_until {
            self.faults.refused += 1;
            return;
        }
        people::write(machine, self.now, (&self.tree, &self.library), &self.chance);
        self.want_sync(at);
    }

    pub(super) fn want_sync(&mut self, at: usize) {
        if self.machines[at].is_dirty() && !self.sync_due[at] {
            self.sync_due[at] = true;
            let after = 2 + self.chance.next() % 60;
            self.later(after, What::Sync(at));
        }
    }

    fn sync(&mut self, at: usize) -> Result<(), String> {
        self.sync_due[at] = false;
        if !self.machines[at].on || !self.machines[at].is_dirty() {
            return Ok(());
        }
        let means = self.means(at);
        if !self.calm && self.chance.next().is_multiple_of(means.failed_sync) {
            // What is on the disk is not known any more: the program ends and starts again.
            self.faults.failed_syncs += 1;
            self.power_off(at);
            self.later(2_000, What::PowerOn(at));
            return Ok(());
        }
        self.machines[at].sync(&around!(self));
        let peers: Vec<usize> = self.machines[at].ends.keys().copied().collect();
        for peer in peers {
            self.dial_if_urgent(at, peer)?;
            self.service(at, peer)?;
        }
        Ok(())
    }

    /// Everything is mended: lines are clean and open, disks have room, the power is on.
    fn mend(&mut self) -> Result<(), String> {
        self.calm = true;
        for at in 0..self.machines.len() {
            self.machines[at].full_until = 0;
            let line = &mut self.wires[at].line;
            *line = Line { loss: 0, double: 0, late: 0, forge: 0, ..*line };
            self.wires[at].dead_until = 0;
            if !self.machines[at].on {
                self.power_on(at)?;
            }
        }
        for child in 1..self.machines.len() {
            self.open_now(child)?;
        }
        Ok(())
    }

    /// What waits somewhere.
    fn waits(&self) -> Option<String> {
        let machine = self.machines.iter().find(|machine| {
            let state = &machine.memory;
            machine.is_dirty()
                || state.unsealed.iter().any(|unsealed| !unsealed.is_empty())
                || state.neighbours.values().any(Neighbour::waits)
        })?;
        let to = machine.memory.neighbours.iter().find(|(_, neighbour)| neighbour.waits());
        Some(format!("node {} still has something for {:?}", machine.at, to.map(|(peer, _)| peer)))
    }
}
