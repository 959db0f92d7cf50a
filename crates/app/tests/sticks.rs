//! What waits is carried on foot: both ways, once, whole or as far as it is sound, and by nobody
//! else's stick.

use ondol_access::{Role, RoleSet};
use ondol_app::{
    Actor, AppError,
    road::{BadStick, Carried, Neighbour, StickOut},
};
use ondol_kernel::{Class, NodeId, ResourceId};
use ondol_record::ChartId;
use ondol_store::Space;
use serde_json::json;
use support::{Country, Facility};

use crate::support;

fn patient_at(facility: &Facility, id: &str) -> ChartId {
    facility.put(
        id,
        json!({"resourceType": "Patient", "name": [{"text": "리영희"}],
            "managingOrganization": {"reference": facility.app.place().organization()}}),
    );
    ChartId::Patient(ResourceId::new(id).unwrap())
}

fn note(facility: &Facility, patient: &str, id: &str) {
    facility.put(
        id,
        json!({"resourceType": "Condition", "subject": {"reference": format!("Patient/{patient}")},
            "code": {"text": "기침"}}),
    );
}

/// Somebody who works there; that is nothing that anybody has to be told.
fn courier(_: &Facility) -> Actor {
    let roles = RoleSet::EMPTY.with(Role::HealthWorker);
    Actor::person(ResourceId::new("courier").unwrap(), "김철호", roles)
}

fn out(from: &Facility, to: &Facility) -> StickOut {
    from.app.stick_for(&courier(from), to.seat.node()).unwrap()
}

fn neighbour(facility: &Facility, of: &Facility) -> Neighbour {
    let all = facility.app.overview(&courier(facility)).unwrap().neighbours;
    all.into_iter().find(|one| one.node == of.seat.node()).unwrap()
}

fn last(facility: &Facility, of: &Facility) -> Carried {
    neighbour(facility, of).carried.unwrap()
}

/// What a stick was refused for.
fn refused(at: &Facility, file: &[u8]) -> BadStick {
    let carried = at.app.sticks_in(&courier(at), &[file]).unwrap();
    assert!(carried.brought.is_empty(), "{carried:?}");
    carried.refused.into_iter().next().unwrap()
}

#[test]
fn a_case_goes_up_and_its_answer_comes_down_by_stick_alone() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let chart = patient_at(clinic, "p1");
    note(clinic, "p1", "c1");
    assert!(neighbour(clinic, county).is_waiting());

    let up = out(clinic, county);
    assert!(up.messages > 0 && !up.more_waits);
    let brought = county.app.sticks_in(&courier(county), &[&up.bytes]).unwrap();
    assert_eq!(brought.brought.len(), 1);
    assert!(brought.is_news());
    assert_eq!(county.all(&chart, "Condition").len(), 1);
    // In a bag, or even at the county, it is not delivered as long as nobody said so here.
    assert!(neighbour(clinic, county).is_waiting());
    assert!(!last(clinic, county).is_held);

    note(county, "p1", "c2");
    let down = out(county, clinic);
    let brought = clinic.app.sticks_in(&courier(clinic), &[&down.bytes]).unwrap();
    assert!(brought.brought[0].acknowledged);
    assert_eq!(clinic.all(&chart, "Condition").len(), 2);
    assert!(last(clinic, county).is_held);
    assert!(!neighbour(clinic, county).is_waiting());

    // The third journey acknowledges what came down.
    let up = out(clinic, county);
    county.app.sticks_in(&courier(county), &[&up.bytes]).unwrap();
    assert!(last(county, clinic).is_held);
}

#[test]
fn a_stick_that_is_delivered_twice_brings_nothing_the_second_time() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let chart = patient_at(clinic, "p1");
    let up = out(clinic, county);
    let actor = courier(county);
    let first = county.app.sticks_in(&actor, &[&up.bytes]).unwrap();
    let entries = county.app.last_arrival().unwrap();
    let second = county.app.sticks_in(&actor, &[&up.bytes]).unwrap();
    assert!(first.is_news() && !second.is_news());
    assert_eq!(second.brought[0].arrived, 0);
    assert_eq!(second.brought[0].known, first.brought[0].arrived);
    assert_eq!(county.app.last_arrival().unwrap(), entries);
    assert_eq!(county.all(&chart, "Patient").len(), 1);
}

#[test]
fn a_stick_that_was_overtaken_brings_nothing_and_harms_nothing() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let chart = patient_at(clinic, "p1");
    let old = out(clinic, county);
    note(clinic, "p1", "c1");
    let new = out(clinic, county);
    let actor = courier(county);
    let brought = county.app.sticks_in(&actor, &[&new.bytes]).unwrap();
    assert!(brought.is_news());
    assert!(!county.app.sticks_in(&actor, &[&old.bytes]).unwrap().is_news());
    assert_eq!(county.all(&chart, "Condition").len(), 1);
}

#[test]
fn both_copies_and_several_sticks_are_taken_in_at_once_oldest_first() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let chart = patient_at(clinic, "p1");
    let first = out(clinic, county);
    note(clinic, "p1", "c1");
    let second = out(clinic, county);
    let files: [&[u8]; 5] =
        [&second.bytes, b"a photograph", &first.bytes, &second.bytes, &first.bytes];
    let brought = county.app.sticks_in(&courier(county), &files).unwrap();
    let order: Vec<u64> = brought.brought.iter().map(|stick| stick.sequence).collect();
    assert_eq!(order, [first.brought_as(), second.brought_as()]);
    assert!(brought.refused.is_empty());
    assert_eq!(county.all(&chart, "Condition").len(), 1);
}

trait BroughtAs {
    fn brought_as(&self) -> u64;
}

impl BroughtAs for StickOut {
    /// The number that stands in the file's name.
    fn brought_as(&self) -> u64 {
        let number = self.file_name.rsplit('-').next().unwrap();
        number.strip_suffix(".stick").unwrap().parse().unwrap()
    }
}

/// A stick with many messages: what is lost of it is not all of it.
fn long_stick(clinic: &Facility, county: &Facility) -> StickOut {
    for number in 0..400 {
        patient_at(clinic, &format!("p{number}"));
        if number % 8 == 0 {
            // Packed by and by, as on a link: many messages instead of one.
            clinic.app.outgoing(county.seat.node(), Class::Routine, 100).unwrap();
        }
    }
    out(clinic, county)
}

fn persons(facility: &Facility) -> usize {
    let view = facility.store().read().unwrap();
    view.charts(ondol_record::ChartKind::Patient, None, usize::MAX).unwrap().len()
}

#[test]
fn of_a_stick_that_was_pulled_out_early_the_sound_part_is_kept_and_the_rest_comes_again() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let stick = long_stick(clinic, county);
    let short = &stick.bytes[..stick.bytes.len() * 2 / 5];
    let carried = county.app.sticks_in(&courier(county), &[short]).unwrap();
    let brought = &carried.brought[0];
    assert!(brought.truncated && brought.lost_frames > 0, "{brought:?}");
    assert!(brought.arrived > 0, "{brought:?}");
    let kept = persons(county);
    assert!(kept > 0 && kept < 400, "{kept}");

    // The acknowledgement covers what arrived alone; the next stick brings what is missing.
    clinic.app.sticks_in(&courier(clinic), &[&out(county, clinic).bytes]).unwrap();
    assert!(!last(clinic, county).is_held);
    county.app.sticks_in(&courier(county), &[&out(clinic, county).bytes]).unwrap();
    assert_eq!(persons(county), 400);
}

#[test]
fn small_damage_is_mended_and_large_damage_is_told_in_numbers() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let stick = long_stick(clinic, county);
    let mut scratched = stick.bytes.clone();
    let end = scratched.len();
    scratched[end / 3] ^= 1;
    scratched[end * 2 / 3] ^= 0x80;
    let carried = county.app.sticks_in(&courier(county), &[&scratched]).unwrap();
    assert_eq!(carried.brought[0].lost_frames, 0);
    assert!(carried.brought[0].mended_frames > 0);
    assert_eq!(persons(county), 400);

    let mut ruined = stick.bytes;
    for at in (1_500..ruined.len()).step_by(600) {
        ruined[at] ^= 1;
    }
    let fresh = Country::new();
    let said = refused(fresh.county(), &ruined);
    assert_eq!(said, BadStick::Damaged);
    assert_eq!(persons(fresh.county()), 0);
}

#[test]
fn sticks_of_others_are_refused_with_their_reason_and_nothing_is_written() {
    let country = Country::new();
    let (clinic, county, province) = (country.clinic(), country.county(), country.province());
    patient_at(clinic, "p1");
    let stick = out(clinic, county);
    let before = province.app.last_arrival().unwrap();

    let to = vec![county.seat.node()];
    assert_eq!(refused(province, &stick.bytes), BadStick::NotForUs { to });
    assert_eq!(refused(province, b"holiday photographs"), BadStick::NotAStick);
    assert_eq!(refused(province, b""), BadStick::NotAStick);

    let mut foreign = stick.bytes.clone();
    foreign_nation(&mut foreign);
    assert!(matches!(refused(county, &foreign), BadStick::ForeignNation { .. }));

    let mut newer = stick.bytes;
    newer_format(&mut newer);
    assert_eq!(refused(county, &newer), BadStick::Newer { format: 9 });
    assert_eq!(province.app.last_arrival().unwrap(), before);
}

/// Changes the superblocks as another nation would write them; the check at their end is right.
fn foreign_nation(file: &mut [u8]) {
    each_superblock(file, |block| block[21] ^= 1);
}

fn newer_format(file: &mut [u8]) {
    each_superblock(file, |block| block[16] = 9);
}

/// ADR 0010: magic, format, length of everything before the check, …, check.
fn each_superblock(file: &mut [u8], change: impl Fn(&mut [u8])) {
    let magic = *b"\x89ondol stick\r\n\x1a\n";
    for at in (0..file.len()).step_by(1_024) {
        if !file[at..].starts_with(&magic) {
            continue;
        }
        let length = u32::from_be_bytes(file[at + 17..at + 21].try_into().unwrap()) as usize;
        change(&mut file[at..at + length]);
        let check = *blake3::hash(&file[at..at + length]).as_bytes();
        file[at + length..at + length + 32].copy_from_slice(&check);
    }
}

fn forget(facility: &Facility, node: NodeId) {
    let key = [b"cert/".as_slice(), &node.0].concat();
    ondol_store::transact(facility.store(), move |tx| -> Result<_, AppError> {
        Ok(tx.set_value(Space::Peer, &key, None)?)
    })
    .unwrap();
}

#[test]
fn a_sender_nobody_has_met_is_introduced_by_the_certificate_on_its_stick() {
    let country = Country::new();
    let (clinic, mut county) = (country.clinic(), Facility::at("county"));
    let chart = patient_at(clinic, "p1");
    let stick = clinic.app.stick_for(&courier(clinic), county.seat.node()).unwrap();
    forget(&county, clinic.seat.node());
    county = county.restarted();

    let without = &stick.bytes[..stick.bytes.len() - stick.certificate.len() - 12];
    let from = clinic.seat.node();
    assert_eq!(refused(&county, without), BadStick::UnknownSender { from });
    let carried = county.app.sticks_in(&courier(&county), &[&stick.bytes]).unwrap();
    assert!(carried.is_news(), "{carried:?}");
    assert_eq!(county.all(&chart, "Patient").len(), 1);
}

#[test]
fn what_is_for_one_neighbour_cannot_be_read_by_another() {
    let country = Country::new();
    let (clinic, county, province) = (country.clinic(), country.county(), country.province());
    patient_at(county, "p1");
    let sticks = county.app.sticks_out(&courier(county)).unwrap();
    assert_eq!(sticks.len(), 2);
    for stick in &sticks {
        let other = if stick.reader == clinic.seat.node() { province } else { clinic };
        assert!(matches!(refused(other, &stick.bytes), BadStick::NotForUs { .. }));
    }
}

#[test]
fn from_the_practice_room_no_stick_leaves_and_none_is_taken_in() {
    let country = Country::new();
    let practice = Facility::practice();
    let stick = out(country.county(), country.clinic());
    let actor = courier(&practice);
    let to = country.county().seat.node();
    let out = practice.app.stick_for(&actor, to);
    assert!(matches!(out, Err(AppError::State("practice"))));
    let brought = practice.app.sticks_in(&actor, &[&stick.bytes]);
    assert!(matches!(brought, Err(AppError::State("practice"))));
}

#[test]
fn carrying_is_noted_by_name() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let actor = courier(clinic);
    clinic.app.stick_for(&actor, county.seat.node()).unwrap();
    let view = clinic.store().read().unwrap();
    let readings = view.readings(&clinic.chart(), 10).unwrap();
    assert!(readings.iter().any(|r| &*r.action == "carry-stick" && *r.who == actor.reference()));
}

#[test]
fn what_waits_is_counted_in_bytes_and_minutes_until_it_is_held() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    for number in 0..20 {
        patient_at(clinic, &format!("p{number}"));
    }
    let queued = neighbour(clinic, county);
    let routine = queued.class(Class::Routine);
    assert!(routine.entries_queued >= 20 && routine.bytes() > 0);
    assert_eq!(queued.measured_bps(), None);
    assert!(queued.ms_until_through(Class::Routine) > 0);
    assert!(queued.ms_until_through(Class::Bulk) >= queued.ms_until_through(Class::Routine));

    let messages = clinic.app.outgoing(county.seat.node(), Class::Routine, 100).unwrap();
    let packed = neighbour(clinic, county).class(Class::Routine);
    assert_eq!(packed.entries_queued, 0);
    assert_eq!(packed.messages_waiting, messages.len() as u64);
    let bytes: usize = messages.iter().map(|message| message.bytes.len()).sum();
    assert_eq!(packed.bytes_waiting, bytes as u64);

    country.carry();
    assert!(!neighbour(clinic, county).is_waiting());
    assert_eq!(neighbour(clinic, county).class(Class::Routine).bytes(), 0);
}

#[test]
fn a_picture_that_waits_counts_with_all_its_bytes() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    patient_at(clinic, "p1");
    let picture: Vec<u8> = (0..50_000u32).map(|at| at.to_le_bytes()[0]).collect();
    let hash = clinic.app.keep_blob(&picture).unwrap();
    country.carry();
    county.app.want_blob(hash, Class::Bulk).unwrap();
    // The wish goes down, and is not answered yet.
    for message in county.app.outgoing(clinic.seat.node(), Class::Bulk, 10).unwrap() {
        let from = county.seat.node();
        clinic.app.arrive(from, Class::Bulk, message.number, &message.bytes).unwrap();
    }
    let waiting = neighbour(clinic, county).class(Class::Bulk);
    assert_eq!((waiting.pictures_waiting, waiting.picture_bytes_waiting), (1, 50_000));
    assert!(clinic.app.waiting_count() > 0);
    country.carry();
    assert_eq!(neighbour(clinic, county).class(Class::Bulk).items(), 0);
    assert_eq!(county.app.blob(&hash).unwrap().as_deref(), Some(&picture[..]));
}

#[test]
fn officers_see_who_below_is_silent_and_others_see_their_own_road_alone() {
    let country = Country::new();
    let county = country.county();
    country.carry();
    let officer = county.person(Role::CountyOfficer);
    let below = |facility: &Facility, actor: &Actor| facility.app.overview(actor).unwrap().below;
    let seen = below(county, &officer);
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].name.as_str(), seen[0].depth), ("새마을리진료소", 1));
    assert!(!seen[0].is_silent);
    country.pass_minutes(2 * 24 * 60 + 1);
    assert!(below(county, &officer)[0].is_silent);
    // A node that counts its day is heard, also one that had nothing to do.
    country.clinic().app.count_tick().unwrap();
    country.carry();
    assert!(!below(county, &officer)[0].is_silent);

    assert!(below(county, &county.person(Role::Doctor)).is_empty());
    let province = country.province();
    let names: Vec<(String, u32)> = below(province, &province.person(Role::ProvinceOfficer))
        .into_iter()
        .map(|one| (one.name, one.depth))
        .collect();
    assert_eq!(names, [("군병원".to_owned(), 1), ("새마을리진료소".to_owned(), 2)]);
}
