//! Somebody leaves: what they had of consults and referrals goes to their successor.

use ondol_access::Action;
use ondol_kernel::ResourceId;
use ondol_store::{View, WriteTx};

use super::{
    list::requests,
    request::{Request, RequestKind},
    state::ConsultState,
    step::{NewStep, StepCode, Told, may_answer_as, steps_of},
};
use crate::{App, AppError, Changes, accounts::Colleague, coding};

/// Hands the open requests of a leaver over, within the writer's transaction: those that the
/// leaver asked, and those that the leaver had taken. A case goes back to everybody if the heir
/// may not answer it. Gives how many there were.
pub(crate) fn hand_over(
    app: &App,
    tx: &mut dyn WriteTx,
    leaver: &ResourceId,
    heir: &Colleague,
) -> Result<u32, AppError> {
    let leaver = format!("Practitioner/{leaver}");
    let mut open = requests(&*tx, coding::CONSULT, true)?;
    open.extend(requests(&*tx, coding::REFERRAL, true)?);
    let mut count = 0;
    for request in open {
        if let Some(changes) = handed_over(app, &*tx, &request, &leaver, heir)? {
            let node = app.own_actor();
            app.may(&*tx, &node, Action::EscalateConsult, &request.chart, None)?;
            app.append(tx, &node, changes)?;
            count += 1;
        }
    }
    Ok(count)
}

fn handed_over(
    app: &App,
    tx: &dyn View,
    request: &Request,
    leaver: &str,
    heir: &Colleague,
) -> Result<Option<Changes>, AppError> {
    let steps = steps_of(tx, &request.chart, &request.reference())?;
    let state = ConsultState::of(request, steps);
    if state.closed.is_some() {
        return Ok(None);
    }
    let mine: Vec<&str> = match request.kind {
        RequestKind::Consult => state.takes_of(leaver).collect(),
        RequestKind::Referral => vec![],
    };
    let here = request.from.place == app.place.organization();
    let asked = here && request.from.reference == leaver;
    if mine.is_empty() && !asked {
        return Ok(None);
    }
    let to_all = !mine.is_empty() && !may_answer_as(heir.roles);
    let code = if to_all { StepCode::Released } else { StepCode::HandedOver };
    let (reference, subject) = (request.reference(), request.subject());
    let mut step = NewStep::new(app, &app.own_actor(), code, &reference, &subject).settle(mine);
    if !to_all {
        let name = heir.name.clone();
        step = step.tell(&Told { part: "heir".into(), reference: heir.reference(), name });
    }
    let mut changes = Changes::new(state.urgency);
    changes.create(step.into_json());
    Ok(Some(changes))
}
