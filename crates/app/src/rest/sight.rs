//! What the one who asks may see, decided once for each chart of a request, and recorded.

use std::collections::{BTreeMap, HashMap, HashSet};

use ondol_access::{Action, Denial, Grant, Grounds, Obligation, Relation};
use ondol_fhir::ResourceType;
use ondol_record::{ChartId, ChartKind};
use ondol_store::{Reading, Stored, View, WriteTx};

use super::{
    access::{self, Of},
    error::RestError,
    guard,
};
use crate::{Actor, App, AppError};

/// The eyes of one request.
pub(super) struct Sight<'a> {
    pub(super) app: &'a App,
    pub(super) actor: &'a Actor,
    pub(super) view: &'a dyn View,
    decided: HashMap<(ChartId, Action), Result<Grounds, Denial>>,
    /// What is handed out, once for each chart: to be recorded.
    seen: BTreeMap<ChartId, (Action, Grounds)>,
    /// The charts of this facility's own people, once they were asked for.
    own_people: Option<HashSet<ChartId>>,
    /// Which types the home facility alone lets be shown.
    at_home: HashMap<ResourceType, bool>,
}

/// What was seen, to be recorded before it is handed out.
#[must_use]
pub(super) struct Seen(BTreeMap<ChartId, (Action, Grounds)>);

impl<'a> Sight<'a> {
    pub(super) fn new(app: &'a App, actor: &'a Actor, view: &'a dyn View) -> Self {
        Self {
            app,
            actor,
            view,
            decided: HashMap::new(),
            seen: BTreeMap::new(),
            own_people: None,
            at_home: HashMap::new(),
        }
    }

    fn decide(
        &mut self,
        chart: &ChartId,
        action: Action,
    ) -> Result<Result<Grounds, Denial>, RestError> {
        let key = (chart.clone(), action);
        if let Some(known) = self.decided.get(&key) {
            return Ok(known.clone());
        }
        let decision = match self.app.may(self.view, self.actor, action, chart, None) {
            Ok(grounds) => Ok(grounds),
            Err(AppError::Denied(denial)) => Err(denial),
            Err(other) => return Err(other.into()),
        };
        self.decided.insert(key, decision.clone());
        Ok(decision)
    }

    /// On what grounds a resource of this type may be read in a chart.
    fn grounds(
        &mut self,
        chart: &ChartId,
        kind: ResourceType,
    ) -> Result<Result<(ChartId, Action, Grounds), Denial>, RestError> {
        let mut denial = Denial::NothingPermits;
        for (action, of) in access::to_read(chart.kind(), kind) {
            let asked = match of {
                Of::Chart => chart.clone(),
                Of::OwnFacility => ChartId::Facility(self.app.place.facility.clone()),
                Of::Nation => ChartId::Nation,
            };
            match self.decide(&asked, *action)? {
                Ok(grounds) => return Ok(Ok((asked, *action, grounds))),
                Err(why) => denial = why,
            }
        }
        Ok(Err(denial))
    }

    /// Whether a version may be shown. It is not noted as seen.
    pub(super) fn may_see(&mut self, version: &Stored) -> Result<bool, RestError> {
        let Some(kind) = ResourceType::from_name(&version.resource_type) else {
            return Ok(false);
        };
        if guard::is_hidden(self.view, &version.resource_type, &version.id)? {
            return Ok(false);
        }
        // The node looks for what conditions of an import mean; it hands nothing to anybody.
        if self.actor.is_node() {
            return Ok(true);
        }
        Ok(self.grounds(&version.chart, kind)?.is_ok())
    }

    /// Whether resources of this type may be shown where they stand in a chart. For many charts
    /// of a facility's own people one question to the store does.
    pub(super) fn may_count(
        &mut self,
        chart: &ChartId,
        kind: ResourceType,
    ) -> Result<bool, RestError> {
        if self.actor.is_node() {
            return Ok(true);
        }
        let at_home = matches!(chart, ChartId::Patient(_)) && self.own_people()?.contains(chart);
        if at_home && self.shows_at_home(kind) {
            return Ok(true);
        }
        Ok(self.grounds(chart, kind)?.is_ok())
    }

    fn own_people(&mut self) -> Result<&HashSet<ChartId>, RestError> {
        if self.own_people.is_none() {
            let here = self.app.place.organization();
            let charts = self.view.charts_with("Patient", "organization", &here)?;
            self.own_people = Some(charts.into_iter().collect());
        }
        self.own_people.as_ref().ok_or(RestError::App(AppError::Unexpected("no own people")))
    }

    /// Whether the home facility alone lets a type be shown; a hundred charts ask for it once.
    fn shows_at_home(&mut self, kind: ResourceType) -> bool {
        let (app, actor) = (self.app, self.actor);
        *self.at_home.entry(kind).or_insert_with(|| {
            access::to_read(ChartKind::Patient, kind).iter().any(|(action, of)| {
                let grants = vec![Grant::standing(Relation::HomeFacility)];
                *of == Of::Chart && app.grounds_at_home(actor, *action, grants).is_some()
            })
        })
    }

    /// Notes that a version is handed out; the denial if it may not be.
    pub(super) fn see(&mut self, version: &Stored) -> Result<(), RestError> {
        let kind = ResourceType::from_name(&version.resource_type).ok_or(RestError::NotFound)?;
        let (chart, action, grounds) = self.grounds(&version.chart, kind)??;
        if grounds.obligations.contains(Obligation::Audit) {
            self.seen.entry(chart).or_insert((action, grounds));
        }
        Ok(())
    }

    /// Asks for one action in a chart, and notes it.
    pub(super) fn ask(&mut self, chart: &ChartId, action: Action) -> Result<(), RestError> {
        let grounds = self.decide(chart, action)??;
        if grounds.obligations.contains(Obligation::Audit) {
            self.seen.entry(chart.clone()).or_insert((action, grounds));
        }
        Ok(())
    }

    /// What was handed out.
    pub(super) fn seen(self) -> Seen {
        Seen(self.seen)
    }
}

impl Seen {
    fn readings(&self, app: &App, actor: &Actor) -> Vec<Reading> {
        let of = |(chart, (action, grounds)): (&ChartId, &(Action, Grounds))| {
            app.reading_of(actor, *action, chart, grounds, "")
        };
        self.0.iter().map(of).collect()
    }

    /// Records it in the transaction in which it was read.
    pub(super) fn record_in(
        self,
        tx: &mut dyn WriteTx,
        app: &App,
        actor: &Actor,
    ) -> Result<(), RestError> {
        for reading in self.readings(app, actor) {
            tx.record_reading(&reading)?;
        }
        Ok(())
    }

    /// Records it durably. Nothing is handed out before this has returned.
    pub(super) fn record(self, app: &App, actor: &Actor) -> Result<(), RestError> {
        Ok(app.write_down(self.readings(app, actor))?)
    }
}
