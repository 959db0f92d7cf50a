//! Counts that go up the line: how much was done, never about whom (DESIGN §5).
//!
//! Each node that treats counts its own day and writes the numbers into its facility's chart as
//! a MeasureReport, which goes up to the ministry. No name, id or date of a person is in it.

mod read;

use std::sync::Arc;

use ondol_access::Action;
use ondol_kernel::{Class, DAY_MS, Date, Millis, ResourceId};
use ondol_record::ChartId;
use ondol_store::{Filter, Order, Query, Space, Test, View};
use serde_json::{Value, json};

use crate::{Actor, App, AppError, Changes, coding};

pub use read::{Cell, CountRow, Counts};

/// The measure that these reports are of.
pub const DAILY_WORK: &str = "urn:ondol:measure:daily-work";

/// The system of the counted things' codes.
pub const COUNTED: &str = "urn:ondol:counted";

/// What is counted, in the order of the tables.
pub const THINGS: [&str; 6] =
    ["encounters", "registered", "consults-asked", "consults-answered", "referrals", "emergencies"];

/// A day's numbers are written again at the most this often, ms: on a slow link they are small
/// beside the day's work, and still fresh enough to act on.
const AGAIN_MS: i64 = 30 * 60_000;

impl App {
    /// Writes the counts of today and, once more, of yesterday, where they changed. Called by the
    /// node every few seconds; it looks at the record at most once a minute.
    pub fn count_tick(self: &Arc<Self>) -> Result<(), AppError> {
        if self.practice {
            return Ok(());
        }
        let now = self.now();
        let (today, _) = now.local(self.utc_offset_minutes());
        let looked = self.noted(b"counted")?;
        if now.0 - looked < 60_000 && looked <= now.0 {
            return Ok(());
        }
        self.note_time(b"counted", now)?;
        for date in [Date::from_days(today.days() - 1), Some(today)].into_iter().flatten() {
            self.count_day(date, now)?;
        }
        Ok(())
    }

    fn count_day(self: &Arc<Self>, date: Date, now: Millis) -> Result<(), AppError> {
        let counts = {
            let view = self.view()?;
            let mut counts = vec![];
            for thing in THINGS {
                counts.push((thing, self.count(&*view, thing, date)?));
            }
            counts
        };
        let id = ResourceId::new(&format!("work.{date}.{}", short(&self.place.facility)))
            .map_err(|_| AppError::Unexpected("the id of a report"))?;
        let old = self.view()?.resource("MeasureReport", &id)?;
        let nothing = counts.iter().all(|(_, count)| *count == 0);
        if let Some(found) = &old {
            let body: Value = serde_json::from_str(&found.shown.body)
                .map_err(|_| AppError::Unexpected("a report of counts"))?;
            let same =
                counts.iter().all(|(thing, count)| read::count_of(&body, thing) == Some(*count));
            let fresh = now.0 - found.shown.hlc.millis().0 < AGAIN_MS;
            if same || fresh {
                return Ok(());
            }
        } else if nothing {
            return Ok(());
        }
        let report = self.report(date, now, &counts);
        let (actor, own) = (self.own_actor(), ChartId::Facility(self.place.facility.clone()));
        self.writing(&actor, Action::CountUp, &own, move |_| {
            let mut changes = Changes::new(Class::Routine);
            match &old {
                Some(found) => changes.update(found, report),
                None => changes.create_as(id, report),
            }
            Ok(changes)
        })?;
        Ok(())
    }

    fn report(&self, date: Date, now: Millis, counts: &[(&str, u64)]) -> Value {
        let groups: Vec<Value> = counts
            .iter()
            .map(|(thing, count)| {
                json!({ "code": coding::concept(COUNTED, thing), "population": [{ "count": count }] })
            })
            .collect();
        json!({
            "resourceType": "MeasureReport", "status": "complete", "type": "summary",
            "measure": DAILY_WORK, "date": now.to_fhir(self.utc_offset_minutes()),
            "reporter": { "reference": self.place.organization() },
            "period": { "start": date.to_string(), "end": date.to_string() },
            "group": groups
        })
    }

    /// Counts one thing of one day at this facility.
    fn count(&self, view: &dyn View, thing: &str, date: Date) -> Result<u64, AppError> {
        let from = Millis(date.days() * DAY_MS - i64::from(self.utc_offset_minutes()) * 60_000);
        let during = Test::Overlaps { from, to: from.plus(DAY_MS) };
        let here: Box<str> = self.place.organization().into();
        let category = |code: &str| token("category", coding::REQUEST_CATEGORY, code);
        let (resource_type, filters) = match thing {
            "encounters" => (
                "Encounter",
                vec![filter("date", during), filter("service-provider", Test::Reference(here))],
            ),
            "registered" => (
                "Patient",
                vec![filter("_lastUpdated", during), filter("organization", Test::Reference(here))],
            ),
            "consults-asked" => {
                ("ServiceRequest", vec![filter("authored", during), category(coding::CONSULT)])
            }
            "referrals" => {
                ("ServiceRequest", vec![filter("authored", during), category(coding::REFERRAL)])
            }
            "emergencies" => (
                "ServiceRequest",
                vec![
                    filter("authored", during),
                    category(coding::CONSULT),
                    filter("priority", Test::Token { system: None, code: Some("stat".into()) }),
                ],
            ),
            _ => (
                "Communication",
                vec![filter("sent", during), token("category", coding::STEP, "answer")],
            ),
        };
        let query = Query {
            resource_type: resource_type.into(),
            chart: None,
            filters,
            order: Order::Arrival,
            limit: 10_000,
            after: None,
        };
        if matches!(resource_type, "ServiceRequest" | "Communication") {
            return self.count_own(view, &query);
        }
        Ok(view.count(&query)?)
    }

    /// Counts what this node itself wrote: charts of others pass through here too.
    fn count_own(&self, view: &dyn View, query: &Query) -> Result<u64, AppError> {
        let hits = view.search(query)?.hits;
        let own = hits.iter().filter(|h| h.found.shown.address.stream.origin == self.place.node);
        Ok(own.count() as u64)
    }

    /// The node itself, as who counts and keeps time.
    pub(crate) fn own_actor(&self) -> Actor {
        Actor::node(self.place.node, &self.place.name)
    }

    fn noted(&self, key: &[u8]) -> Result<i64, AppError> {
        let value = self.view()?.value(Space::Count, key)?;
        Ok(value.and_then(|bytes| bytes.try_into().ok()).map_or(i64::MIN / 2, i64::from_le_bytes))
    }

    fn note_time(&self, key: &'static [u8], now: Millis) -> Result<(), AppError> {
        ondol_store::transact(&*self.store, move |tx| {
            Ok(tx.set_value(Space::Count, key, Some(&now.0.to_le_bytes()))?)
        })
    }
}

/// The first characters of an id: enough to tell one facility's reports from another's, since
/// the whole id stands in the reporter.
fn short(id: &ResourceId) -> String {
    let hash = blake3::hash(id.as_str().as_bytes());
    ondol_kernel::bytes::to_hex(&hash.as_bytes()[..8])
}

fn filter(parameter: &str, test: Test) -> Filter {
    Filter { parameter: parameter.into(), any: vec![test] }
}

fn token(parameter: &str, system: &str, code: &str) -> Filter {
    filter(parameter, Test::Token { system: Some(system.into()), code: Some(code.into()) })
}
