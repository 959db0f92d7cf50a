//! The page and the letter of a referral.

use ondol_access::Action;
use ondol_kernel::ResourceId;
use ondol_store::View;

use super::ReferralState;
use crate::{
    Actor, App, AppError,
    consult::{About, Contacts, Request, RequestKind, facility_of, request::find, step::steps_of},
};

/// What the viewer may do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a button that is there or not")]
pub struct ReferralCan {
    /// Say that she left.
    pub depart: bool,
    /// Ask for transport.
    pub transport: bool,
    /// Take it back.
    pub cancel: bool,
    /// Receive her.
    pub arrive: bool,
    /// Reply.
    pub reply: bool,
}

/// A referral as a page and a letter show it. It has no `Debug`: it names somebody.
#[derive(Clone)]
pub struct ReferralView {
    /// Whom it is about.
    pub about: About,
    /// The request.
    pub request: Request,
    /// Its state.
    pub state: ReferralState,
    /// Whether the viewer is at the receiving facility.
    pub receiving: bool,
    /// Whether it waits here for the road.
    pub waits_here: bool,
    /// What the viewer may do.
    pub can: ReferralCan,
    /// Whom to call there.
    pub contacts: Contacts,
}

impl App {
    /// The page of a referral. It is recorded as a reading.
    pub fn referral(&self, actor: &Actor, id: &ResourceId) -> Result<ReferralView, AppError> {
        let (_, request) = find(&*self.view()?, RequestKind::Referral, id)?;
        let chart = request.chart.clone();
        self.reading(actor, Action::FollowReferral, &chart, |view| {
            self.referral_in(view, actor, id)
        })
    }

    fn referral_in(
        &self,
        view: &dyn View,
        actor: &Actor,
        id: &ResourceId,
    ) -> Result<ReferralView, AppError> {
        let (_, request) = find(view, RequestKind::Referral, id)?;
        let chart = &request.chart;
        let state = ReferralState::of(&request, steps_of(view, chart, &request.reference())?);
        let here = self.place.organization();
        let receiving = request.to.iter().any(|to| to.reference == here);
        let ours = request.from.place == here;
        let may = |action| match self.may(view, actor, action, chart, None) {
            Ok(_) => Ok(true),
            Err(AppError::Denied(_)) => Ok(false),
            Err(other) => Err(other),
        };
        let expected = state.is_expected();
        let send = ours && expected && may(Action::Refer)?;
        let to = request.to.first().and_then(|to| facility_of(&to.reference));
        Ok(ReferralView {
            about: self.about(view, chart)?,
            can: ReferralCan {
                depart: send && state.departed.is_none(),
                transport: send && state.transport.is_none(),
                cancel: send,
                arrive: receiving && expected && may(Action::ReceiveReferral)?,
                reply: receiving && state.arrived.is_some() && may(Action::AnswerReferral)?,
            },
            contacts: match to {
                Some(facility) => self.contacts(view, &facility, &request.specialty)?,
                None => Contacts::default(),
            },
            waits_here: ours
                && state.delivered.is_none()
                && self.waits_here(&request, request.urgency.min(ondol_kernel::Class::Care))?,
            receiving,
            request,
            state,
        })
    }
}
