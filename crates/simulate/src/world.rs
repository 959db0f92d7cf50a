//! The world of one seed.

use ondol_app::{Actor, AppError};
use ondol_kernel::{Class, Millis, ResourceId};
use ondol_record::{Address, ChartId, DraftId, EntryHash, certificate::Tier};
use serde_json::{Value, json};

use crate::{
    bag::{Bag, OnTheWay, Thing},
    chance::Chance,
    check,
    node::{Node, Seat},
};

/// A year, ms.
const YEAR_MS: i64 = 365 * 86_400_000;

/// The start of the world: 1 January 2026.
const START: Millis = Millis(1_767_225_600_000);

/// So many links carry in one step of sending.
const LINKS_A_STEP: usize = 10;

/// So many things arrive in one step of arriving.
const ARRIVALS_A_STEP: usize = 20;

/// What happened in a world.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Entries that were acknowledged to whoever wrote them.
    pub written: u64,
    /// Messages that arrived, repetitions among them.
    pub arrived: u64,
    /// Power cuts.
    pub crashes: u64,
    /// Jumps of a clock.
    pub jumps: u64,
    /// Sticks that were read.
    pub sticks: u64,
    /// Messages and acknowledgements that were lost.
    pub lost: u64,
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
struct Person {
    id: ResourceId,
    home: usize,
    requests: Vec<ResourceId>,
}

/// Nodes and everything between them.
pub struct World {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// What was acknowledged.
    pub saved: Vec<Saved>,
    chance: Chance,
    bag: Bag,
    people: Vec<Person>,
    /// Links that are cut, as pairs (lower place first), and until which step.
    cuts: Vec<(usize, usize, u64)>,
    step: u64,
    tally: Tally,
}

/// The ministry, its provinces and specialist, counties, clinics: 20 nodes.
pub fn seats() -> Vec<Seat> {
    let mut seats = vec![Seat { at: 0, tier: Tier::Ministry, above: None }];
    let mut add = |tier, above| {
        let at = seats.len();
        seats.push(Seat { at, tier, above: Some(above) });
        at
    };
    add(Tier::Specialist, 0);
    for _ in 0..2 {
        let province = add(Tier::Province, 0);
        for _ in 0..2 {
            let county = add(Tier::County, province);
            for _ in 0..3 {
                add(Tier::Clinic, county);
            }
        }
    }
    seats
}

/// Whom a node knows that has just joined: itself, those above, the specialist hospitals, and
/// those directly below.
fn acquaintances(seats: &[Seat], at: usize) -> Vec<usize> {
    let mut known: Vec<usize> =
        std::iter::successors(Some(at), |&below| seats[below].above).collect();
    let others = seats.iter().filter(|seat| {
        !known.contains(&seat.at) && (seat.tier == Tier::Specialist || seat.above == Some(at))
    });
    let others: Vec<usize> = others.map(|seat| seat.at).collect();
    known.extend(others);
    known
}

impl World {
    /// The world of a seed. `name` has to be new in this process.
    pub fn new(seed: u64, name: &str) -> Result<Self, AppError> {
        let seats = seats();
        let everybody: Vec<usize> = (0..seats.len()).collect();
        let nodes = seats
            .iter()
            .map(|seat| {
                // In every other world nodes meet the others by what arrives.
                let known = if seed.is_multiple_of(2) {
                    everybody.clone()
                } else {
                    acquaintances(&seats, seat.at)
                };
                Node::found(seat.clone(), &seats, &known, &format!("{name}-{}", seat.at), START)
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            nodes,
            saved: vec![],
            chance: Chance::new(seed),
            bag: Bag::default(),
            people: vec![],
            cuts: vec![],
            step: 0,
            tally: Tally::default(),
        })
    }

    /// Lets so many things happen, then mends everything, lets the road come to rest, and checks
    /// what must hold. The error says what does not.
    pub fn run(&mut self, steps: u64) -> Result<Tally, String> {
        for _ in 0..steps {
            self.step += 1;
            self.happen().map_err(|why| format!("step {}: {why}", self.step))?;
        }
        self.bag.clear();
        self.cuts.clear();
        self.come_to_rest()?;
        check::all(self)?;
        Ok(self.tally)
    }

    fn happen(&mut self) -> Result<(), AppError> {
        for node in &self.nodes {
            node.clock.pass(1_000);
        }
        match self.chance.next() % 100 {
            0..=24 => self.somebody_writes(),
            25..=54 => self.somebody_sends(),
            55..=84 => self.something_arrives(),
            85..=89 => {
                let at = self.chance.place(self.nodes.len());
                self.tally.crashes += 1;
                self.nodes[at].crash(self.chance.next())
            }
            90..=91 => {
                let at = self.chance.place(self.nodes.len());
                let years = i64::try_from(self.chance.next() % 21).unwrap_or(0) - 10;
                self.tally.jumps += 1;
                self.nodes[at].clock.jump(years * YEAR_MS);
                Ok(())
            }
            92..=94 => self.somebody_carries(),
            95..=97 => {
                self.cut_a_link();
                Ok(())
            }
            _ => {
                // A thing is lost.
                self.tally.lost += u64::from(self.bag.take(&self.chance).is_some());
                Ok(())
            }
        }
    }

    fn treating(&self) -> usize {
        loop {
            let at = self.chance.place(self.nodes.len());
            if self.nodes[at].seat.tier.treats() {
                return at;
            }
        }
    }

    fn somebody_writes(&mut self) -> Result<(), AppError> {
        if self.people.is_empty() || self.chance.happens(15) {
            return self.register();
        }
        let at = self.chance.place(self.people.len());
        // Mostly at home; sometimes above it, where the chart is too.
        let home = self.people[at].home;
        let mut place = home;
        while self.chance.happens(30) {
            match self.nodes[place].seat.above.filter(|up| self.nodes[*up].seat.tier.treats()) {
                Some(above) => place = above,
                None => break,
            }
        }
        let patient = format!("Patient/{}", self.people[at].id);
        match self.chance.next() % 10 {
            0..=1 => self.ask(at, place, &patient),
            2..=3 => self.answer(at, &patient),
            4..=5 => {
                // A resource that several may change at once.
                let id = ResourceId::new(&format!("shared-{}", self.people[at].id))
                    .map_err(|_| AppError::Unexpected("an id"))?;
                let value = self.chance.next() % 1_000;
                let resource = json!({"resourceType": "Condition",
                    "subject": {"reference": patient}, "code": {"text": value.to_string()}});
                self.save(place, Class::Routine, DraftId::Given(id), resource).map(drop)
            }
            _ => {
                let text = self.chance.next().to_string();
                let resource = json!({"resourceType": "Observation", "status": "final",
                    "subject": {"reference": patient}, "code": {"text": text}});
                let class = Class::ALL[self.chance.place(4)];
                self.save(place, class, DraftId::New("".into()), resource).map(drop)
            }
        }
    }

    fn register(&mut self) -> Result<(), AppError> {
        let home = self.treating();
        let organization = format!("Organization/{}", self.nodes[home].seat.facility());
        let resource = json!({"resourceType": "Patient",
            "managingOrganization": {"reference": organization}});
        if let Some(id) = self.save(home, Class::Routine, DraftId::New("".into()), resource)? {
            self.people.push(Person { id, home, requests: vec![] });
        }
        Ok(())
    }

    /// A consult or referral to any facility that treats.
    fn ask(&mut self, person: usize, place: usize, patient: &str) -> Result<(), AppError> {
        let to = self.treating();
        let organization = format!("Organization/{}", self.nodes[to].seat.facility());
        let class = [Class::Emergency, Class::Care][self.chance.place(2)];
        let resource = json!({"resourceType": "ServiceRequest", "status": "active",
            "intent": "order", "subject": {"reference": patient},
            "performer": [{"reference": organization}]});
        let id = self.save(place, class, DraftId::New("".into()), resource)?;
        self.people[person].requests.extend(id);
        Ok(())
    }

    /// Whoever was asked and has the request answers.
    fn answer(&mut self, person: usize, patient: &str) -> Result<(), AppError> {
        let Some(request) = self.people[person].requests.last().cloned() else { return Ok(()) };
        let asked = self.nodes.iter().position(|node| {
            let here = format!("Organization/{}", node.seat.facility());
            let found = check::resource(node, "ServiceRequest", &request);
            found.is_some_and(|found| found["performer"][0]["reference"] == here)
        });
        let Some(at) = asked else { return Ok(()) };
        let resource = json!({"resourceType": "Communication", "status": "completed",
            "subject": {"reference": patient},
            "basedOn": [{"reference": format!("ServiceRequest/{request}")}]});
        self.save(at, Class::Emergency, DraftId::New("".into()), resource).map(drop)
    }

    /// Now and then the power goes while a node is at work.
    fn endanger(&self, at: usize) {
        if self.chance.happens(2) {
            self.nodes[at].cut_after(self.chance.next() % 24);
        }
    }

    /// What a node's work gave; none if the power went meanwhile, and it started again.
    fn survived<T>(
        &mut self,
        at: usize,
        result: Result<T, AppError>,
    ) -> Result<Option<T>, AppError> {
        if self.nodes[at].was_cut() {
            self.tally.crashes += 1;
            self.nodes[at].crash(self.chance.next())?;
            // What was said to be saved before the cut is saved.
            return Ok(result.ok());
        }
        result.map(Some)
    }

    /// Gives the id; none if the power went before anything was acknowledged.
    fn save(
        &mut self,
        at: usize,
        class: Class,
        id: DraftId,
        resource: Value,
    ) -> Result<Option<ResourceId>, AppError> {
        self.endanger(at);
        let written = self.nodes[at].write(class, id, resource);
        let Some(entries) = self.survived(at, written)? else { return Ok(None) };
        for entry in &entries {
            self.tally.written += 1;
            let (address, chart) = (entry.address, entry.chart.clone());
            self.saved.push(Saved { at, address, hash: entry.hash(), chart });
        }
        Ok(Some(entries[0].changes[0].id.clone()))
    }

    /// The neighbours of a node in the tree.
    pub fn neighbours(&self, at: usize) -> Vec<usize> {
        let above = self.nodes[at].seat.above;
        let below = self.nodes.iter().filter(|node| node.seat.above == Some(at));
        above.into_iter().chain(below.map(|node| node.seat.at)).collect()
    }

    fn is_cut(&self, a: usize, b: usize) -> bool {
        let (a, b) = (a.min(b), a.max(b));
        self.cuts.iter().any(|&(x, y, until)| (x, y) == (a, b) && self.step < until)
    }

    fn cut_a_link(&mut self) {
        let at = self.chance.place(self.nodes.len());
        let neighbours = self.neighbours(at);
        let to = neighbours[self.chance.place(neighbours.len())];
        let until = self.step + self.chance.next() % 60;
        self.cuts.push((at.min(to), at.max(to), until));
    }

    fn somebody_sends(&mut self) -> Result<(), AppError> {
        for _ in 0..LINKS_A_STEP {
            let from = self.chance.place(self.nodes.len());
            let neighbours = self.neighbours(from);
            let to = neighbours[self.chance.place(neighbours.len())];
            if !self.is_cut(from, to) {
                for class in Class::ALL {
                    self.send(from, to, class)?;
                }
            }
        }
        Ok(())
    }

    fn send(&mut self, from: usize, to: usize, class: Class) -> Result<(), AppError> {
        let peer = self.nodes[to].seat.node();
        self.endanger(from);
        let outgoing = self.nodes[from].app().outgoing(peer, class, 4);
        let Some(outgoing) = self.survived(from, outgoing)? else { return Ok(()) };
        for message in outgoing {
            let (number, bytes) = (message.number, message.bytes);
            let thing = Thing::Message { class, number, bytes };
            self.bag.put(&self.chance, OnTheWay { from, to, thing });
        }
        let up_to = self.nodes[from].app().arrived_up_to(peer, class)?;
        if up_to > 0 {
            let thing = Thing::Durable { class, up_to };
            self.bag.put(&self.chance, OnTheWay { from, to, thing });
        }
        Ok(())
    }

    fn something_arrives(&mut self) -> Result<(), AppError> {
        for _ in 0..ARRIVALS_A_STEP {
            let Some(way) = self.bag.take(&self.chance) else { return Ok(()) };
            self.arrive(way)?;
        }
        Ok(())
    }

    fn arrive(&mut self, way: OnTheWay) -> Result<(), AppError> {
        let to = way.to;
        self.endanger(to);
        let result = self.take_in(way);
        self.survived(to, result).map(drop)
    }

    fn take_in(&mut self, way: OnTheWay) -> Result<(), AppError> {
        let sender = self.nodes[way.from].seat.node();
        let app = self.nodes[way.to].app().clone();
        self.tally.arrived += 1;
        match way.thing {
            Thing::Message { class, number, mut bytes } => {
                // A carrier that damages a message is noticed before it gets here; one that
                // forges can still only make something that no seal vouches for.
                if self.chance.happens(1) && !bytes.is_empty() {
                    let at = self.chance.place(bytes.len());
                    bytes[at] ^= 1 << self.chance.place(8);
                    return check::forged_does_no_harm(&app, &bytes);
                }
                app.arrive(sender, class, number, &bytes).map(drop)
            }
            Thing::Durable { class, up_to } => app.delivered(sender, class, up_to),
            Thing::Stick(bytes) => {
                self.tally.sticks += 1;
                let actor = Actor::node(app.place().node, "node");
                match app.stick_in(&actor, &[&bytes]) {
                    Ok(_) | Err(AppError::Stick(_)) => Ok(()),
                    Err(why) => Err(why),
                }
            }
        }
    }

    /// A courier sets off with a stick.
    fn somebody_carries(&mut self) -> Result<(), AppError> {
        let from = self.chance.place(self.nodes.len());
        let app = self.nodes[from].app().clone();
        let actor = Actor::node(app.place().node, "node");
        for to in self.neighbours(from) {
            let reader = self.nodes[to].app().place().node;
            let mut stick = match app.stick_for(&actor, reader) {
                Ok(stick) => stick.bytes,
                // They have not met yet.
                Err(AppError::NotFound | AppError::State(_)) => continue,
                Err(why) => return Err(why),
            };
            if self.chance.happens(20) {
                stick.truncate(self.chance.place(stick.len()));
            }
            if self.chance.happens(20) && !stick.is_empty() {
                let at = self.chance.place(stick.len());
                stick[at] ^= 0x10;
            }
            let thing = Thing::Stick(stick);
            self.bag.put(&self.chance, OnTheWay { from, to, thing });
        }
        Ok(())
    }

    /// Carries everything until nothing moves any more.
    fn come_to_rest(&mut self) -> Result<(), String> {
        let failed = |why: AppError| format!("at rest: {why}");
        for _ in 0..200 {
            let mut moved = false;
            for from in 0..self.nodes.len() {
                for to in self.neighbours(from) {
                    for class in Class::ALL {
                        moved |= self.hand_over(from, to, class).map_err(failed)?;
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
        let (sender, receiver) = (self.nodes[from].seat.node(), self.nodes[to].seat.node());
        let (from, to) = (self.nodes[from].app().clone(), self.nodes[to].app().clone());
        let messages = from.outgoing(receiver, class, 64)?;
        for message in &messages {
            to.arrive(sender, class, message.number, &message.bytes)?;
        }
        let up_to = to.arrived_up_to(sender, class)?;
        from.delivered(receiver, class, up_to)?;
        Ok(!messages.is_empty())
    }
}
