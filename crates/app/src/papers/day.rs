//! Who was seen on a day.

use ondol_access::Action;
use ondol_kernel::{DAY_MS, Date, Millis};
use ondol_record::ChartId;
use ondol_store::{Filter, Order, Query, Test, View};

use crate::{
    Actor, App, AppError,
    encounter::{VisitReader, VisitView},
    people::{Person, person_of},
};

/// Visits that one day's register reads at most.
const VISITS_MAX: usize = 2_000;

/// One line of the register. It has no `Debug`: it names somebody.
#[derive(Clone)]
pub struct DayRow {
    /// Who was seen.
    pub person: Person,
    /// The visit.
    pub visit: VisitView,
}

/// The register of a day, earliest first.
#[derive(Clone)]
pub struct Day {
    /// The day.
    pub date: Date,
    /// Its lines.
    pub rows: Vec<DayRow>,
    /// Those who are received and whose visit goes on, from earlier days.
    pub still_open: Vec<DayRow>,
}

impl App {
    /// The register of a day at this facility. Each person in it was read, and that is recorded.
    pub fn day(&self, actor: &Actor, date: Date) -> Result<Day, AppError> {
        let own = ChartId::Facility(self.place.facility.clone());
        self.reading(actor, Action::PrintRegister, &own, |view| {
            let from = self.midnight(date);
            let to = from.plus(DAY_MS);
            let mut rows = self.rows_between(view, from, to)?;
            rows.sort_by_key(|row| (row.visit.at, row.visit.written));
            let still_open = self.open_before(view, from)?;
            Ok(Day { date, rows, still_open })
        })
    }

    /// The first moment of a day, where the facility stands.
    pub(super) fn midnight(&self, date: Date) -> Millis {
        Millis(date.days() * DAY_MS - i64::from(self.utc_offset_minutes()) * 60_000)
    }

    fn rows_between(
        &self,
        view: &dyn View,
        from: Millis,
        to: Millis,
    ) -> Result<Vec<DayRow>, AppError> {
        let mut rows = self.rows(view, vec![overlaps(from, to)])?;
        // A stay of several days stands in the register of the day on which it began.
        rows.retain(|row| (from..to).contains(&row.visit.at));
        Ok(rows)
    }

    fn open_before(&self, view: &dyn View, before: Millis) -> Result<Vec<DayRow>, AppError> {
        let token = |code: &str| Test::Token { system: None, code: Some(code.into()) };
        let any = ["arrived", "in-progress"].map(token).to_vec();
        let mut rows = self.rows(view, vec![Filter { parameter: "status".into(), any }])?;
        rows.retain(|row| row.visit.at < before);
        rows.sort_by_key(|row| row.visit.at);
        Ok(rows)
    }

    fn rows(&self, view: &dyn View, mut filters: Vec<Filter>) -> Result<Vec<DayRow>, AppError> {
        let here = Test::Reference(self.place.organization().into());
        filters.push(Filter { parameter: "service-provider".into(), any: vec![here] });
        let query = Query {
            resource_type: "Encounter".into(),
            chart: None,
            filters,
            order: Order::NewestArrival,
            limit: VISITS_MAX,
            after: None,
        };
        let mut rows = vec![];
        for hit in view.search(&query)?.hits {
            let chart = hit.found.shown.chart;
            let ChartId::Patient(patient) = &chart else { continue };
            let person = match person_of(view, patient) {
                Ok(person) => person,
                Err(AppError::NotFound | AppError::Gone) => continue,
                Err(other) => return Err(other),
            };
            let visit = VisitReader::new(self, view, &person).one(&chart, &hit.found.shown.id)?;
            rows.push(DayRow { person, visit });
        }
        Ok(rows)
    }
}

fn overlaps(from: Millis, to: Millis) -> Filter {
    Filter { parameter: "date".into(), any: vec![Test::Overlaps { from, to }] }
}

/// Whether an encounter's part belongs to one of some encounters.
pub(super) fn encounter_of(document: &serde_json::Value) -> Option<&str> {
    let of = document["encounter"]["reference"].as_str();
    of?.strip_prefix("Encounter/")
}
