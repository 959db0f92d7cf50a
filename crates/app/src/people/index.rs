//! The people who are here, in memory, in the forms in which they are looked for.
//!
//! The store finds texts as they are written. People type initials, half a syllable, the other
//! initial sound: so names are kept folded in memory and are read through. It is built at the
//! first search and follows the log from then on; it is never more than a copy.

use std::{collections::HashMap, sync::Mutex};

use ondol_kernel::ResourceId;
use ondol_store::{Filter, Order, Query, View};
use ondol_terms::hangul::{fold, initials, is_initials};

use super::{
    document,
    number::plain,
    order,
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
    /// The whole name as it is written.
    Name,
    /// The whole name as it sounds.
    Sound,
    /// The name begins so.
    Start,
    /// All initials of the name.
    Initials,
    /// The name begins so as it sounds.
    SoundStart,
    /// The number begins so.
    NumberStart,
    /// The initials begin so.
    InitialsStart,
    /// Somewhere in the name.
    Inside,
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
}

struct Row {
    names: Vec<Name>,
    order: Vec<u32>,
    mother: String,
    mother_sound: String,
    numbers: Vec<String>,
    birth: Birth,
}

struct Name {
    folded: String,
    sound: String,
    initials: String,
}

impl Index {
    /// Those who fit, best first, then in Korean order; at most `limit`.
    pub(crate) fn find(
        &self,
        view: &dyn View,
        asked: &Asked,
        limit: usize,
    ) -> Result<Vec<(ResourceId, Fit)>, AppError> {
        // A thread that panicked may have left it half filled: it is built anew.
        let mut state = self.0.lock().unwrap_or_else(|poisoned| {
            let mut state = poisoned.into_inner();
            *state = State::default();
            state
        });
        state.follow(view)?;
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
            names: names.filter(|name| !name.is_empty()).map(|name| Name::of(name)).collect(),
            order: order::key(&person.name),
            mother: fold(&person.mother),
            mother_sound: order::sound(&person.mother),
            numbers: person.numbers.iter().map(|number| plain(&number.value)).collect(),
            birth: person.birth,
        }
    }
}

impl Name {
    fn of(name: &str) -> Self {
        Self { folded: fold(name), sound: order::sound(name), initials: initials(name) }
    }
}

struct Question {
    name: String,
    sound: String,
    by_initials: bool,
    number: String,
    year: Option<(i32, i32)>,
    mother: String,
    mother_sound: String,
}

impl Question {
    fn of(asked: &Asked) -> Self {
        Self {
            name: fold(&asked.name),
            sound: order::sound(&asked.name),
            by_initials: is_initials(&asked.name),
            number: asked.number.clone(),
            year: asked.year,
            mother: fold(&asked.mother),
            mother_sound: order::sound(&asked.mother),
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
        let by_name = match self.name.is_empty() {
            true if self.number.is_empty() => {
                let anything = self.year.is_some() || !self.mother.is_empty();
                anything.then_some(Fit::Rest)
            }
            true => None,
            false => row.names.iter().filter_map(|name| self.by_name(name)).min(),
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
                Some(Fit::NumberStart)
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
        let mother = self.mother.is_empty()
            || row.mother.starts_with(&self.mother)
            || row.mother_sound.starts_with(&self.mother_sound);
        year && mother
    }

    fn by_name(&self, name: &Name) -> Option<Fit> {
        if self.by_initials {
            return match name.initials.strip_prefix(&*self.name) {
                Some("") => Some(Fit::Initials),
                Some(_) => Some(Fit::InitialsStart),
                None => None,
            };
        }
        Some(match () {
            () if name.folded == self.name => Fit::Name,
            () if name.sound == self.sound => Fit::Sound,
            () if name.folded.starts_with(&self.name) => Fit::Start,
            () if name.sound.starts_with(&self.sound) => Fit::SoundStart,
            () if name.folded.contains(&self.name) => Fit::Inside,
            () => return None,
        })
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
            ("리용희", Some(Fit::Name)),
            ("리 용희", Some(Fit::Name)),
            ("\u{1105}\u{1175}용희", Some(Fit::Name)),
            ("이용희", Some(Fit::Sound)),
            ("리용", Some(Fit::Start)),
            ("이요", Some(Fit::SoundStart)),
            ("ㄹㅇㅎ", Some(Fit::Initials)),
            ("ㄹㅇ", Some(Fit::InitialsStart)),
            ("용희", Some(Fit::Inside)),
            ("리영희", None),
            ("ㅎㅇ", None),
        ] {
            assert_eq!(fit(&named(typed), &row), want, "{typed}");
        }
    }

    #[test]
    fn year_and_mother_tell_namesakes_apart_and_what_is_unknown_excludes_nobody() {
        let mut asked = named("리용희");
        asked.year = Some((1961, 1));
        assert!(fit(&asked, &row("리용희", "1962", "", "1")).is_some());
        assert!(fit(&asked, &row("리용희", "1964", "", "1")).is_none());
        assert!(fit(&asked, &row("리용희", "", "", "1")).is_some());
        asked.mother = "김".into();
        assert!(fit(&asked, &row("리용희", "1961", "김복순", "1")).is_some());
        assert!(fit(&asked, &row("리용희", "1961", "박순", "1")).is_none());
    }

    #[test]
    fn the_whole_number_wins_over_everything_else() {
        let row = row("리용희", "1961", "김복순", "412730560128");
        let mut asked = Asked { number: "412730560128".into(), ..Asked::default() };
        assert_eq!(fit(&asked, &row), Some(Fit::Number));
        asked.number = "0128".into();
        assert_eq!(fit(&asked, &row), Some(Fit::NumberStart));
        asked.number = "28".into();
        assert_eq!(fit(&asked, &row), None);
    }

    #[test]
    fn nothing_asked_finds_nobody() {
        assert_eq!(fit(&Asked::default(), &row("리용희", "1961", "", "1")), None);
    }
}
