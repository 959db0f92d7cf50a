//! Who is coming, and who was sent.

use ondol_access::Action;
use ondol_kernel::{Class, Millis, ResourceId};

use super::{ReferralPhase, ReferralState};
use crate::{
    Actor, App, AppError, coding,
    consult::{Request, requests, step::steps_of},
    people::{Person, person_of},
};

/// A referral in a list. Who is coming is named: a bed is made for somebody.
#[derive(Clone, PartialEq, Eq)]
pub struct ReferralRow {
    /// The request.
    pub id: ResourceId,
    /// The patient.
    pub person: Person,
    /// How urgent it is.
    pub urgency: Class,
    /// The specialty.
    pub specialty: String,
    /// The sending facility's name.
    pub from: String,
    /// The receiving facility's name.
    pub to: String,
    /// Where it stands.
    pub phase: ReferralPhase,
    /// When she is expected.
    pub expected: Option<Millis>,
    /// When it was written.
    pub sent: Millis,
    /// What she will need.
    pub needs: Vec<String>,
    /// Whether transport was asked for.
    pub transport: bool,
}

/// The lists of a facility.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Referrals {
    /// Who is coming here, the urgent first.
    pub coming: Vec<ReferralRow>,
    /// Who is here, and waits for a reply to be written.
    pub here: Vec<ReferralRow>,
    /// Who was sent from here.
    pub sent: Vec<ReferralRow>,
}

impl App {
    /// The referrals that concern this facility and that the person may follow.
    pub fn referrals(&self, actor: &Actor) -> Result<Referrals, AppError> {
        let here = self.place.organization();
        let open = requests(&*self.view()?, coding::REFERRAL, true)?;
        let closed = requests(&*self.view()?, coding::REFERRAL, false)?;
        let mut lists = Referrals::default();
        for request in open.iter().chain(&closed) {
            let coming = request.to.iter().any(|to| to.reference == here);
            let ours = request.from.place == here;
            if !coming && !ours {
                continue;
            }
            let Some(row) = self.referral_row(actor, request)? else { continue };
            match row.phase {
                _ if ours => lists.sent.push(row),
                // Nobody is expected any more; those who sent the patient close it.
                _ if row.person.died => {}
                ReferralPhase::Arrived => lists.here.push(row),
                ReferralPhase::Replied | ReferralPhase::Cancelled => {}
                _ => lists.coming.push(row),
            }
        }
        let order = |row: &ReferralRow| (row.urgency, row.expected.unwrap_or(row.sent));
        lists.coming.sort_by_key(order);
        lists.here.sort_by_key(order);
        lists.sent.sort_by_key(|row| (row.phase, std::cmp::Reverse(row.sent)));
        Ok(lists)
    }

    /// The referrals of a patient, newest first: for the chart.
    pub fn referrals_of(
        &self,
        actor: &Actor,
        patient: &ResourceId,
    ) -> Result<Vec<ReferralRow>, AppError> {
        let chart = ondol_record::ChartId::Patient(patient.clone());
        let found = self.view()?.chart(&chart, &["ServiceRequest"])?;
        let mut rows = vec![];
        for request in found.iter().filter_map(Request::of) {
            if request.kind == crate::consult::RequestKind::Referral {
                rows.extend(self.referral_row(actor, &request)?);
            }
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.sent));
        Ok(rows)
    }

    fn referral_row(
        &self,
        actor: &Actor,
        request: &Request,
    ) -> Result<Option<ReferralRow>, AppError> {
        let chart = &request.chart;
        let row = self.reading_once(actor, Action::FollowReferral, chart, |view| {
            let state = ReferralState::of(request, steps_of(view, chart, &request.reference())?);
            let patient = ResourceId::new(chart.subject())
                .map_err(|_| AppError::Unexpected("a referral's patient"))?;
            Ok(ReferralRow {
                id: request.id.clone(),
                person: person_of(view, &patient)?,
                urgency: request.urgency,
                specialty: request.specialty.clone(),
                from: request.from.place_name.clone(),
                to: request.to.first().map(|to| to.name.clone()).unwrap_or_default(),
                phase: state.phase(),
                expected: request.expected,
                sent: request.at,
                needs: request.needs.clone(),
                transport: state.transport.is_some(),
            })
        });
        match row {
            Ok(row) => Ok(Some(row)),
            // The request may be here before the person is: the rest of the chart follows.
            Err(AppError::Denied(_) | AppError::NotFound) => Ok(None),
            Err(other) => Err(other),
        }
    }
}
