//! The state of a consult: a pure fold over its steps.
//!
//! Both ends, and whoever watches over them, write steps while the link is down. The fold takes
//! them as a set: the order of arrival and duplicates change nothing. What settles what is said
//! by the steps themselves (`Step::settles`), so that a redirection takes the case only from
//! those whom its author knew to have it; somebody who took it at the same time elsewhere keeps
//! it, and every page says so.

use std::collections::{BTreeMap, BTreeSet};

use ondol_kernel::{Class, Millis};

use super::{
    request::{Named, Request, urgency_of},
    step::{Step, StepCode, Who},
};

/// Something reached: by whom and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The step's id; empty for the request itself.
    pub step: String,
    /// By whom.
    pub who: Who,
    /// When.
    pub at: Millis,
    /// Whether the clock there was in doubt.
    pub doubtful: bool,
}

impl Reached {
    /// The request itself.
    pub const fn by(who: Who, at: Millis) -> Self {
        Self { step: String::new(), who, at, doubtful: false }
    }
}

impl From<&Step> for Reached {
    fn from(step: &Step) -> Self {
        Self {
            step: step.id().to_owned(),
            who: step.who.clone(),
            at: step.at,
            doubtful: step.doubtful,
        }
    }
}

/// Where a consult stands, as the next thing that somebody has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Somebody has to take it.
    Untaken,
    /// Somebody has it.
    Taken,
    /// The specialist asked back, and the asking side has not replied.
    AskedBack,
    /// Answered, and the asking side has not acknowledged it.
    Answered,
    /// Acknowledged; the outcome is not due yet.
    Acknowledged,
    /// The outcome is asked for.
    OutcomeAsked,
    /// Closed.
    Closed,
}

/// A consult's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsultState {
    /// All steps, each once, in their order.
    pub steps: Vec<Step>,
    /// Asked.
    pub sent: Reached,
    /// The urgency now.
    pub urgency: Class,
    /// The facility that is asked now.
    pub address: Named,
    /// The specialty that is asked now.
    pub specialty: String,
    /// Held durably by the facility that is asked.
    pub delivered: Option<Reached>,
    /// Opened there.
    pub seen: Option<Reached>,
    /// Who has it.
    pub holder: Option<Reached>,
    /// Who else works on it.
    pub joined: Vec<Reached>,
    /// Since when nobody has had it: a new wait for somebody to take it begins after this place.
    pub untaken_since: (u64, String),
    /// Told upwards in this wait.
    pub escalated: Option<Reached>,
    /// The step since which whoever has it owes a word; `None` while nobody does.
    pub owes_since: Option<String>,
    /// That word had not come in time.
    pub silent: Option<Reached>,
    /// The newest answer.
    pub answered: Option<Reached>,
    /// Its acknowledgement.
    pub acknowledged: Option<Reached>,
    /// The county was told that it lacks one.
    pub unacknowledged: Option<Reached>,
    /// The outcome was asked for.
    pub outcome_asked: Option<Reached>,
    /// The newest outcome: its code.
    pub outcome: Option<(Reached, String)>,
    /// Closed, with an outcome or without.
    pub closed: Option<Reached>,
    /// The last message of the answering side is a question without a reply.
    pub asked_back: bool,
}

impl ConsultState {
    /// Folds the steps.
    pub fn of(request: &Request, steps: impl IntoIterator<Item = Step>) -> Self {
        let unique: BTreeMap<(u64, String), Step> =
            steps.into_iter().map(|step| (step.order.clone(), step)).collect();
        let steps: Vec<Step> = unique.into_values().collect();
        let folded = Fold { request, steps: &steps }.state();
        Self { steps, ..folded }
    }

    /// Where it stands.
    pub fn phase(&self) -> Phase {
        match () {
            () if self.closed.is_some() => Phase::Closed,
            () if self.outcome_asked.is_some() && self.answered.is_some() => Phase::OutcomeAsked,
            () if self.acknowledged.is_some() => Phase::Acknowledged,
            () if self.asked_back => Phase::AskedBack,
            () if self.answered.is_some() => Phase::Answered,
            () if self.holder.is_some() => Phase::Taken,
            () => Phase::Untaken,
        }
    }

    /// Whether an emergency waits for somebody to take it.
    pub fn is_alarm(&self) -> bool {
        self.urgency == Class::Emergency && self.phase() == Phase::Untaken
    }

    /// The ids of the takes that still stand.
    pub fn takes(&self) -> impl Iterator<Item = &str> {
        self.holder.iter().chain(&self.joined).map(|reached| reached.step.as_str())
    }

    /// The ids of the steps by which a person has it or works along.
    pub fn takes_of<'a>(&'a self, practitioner: &'a str) -> impl Iterator<Item = &'a str> {
        let all = self.holder.iter().chain(&self.joined);
        all.filter(move |one| one.who.reference == practitioner).map(|one| one.step.as_str())
    }

    /// Whether a person has it or works along.
    pub fn is_with(&self, practitioner: &str) -> bool {
        self.holder.iter().chain(&self.joined).any(|one| one.who.reference == practitioner)
    }

    /// The answers, oldest first.
    pub fn answers(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.code == StepCode::Answer)
    }
}

struct Fold<'a> {
    request: &'a Request,
    steps: &'a [Step],
}

impl<'a> Fold<'a> {
    fn all(&self, code: StepCode) -> impl DoubleEndedIterator<Item = &'a Step> + use<'a> {
        self.steps.iter().filter(move |step| step.code == code)
    }

    fn first(&self, code: StepCode, keep: impl Fn(&Step) -> bool) -> Option<Reached> {
        self.all(code).find(|step| keep(step)).map(Reached::from)
    }

    fn state(&self) -> ConsultState {
        let request = self.request;
        let redirected = self.all(StepCode::Redirected).next_back();
        let address = redirected.and_then(|step| step.told.iter().find(|to| to.part.is_empty()));
        let address = address.map_or_else(
            || request.to.last().cloned().unwrap_or_default(),
            |to| Named { reference: to.reference.clone(), name: to.name.clone() },
        );
        let specialty = redirected.and_then(|step| step.topic.clone());
        let (holder, joined) = self.holders();
        // Whoever has it stands for the place that delivered and saw it.
        let place = holder.as_ref().map(|holder| holder.who.place.clone());
        let there = |step: &Step| step.who.place == address.reference;
        let held_there = |step: &Step| Some(&step.who.place) == place.as_ref();
        let seen =
            self.first(StepCode::Seen, there).or_else(|| self.first(StepCode::Seen, held_there));
        let delivered = self
            .first(StepCode::Delivered, there)
            .or_else(|| self.first(StepCode::Delivered, held_there));
        let untaken_since = self.untaken_since();
        let owes_since = self.owes_since(holder.as_ref());
        let of_debt = |step: &Step| step.settles.iter().any(|id| Some(id) == owes_since.as_ref());
        let answered = self.all(StepCode::Answer).next_back();
        let of_answer =
            |step: &Step| answered.is_some_and(|a| step.settles.iter().any(|id| id == a.id()));
        let outcome = self.all(StepCode::Outcome).next_back();
        ConsultState {
            sent: Reached::by(request.from.clone(), request.at),
            urgency: self
                .all(StepCode::Regraded)
                .next_back()
                .and_then(|step| step.priority.as_deref())
                .map_or(request.urgency, urgency_of),
            specialty: specialty.unwrap_or_else(|| request.specialty.clone()),
            escalated: self.first(StepCode::Escalated, |step| step.order > untaken_since),
            silent: self.first(StepCode::Silent, of_debt),
            acknowledged: self.first(StepCode::Acknowledged, of_answer),
            unacknowledged: self.first(StepCode::Unacknowledged, of_answer),
            outcome_asked: self.first(StepCode::OutcomeAsked, |_| true),
            outcome: outcome.map(|step| {
                (Reached::from(step), step.topic.clone().unwrap_or_else(|| "unknown".into()))
            }),
            closed: outcome.or_else(|| self.all(StepCode::Closed).next()).map(Reached::from),
            asked_back: self.asked_back(),
            answered: answered.map(Reached::from),
            address,
            delivered,
            seen,
            holder,
            joined,
            untaken_since,
            owes_since,
            steps: vec![],
        }
    }

    /// Who took it first of those whose take stands, and the others.
    fn holders(&self) -> (Option<Reached>, Vec<Reached>) {
        let settled: BTreeSet<&str> = self
            .steps
            .iter()
            .filter(|step| {
                use StepCode::{HandedOver, Redirected, Released};
                matches!(step.code, Released | Redirected | HandedOver)
            })
            .flat_map(|step| step.settles.iter().map(String::as_str))
            .collect();
        let stands = |step: &&Step| !settled.contains(step.id());
        let mut takes = self.steps.iter().filter(stands).filter_map(|step| match step.code {
            StepCode::Taken => Some(Reached::from(step)),
            StepCode::HandedOver if !step.settles.is_empty() => heir(step),
            _ => None,
        });
        let holder = takes.next();
        let mut others: Vec<Reached> = takes.collect();
        others.extend(self.all(StepCode::Joined).filter(stands).map(Reached::from));
        let mut known: BTreeSet<String> =
            holder.iter().map(|holder| holder.who.reference.clone()).collect();
        others.retain(|one| known.insert(one.who.reference.clone()));
        (holder, others)
    }

    /// Since which step the asking side waits for whoever has it: since it was taken, since the
    /// answering side last wrote, or since its question was answered.
    fn owes_since(&self, holder: Option<&Reached>) -> Option<String> {
        let begun = self.steps.iter().position(|step| step.id() == holder.map_or("", |h| &h.step));
        let (taken, after) = self.steps.get(begun?..)?.split_first()?;
        let (mut since, mut asked) = (taken, false);
        for step in after {
            let asking = step.who.place == self.request.from.place;
            match step.code {
                StepCode::Answer => return None,
                StepCode::Message if !asking => (since, asked) = (step, true),
                StepCode::Message if asked => (since, asked) = (step, false),
                _ => {}
            }
        }
        (!asked).then(|| since.id().to_owned())
    }

    /// The last thing that made it wait again.
    fn untaken_since(&self) -> (u64, String) {
        let again = |step: &&Step| match step.code {
            StepCode::Redirected | StepCode::Released => true,
            StepCode::Regraded => step.priority.as_deref() == Some("stat"),
            _ => false,
        };
        let last = self.steps.iter().rev().find(again);
        last.map_or_else(|| (0, String::new()), |step| step.order.clone())
    }

    /// Whether the newest word between the two sides is a question of the answering one.
    fn asked_back(&self) -> bool {
        let last = self
            .steps
            .iter()
            .rev()
            .find(|step| matches!(step.code, StepCode::Message | StepCode::Answer));
        last.is_some_and(|step| {
            step.code == StepCode::Message && step.who.place != self.request.from.place
        })
    }
}

/// Who has a case since it was handed over: at the same facility, by its node.
fn heir(step: &Step) -> Option<Reached> {
    let told = step.told.iter().find(|told| told.part == "heir")?;
    let who =
        Who { reference: told.reference.clone(), name: told.name.clone(), ..step.who.clone() };
    Some(Reached { who, ..Reached::from(step) })
}

#[cfg(test)]
mod tests;
