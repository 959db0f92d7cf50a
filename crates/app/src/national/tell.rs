//! A facility tells of whom it registered: at once when somebody is at the desk, else as the record
//! grows, many in a message.

use std::{collections::BTreeSet, sync::Arc};

use ondol_access::{Action, Coded};
use ondol_identity::national::Known;
use ondol_kernel::{Class, DAY_MS, NodeId, ResourceId};
use ondol_record::{ChartId, Entry};
use ondol_replicate::{
    message::Message,
    national::{Index, PERSONS_MAX, Person as Told, Token},
};
use ondol_store::{Reading, Space, View, WriteTx};

use super::{
    ASKED_INDEX,
    key::{self, Key},
    lead::chart_of,
    rows,
};
use crate::{
    Actor, App, AppError, coding,
    people::{Birth, Person, Sex, document, nobody, plain},
    road,
};

/// Entries that are looked through in one commit.
const STEP: usize = 200;

/// For so long a tick tells at most, ms: care goes first.
const TICK_MS: u64 = 100;

/// More people than this at once are an import, which lets everything else go first.
const ROUTINE_MAX: usize = 8;

/// Open questions that a tick looks at.
const OPEN_AT_ONCE: usize = 50;

/// Names and texts are told of by their beginning, characters.
const TEXT_MAX: usize = 200;

/// What a chart's index entry is told from.
struct About {
    token: Token,
    told: Told,
    /// A word for the digests: what is told already is not told again.
    word: [u8; 8],
}

/// What is to be told of a chart now; `None` if nothing of it is here.
fn about(view: &dyn View, key: &Key, id: &ResourceId) -> Result<Option<About>, AppError> {
    let Some(found) = view.resource("Patient", id)? else { return Ok(None) };
    let token = key.token(id);
    let digests = if found.is_retracted() {
        vec![]
    } else {
        let person = Person::read(id, &document(&found)?, false);
        // Nobody is registered again who has died; taken back, it is told again.
        if person.died { vec![] } else { key.digests(&known(&person)) }
    };
    let stamp = u64::try_from(found.shown.hlc.millis().0).unwrap_or(0);
    let mut hash = blake3::Hasher::new();
    for digest in &digests {
        hash.update(digest);
    }
    let mut word = [0; 8];
    hash.finalize_xof().fill(&mut word);
    Ok(Some(About { token, told: Told { token, stamp, digests }, word }))
}

fn known(person: &Person) -> Known {
    let text = |text: &str| text.chars().take(TEXT_MAX).collect::<String>();
    let names = std::iter::once(&person.name).chain(&person.other_names);
    let numbers = person.numbers.iter().map(|number| {
        // A card of another facility is typed as a number on a paper.
        let on_paper = [coding::PAPER_NUMBER, coding::PROVISIONAL_NUMBER];
        let system = if on_paper.contains(&&*number.system) { "" } else { &*number.system };
        (text(system), text(&plain(&number.value)))
    });
    Known {
        names: names.filter(|name| !name.trim().is_empty()).map(|name| text(name)).collect(),
        sex: match person.sex {
            Some(Sex::Female) => "F".into(),
            Some(Sex::Male) => "M".into(),
            Some(Sex::Other | Sex::Unknown) | None => String::new(),
        },
        birth: match person.birth {
            Birth::Day(day) => day.to_string(),
            _ => String::new(),
        },
        mother: text(&person.mother),
        ri: text(&person.ri),
        numbers: numbers.collect(),
    }
}

/// Notes which chart a token is, so that it is known again when it is answered or asked for.
pub fn note_chart(tx: &mut dyn WriteTx, key: &Key, id: &ResourceId) -> Result<Token, AppError> {
    let token = key.token(id);
    let at = rows::chart(key.epoch, &token);
    if tx.value(Space::Index, &at)?.is_none() {
        tx.set_value(Space::Index, &at, Some(id.as_str().as_bytes()))?;
    }
    Ok(token)
}

/// What of a chart has not been told yet, noted as told; none if that is nothing.
fn news(tx: &mut dyn WriteTx, key: &Key, id: &ResourceId) -> Result<Option<Told>, AppError> {
    let Some(about) = about(&*tx, key, id)? else { return Ok(None) };
    let at = rows::told(key.epoch, &about.token);
    let before = tx.value(Space::Index, &at)?;
    let is_known = before.as_deref() == Some(&about.word[..]);
    if is_known || before.is_none() && about.told.digests.is_empty() {
        return Ok(None);
    }
    tx.set_value(Space::Index, &at, Some(&about.word))?;
    Ok(Some(about.told))
}

/// Somebody was registered by a person at the desk: the nation is asked whether they are known.
/// Nothing waits for it, and that it was asked is recorded.
pub(crate) fn ask_now(
    app: &App,
    tx: &mut dyn WriteTx,
    actor: &Actor,
    id: &ResourceId,
) -> Result<(), AppError> {
    let nation = app.nation();
    let (Some(parent), false) = (nation.parent(), app.practice) else { return Ok(()) };
    let Some(key) = key::current(app, tx)? else { return Ok(()) };
    let token = note_chart(tx, &key, id)?;
    let Some(told) = news(tx, &key, id)? else { return Ok(()) };
    ask(app, tx, &parent, &key, (token, told))?;
    record(app, tx, actor, id)
}

fn ask(
    app: &App,
    tx: &mut dyn WriteTx,
    parent: &NodeId,
    key: &Key,
    (token, told): (Token, Told),
) -> Result<(), AppError> {
    let open = [&[0][..], &app.now().0.to_be_bytes()].concat();
    tx.set_value(Space::Index, &rows::question(key.epoch, &token), Some(&open))?;
    let index = Index::Tell { from: None, epoch: key.epoch, asks: true, persons: vec![told] };
    road::send(tx, parent, Class::Care, &Message::Index(index)).map(drop)
}

/// Records in the audit that somebody asked the index about a person.
pub fn record(
    app: &App,
    tx: &mut dyn WriteTx,
    actor: &Actor,
    id: &ResourceId,
) -> Result<(), AppError> {
    let chart = ChartId::Patient(id.clone());
    let grounds = match app.may(&*tx, actor, Action::SearchPerson, &chart, None) {
        // Who registers somebody asks by that right, whatever else they may do in the chart.
        Err(AppError::Denied(_)) => {
            let anybody = ChartId::Patient(nobody()?);
            app.may(&*tx, actor, Action::RegisterPerson, &anybody, None)?
        }
        other => other?,
    };
    Ok(tx.record_reading(&Reading {
        at: app.now(),
        who: actor.reference().into(),
        role: grounds.role.code().into(),
        chart,
        action: Action::SearchPerson.code().into(),
        relation: grounds.relation.code().into(),
        reason: ASKED_INDEX.into(),
    })?)
}

/// The person whose Patient an entry changes.
pub fn concerned(entry: &Entry) -> Option<&ResourceId> {
    let ChartId::Patient(id) = &entry.chart else { return None };
    entry.changes.iter().any(|change| &*change.resource_type == "Patient").then_some(id)
}

impl App {
    /// Tells of who is new or changed since the last time. Cheap when nobody is.
    pub(super) fn tell_what_is_new(self: &Arc<Self>, key: &Key) -> Result<(), AppError> {
        let begun = self.clock.monotonic_ms();
        self.ask_again(key)?;
        loop {
            {
                let view = self.view()?;
                if rows::number(&*view, &rows::cursor(key.epoch))? >= view.last_arrival()? {
                    return Ok(());
                }
            }
            let (app, of) = (self.clone(), key.clone());
            self.transact(move |tx| tell_some(&app, tx, &of))?;
            if self.clock.monotonic_ms().saturating_sub(begun) > TICK_MS {
                return Ok(());
            }
        }
    }
}

impl App {
    /// Asks again what has not been answered for a day: a node on the way may have been put back from
    /// a backup, and with it what it was to hand on.
    fn ask_again(self: &Arc<Self>, key: &Key) -> Result<(), AppError> {
        let (now, epoch) = (self.now(), key.epoch);
        let late: Vec<Token> = {
            let view = self.view()?;
            let open =
                view.values(Space::Index, &rows::question(epoch, &[]), None, OPEN_AT_ONCE)?;
            let is_late = |value: &[u8]| {
                let since = value.split_first().and_then(|(_, at)| at.try_into().ok());
                since.is_none_or(|at| now.0.saturating_sub(i64::from_be_bytes(at)) > DAY_MS)
            };
            let late = open.iter().filter(|(_, value)| is_late(value));
            late.map(|(at, _)| rows::end(at)).collect::<Result<_, _>>()?
        };
        let Some(parent) = self.nation().parent().filter(|_| !late.is_empty()) else {
            return Ok(());
        };
        let (app, key) = (self.clone(), key.clone());
        self.transact(move |tx| {
            for token in late {
                let id = chart_of(&*tx, epoch, token)?;
                let about = id.map_or(Ok(None), |id| about(&*tx, &key, &id))?;
                match about {
                    Some(about) => ask(&app, tx, &parent, &key, (token, about.told))?,
                    None => tx.set_value(Space::Index, &rows::question(epoch, &token), None)?,
                }
            }
            Ok(())
        })
    }
}

fn tell_some(app: &App, tx: &mut dyn WriteTx, key: &Key) -> Result<(), AppError> {
    let nation = app.nation();
    let Some(parent) = nation.parent() else { return Ok(()) };
    let at = rows::cursor(key.epoch);
    let entries = tx.arrived_after(rows::number(tx, &at)?, STEP)?;
    let Some(last) = entries.last().map(|row| row.arrival) else { return Ok(()) };
    let (mut looked, mut persons) = (BTreeSet::new(), vec![]);
    for row in &entries {
        let Some(id) = concerned(&row.entry) else { continue };
        let token = note_chart(tx, key, id)?;
        // Whoever wrote who the person is tells of it, and of what others change in it later.
        let own = row.entry.address.stream.origin == app.place.node;
        let tells = own || tx.value(Space::Index, &rows::told(key.epoch, &token))?.is_some();
        if tells && looked.insert(id.clone()) {
            persons.extend(news(tx, key, id)?);
        }
    }
    let class = if persons.len() > ROUTINE_MAX { Class::Bulk } else { Class::Routine };
    for some in persons.chunks(PERSONS_MAX) {
        let persons = some.to_vec();
        let index = Index::Tell { from: None, epoch: key.epoch, asks: false, persons };
        road::send(tx, &parent, class, &Message::Index(index))?;
    }
    Ok(tx.set_value(Space::Index, &at, Some(&last.to_be_bytes()))?)
}
