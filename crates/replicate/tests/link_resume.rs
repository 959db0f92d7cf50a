//! Cuts, crashes and reordering: everything arrives once, in order, and goes on where it was.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "lengths and times of a test"
)]

mod link_world;

use link_world::{World, body, keep_busy};
use ondol_kernel::Class;
use ondol_replicate::link::{Event, Position, SendError};
use ondol_testkit::emulate::Conditions;
use proptest::prelude::*;

/// Sends messages of many lengths in all classes; returns how many in each.
fn send_mixed(world: &mut World, from: u64, count: u64) {
    for no in from..from + count {
        world.send(0, Class::Emergency, no, 100 + (no as usize * 37) % 900);
        world.send(0, Class::Care, no, (no as usize * 211) % 3_000);
        world.send(0, Class::Routine, no, 1 + (no as usize * 997) % 9_000);
        world.send(0, Class::Bulk, no, (no as usize * 3_001) % 30_000);
    }
}

fn all_durable(world: &World, count: u64) -> bool {
    let done = Position { message_no: count, offset: 0 };
    world.sides[0].memory.acked == [done; 4] && world.sides[1].memory.durable == [done; 4]
}

#[test]
fn ten_minutes_of_outage_repeat_no_bulk() {
    for seed in 0..20 {
        let outage = 60_000 + seed * 137..660_000 + seed * 137;
        let road = Conditions::new(9_600, 300).with_outage(outage.clone());
        let mut world = World::new(road, seed);
        let mut no = 0;
        let mut busy = |world: &mut World| {
            keep_busy(world, Class::Bulk, &mut no, 20_000);
            false
        };
        world.run(outage.start, &mut busy);
        let before = world.sides[1].memory.bytes;
        world.run(outage.end, &mut busy);
        let during = world.sides[1].memory.bytes - before;
        assert!(during < 2_000, "what was on its way: {during}");
        let begun = world.sides[1].memory.bytes;
        assert!(
            world.run(outage.end + 20_000, |world| world.sides[1].memory.bytes > begun),
            "goes on soon after the cut"
        );
        world.run(outage.end + 60_000, &mut busy);
        for side in &mut world.sides {
            let stats = side.link().stats();
            assert_eq!(stats.handshakes, 1, "the keys survive");
            assert_eq!(
                stats.repeated_bytes, 0,
                "nobody waits for bulk: it is not tried again blindly"
            );
            assert!(stats.is_up);
            assert_eq!(side.memory.count(|event| *event == Event::Up), 2);
            assert_eq!(side.memory.count(|event| matches!(event, Event::Quiet { .. })), 1);
        }
        let rate = world.sides[0].link().stats().rate_bps;
        assert!((7_000..12_000).contains(&rate), "the rate is remembered: {rate}");
    }
}

#[test]
fn an_idle_link_costs_next_to_nothing_and_notices_silence() {
    let mut world = World::new(Conditions::new(9_600, 300), 1);
    world.run_to(3_600_000);
    let stats = world.sides.each_mut().map(|side| side.link().stats());
    let bytes = stats[0].bytes_out + stats[1].bytes_out;
    println!("an idle hour costs {bytes} B both ways together");
    assert!(bytes < 8_000, "{bytes}");
    assert!(stats.iter().all(|stats| stats.is_up));
    world.pipes.iter_mut().for_each(|pipe| pipe.set_cut(true));
    world.run_to(3_600_000 + 200_000);
    assert!(world.sides.iter_mut().all(|side| !side.link().stats().is_up));
}

#[test]
fn an_urgent_message_on_an_open_link_costs_little() {
    let mut world = World::new(Conditions::new(9_600, 300), 1);
    world.commit_ms = 30;
    world.run_to(30_000);
    let bytes =
        |world: &mut World| world.sides.each_mut().map(|side| side.link().stats().bytes_out);
    let before = bytes(&mut world);
    world.send(0, Class::Emergency, 0, 120);
    world.run_to(60_000);
    let after = bytes(&mut world);
    let (out, back) = (after[0] - before[0], after[1] - before[1]);
    println!("a message of 120 B costs {out} B out and {back} B back, with IP and UDP");
    assert!(all_durable_of(&world, Class::Emergency, 1));
    assert!(out <= 120 + 56 && back <= 70, "{out} {back}");
}

fn all_durable_of(world: &World, class: Class, count: u64) -> bool {
    world.sides[0].memory.acked[usize::from(class.code())]
        == Position { message_no: count, offset: 0 }
}

#[test]
fn messages_left_out_are_left_out_and_a_half_sent_one_is_abandoned() {
    let mut world = World::new(Conditions::new(9_600, 100), 3);
    world.sides[1].memory.gaps_allowed = true;
    world.send(0, Class::Routine, 4, 2_000);
    world.send(0, Class::Routine, 9, 500);
    world.run_to(10_000);
    assert_eq!(world.sides[0].memory.acked[2], Position { message_no: 10, offset: 0 });
    // Half of number 10 arrives; then the sender starts anew and goes on with 12.
    world.send(0, Class::Routine, 10, 5_000);
    world.run(60_000, |world| world.sides[1].memory.next[2].offset > 1_000);
    world.run_to(world.now + 100);
    world.kill(0);
    world.start(0);
    world.send(0, Class::Routine, 12, 700);
    world.run_to(world.now + 20_000);
    let receiver = &world.sides[1].memory;
    assert!(receiver.whole_at.contains_key(&(2, 12)) && !receiver.whole_at.contains_key(&(2, 10)));
    let abandoned = Event::Abandoned { class: Class::Routine, message_no: 10 };
    assert_eq!(receiver.count(|event| *event == abandoned), 1);
    let error = world.sides[0].link().send(Class::Routine, 11, vec![1]).unwrap_err();
    assert!(matches!(error, SendError::AlreadyDurable { .. } | SendError::NotIncreasing { .. }));
}

#[test]
fn a_sender_that_lost_count_begins_anew_under_a_new_epoch() {
    let mut world = World::new(Conditions::new(64_000, 50), 3);
    send_mixed(&mut world, 0, 5);
    world.run(60_000, |world| all_durable(world, 5));
    world.kill(0);
    world.sides[0].config.epoch += 1;
    world.sides[0].memory.acked = Default::default();
    world.start(0);
    send_mixed(&mut world, 0, 3);
    assert!(world.run(world.now + 60_000, |world| all_durable(world, 3)));
    let epoch = world.sides[0].config.epoch;
    assert_eq!(world.sides[1].memory.peer_epoch, epoch);
}

#[test]
fn a_receiver_restored_from_a_backup_gets_what_the_sender_still_has() {
    let mut world = World::new(Conditions::new(64_000, 50), 3);
    send_mixed(&mut world, 0, 5);
    world.run(60_000, |world| all_durable(world, 5));
    world.kill(1);
    world.sides[1].memory.gaps_allowed = true;
    world.sides[1].memory.durable = [Position { message_no: 2, offset: 0 }; 4];
    world.start(1);
    send_mixed(&mut world, 5, 2);
    assert!(world.run(world.now + 60_000, |world| all_durable(world, 7)));
    let told = Event::Resumed { received: [Position { message_no: 2, offset: 0 }; 4] };
    assert_eq!(world.sides[0].memory.count(|event| *event == told), 1, "the sender can tell");
}

#[test]
fn an_unreported_message_stays_waiting_and_the_sender_asks() {
    let mut world = World::new(Conditions::new(64_000, 50), 3);
    world.commit_ms = 50_000;
    world.send(0, Class::Care, 0, 300);
    world.run_to(40_000);
    assert!(world.sides[1].memory.whole_at.contains_key(&(1, 0)), "it is there");
    assert_eq!(world.sides[0].link().waiting(Class::Care), (1, 300), "and still it waits");
    world.run_to(60_000);
    assert_eq!(world.sides[0].link().waiting(Class::Care), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any rate, loss, jitter, duplicates, and crashes of either side at any time.
    #[test]
    fn everything_arrives_once_and_in_order(
        seed: u64,
        rate in prop::sample::select(vec![2_400u64, 9_600, 64_000, 1_000_000]),
        delay in 5u64..800,
        jitter in prop::sample::select(vec![0u64, 0, 30, 400]),
        loss in 0.0f64..0.3,
        duplicate in 0.0f64..0.2,
        crashes in prop::collection::vec((0usize..2, 0u64..40_000, 0u64..5_000), 0..6),
        commit_ms in 0u64..500,
    ) {
        let mut road = Conditions::new(rate, delay).with_loss(loss).with_jitter_ms(jitter);
        road.duplicate = duplicate;
        let mut world = World::new(road, seed);
        world.commit_ms = commit_ms;
        let count = if rate > 5_000 { 6 } else { 2 };
        send_mixed(&mut world, 0, count);
        for (side, after, down) in crashes {
            world.run_to(world.now + after);
            world.kill(side);
            world.run_to(world.now + down);
            world.start(side);
            if side == 0 {
                // A restarted sender queues again whatever it does not know to be durable.
                for class in Class::ALL {
                    let from = world.sides[0].memory.acked[usize::from(class.code())].message_no;
                    for no in from..count {
                        let length = match class {
                            Class::Emergency => 100 + (no as usize * 37) % 900,
                            Class::Care => (no as usize * 211) % 3_000,
                            Class::Routine => 1 + (no as usize * 997) % 9_000,
                            Class::Bulk => (no as usize * 3_001) % 30_000,
                        };
                        let queued = world.sides[0].link().send(class, no, body(class, no, length));
                        prop_assert_eq!(queued, Ok(()));
                    }
                }
            }
        }
        let done = world.run(world.now + 3_600_000, |world| all_durable(world, count));
        prop_assert!(done, "all is durable within an hour");
        let stats = world.sides[1].link().stats();
        prop_assert!(stats.repeated_bytes < 400_000);
    }
}

#[test]
fn a_crash_repeats_nothing_that_was_durable() {
    for seed in 0..10 {
        for side in 0..2 {
            let mut world = World::new(Conditions::new(9_600, 300), seed);
            world.send(0, Class::Bulk, 0, 40_000);
            world.run_to(15_000 + seed * 333);
            world.kill(side);
            world.run_to(world.now + 2_000);
            let durable = world.sides[1].memory.durable[3];
            assert!(durable.offset > 5_000);
            world.start(side);
            if side == 0 {
                world.send(0, Class::Bulk, 0, 40_000);
            }
            let whole = |world: &mut World| all_durable_of(world, Class::Bulk, 1);
            assert!(world.run(world.now + 120_000, whole));
            let repeated = world.sides[1].link().stats().repeated_bytes;
            assert!(repeated <= 330, "seed {seed}, side {side}: {repeated} repeated");
        }
    }
}
