//! A computer is stolen: whoever has it goes on writing and sending in its name. Some time later the
//! nation revokes it, and the news goes its way like everything else.

use std::collections::BTreeMap;

use ondol_app::AppError;
use ondol_kernel::Class;
use ondol_record::{Address, Revoked, Stream, certificate::Tier, revocation::Trusted};
use ondol_store::{Store as _, View};

use crate::{land::land, node::Node, world::World};

/// A stolen computer.
pub struct Stolen {
    /// Which.
    pub at: usize,
    /// What the nation said.
    pub revoked: Revoked,
    /// Those who heard of it, and what they had of it then beyond the last trusted numbers.
    pub heard: BTreeMap<usize, Vec<Address>>,
}

impl World {
    /// A clinic's or the specialist hospital's computer is revoked at the ministry: trusted is what
    /// the one above it had of it, or less.
    pub(crate) fn steal(&mut self) -> Result<(), AppError> {
        let at = self.somebody_to_rob()?;
        let mut trusted = Trusted::new();
        for (class, held) in Class::ALL.into_iter().zip(self.held_above(at)?) {
            let less = if self.chance.happens(40) { self.chance.next() % (held + 1) } else { held };
            trusted.entry(0).or_default()[usize::from(class.code())] = less;
        }
        let revocation = land().revoke(at, trusted);
        // Signed is signed: the disk of the ministry may refuse it once, and not for ever.
        loop {
            self.endanger(0);
            let told = self.nodes[0].app().take_revocation(&revocation.to_bytes());
            if self.survived(0, told)?.is_some() {
                break;
            }
        }
        let (revoked, heard) = (Revoked::new(revocation), BTreeMap::new());
        self.stolen = Some(Stolen { at, revoked, heard });
        Ok(())
    }

    /// A clinic or the specialist hospital, one whose entries others have if there is any.
    fn somebody_to_rob(&self) -> Result<usize, AppError> {
        let leaves = [Tier::Clinic, Tier::Specialist];
        let seats = land().seats.iter().filter(|seat| leaves.contains(&seat.tier));
        let mut candidates = vec![];
        for at in seats.map(|seat| seat.at) {
            candidates.push((self.held_above(at)?.iter().any(|&held| held > 1), at));
        }
        let known: Vec<usize> =
            candidates.iter().filter(|(known, _)| *known).map(|(_, at)| *at).collect();
        let all: Vec<usize> = candidates.iter().map(|(_, at)| *at).collect();
        let of = if known.is_empty() { all } else { known };
        Ok(of[self.chance.place(of.len())])
    }

    /// How far the one above a node has its logs sealed.
    fn held_above(&self, at: usize) -> Result<[u64; 4], AppError> {
        let view = self.nodes[land().seats[at].above.unwrap_or(0)].store().read()?;
        let mut held = [0; 4];
        for (class, held) in Class::ALL.into_iter().zip(&mut held) {
            let stream = Stream { origin: land().ids[at], incarnation: 0, class };
            *held = view.last_sealed(&stream)?;
        }
        Ok(held)
    }

    /// At the end everybody is told who has not heard yet: links carry no more of what was lost.
    pub(crate) fn tell_of_the_theft(&mut self) -> Result<(), AppError> {
        let Some(stolen) = &self.stolen else { return Ok(()) };
        let (at, statements) = (stolen.at, stolen.revoked.statements().to_vec());
        for node in (0..self.nodes.len()).filter(|node| *node != at) {
            for one in &statements {
                self.nodes[node].app().take_revocation(&one.to_bytes())?;
            }
        }
        self.notice_who_heard().map_err(|_| AppError::Unexpected("a node cannot be read"))
    }

    /// Notes what those who have just heard had of the stolen computer's.
    pub(crate) fn notice_who_heard(&mut self) -> Result<(), String> {
        let Some(stolen) = &mut self.stolen else { return Ok(()) };
        let node = land().ids[stolen.at];
        for (at, one) in self.nodes.iter().enumerate() {
            if at != stolen.at
                && !stolen.heard.contains_key(&at)
                && one.app().nation().is_revoked(&node)
            {
                stolen.heard.insert(at, beyond(one, stolen.at, &stolen.revoked)?);
            }
        }
        Ok(())
    }
}

/// Whether an entry of the stolen computer was written after it was trusted for the last time, as
/// its seal says at a node.
pub fn is_beyond(view: &dyn View, revoked: &Revoked, address: &Address) -> Result<bool, String> {
    if address.number > revoked.last(&address.stream) {
        return Ok(true);
    }
    let seal = view.seal(address).map_err(|why| why.to_string())?;
    Ok(seal.is_some_and(|seal| revoked.is_beyond(&seal)))
}

/// What a node has of the stolen computer's beyond the last trusted numbers.
pub fn beyond(node: &Node, stolen: usize, revoked: &Revoked) -> Result<Vec<Address>, String> {
    let view = node.store().read().map_err(|why| why.to_string())?;
    let mut found = vec![];
    for class in Class::ALL {
        let stream = Stream { origin: land().ids[stolen], incarnation: 0, class };
        let rows = view.stream_entries(&stream, 1, 1_000_000).map_err(|why| why.to_string())?;
        for row in rows {
            if is_beyond(&*view, revoked, &row.entry.address)? {
                found.push(row.entry.address);
            }
        }
    }
    Ok(found)
}
