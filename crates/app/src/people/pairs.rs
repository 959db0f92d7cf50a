//! Charts that are probably of one person: a work list.
//!
//! It is found as charts are written and arrive: every few seconds the people who are new or
//! changed are compared with those who are near to them, as `$match` and registration do it (ADR
//! 0015). What was found is kept beside the record and can be made again from it. A page then reads
//! a few pairs, and asks of each whether it still stands.

use std::{collections::BTreeSet, sync::Arc};

use ondol_access::Action;
use ondol_kernel::{DAY_MS, Millis, ResourceId};
use ondol_record::{ChartId, Entry};
use ondol_store::{Reading, Space, View, WriteTx};

use super::{
    alike::ASKED_FROM,
    described::described,
    link,
    one::one_person,
    person::{Person, Sex},
    person_of,
};
use crate::{Actor, App, AppError};

/// In [`Space::Worklist`]: up to which arrival people have been compared (u64, little endian).
const COMPARED: &[u8] = b"same/compared";
/// In [`Space::Worklist`]: `same/with/ONE/OTHER`, both ways round. A slash is in no id.
const WITH: &str = "same/with/";
/// In [`Space::Worklist`]: `same/later/ONE/OTHER`: until when nobody is asked (i64, ms).
const LATER: &str = "same/later/";

/// Entries that are looked through at once.
const STEP: usize = 200;

/// For so long a tick compares people at most, ms: care goes first.
const TICK_MS: u64 = 100;

/// Pairs that a page shows at most, and that it looks through for them.
pub const PAIRS_MAX: usize = 20;
const LOOKED_THROUGH_MAX: usize = 2_000;

/// Pairs that the first page looks at: it opens often.
const LOOKED_AT_FIRST_MAX: usize = 40;

/// 'Later' is for so long, ms. Our own choice: somebody who knows comes by within a week.
const LATER_MS: i64 = 7 * DAY_MS;

/// Two charts that are probably of one person. It has no `Debug`: it names people.
#[derive(Clone)]
pub struct Pair {
    /// The one, the older chart by id.
    pub one: Person,
    /// The other.
    pub two: Person,
    /// How likely it is, 0.5 to 1.
    pub probability: f64,
}

/// The work list.
#[derive(Clone, Default)]
pub struct Pairs {
    /// The likeliest first.
    pub pairs: Vec<Pair>,
    /// Whether there are more than are shown.
    pub more: bool,
}

impl App {
    /// Compares those who are new or changed since the last time. Cheap when nobody is.
    pub fn same_person_tick(self: &Arc<Self>) -> Result<(), AppError> {
        let begun = self.clock.monotonic_ms();
        loop {
            let rows = {
                let view = self.view()?;
                let from = compared(&*view)?;
                if from >= view.last_arrival()? {
                    return Ok(());
                }
                view.arrived_after(from, STEP)?
            };
            let (mut looked, mut to) = (BTreeSet::new(), None);
            let mut late = false;
            for row in &rows {
                if let Some(id) = concerned(&row.entry)
                    && looked.insert(id.clone())
                {
                    self.compare_one(id)?;
                    late = self.clock.monotonic_ms().saturating_sub(begun) > TICK_MS;
                }
                to = Some(row.arrival);
                if late {
                    break;
                }
            }
            let Some(to) = to else { return Ok(()) };
            self.compared_to(to)?;
            if late {
                return Ok(());
            }
        }
    }

    fn compared_to(&self, arrival: u64) -> Result<(), AppError> {
        ondol_store::transact(&*self.store, move |tx| -> Result<(), AppError> {
            Ok(tx.set_value(Space::Worklist, COMPARED, Some(&arrival.to_le_bytes()))?)
        })
    }

    /// Finds those who may be the same person as one, and keeps that.
    fn compare_one(&self, id: &ResourceId) -> Result<(), AppError> {
        let with: Vec<ResourceId> = {
            let view = self.view()?;
            match person_of(&*view, id) {
                Ok(person) if person.replaced_by().is_none() => {
                    let alike = self.alike(&*view, &person)?;
                    let mut with = vec![];
                    for other in alike.into_iter().filter(|one| one.probability >= ASKED_FROM) {
                        let other = person_of(&*view, &other.id)?;
                        if other.id != *id && self.stands(&*view, &person, &other)?.is_some() {
                            with.push(other.id);
                        }
                    }
                    with
                }
                Ok(_) | Err(AppError::NotFound | AppError::Gone) => vec![],
                Err(other) => return Err(other),
            }
        };
        let id = id.clone();
        ondol_store::transact(&*self.store, move |tx| -> Result<(), AppError> {
            let known = pairs_of(&*tx, &id)?;
            for other in known.iter().filter(|other| !with.contains(other)) {
                set_pair(tx, &id, other, None)?;
            }
            for other in with.iter().filter(|other| !known.contains(other)) {
                set_pair(tx, &id, other, Some(&[]))?;
            }
            Ok(())
        })
    }

    /// The pairs of charts that are probably of one person and that the actor may put together.
    /// Whoever is named was read, and that is recorded; nobody is named whom the actor may not
    /// see.
    pub fn possible_pairs(&self, actor: &Actor) -> Result<Pairs, AppError> {
        let (mut pairs, readings) = {
            let view = self.view()?;
            let (mut pairs, mut readings) = (vec![], vec![]);
            for (one, two) in all_pairs(&*view, LOOKED_THROUGH_MAX)? {
                if let Some((pair, both)) = self.pair_for(&*view, actor, &one, &two)? {
                    pairs.push(pair);
                    readings.push(both);
                }
                if pairs.len() > PAIRS_MAX {
                    break;
                }
            }
            readings.truncate(PAIRS_MAX);
            (pairs, readings)
        };
        self.write_down(readings.into_iter().flatten().collect())?;
        let more = pairs.len() > PAIRS_MAX;
        pairs.truncate(PAIRS_MAX);
        pairs.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        Ok(Pairs { pairs, more })
    }

    /// How many pairs wait for the actor, as far as a first page looks, and whether it looked at all
    /// that are kept here. It names nobody.
    pub fn possible_pairs_count(&self, actor: &Actor) -> Result<(usize, bool), AppError> {
        let view = self.view()?;
        let pairs = all_pairs(&*view, LOOKED_AT_FIRST_MAX + 1)?;
        let whole = pairs.len() <= LOOKED_AT_FIRST_MAX;
        let mut count = 0;
        for (one, two) in pairs.into_iter().take(LOOKED_AT_FIRST_MAX) {
            count += usize::from(self.pair_for(&*view, actor, &one, &two)?.is_some());
        }
        Ok((count, whole))
    }

    /// A pair, if it still stands and the actor may see both and put them together.
    fn pair_for(
        &self,
        view: &dyn View,
        actor: &Actor,
        one: &ResourceId,
        two: &ResourceId,
    ) -> Result<Option<(Pair, [Reading; 2])>, AppError> {
        let mut readings = vec![];
        for id in [one, two] {
            let chart = ChartId::Patient(id.clone());
            if !self.merge_is_possible(view, actor, &chart)? {
                return Ok(None);
            }
            readings.extend(self.other_reading(view, actor, Action::SearchPerson, id)?);
        }
        let Ok(readings) = <[Reading; 2]>::try_from(readings) else { return Ok(None) };
        let (one, two) = (person_of(view, one)?, person_of(view, two)?);
        if self.is_put_off(view, &one.id, &two.id)? {
            return Ok(None);
        }
        let Some(probability) = self.stands(view, &one, &two)? else { return Ok(None) };
        Ok(Some((Pair { one, two, probability }, readings)))
    }

    /// How likely two are one, if that is a question still: neither gave way to another chart,
    /// nobody has said that they are two, and what is known of them still speaks for it.
    pub(crate) fn stands(
        &self,
        view: &dyn View,
        one: &Person,
        two: &Person,
    ) -> Result<Option<f64>, AppError> {
        let replaced = one.replaced_by().is_some() || two.replaced_by().is_some();
        if replaced || one_person(view, &one.id)?.all.contains(&two.id) {
            return Ok(None);
        }
        let apart = |a: Option<Sex>, b: Option<Sex>| match (a, b) {
            (Some(a @ (Sex::Female | Sex::Male)), Some(b @ (Sex::Female | Sex::Male))) => a != b,
            _ => false,
        };
        let probability = self.probability(view, one, two)?;
        if probability < ASKED_FROM || (apart(one.sex, two.sex) && !one.shares_number(two)) {
            return Ok(None);
        }
        Ok((!kept_apart(view, one, two)?).then_some(probability))
    }

    /// Whether nobody is to be asked now whether two are one: they are, somebody said that they are
    /// two, or later.
    pub(crate) fn is_settled(
        &self,
        view: &dyn View,
        one: &Person,
        two: &Person,
    ) -> Result<bool, AppError> {
        Ok(one.id == two.id
            || one_person(view, &one.id)?.all.contains(&two.id)
            || kept_apart(view, one, two)?
            || self.is_put_off(view, &one.id, &two.id)?)
    }

    fn is_put_off(
        &self,
        view: &dyn View,
        one: &ResourceId,
        two: &ResourceId,
    ) -> Result<bool, AppError> {
        let Some(value) = view.value(Space::Worklist, &later_key(one, two))? else {
            return Ok(false);
        };
        let until = value.try_into().map_err(|_| AppError::Unexpected("a pair of later"))?;
        Ok(self.now() < Millis(i64::from_le_bytes(until)))
    }

    /// Asks nobody here about two charts for a week.
    pub fn put_off_pair(
        &self,
        actor: &Actor,
        one: &ResourceId,
        two: &ResourceId,
    ) -> Result<(), AppError> {
        {
            let view = self.view()?;
            for id in [one, two] {
                let chart = ChartId::Patient(id.clone());
                if !self.merge_is_possible(&*view, actor, &chart)? {
                    self.may(&*view, actor, Action::MergePersons, &chart, None)?;
                }
            }
        }
        let (key, until) = (later_key(one, two), self.now().plus(LATER_MS).0.to_le_bytes());
        ondol_store::transact(&*self.store, move |tx| -> Result<(), AppError> {
            Ok(tx.set_value(Space::Worklist, &key, Some(&until))?)
        })
    }
}

/// Whom an entry may make the same person as somebody, or not: their data changed, or a note about
/// two charts came.
fn concerned(entry: &Entry) -> Option<&ResourceId> {
    let ChartId::Patient(id) = &entry.chart else { return None };
    let mut kinds = entry.changes.iter().map(|change| &*change.resource_type);
    kinds.any(|kind| matches!(kind, "Patient" | "Provenance")).then_some(id)
}

/// Whether somebody said of two people, known as they are now, that they are two.
fn kept_apart(view: &dyn View, one: &Person, two: &Person) -> Result<bool, AppError> {
    let chart = ChartId::Patient(one.id.clone());
    let now = [(one.id.clone(), described(one)), (two.id.clone(), described(two))];
    let notes = link::notes(view, &chart)?;
    Ok(notes.iter().any(|note| note.apart && now.iter().all(|of| note.about.contains(of))))
}

fn compared(view: &dyn View) -> Result<u64, AppError> {
    let Some(value) = view.value(Space::Worklist, COMPARED)? else { return Ok(0) };
    let value =
        value.try_into().map_err(|_| AppError::Unexpected("how far people are compared"))?;
    Ok(u64::from_le_bytes(value))
}

fn set_pair(
    tx: &mut dyn WriteTx,
    one: &ResourceId,
    two: &ResourceId,
    value: Option<&[u8]>,
) -> Result<(), AppError> {
    for (from, to) in [(one, two), (two, one)] {
        tx.set_value(Space::Worklist, format!("{WITH}{from}/{to}").as_bytes(), value)?;
    }
    Ok(())
}

/// The charts that are kept as pairs of one.
fn pairs_of(view: &dyn View, id: &ResourceId) -> Result<Vec<ResourceId>, AppError> {
    let prefix = format!("{WITH}{id}/");
    let values = view.values(Space::Worklist, prefix.as_bytes(), None, usize::MAX)?;
    values.iter().map(|(key, _)| id_at(key, prefix.len())).collect()
}

/// The pairs, each once, at most `limit`.
fn all_pairs(view: &dyn View, limit: usize) -> Result<Vec<(ResourceId, ResourceId)>, AppError> {
    let mut pairs = vec![];
    // Each stands there twice.
    for (key, _) in view.values(Space::Worklist, WITH.as_bytes(), None, limit * 2)? {
        let both = &key[WITH.len()..];
        let slash = both.iter().position(|byte| *byte == b'/').ok_or(BAD_PAIR)?;
        let (one, two) = (id_at(&both[..slash], 0)?, id_at(both, slash + 1)?);
        if one < two {
            pairs.push((one, two));
        }
    }
    Ok(pairs)
}

const BAD_PAIR: AppError = AppError::Unexpected("a pair in the work list");

fn id_at(key: &[u8], at: usize) -> Result<ResourceId, AppError> {
    let id = key.get(at..).and_then(|id| std::str::from_utf8(id).ok());
    id.and_then(|id| ResourceId::new(id).ok()).ok_or(BAD_PAIR)
}

fn later_key(one: &ResourceId, two: &ResourceId) -> Vec<u8> {
    let (one, two) = if one < two { (one, two) } else { (two, one) };
    format!("{LATER}{one}/{two}").into_bytes()
}
