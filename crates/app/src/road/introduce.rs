//! How nodes come to know each other: certificates go up the line from everybody, and down to
//! everybody for those whom everybody may have to ask (those above, and specialist hospitals).

use ondol_kernel::{Class, NodeId};
use ondol_record::{Certificate, ChartId, certificate::Tier};
use ondol_replicate::message::Message;
use ondol_store::WriteTx;

use super::{scope, send};
use crate::{App, AppError, Nation};

/// Keeps a certificate that holds, and hands it on to whom it concerns; gives whether it is new.
pub fn take(
    app: &App,
    tx: &mut dyn WriteTx,
    from: Option<&NodeId>,
    certificate: &Certificate,
) -> Result<bool, AppError> {
    let nation = app.nation();
    if !nation.keep(tx, &app.place, certificate)? {
        return Ok(false);
    }
    let message = Message::Certificate(certificate.to_bytes());
    for neighbour in nation.neighbours() {
        if Some(&neighbour) != from
            && neighbour != certificate.node
            && concerns(app, &nation, &neighbour, certificate)
        {
            send(tx, &neighbour, Class::Care, &message)?;
        }
    }
    lead_home(app, tx, &nation, certificate)?;
    if certificate.parent == Some(app.place.node) {
        welcome(app, tx, &nation, &certificate.node)?;
    }
    Ok(true)
}

/// What stands in the chart of a new node's facility already (its Organization was made with the
/// invitation) goes down to it.
fn lead_home(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    certificate: &Certificate,
) -> Result<(), AppError> {
    let own = app.place.node;
    let next = match certificate.parent {
        Some(parent) if parent == own => Some(certificate.node),
        Some(parent) if nation.is_within(&parent, &own) => nation.way_to(&parent).first().copied(),
        _ => None,
    };
    match next {
        Some(next) => {
            let chart = ChartId::Facility(certificate.facility.clone());
            scope::grant(app, tx, &next, &chart, Class::Routine)
        }
        None => Ok(()),
    }
}

/// Tells a new node below whom it may have to ask.
fn welcome(app: &App, tx: &mut dyn WriteTx, nation: &Nation, new: &NodeId) -> Result<(), AppError> {
    let above = nation.line_up(&app.place.node);
    for known in nation.nodes() {
        if above.contains(&known.node) || known.tier == Tier::Specialist {
            send(tx, new, Class::Care, &Message::Certificate(known.to_bytes()))?;
        }
    }
    super::queue::catch_up(app, tx, new)
}

fn concerns(app: &App, nation: &Nation, neighbour: &NodeId, certificate: &Certificate) -> bool {
    if nation.parent() == Some(*neighbour) {
        let own = app.place.node;
        let above = certificate.parent;
        return above.is_some_and(|above| nation.is_within(&above, &own));
    }
    certificate.tier == Tier::Specialist
        || nation.line_up(&app.place.node).contains(&certificate.node)
}

impl App {
    /// Takes in a certificate that a node showed when it knocked.
    pub fn introduced(self: &std::sync::Arc<Self>, bytes: &[u8]) -> Result<bool, AppError> {
        let Ok(certificate) = Certificate::from_bytes(bytes) else { return Ok(false) };
        let app = self.clone();
        let new = self.transact(move |tx| take(&app, tx, None, &certificate))?;
        if new {
            self.reload_nation()?;
        }
        Ok(new)
    }
}
