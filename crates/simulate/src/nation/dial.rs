//! Lines are opened, cut, dialled and hung up.

use super::{Weather, country::Country, due::What, neighbour::Neighbour, weather::MINUTE};

/// How long a dialled line stays open when nothing moves, and at the most.
const IDLE_MS: u64 = 6_000;
const DIALLED_MS_MAX: u64 = 40 * MINUTE;

impl Country {
    /// An emergency does not wait for the hour of dialling.
    pub(super) fn dial_if_urgent(&mut self, at: usize, peer: usize) -> Result<(), String> {
        let child = self.child(at, peer);
        let wire = &self.wires[child];
        if self.plan.weather != Weather::Usual || wire.open || self.now < wire.dead_until {
            return Ok(());
        }
        let machine = &self.machines[at];
        let waits = machine
            .disk
            .neighbours
            .get(&peer)
            .is_some_and(|to| !to.queue[0].is_empty() || !to.kept[0].is_empty());
        if waits || !machine.disk.unsealed[0].is_empty() { self.open_now(child) } else { Ok(()) }
    }

    /// The lower of two neighbours: the line between them is the one above it.
    pub(super) fn child(&self, at: usize, peer: usize) -> usize {
        if self.tree.seats[at].above == Some(peer) { at } else { peer }
    }

    pub(super) fn open(&mut self, child: usize) -> Result<(), String> {
        let means = self.means(child);
        match self.plan.weather {
            Weather::Bad | Weather::Worst => {
                let after = self.about(means.open);
                self.later(after, What::Cut(child));
            }
            Weather::Usual => {
                let after = self.about(means.open);
                self.later(after, What::Open(child));
                if self.now < self.wires[child].dead_until {
                    return Ok(());
                }
                if self.chance.happens(4) {
                    // It rings, and nobody answers for some hours.
                    self.faults.cuts += 1;
                    self.wires[child].dead_until = self.now + self.about(means.cut);
                    return Ok(());
                }
            }
        }
        self.open_now(child)
    }

    pub(super) fn open_now(&mut self, child: usize) -> Result<(), String> {
        let Some(above) = self.tree.seats[child].above else { return Ok(()) };
        // A modem without power does not answer.
        let no_answer = !self.machines[child].on || !self.machines[above].on;
        let wire = &mut self.wires[child];
        if wire.open || self.plan.weather == Weather::Usual && no_answer {
            return Ok(());
        }
        (wire.open, wire.since) = (true, self.now);
        if self.plan.weather == Weather::Usual && !self.calm {
            self.later(IDLE_MS, What::Idle(child));
        }
        self.service(child, above)?;
        self.service(above, child)
    }

    pub(super) fn cut(&mut self, child: usize) {
        self.faults.cuts += 1;
        let wire = &mut self.wires[child];
        (wire.open, wire.since) = (false, self.now);
        let means = self.means(child);
        let after = self.about(means.cut);
        self.later(after, What::Open(child));
    }

    /// The power goes at a node, and its modem hangs up.
    pub(super) fn hang_up_all(&mut self, at: usize) {
        if self.plan.weather != Weather::Usual {
            return;
        }
        for peer in self.tree.neighbours(at).collect::<Vec<_>>() {
            let child = self.child(at, peer);
            let wire = &mut self.wires[child];
            if wire.open {
                (wire.open, wire.since) = (false, self.now);
            }
        }
    }

    pub(super) fn hang_up_if_idle(&mut self, child: usize) {
        let Some(above) = self.tree.seats[child].above else { return };
        if self.calm || !self.wires[child].open {
            return;
        }
        let long = self.now - self.wires[child].since > DIALLED_MS_MAX;
        let quiet = |at: usize, peer: usize| {
            let machine = &self.machines[at];
            let waits = machine.memory.neighbours.get(&peer).is_some_and(Neighbour::waits);
            let moved = machine.ends.get(&peer).map_or(0, |end| end.progress_at);
            !waits && self.now >= moved + IDLE_MS
        };
        if long || quiet(child, above) && quiet(above, child) {
            let wire = &mut self.wires[child];
            (wire.open, wire.since) = (false, self.now);
        } else {
            self.later(IDLE_MS, What::Idle(child));
        }
    }
}
