//! What both sides do with a referral.

use std::sync::Arc;

use ondol_access::Action;
use ondol_kernel::{Class, ResourceId};
use serde_json::json;

use super::ReferralState;
use crate::{
    Actor, App, AppError, Changes,
    consult::{Request, RequestKind, Step, StepCode, acting::Acting, step::NewStep},
    people::{encounter_of, open_here},
};

/// A referral that somebody does something with.
type ActingOnReferral<'a> = Acting<'a, ReferralState>;

impl ActingOnReferral<'_> {
    fn with(&self, step: NewStep) -> Changes {
        let mut changes = Changes::new(self.request.urgency.min(Class::Care));
        changes.create(step.into_json());
        changes
    }

    fn nothing() -> Changes {
        Changes::new(Class::Care)
    }
}

impl App {
    fn refer_act(
        self: &Arc<Self>,
        actor: &Actor,
        action: Action,
        id: &ResourceId,
        build: impl FnOnce(&ActingOnReferral<'_>) -> Result<Changes, AppError> + Send + 'static,
    ) -> Result<(), AppError> {
        let fold = |request: &Request, steps: Vec<Step>| ReferralState::of(request, steps);
        self.act_on((RequestKind::Referral, id), fold, actor, (action, None), build)
    }

    /// She has left. Once.
    pub fn referral_departed(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        said: &str,
    ) -> Result<(), AppError> {
        let said = said.to_owned();
        self.refer_act(actor, Action::Refer, id, move |acting| {
            if acting.state.departed.is_some() || !acting.state.is_expected() {
                return Ok(ActingOnReferral::nothing());
            }
            Ok(acting.with(acting.step(StepCode::Departed).say("", &said)))
        })
    }

    /// Transport is asked for. Once.
    pub fn ask_transport(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        said: &str,
    ) -> Result<(), AppError> {
        let said = said.to_owned();
        self.refer_act(actor, Action::Refer, id, move |acting| {
            if acting.state.transport.is_some() || !acting.state.is_expected() {
                return Ok(ActingOnReferral::nothing());
            }
            Ok(acting.with(acting.step(StepCode::TransportAsked).say("", &said)))
        })
    }

    /// She is not sent after all.
    pub fn cancel_referral(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        why: &str,
    ) -> Result<(), AppError> {
        if why.trim().is_empty() {
            return Err(AppError::Field { field: "reason", why: "missing" });
        }
        let why = why.to_owned();
        self.refer_act(actor, Action::Refer, id, move |acting| {
            if !acting.state.is_expected() {
                return Err(AppError::State("referral-over"));
            }
            let step = acting.step(StepCode::Closed).say("reason", &why);
            let mut changes = acting.with(step);
            acting.end(&mut changes, "revoked")?;
            Ok(changes)
        })
    }

    /// She is here: an encounter is opened, which is what opens her chart here from now on.
    pub fn referral_arrived(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        said: &str,
    ) -> Result<(), AppError> {
        let said = said.to_owned();
        self.refer_act(actor, Action::ReceiveReferral, id, move |acting| {
            if acting.state.arrived.is_some() {
                return Ok(ActingOnReferral::nothing());
            }
            let mut changes = acting.with(acting.step(StepCode::Arrived).say("", &said));
            if open_here(acting.app, acting.view, &acting.request.chart)?.is_none() {
                let subject = json!({ "reference": acting.request.subject() });
                let now = acting.app.now();
                let mut encounter = encounter_of(acting.app, acting.actor, &subject, now);
                encounter["basedOn"] = json!([{ "reference": acting.request.reference() }]);
                changes.create(encounter);
            }
            Ok(changes)
        })
    }

    /// The receiving facility replies.
    pub fn reply_referral(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        findings: &str,
        advice: &str,
    ) -> Result<(), AppError> {
        if findings.trim().is_empty() && advice.trim().is_empty() {
            return Err(AppError::Field { field: "findings", why: "missing" });
        }
        let (findings, advice) = (findings.to_owned(), advice.to_owned());
        self.refer_act(actor, Action::AnswerReferral, id, move |acting| {
            let step = acting.step(StepCode::Reply);
            let step = step.say("findings", &findings).say("advice", &advice);
            let mut changes = acting.with(step);
            acting.end(&mut changes, "completed")?;
            Ok(changes)
        })
    }
}
