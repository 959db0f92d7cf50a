//! The nation's index of persons: whether somebody is registered elsewhere already (ADR 0027).
//!
//! A facility tells the node that has none above it of whom it registered: a token for the chart, and
//! digests of what was typed, keyed so that they tell no name. That node finds equal digests and tells
//! both facilities each other's tokens. A hit is never more than 'perhaps the same person': whoever is at
//! the desk asks for the chart, which comes through the tree, and looks at both side by side.

mod found;
mod keep;
mod key;
mod lead;
mod meter;
mod rows;
mod tell;

pub use found::{Elsewhere, Elsewheres, InList, Question, Where};
pub(crate) use key::another as another_key;
pub(crate) use lead::came;
pub use meter::{BURST, PER_MINUTE, Use};
pub(crate) use tell::ask_now;

use std::sync::Arc;

use ondol_kernel::{Class, NodeId};
use ondol_replicate::{message::Message, national::Index};
use ondol_store::WriteTx;

use crate::{App, AppError, Nation, road};

/// In the audit of a facility: the reason of a reading by which the index was asked.
pub const ASKED_INDEX: &str = "national-index";

impl App {
    /// Tells what is new of whom this facility registered, a little at a time; at the node that has
    /// none above it, answers what could not be answered at once.
    pub fn national_tick(self: &Arc<Self>) -> Result<(), AppError> {
        if self.practice {
            return Ok(());
        }
        if self.nation().parent().is_none() {
            self.announce_key()?;
            return self.answer_what_is_owed();
        }
        let Some(key) = key::current(self, &*self.view()?)? else { return self.want_key() };
        self.tell_what_is_new(&key)?;
        self.lead_what_waits(&key)?;
        self.forget_epochs_before(&key)
    }
}

/// Takes in what a neighbour says about the index; false if it may not say that.
pub(crate) fn arrived(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    (peer, class): (&NodeId, Class),
    index: &Index,
) -> Result<bool, AppError> {
    if app.practice {
        return Ok(false);
    }
    let is_below = nation.parent_of(peer) == Some(app.place.node);
    let is_above = nation.parent() == Some(*peer);
    match index {
        Index::KeyWanted if is_below => key::wanted(app, tx, peer).map(|()| true),
        Index::Key { epoch, sealed } if is_above => {
            key::take(app, tx, nation, (peer, *epoch, sealed))
        }
        Index::Tell { from, .. } | Index::Want { from, .. } if is_below => {
            let from = from.unwrap_or(*peer);
            // Who is not known yet is believed to be where the neighbour says: certificates may
            // come later than what their nodes say.
            let is_there = nation.node(&from).is_none() || nation.is_within(&from, peer);
            if is_there {
                up(app, tx, nation, (&from, class), index)?;
            }
            Ok(is_there)
        }
        Index::Found { to, .. } if is_above => {
            let to = to.unwrap_or(app.place.node);
            if to == app.place.node {
                found::note(app, tx, index)?;
            } else {
                down(tx, nation, (&to, class), index.clone())?;
            }
            Ok(true)
        }
        Index::Lead { to, epoch, token } if is_above => {
            lead::lead(app, tx, nation, (*epoch, token, to))
        }
        _ => Ok(false),
    }
}

/// Hands on what somebody below asks, or answers it.
fn up(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    (from, class): (&NodeId, Class),
    index: &Index,
) -> Result<(), AppError> {
    if let Some(parent) = nation.parent() {
        let mut index = index.clone();
        if let Index::Tell { from: of, .. } | Index::Want { from: of, .. } = &mut index {
            *of = Some(*from);
        }
        return road::send(tx, &parent, class, &Message::Index(index)).map(drop);
    }
    match index {
        Index::Tell { epoch, asks, persons, .. } => {
            let asker = keep::Asker { app, nation, from, class, epoch: *epoch };
            asker.told(tx, *asks, persons)
        }
        Index::Want { epoch, token, other, .. } => {
            let asker = keep::Asker { app, nation, from, class, epoch: *epoch };
            asker.wants(tx, *token, *other)
        }
        _ => Ok(()),
    }
}

/// Sends an answer one step down.
fn down(
    tx: &mut dyn WriteTx,
    nation: &Nation,
    (to, class): (&NodeId, Class),
    mut index: Index,
) -> Result<(), AppError> {
    // A node that is not known any more, or not below here, gets nothing.
    let way = nation.way_to(to);
    let Some(next) = way.first().filter(|next| nation.parent() != Some(**next)) else {
        return Ok(());
    };
    if let Index::Found { to: node, .. } = &mut index {
        *node = (next != to).then_some(*to);
    }
    road::send(tx, next, class, &Message::Index(index)).map(drop)
}
