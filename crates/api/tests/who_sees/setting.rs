//! Charts in all relations, and somebody in each role, in the record of a county hospital.

use std::collections::HashMap;

use ondol_access::{Coded, Role};
use ondol_app::Actor;
use ondol_kernel::ResourceId;
use serde_json::json;

use super::{
    page::{Chart, Page, charts, reads},
    planted::{Planted, chart_id, id_of, resource},
    relations::{self, encounter},
};
use crate::door::Facility;

/// Somebody who holds one role.
pub struct Who {
    pub role: Role,
    pub actor: Actor,
}

pub struct Setting {
    pub page: Page,
    pub charts: Vec<Chart>,
    pub people: Vec<Who>,
    pub planted: Vec<Planted>,
    /// Kind of chart and type, and the actions that let it be read.
    pub reads: HashMap<(&'static str, &'static str), Vec<&'static str>>,
}

/// What somebody in a role may read, worked out once.
pub struct Seen<'a> {
    pub setting: &'a Setting,
    pub role: Role,
    /// For each thing that was planted.
    all: Vec<bool>,
}

impl<'a> Seen<'a> {
    /// Everything that was planted, and whether it may be seen.
    pub fn all(&self) -> impl Iterator<Item = (&'a Planted, bool)> {
        self.setting.planted.iter().zip(self.all.iter().copied())
    }

    /// Whether what is of a type in a chart may be seen.
    pub fn of(&self, chart: usize, kind: &str) -> bool {
        self.all().any(|(one, seen)| seen && one.chart == chart && one.kind == kind)
    }
}

const TWO_DAYS_MINUTES: u32 = 2 * 24 * 60;

/// Every role that a person may hold: the node itself has no account, and comes by no door.
pub fn roles() -> impl Iterator<Item = Role> {
    Role::ALL.iter().copied().filter(|role| *role != Role::System)
}

impl Setting {
    /// Puts everything into the record of the county hospital.
    pub fn put(facility: &Facility, people: Vec<Who>) -> Self {
        let (charts, reads) = (charts(), reads());
        let location = json!({ "resourceType": "Location",
            "managingOrganization": { "reference": "Organization/county" } });
        facility.put("room", location);
        let mut planted = vec![];
        for (at, chart) in charts.iter().enumerate() {
            for (_, kind, _) in reads.iter().filter(|(of, ..)| *of == chart.kind) {
                planted.push(plant(facility, &people, (at, chart), kind));
            }
            relations::put(facility, chart, &people);
        }
        // The visit of `ended` is over for longer than those who treated may read on.
        facility.clock.pass_minutes(TWO_DAYS_MINUTES);
        relations::step(facility, &people);
        let reads = reads.into_iter().map(|(of, kind, any)| ((of, kind), any)).collect();
        Self { page: Page::read(), charts, people, planted, reads }
    }

    /// Opens every patient's chart to who treats here, so that nothing is left that nobody sees.
    pub fn open_all(&mut self, facility: &Facility) {
        for chart in self.charts.iter_mut().filter(|chart| chart.kind == "patient") {
            let visit = encounter(chart.name, "Organization/county", "in-progress");
            facility.put(&format!("key-{}", chart.name), visit);
            chart.relations.push("open-encounter");
        }
    }

    /// What somebody in a role may read of what was planted.
    pub fn seen(&self, role: Role) -> Seen<'_> {
        let all = self.planted.iter().map(|one| self.sees(role, one)).collect();
        Seen { setting: self, role, all }
    }

    /// Whether the page lets somebody in a role read what was planted.
    pub fn sees(&self, role: Role, planted: &Planted) -> bool {
        let chart = &self.charts[planted.chart];
        let any = &self.reads[&(chart.kind, planted.kind)];
        any.iter().any(|action| self.page.may(role, action, chart))
    }
}

fn plant(
    facility: &Facility,
    people: &[Who],
    (at, chart): (usize, &Chart),
    kind: &'static str,
) -> Planted {
    let (mut body, marks) = resource(at, chart, kind);
    if kind == "Patient" {
        let more = relations::of_patient(chart, people);
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    }
    let id = id_of(chart, kind);
    facility.put_into(Some(chart_id(chart)), &id, body);
    let view = facility.store().read().unwrap();
    let found = view.resource(kind, &ResourceId::new(&id).unwrap()).unwrap().unwrap();
    assert_eq!(found.shown.chart, chart_id(chart), "{kind}/{id}");
    let (reference, version) = (format!("{kind}/{id}"), found.shown.version.to_string());
    Planted { chart: at, kind, id, reference, marks, version }
}
