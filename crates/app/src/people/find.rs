//! Finding people: at most twenty, best first, and of strangers only whether they exist.

use std::sync::Arc;

use ondol_access::{Action, Coded, Denial, Grounds, Obligation};
use ondol_identity::names::{NameFit, folded};
use ondol_kernel::ResourceId;
use ondol_record::ChartId;
use ondol_store::{Reading, Space, View};

use super::{
    index::{Asked, Fit},
    number,
    one::living,
    person::Person,
    person_of,
};
use crate::{Actor, App, AppError};

/// People that a search shows at most.
pub const RESULTS_MAX: usize = 20;

/// Charts that a search asks about at most before it says 'there are more'.
const CANDIDATES_MAX: usize = 80;

/// Questions about people without any relation to this facility, for each account and hour. Our
/// own choice: a reception asks a few in a day, whoever watches people asks many.
const STRANGERS_PER_HOUR: u64 = 30;
const HOUR_MS: i64 = 3_600_000;

/// Whom somebody looks for. Empty fields ask nothing.
#[derive(Clone, Default)]
pub struct Find {
    /// What was typed into the one box: a name, a number, the code of a card, a year of birth.
    pub text: String,
    /// The year of birth.
    pub birth_year: Option<i32>,
    /// The mother's name.
    pub mother: String,
}

/// What a search found. It has no `Debug`: it names people.
#[derive(Clone, Default)]
pub struct Finding {
    /// Those that the actor may see in a list, best first.
    pub people: Vec<Person>,
    /// Of those, charts that were found and gave way to the one that is shown: its id, and whom the
    /// found chart names.
    pub instead_of: Vec<(ResourceId, Person)>,
    /// Somebody without a relation to this facility who is exactly whom was asked for: they exist,
    /// and nothing else is told until they are received here.
    pub elsewhere: Option<ResourceId>,
    /// Whether there are more than are shown.
    pub more: bool,
    /// Whether the number breaks the rule of its check digit: it was mistyped.
    pub mistyped: bool,
}

impl Find {
    fn asked(&self, today_year: i32) -> Asked {
        let mut asked = Asked { mother: self.mother.trim().to_owned(), ..Asked::default() };
        let typed = self.text.trim();
        let plain = number::plain(typed);
        let digits = plain.bytes().filter(u8::is_ascii_digit).count();
        asked.year = self.birth_year.map(|year| (year, 1));
        if typed.starts_with("ondol:p:") || (digits > 0 && digits == plain.len()) {
            let year = plain.parse::<i32>().ok().filter(|_| plain.len() == 4);
            if let Some(year) = year.filter(|year| (1900..=today_year).contains(year))
                && asked.year.is_none()
                && !self.mother.trim().is_empty()
            {
                asked.year = Some((year, 1));
            } else {
                asked.number = plain;
            }
            return asked;
        }
        let mut words: Vec<&str> = vec![];
        for word in typed.split_whitespace() {
            let year = word.parse::<i32>().ok().filter(|y| (1900..=today_year).contains(y));
            match year {
                Some(year) if asked.year.is_none() => asked.year = Some((year, 1)),
                _ => words.push(word),
            }
        }
        asked.name = words.join(" ");
        if digits > 0 {
            asked.number = plain;
        }
        asked
    }
}

impl App {
    /// Looks for people. Whoever is shown has been read, and that is recorded.
    pub fn find_people(self: &Arc<Self>, actor: &Actor, find: &Find) -> Result<Finding, AppError> {
        let year = self.today().year();
        let asked = find.asked(year);
        let (finding, readings, strangers) = {
            let view = self.view()?;
            self.look_for(&*view, actor, &asked)?
        };
        let key = strangers_key(self, actor);
        if strangers {
            ondol_store::transact(&*self.store, move |tx| -> Result<(), AppError> {
                for reading in &readings {
                    tx.record_reading(reading)?;
                }
                let asked = count(&*tx, &key)? + 1;
                if asked > STRANGERS_PER_HOUR {
                    return Err(AppError::State("search-limit"));
                }
                let value = asked.to_le_bytes();
                Ok(tx.set_value(Space::Count, &key, Some(&value))?)
            })?;
        } else {
            self.write_down(readings)?;
        }
        Ok(finding)
    }

    /// The date today, where the facility stands.
    pub fn today(&self) -> ondol_kernel::Date {
        self.now().local(self.utc_offset_minutes()).0
    }

    fn look_for(
        &self,
        view: &dyn View,
        actor: &Actor,
        asked: &Asked,
    ) -> Result<(Finding, Vec<Reading>, bool), AppError> {
        let fits = self.people.find(view, asked, CANDIDATES_MAX + 1)?;
        let mut finding = Finding { more: fits.len() > CANDIDATES_MAX, ..Finding::default() };
        let (mut readings, mut strangers, mut exact) = (vec![], false, vec![]);
        // Somebody who may not search at all is told so, whether anybody fits or not.
        self.may_somewhere(actor, Action::SearchPerson)?;
        for (id, fit) in fits.into_iter().take(CANDIDATES_MAX) {
            if finding.people.len() == RESULTS_MAX {
                finding.more = true;
                break;
            }
            let chart = ChartId::Patient(id.clone());
            let grounds = match self.may(view, actor, Action::SearchPerson, &chart, None) {
                Ok(grounds) => grounds,
                Err(AppError::Denied(Denial::NothingPermits | Denial::Forbidden { .. })) => {
                    continue;
                }
                Err(other) => return Err(other),
            };
            if !grounds.obligations.contains(Obligation::ExistenceOnly) {
                readings.push(self.search_reading(actor, &chart, &grounds));
                self.lead_on(view, actor, person_of(view, &id)?, (&mut finding, &mut readings))?;
                continue;
            }
            // Nobody is told of a stranger by half a name: only by the number, or by the whole
            // name together with the year of birth or the mother.
            let whole = fit == Fit::Name(NameFit::Written);
            let named = whole && (asked.year.is_some() || !asked.mother.is_empty());
            if fit == Fit::Number || named {
                let person = person_of(view, &id)?;
                if fit == Fit::Number || stranger_fits(&person, asked) {
                    strangers = true;
                    readings.push(self.search_reading(actor, &chart, &grounds));
                    let id = living(view, &id)?;
                    if !exact.contains(&id) {
                        exact.push(id);
                    }
                }
            }
        }
        if let [only] = &exact[..] {
            finding.elsewhere = Some(only.clone());
        } else if exact.len() > 1 {
            finding.more = true;
        }
        let found_none = finding.people.is_empty() && finding.elsewhere.is_none();
        finding.mistyped = found_none && number::is_mistyped(&asked.number);
        Ok((finding, readings, strangers))
    }

    /// Puts somebody who was found into the answer: in the place of a chart that gave way to another
    /// one of the same person stands that one, once.
    fn lead_on(
        &self,
        view: &dyn View,
        actor: &Actor,
        person: Person,
        (finding, readings): (&mut Finding, &mut Vec<Reading>),
    ) -> Result<(), AppError> {
        let to = living(view, &person.id)?;
        let mut shown = person;
        if to != shown.id
            && let Some(reading) = self.other_reading(view, actor, Action::SearchPerson, &to)?
        {
            readings.push(reading);
            finding.instead_of.push((to.clone(), shown));
            shown = person_of(view, &to)?;
        }
        if !finding.people.iter().any(|one| one.id == shown.id) {
            finding.people.push(shown);
        }
        Ok(())
    }

    fn search_reading(&self, actor: &Actor, chart: &ChartId, grounds: &Grounds) -> Reading {
        Reading {
            at: self.now(),
            who: actor.reference().into(),
            role: grounds.role.code().into(),
            chart: chart.clone(),
            action: Action::SearchPerson.code().into(),
            relation: grounds.relation.code().into(),
            reason: "".into(),
        }
    }
}

/// For strangers an unknown year or mother is no match.
fn stranger_fits(person: &Person, asked: &Asked) -> bool {
    let year = asked.year.is_none_or(|(year, _)| person.birth.year() == Some(year));
    let mother = asked.mother.is_empty() || folded(&person.mother) == folded(&asked.mother);
    year && mother
}

/// The id of a chart that does not exist: for questions about people in general.
pub(crate) fn nobody() -> Result<ResourceId, AppError> {
    ResourceId::new("nobody").map_err(|_| AppError::Unexpected("an id"))
}

fn strangers_key(app: &App, actor: &Actor) -> Vec<u8> {
    let hour = app.now().0.div_euclid(HOUR_MS);
    [b"strangers/".as_slice(), actor.id().as_str().as_bytes(), b"/", &hour.to_be_bytes()].concat()
}

fn count(view: &dyn View, key: &[u8]) -> Result<u64, AppError> {
    let Some(value) = view.value(Space::Count, key)? else { return Ok(0) };
    let value = value.try_into().map_err(|_| AppError::Unexpected("a counter"))?;
    Ok(u64::from_le_bytes(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Asked {
        Find { text: text.into(), ..Find::default() }.asked(2026)
    }

    #[test]
    fn one_box_takes_names_numbers_years_and_cards() {
        let name = asked("리용희 1961");
        assert_eq!((name.name.as_str(), name.year), ("리용희", Some((1961, 1))));
        assert_eq!(asked("ondol:p:412730560128").number, "412730560128");
        assert_eq!(asked("4127-3056-0128").number, "412730560128");
        assert_eq!(asked("1961").number, "1961");
        let paper = asked("ab 12345");
        assert_eq!((paper.name.as_str(), paper.number.as_str()), ("ab 12345", "AB12345"));
    }
}
