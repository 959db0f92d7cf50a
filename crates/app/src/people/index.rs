//! The people who are here, in memory, in the forms in which they are looked for.
//!
//! The store finds texts as they are written. People type initials, half a syllable, the other
//! initial sound, Latin letters: so the keys of names are kept in memory and are read through. It
//! is built at the first search and follows the log from then on; it is never more than a copy.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use ondol_identity::{
    linkage::Model,
    names::{NameFit, NameKeys, NameQuestion, order},
};
use ondol_kernel::ResourceId;
use ondol_store::{Filter, Order, Query, View};

use super::{
    alike::{NAMES_MAX, beginning},
    document,
    number::plain,
    person::{Birth, Person},
};
use crate::AppError;

/// How many rows are read at once.
const STEP: usize = 1_000;

/// How somebody fits what was asked; the smaller the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// The whole number.
    Number,
    /// The name.
    Name(NameFit),
    /// The number begins or ends so.
    NumberPart,
    /// Nothing was asked of the name; the rest fits.
    Rest,
}

/// What is looked for. Texts as typed.
#[derive(Clone, Default)]
pub(crate) struct Asked {
    /// A name, in whole or in part; empty if none is asked.
    pub name: String,
    /// A number without separators; empty if none is asked.
    pub number: String,
    /// The year of birth, with how many years it may be off.
    pub year: Option<(i32, i32)>,
    /// The mother's name, in whole or in part; empty if none is asked.
    pub mother: String,
}

/// The index. Empty until somebody looks for somebody.
#[derive(Default)]
pub(crate) struct Index(Mutex<State>);

#[derive(Default)]
struct State {
    /// Arrivals up to this one are in.
    arrival: u64,
    built: bool,
    people: HashMap<ResourceId, Row>,
    /// By which people are told apart, and how many there were when it was learnt.
    model: Option<(usize, Arc<Model>)>,
}

struct Row {
    names: Vec<NameKeys>,
    order: Vec<u32>,
    mother: Option<NameKeys>,
    numbers: Vec<String>,
    birth: Birth,
}

impl Index {
    /// Those who fit, best first, then in Korean order; at most `limit`.
    pub(crate) fn find(
        &self,
        view: &dyn View,
        asked: &Asked,
        limit: usize,
    ) -> Result<Vec<(ResourceId, Fit)>, AppError> {
        let state = self.up_to_date(view)?;
        let question = Question::of(asked);
        let mut found: Vec<(Fit, &Row, &ResourceId)> = state
            .people
            .iter()
            .filter_map(|(id, row)| Some((question.fit(row)?, row, id)))
            .collect();
        found.sort_by(|a, b| {
            let by = |(fit, row, id): &(Fit, &Row, &ResourceId)| {
                (*fit, row.order.clone(), (*id).clone())
            };
            by(a).cmp(&by(b))
        });
        found.truncate(limit);
        Ok(found.into_iter().map(|(fit, _, id)| (id.clone(), fit)).collect())
    }

    /// Those who are worth a closer look when it is asked whether somebody is here already: the
    /// same number, name or day of birth, or the mother and about the year; at most `limit`, those
    /// with most of it first.
    pub(crate) fn near(
        &self,
        view: &dyn View,
        asked: &Person,
        limit: usize,
    ) -> Result<Vec<ResourceId>, AppError> {
        let state = self.up_to_date(view)?;
        let near = Near::of(asked);
        let people = state.people.iter();
        let mut found: Vec<(u32, &ResourceId)> = people
            .filter_map(|(id, row)| Some((near.points(row), id)).filter(|(points, _)| *points > 1))
            .collect();
        found.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        Ok(found.into_iter().take(limit).map(|(_, id)| id.clone()).collect())
    }

    /// How many people there are, and by what they are told apart if that is not to be learnt anew:
    /// twice as many people are worth another lesson.
    pub(crate) fn model(&self, view: &dyn View) -> Result<(usize, Option<Arc<Model>>), AppError> {
        let state = self.up_to_date(view)?;
        let all = state.people.len();
        let known = state.model.as_ref().filter(|(then, _)| (*then..=*then * 2).contains(&all));
        Ok((all, known.map(|(_, model)| model.clone())))
    }

    pub(crate) fn keep_model(&self, all: usize, model: &Arc<Model>) {
        // A lesson that is lost is learnt again.
        if let Ok(mut state) = self.0.lock() {
            state.model = Some((all, model.clone()));
        }
    }

    fn up_to_date(&self, view: &dyn View) -> Result<MutexGuard<'_, State>, AppError> {
        // A thread that panicked may have left it half filled: it is built anew.
        let mut state = self.0.lock().unwrap_or_else(|poisoned| {
            let mut state = poisoned.into_inner();
            *state = State::default();
            state
        });
        state.follow(view)?;
        Ok(state)
    }
}

impl State {
    fn follow(&mut self, view: &dyn View) -> Result<(), AppError> {
        let newest = view.last_arrival()?;
        if !self.built {
            self.build(view)?;
            (self.built, self.arrival) = (true, newest);
        }
        while self.arrival < newest {
            let rows = view.arrived_after(self.arrival, STEP)?;
            let Some(last) = rows.last().map(|row| row.arrival) else { break };
            for change in rows.iter().flat_map(|row| &row.entry.changes) {
                if &*change.resource_type == "Patient" {
                    self.refresh(view, &change.id)?;
                }
            }
            self.arrival = last;
        }
        Ok(())
    }

    fn build(&mut self, view: &dyn View) -> Result<(), AppError> {
        self.people.clear();
        let mut query = Query {
            resource_type: "Patient".into(),
            chart: None,
            filters: Vec::<Filter>::new(),
            order: Order::Arrival,
            limit: STEP,
            after: None,
        };
        loop {
            let page = view.search(&query)?;
            for hit in &page.hits {
                let id = &hit.found.shown.id;
                let person = Person::read(id, &document(&hit.found)?, false);
                self.people.insert(id.clone(), Row::of(&person));
            }
            if page.next.is_none() {
                return Ok(());
            }
            query.after = page.next;
        }
    }

    fn refresh(&mut self, view: &dyn View, id: &ResourceId) -> Result<(), AppError> {
        match view.resource("Patient", id)? {
            Some(found) if !found.is_retracted() => {
                let person = Person::read(id, &document(&found)?, false);
                self.people.insert(id.clone(), Row::of(&person));
            }
            _ => {
                self.people.remove(id);
            }
        }
        Ok(())
    }
}

impl Row {
    fn of(person: &Person) -> Self {
        let described = person.stranger.iter().map(|stranger| &stranger.description);
        let names = std::iter::once(&person.name).chain(&person.other_names).chain(described);
        Self {
            names: names
                .filter(|name| !name.is_empty())
                .take(NAMES_MAX)
                .map(|name| NameKeys::of(beginning(name)))
                .collect(),
            order: order(beginning(&person.name)),
            mother: Some(&person.mother)
                .filter(|name| !name.is_empty())
                .map(|name| NameKeys::of(beginning(name))),
            numbers: person.numbers.iter().map(|number| plain(&number.value)).collect(),
            birth: person.birth,
        }
    }
}

/// Whether a name fits a question as a whole.
fn is_whole(question: Option<&NameQuestion>, name: &NameKeys) -> bool {
    let fit = question.and_then(|question| question.fit(name));
    fit.is_some_and(|fit| fit <= NameFit::Skeleton)
}

/// What somebody has to have in common with a person to be worth a closer look.
struct Near {
    name: Option<NameQuestion>,
    mother: Option<NameQuestion>,
    numbers: Vec<String>,
    birth: Birth,
}

impl Near {
    fn of(person: &Person) -> Self {
        Self {
            name: NameQuestion::of(beginning(&person.name)),
            mother: NameQuestion::of(beginning(&person.mother)),
            numbers: person.asked_numbers().iter().map(|number| plain(&number.value)).collect(),
            birth: person.birth,
        }
    }

    /// From 2 on it is worth it.
    fn points(&self, row: &Row) -> u32 {
        let number = self.numbers.iter().any(|number| row.numbers.contains(number));
        let name = row.names.iter().any(|name| is_whole(self.name.as_ref(), name));
        let mother = row.mother.as_ref().is_some_and(|name| is_whole(self.mother.as_ref(), name));
        let day = matches!(self.birth, Birth::Day(_)) && self.birth == row.birth;
        let years = self.birth.year().zip(row.birth.year());
        let year = years.is_some_and(|(one, two)| one.abs_diff(two) <= 3);
        let points = |is: bool, points: u32| if is { points } else { 0 };
        points(number, 8) + points(name, 3) + points(day, 2) + points(mother, 1) + points(year, 1)
    }
}

struct Question {
    name: Option<NameQuestion>,
    number: String,
    year: Option<(i32, i32)>,
    mother: Option<NameQuestion>,
}

impl Question {
    fn of(asked: &Asked) -> Self {
        Self {
            name: NameQuestion::of(beginning(&asked.name)),
            number: asked.number.clone(),
            year: asked.year,
            mother: NameQuestion::of(beginning(&asked.mother)),
        }
    }

    fn fit(&self, row: &Row) -> Option<Fit> {
        let by_number = self.by_number(row);
        if by_number == Some(Fit::Number) {
            return by_number;
        }
        if !self.rest_fits(row) {
            return None;
        }
        let by_name = match &self.name {
            None if self.number.is_empty() => {
                let anything = self.year.is_some() || self.mother.is_some();
                anything.then_some(Fit::Rest)
            }
            None => None,
            Some(asked) => row.names.iter().filter_map(|name| asked.fit(name)).min().map(Fit::Name),
        };
        by_name.into_iter().chain(by_number).min()
    }

    fn by_number(&self, row: &Row) -> Option<Fit> {
        let asked = self.number.as_str();
        if asked.is_empty() {
            return None;
        }
        let fit = |number: &String| match number.as_str() {
            whole if whole == asked => Some(Fit::Number),
            longer
                if asked.len() >= 3 && (longer.starts_with(asked) || longer.ends_with(asked)) =>
            {
                Some(Fit::NumberPart)
            }
            _ => None,
        };
        row.numbers.iter().filter_map(fit).min()
    }

    fn rest_fits(&self, row: &Row) -> bool {
        let year = self.year.is_none_or(|(year, off)| {
            row.birth.year().is_none_or(|born| {
                let off = if matches!(row.birth, Birth::About(_)) { off.max(5) } else { off };
                (born - year).abs() <= off
            })
        });
        // However it is typed, but from its beginning.
        let begins = |asked: &NameQuestion| {
            let fit = row.mother.as_ref().and_then(|name| asked.fit(name));
            fit.is_some_and(|fit| fit < NameFit::Inside)
        };
        year && self.mother.as_ref().is_none_or(begins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(name: &str, birth: &str, mother: &str, number: &str) -> Row {
        let id = ResourceId::new("a").unwrap();
        let mut patient = json!({ "name": [{ "text": name }], "birthDate": birth,
            "identifier": [{ "value": number }] });
        super::super::person::set_extension(
            &mut patient,
            crate::coding::MOTHER_NAME,
            Some(json!({ "valueString": mother })),
        );
        Row::of(&Person::read(&id, &patient, false))
    }

    fn fit(asked: &Asked, row: &Row) -> Option<Fit> {
        Question::of(asked).fit(row)
    }

    fn named(name: &str) -> Asked {
        Asked { name: name.into(), ..Asked::default() }
    }

    #[test]
    fn a_name_is_found_however_it_is_typed() {
        let row = row("리용희", "1961", "김복순", "412730560128");
        for (typed, want) in [
            ("리용희", Some(NameFit::Written)),
            ("이용희", Some(NameFit::Sound)),
            ("Ri Yong Hui", Some(NameFit::Roman)),
            ("리용", Some(NameFit::Start)),
            ("ㄹㅇㅎ", Some(NameFit::Initials)),
            ("용희", Some(NameFit::Inside)),
            ("리영희", None),
        ] {
            assert_eq!(fit(&named(typed), &row), want.map(Fit::Name), "{typed}");
        }
    }

    #[test]
    fn year_and_mother_tell_namesakes_apart_and_what_is_unknown_excludes_nobody() {
        let mut asked = named("리용희");
        asked.year = Some((1961, 1));
        assert!(fit(&asked, &row("리용희", "1962", "", "1")).is_some());
        assert!(fit(&asked, &row("리용희", "1964", "", "1")).is_none());
        assert!(fit(&asked, &row("리용희", "", "", "1")).is_some());
        for typed in ["김", "Kim Pok", "ㄱㅂ"] {
            asked.mother = typed.into();
            assert!(fit(&asked, &row("리용희", "1961", "김복순", "1")).is_some(), "{typed}");
        }
        assert!(fit(&asked, &row("리용희", "1961", "박순", "1")).is_none());
    }

    #[test]
    fn the_whole_number_wins_over_everything_else() {
        let row = row("리용희", "1961", "김복순", "412730560128");
        let mut asked = Asked { number: "412730560128".into(), ..Asked::default() };
        assert_eq!(fit(&asked, &row), Some(Fit::Number));
        asked.number = "0128".into();
        assert_eq!(fit(&asked, &row), Some(Fit::NumberPart));
        asked.number = "28".into();
        assert_eq!(fit(&asked, &row), None);
    }

    #[test]
    fn nothing_asked_finds_nobody() {
        assert_eq!(fit(&Asked::default(), &row("리용희", "1961", "", "1")), None);
    }
}
