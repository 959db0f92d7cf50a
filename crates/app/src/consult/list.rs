//! Lists: what waits for somebody here, what was asked from here, what is watched over.
//!
//! A list names no patient and shows no question: specialty, urgency, places, times, states. It
//! is what `follow-consult` allows; the page itself is another reading.

use ondol_access::Action;
use ondol_kernel::{Class, Millis, ResourceId};
use ondol_record::ChartId;
use ondol_store::{Filter, Order, Query, Test, View};

use super::{
    read::{OnTheWay, Side},
    request::{Request, RequestKind},
    state::{ConsultState, Phase},
    step::{may_answer, steps_of},
};
use crate::{Actor, App, AppError, coding, people::has_died};

/// Closed consults that a list still shows.
const CLOSED_SHOWN: usize = 50;

/// A consult in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a mark of its own in the row")]
pub struct ConsultRow {
    /// The request.
    pub id: ResourceId,
    /// How the viewer stands to it.
    pub side: Side,
    /// The urgency now.
    pub urgency: Class,
    /// The specialty.
    pub specialty: String,
    /// The asking facility's name.
    pub from: String,
    /// The asked facility's name.
    pub to: String,
    /// When it was asked.
    pub sent: Millis,
    /// Where it stands.
    pub phase: Phase,
    /// Who has it.
    pub holder: Option<String>,
    /// Whether the viewer has it.
    pub mine: bool,
    /// Told upwards.
    pub escalated: bool,
    /// An answer lacks its acknowledgement for too long.
    pub unacknowledged: bool,
    /// How far it came.
    pub way: OnTheWay,
    /// Whether the next step is the viewer's side's.
    pub ours_to_do: bool,
    /// How it ended, for one that is closed.
    pub outcome: Option<String>,
    /// Whether the patient has died: only for whoever can open the page. It is left out of the lists
    /// of those who are asked and who watch over.
    pub died: bool,
    /// Whether the page can be opened: officers and coordinators see states alone.
    pub may_open: bool,
}

/// The lists of a person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inbox {
    /// To be answered here: emergencies first, then by urgency and time.
    pub to_answer: Vec<ConsultRow>,
    /// Asked from here: what has to be done here first.
    pub from_here: Vec<ConsultRow>,
    /// Of facilities that this one watches over.
    pub watched: Vec<ConsultRow>,
    /// Closed ones, newest first.
    pub closed: Vec<ConsultRow>,
    /// Emergencies that nobody took and that this person can take.
    pub alarms: usize,
    /// Whether the alarm shall sound for this person: only for the one on duty.
    pub sounds: bool,
}

impl App {
    /// The consults that concern a person.
    pub fn inbox(&self, actor: &Actor) -> Result<Inbox, AppError> {
        let mut inbox = Inbox::default();
        let (open, closed) = {
            let view = self.view()?;
            (requests(&*view, coding::CONSULT, true)?, requests(&*view, coding::CONSULT, false)?)
        };
        for request in open.into_iter().chain(closed.into_iter().take(CLOSED_SHOWN)) {
            let Some((row, sounds)) = self.consult_row(actor, &request)? else { continue };
            if row.phase == Phase::Closed {
                inbox.closed.push(row);
                continue;
            }
            if self.is_closed_by_death(&request.chart)? && row.side != Side::Asking {
                continue;
            }
            let alarm = row.urgency == Class::Emergency && row.phase == Phase::Untaken;
            if alarm && row.side != Side::Asking && row.may_open {
                inbox.alarms += 1;
                inbox.sounds |= sounds;
            }
            match row.side {
                Side::Asking => inbox.from_here.push(row),
                Side::Asked => inbox.to_answer.push(row),
                Side::Watching if row.mine => inbox.to_answer.push(row),
                Side::Watching => inbox.watched.push(row),
            }
        }
        for list in [&mut inbox.to_answer, &mut inbox.from_here, &mut inbox.watched] {
            list.sort_by_key(|row| {
                let alarm = row.urgency == Class::Emergency && row.phase == Phase::Untaken;
                (!alarm, !row.ours_to_do, row.urgency, row.phase, row.sent)
            });
        }
        Ok(inbox)
    }

    /// A request as a row, and whether it sounds; `None` if this person may not follow it.
    fn consult_row(
        &self,
        actor: &Actor,
        request: &Request,
    ) -> Result<Option<(ConsultRow, bool)>, AppError> {
        let chart = &request.chart;
        let followed = self.reading_once(actor, Action::FollowConsult, chart, |view| {
            let state = ConsultState::of(request, steps_of(view, chart, &request.reference())?);
            let may_open = match self.may(view, actor, Action::ReadConsult, chart, None) {
                Ok(_) => true,
                Err(AppError::Denied(_)) => false,
                Err(other) => return Err(other),
            };
            let side = self.side(request, &state);
            // Whoever watches over hears it only when it was told upwards.
            let called = side == Side::Asked || state.escalated.is_some();
            let sounds = state.is_alarm()
                && called
                && may_answer(actor)
                && self.is_on_duty(view, actor, &state.specialty)?;
            let mine = state.is_with(&actor.reference());
            let phase = state.phase();
            let ours_to_do = match side {
                Side::Asking => {
                    matches!(phase, Phase::AskedBack | Phase::Answered | Phase::OutcomeAsked)
                }
                Side::Asked | Side::Watching => {
                    phase == Phase::Untaken || (mine && phase == Phase::Taken)
                }
            };
            let row = ConsultRow {
                id: request.id.clone(),
                side,
                urgency: state.urgency,
                specialty: state.specialty.clone(),
                from: request.from.place_name.clone(),
                to: state.address.name.clone(),
                sent: request.at,
                phase,
                holder: state.holder.as_ref().map(|holder| holder.who.name.clone()),
                mine,
                escalated: state.escalated.is_some(),
                unacknowledged: state.unacknowledged.is_some() && state.acknowledged.is_none(),
                way: self.way(request, &state)?,
                ours_to_do,
                outcome: state.outcome.as_ref().map(|(_, code)| code.clone()),
                died: may_open && has_died(view, chart)?,
                may_open,
            };
            Ok((row, sounds))
        });
        match followed {
            Ok(row) => Ok(Some(row)),
            Err(AppError::Denied(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }

    fn is_closed_by_death(&self, chart: &ChartId) -> Result<bool, AppError> {
        has_died(&*self.view()?, chart)
    }

    /// The consults about a patient, newest first: for the chart.
    pub fn consults_of(
        &self,
        actor: &Actor,
        patient: &ResourceId,
    ) -> Result<Vec<ConsultRow>, AppError> {
        let chart = ChartId::Patient(patient.clone());
        let found = self.view()?.chart(&chart, &["ServiceRequest"])?;
        let requests = found.iter().filter_map(Request::of);
        let mut rows = vec![];
        for request in requests.filter(|request| request.kind == RequestKind::Consult) {
            rows.extend(self.consult_row(actor, &request)?.map(|(row, _)| row));
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.sent));
        Ok(rows)
    }
}

/// The requests of a category that are open, or that are closed (newest first).
pub(crate) fn requests(
    view: &dyn View,
    category: &str,
    open: bool,
) -> Result<Vec<Request>, AppError> {
    let token = |system: Option<&str>, code: &str| Test::Token {
        system: system.map(Into::into),
        code: Some(code.into()),
    };
    let statuses: &[&str] = if open { &["active", "on-hold"] } else { &["completed", "revoked"] };
    let query = Query {
        resource_type: "ServiceRequest".into(),
        chart: None,
        filters: vec![
            Filter {
                parameter: "category".into(),
                any: vec![token(Some(coding::REQUEST_CATEGORY), category)],
            },
            Filter {
                parameter: "status".into(),
                any: statuses.iter().map(|status| token(None, status)).collect(),
            },
        ],
        order: Order::NewestArrival,
        limit: if open { usize::MAX } else { CLOSED_SHOWN },
        after: None,
    };
    let page = view.search(&query)?;
    Ok(page.hits.iter().filter_map(|hit| Request::of(&hit.found)).collect())
}
