//! Carriers: links, couriers with sticks, and what they do to what they carry.

use ondol_app::{Actor, AppError, road::Arrival};
use ondol_kernel::{Class, Millis};
use ondol_replicate::stick::{self, Item, NationId, Party, Recipient, StickContent};

use crate::{
    bag::{OnTheWay, Thing},
    check,
    land::land,
    plant::Bug,
    world::{Way, World},
};

/// So many links carry in one step of sending.
const LINKS_A_STEP: usize = 10;

/// So many things arrive in one step of arriving.
const ARRIVALS_A_STEP: usize = 20;

/// So many old sticks are kept.
const DRAWER_MAX: usize = 12;

/// So many rounds over all links bring everything everywhere: the way from a clinic to another
/// province's is seven links, and acknowledgements go back.
const ROUNDS_MAX: usize = 60;

impl World {
    fn is_cut(&self, from: usize, to: usize) -> bool {
        self.cuts.iter().any(|&(a, b, until)| (a, b) == (from, to) && self.step < until)
    }

    /// Shows a node's certificate to the node above, from when on they have a link.
    /// Gives whether it was heard.
    pub(crate) fn knock(&mut self, at: usize) -> Result<bool, AppError> {
        let Some(above) = land().seats[at].above else { return Ok(true) };
        let certificate = self.nodes[at].app().own_certificate();
        self.endanger(above);
        let result = self.nodes[above].app().introduced(&certificate);
        let met = self.survived(above, result)?;
        self.has_knocked[at] |= met.is_some();
        Ok(met.is_some())
    }

    /// Whether two neighbours have met, so that they have a link.
    fn have_met(&self, one: usize, other: usize) -> bool {
        let below = if land().seats[one].above == Some(other) { one } else { other };
        self.has_knocked[below]
    }

    /// One link is cut: in both directions, or in one.
    pub(crate) fn cut_a_link(&mut self) {
        let at = self.chance.place(self.nodes.len());
        let neighbours = land().neighbours(at);
        let to = neighbours[self.chance.place(neighbours.len())];
        let until = self.step + self.chance.next() % 60;
        self.tally.cuts += 1;
        self.cuts.push((at, to, until));
        if self.chance.happens(60) {
            self.cuts.push((to, at, until));
        }
    }

    pub(crate) fn somebody_sends(&mut self) -> Result<(), AppError> {
        for _ in 0..LINKS_A_STEP {
            let from = self.chance.place(self.nodes.len());
            let neighbours = land().neighbours(from);
            let to = neighbours[self.chance.place(neighbours.len())];
            if self.have_met(from, to) && !self.is_cut(from, to) {
                for class in Class::ALL {
                    self.send(from, to, class)?;
                }
            }
        }
        Ok(())
    }

    /// The epoch in which a node numbers its messages: links say it when they begin.
    pub(crate) fn epoch(&self, at: usize) -> Result<u64, AppError> {
        self.nodes[at].app().own_epoch()
    }

    fn send(&mut self, from: usize, to: usize, class: Class) -> Result<(), AppError> {
        let peer = land().ids[to];
        self.endanger(from);
        let outgoing = self.nodes[from].app().outgoing(peer, class, 4);
        let Some(outgoing) = self.survived(from, outgoing)? else { return Ok(()) };
        let last = outgoing.last().map_or(0, |message| message.number);
        let (own, theirs) = (self.epoch(from)?, self.epoch(to)?);
        let first = outgoing.first().map_or(0, |message| message.number);
        for message in outgoing {
            let (number, bytes) = (message.number, message.bytes);
            let thing = Thing::Message { class, epoch: own, first, number, bytes };
            self.bag.put(&self.chance, OnTheWay { from, to, thing });
        }
        if self.bug == Some(Bug::EarlyAcknowledgement) && last > 0 {
            let thing = Thing::Durable { class, epoch: own, up_to: last };
            self.bag.put(&self.chance, OnTheWay { from: to, to: from, thing });
        }
        let up_to = self.nodes[from].app().arrived_up_to_in(peer, theirs, class)?;
        if up_to > 0 {
            self.promised.insert((from, to, class), up_to);
            let thing = Thing::Durable { class, epoch: theirs, up_to };
            self.bag.put(&self.chance, OnTheWay { from, to, thing });
        }
        Ok(())
    }

    pub(crate) fn something_arrives(&mut self) -> Result<(), AppError> {
        for _ in 0..ARRIVALS_A_STEP {
            let Some(way) = self.bag.take(&self.chance) else { return Ok(()) };
            let to = way.to;
            self.endanger(to);
            let result = self.take_in(way);
            self.survived(to, result)?;
        }
        Ok(())
    }

    fn take_in(&mut self, way: OnTheWay) -> Result<(), AppError> {
        let OnTheWay { from, to, thing } = way;
        let app = self.nodes[to].app().clone();
        let actor = Actor::node(app.place().node, "node");
        self.tally.arrived += 1;
        match thing {
            Thing::Message { class, epoch, first, number, mut bytes } => {
                // A carrier that damages a message is noticed before it gets here; one that
                // forges can still only make something that no seal vouches for.
                if self.chance.happens(1) && !bytes.is_empty() {
                    let at = self.chance.place(bytes.len());
                    bytes[at] ^= 1 << self.chance.place(8);
                    self.tally.forged += 1;
                    return check::forged_does_no_harm(
                        &app,
                        self.nodes[from].app().place().node,
                        &bytes,
                    );
                }
                app.skipped_in(land().ids[from], epoch, class, first)?;
                self.hand_in((from, to, class), epoch, number, &bytes)
            }
            Thing::Durable { class, epoch, up_to } => {
                self.delivered((from, to, class), epoch, up_to)
            }
            Thing::Stick(copies) => {
                self.tally.sticks += 1;
                let copies: Vec<&[u8]> = copies.iter().map(Vec::as_slice).collect();
                match app.stick_in(&actor, &copies) {
                    Ok(_) | Err(AppError::Stick(_)) => Ok(()),
                    Err(why) => Err(why),
                }
            }
            Thing::ForeignStick(bytes) => match app.stick_in(&actor, &[&bytes]) {
                Ok(_) => Err(AppError::Unexpected("a stick of others was believed")),
                Err(AppError::Stick(_)) => {
                    self.tally.foreign += 1;
                    Ok(())
                }
                Err(why) => Err(why),
            },
        }
    }

    /// Gives a message to its receiver, who takes each in once.
    fn hand_in(
        &mut self,
        (from, to, class): Way,
        epoch: u64,
        number: u64,
        bytes: &[u8],
    ) -> Result<(), AppError> {
        let (app, sender) = (self.nodes[to].app(), land().ids[from]);
        let arrival = app.arrive_in(sender, epoch, class, number, bytes)?;
        if arrival == Arrival::Refused {
            self.tally.refused_of_thief += 1;
        } else if arrival == Arrival::Known {
            self.tally.repeated += 1;
        } else if !self.taken.insert(((from, to, class), epoch, number)) {
            return Err(AppError::Unexpected("a message was taken in twice"));
        }
        Ok(())
    }

    fn delivered(&self, (from, to, class): Way, epoch: u64, up_to: u64) -> Result<(), AppError> {
        let one_more = u64::from(self.bug == Some(Bug::DeliveredOffByOne));
        let app = self.nodes[to].app();
        app.delivered_in(land().ids[from], epoch, class, up_to + one_more).map(drop)
    }

    /// A courier sets off with a stick: a new one, one from the drawer, or one of others.
    pub(crate) fn somebody_carries(&mut self) -> Result<(), AppError> {
        let from = self.chance.place(self.nodes.len());
        if self.chance.happens(25) {
            self.carry_a_foreign_stick(from);
            return Ok(());
        }
        if !self.drawer.is_empty() && self.chance.happens(25) {
            let old = self.drawer[self.chance.place(self.drawer.len())].clone();
            self.tally.old += 1;
            self.bag.put(&self.chance, old);
            return Ok(());
        }
        for to in land().neighbours(from) {
            let app = self.nodes[from].app().clone();
            let actor = Actor::node(app.place().node, "node");
            self.endanger(from);
            let written = app.stick_for(&actor, land().ids[to]);
            // They may not have met yet.
            let written = match written {
                Err(AppError::NotFound | AppError::State(_)) => Ok(None),
                other => other.map(Some),
            };
            let Some(Some(stick)) = self.survived(from, written)? else { continue };
            let copies = [stick.bytes.clone(), stick.bytes].map(|copy| self.worn(copy));
            let way = OnTheWay { from, to, thing: Thing::Stick(copies.to_vec()) };
            if self.drawer.len() == DRAWER_MAX {
                self.drawer.remove(0);
            }
            self.drawer.push(way.clone());
            self.bag.put(&self.chance, way);
        }
        Ok(())
    }

    /// What is left of a copy: now and then it is cut short, or a bit or a run of sectors is gone.
    fn worn(&mut self, mut copy: Vec<u8>) -> Vec<u8> {
        let whole = copy.clone();
        if self.chance.happens(20) {
            copy.truncate(self.chance.place(copy.len()));
        }
        if self.chance.happens(20) && !copy.is_empty() {
            let at = self.chance.place(copy.len());
            copy[at] ^= 0x10;
        }
        if self.chance.happens(10) && !copy.is_empty() {
            let at = self.chance.place(copy.len());
            let end = (at + 512 * (1 + self.chance.place(4))).min(copy.len());
            copy[at..end].fill(0xff);
        }
        self.tally.worn += u64::from(copy != whole);
        copy
    }

    /// A stick of another nation, one for another reader, or one that somebody wrote in the name
    /// of a node whose key he does not have.
    fn carry_a_foreign_stick(&mut self, from: usize) {
        let neighbours = land().neighbours(from);
        let to = neighbours[self.chance.place(neighbours.len())];
        let (own, link_private) = (land().keys(from), [77; 32]);
        let mut nation = NationId::of_root_key(&land().root_key());
        let mut reader = Recipient { node: land().ids[to], link_key: land().link_key(to) };
        let mut key = &own.link;
        match self.chance.next() % 3 {
            0 => nation = NationId::of_root_key(&[9; 32]),
            1 => {
                let other = (to + 1) % self.nodes.len();
                reader = Recipient { node: land().ids[other], link_key: land().link_key(other) };
            }
            _ => key = &link_private,
        }
        let (class, epoch, bytes) = (Class::Emergency, 0, vec![0; 40]);
        let item = Item::Message { to: land().ids[to], class, epoch, number: 1, bytes };
        let content =
            StickContent { to: vec![reader], made_at: Millis(1), sequence: 1, items: vec![item] };
        let party = Party { nation, node: land().ids[from], link_private: key };
        if let Ok(bytes) = stick::write(&content, &party, &[3; 32]) {
            let thing = Thing::ForeignStick(bytes);
            self.bag.put(&self.chance, OnTheWay { from, to, thing });
        }
    }

    /// Carries everything until nothing moves any more.
    pub(crate) fn come_to_rest(&mut self) -> Result<(), String> {
        for _ in 0..ROUNDS_MAX {
            let mut moved = false;
            for from in 0..self.nodes.len() {
                for to in land().neighbours(from) {
                    if self.stolen.as_ref().is_some_and(|one| one.at == from || one.at == to) {
                        continue;
                    }
                    for class in Class::ALL {
                        moved |= self
                            .hand_over(from, to, class)
                            .map_err(|why| format!("at rest: {why}"))?;
                    }
                }
            }
            if !moved {
                return Ok(());
            }
        }
        Err("the road does not come to rest".into())
    }

    fn hand_over(&mut self, from: usize, to: usize, class: Class) -> Result<bool, AppError> {
        let messages = self.nodes[from].app().outgoing(land().ids[to], class, 64)?;
        let epoch = self.epoch(from)?;
        if let Some(first) = messages.first() {
            let receiver = self.nodes[to].app();
            receiver.skipped_in(land().ids[from], epoch, class, first.number)?;
        }
        for message in &messages {
            self.hand_in((from, to, class), epoch, message.number, &message.bytes)?;
        }
        let receiver = self.nodes[to].app();
        let up_to = receiver.arrived_up_to_in(land().ids[from], epoch, class)?;
        self.delivered((to, from, class), epoch, up_to)?;
        Ok(!messages.is_empty())
    }
}
