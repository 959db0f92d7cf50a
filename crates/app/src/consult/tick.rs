//! What a node does for consults and referrals by itself: it says that one arrived, and tells
//! somebody when nobody did what was due.
//!
//! Every node that holds a case runs the timers, each for itself, so that a cut link stops
//! nothing: whoever notices writes a step, and the steps of several are one fact to the fold.

use std::sync::Arc;

use ondol_access::Action;
use ondol_kernel::Class;
use ondol_record::ChartId;
use ondol_store::{View, WriteTx};

use super::{
    contacts::facility_of,
    list::requests,
    request::{Request, RequestKind},
    settings::ConsultSettings,
    state::{ConsultState, Phase},
    step::{NewStep, StepCode, Told, steps_of, told},
    timer::{Clocks, Waited, wait},
};
use crate::{Actor, App, AppError, Changes, coding, people::has_died, referral::ReferralState};

/// Even with no timer running the lists are looked at so often, ms: a wall clock may have moved.
const LOOK_MS: u64 = 60_000;

/// An hour, ms.
const HOUR_MS: u64 = 3_600_000;

impl App {
    /// Looks at open consults and referrals. Cheap when nothing arrived and nothing is due.
    pub fn consult_tick(self: &Arc<Self>) -> Result<(), AppError> {
        let arrival = self.last_arrival()?;
        let clocks = self.clocks();
        if self.live.is_idle(arrival, clocks.monotonic_ms) {
            return Ok(());
        }
        let open: Vec<Request> = {
            let view = self.view()?;
            let mut open = requests(&*view, coding::CONSULT, true)?;
            open.extend(requests(&*view, coding::REFERRAL, true)?);
            open
        };
        let mut left = LOOK_MS;
        let mut failed = None;
        for request in open {
            let app = self.clone();
            // One that cannot be read must not keep the others from being looked at.
            let next = ondol_store::transact(&*self.store, move |tx| -> Result<_, AppError> {
                Looking { app: &app, tx, request: &request, clocks, left: LOOK_MS }.look()
            });
            match next {
                Ok(next) => left = left.min(next),
                Err(why) => {
                    failed.get_or_insert(why);
                }
            }
        }
        let written = self.last_arrival()? != arrival;
        if written {
            self.woken();
        }
        self.live.ticked(self.last_arrival()?, clocks.monotonic_ms.saturating_add(left));
        failed.map_or(Ok(()), Err)
    }

    fn clocks(&self) -> Clocks {
        Clocks {
            boot: self.live.boot(),
            monotonic_ms: self.clock.monotonic_ms(),
            wall_ms: self.now().0,
        }
    }
}

/// A request that is looked at.
struct Looking<'a> {
    app: &'a Arc<App>,
    tx: &'a mut dyn WriteTx,
    request: &'a Request,
    clocks: Clocks,
    left: u64,
}

impl Looking<'_> {
    /// Looks; gives how long nothing more can happen, ms.
    fn look(mut self) -> Result<u64, AppError> {
        let steps = steps_of(&*self.tx, &self.request.chart, &self.request.reference())?;
        // Nobody is called for somebody who has died: those who asked close it.
        if has_died(&*self.tx, &self.request.chart)? {
            return Ok(self.left);
        }
        match self.request.kind {
            RequestKind::Consult => {
                let state = ConsultState::of(self.request, steps);
                self.consult(&state)?;
            }
            RequestKind::Referral => {
                let state = ReferralState::of(self.request, steps);
                self.referral(&state)?;
            }
        }
        Ok(self.left)
    }

    fn here(&self) -> String {
        self.app.place.organization()
    }

    fn consult(&mut self, state: &ConsultState) -> Result<(), AppError> {
        if state.closed.is_some() {
            return Ok(());
        }
        let here = self.here();
        let arrived = state
            .steps
            .iter()
            .any(|step| step.code == StepCode::Delivered && step.who.place == here);
        if state.address.reference == here && !arrived {
            let step = self.step(StepCode::Delivered);
            self.write(Action::CarryEntries, state.urgency, step)?;
        }
        let settings = ConsultSettings::of(&*self.tx)?;
        if state.is_alarm() && state.escalated.is_none() {
            let after = u64::from(settings.escalate_after_min) * 60_000;
            let name = format!("escalate/{}/{}", self.request.id, state.untaken_since.1);
            if self.due(&name, after)? {
                self.escalate(state)?;
            }
        }
        self.silence(state, settings)?;
        self.acknowledgement(state, settings)?;
        self.outcome(state, settings)
    }

    /// Whoever took it has not been heard of: they are told, the county too, and those who asked
    /// may release it from now on.
    fn silence(&mut self, state: &ConsultState, settings: ConsultSettings) -> Result<(), AppError> {
        let (Some(since), None, Some(holder)) = (&state.owes_since, &state.silent, &state.holder)
        else {
            return Ok(());
        };
        let name = format!("silent/{}/{since}", self.request.id);
        if self.due(&name, settings.release_after_ms(state.urgency))? {
            let mut step = self.step(StepCode::Silent).settle([since.as_str()]);
            step = step.tell(&told("taker", holder));
            if let Some(county) = self.county() {
                step = step.tell(&county);
            }
            self.write(Action::EscalateConsult, state.urgency, step)?;
        }
        Ok(())
    }

    fn acknowledgement(
        &mut self,
        state: &ConsultState,
        settings: ConsultSettings,
    ) -> Result<(), AppError> {
        let Some(answer) = &state.answered else { return Ok(()) };
        if state.acknowledged.is_some() || state.unacknowledged.is_some() {
            return Ok(());
        }
        let name = format!("acknowledge/{}/{}", self.request.id, answer.step);
        if self.due(&name, hours(settings.acknowledge_within_h))? {
            let county = self.county();
            let mut step = self.step(StepCode::Unacknowledged).settle([answer.step.as_str()]);
            if let Some(county) = county {
                step = step.tell(&county);
            }
            self.write(Action::EscalateConsult, state.urgency.max(Class::Care), step)?;
        }
        Ok(())
    }

    /// The asking node asks for the outcome.
    fn outcome(&mut self, state: &ConsultState, settings: ConsultSettings) -> Result<(), AppError> {
        let Some(answer) = &state.answered else { return Ok(()) };
        if self.request.from.place != self.here() || state.phase() >= Phase::OutcomeAsked {
            return Ok(());
        }
        let name = format!("outcome/{}/{}", self.request.id, answer.step);
        if self.due(&name, hours(settings.outcome_after_h))? {
            let step = self.step(StepCode::OutcomeAsked);
            self.write(Action::EscalateConsult, Class::Routine, step)?;
        }
        Ok(())
    }

    fn referral(&mut self, state: &ReferralState) -> Result<(), AppError> {
        if !state.is_expected() {
            return Ok(());
        }
        let settings = ConsultSettings::of(&*self.tx)?;
        let here = self.here();
        let arrived = state
            .steps
            .iter()
            .any(|step| step.code == StepCode::Delivered && step.who.place == here);
        if !arrived && self.request.to.iter().any(|to| to.reference == here) {
            let step = self.step(StepCode::Delivered);
            self.write(Action::CarryEntries, self.request.urgency.min(Class::Care), step)?;
        }
        let journey = self.request.expected.map_or(0, |expected| expected.0 - self.request.at.0);
        let journey = u64::try_from(journey).unwrap_or(0);
        let name = format!("arrive/{}", self.request.id);
        let missed = state.never_arrived.is_none();
        if missed && self.due(&name, journey + hours(settings.arrival_grace_h))? {
            let step = self.step(StepCode::NeverArrived);
            self.write(Action::EscalateConsult, Class::Care, step)?;
        }
        Ok(())
    }

    /// Tells deputy, county and coordinator, as far as they are known here.
    fn escalate(&mut self, state: &ConsultState) -> Result<(), AppError> {
        let asked = facility_of(&state.address.reference);
        let contacts = match &asked {
            Some(asked) => self.app.contacts(&*self.tx, asked, &state.specialty)?,
            None => super::contacts::Contacts::default(),
        };
        let mut step = self.step(StepCode::Escalated);
        let people = [("deputy", contacts.deputy), ("coordinator", contacts.coordinator)];
        for (part, contact) in people {
            if let Some(contact) = contact.filter(|one| !one.reference.is_empty()) {
                let told =
                    Told { part: part.into(), reference: contact.reference, name: contact.name };
                step = step.tell(&told);
            }
        }
        if let Some(county) = self.county() {
            step = step.tell(&county);
        }
        self.write(Action::EscalateConsult, state.urgency, step)
    }

    fn county(&self) -> Option<Told> {
        let overseer = self.request.overseer.as_ref()?;
        Some(Told {
            part: "county".into(),
            reference: overseer.reference.clone(),
            name: overseer.name.clone(),
        })
    }

    /// Whether a timer is due now; if it runs on, notes for how long.
    fn due(&mut self, name: &str, after_ms: u64) -> Result<bool, AppError> {
        Ok(match wait(self.tx, name, self.clocks, after_ms)? {
            Waited::Due => true,
            Waited::Past => false,
            Waited::Left(ms) => {
                self.left = self.left.min(ms);
                false
            }
        })
    }

    fn actor(&self) -> Actor {
        Actor::node(self.app.place.node, &self.app.place.name)
    }

    fn step(&self, code: StepCode) -> NewStep {
        let (request, subject) = (self.request.reference(), self.request.subject());
        NewStep::new(self.app, &self.actor(), code, &request, &subject)
    }

    fn write(&mut self, action: Action, class: Class, step: NewStep) -> Result<(), AppError> {
        let actor = self.actor();
        let chart: &ChartId = &self.request.chart;
        self.app.may(&*self.tx as &dyn View, &actor, action, chart, None)?;
        let mut changes = Changes::new(class);
        changes.create(step.into_json());
        self.app.append(self.tx, &actor, changes)?;
        Ok(())
    }
}

fn hours(hours: u32) -> u64 {
    u64::from(hours) * HOUR_MS
}
