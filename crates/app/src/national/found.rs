//! What the index found for a chart of this facility: shown on the chart and in the work list, asked
//! for with one touch, and looked at side by side when it has come.
//!
//! A row (its key names both tokens) is a state (0 found, 1 asked for, 2 no such person, 3 asked for
//! too often) and since when (ms, 8, big-endian).

use std::sync::Arc;

use ondol_access::Action;
use ondol_kernel::{Class, Millis, ResourceId, bytes};
use ondol_record::ChartId;
use ondol_replicate::{
    message::Message,
    national::{Answer, Index, Token},
};
use ondol_store::{Reading, Space, View, WriteTx};

use super::{
    key::{self, Key},
    lead::chart_of,
    rows, tell,
};
use crate::{
    Actor, App, AppError,
    people::{Person, person_of},
    road,
};

const FOUND: u8 = 0;
const ASKED: u8 = 1;
const NOBODY: u8 = 2;
const TOO_OFTEN: u8 = 3;

/// So many a page shows at most, and looks through for them.
pub const SHOWN_MAX: usize = 20;
const LOOKED_THROUGH_MAX: usize = 1_000;

/// How far a chart that was found has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Where {
    /// Nobody asked for it.
    NotAsked,
    /// It was asked for then.
    Asked(Millis),
    /// It was asked for, and this facility asked too much then.
    TooOften,
    /// It is here; whether the two can be looked at side by side already, or the person has to be
    /// received first.
    Here {
        /// Whether the reader may open it.
        is_open: bool,
    },
}

/// Somebody elsewhere who perhaps is the same person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// By which the chart is asked for: 16 hexadecimal digits. It tells nothing of it.
    pub token: String,
    /// Where it is.
    pub place: Where,
}

/// A question about a chart that is not answered yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// It is on its way.
    Open,
    /// This facility asked too much; the answer comes later.
    PutOff,
}

/// What the index says about a chart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Elsewheres {
    /// The question, if it is not answered.
    pub question: Option<Question>,
    /// Those who were found.
    pub found: Vec<Elsewhere>,
}

/// A line of the work list. It has no `Debug`: it names somebody.
#[derive(Clone)]
pub struct InList {
    /// Who is registered here.
    pub person: Person,
    /// What was found.
    pub found: Elsewhere,
}

/// An answer came: it is noted for the chart. Whom this facility does not know is passed over.
pub fn note(app: &App, tx: &mut dyn WriteTx, index: &Index) -> Result<(), AppError> {
    let Index::Found { epoch, answer, token, others, .. } = index else { return Ok(()) };
    let is_now = key::current(app, tx)?.is_some_and(|key| key.epoch == *epoch);
    if !is_now || chart_of(&*tx, *epoch, *token)?.is_none() {
        return Ok(());
    }
    let question = rows::question(*epoch, token);
    match answer {
        Answer::Asked => tx.set_value(Space::Index, &question, None)?,
        Answer::Later if others.is_empty() => {
            let put_off = [&[1][..], &app.now().0.to_be_bytes()].concat();
            tx.set_value(Space::Index, &question, Some(&put_off))?;
        }
        Answer::Later | Answer::News => {}
    }
    for other in others {
        let at = rows::found(*epoch, token, other);
        match (answer, tx.value(Space::Index, &at)?) {
            (Answer::Later, Some(_)) => set(app, tx, &at, TOO_OFTEN)?,
            // What was answered already stays answered.
            (Answer::Later, None) | (_, Some(_)) => {}
            (_, None) => set(app, tx, &at, FOUND)?,
        }
    }
    Ok(())
}

fn set(app: &App, tx: &mut dyn WriteTx, at: &[u8], state: u8) -> Result<(), AppError> {
    let value = [&[state][..], &app.now().0.to_be_bytes()].concat();
    Ok(tx.set_value(Space::Index, at, Some(&value))?)
}

fn read(value: &[u8]) -> Result<(u8, Millis), AppError> {
    let damaged = AppError::Unexpected("what the index of persons found");
    let Some((state, since)) = value.split_first() else { return Err(damaged) };
    let since = since.try_into().map_err(|_| damaged)?;
    Ok((*state, Millis(i64::from_be_bytes(since))))
}

impl App {
    /// What the index says about a chart, for somebody who may put charts together; nothing for
    /// others. It names nobody.
    pub fn elsewhere(&self, actor: &Actor, id: &ResourceId) -> Result<Elsewheres, AppError> {
        let view = self.view()?;
        let chart = ChartId::Patient(id.clone());
        let Some(key) = self.index_key(&*view)? else { return Ok(Elsewheres::default()) };
        if !self.merge_is_possible(&*view, actor, &chart)? {
            return Ok(Elsewheres::default());
        }
        let token = key.token(id);
        let question = view.value(Space::Index, &rows::question(key.epoch, &token))?;
        let question = question.map(|value| match value.first() {
            Some(1) => Question::PutOff,
            _ => Question::Open,
        });
        let mut found = vec![];
        let prefix = rows::found(key.epoch, &token, &[]);
        for (at, value) in view.values(Space::Index, &prefix, None, SHOWN_MAX)? {
            found.extend(self.one_elsewhere(&*view, actor, (&key, id), (&at, &value))?);
        }
        Ok(Elsewheres { question, found })
    }

    fn index_key(&self, view: &dyn View) -> Result<Option<Key>, AppError> {
        if self.practice || self.nation().parent().is_none() {
            return Ok(None);
        }
        key::current(self, view)
    }

    /// One that was found, if it is a question still.
    fn one_elsewhere(
        &self,
        view: &dyn View,
        actor: &Actor,
        (key, id): (&Key, &ResourceId),
        (at, value): (&[u8], &[u8]),
    ) -> Result<Option<Elsewhere>, AppError> {
        let other: Token = rows::end(at)?;
        let (state, since) = read(value)?;
        if state == NOBODY {
            return Ok(None);
        }
        let token = bytes::to_hex(&other);
        let Some(other) = chart_of(view, key.epoch, other)? else {
            let place = match state {
                ASKED => Where::Asked(since),
                TOO_OFTEN => Where::TooOften,
                _ => Where::NotAsked,
            };
            return Ok(Some(Elsewhere { token, place }));
        };
        let (one, two) = match (person_of(view, id), person_of(view, &other)) {
            (Ok(one), Ok(two)) => (one, two),
            (Err(AppError::NotFound | AppError::Gone), _)
            | (_, Err(AppError::NotFound | AppError::Gone)) => return Ok(None),
            (Err(why), _) | (_, Err(why)) => return Err(why),
        };
        if self.is_settled(view, &one, &two)? {
            return Ok(None);
        }
        let is_open = self.merge_is_possible(view, actor, &ChartId::Patient(other))?;
        Ok(Some(Elsewhere { token, place: Where::Here { is_open } }))
    }

    /// Charts of this facility for which somebody was found elsewhere, as far as the actor may see
    /// them, and whether there are more. Pairs that are in the other list are left out. Whoever is
    /// named was read, and that is recorded.
    pub fn elsewhere_list(&self, actor: &Actor) -> Result<(Vec<InList>, bool), AppError> {
        let (mut list, readings) = {
            let view = self.view()?;
            self.in_list(&*view, actor, SHOWN_MAX + 1)?
        };
        let more = list.len() > SHOWN_MAX;
        list.truncate(SHOWN_MAX);
        self.write_down(readings.into_iter().take(SHOWN_MAX).collect())?;
        Ok((list, more))
    }

    /// How many lines that list has, at most [`SHOWN_MAX`]. It names nobody.
    pub fn elsewhere_count(&self, actor: &Actor) -> Result<usize, AppError> {
        let view = self.view()?;
        Ok(self.in_list(&*view, actor, SHOWN_MAX)?.0.len())
    }

    fn in_list(
        &self,
        view: &dyn View,
        actor: &Actor,
        most: usize,
    ) -> Result<(Vec<InList>, Vec<Reading>), AppError> {
        let (mut list, mut readings) = (vec![], vec![]);
        let Some(key) = self.index_key(view)? else { return Ok((list, readings)) };
        let prefix = rows::found(key.epoch, &[], &[]);
        for (at, value) in view.values(Space::Index, &prefix, None, LOOKED_THROUGH_MAX)? {
            let ends: [u8; 16] = rows::end(&at)?;
            let token = ends.first_chunk().ok_or(AppError::Unexpected("a token"))?;
            let Some(id) = chart_of(view, key.epoch, *token)? else { continue };
            if !self.merge_is_possible(view, actor, &ChartId::Patient(id.clone()))? {
                continue;
            }
            let Some(found) = self.one_elsewhere(view, actor, (&key, &id), (&at, &value))? else {
                continue;
            };
            let person = person_of(view, &id)?;
            if found.place == (Where::Here { is_open: true })
                && let Some(other) = chart_of(view, key.epoch, rows::end(&at)?)?
                && self.stands(view, &person, &person_of(view, &other)?)?.is_some()
            {
                continue;
            }
            readings.extend(self.other_reading(view, actor, Action::SearchPerson, &id)?);
            list.push(InList { person, found });
            if list.len() == most {
                break;
            }
        }
        Ok((list, readings))
    }

    /// Asks for a chart that was found: it comes by the road, and that somebody asked is recorded.
    pub fn ask_for_chart(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        token: &str,
    ) -> Result<(), AppError> {
        let (app, actor, id) = (self.clone(), actor.clone(), id.clone());
        let other = token_of(token)?;
        self.transact(move |tx| {
            let (key, at) = app.row_for(&*tx, &actor, &id, other)?;
            let parent = app.nation().parent().ok_or(AppError::NotFound)?;
            set(&app, tx, &at, ASKED)?;
            let (epoch, token) = (key.epoch, key.token(&id));
            let index = Index::Want { from: None, epoch, token, other };
            road::send(tx, &parent, Class::Care, &Message::Index(index))?;
            tell::record(&app, tx, &actor, &id)
        })
    }

    /// Says that somebody who was found is another person. Nobody is asked again.
    pub fn is_not_elsewhere(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        token: &str,
    ) -> Result<(), AppError> {
        let (app, actor, id) = (self.clone(), actor.clone(), id.clone());
        let other = token_of(token)?;
        self.transact(move |tx| {
            let (_, at) = app.row_for(&*tx, &actor, &id, other)?;
            set(&app, tx, &at, NOBODY)
        })
    }

    /// The chart that was found, when it has come: received, if the actor has no relation to it, since
    /// the person is here.
    pub fn chart_from_elsewhere(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        token: &str,
    ) -> Result<ResourceId, AppError> {
        let other = token_of(token)?;
        let (other, is_open) = {
            let view = self.view()?;
            let (key, _) = self.row_for(&*view, actor, id, other)?;
            let other = chart_of(&*view, key.epoch, other)?.ok_or(AppError::NotFound)?;
            let chart = ChartId::Patient(other.clone());
            let is_open = self.merge_is_possible(&*view, actor, &chart)?;
            (other, is_open)
        };
        if !is_open {
            self.receive(actor, &other)?;
        }
        Ok(other)
    }

    /// The key, and where what was found for a chart stands, for somebody who may decide about it.
    fn row_for(
        &self,
        view: &dyn View,
        actor: &Actor,
        id: &ResourceId,
        other: Token,
    ) -> Result<(Key, Vec<u8>), AppError> {
        let chart = ChartId::Patient(id.clone());
        if !self.merge_is_possible(view, actor, &chart)? {
            self.may(view, actor, Action::MergePersons, &chart, None)?;
        }
        let key = self.index_key(view)?.ok_or(AppError::NotFound)?;
        let at = rows::found(key.epoch, &key.token(id), &other);
        view.value(Space::Index, &at)?.ok_or(AppError::NotFound)?;
        Ok((key, at))
    }
}

fn token_of(hex: &str) -> Result<Token, AppError> {
    let mut token = Token::default();
    if bytes::hex_to(hex, &mut token) { Ok(token) } else { Err(AppError::NotFound) }
}
