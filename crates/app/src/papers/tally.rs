//! The tally of a month: counts by sex, age and diagnosis. It names nobody.

use std::collections::{BTreeMap, HashSet};

use ondol_access::{Action, Obligation};
use ondol_kernel::{DAY_MS, Date, ResourceId};
use ondol_record::ChartId;
use ondol_store::{Filter, Order, Query, Test};

use super::day::encounter_of;
use crate::{
    Actor, App, AppError, coding,
    people::{Person, Sex, document, person_of},
};

/// Visits that one tally counts at most; more is refused rather than counted wrong.
const VISITS_MAX: usize = 50_000;

/// Counts below this are not shown to those who may see no patients.
const SMALL: u32 = 5;

/// Completed years from the first to below the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgeGroup {
    /// From this age.
    pub from: u32,
    /// To below this age; `None` for the last group.
    pub below: Option<u32>,
}

/// The age groups of the tally. Our own choice until the ministry sets others.
pub const AGE_GROUPS: [AgeGroup; 6] = [
    AgeGroup { from: 0, below: Some(1) },
    AgeGroup { from: 1, below: Some(5) },
    AgeGroup { from: 5, below: Some(15) },
    AgeGroup { from: 15, below: Some(50) },
    AgeGroup { from: 50, below: Some(65) },
    AgeGroup { from: 65, below: None },
];

/// A count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// So many.
    Count(u32),
    /// Some, but so few that they could be told apart.
    Few,
}

impl Cell {
    /// The number, if it is told.
    pub const fn count(self) -> Option<u32> {
        match self {
            Self::Count(count) => Some(count),
            Self::Few => None,
        }
    }
}

/// A line of the tally: girls and women, boys and men by age group, and all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TallyLine {
    /// The ICD-10 code; `None` for the first line, which counts visits, and for what has no code.
    pub code: Option<String>,
    /// For each group of [`AGE_GROUPS`], and last those of unknown age: female and male.
    pub groups: Vec<[Cell; 2]>,
    /// Neither female nor male, or not known.
    pub other: Cell,
    /// All.
    pub all: Cell,
}

/// The tally of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The year.
    pub year: i32,
    /// The month, from 1.
    pub month: u8,
    /// All visits.
    pub visits: TallyLine,
    /// Different people who were seen.
    pub people: Cell,
    /// Visits in which something was diagnosed in plain words alone.
    pub uncoded: TallyLine,
    /// By diagnosis, the most frequent first.
    pub diagnoses: Vec<TallyLine>,
}

impl App {
    /// The tally of a month at this facility.
    pub fn tally(&self, actor: &Actor, year: i32, month: u8) -> Result<Tally, AppError> {
        let own = ChartId::Facility(self.place.facility.clone());
        let wrong = AppError::Field { field: "month", why: "unknown" };
        let first = Date::new(year, month, 1).ok_or(wrong)?;
        let next =
            if month == 12 { Date::new(year + 1, 1, 1) } else { Date::new(year, month + 1, 1) };
        let next = next.ok_or(AppError::Field { field: "month", why: "unknown" })?;
        let small = {
            let view = self.view()?;
            let grounds = self.may(&*view, actor, Action::ReadCounts, &own, None)?;
            grounds.obligations.contains(Obligation::SuppressSmallCells)
        };
        let counted = self.reading(actor, Action::ReadCounts, &own, |view| {
            self.count_visits(view, first, next)
        })?;
        Ok(counted.into_tally(year, month, small))
    }

    /// The visits from one day until before another, by person: the encounter's id and its day.
    fn visits_between(
        &self,
        view: &dyn ondol_store::View,
        first: Date,
        next: Date,
    ) -> Result<BTreeMap<ResourceId, Vec<(String, Date)>>, AppError> {
        let (from, to) = (self.midnight(first), self.midnight(next));
        let query = Query {
            resource_type: "Encounter".into(),
            chart: None,
            filters: vec![
                Filter {
                    parameter: "service-provider".into(),
                    any: vec![Test::Reference(self.place.organization().into())],
                },
                Filter { parameter: "date".into(), any: vec![Test::Overlaps { from, to }] },
            ],
            order: Order::Arrival,
            limit: VISITS_MAX,
            after: None,
        };
        let page = view.search(&query)?;
        if page.next.is_some() {
            return Err(AppError::State("too-many"));
        }
        let mut visits: BTreeMap<ResourceId, Vec<(String, Date)>> = BTreeMap::new();
        for hit in page.hits {
            let encounter = document(&hit.found)?;
            let written = hit.found.shown.hlc.millis();
            let began = encounter["period"]["start"].as_str();
            let at = began.and_then(ondol_kernel::Millis::parse_fhir).unwrap_or(written);
            let only_arrived =
                encounter["status"] == "arrived" && encounter["reasonCode"].is_null();
            if let ChartId::Patient(patient) = hit.found.shown.chart
                && (from..to).contains(&at)
                && !only_arrived
            {
                let on = Date::from_days((at.0 - from.0).div_euclid(DAY_MS) + first.days());
                let seen = (hit.found.shown.id.to_string(), on.unwrap_or(first));
                visits.entry(patient).or_default().push(seen);
            }
        }
        Ok(visits)
    }

    fn count_visits(
        &self,
        view: &dyn ondol_store::View,
        first: Date,
        next: Date,
    ) -> Result<Counted, AppError> {
        let mut counted = Counted::default();
        for (patient, visits) in self.visits_between(view, first, next)? {
            let person = match person_of(view, &patient) {
                Ok(person) => person,
                Err(AppError::NotFound | AppError::Gone) => continue,
                Err(other) => return Err(other),
            };
            counted.people += 1;
            let mut said: BTreeMap<String, HashSet<Option<String>>> = BTreeMap::new();
            for found in view.chart(&ChartId::Patient(patient), &["Condition"])? {
                let condition = document(&found)?;
                let code = coding::code_of(&condition["code"], coding::ICD10).map(str::to_owned);
                if let Some(encounter) = encounter_of(&condition) {
                    said.entry(encounter.to_owned()).or_default().insert(code);
                }
            }
            for (encounter, on) in visits {
                let column = Column::of(&person, on);
                counted.visits.add(column);
                for code in said.remove(&encounter).unwrap_or_default() {
                    match code {
                        Some(code) => counted.diagnoses.entry(code).or_default().add(column),
                        None => counted.uncoded.add(column),
                    }
                }
            }
        }
        Ok(counted)
    }
}

/// Where somebody is counted: the place of the age group (the last for an unknown age), and
/// female, male or neither.
#[derive(Debug, Clone, Copy)]
struct Column {
    group: usize,
    sex: Option<usize>,
}

impl Column {
    fn of(person: &Person, on: Date) -> Self {
        let years = person.birth.years(on);
        let group = years.and_then(|years| {
            AGE_GROUPS
                .iter()
                .position(|group| years >= group.from && group.below.is_none_or(|b| years < b))
        });
        let sex = match person.sex {
            Some(Sex::Female) => Some(0),
            Some(Sex::Male) => Some(1),
            _ => None,
        };
        Self { group: group.unwrap_or(AGE_GROUPS.len()), sex }
    }
}

#[derive(Default)]
struct Counted {
    people: u32,
    visits: Line,
    uncoded: Line,
    diagnoses: BTreeMap<String, Line>,
}

#[derive(Clone, Copy, Default)]
struct Line {
    groups: [[u32; 2]; AGE_GROUPS.len() + 1],
    other: u32,
    all: u32,
}

impl Line {
    fn add(&mut self, column: Column) {
        self.all += 1;
        match column.sex {
            Some(sex) => self.groups[column.group][sex] += 1,
            None => self.other += 1,
        }
    }

    fn shown(&self, code: Option<String>, small: bool) -> TallyLine {
        let cell = |count: u32| {
            if small && (1..SMALL).contains(&count) { Cell::Few } else { Cell::Count(count) }
        };
        let groups: Vec<[Cell; 2]> =
            self.groups.iter().map(|[female, male]| [cell(*female), cell(*male)]).collect();
        let few = |cells: &[Cell; 2]| cells.contains(&Cell::Few);
        let hidden = groups.iter().any(few) || cell(self.other) == Cell::Few;
        // A sum beside one hidden cell would tell it.
        let all = if hidden && self.all < SMALL * 2 { Cell::Few } else { cell(self.all) };
        TallyLine { code, groups, other: cell(self.other), all }
    }
}

impl Counted {
    fn into_tally(self, year: i32, month: u8, small: bool) -> Tally {
        let mut diagnoses: Vec<(String, Line)> = self.diagnoses.into_iter().collect();
        diagnoses.sort_by_key(|(_, line)| std::cmp::Reverse(line.all));
        let few = small && (1..SMALL).contains(&self.people);
        Tally {
            year,
            month,
            visits: self.visits.shown(None, small),
            people: if few { Cell::Few } else { Cell::Count(self.people) },
            uncoded: self.uncoded.shown(None, small),
            diagnoses: diagnoses
                .into_iter()
                .map(|(code, line)| line.shown(Some(code), small))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_not_told_and_not_given_away_by_a_sum() {
        let mut line = Line::default();
        let column = |group, sex| Column { group, sex: Some(sex) };
        (0..7).for_each(|_| line.add(column(3, 0)));
        line.add(column(3, 1));
        let open = line.shown(None, false);
        assert_eq!((open.groups[3], open.all), ([Cell::Count(7), Cell::Count(1)], Cell::Count(8)));
        let hidden = line.shown(None, true);
        assert_eq!((hidden.groups[3], hidden.all), ([Cell::Count(7), Cell::Few], Cell::Few));
    }

    #[test]
    fn every_age_has_exactly_one_group() {
        for years in 0..120 {
            let fits = |g: &&AgeGroup| years >= g.from && g.below.is_none_or(|b| years < b);
            assert_eq!(AGE_GROUPS.iter().filter(fits).count(), 1, "{years}");
        }
    }
}
