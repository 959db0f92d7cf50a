//! Garbage, forgeries and replays: nothing of it does harm.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "lengths and times of a test"
)]

mod link_world;

use link_world::{World, body, keep_busy};
use ondol_kernel::Class;
use ondol_replicate::link::{
    Config, Event, Heard, Kind, Link, Role, initiator_of, lost_reply, peek, peek_connection_id,
    public_key,
};
use ondol_testkit::emulate::Conditions;
use proptest::prelude::*;

fn quick_world() -> World {
    let mut world = World::new(Conditions::new(256_000, 20), 1);
    world.tap = Some(Vec::new());
    world.run_to(500);
    world
}

#[test]
fn a_live_session_survives_replayed_and_forged_handshakes() {
    let mut world = quick_world();
    let init = world.tap.as_ref().unwrap()[0].1.clone();
    assert_eq!(peek(&init), Some(Kind::Init));
    let mut no = 0;
    world.run(2_000, |world| {
        keep_busy(world, Class::Bulk, &mut no, 5_000);
        false
    });
    // A stranger who knows the responder's key but is not allowed.
    let stranger = Role::Initiator { remote: public_key(&[22; 32]).unwrap() };
    let mut stranger = Link::new(Config::new(1, 1), stranger, [66; 32], [6; 32], 0).unwrap();
    let forged = stranger.poll_transmit(0).unwrap();
    for n in 0..50u8 {
        let now = world.now;
        let link = world.sides[1].link();
        link.handle_datagram(now, &init);
        assert_eq!(link.handle_datagram(now, &forged), Heard::Nothing);
        let mut broken = init.clone();
        let at = usize::from(n) * 2 + 1;
        broken[at] ^= 1;
        assert_eq!(link.handle_datagram(now, &broken), Heard::Nothing);
        let before = world.sides[1].memory.bytes;
        world.run(world.now + 100, |world| {
            keep_busy(world, Class::Bulk, &mut no, 5_000);
            false
        });
        assert!(world.sides[1].memory.bytes > before, "goes on under the old keys");
    }
    let handshakes = world.sides.each_mut().map(|side| side.link().stats().handshakes);
    assert_eq!(handshakes, [1, 1]);
}

#[test]
fn replayed_packets_are_not_heard() {
    let mut world = quick_world();
    world.send(0, Class::Care, 0, 3_000);
    world.run_to(3_000);
    assert!(world.sides[1].memory.whole_at.contains_key(&(1, 0)));
    let now = world.now;
    for (from, packet) in world.tap.take().unwrap() {
        if matches!(peek(&packet), Some(Kind::Data { .. })) {
            let heard = world.sides[1 - from].link().handle_datagram(now, &packet);
            assert_eq!(heard, Heard::Nothing);
        }
    }
    world.run_to(4_000);
    assert_eq!(world.sides[1].memory.count(|event| matches!(event, Event::Received { .. })), 0);
    let repeated = world.sides[1].link().stats().repeated_bytes;
    assert_eq!(repeated, 0);
}

#[test]
fn every_truncation_and_every_flipped_bit_of_a_packet_is_refused() {
    let mut world = quick_world();
    world.send(0, Class::Care, 0, 40);
    let now = world.now;
    world.sides[0].link().handle_timeout(now);
    let packet = world.sides[0].link().poll_transmit(now).expect("the message");
    let receiver = world.sides[1].link();
    for length in 0..packet.len() {
        assert_eq!(receiver.handle_datagram(now, &packet[..length]), Heard::Nothing);
    }
    // The low bits of the first byte and the packet number choose the nonce, the id the key.
    for bit in 0..packet.len() * 8 {
        let mut flipped = packet.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(receiver.handle_datagram(now, &flipped), Heard::Nothing, "bit {bit}");
    }
    assert_eq!(receiver.handle_datagram(now, &packet), Heard::Peer);
    assert_eq!(receiver.handle_datagram(now, &packet), Heard::Nothing);
}

#[test]
fn a_restarted_responder_is_found_at_once_though_the_initiator_does_not_know() {
    for known_id in [true, false] {
        let mut world = quick_world();
        world.kill(1);
        if !known_id {
            world.sides[1].config.connection_id = 900;
        }
        world.start(1);
        world.send(0, Class::Emergency, 0, 500);
        let begun = world.now;
        if !known_id {
            // The socket's owner answers for ids that it does not know.
            let now = world.now;
            let packet = world.sides[0].link().poll_transmit(now).unwrap();
            assert_eq!(peek_connection_id(&packet), Some(2));
            let lost = lost_reply(&packet).unwrap();
            world.sides[0].link().handle_datagram(now, &lost);
        }
        let done = |world: &mut World| world.sides[1].memory.whole_at.contains_key(&(0, 0));
        assert!(world.run(begun + 1_000, done), "within a second");
    }
}

#[test]
fn a_lost_that_quotes_no_packet_is_not_believed() {
    let mut world = quick_world();
    let mut no = 0;
    for n in 0..100u8 {
        // 'Lost' and 'call' in version 1.
        let forged = [&[0x1c, 0, 2][..], &[n; 8]].concat();
        let now = world.now;
        world.sides[0].link().handle_datagram(now, &forged);
        world.sides[0].link().handle_datagram(now, &[0x1d]);
        world.run(now + 100, |world| {
            keep_busy(world, Class::Bulk, &mut no, 2_000);
            false
        });
    }
    assert!(world.sides[1].memory.bytes > 150_000, "{}", world.sides[1].memory.bytes);
    let stats = world.sides[0].link().stats();
    assert!(stats.handshakes == 1 && stats.is_up, "{}", stats.handshakes);
}

#[test]
fn a_lost_forged_by_somebody_on_the_way_only_costs_a_handshake_now_and_then() {
    let mut world = quick_world();
    let (mut no, begun) = (0, world.now);
    for _ in 0..100 {
        let tap = world.tap.as_ref().unwrap();
        let mut packets = tap.iter().rev().filter(|(from, _)| *from == 0);
        let forged = packets.find_map(|(_, packet)| lost_reply(packet));
        let now = world.now;
        if let Some(forged) = forged {
            world.sides[0].link().handle_datagram(now, &forged);
        }
        world.run(now + 100, |world| {
            keep_busy(world, Class::Bulk, &mut no, 2_000);
            false
        });
    }
    let stats = world.sides[0].link().stats();
    let most = 2 + (world.now - begun) / 1_500;
    println!("{} handshakes, {} B", stats.handshakes, world.sides[1].memory.bytes);
    assert!(stats.handshakes > 1 && stats.handshakes <= most, "{}", stats.handshakes);
    assert!(world.sides[1].memory.bytes > 100_000, "{}", world.sides[1].memory.bytes);
}

#[test]
fn new_keys_are_made_in_passing() {
    let mut world = World::new(Conditions::new(256_000, 20).with_loss(0.05), 1);
    for side in 0..2 {
        world.kill(side);
        world.sides[side].config.rekey_packets = 200;
        world.start(side);
    }
    let mut no = 0;
    world.run(60_000, |world| {
        keep_busy(world, Class::Bulk, &mut no, 20_000);
        false
    });
    let stats = world.sides[0].link().stats();
    assert!(stats.handshakes > 4, "{}", stats.handshakes);
    assert!(world.sides[1].memory.bytes > 1_000_000, "{}", world.sides[1].memory.bytes);
    assert_eq!(world.sides[0].memory.count(|event| matches!(event, Event::Quiet { .. })), 0);
}

#[test]
fn a_handshake_is_two_short_datagrams() {
    let world = quick_world();
    let tap = world.tap.as_ref().unwrap();
    let first_two: Vec<usize> = tap.iter().take(2).map(|(_, packet)| packet.len()).collect();
    assert_eq!(first_two, [121, 75]);
    assert!(matches!(peek(&tap[1].1), Some(Kind::Reply { connection_id: 1 })));
}

#[test]
fn an_initiator_is_named_by_its_first_message() {
    let world = quick_world();
    let init = &world.tap.as_ref().unwrap()[0].1;
    assert_eq!(initiator_of(&[22; 32], init), Some(public_key(&[11; 32]).unwrap()));
    assert_eq!(initiator_of(&[23; 32], init), None, "it is for another responder");
}

#[test]
fn another_version_is_reported_once() {
    let mut world = quick_world();
    let now = world.now;
    for _ in 0..3 {
        world.sides[0].link().handle_datagram(now, &[0x20, 1, 2, 3]);
    }
    world.run_to(now + 10);
    let told = Event::UnknownVersion { version: 2 };
    assert_eq!(world.sides[0].memory.count(|event| *event == told), 1);
}

#[test]
fn a_caller_that_never_fetches_events_bounds_what_is_kept() {
    let mut world = quick_world();
    let now = world.now;
    let mut taken = 0u64;
    for no in 0..30 {
        world.sides[0].link().send(Class::Bulk, no, body(Class::Bulk, no, 200_000)).unwrap();
    }
    // Drives both links by hand and never polls the receiver's events.
    for step in 0..60_000 {
        let now = now + step;
        let [sender, receiver] = &mut world.sides;
        sender.link().handle_timeout(now);
        receiver.link().handle_timeout(now);
        while let Some(packet) = sender.link().poll_transmit(now) {
            taken += u64::from(receiver.link().handle_datagram(now, &packet) == Heard::Peer);
        }
        while let Some(packet) = receiver.link().poll_transmit(now) {
            sender.link().handle_datagram(now, &packet);
        }
    }
    let mut kept = 0;
    while let Some(event) = world.sides[1].link().poll_event() {
        if let Event::Received { bytes, .. } = event {
            kept += bytes.len();
        }
    }
    println!("kept {kept} B of 6 MB after {taken} packets");
    assert!(kept <= 2 << 20, "{kept}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn garbage_does_no_harm(
        datagrams in prop::collection::vec(
            (prop::collection::vec(any::<u8>(), 0..200), any::<prop::sample::Index>(), 0u8..3), 1..40),
    ) {
        let mut world = quick_world();
        let seen = world.tap.clone().unwrap();
        for (mut bytes, index, kind) in datagrams {
            let now = world.now;
            match kind {
                // What looks like ours.
                0 => bytes.iter_mut().take(1).for_each(|first| *first = 0x10 | *first & 15),
                1 => bytes.splice(0..0, [0x10, 0, 2]).for_each(drop),
                // Something real, spoilt.
                _ => {
                    let (_, real) = index.get(&seen);
                    let keep = bytes.len().min(real.len());
                    bytes.splice(0..0, real[..keep].iter().copied()).for_each(drop);
                }
            }
            for side in &mut world.sides {
                prop_assert_eq!(side.link().handle_datagram(now, &bytes), Heard::Nothing);
            }
            world.run_to(now + 50);
        }
        world.send(0, Class::Care, 0, 1_000);
        let done = |world: &mut World| world.sides[0].memory.durable_at.contains_key(&(1, 0));
        prop_assert!(world.run(world.now + 2_000, done));
        prop_assert_eq!(world.sides[0].link().stats().handshakes, 1);
    }
}
