//! A case travels from a village clinic to a specialist and back.

mod asking;
mod silence;
mod timers;
mod watching;

use cases::{advice, page, patient_at, pulse, question};
use ondol_access::Role;
use ondol_app::{Actor, consult::Phase};
use ondol_kernel::{Class, ResourceId};
use support::{Country, Facility};

use crate::{cases, support};

/// A question of the clinic to the heart hospital.
struct Case {
    country: Country,
    worker: Actor,
    doctor: Actor,
    request: ResourceId,
}

impl Case {
    /// Asked at the clinic, and nothing carried yet.
    fn asked(urgency: Class) -> Self {
        let country = Country::new();
        let patient = patient_at(country.clinic());
        pulse(country.clinic(), "o1", 120);
        let worker = country.clinic().person(Role::HealthWorker);
        let doctor = country.specialist().person(Role::Specialist);
        country.carry();
        let app = &country.clinic().app;
        let request = app.ask(&worker, &patient, question(urgency), vec![]).unwrap();
        Self { country, worker, doctor, request }
    }

    fn clinic(&self) -> &Facility {
        self.country.clinic()
    }

    fn specialist(&self) -> &Facility {
        self.country.specialist()
    }

    fn tick(&self) {
        for facility in self.country.all() {
            facility.app.consult_tick().unwrap();
        }
    }

    fn carry(&self) {
        self.country.carry();
        self.tick();
        self.country.carry();
    }

    fn phases(&self) -> [Phase; 2] {
        [
            page(self.clinic(), &self.worker, &self.request).state.phase(),
            page(self.specialist(), &self.doctor, &self.request).state.phase(),
        ]
    }

    fn take(&self) {
        self.specialist().app.take_consult(&self.doctor, &self.request).unwrap();
    }

    fn answer(&self) {
        let app = &self.specialist().app;
        let basis = app.consult(&self.doctor, &self.request).unwrap().basis;
        app.answer_consult(&self.doctor, &self.request, advice(), &basis).unwrap();
    }
}
