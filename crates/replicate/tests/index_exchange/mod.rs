//! A question to the nation's index and its answer between two real links, in virtual time. Also taken by
//! `ondol-bench index`.

#[path = "../link_world/mod.rs"]
pub mod link_world;

use link_world::World;
use ondol_kernel::Class;
use ondol_replicate::{
    link::Event,
    message::Message,
    national::{Answer, Index, Person},
};
use ondol_testkit::emulate::Conditions;

/// IPv4 and UDP.
const HEADERS: usize = 28;

/// Bytes of a question as a clinic sends it: about a person with so many digests.
pub fn question(digests: usize) -> usize {
    let person = Person { token: [1; 8], stamp: 1_772_406_000_000, digests: vec![[3; 6]; digests] };
    // The epoch of a node that was never put back from a backup; that of others takes 4 B more.
    let tell = Index::Tell { from: None, epoch: 256, asks: true, persons: vec![person] };
    Message::Index(tell).encode().len()
}

/// Bytes of an answer that names so many.
pub fn answer(others: usize) -> usize {
    let others = vec![[5; 8]; others];
    let found = Index::Found { to: None, epoch: 256, answer: Answer::Asked, token: [1; 8], others };
    Message::Index(found).encode().len()
}

/// Bytes both ways from the question until nothing about it is on the line any more, and how long the
/// asker waited, ms. `above_ms` is what the tiers above take for the answer.
pub fn exchange(round_trip_ms: u64, above_ms: u64, sizes: (usize, usize)) -> (usize, u64) {
    let mut world = World::new(Conditions::new(9_600, round_trip_ms / 2), 7);
    world.run_to(10_000);
    // The rate is known, as on any link that was used.
    for no in 0..6 {
        world.send(0, Class::Routine, no, 400);
        world.run_to(14_000 + no * 4_000);
    }
    world.run_to(60_000);
    world.tap = Some(vec![]);
    let begun = world.now;
    world.send(0, Class::Care, 0, sizes.0);
    let arrived = world.run(begun + 10_000, |world| {
        world.sides[1].memory.whole_at.contains_key(&(Class::Care.code(), 0))
    });
    assert!(arrived, "the question arrives");
    let asked = world.now;
    world.run_to(asked + above_ms);
    world.send(1, Class::Care, 0, sizes.1);
    let answered = world.run(asked + 20_000, |world| {
        world.sides[0].memory.whole_at.contains_key(&(Class::Care.code(), 0))
    });
    assert!(answered, "the answer arrives");
    let took = world.now - begun;
    let done = |world: &mut World| {
        world.sides.iter().all(|side| {
            let told = |event: &Event| {
                matches!(event, Event::Durable { class: Class::Care, message_no, offset }
                    if *message_no > 0 || *offset > 0)
            };
            side.memory.count(told) > 0
        })
    };
    assert!(world.run(world.now + 10_000, done), "both are known to be durable");
    // What is told once more follows within two seconds.
    world.run_to(world.now + 2_000);
    let tap = world.tap.take().unwrap();
    (tap.iter().map(|(_, datagram)| datagram.len() + HEADERS).sum(), took)
}
