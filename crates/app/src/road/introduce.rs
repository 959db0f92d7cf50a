//! How nodes come to know each other: certificates go up the line from everybody, and down to
//! everybody for those whom everybody may have to ask (those above, and specialist hospitals).

use ondol_kernel::{Class, NodeId};
use ondol_record::{Certificate, ChartId, ChartKind, certificate::Tier};
use ondol_replicate::message::Message;
use ondol_store::WriteTx;

use super::{placed, revoke, scope, send};
use crate::{App, AppError, Nation};

/// So many charts are looked at before the next are read.
const CHARTS_AT_ONCE: usize = 500;

/// Keeps a certificate that holds, and hands it on to whom it concerns; gives whether it is new.
pub fn take(
    app: &App,
    tx: &mut dyn WriteTx,
    from: Option<&NodeId>,
    certificate: &Certificate,
) -> Result<bool, AppError> {
    let nation = app.nation();
    let Some(with) = nation.keep(tx, &app.place, certificate)? else { return Ok(false) };
    let message = Message::Certificate(certificate.to_bytes());
    for neighbour in nation.neighbours() {
        if Some(&neighbour) != from
            && neighbour != certificate.node
            && concerns(app, &with, &neighbour, certificate)
        {
            send(tx, &neighbour, Class::Care, &message)?;
        }
    }
    if nation.is_revoked(&certificate.node) {
        // Its key is needed to check what it wrote while it was trusted; nothing goes to it.
        return Ok(true);
    }
    let above = with.parent_of(&certificate.node);
    lead_home(app, tx, &nation, (certificate, above))?;
    if above == Some(app.place.node) {
        welcome(app, tx, &nation, &certificate.node)?;
    }
    if with.neighbours().contains(&certificate.node) {
        revoke::tell_again(tx, &with, &certificate.node)?;
        placed::tell_again(tx, &with, &certificate.node)?;
    }
    open_charts(app, tx, (&nation, &with), &certificate.node)?;
    revoke::replace(app, tx, &with, &certificate.facility)?;
    Ok(true)
}

/// Where a facility stands is known by certificates. What was written in its chart before they
/// came goes to those neighbours who get it by the rules since one more is here.
pub fn open_charts(
    app: &App,
    tx: &mut dyn WriteTx,
    (before, after): (&Nation, &Nation),
    new: &NodeId,
) -> Result<(), AppError> {
    let own_line = after.line_up(&app.place.node).contains(new);
    let moved = after.nodes().filter(|known| {
        let line = after.line_up(&known.node);
        line.contains(new) || own_line && after.is_within(&app.place.node, &known.node)
    });
    for known in moved {
        let chart = ChartId::Facility(known.facility.clone());
        for peer in after.neighbours() {
            if scope::by_rule(app, after, &peer, &chart)
                && !scope::goes_to(app, before, &*tx, &peer, &chart)?
            {
                // Each entry in the class in which it was written.
                super::queue::backfill(app, tx, after, (&peer, &chart), Class::Bulk)?;
            }
        }
    }
    match after.parent() {
        Some(above) if above == *new => open_to_above(app, tx, (before, after), &above),
        _ => Ok(()),
    }
}

/// Whether the node above treats people is known by its certificate: what was written about them
/// before it came goes there now. A clinic may work for weeks before it first meets the county.
fn open_to_above(
    app: &App,
    tx: &mut dyn WriteTx,
    (before, after): (&Nation, &Nation),
    above: &NodeId,
) -> Result<(), AppError> {
    for kind in [ChartKind::Practitioner, ChartKind::Patient] {
        let mut last: Option<ChartId> = None;
        loop {
            let charts = tx.charts(kind, last.as_ref(), CHARTS_AT_ONCE)?;
            for chart in &charts {
                if scope::by_rule(app, after, above, chart)
                    && !scope::goes_to(app, before, &*tx, above, chart)?
                {
                    super::queue::backfill(app, tx, after, (above, chart), Class::Bulk)?;
                }
            }
            match charts.into_iter().last() {
                Some(chart) => last = Some(chart),
                None => break,
            }
        }
    }
    Ok(())
}

/// What stands in the chart of a new node's facility already (its Organization was made with the
/// invitation) goes down to it.
fn lead_home(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    (certificate, above): (&Certificate, Option<NodeId>),
) -> Result<(), AppError> {
    let own = app.place.node;
    let next = match above {
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
pub fn welcome(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    new: &NodeId,
) -> Result<(), AppError> {
    let above = nation.line_up(&app.place.node);
    for known in nation.nodes() {
        if above.contains(&known.node) || known.tier == Tier::Specialist {
            send(tx, new, Class::Care, &Message::Certificate(known.to_bytes()))?;
        }
    }
    super::queue::catch_up(app, tx, new)
}

/// Tells a neighbour of all nodes that concern it: it may have forgotten them.
pub fn tell_again(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    neighbour: &NodeId,
) -> Result<(), AppError> {
    if !nation.neighbours().contains(neighbour) {
        return Ok(());
    }
    for known in nation.nodes() {
        if known.node != *neighbour && concerns(app, nation, neighbour, known) {
            send(tx, neighbour, Class::Care, &Message::Certificate(known.to_bytes()))?;
        }
    }
    Ok(())
}

fn concerns(app: &App, nation: &Nation, neighbour: &NodeId, certificate: &Certificate) -> bool {
    if nation.parent() == Some(*neighbour) {
        let own = app.place.node;
        let above = nation.parent_of(&certificate.node);
        return above.is_some_and(|above| nation.is_within(&above, &own));
    }
    certificate.tier == Tier::Specialist
        || nation.line_up(&app.place.node).contains(&certificate.node)
}

impl App {
    /// Takes in a certificate that a node showed when it knocked.
    pub fn introduced(self: &std::sync::Arc<Self>, bytes: &[u8]) -> Result<bool, AppError> {
        let Ok(certificate) = Certificate::from_bytes(bytes) else { return Ok(false) };
        if self.nation().is_revoked(&certificate.node) {
            return Ok(false);
        }
        self.meet(None, certificate)
    }

    /// [`App::introduced`], where whoever showed the certificate proved to hold a link key: it
    /// has to be the one of the certificate.
    pub fn introduced_by(
        self: &std::sync::Arc<Self>,
        link_key: &[u8; 32],
        bytes: &[u8],
    ) -> Result<bool, AppError> {
        match Certificate::from_bytes(bytes) {
            Ok(certificate) if certificate.link_key == *link_key => self.introduced(bytes),
            _ => Ok(false),
        }
    }

    /// Keeps a certificate, knows its node from then on, and takes in what waited for it.
    pub(super) fn meet(
        self: &std::sync::Arc<Self>,
        from: Option<NodeId>,
        certificate: Certificate,
    ) -> Result<bool, AppError> {
        let app = self.clone();
        let new = self.changing_nation(|| {
            self.transact(move |tx| take(&app, tx, from.as_ref(), &certificate))
        })?;
        if new {
            self.take_what_waited()?;
        }
        Ok(new)
    }
}
