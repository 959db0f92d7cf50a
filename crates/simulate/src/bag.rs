//! Messages on their way: they may be late, lost, doubled and out of order.

use ondol_kernel::Class;

use crate::chance::Chance;

/// One thing on the road.
#[derive(Debug, Clone)]
pub enum Thing {
    /// A message from one node to another.
    Message {
        /// Its class.
        class: Class,
        /// The epoch of the sender's numbers.
        epoch: u64,
        /// The first number that the sender still keeps.
        first: u64,
        /// Its number.
        number: u64,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// 'Everything of a class up to a number is here.'
    Durable {
        /// The class.
        class: Class,
        /// The epoch of the receiver's numbers.
        epoch: u64,
        /// The number.
        up_to: u64,
    },
    /// A stick: the copies of one file, each with its own damage.
    Stick(Vec<Vec<u8>>),
    /// A stick that nobody of this nation wrote for this reader: all of it has to be refused.
    ForeignStick(Vec<u8>),
}

/// Who sent a thing to whom, by their places in the world.
#[derive(Debug, Clone)]
pub struct OnTheWay {
    /// The sender.
    pub from: usize,
    /// The receiver.
    pub to: usize,
    /// What.
    pub thing: Thing,
}

/// Everything that is on its way.
#[derive(Debug, Default)]
pub struct Bag(Vec<OnTheWay>);

/// More than this is never on its way: what is older is lost, as in a full queue.
const THINGS_MAX: usize = 600;

impl Bag {
    /// Puts a thing on its way, twice now and then.
    pub fn put(&mut self, chance: &Chance, thing: OnTheWay) {
        if chance.happens(10) {
            self.0.push(thing.clone());
        }
        self.0.push(thing);
        while self.0.len() > THINGS_MAX {
            let lost = chance.place(self.0.len());
            self.0.swap_remove(lost);
        }
    }

    /// Takes any thing out.
    pub fn take(&mut self, chance: &Chance) -> Option<OnTheWay> {
        if self.0.is_empty() {
            return None;
        }
        let at = chance.place(self.0.len());
        Some(self.0.swap_remove(at))
    }

    /// Loses everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
