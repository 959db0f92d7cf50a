//! The roster, as it is written and read.

use std::sync::Arc;

use ondol_access::Action;
use ondol_kernel::{Class, DAY_MS, Millis, ResourceId};
use ondol_record::{ChartId, entry::ChangeKind};
use ondol_store::{Filter, Found, Order, Query, Test, View};
use serde_json::{Value, json};

use super::{Mark, Person, Service, Turn, shapes};
use crate::{Actor, App, AppError, Changes, accounts};

/// The longest turn of duty, ms.
const TURN_MS_MAX: i64 = 7 * DAY_MS;
/// More turns than this are never read at once.
const TURNS_MAX: usize = 2_000;

/// A turn that is to be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTurn {
    /// The service's code.
    pub service: String,
    /// Who: a Practitioner's id.
    pub who: ResourceId,
    /// Who takes their place.
    pub deputy: Option<ResourceId>,
    /// From.
    pub from: Millis,
    /// To, excluded.
    pub to: Millis,
}

fn body(found: &Found) -> Result<Value, AppError> {
    ondol_record::body::read(&found.shown.body)
        .ok_or(AppError::Unexpected("a resource is not JSON"))
}

/// The services of a facility, in the order of the list of specialties.
pub(super) fn services(view: &dyn View, chart: &ChartId) -> Result<Vec<Service>, AppError> {
    let mut services: Vec<Service> = vec![];
    for found in view.chart(chart, &["HealthcareService"])? {
        let service = Service::of(&found.shown.id, &body(&found)?);
        // One that an importer made beside ours does not take its place.
        services.extend(service.filter(|s| services.iter().all(|known| known.code != s.code)));
    }
    services.sort_by_key(|service| {
        let list = ondol_terms::specialties();
        list.iter().position(|known| known.code == service.code).unwrap_or(list.len())
    });
    Ok(services)
}

/// The turns that overlap a time, by their beginning.
pub(super) fn turns(
    view: &dyn View,
    chart: &ChartId,
    from: Millis,
    to: Millis,
) -> Result<Vec<Turn>, AppError> {
    let begins = Test::Overlaps { from: from.plus(-TURN_MS_MAX), to };
    let page = view.search(&Query {
        resource_type: "Slot".into(),
        chart: Some(chart.clone()),
        filters: vec![Filter { parameter: "start".into(), any: vec![begins] }],
        order: Order::NewestArrival,
        limit: TURNS_MAX,
        after: None,
    })?;
    let mut turns = vec![];
    for hit in page.hits.iter().filter(|hit| !hit.found.is_retracted()) {
        turns.extend(Turn::of(&hit.found.shown.id, &body(&hit.found)?));
    }
    turns.retain(|turn| turn.from < to && from < turn.to);
    turns.sort_by_key(|turn| (turn.from, turn.id.clone()));
    Ok(turns)
}

/// Who checked in and out, with the resources that say so.
pub(super) fn marks(view: &dyn View, chart: &ChartId) -> Result<Vec<(Mark, Found)>, AppError> {
    let mut marks = vec![];
    for found in view.chart(chart, &["Basic"])? {
        if let Some(mark) = Mark::of(&body(&found)?) {
            marks.push((mark, found));
        }
    }
    Ok(marks)
}

fn colleague(app: &App, view: &dyn View, id: &ResourceId) -> Result<Option<Person>, AppError> {
    let colleagues = accounts::colleagues(app, view)?;
    Ok(colleagues.iter().find(|colleague| colleague.id == *id).map(Person::from))
}

fn known(
    app: &App,
    view: &dyn View,
    id: &ResourceId,
    field: &'static str,
) -> Result<Person, AppError> {
    colleague(app, view, id)?.ok_or(AppError::Field { field, why: "unknown" })
}

impl App {
    /// The services of a facility that somebody is on duty for.
    pub fn duty_services(
        &self,
        actor: &Actor,
        facility: &ResourceId,
    ) -> Result<Vec<Service>, AppError> {
        let chart = ChartId::Facility(facility.clone());
        self.reading(actor, Action::ReadRoster, &chart, |view| services(view, &chart))
    }

    /// The turns of a facility that overlap a time.
    pub fn duty_turns(
        &self,
        actor: &Actor,
        facility: &ResourceId,
        (from, to): (Millis, Millis),
    ) -> Result<Vec<Turn>, AppError> {
        let chart = ChartId::Facility(facility.clone());
        self.reading(actor, Action::ReadRoster, &chart, |view| turns(view, &chart, from, to))
    }

    /// Makes a service of this facility, or changes its telephone and coordinator.
    pub fn set_duty_service(
        self: &Arc<Self>,
        actor: &Actor,
        code: &str,
        phone: &str,
        coordinator: Option<&ResourceId>,
    ) -> Result<(), AppError> {
        if ondol_terms::specialty(code).is_none() {
            return Err(AppError::Field { field: "service", why: "unknown" });
        }
        let phone = phone.trim().to_owned();
        let digits = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '+' | '(' | ')' | '/');
        if phone.len() > 40 || !phone.chars().all(digits) {
            return Err(AppError::Field { field: "phone", why: "not-a-number" });
        }
        let (app, code, coordinator) = (self.clone(), code.to_owned(), coordinator.cloned());
        let chart = self.facility_chart();
        self.writing(actor, Action::WriteRoster, &chart.clone(), move |view| {
            let coordinator = match &coordinator {
                Some(id) => Some(known(&app, view, id, "coordinator")?),
                None => None,
            };
            let old = services(view, &chart)?.into_iter().find(|service| service.code == code);
            let id = old.as_ref().map_or(ResourceId::from_uuid([0; 16]), |old| old.id.clone());
            let json = Service { id: id.clone(), code, phone, coordinator }
                .to_json(&app.place.organization());
            let mut changes = Changes::new(Class::Routine);
            match old {
                Some(_) => {
                    let found = view.resource("HealthcareService", &id)?;
                    changes.update(&found.ok_or(AppError::NotFound)?, json);
                }
                None => {
                    let service = changes.create(json);
                    changes.create(shapes::schedule(&service));
                }
            }
            Ok(changes)
        })?;
        Ok(())
    }

    /// Lists a turn of duty.
    pub fn add_turn(self: &Arc<Self>, actor: &Actor, turn: NewTurn) -> Result<(), AppError> {
        if turn.to <= turn.from {
            return Err(AppError::Field { field: "to", why: "ends-before" });
        }
        if turn.to.0.saturating_sub(turn.from.0) > TURN_MS_MAX {
            return Err(AppError::Field { field: "to", why: "too-long" });
        }
        if turn.deputy.as_ref() == Some(&turn.who) {
            return Err(AppError::Field { field: "deputy", why: "same-person" });
        }
        let (app, chart) = (self.clone(), self.facility_chart());
        self.writing(actor, Action::WriteRoster, &chart.clone(), move |view| {
            let schedule = schedule_of(view, &chart, &turn.service)?;
            let who = known(&app, view, &turn.who, "who")?;
            let deputy = match &turn.deputy {
                Some(id) => Some(known(&app, view, id, "deputy")?),
                None => None,
            };
            let turn = Turn {
                id: ResourceId::from_uuid([0; 16]),
                service: turn.service,
                who,
                deputy,
                from: turn.from,
                to: turn.to,
            };
            let mut changes = Changes::new(Class::Routine);
            changes.create(turn.to_json(&schedule, app.utc_offset_minutes()));
            Ok(changes)
        })?;
        Ok(())
    }

    /// Takes a turn off the roster.
    pub fn remove_turn(self: &Arc<Self>, actor: &Actor, id: &ResourceId) -> Result<(), AppError> {
        let (chart, id) = (self.facility_chart(), id.clone());
        self.writing(actor, Action::WriteRoster, &chart.clone(), move |view| {
            let found = view.resource("Slot", &id)?;
            let own =
                |found: &Found| found.shown.chart == chart && found.shown.kind == ChangeKind::Put;
            let found = found.filter(own).ok_or(AppError::NotFound)?;
            let mut changes = Changes::new(Class::Routine);
            changes.retract(&found, "taken off the roster");
            Ok(changes)
        })?;
        Ok(())
    }

    /// Somebody who works here, as the roster names them.
    pub(super) fn own_person(&self, view: &dyn View, actor: &Actor) -> Result<Person, AppError> {
        colleague(self, view, actor.id())?.ok_or(AppError::NotFound)
    }
}

/// The reference to the roster of a service.
fn schedule_of(view: &dyn View, chart: &ChartId, code: &str) -> Result<Value, AppError> {
    let services = services(view, chart)?;
    let service = services.into_iter().find(|service| service.code == code);
    let service = service.ok_or(AppError::Field { field: "service", why: "unknown" })?;
    let wanted = format!("HealthcareService/{}", service.id);
    for found in view.chart(chart, &["Schedule"])? {
        let schedule = body(&found)?;
        let mut actors = schedule["actor"].as_array().into_iter().flatten();
        if actors.any(|actor| actor["reference"] == wanted) {
            return Ok(json!({ "reference": format!("Schedule/{}", found.shown.id) }));
        }
    }
    Err(AppError::Unexpected("a service has no roster"))
}
