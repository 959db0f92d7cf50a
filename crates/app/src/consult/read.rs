//! The page of a consult, for both ends and for those who watch over them.

use ondol_access::Action;
use ondol_kernel::{Class, NodeId, ResourceId};
use ondol_record::{ChartId, certificate::Tier};
use ondol_store::View;

use super::{
    basis::{self, About, Basis, Fact, later_than},
    contacts::{Contacts, facility_of},
    request::{Request, RequestKind, find},
    state::ConsultState,
    step::{Step, StepCode, may_answer, steps_of},
};
use crate::{
    Actor, App, AppError,
    attachment::{self, Picture},
};

/// How a viewer stands to a consult.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// At the facility that asked.
    Asking,
    /// At the facility that is asked.
    Asked,
    /// At a facility that watches over the asking one.
    Watching,
}

/// What the viewer may do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a button that is there or not")]
pub struct Can {
    /// Take it.
    pub take: bool,
    /// Give it back.
    pub release: bool,
    /// Release it to others: whoever took it is silent.
    pub release_silent: bool,
    /// Join a colleague.
    pub join: bool,
    /// Answer and ask back.
    pub answer: bool,
    /// Reply to a question.
    pub reply: bool,
    /// Acknowledge the newest answer.
    pub acknowledge: bool,
    /// Change the urgency.
    pub regrade: bool,
    /// Send it on.
    pub redirect: bool,
    /// Tell how it ended.
    pub outcome: bool,
    /// Add pictures.
    pub add: bool,
}

/// How far a consult that was asked here came on the road.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTheWay {
    /// It waits here.
    Waiting,
    /// The next node has it.
    Underway,
    /// It arrived, or this is not the asking node.
    Arrived,
}

/// An answer, and what came after it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerView {
    /// The step.
    pub step: Step,
    /// What the answer had not seen, most weighty first.
    pub later: Vec<Fact>,
    /// Pictures that the answer had not seen, or only as a preview: their ids.
    pub pictures_unseen: usize,
    /// The pictures that it had seen.
    pub pictures_seen: usize,
    /// Whether what it had seen cannot be told: everything may be later.
    pub basis_unknown: bool,
}

/// A consult as a page shows it. It has no `Debug`: it names somebody.
#[derive(Clone)]
pub struct ConsultView {
    /// Whom it is about.
    pub about: About,
    /// The request.
    pub request: Request,
    /// Its state.
    pub state: ConsultState,
    /// How the viewer stands to it.
    pub side: Side,
    /// What the viewer may do.
    pub can: Can,
    /// How far it came.
    pub way: OnTheWay,
    /// Pictures and sound.
    pub pictures: Vec<Picture>,
    /// The answers, newest first.
    pub answers: Vec<AnswerView>,
    /// Whom to call.
    pub contacts: Contacts,
    /// The version of the chart that this page shows: an answer names it.
    pub basis: String,
    /// What the road passes, bits per second.
    pub rate_bps: u64,
}

impl ConsultView {
    /// The patient.
    pub fn patient(&self) -> &str {
        self.request.chart.subject()
    }
}

/// The states of a consult for those who watch without reading: no patient, no content.
#[derive(Debug, Clone)]
pub struct ConsultStates {
    /// The request's id.
    pub id: ResourceId,
    /// Its state; the texts of its steps are left out.
    pub state: ConsultState,
    /// The asking facility's name.
    pub from: String,
    /// Whether the viewer may send it on.
    pub can_redirect: bool,
    /// Whether the viewer may release it to others: whoever took it is silent.
    pub can_release: bool,
    /// Whom to call at the facility that is asked.
    pub contacts: Contacts,
}

impl App {
    /// The states of a consult, for coordinators and officers too.
    pub fn consult_states(
        &self,
        actor: &Actor,
        id: &ResourceId,
    ) -> Result<ConsultStates, AppError> {
        let (_, request) = find(&*self.view()?, RequestKind::Consult, id)?;
        let chart = &request.chart;
        self.reading_once(actor, Action::FollowConsult, chart, |view| {
            let steps = steps_of(view, chart, &request.reference())?;
            let mut state = ConsultState::of(&request, steps);
            for step in &mut state.steps {
                step.said.clear();
                step.about.clear();
            }
            let may = |action| match self.may(view, actor, action, chart, None) {
                Ok(_) => Ok(true),
                Err(AppError::Denied(_)) => Ok(false),
                Err(other) => Err(other),
            };
            let redirect = may(Action::RedirectConsult)?;
            let silent = state.holder.is_some() && state.silent.is_some();
            let asked = facility_of(&state.address.reference);
            Ok(ConsultStates {
                id: request.id.clone(),
                from: request.from.place_name.clone(),
                can_redirect: redirect && state.closed.is_none(),
                can_release: silent && state.closed.is_none() && may(Action::ReleaseConsult)?,
                contacts: match asked {
                    Some(facility) => self.contacts(view, &facility, &state.specialty)?,
                    None => Contacts::default(),
                },
                state,
            })
        })
    }

    /// The page of a consult. It is recorded as a reading.
    pub fn consult(&self, actor: &Actor, id: &ResourceId) -> Result<ConsultView, AppError> {
        let (_, request) = find(&*self.view()?, RequestKind::Consult, id)?;
        let chart = request.chart.clone();
        self.reading(actor, Action::ReadConsult, &chart, |view| self.consult_in(view, actor, id))
    }

    /// The same for a page that stands open and asks again: recorded once in a while.
    pub fn consult_again(&self, actor: &Actor, id: &ResourceId) -> Result<ConsultView, AppError> {
        let (_, request) = find(&*self.view()?, RequestKind::Consult, id)?;
        let chart = request.chart.clone();
        self.reading_once(actor, Action::ReadConsult, &chart, |view| {
            self.consult_in(view, actor, id)
        })
    }

    fn consult_in(
        &self,
        view: &dyn View,
        actor: &Actor,
        id: &ResourceId,
    ) -> Result<ConsultView, AppError> {
        let (_, request) = find(view, RequestKind::Consult, id)?;
        let chart = &request.chart;
        let state = ConsultState::of(&request, steps_of(view, chart, &request.reference())?);
        let pictures = attachment::pictures(view, &*self.blobs, chart, &request.reference())?;
        let facts = basis::facts(view, chart, &request.from.place)?;
        let mut answers: Vec<AnswerView> =
            state.answers().map(|step| answer(step, &facts, &pictures)).collect();
        answers.reverse();
        let asked = facility_of(&state.address.reference);
        Ok(ConsultView {
            about: self.about(view, chart)?,
            side: self.side(&request, &state),
            can: self.can(view, actor, chart, &request, &state)?,
            way: self.way(&request, &state)?,
            contacts: match asked {
                Some(facility) => self.contacts(view, &facility, &state.specialty)?,
                None => Contacts::default(),
            },
            basis: Basis::now(view, chart)?.to_text(),
            rate_bps: self.rate_up_bps(),
            request,
            state,
            pictures,
            answers,
        })
    }

    pub(crate) fn side(&self, request: &Request, state: &ConsultState) -> Side {
        let here = self.place.organization();
        if request.from.place == here {
            Side::Asking
        } else if state.address.reference == here || !self.watches(request) {
            Side::Asked
        } else {
            Side::Watching
        }
    }

    /// Whether this facility stands above the asking one.
    pub(crate) fn watches(&self, request: &Request) -> bool {
        let from = facility_of(&request.from.place);
        from.is_some_and(|from| from != self.place.facility && self.nation().is_below(&from))
    }

    fn can(
        &self,
        view: &dyn View,
        actor: &Actor,
        chart: &ChartId,
        request: &Request,
        state: &ConsultState,
    ) -> Result<Can, AppError> {
        let may = |action| match self.may(view, actor, action, chart, None) {
            Ok(_) => Ok(true),
            Err(AppError::Denied(_)) => Ok(false),
            Err(other) => Err(other),
        };
        let open = state.closed.is_none();
        let asking = request.from.place == self.place.organization();
        let mine = state.is_with(&actor.reference());
        let answering = open && !asking && may_answer(actor);
        let free = state.holder.is_none();
        Ok(Can {
            take: answering && !mine && free && may(Action::TakeConsult)?,
            release: answering && mine && may(Action::RedirectConsult)?,
            release_silent: open
                && !mine
                && state.holder.is_some()
                && state.silent.is_some()
                && may(Action::ReleaseConsult)?,
            join: answering && !mine && !free && may(Action::TakeConsult)?,
            answer: answering && may(Action::AnswerConsult)?,
            reply: asking && open && may(Action::AcknowledgeConsult)?,
            acknowledge: asking
                && state.answered.is_some()
                && state.acknowledged.is_none()
                && may(Action::AcknowledgeConsult)?,
            // A reason is asked for in the form: whether it suffices is decided with it.
            regrade: answering && may(Action::RedirectConsult)?,
            redirect: !asking && open && may(Action::RedirectConsult)?,
            outcome: asking && may(Action::RecordOutcome)?,
            add: asking && open && may(Action::OpenConsult)?,
        })
    }

    /// How far a consult of this facility came: whether the next node has everything of its
    /// class.
    pub(crate) fn way(
        &self,
        request: &Request,
        state: &ConsultState,
    ) -> Result<OnTheWay, AppError> {
        let ours = request.from.place == self.place.organization();
        if !ours || state.delivered.is_some() || state.holder.is_some() {
            return Ok(OnTheWay::Arrived);
        }
        Ok(if self.waits_towards(&state.address.reference, state.urgency)? {
            OnTheWay::Waiting
        } else {
            OnTheWay::Underway
        })
    }

    /// Whether a request of this facility still waits here for the road.
    pub(crate) fn waits_here(&self, request: &Request, class: Class) -> Result<bool, AppError> {
        let to = request.to.first();
        to.map_or(Ok(false), |to| self.waits_towards(&to.reference, class))
    }

    /// Whether something waits here for the peer to which a case for a facility goes first.
    /// Without a way everything waits.
    fn waits_towards(&self, facility: &str, class: Class) -> Result<bool, AppError> {
        let nation = self.nation();
        let to = facility_of(facility).and_then(|id| Some(nation.of_facility(&id)?.node));
        let way = to.map(|to| nation.way_to(&to)).unwrap_or_default();
        let next: Option<NodeId> =
            way.into_iter().find(|node| nation.tier(node).is_some_and(Tier::treats));
        next.map_or(Ok(true), |next| self.is_waiting_for(&next, class))
    }
}

fn answer(step: &Step, facts: &[Fact], pictures: &[Picture]) -> AnswerView {
    let basis = step.basis.as_deref().and_then(Basis::parse);
    let seen = |picture: &&Picture| {
        step.about.iter().any(|(about, how)| *about == picture.reference && how != "preview")
    };
    AnswerView {
        step: step.clone(),
        later: basis
            .as_ref()
            .map_or_else(Vec::new, |basis| later_than(basis, facts).into_iter().cloned().collect()),
        pictures_seen: step.about.len(),
        pictures_unseen: pictures.iter().filter(|picture| !seen(picture)).count(),
        basis_unknown: basis.is_none(),
    }
}

/// Whether a step stands in the conversation (the others are told by the line of states).
pub const fn is_talk(code: StepCode) -> bool {
    !matches!(code, StepCode::Delivered | StepCode::Seen | StepCode::Answer)
}
