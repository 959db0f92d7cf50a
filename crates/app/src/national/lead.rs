//! A chart that was found goes to who asks for it: the node at the top says so to those on the way,
//! each of which treats and holds the chart or gets it, and hands it on to the next.

use std::sync::Arc;

use ondol_kernel::{Class, NodeId, ResourceId};
use ondol_record::{Entry, certificate::Tier};
use ondol_replicate::{
    message::Message,
    national::{Index, Token},
};
use ondol_store::{Space, View, WriteTx};

use super::{
    key::{self, Key},
    rows,
    tell::{concerned, note_chart},
};
use crate::{App, AppError, Nation, people::one_person, road};

/// Charts that wait for their way, at most, that a tick looks at.
const WAITING_AT_ONCE: usize = 100;

/// From where to where a chart goes.
pub struct Way<'a> {
    pub nation: &'a Nation,
    pub epoch: u64,
    pub token: &'a Token,
}

/// What is said to a node on the way.
pub struct Said {
    /// That a chart goes somewhere.
    pub lead: Index,
    /// The certificate of where it goes, if the node may not know it.
    pub certificate: Option<Vec<u8>>,
}

impl Way<'_> {
    /// What the node at the top says so that a chart of `holder` goes to `asker`: where the two hang
    /// below one node that treats, to that one; else to the one above each, the chart passing
    /// between them sealed. Nothing if one of them is not known.
    pub fn messages(&self, asker: &NodeId, holder: &NodeId) -> Vec<(NodeId, Said)> {
        let first = |to: &NodeId| {
            let way = self.nation.way_to(to);
            way.first().copied().filter(|next| self.nation.tier(next).is_some_and(Tier::treats))
        };
        let (Some(here), Some(there)) = (first(asker), first(holder)) else { return vec![] };
        let lead = |to| Index::Lead { to, epoch: self.epoch, token: *self.token };
        let mut said = vec![(here, Said { lead: lead(*asker), certificate: None })];
        if here != there {
            let known = self.nation.node(&here);
            let certificate = known.map(|known| known.certificate.to_bytes());
            said.push((there, Said { lead: lead(here), certificate }));
        }
        said
    }
}

/// The node above says that a chart goes towards a node. False if that node treats nobody.
pub fn lead(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    (epoch, token, to): (u64, &Token, &NodeId),
) -> Result<bool, AppError> {
    if nation.tier(to).is_some_and(|tier| !tier.treats()) {
        return Ok(false);
    }
    let is_now = key::current(app, tx)?.is_some_and(|key| key.epoch == epoch);
    if is_now && *to != app.place.node {
        tx.set_value(Space::Index, &rows::lead(epoch, token, &to.0), Some(&[0]))?;
        go_on(app, tx, nation, (epoch, token, to))?;
    }
    Ok(true)
}

/// Does what can be done now: says it to the next node on the way, and grants it the chart if it is
/// here. What cannot be done waits.
fn go_on(
    app: &App,
    tx: &mut dyn WriteTx,
    nation: &Nation,
    (epoch, token, to): (u64, &Token, &NodeId),
) -> Result<(), AppError> {
    let at = rows::lead(epoch, token, &to.0);
    let Some(told) = tx.value(Space::Index, &at)? else { return Ok(()) };
    let Some(next) = nation.way_to(to).first().copied() else { return Ok(()) };
    if told != [1] {
        let is_behind_above = nation.parent() == Some(next);
        if next != *to && !is_behind_above {
            let index = Index::Lead { to: *to, epoch, token: *token };
            road::send(tx, &next, Class::Care, &Message::Index(index))?;
        }
        tx.set_value(Space::Index, &at, Some(&[1]))?;
    }
    let Some(id) = chart_of(&*tx, epoch, *token)? else { return Ok(()) };
    for chart in one_person(&*tx, &id)?.charts() {
        road::lead_to(app, tx, &chart, to, Class::Care)?;
    }
    Ok(tx.set_value(Space::Index, &at, None)?)
}

/// The chart of a token, if it is here.
pub fn chart_of(
    view: &(impl View + ?Sized),
    epoch: u64,
    token: Token,
) -> Result<Option<ResourceId>, AppError> {
    let Some(id) = view.value(Space::Index, &rows::chart(epoch, &token))? else { return Ok(None) };
    let id = std::str::from_utf8(&id).ok().and_then(|id| ResourceId::new(id).ok());
    id.map(Some).ok_or(AppError::Unexpected("a chart in the index of persons"))
}

/// An entry came from elsewhere: if it is of a person, their token is known from now on, and who
/// waits for the chart gets it.
pub(crate) fn came(app: &App, tx: &mut dyn WriteTx, entry: &Entry) -> Result<(), AppError> {
    let (Some(id), false) = (concerned(entry), app.practice) else { return Ok(()) };
    let Some(key) = key::current(app, tx)? else { return Ok(()) };
    let nation = app.nation();
    if nation.parent().is_none() {
        return Ok(());
    }
    let token = note_chart(tx, &key, id)?;
    for (at, _) in tx.values(Space::Index, &rows::lead(key.epoch, &token, &[]), None, usize::MAX)? {
        let to = NodeId(rows::end(&at)?);
        go_on(app, tx, &nation, (key.epoch, &token, &to))?;
    }
    Ok(())
}

impl App {
    /// Tries again to lead charts whose way was not known, or that were not here.
    pub(super) fn lead_what_waits(self: &Arc<Self>, key: &Key) -> Result<(), AppError> {
        let epoch = key.epoch;
        let prefix = rows::lead(epoch, &[], &[]);
        let ready: Vec<(Token, NodeId)> = {
            let (view, nation) = (self.view()?, self.nation());
            let mut ready = vec![];
            for (at, told) in view.values(Space::Index, &prefix, None, WAITING_AT_ONCE)? {
                let ends: [u8; 24] = rows::end(&at)?;
                let (token, to) = ends.split_at(8);
                let (Ok(token), Ok(to)) = (token.try_into(), to.try_into()) else { continue };
                let to = NodeId(to);
                let way = !nation.way_to(&to).is_empty();
                if way && (told != [1] || chart_of(&*view, epoch, token)?.is_some()) {
                    ready.push((token, to));
                }
            }
            ready
        };
        if ready.is_empty() {
            return Ok(());
        }
        let app = self.clone();
        self.transact(move |tx| {
            let nation = app.nation();
            let mut ready = ready.iter();
            ready.try_for_each(|(token, to)| go_on(&app, tx, &nation, (epoch, token, to)))
        })
    }
}
