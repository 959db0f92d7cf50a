//! A patient is sent from a clinic to the county hospital.

use cases::{id, patient_at};
use ondol_access::Role;
use ondol_app::{
    Actor, AppError,
    referral::{Refer, ReferralPhase},
};
use ondol_kernel::{Class, ResourceId};
use ondol_record::ChartId;
use support::{Country, Facility};

use crate::{cases, support};

struct Journey {
    country: Country,
    worker: Actor,
    doctor: Actor,
    request: ResourceId,
}

fn to(facility: &str, expected_in_h: i64, clinic: &Facility) -> Refer {
    Refer {
        facility: id(facility),
        specialty: "surgery".into(),
        urgency: Class::Care,
        reason: "막창자염이 의심됩니다.".into(),
        done: "정맥주사".into(),
        wish: "수술".into(),
        expected: Some(clinic.app.now().plus(expected_in_h * 3_600_000)),
        needs: vec!["stretcher".into(), "operation".into()],
        escort: "남편".into(),
        transport: true,
    }
}

impl Journey {
    fn begun() -> Self {
        let country = Country::new();
        let patient = patient_at(country.clinic());
        let worker = country.clinic().person(Role::HealthWorker);
        let doctor = country.specialist().person(Role::Doctor);
        let refer = to("specialist", 3, country.clinic());
        let request = country.clinic().app.refer(&worker, &patient, refer).unwrap();
        Self { country, worker, doctor, request }
    }

    fn carry(&self) {
        self.country.carry();
        for facility in self.country.all() {
            facility.app.consult_tick().unwrap();
        }
        self.country.carry();
    }

    fn phase(&self) -> ReferralPhase {
        let clinic = &self.country.clinic().app;
        clinic.referral(&self.worker, &self.request).unwrap().state.phase()
    }
}

#[test]
fn she_is_announced_leaves_arrives_and_the_reply_comes_back() {
    let journey = Journey::begun();
    let hospital = journey.country.specialist();
    journey.carry();
    let coming = hospital.app.referrals(&journey.doctor).unwrap().coming;
    assert_eq!(coming.len(), 1);
    assert_eq!(coming[0].person.name, "리영희");
    assert_eq!(coming[0].needs, ["stretcher", "operation"]);
    assert!(coming[0].transport);
    let clinic = &journey.country.clinic().app;
    clinic.referral_departed(&journey.worker, &journey.request, "").unwrap();
    journey.carry();
    assert_eq!(journey.phase(), ReferralPhase::OnTheWay);

    hospital.app.referral_arrived(&journey.doctor, &journey.request, "").unwrap();
    hospital.app.referral_arrived(&journey.doctor, &journey.request, "").unwrap();
    let chart = ChartId::Patient(id("p1"));
    assert_eq!(hospital.all(&chart, "Encounter").len(), 1, "received once");
    journey.carry();
    assert_eq!(journey.phase(), ReferralPhase::Arrived);
    assert_eq!(hospital.app.referrals(&journey.doctor).unwrap().here.len(), 1);

    let reply = |findings, advice| {
        hospital.app.reply_referral(&journey.doctor, &journey.request, findings, advice)
    };
    assert!(matches!(reply(" ", ""), Err(AppError::Field { .. })));
    reply("막창자를 잘라냈습니다.", "7일후에 실을 뽑으십시오.").unwrap();
    journey.carry();
    let view = clinic.referral(&journey.worker, &journey.request).unwrap();
    assert_eq!(view.state.phase(), ReferralPhase::Replied);
    assert_eq!(view.state.reply.unwrap().text("advice"), "7일후에 실을 뽑으십시오.");
}

#[test]
fn who_does_not_arrive_is_noticed_at_both_ends_and_may_still_arrive() {
    let journey = Journey::begun();
    journey.carry();
    journey.country.clinic().app.referral_departed(&journey.worker, &journey.request, "").unwrap();
    journey.country.pass_minutes(7 * 60 - 1);
    journey.carry();
    assert_eq!(journey.phase(), ReferralPhase::OnTheWay);
    journey.country.pass_minutes(2);
    journey.carry();
    assert_eq!(journey.phase(), ReferralPhase::Missing);
    let hospital = journey.country.specialist();
    assert_eq!(
        hospital.app.referrals(&journey.doctor).unwrap().coming[0].phase,
        ReferralPhase::Missing
    );
    hospital.app.referral_arrived(&journey.doctor, &journey.request, "").unwrap();
    journey.carry();
    assert_eq!(journey.phase(), ReferralPhase::Arrived);
}

#[test]
fn a_cut_link_does_not_keep_the_clinic_from_noticing() {
    let journey = Journey::begun();
    let clinic = journey.country.clinic();
    clinic.app.consult_tick().unwrap();
    clinic.clock.pass_minutes(7 * 60 + 1);
    clinic.app.consult_tick().unwrap();
    assert_eq!(journey.phase(), ReferralPhase::Missing);
}

#[test]
fn one_that_was_taken_back_waits_for_nobody() {
    let journey = Journey::begun();
    let clinic = &journey.country.clinic().app;
    let cancel = |why| clinic.cancel_referral(&journey.worker, &journey.request, why);
    assert!(matches!(cancel(""), Err(AppError::Field { field: "reason", .. })));
    cancel("좋아졌습니다").unwrap();
    journey.carry();
    journey.country.pass_minutes(600);
    journey.carry();
    assert_eq!(journey.phase(), ReferralPhase::Cancelled);
    let hospital = &journey.country.specialist().app;
    assert!(hospital.referrals(&journey.doctor).unwrap().coming.is_empty());
}

#[test]
fn the_receiving_side_cannot_speak_for_the_sending_one_nor_the_other_way_round() {
    let journey = Journey::begun();
    journey.carry();
    let denied = |result: Result<(), AppError>| matches!(result, Err(AppError::Denied(_)));
    let clinic = &journey.country.clinic().app;
    assert!(denied(clinic.referral_arrived(&journey.worker, &journey.request, "")));
    let nobody = journey.country.specialist().person(Role::Administrator);
    let hospital = &journey.country.specialist().app;
    assert!(denied(hospital.referral_arrived(&nobody, &journey.request, "")));
    assert!(hospital.referrals(&nobody).unwrap().coming.is_empty());
}
