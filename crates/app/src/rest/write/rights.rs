//! Who may write what: decided before the change, and for charts that the change itself opens
//! (somebody is registered, somebody is received) again when it stands.

use ondol_access::{Action, Reason};
use ondol_fhir::ResourceType;
use ondol_kernel::ResourceId;
use ondol_record::{
    ChartId, ChartKind, DraftChange, DraftId, Entry, draft::DraftContent, entry::ChangeKind,
    home::Home,
};
use ondol_store::{Found, View};
use serde_json::Value;

use super::{How, Prepared, Target, Write, target::check_seen};
use crate::{
    Actor, App, AppError,
    rest::{
        access::{self, Ask, Of},
        error::RestError,
    },
};

/// The reason of whoever gives none (DESIGN §4).
pub(super) const NOT_GIVEN: &str = "not given";

/// The members of a Patient that say that the person died.
const DECEASED: [&str; 2] = ["deceasedBoolean", "deceasedDateTime"];

/// What is asked again when the change stands.
struct Later {
    /// The place of the change.
    change: usize,
    action: Action,
    at: Option<usize>,
}

pub(super) struct Rights<'a> {
    app: &'a App,
    actor: &'a Actor,
    how: &'a How,
    later: Vec<Later>,
}

impl<'a> Rights<'a> {
    pub(super) const fn new(app: &'a App, actor: &'a Actor, how: &'a How) -> Self {
        Self { app, actor, how, later: vec![] }
    }

    /// Decides what can be decided before anything is written.
    pub(super) fn before(
        &mut self,
        view: &dyn View,
        prepared: &Prepared,
        writes: &[Write],
        targets: &[Target],
        homes: &[Home],
    ) -> Result<(), RestError> {
        let drafts = prepared.changes.drafts();
        let begun: Vec<bool> = (0..drafts.len())
            .map(|at| self.begins(view, &drafts[at], &targets[prepared.of[at]], &homes[at]))
            .collect::<Result<_, _>>()?;
        let received: Vec<&Home> = self.received(view, drafts, homes)?;
        for (at, draft) in drafts.iter().enumerate() {
            let write = &writes[prepared.of[at]];
            let (home, target) = (&homes[at], &targets[prepared.of[at]]);
            let opened = (0..drafts.len()).any(|by| begun[by] && homes[by] == *home);
            let decided = if begun[at] {
                self.ask(view, access::to_begin(kind_of(home)), home)
            } else if opened && kind_of(home) != ChartKind::Patient {
                Ok(())
            } else {
                self.one(view, draft, home, target).or_else(|why| match why {
                    RestError::App(AppError::Denied(_)) if opened || received.contains(&home) => {
                        let (action, _) = ask_of(draft, home);
                        self.later.push(Later { change: at, action, at: write.at });
                        Ok(())
                    }
                    other => Err(other),
                })
            };
            decided.map_err(|why| why.in_entry(write.at))?;
            if let Target::Standing(found) = target {
                check_seen(write.if_match.as_deref(), found)
                    .and_then(|()| check_empty(view, draft, found, drafts))
                    .map_err(|why| why.in_entry(write.at))?;
            }
        }
        Ok(())
    }

    /// Decides the rest by what stands now.
    pub(super) fn after(
        &self,
        view: &dyn View,
        entries: &[Entry],
        places: &[(usize, u32)],
    ) -> Result<(), RestError> {
        for later in &self.later {
            let chart = places.get(later.change).and_then(|(entry, _)| entries.get(*entry));
            let chart = &chart.ok_or(AppError::Unexpected("an entry is missing"))?.chart;
            self.may(view, later.action, chart).map_err(|why| why.in_entry(later.at))?;
        }
        Ok(())
    }

    /// Whether a change makes whom or what a chart is about, where nothing of the chart is here.
    fn begins(
        &self,
        view: &dyn View,
        draft: &DraftChange,
        target: &Target,
        home: &Home,
    ) -> Result<bool, RestError> {
        let subject = match kind_of(home) {
            ChartKind::Patient => "Patient",
            ChartKind::Facility => "Organization",
            ChartKind::Practitioner => "Practitioner",
            ChartKind::Nation => return Ok(false),
        };
        if &*draft.resource_type != subject || *target != Target::New || self.actor.is_node() {
            return Ok(false);
        }
        Ok(match home {
            Home::Chart(chart) => view.chart_heads(chart)?.is_empty(),
            _ => true,
        })
    }

    /// The patients whom this change receives here: it opens an encounter at this facility.
    fn received<'h>(
        &self,
        view: &dyn View,
        drafts: &[DraftChange],
        homes: &'h [Home],
    ) -> Result<Vec<&'h Home>, RestError> {
        let mut received = vec![];
        for (draft, home) in drafts.iter().zip(homes) {
            if !self.receives(draft) || kind_of(home) != ChartKind::Patient {
                continue;
            }
            match self.ask(view, (Action::ReceivePatient, Of::Chart), home) {
                Ok(()) => received.push(home),
                Err(RestError::App(AppError::Denied(_))) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(received)
    }

    fn receives(&self, draft: &DraftChange) -> bool {
        let DraftContent::Put(encounter) = &draft.content else { return false };
        let open =
            matches!(encounter["status"].as_str(), Some("arrived" | "triaged" | "in-progress"));
        &*draft.resource_type == "Encounter"
            && draft.chart.is_none()
            && open
            && encounter["serviceProvider"]["reference"] == *self.app.place.organization()
    }

    /// One change in a chart that stands.
    fn one(
        &self,
        view: &dyn View,
        draft: &DraftChange,
        home: &Home,
        target: &Target,
    ) -> Result<(), RestError> {
        match (&draft.content, target) {
            (DraftContent::Retract(_), Target::Standing(found)) if !self.actor.is_node() => {
                let reason = self.how.reason.as_deref().unwrap_or(NOT_GIVEN);
                let reason = Reason::typed(reason).or_else(|_| Reason::typed(NOT_GIVEN)).ok();
                let (action, _) = ask_of(draft, home);
                self.app.may_about(view, self.actor, action, &[found], reason)?;
            }
            _ => self.ask(view, ask_of(draft, home), home)?,
        }
        if self.actor.is_node() {
            return Ok(());
        }
        let DraftContent::Put(resource) = &draft.content else { return Ok(()) };
        if self.sends_elsewhere(resource) {
            self.ask(view, (Action::Refer, Of::Chart), home)?;
        }
        if let Target::Standing(found) = target
            && &*draft.resource_type == "Patient"
            && found.shown.kind == ChangeKind::Put
        {
            let stands: Value = serde_json::from_str(&found.shown.body)
                .map_err(|_| AppError::Unexpected("a Patient in the store"))?;
            if resource.get("link") != stands.get("link") {
                self.ask(view, (Action::MergePersons, Of::Chart), home)?;
            }
            if DECEASED.iter().any(|name| resource.get(*name) != stands.get(*name)) {
                self.ask(view, (Action::CertifyDeath, Of::Chart), home)?;
            }
            let moves = (&stands, resource);
            match self.app.may_change_home(view, self.actor, &found.shown.chart, moves) {
                Err(AppError::Denied(_)) => return Err(RestError::NotAtHome),
                other => other?,
            }
        }
        Ok(())
    }

    /// A request to another facility sends the chart along the road.
    fn sends_elsewhere(&self, resource: &Value) -> bool {
        let here = self.app.place.organization();
        let performers = resource["performer"].as_array().into_iter().flatten();
        resource["resourceType"] == "ServiceRequest"
            && performers
                .filter_map(|performer| performer["reference"].as_str())
                .any(|to| to.starts_with("Organization/") && to != here)
    }

    fn ask(&self, view: &dyn View, (action, of): Ask, home: &Home) -> Result<(), RestError> {
        let chart = match of {
            Of::Chart => chart_of(home)?,
            Of::OwnFacility => ChartId::Facility(self.app.place.facility.clone()),
            Of::Nation => ChartId::Nation,
        };
        self.may(view, action, &chart)
    }

    fn may(&self, view: &dyn View, action: Action, chart: &ChartId) -> Result<(), RestError> {
        // The node writes what it was given to carry.
        let action = if self.actor.is_node() { Action::CarryEntries } else { action };
        let reason = match action {
            Action::RetractEntry => self.how.reason.as_deref().or(Some(NOT_GIVEN)),
            _ => self.how.reason.as_deref(),
        };
        let reason = reason.and_then(|reason| Reason::typed(reason).ok());
        self.app.may(view, self.actor, action, chart, reason)?;
        Ok(())
    }
}

/// Whoever takes a Patient back takes every relation to the chart away. Nothing may be left
/// there that somebody would have to reach.
fn check_empty(
    view: &dyn View,
    draft: &DraftChange,
    found: &Found,
    drafts: &[DraftChange],
) -> Result<(), RestError> {
    let takes_back = |draft: &DraftChange| matches!(draft.content, DraftContent::Retract(_));
    if &*draft.resource_type != "Patient" || !takes_back(draft) {
        return Ok(());
    }
    let stays = |other: &Found| {
        !other.is_retracted()
            && !drafts.iter().any(|draft| {
                takes_back(draft)
                    && draft.resource_type == other.shown.resource_type
                    && draft.id == DraftId::Given(other.shown.id.clone())
            })
    };
    let is_empty = !view.chart(&found.shown.chart, &[])?.iter().any(stays);
    if is_empty { Ok(()) } else { Err(RestError::ChartInUse) }
}

fn ask_of(draft: &DraftChange, home: &Home) -> Ask {
    let kind = ResourceType::from_name(&draft.resource_type).unwrap_or(ResourceType::Basic);
    let takes_back = matches!(draft.content, DraftContent::Retract(_));
    access::to_write(kind_of(home), kind, takes_back)
}

const fn kind_of(home: &Home) -> ChartKind {
    match home {
        Home::Chart(chart) => chart.kind(),
        Home::NewPatient(_) => ChartKind::Patient,
        Home::NewPractitioner(_) => ChartKind::Practitioner,
        Home::NewFacility(_) => ChartKind::Facility,
    }
}

/// The chart of a home; one that has no id yet is nobody's so far, whatever it is called.
fn chart_of(home: &Home) -> Result<ChartId, RestError> {
    let new = || ResourceId::new("new").map_err(|_| AppError::Unexpected("an id"));
    Ok(match home {
        Home::Chart(chart) => chart.clone(),
        Home::NewPatient(_) => ChartId::Patient(new()?),
        Home::NewPractitioner(_) => ChartId::Practitioner(new()?),
        Home::NewFacility(_) => ChartId::Facility(new()?),
    })
}
