//! The node at the top keeps the index: who has which digest, and who told of it. There is no
//! question but for what a facility registered itself, none with a part of a digest, and none for
//! all.

use std::sync::Arc;

use ondol_kernel::{Class, NodeId};
use ondol_replicate::{
    message::Message,
    national::{Answer, Digest, Index, OTHERS_MAX, Person, Token},
};
use ondol_store::{KeyValue, Space, View, WriteTx};

use super::{
    down, key, lead,
    meter::{may_ask, may_be_told},
    rows::{self, Row},
};
use crate::{App, AppError, Nation, road};

/// So many answers that are owed are looked at in a tick.
const OWED_AT_ONCE: usize = 200;

/// Who says something about the index.
pub struct Asker<'a> {
    pub app: &'a App,
    pub nation: &'a Nation,
    /// The node.
    pub from: &'a NodeId,
    /// The class in which it asked, and is answered.
    pub class: Class,
    /// The epoch of its key.
    pub epoch: u64,
}

/// Keeps a person's row; the digests that are new of it, `None` if a later row is here.
fn store(
    tx: &mut dyn WriteTx,
    epoch: u64,
    teller: &NodeId,
    person: &Person,
) -> Result<Option<Vec<Digest>>, AppError> {
    let Person { token, stamp, digests } = person;
    let before = Row::read(tx, epoch, *token)?;
    if before.as_ref().is_some_and(|before| before.stamp > *stamp) {
        return Ok(None);
    }
    let before = before.map_or_else(Vec::new, |before| before.digests);
    for digest in before.iter().filter(|digest| !digests.contains(digest)) {
        tx.set_value(Space::Index, &rows::digest(epoch, digest, token), None)?;
    }
    let new: Vec<Digest> =
        digests.iter().filter(|digest| !before.contains(digest)).copied().collect();
    for digest in &new {
        tx.set_value(Space::Index, &rows::digest(epoch, digest, token), Some(&[]))?;
    }
    // Who is taken out stays as a row without digests, so that what was told before and comes late
    // does not bring them back.
    let row = Row { teller: *teller, stamp: *stamp, digests: digests.clone() };
    row.put(tx, epoch, *token)?;
    Ok(Some(new))
}

/// Somebody else who has a digest.
struct Hit {
    token: Token,
    teller: NodeId,
    /// By a digest that is new of the one who was asked about.
    is_new: bool,
}

fn hits(
    view: &(impl View + ?Sized),
    epoch: u64,
    person: &Person,
    new: &[Digest],
) -> Result<Vec<Hit>, AppError> {
    let mut hits: Vec<Hit> = vec![];
    for digest in &person.digests {
        let prefix = rows::digest(epoch, digest, &[]);
        let found = view.values(Space::Index, &prefix, None, OTHERS_MAX + 2)?;
        if found.len() > OTHERS_MAX + 1 {
            // What so many have in common is a slip or a stand-in, and names nobody.
            continue;
        }
        for (at, _) in found {
            let token: Token = rows::end(&at)?;
            if token == person.token {
                continue;
            }
            let is_new = new.contains(digest);
            if let Some(known) = hits.iter_mut().find(|hit| hit.token == token) {
                known.is_new |= is_new;
            } else if let Some(row) = Row::read(view, epoch, token)? {
                hits.push(Hit { token, teller: row.teller, is_new });
            }
        }
    }
    Ok(hits)
}

impl Asker<'_> {
    fn is_of_now(&self, view: &(impl View + ?Sized)) -> Result<bool, AppError> {
        // Who has an older key gets the new one, and tells again.
        Ok(key::current(self.app, view)?.is_some_and(|key| key.epoch == self.epoch))
    }

    /// A facility tells of people, and perhaps waits for an answer.
    pub fn told(
        &self,
        tx: &mut dyn WriteTx,
        asks: bool,
        persons: &[Person],
    ) -> Result<(), AppError> {
        if !self.is_of_now(tx)? {
            return Ok(());
        }
        for person in persons {
            let (person, new) = match store(tx, self.epoch, self.from, person)? {
                Some(new) => (person.clone(), new),
                // What was told later came first: the question is about that.
                None => match Row::read(tx, self.epoch, person.token)? {
                    Some(Row { stamp, digests, .. }) => {
                        (Person { token: person.token, stamp, digests }, vec![])
                    }
                    None => continue,
                },
            };
            if !asks && new.is_empty() {
                continue;
            }
            let now = self.app.now();
            let may =
                if asks { may_ask(tx, self.from, now)? } else { may_be_told(tx, self.from, now)? };
            if may {
                self.answer(tx, if asks { Answer::Asked } else { Answer::News }, &person, &new)?;
                continue;
            }
            let owed = rows::owed(self.epoch, &self.from.0, &person.token);
            tx.set_value(Space::Index, &owed, Some(&[u8::from(asks)]))?;
            if asks {
                self.send(tx, (self.from, self.class), Answer::Later, person.token, vec![])?;
            }
        }
        Ok(())
    }

    /// Tells both sides of who perhaps is one person. Of people of the asker itself nothing is told:
    /// it has both charts.
    fn answer(
        &self,
        tx: &mut dyn WriteTx,
        answer: Answer,
        person: &Person,
        new: &[Digest],
    ) -> Result<(), AppError> {
        let mut hits = hits(tx, self.epoch, person, new)?;
        hits.retain(|hit| hit.teller != *self.from);
        hits.truncate(OTHERS_MAX);
        for hit in hits.iter().filter(|hit| hit.is_new) {
            let to = (&hit.teller, Class::Routine);
            self.send(tx, to, Answer::News, hit.token, vec![person.token])?;
        }
        if answer == Answer::Asked || !hits.is_empty() {
            let others = hits.iter().map(|hit| hit.token).collect();
            self.send(tx, (self.from, self.class), answer, person.token, others)?;
        }
        Ok(())
    }

    fn send(
        &self,
        tx: &mut dyn WriteTx,
        to: (&NodeId, Class),
        answer: Answer,
        token: Token,
        others: Vec<Token>,
    ) -> Result<(), AppError> {
        let found = Index::Found { to: None, epoch: self.epoch, answer, token, others };
        down(tx, self.nation, to, found)
    }

    /// A facility asks for a chart that was found: it is led there if the two still have something
    /// in common, and the asker told of its own.
    pub fn wants(&self, tx: &mut dyn WriteTx, token: Token, other: Token) -> Result<(), AppError> {
        if !self.is_of_now(tx)? {
            return Ok(());
        }
        if !may_ask(tx, self.from, self.app.now())? {
            let to = (self.from, self.class);
            return self.send(tx, to, Answer::Later, token, vec![other]);
        }
        let own = Row::read(tx, self.epoch, token)?.filter(|row| row.teller == *self.from);
        let (Some(own), Some(row)) = (own, Row::read(tx, self.epoch, other)?) else {
            return Ok(());
        };
        if !own.digests.iter().any(|digest| row.digests.contains(digest)) {
            return Ok(());
        }
        let way = lead::Way { nation: self.nation, epoch: self.epoch, token: &other };
        for (to, said) in way.messages(self.from, &row.teller) {
            if let Some(certificate) = said.certificate {
                road::send(tx, &to, Class::Care, &Message::Certificate(certificate))?;
            }
            road::send(tx, &to, Class::Care, &Message::Index(said.lead))?;
        }
        Ok(())
    }
}

impl App {
    /// Answers about people who were told of in bulk, and questions that were put off.
    pub(super) fn answer_what_is_owed(self: &Arc<Self>) -> Result<(), AppError> {
        let owed = {
            let view = self.view()?;
            let Some(key) = key::current(self, &*view)? else { return Ok(()) };
            let prefix = rows::owed(key.epoch, &[], &[]);
            let mut owed = view.values(Space::Index, &prefix, None, OWED_AT_ONCE)?;
            if owed.len() == OWED_AT_ONCE {
                owed = owed_to_each(&*view, key.epoch)?;
            }
            owed.into_iter().map(|(at, asks)| (key.epoch, at, asks)).collect::<Vec<_>>()
        };
        if owed.is_empty() {
            return Ok(());
        }
        let app = self.clone();
        self.transact(move |tx| {
            let nation = app.nation();
            for (epoch, at, asks) in &owed {
                let ends: [u8; 24] = rows::end(at)?;
                let (node, token) = (NodeId(parted(&ends, 0)), parted::<8>(&ends, 16));
                if !may_be_told(tx, &node, app.now())? {
                    continue;
                }
                tx.set_value(Space::Index, at, None)?;
                let Some(row) = Row::read(tx, *epoch, token)? else { continue };
                let person = Person { token, stamp: row.stamp, digests: row.digests };
                let asks = asks.first() == Some(&1);
                let (answer, class) = if asks {
                    (Answer::Asked, Class::Care)
                } else {
                    (Answer::News, Class::Routine)
                };
                let asker = Asker { app: &app, nation: &nation, from: &node, class, epoch: *epoch };
                asker.answer(tx, answer, &person, &person.digests)?;
            }
            Ok(())
        })
    }
}

/// The first answers owed to each node, so that one that is owed much keeps no other waiting.
fn owed_to_each(view: &dyn View, epoch: u64) -> Result<Vec<KeyValue>, AppError> {
    let mut all = vec![];
    for (key, _) in view.values(Space::Index, rows::USED, None, usize::MAX)? {
        let node: [u8; 16] = rows::end(&key)?;
        let prefix = rows::owed(epoch, &node, &[]);
        all.extend(view.values(Space::Index, &prefix, None, OWED_AT_ONCE / 10)?);
    }
    Ok(all)
}

fn parted<const N: usize>(ends: &[u8; 24], from: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&ends[from..from + N]);
    part
}
