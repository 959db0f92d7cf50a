//! The nation's index of persons: who registered whom elsewhere, over clinic, county, province and
//! ministry.

mod answers;
mod leading;
mod privacy;
mod telling;

use ondol_access::Role;
use ondol_app::{
    Actor,
    national::{Elsewhere, Question, Where},
    people::{Birth, Registration, Sex},
};
use ondol_kernel::{Class, ResourceId};
use support::{Country, Facility};

use crate::support;

pub fn of(name: &str, birth: &str, mother: &str) -> Registration {
    Registration {
        name: name.into(),
        sex: Some(Sex::Female),
        birth: Some(Birth::parse(birth, false)),
        mother_name: mother.into(),
        resident: true,
        ..Registration::default()
    }
}

/// The same woman as another facility types her.
pub fn here() -> Registration {
    of("리용희", "1961-03-02", "김복순")
}

pub fn there() -> Registration {
    of("Ri Yong-hui", "1961-03-02", "김 복순")
}

pub fn register(at: &Facility, who: &Actor, of: Registration) -> ResourceId {
    at.app.register(who, of).unwrap().id
}

/// Ticks everywhere and carries, until what follows from it has come to rest.
pub fn settle(country: &Country) {
    settle_but(country, &[]);
}

pub fn settle_but(country: &Country, cut: &[&str]) {
    for _ in 0..4 {
        for facility in country.all() {
            facility.app.national_tick().unwrap();
        }
        country.carry_but(cut);
    }
}

/// A country whose nodes have the key.
pub fn country() -> Country {
    let country = Country::new();
    country.carry();
    settle(&country);
    country
}

pub fn found(at: &Facility, who: &Actor, id: &ResourceId) -> Vec<Elsewhere> {
    at.app.elsewhere(who, id).unwrap().found
}

pub fn places(at: &Facility, who: &Actor, id: &ResourceId) -> Vec<Where> {
    found(at, who, id).into_iter().map(|one| one.place).collect()
}

pub fn question(at: &Facility, who: &Actor, id: &ResourceId) -> Option<Question> {
    at.app.elsewhere(who, id).unwrap().question
}

/// A clinic's health worker and a specialist hospital's doctor.
pub fn both(country: &Country) -> (Actor, Actor) {
    (country.clinic().person(Role::HealthWorker), country.specialist().person(Role::Doctor))
}

/// Bytes of messages that wait for the node above.
pub fn waiting_bytes(at: &Facility) -> u64 {
    let parent = at.app.place().parent.unwrap();
    let mut bytes = 0;
    for class in Class::ALL {
        let messages = at.app.outgoing(parent, class, 1_000).unwrap();
        bytes += messages.iter().map(|message| message.bytes.len() as u64).sum::<u64>();
    }
    bytes
}
