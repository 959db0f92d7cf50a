//! Five facilities and the road between them.

use ondol_kernel::Class;

use super::{Facility, SEATS};

/// Ministry, province, county, clinic, specialist: each a real store and real use cases.
pub struct Country {
    facilities: Vec<Facility>,
}

impl Country {
    /// All five, with nothing carried yet.
    pub fn new() -> Self {
        Self { facilities: SEATS.iter().map(|seat| Facility::at(seat.id)).collect() }
    }

    /// All five.
    pub fn all(&self) -> &[Facility] {
        &self.facilities
    }

    /// Does something to one facility that makes it another, such as a start over a backup.
    pub fn again(&mut self, id: &str, make: impl FnOnce(Facility) -> Facility) {
        let at = self.facilities.iter().position(|facility| facility.seat.id == id).unwrap();
        let facility = self.facilities.remove(at);
        self.facilities.insert(at, make(facility));
    }

    fn facility(&self, id: &str) -> &Facility {
        self.facilities.iter().find(|facility| facility.seat.id == id).unwrap()
    }

    /// The ministry.
    pub fn ministry(&self) -> &Facility {
        self.facility("ministry")
    }

    /// The provincial hospital.
    pub fn province(&self) -> &Facility {
        self.facility("province")
    }

    /// The county hospital.
    pub fn county(&self) -> &Facility {
        self.facility("county")
    }

    /// The village clinic.
    pub fn clinic(&self) -> &Facility {
        self.facility("clinic")
    }

    /// The specialist hospital.
    pub fn specialist(&self) -> &Facility {
        self.facility("specialist")
    }

    /// Lets time pass everywhere.
    pub fn pass_minutes(&self, minutes: u32) {
        for facility in &self.facilities {
            facility.clock.pass_minutes(minutes);
        }
    }

    /// Carries between all neighbours until nothing waits any more.
    pub fn carry(&self) {
        self.carry_but(&[]);
    }

    /// Carries, but over no link of the facilities named: theirs are cut.
    pub fn carry_but(&self, cut: &[&str]) {
        for _ in 0..100 {
            if !self.carry_once(cut) {
                return;
            }
        }
        panic!("the road does not come to rest");
    }

    fn carry_once(&self, cut: &[&str]) -> bool {
        let mut moved = false;
        for from in &self.facilities {
            let to = self.facilities.iter().filter(|to| {
                let linked = has_link(from, to) && has_link(to, from);
                linked && !cut.contains(&from.seat.id) && !cut.contains(&to.seat.id)
            });
            for to in to {
                moved |= Class::ALL.iter().any(|class| hand_over(from, to, *class));
            }
            // As nodes do every few seconds.
            moved |= from.app.part_with_moved().unwrap();
        }
        moved
    }
}

/// Whether a facility calls another one or waits for its call: they are neighbours, or were until it
/// moved.
fn has_link(from: &Facility, to: &Facility) -> bool {
    let to = to.app.place().node;
    from.app.nation().neighbours().contains(&to) || from.app.parting().unwrap().contains(&to)
}

/// Moves what waits in one class from one facility to another.
fn hand_over(from: &Facility, to: &Facility, class: Class) -> bool {
    let (sender, receiver) = (from.app.place().node, to.app.place().node);
    from.app.feed_blobs(receiver, class, 1_000).unwrap();
    let messages = from.app.outgoing(receiver, class, 1_000).unwrap();
    // As a link does: it tells the epoch, and which numbers will not come.
    to.app.renumbered(sender, from.app.own_epoch().unwrap()).unwrap();
    if let Some(first) = messages.first() {
        to.app.skipped(sender, class, first.number).unwrap();
    }
    for message in &messages {
        to.app.arrive(sender, class, message.number, &message.bytes).unwrap();
    }
    let got = to.app.arrived_up_to(sender, class).unwrap();
    from.app.delivered(receiver, class, got).unwrap();
    !messages.is_empty()
}
