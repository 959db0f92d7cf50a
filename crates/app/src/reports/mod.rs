//! Counts that go up the line: how much was done, never about whom (DESIGN §5).
//!
//! Each node that treats counts its own day and writes the numbers into its facility's chart as
//! a `MeasureReport`, which goes up to the ministry. No name, id or date of a person is in it.

mod read;

use std::{collections::BTreeSet, sync::Arc};

use ondol_access::Action;
use ondol_fhir::Temporal;
use ondol_kernel::{Class, DAY_MS, Date, Millis, ResourceId};
use ondol_record::ChartId;
use ondol_store::{Filter, Order, Query, Space, Stored, Test, View};
use serde_json::{Value, json};

use crate::{Actor, App, AppError, Changes, coding};

pub use read::{Cell, CountRow, Counts, SMALL_MAX};

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

/// How far back a node that never counted looks for visits that were written.
const LOOK_BACK_MS: i64 = 31 * DAY_MS;

impl App {
    /// Writes the counts of today, of yesterday, and of each day for which visits were written
    /// since (forms of a power cut are typed days later), where they changed. Called by the node
    /// every few seconds; it looks at the record at most once a minute, and only if something
    /// happened since.
    ///
    /// A day begins with a report, of noughts if need be: a facility that had nothing to do is
    /// told from one that is silent.
    pub fn count_tick(self: &Arc<Self>) -> Result<(), AppError> {
        if self.practice {
            return Ok(());
        }
        let now = self.now();
        let (today, _) = now.local(self.utc_offset_minutes());
        let looked = self.noted(b"counted")?.unwrap_or(i64::MIN / 2);
        if now.0 - looked < 60_000 && looked <= now.0 {
            return Ok(());
        }
        self.note(b"counted", now.0)?;
        let seen = i64::try_from(self.last_arrival()?).unwrap_or(i64::MAX);
        if self.noted(b"counted-day")? == Some(today.days())
            && self.noted(b"counted-up-to")? == Some(seen)
        {
            return Ok(());
        }
        let since = self.noted(b"counted-at")?.unwrap_or(now.0 - LOOK_BACK_MS);
        let mut days = self.days_of_visits_since(Millis(since), now)?;
        days.extend([Date::from_days(today.days() - 1), Some(today)].into_iter().flatten());
        let mut all_written = true;
        for date in days.into_iter().filter(|date| *date <= today) {
            all_written &= self.count_day(date, now, date == today)?;
        }
        if all_written {
            self.note(b"counted-at", now.0)?;
            self.note(b"counted-day", today.days())?;
            self.note(b"counted-up-to", seen)?;
        }
        Ok(())
    }

    /// The days of care of the visits that were written since. A clock that was set back writes
    /// them earlier than they were looked for, which is why the search begins a day before.
    fn days_of_visits_since(&self, since: Millis, now: Millis) -> Result<BTreeSet<Date>, AppError> {
        let here: Box<str> = self.place.organization().into();
        let written = Test::Overlaps { from: since.plus(-DAY_MS), to: now.plus(DAY_MS) };
        let query = Query {
            resource_type: "Encounter".into(),
            chart: None,
            filters: vec![
                filter("_lastUpdated", written),
                filter("service-provider", Test::Reference(here)),
            ],
            order: Order::Arrival,
            limit: 10_000,
            after: None,
        };
        let mut days = BTreeSet::new();
        for hit in self.view()?.search(&query)?.hits {
            if let Some(start) = self.start(&hit.found.shown)? {
                days.insert(start.local(self.utc_offset_minutes()).0);
            }
        }
        Ok(days)
    }

    /// When an encounter that took place began.
    fn start(&self, encounter: &Stored) -> Result<Option<Millis>, AppError> {
        let body: Value = serde_json::from_str(&encounter.body)
            .map_err(|_| AppError::Unexpected("an encounter"))?;
        let took_place = !matches!(
            body["status"].as_str(),
            Some("planned" | "cancelled" | "entered-in-error") | None
        );
        let start = body["period"]["start"].as_str().and_then(Temporal::parse);
        let start = start.map(|start| start.range(self.utc_offset_minutes()).0);
        Ok(start.filter(|_| took_place))
    }

    /// Counts a day; gives whether the report says what was counted. `begin`: write it also if
    /// there is nothing to tell.
    fn count_day(self: &Arc<Self>, date: Date, now: Millis, begin: bool) -> Result<bool, AppError> {
        let mut counts = {
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
            keep_registered(&mut counts, &body);
            let same =
                counts.iter().all(|(thing, count)| read::count_of(&body, thing) == Some(*count));
            // What says that nothing was done is mended by the first thing that is.
            let idle = THINGS.iter().all(|thing| read::count_of(&body, thing) == Some(0));
            let fresh = !idle && now.0 - found.shown.hlc.millis().0 < AGAIN_MS;
            if same || fresh {
                return Ok(same);
            }
        } else if nothing && !begin {
            return Ok(true);
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
        Ok(true)
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
                vec![
                    filter("date", during.clone()),
                    filter("service-provider", Test::Reference(here)),
                ],
            ),
            "registered" => (
                "Patient",
                vec![
                    filter("_lastUpdated", during.clone()),
                    filter("organization", Test::Reference(here)),
                ],
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
        let day = (from, from.plus(DAY_MS));
        let mut count = 0;
        for hit in view.search(&query)?.hits {
            count += u64::from(match resource_type {
                "Encounter" => self.began(&hit.found.shown, day)?,
                "Patient" => self.was_registered(view, &hit.found.shown, day)?,
                // Charts of others pass through here too: what this node itself wrote counts.
                _ => hit.found.shown.address.stream.origin == self.place.node,
            });
        }
        Ok(count)
    }

    /// Whether an encounter began on a day: one that lasts is counted once.
    fn began(&self, encounter: &Stored, day: (Millis, Millis)) -> Result<bool, AppError> {
        Ok(self.start(encounter)?.is_some_and(|at| day.0 <= at && at < day.1))
    }

    /// Whether a person was registered by this node on a day, rather than changed.
    fn was_registered(
        &self,
        view: &dyn View,
        patient: &Stored,
        day: (Millis, Millis),
    ) -> Result<bool, AppError> {
        let all = view.history("Patient", &patient.id)?;
        let first = all.iter().min_by_key(|version| version.hlc);
        Ok(first.is_some_and(|first| {
            let at = first.hlc.millis();
            first.address.stream.origin == self.place.node && day.0 <= at && at < day.1
        }))
    }

    /// The node itself, as who counts and keeps time.
    pub(crate) fn own_actor(&self) -> Actor {
        Actor::node(self.place.node, &self.place.name)
    }

    fn noted(&self, key: &[u8]) -> Result<Option<i64>, AppError> {
        let value = self.view()?.value(Space::Count, key)?;
        Ok(value.and_then(|bytes| bytes.try_into().ok()).map(i64::from_le_bytes))
    }

    fn note(&self, key: &'static [u8], value: i64) -> Result<(), AppError> {
        ondol_store::transact(&*self.store, move |tx| {
            Ok(tx.set_value(Space::Count, key, Some(&value.to_le_bytes()))?)
        })
    }
}

/// Somebody whose record is changed on a later day is no longer found by the day of the last
/// change: who was counted as registered stays counted.
fn keep_registered(counts: &mut [(&str, u64)], report: &Value) {
    for (thing, count) in counts {
        if *thing == "registered"
            && let Some(known) = read::count_of(report, thing)
        {
            *count = (*count).max(known);
        }
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
