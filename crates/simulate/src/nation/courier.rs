//! Couriers: real sticks, worn, doubled, old, of others, or never seen again.

use ondol_kernel::Class;
use ondol_replicate::stick::{self, Item, NationId, Party, Recipient, StickContent};

use super::{
    country::{Country, around},
    due::What,
    machine::Around,
    state::Op,
    weather::MINUTE,
};

/// So many old sticks are kept in a drawer.
const DRAWER_MAX: usize = 40;
/// A stick that comes when nobody is there is read later.
const LATER_MS: u64 = 10 * MINUTE;

/// A stick on its way.
#[derive(Debug, Clone)]
pub(super) struct Carried {
    from: usize,
    to: usize,
    copies: Vec<Vec<u8>>,
    /// Whether it has to be refused.
    foreign: bool,
}

fn nation() -> NationId {
    NationId([7; 16])
}

impl Country {
    /// A courier sets off.
    pub(super) fn somebody_carries(&mut self, from: usize) -> Result<(), String> {
        if !self.machines[from].on || self.now < self.machines[from].full_until {
            return Ok(());
        }
        let neighbours: Vec<usize> = self.tree.neighbours(from).collect();
        let to = neighbours[self.chance.place(neighbours.len())];
        let means = self.means(from);
        let after = 1 + self.chance.next() % means.on_the_way;
        if !self.drawer.is_empty() && self.chance.happens(15) {
            self.faults.old_sticks += 1;
            let old = self.drawer[self.chance.place(self.drawer.len())].clone();
            self.later(after, What::Stick(Box::new(old)));
            return Ok(());
        }
        let foreign = self.chance.happens(10);
        let bytes = if foreign { self.foreign_stick(from, to) } else { self.stick(from, to) }?;
        // The sync before it told links that something is held.
        for peer in neighbours {
            self.service(from, peer)?;
        }
        let copies = [bytes.clone(), bytes].map(|copy| self.worn(copy)).to_vec();
        let carried = Carried { from, to, copies, foreign };
        self.faults.foreign_sticks += u64::from(foreign);
        if self.chance.happens(8) {
            self.faults.lost_sticks += 1;
            return Ok(());
        }
        if self.chance.happens(15) {
            self.faults.doubled_sticks += 1;
            let again = after + self.chance.next() % means.on_the_way;
            self.later(again, What::Stick(Box::new(carried.clone())));
        }
        if self.drawer.len() == DRAWER_MAX {
            self.drawer.remove(0);
        }
        self.drawer.push(carried.clone());
        self.later(after, What::Stick(Box::new(carried)));
        Ok(())
    }

    /// Everything that waits for a neighbour, synced first.
    fn stick(&mut self, from: usize, to: usize) -> Result<Vec<u8>, String> {
        let around = around!(self);
        let machine = &mut self.machines[from];
        for class in Class::ALL {
            machine.pack(to, class, &around);
        }
        machine.sync(&around);
        let (own, state) = (machine.disk.epoch(), &machine.disk);
        let reader = self.tree.seats[to].id;
        let mut items = vec![];
        if let Some(neighbour) = state.neighbours.get(&to) {
            for class in Class::ALL {
                let at = usize::from(class.code());
                let (epoch, up_to) = (neighbour.epoch, neighbour.up_to(neighbour.epoch, class));
                if up_to > 0 {
                    items.push(Item::Ack { to: reader, class, epoch, up_to });
                }
                if neighbour.acked[at] > 0 {
                    let number = neighbour.acked[at] + 1;
                    items.push(Item::First { to: reader, class, epoch: own, number });
                }
                items.extend(neighbour.kept[at].iter().map(|(&number, bytes)| Item::Message {
                    to: reader,
                    class,
                    epoch: own,
                    number,
                    bytes: bytes.to_vec(),
                }));
            }
            for class in Class::ALL {
                let up_to = neighbour.up_to(neighbour.epoch, class);
                machine.promised.insert((to, neighbour.epoch, class), up_to);
            }
        }
        self.written_stick(from, (to, nation(), self.tree.seats[from].private), items)
    }

    fn written_stick(
        &self,
        from: usize,
        (to, nation, private): (usize, NationId, [u8; 32]),
        items: Vec<Item>,
    ) -> Result<Vec<u8>, String> {
        let seat = &self.tree.seats[to];
        let content = StickContent {
            to: vec![Recipient { node: seat.id, link_key: seat.public }],
            made_at: self.machines[from].wall(self.now),
            sequence: self.now,
            items,
        };
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.chance.next().to_le_bytes());
        let party = Party { nation, node: self.tree.seats[from].id, link_private: &private };
        stick::write(&content, &party, &seed).map_err(|why| why.to_string())
    }

    /// A stick of another nation, or of somebody who has not the key of whom he says to be.
    fn foreign_stick(&self, from: usize, to: usize) -> Result<Vec<u8>, String> {
        let reader = self.tree.seats[to].id;
        let (class, epoch, bytes) = (Class::Emergency, 1, vec![0; 40]);
        let items = vec![
            Item::Message { to: reader, class, epoch, number: 1, bytes },
            Item::Ack { to: reader, class, epoch, up_to: 1_000_000 },
        ];
        let (nation, private) = if self.chance.happens(50) {
            (NationId([9; 16]), self.tree.seats[from].private)
        } else {
            (nation(), [77; 32])
        };
        self.written_stick(from, (to, nation, private), items)
    }

    /// What is left of a copy.
    fn worn(&mut self, mut copy: Vec<u8>) -> Vec<u8> {
        let before = copy.len();
        let mut worn = false;
        if self.chance.happens(20) {
            copy.truncate(self.chance.place(before));
            worn = true;
        }
        if !copy.is_empty() && self.chance.happens(30) {
            let at = self.chance.place(copy.len());
            copy[at] ^= 1 << self.chance.place(8);
            worn = true;
        }
        if !copy.is_empty() && self.chance.happens(15) {
            let at = self.chance.place(copy.len());
            let end = (at + 512 * (1 + self.chance.place(40))).min(copy.len());
            copy[at..end].fill(0xff);
            worn = true;
        }
        self.faults.worn_copies += u64::from(worn);
        copy
    }

    /// A stick is read where it was meant to go.
    pub(super) fn stick_arrives(&mut self, carried: Carried) -> Result<(), String> {
        let to = carried.to;
        if !self.machines[to].on || self.now < self.machines[to].full_until {
            self.later(LATER_MS, What::Stick(Box::new(carried)));
            return Ok(());
        }
        let copies: Vec<&[u8]> = carried.copies.iter().map(Vec::as_slice).collect();
        let private = self.tree.seats[to].private;
        let own = self.tree.seats[to].id;
        let party = Party { nation: nation(), node: own, link_private: &private };
        let known = |node: &ondol_kernel::NodeId| self.tree.node(node).map(|seat| seat.public);
        let read = stick::read(&copies, &party, &known);
        self.sticks += 1;
        let Ok(read) = read else { return Ok(()) };
        if carried.foreign {
            return Err(format!("node {to} believed a stick of others"));
        }
        let from = carried.from;
        let around = around!(self);
        let machine = &mut self.machines[to];
        for item in read.items.into_iter().filter(|item| item.to() == own) {
            match item {
                Item::Ack { class, epoch, up_to, .. } if epoch == machine.memory.epoch() => {
                    machine.change(Op::Delivered { to: from, class, up_to }, around.tree);
                }
                Item::Ack { .. } => {}
                Item::First { class, epoch, number, .. } => {
                    machine.change(Op::Skipped { from, epoch, class, number }, around.tree);
                }
                Item::Message { class, epoch, number, bytes, .. } => {
                    machine.take_in((from, epoch, class, number), &bytes, &around)?;
                }
            }
        }
        self.want_sync(to);
        self.service(to, from)
    }
}
