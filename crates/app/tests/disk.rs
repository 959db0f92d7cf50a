//! A disk that is full, or fails: who is at work reads on, what cannot be saved is refused to the
//! face, who read what is written down in the end, and the node recovers by itself.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use ondol_access::Role;
use ondol_app::{
    Actor, AppError, DiskTrouble,
    encounter::Visit,
    people::{Birth, Find, Registration, Sex},
};
use ondol_fault_vfs::{Disk, Faults};
use ondol_kernel::ResourceId;
use ondol_store::{StoreError, reserve::Reserve};
use support::{Facility, PASSWORD};

use crate::support;

fn registered(clinic: &Facility, worker: &Actor) -> ResourceId {
    let of = Registration {
        name: "리용희".into(),
        sex: Some(Sex::Female),
        birth: Some(Birth::Year(1994)),
        resident: true,
        ..Registration::default()
    };
    clinic.app.register(worker, of).unwrap().id
}

fn visit(complaint: &str) -> Visit {
    Visit { complaint: complaint.into(), ..Visit::default() }
}

/// Room on the faulty disk: so many changes, once it is given free.
struct Room {
    disk: Arc<Disk>,
    is_there: AtomicBool,
}

const ROOM: u64 = 4_000;

impl Reserve for Room {
    fn keep(&self) -> Result<(), StoreError> {
        if self.is_there.load(Ordering::SeqCst) { Ok(()) } else { Err(StoreError::Full) }
    }

    fn release(&self) -> Result<(), StoreError> {
        self.is_there.store(false, Ordering::SeqCst);
        self.disk.set_faults(Faults { full_after: Some(ROOM), ..Faults::default() });
        Ok(())
    }
}

fn readings(clinic: &Facility) -> Vec<(String, String)> {
    let all = clinic.store().read().unwrap().readings_after(0, usize::MAX).unwrap();
    all.into_iter().map(|(_, reading)| (reading.action.into(), reading.reason.into())).collect()
}

#[test]
fn a_full_disk_takes_no_care_but_the_audit_and_sign_ins_and_recovers_by_itself() {
    let disk = Arc::new(Disk::new("app-full"));
    let clinic = Facility::on_disk(disk.vfs_name());
    let entered = clinic.signed_in("리영희", &[Role::HealthWorker]);
    let worker = entered.who.actor.clone();
    let patient = registered(&clinic, &worker);
    clinic.app.save_visit(&worker, &patient, visit("기침")).unwrap();
    let room = Arc::new(Room { disk: disk.clone(), is_there: AtomicBool::new(true) });
    clinic.app.keep_reserve(room.clone());
    assert_eq!(clinic.app.disk_trouble(), None);

    disk.set_faults(Faults { full_after: Some(0), ..Faults::default() });
    let refused = clinic.app.save_visit(&worker, &patient, visit("머리아픔"));
    assert!(matches!(refused, Err(AppError::Store(StoreError::Full))), "{:?}", refused.err());
    assert_eq!(clinic.app.disk_trouble().unwrap().0, DiskTrouble::Full);
    assert!(!room.is_there.load(Ordering::SeqCst), "the room for the audit was given free");

    // Care is refused without eating what is left; reading, its audit and sign-ins go on.
    let before = (disk.counts().changes, readings(&clinic).len());
    let refused = clinic.app.save_visit(&worker, &patient, visit("머리아픔"));
    assert!(matches!(refused, Err(AppError::Store(StoreError::Full))));
    assert_eq!(disk.counts().changes, before.0);
    let chart = clinic.app.chart(&worker, &patient, 0).unwrap();
    assert_eq!(chart.visits.len(), 1);
    assert_eq!(readings(&clinic).len(), before.1 + 1);
    assert_eq!(clinic.app.readings_owed(), 0);
    clinic.app.sign_in("admin2", PASSWORD, None, None).unwrap();

    // Not before the room is there again, and then by itself.
    for _ in 0..3 {
        clinic.clock.pass(20_000);
        // What a node counts by itself is refused like care.
        let _ = clinic.app.tick();
        assert_eq!(clinic.app.disk_trouble().unwrap().0, DiskTrouble::Full);
    }
    disk.set_faults(Faults::default());
    room.is_there.store(true, Ordering::SeqCst);
    clinic.clock.pass(20_000);
    clinic.app.tick().unwrap();
    assert_eq!(clinic.app.disk_trouble(), None);
    clinic.app.save_visit(&worker, &patient, visit("머리아픔")).unwrap();
    assert_eq!(clinic.app.chart(&worker, &patient, 0).unwrap().visits.len(), 2);
    assert!(clinic.store().verify(&mut |_, _| {}).unwrap().is_empty());
}

#[test]
fn a_failing_disk_is_read_on_and_who_read_is_written_down_late_with_the_gap() {
    let disk = Arc::new(Disk::new("app-failing"));
    let clinic = Facility::on_disk(disk.vfs_name());
    let entered = clinic.signed_in("리영희", &[Role::HealthWorker]);
    let worker = entered.who.actor.clone();
    let patient = registered(&clinic, &worker);
    clinic.app.save_visit(&worker, &patient, visit("기침")).unwrap();
    let before = readings(&clinic).len();

    disk.set_faults(Faults { io_error_after: Some(0), ..Faults::default() });
    // The session goes on though a touch cannot be written.
    clinic.clock.pass(60_000);
    let signed_in = clinic.app.session(&entered.session, true).unwrap().unwrap();
    assert!(!signed_in.locked);
    let refused = clinic.app.save_visit(&worker, &patient, visit("머리아픔"));
    assert!(matches!(refused, Err(AppError::Store(StoreError::Io(_)))), "{:?}", refused.err());
    assert_eq!(clinic.app.disk_trouble().unwrap().0, DiskTrouble::Failing);
    for _ in 0..3 {
        assert_eq!(clinic.app.chart(&worker, &patient, 0).unwrap().visits.len(), 1);
    }
    let find = Find { text: "리용희".into(), ..Find::default() };
    assert_eq!(clinic.app.find_people(&worker, &find).unwrap().people.len(), 1);
    let owed = clinic.app.readings_owed();
    assert!(owed >= 4, "{owed}");
    assert_eq!(readings(&clinic).len(), before);
    let _ = clinic.app.tick();
    assert_eq!(clinic.app.disk_trouble().unwrap().0, DiskTrouble::Failing);
    assert_eq!(clinic.app.readings_owed(), owed, "nothing is dropped by trying");

    disk.set_faults(Faults::default());
    clinic.app.tick().unwrap();
    assert_eq!(clinic.app.disk_trouble(), None);
    assert_eq!(clinic.app.readings_owed(), 0);
    let after = readings(&clinic);
    assert_eq!(after.len(), before + owed + 1);
    let (action, reason) = after.last().unwrap();
    assert_eq!(action, "audit-gap");
    assert!(reason.starts_with(&format!("{owed} since 2026-")), "{reason}");
    clinic.app.save_visit(&worker, &patient, visit("머리아픔")).unwrap();
    assert!(clinic.store().verify(&mut |_, _| {}).unwrap().is_empty());
}
