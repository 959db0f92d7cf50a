//! The state of a referral: a pure fold over its steps, as a set.

use std::collections::BTreeMap;

use crate::consult::{Reached, Request, Step, StepCode};

/// Where a referral stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReferralPhase {
    /// It was not seen to arrive in time.
    Missing,
    /// The letter is written; the patient has not left.
    Written,
    /// On the way.
    OnTheWay,
    /// Arrived; no reply yet.
    Arrived,
    /// The receiving facility replied.
    Replied,
    /// Taken back.
    Cancelled,
}

/// A referral's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferralState {
    /// All steps, each once, in their order.
    pub steps: Vec<Step>,
    /// Written.
    pub sent: Reached,
    /// Held durably by the receiving facility.
    pub delivered: Option<Reached>,
    /// The patient left.
    pub departed: Option<Reached>,
    /// Transport was asked for.
    pub transport: Option<Reached>,
    /// The patient arrived.
    pub arrived: Option<Reached>,
    /// The reply.
    pub reply: Option<Step>,
    /// Somebody noticed that the patient did not arrive.
    pub never_arrived: Option<Reached>,
    /// Taken back.
    pub cancelled: Option<Reached>,
}

impl ReferralState {
    /// Folds the steps.
    pub fn of(request: &Request, steps: impl IntoIterator<Item = Step>) -> Self {
        let unique: BTreeMap<(u64, String), Step> =
            steps.into_iter().map(|step| (step.order.clone(), step)).collect();
        let steps: Vec<Step> = unique.into_values().collect();
        let first = |code: StepCode| steps.iter().find(|step| step.code == code).map(Reached::from);
        Self {
            sent: Reached::by(request.from.clone(), request.at),
            delivered: first(StepCode::Delivered),
            departed: first(StepCode::Departed),
            transport: first(StepCode::TransportAsked),
            arrived: first(StepCode::Arrived),
            reply: steps.iter().rev().find(|step| step.code == StepCode::Reply).cloned(),
            never_arrived: first(StepCode::NeverArrived),
            cancelled: first(StepCode::Closed),
            steps,
        }
    }

    /// Where it stands. An arrival counts, however late it became known.
    pub const fn phase(&self) -> ReferralPhase {
        match () {
            () if self.reply.is_some() => ReferralPhase::Replied,
            () if self.arrived.is_some() => ReferralPhase::Arrived,
            () if self.cancelled.is_some() => ReferralPhase::Cancelled,
            () if self.never_arrived.is_some() => ReferralPhase::Missing,
            () if self.departed.is_some() => ReferralPhase::OnTheWay,
            () => ReferralPhase::Written,
        }
    }

    /// Whether the receiving facility still waits for the patient.
    pub const fn is_expected(&self) -> bool {
        matches!(
            self.phase(),
            ReferralPhase::Missing | ReferralPhase::Written | ReferralPhase::OnTheWay
        )
    }
}
