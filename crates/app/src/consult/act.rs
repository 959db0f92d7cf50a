//! What both sides do with a consult. Everything is a step that is added.

use std::sync::Arc;

use ondol_access::{Action, Reason};
use ondol_kernel::{Class, DAY_MS, ResourceId};

use super::{
    acting::Acting,
    basis::Basis,
    request::{Request, RequestKind, find, priority_of},
    state::ConsultState,
    step::{NewStep, Step, StepCode, Told, may_answer, told},
};
use crate::{Actor, App, AppError, Changes, attachment, coding};

/// 'Unknown' is taken for an outcome so long after the answer, and not before, ms.
pub const UNKNOWN_AFTER_MS: i64 = 30 * DAY_MS;

/// How a consult ended.
pub const OUTCOMES: [&str; 7] =
    ["recovered", "improved", "same", "worse", "referred", "died", "unknown"];

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// What the specialist makes of it.
    pub findings: String,
    /// What to do.
    pub advice: String,
    /// When to worry, and what to do then.
    pub worry: String,
}

/// A consult that somebody does something with.
pub(crate) type ActingOnConsult<'a> = Acting<'a, ConsultState>;

impl ActingOnConsult<'_> {
    /// One step as a change.
    pub fn with(&self, step: NewStep) -> Changes {
        let mut changes = Changes::new(self.state.urgency);
        changes.create(step.into_json());
        changes
    }

    pub fn refuse_closed(&self) -> Result<(), AppError> {
        if self.state.closed.is_some() { Err(AppError::State("consult-closed")) } else { Ok(()) }
    }

    fn takes_of_mine(&self) -> Vec<String> {
        self.state.takes_of(&self.actor.reference()).map(str::to_owned).collect()
    }
}

impl App {
    /// Does something with a consult: decides, folds its state, and appends.
    pub(crate) fn act(
        self: &Arc<Self>,
        actor: &Actor,
        action: Action,
        reason: Option<Reason>,
        id: &ResourceId,
        build: impl FnOnce(&ActingOnConsult<'_>) -> Result<Changes, AppError> + Send + 'static,
    ) -> Result<(), AppError> {
        let fold = |request: &Request, steps: Vec<Step>| ConsultState::of(request, steps);
        self.act_on((RequestKind::Consult, id), fold, actor, (action, reason), build)
    }

    /// Notes that somebody who can answer opened it. Once for each facility.
    pub fn consult_opened(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
    ) -> Result<(), AppError> {
        let here = self.place.organization();
        let (_, request) = find(&*self.view()?, RequestKind::Consult, id)?;
        if request.from.place == here || !may_answer(actor) {
            return Ok(());
        }
        self.act(actor, Action::ReadConsult, None, id, move |acting| {
            let known = acting
                .state
                .steps
                .iter()
                .any(|step| step.code == StepCode::Seen && step.who.place == here);
            if known || acting.state.closed.is_some() {
                return Ok(Changes::new(Class::Routine));
            }
            Ok(acting.with(acting.step(StepCode::Seen)))
        })
    }

    /// 'I take it.' Somebody else may have it at the same time: the first one holds it, and
    /// both see it.
    pub fn take_consult(self: &Arc<Self>, actor: &Actor, id: &ResourceId) -> Result<(), AppError> {
        self.act(actor, Action::TakeConsult, None, id, |acting| {
            acting.refuse_closed()?;
            if !acting.takes_of_mine().is_empty() {
                return Ok(Changes::new(Class::Routine));
            }
            Ok(acting.with(acting.step(StepCode::Taken)))
        })
    }

    /// Gives it back: it waits for somebody again.
    pub fn release_consult(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        why: &str,
    ) -> Result<(), AppError> {
        let why = why.to_owned();
        self.act(actor, Action::RedirectConsult, None, id, move |acting| {
            acting.refuse_closed()?;
            let mine = acting.takes_of_mine();
            if mine.is_empty() {
                return Err(AppError::State("consult-not-mine"));
            }
            let step = acting.step(StepCode::Released).say("reason", &why);
            Ok(acting.with(step.settle(mine.iter().map(String::as_str))))
        })
    }

    /// Releases it to others when whoever took it has not been heard of in time: by those who
    /// asked, and by those who watch over them. The taker is told, and may still answer.
    pub fn release_silent(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        why: &str,
    ) -> Result<(), AppError> {
        let why = why.to_owned();
        self.act(actor, Action::ReleaseConsult, None, id, move |acting| {
            acting.refuse_closed()?;
            let (Some(holder), true) = (&acting.state.holder, acting.state.silent.is_some()) else {
                return Err(AppError::State("consult-not-silent"));
            };
            let step = acting.step(StepCode::Released).say("reason", &why);
            let step = step.tell(&told("taker", holder)).settle(acting.state.takes());
            Ok(acting.with(step))
        })
    }

    /// Works along with a consult of a facility that this one watches over.
    pub fn join_consult(self: &Arc<Self>, actor: &Actor, id: &ResourceId) -> Result<(), AppError> {
        self.act(actor, Action::AnswerConsult, None, id, |acting| {
            acting.refuse_closed()?;
            if acting.state.is_with(&acting.actor.reference()) {
                return Ok(Changes::new(Class::Routine));
            }
            Ok(acting.with(acting.step(StepCode::Joined)))
        })
    }

    /// Asks back (who answers) or replies (who asked).
    pub fn consult_message(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        said: &str,
    ) -> Result<(), AppError> {
        let said = said.to_owned();
        if said.trim().is_empty() {
            return Err(AppError::Field { field: "message", why: "missing" });
        }
        let (_, request) = find(&*self.view()?, RequestKind::Consult, id)?;
        let ours = request.from.place == self.place.organization();
        let action = if ours { Action::AcknowledgeConsult } else { Action::AnswerConsult };
        self.act(actor, action, None, id, move |acting| {
            acting.refuse_closed()?;
            Ok(acting.with(acting.step(StepCode::Message).say("", &said)))
        })
    }

    /// Answers. The answer says from which version of the chart, and from which pictures, it
    /// was written.
    pub fn answer_consult(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        answer: Answer,
        basis: &str,
    ) -> Result<(), AppError> {
        if answer.advice.trim().is_empty() {
            return Err(AppError::Field { field: "advice", why: "missing" });
        }
        // What the form was opened with is what the specialist had seen; a basis that cannot be
        // read would hide what came later.
        let seen = Basis::parse(basis).ok_or(AppError::Field { field: "basis", why: "unknown" })?;
        let basis = basis.to_owned();
        self.act(actor, Action::AnswerConsult, None, id, move |acting| {
            acting.refuse_closed()?;
            let mut step = acting
                .step(StepCode::Answer)
                .say("findings", &answer.findings)
                .say("advice", &answer.advice)
                .say("worry", &answer.worry)
                .basis(&basis);
            let (chart, request) = (&acting.request.chart, acting.request.reference());
            for picture in attachment::pictures(acting.view, &*acting.app.blobs, chart, &request)? {
                if !picture.seen_as().is_empty() && seen.holds(&picture.address) {
                    step = step.about(&picture.reference, picture.seen_as());
                }
            }
            Ok(acting.with(step))
        })
    }

    /// The asking side has read the newest answer.
    pub fn acknowledge_consult(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        note: &str,
    ) -> Result<(), AppError> {
        let note = note.to_owned();
        self.act(actor, Action::AcknowledgeConsult, None, id, move |acting| {
            let Some(answer) = &acting.state.answered else {
                return Err(AppError::State("consult-not-answered"));
            };
            if acting.state.acknowledged.is_some() {
                return Ok(Changes::new(Class::Routine));
            }
            let step = acting.step(StepCode::Acknowledged).say("", &note);
            Ok(acting.with(step.settle([answer.step.as_str()])))
        })
    }

    /// Changes the urgency, for a reason.
    pub fn regrade_consult(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        urgency: Class,
        why: &str,
    ) -> Result<(), AppError> {
        let missing = AppError::Field { field: "reason", why: "missing" };
        let reason = Reason::typed(why).map_err(|_| missing)?;
        let why = why.to_owned();
        self.act(actor, Action::RegradeConsult, Some(reason), id, move |acting| {
            acting.refuse_closed()?;
            if urgency == acting.state.urgency || urgency == Class::Bulk {
                return Err(AppError::Field { field: "urgency", why: "same" });
            }
            let step = acting.step(StepCode::Regraded).priority(priority_of(urgency));
            let mut changes = acting.with(step.say("reason", &why));
            changes.hurry(urgency);
            Ok(changes)
        })
    }

    /// Sends it on to another facility or specialty. Those who are known to have it no longer
    /// do.
    pub fn redirect_consult(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        facility: &ResourceId,
        specialty: &str,
        why: &str,
    ) -> Result<(), AppError> {
        if ondol_terms::specialty(specialty).is_none() {
            return Err(AppError::Field { field: "specialty", why: "unknown" });
        }
        let (facility, specialty, why) = (facility.clone(), specialty.to_owned(), why.to_owned());
        self.act(actor, Action::RedirectConsult, None, id, move |acting| {
            acting.refuse_closed()?;
            let to = if facility == acting.app.place.facility {
                acting.app.named(acting.view, &facility)?
            } else {
                acting.app.asked_place(acting.view, &facility)?
            };
            if to.reference == acting.state.address.reference && specialty == acting.state.specialty
            {
                return Err(AppError::Field { field: "facility", why: "same" });
            }
            let takes: Vec<&str> = acting.state.takes().collect();
            let told = Told {
                part: String::new(),
                reference: to.reference.clone(),
                name: to.name.clone(),
            };
            let step = acting
                .step(StepCode::Redirected)
                .topic(coding::SPECIALTY, &specialty)
                .tell(&told)
                .say("reason", &why)
                .settle(takes);
            let mut changes = acting.with(step);
            // The new facility becomes a performer too, so that the chart finds its way there.
            if !acting.request.to.iter().any(|known| known.reference == to.reference) {
                let body = acting.request_with(|body| {
                    if let Some(performers) = body["performer"].as_array_mut() {
                        performers.push(to.to_json());
                    }
                })?;
                changes.update(&acting.found, body);
            }
            Ok(changes)
        })
    }

    /// Tells how it ended, which closes it.
    pub fn record_outcome(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        outcome: &str,
        said: &str,
    ) -> Result<(), AppError> {
        let known = OUTCOMES.iter().copied().find(|code| *code == outcome);
        let outcome = known.ok_or(AppError::Field { field: "outcome", why: "missing" })?;
        let said = said.to_owned();
        self.act(actor, Action::RecordOutcome, None, id, move |acting| {
            if outcome == "unknown" {
                let since = acting.state.answered.as_ref().map_or(acting.state.sent.at, |a| a.at);
                if acting.app.now().0 - since.0 < UNKNOWN_AFTER_MS {
                    return Err(AppError::Field { field: "outcome", why: "unknown-too-early" });
                }
            }
            let step = acting.step(StepCode::Outcome).topic(coding::OUTCOME, outcome);
            closed(acting, step.say("", &said), "completed")
        })
    }

    /// Takes a question back: asked in error, or no longer needed.
    pub fn close_consult(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        why: &str,
    ) -> Result<(), AppError> {
        if why.trim().is_empty() {
            return Err(AppError::Field { field: "reason", why: "missing" });
        }
        let why = why.to_owned();
        self.act(actor, Action::RecordOutcome, None, id, move |acting| {
            acting.refuse_closed()?;
            closed(acting, acting.step(StepCode::Closed).say("reason", &why), "revoked")
        })
    }
}

/// A step that closes, and the request's new status.
fn closed(acting: &ActingOnConsult<'_>, step: NewStep, status: &str) -> Result<Changes, AppError> {
    let mut changes = acting.with(step);
    acting.end(&mut changes, status)?;
    Ok(changes)
}
