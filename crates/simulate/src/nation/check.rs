//! What must hold when a country is at rest.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::{
    country::Country,
    state::{Chain, Head, NO_HEAD},
};

/// All of it.
pub(super) fn at_rest(country: &Country) -> Result<(), String> {
    let held = held(country);
    memory_is_what_is_on_the_disk(country)?;
    nothing_acknowledged_is_lost(country, &held)?;
    everybody_agrees(country, &held)?;
    every_part_of_a_picture_came_once(country)?;
    nobody_else_knows(country)
}

/// By chain, who holds how much of it.
type Held = BTreeMap<Chain, BTreeMap<usize, Head>>;

fn held(country: &Country) -> Held {
    let mut held = Held::new();
    for (at, machine) in country.machines.iter().enumerate() {
        for (chain, head) in &machine.disk.heads {
            held.entry(chain.clone()).or_default().insert(at, *head);
        }
    }
    held
}

fn memory_is_what_is_on_the_disk(country: &Country) -> Result<(), String> {
    for machine in &country.machines {
        if machine.memory.heads != machine.disk.heads {
            return Err(format!("node {}: memory and disk differ", machine.at));
        }
    }
    Ok(())
}

/// What a writer was told is saved is there, and with everybody whom it concerns. Only what stood on
/// no disk any more when a broken one was replaced by its backup may be gone, with what follows it
/// in its chain (`power.rs`). It may be there all the same: on a stick that somebody carried then.
fn nothing_acknowledged_is_lost(country: &Country, held: &Held) -> Result<(), String> {
    let nobody = BTreeMap::new();
    for (origin, machine) in country.machines.iter().enumerate() {
        for (chain, saved) in &machine.ledger {
            let (holders, saved) = (held.get(chain).unwrap_or(&nobody), saved.everywhere);
            for at in country.tree.concerned(&chain.1).into_iter().chain([origin]) {
                let here = holders.get(&at).copied().unwrap_or(NO_HEAD);
                if here.number < saved.number || here.number == saved.number && here != saved {
                    let (here, all) = (here.number, saved.number);
                    return Err(format!("node {at} has {here} of {chain:?}, and not {all}"));
                }
            }
        }
    }
    Ok(())
}

/// All whom a chart concerns hold the same of it, whatever was lost, and so does who wrote there.
fn everybody_agrees(country: &Country, held: &Held) -> Result<(), String> {
    for (chain, holders) in held {
        let Some(origin) = country.tree.place_of(&chain.0.origin) else {
            return Err(format!("{chain:?} is of nobody"));
        };
        let here = |at: usize| holders.get(&at).copied().unwrap_or(NO_HEAD);
        for at in country.tree.concerned(&chain.1) {
            if here(at) != here(origin) {
                let [one, other] = [at, origin].map(|at| here(at).number);
                return Err(format!(
                    "nodes {at} and {origin} differ in {chain:?}: the one has {one}, the other, \
                     which wrote it, {other}"
                ));
            }
        }
    }
    Ok(())
}

fn every_part_of_a_picture_came_once(country: &Country) -> Result<(), String> {
    for (at, machine) in country.machines.iter().enumerate() {
        let Some(above) = country.tree.seats[at].above else { continue };
        if country.restored.contains(&at) || country.restored.contains(&above) {
            continue;
        }
        let sent = machine.disk.neighbours.get(&above).map(|to| to.pictures_sent);
        let here = country.machines[above].disk.neighbours.get(&at).map(|from| from.pictures_here);
        if sent.unwrap_or_default() != here.unwrap_or_default() {
            return Err(format!("pictures of {at}: {sent:?} were sent, {here:?} are at {above}"));
        }
    }
    Ok(())
}

/// Nobody holds what does not concern it.
fn nobody_else_knows(country: &Country) -> Result<(), String> {
    for (at, machine) in country.machines.iter().enumerate() {
        let own = country.tree.seats[at].id;
        let stranger = machine
            .disk
            .heads
            .keys()
            .find(|(stream, chart)| stream.origin != own && !country.tree.concerns(at, chart));
        if let Some(chain) = stranger {
            return Err(format!("node {at} holds {chain:?}, which does not concern it"));
        }
    }
    Ok(())
}

/// A number that is the same whenever the same things happened.
pub(super) fn digest(country: &Country) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (chain, holders) in held(country) {
        (chain.0.origin.0, chain.0.incarnation, chain.0.class.code()).hash(&mut hasher);
        for (at, head) in holders {
            (at, head.number, head.hash.0).hash(&mut hasher);
        }
    }
    (country.faults.total(), country.now).hash(&mut hasher);
    hasher.finish()
}
