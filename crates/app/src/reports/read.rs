//! Reading the counts of this facility and those below.

use std::collections::BTreeSet;

use ondol_access::{Action, Obligation};
use ondol_kernel::{Date, ResourceId};
use ondol_record::{ChartId, ChartKind, certificate::Tier};
use serde_json::Value;

use super::{COUNTED, DAILY_WORK, THINGS};
use crate::{Actor, App, AppError, coding};

/// Numbers from 1 up to this are not shown to tiers that only count (DESIGN §5): in a small
/// place a small number can point at a person.
pub const SMALL_MAX: u64 = 4;

/// One number of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// As counted.
    Exact(u64),
    /// Between 1 and [`SMALL_MAX`]: not shown.
    Small,
    /// A sum in which small numbers are hidden, each taken as 1: what can be said without
    /// telling them.
    AtLeast(u64),
    /// A report of these days does not tell it: another program wrote it, or it was cut short.
    Missing,
}

/// What a facility did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountRow {
    /// The facility.
    pub facility: ResourceId,
    /// Its name, as far as it is known.
    pub name: String,
    /// Its tier, if its node is known.
    pub tier: Option<Tier>,
    /// In the order of [`THINGS`].
    pub cells: Vec<Cell>,
    /// The last day that it reported.
    pub last_day: Option<Date>,
}

/// A table of counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// By facility, in the order of their names.
    pub rows: Vec<CountRow>,
    /// The sums, in the order of [`THINGS`].
    pub total: Vec<Cell>,
    /// Whether small numbers are not shown.
    pub small_hidden: bool,
    /// The facilities of which a number is missing, as their names are known.
    pub lacking: Vec<String>,
}

/// The count of a thing in a report.
pub fn count_of(report: &Value, thing: &str) -> Option<u64> {
    let groups = report["group"].as_array()?;
    let group = groups.iter().find(|group| coding::has_code(&group["code"], COUNTED, thing))?;
    group["population"][0]["count"].as_u64()
}

impl App {
    /// The counts of this facility and of all below, from one day to another. That somebody
    /// looked is recorded in this facility's chart.
    pub fn counts(&self, actor: &Actor, from: Date, to: Date) -> Result<Counts, AppError> {
        let view = self.view()?;
        let own = ChartId::Facility(self.place.facility.clone());
        let mut rows = vec![];
        let mut small_hidden = false;
        let mut looked = None;
        for chart in view.charts(ChartKind::Facility, None, usize::MAX)? {
            let Ok(grounds) = self.may(&*view, actor, Action::ReadCounts, &chart, None) else {
                continue;
            };
            let ChartId::Facility(facility) = &chart else { continue };
            let hide = grounds.obligations.contains(Obligation::SuppressSmallCells) && chart != own;
            small_hidden |= hide;
            looked = Some(grounds);
            let mut numbers = vec![Some(0); THINGS.len()];
            let (mut name, mut days) = (String::new(), BTreeSet::new());
            for found in view.chart(&chart, &["Organization", "MeasureReport"])? {
                let body: Value = serde_json::from_str(&found.shown.body)
                    .map_err(|_| AppError::Unexpected("a facility's resource"))?;
                if &*found.shown.resource_type == "Organization" {
                    if found.shown.id == *facility {
                        body["name"].as_str().unwrap_or("").clone_into(&mut name);
                    }
                    continue;
                }
                let day = body["period"]["start"].as_str().and_then(Date::parse);
                let (Some(day), true) = (day, body["measure"] == DAILY_WORK) else { continue };
                if (from..=to).contains(&day) {
                    for (at, thing) in THINGS.iter().enumerate() {
                        numbers[at] = numbers[at].zip(count_of(&body, thing)).map(|(a, b)| a + b);
                    }
                }
                days.insert(day);
            }
            rows.push(CountRow {
                facility: facility.clone(),
                name,
                tier: self.nation().of_facility(facility).map(|node| node.tier),
                cells: numbers
                    .into_iter()
                    .map(|number| number.map_or(Cell::Missing, |number| cell(number, hide)))
                    .collect(),
                last_day: days.into_iter().next_back(),
            });
        }
        let grounds = match looked {
            Some(grounds) => grounds,
            // Nothing may be read: say so instead of showing an empty table.
            None => self.may(&*view, actor, Action::ReadCounts, &own, None)?,
        };
        if grounds.obligations.contains(Obligation::Audit) {
            self.record_reading(actor, Action::ReadCounts, &own, &grounds, "")?;
        }
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        let total = (0..THINGS.len()).map(|at| sum(rows.iter().map(|row| row.cells[at])));
        let total = total.collect();
        let lacks = |row: &&CountRow| row.cells.contains(&Cell::Missing);
        let lacking = rows.iter().filter(lacks).map(|row| match row.name.as_str() {
            "" => row.facility.to_string(),
            name => name.to_owned(),
        });
        let lacking = lacking.collect();
        Ok(Counts { from, to, rows, total, small_hidden, lacking })
    }
}

fn cell(number: u64, hide_small: bool) -> Cell {
    if hide_small && (1..=SMALL_MAX).contains(&number) { Cell::Small } else { Cell::Exact(number) }
}

/// A sum over cells, made of what the cells show: a true sum would tell a hidden number to
/// whoever subtracts the others.
fn sum(cells: impl Iterator<Item = Cell>) -> Cell {
    let (mut sum, mut is_exact) = (0, true);
    for cell in cells {
        let (number, exact) = match cell {
            Cell::Exact(number) => (number, true),
            Cell::Small => (1, false),
            Cell::AtLeast(number) => (number, false),
            Cell::Missing => (0, false),
        };
        sum += number;
        is_exact &= exact;
    }
    if is_exact { Cell::Exact(sum) } else { Cell::AtLeast(sum) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_in_which_a_number_is_missing_says_so() {
        let cells = [Cell::Exact(20), Cell::Missing, Cell::Exact(5)];
        assert_eq!(sum(cells.into_iter()), Cell::AtLeast(25));
    }

    #[test]
    fn a_sum_tells_no_hidden_number() {
        let total = |second| sum([Cell::Exact(20), cell(second, true), Cell::Exact(5)].into_iter());
        assert_eq!(total(0), Cell::Exact(25));
        assert_eq!(total(5), Cell::Exact(30));
        for hidden in 1..=SMALL_MAX {
            assert_eq!(total(hidden), Cell::AtLeast(26));
        }
    }
}
