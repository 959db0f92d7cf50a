//! The chart as a page shows it.

use std::collections::BTreeSet;

use ondol_access::Action;
use ondol_kernel::{Millis, ResourceId};
use ondol_record::ChartId;
use ondol_store::{Found, Reading, View};

use super::{
    banner::Banner,
    lacks::{self, Lack},
    moving::{self, MovedNote},
    open::{self, OpenWork},
    read::Reader,
    safety::{self, Allergies, Safety},
    views::VisitView,
};
use crate::{
    Actor, App, AppError,
    people::{
        OnePerson, Person, ended_links, facility_name, one_person, open_here, person_of,
        practitioner_name,
    },
    road::{self, Piece},
};

/// Visits on one page of a chart.
pub const VISITS_SHOWN: usize = 20;

/// A chart. It has no `Debug`: it tells of somebody.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own on the page")]
#[derive(Clone)]
pub struct Chart {
    /// Whose it is.
    pub person: Person,
    /// The safety summary; that of linked charts is in it.
    pub safety: Safety,
    /// The name of the home facility; empty if there is none.
    pub home: String,
    /// The names of the section doctors.
    pub doctors: Vec<String>,
    /// What the chart lacks.
    pub lacks: Vec<Lack>,
    /// When the record was put back from a backup, if that was lately: what came before may lack.
    pub put_back: Option<Millis>,
    /// Visits, newest first; those of linked charts are among them.
    pub visits: Vec<VisitView>,
    /// Whether there are older ones.
    pub older: bool,
    /// Other charts of the same person that may be read.
    pub linked: Vec<Person>,
    /// Whether there are linked charts that are not here or may not be read.
    pub linked_elsewhere: bool,
    /// The chart that is in use for this person: this one, or one that took its place.
    pub in_use: ResourceId,
    /// Links that were taken back: the notes of that ([`App::unlinked`]), and when.
    pub ended_links: Vec<(ResourceId, Millis)>,
    /// What waits for somebody.
    pub open: Vec<OpenWork>,
    /// The visit that is open at this facility.
    pub received: Option<ResourceId>,
    /// Visits that were moved from this chart or into it, newest first.
    pub moved: Vec<MovedNote>,
    /// What a computer wrote here, or in a linked chart, after it was stolen or lost, as far as it
    /// is known: to be checked before anybody relies upon it.
    pub doubted: Vec<Piece>,
    /// How many sealed pieces the reader may open here.
    pub sealed: usize,
    /// Whether the reader may write.
    pub may_write: bool,
    /// Whether the reader may certify a death.
    pub may_certify: bool,
    /// Whether the reader may link this chart with another.
    pub may_merge: bool,
}

impl App {
    /// A chart, for whoever may read it, with what other charts of the same person say. `skip`
    /// newest visits are left out, to page on. Each chart that is shown from is read, and that is
    /// recorded.
    pub fn chart(&self, actor: &Actor, id: &ResourceId, skip: usize) -> Result<Chart, AppError> {
        let chart = ChartId::Patient(id.clone());
        let (shown, others) = self.reading(actor, Action::ReadChart, &chart, |view| {
            self.chart_in(view, actor, &chart, id, skip)
        })?;
        self.write_down(others)?;
        Ok(shown)
    }

    /// One visit of a chart, with the banner.
    pub fn visit(
        &self,
        actor: &Actor,
        id: &ResourceId,
        encounter: &ResourceId,
    ) -> Result<(Banner, VisitView), AppError> {
        let chart = ChartId::Patient(id.clone());
        self.reading(actor, Action::ReadChart, &chart, |view| {
            let banner = self.banner_in(view, id)?;
            let visit = Reader::new(self, view, &banner.person).one(&chart, encounter)?;
            Ok((banner, visit))
        })
    }

    /// The safety summary with the banner, for whoever may read that much.
    pub fn safety(&self, actor: &Actor, id: &ResourceId) -> Result<(Banner, Safety), AppError> {
        let chart = ChartId::Patient(id.clone());
        self.reading(actor, Action::ReadSafetySummary, &chart, |view| {
            let banner = self.banner_in(view, id)?;
            let safety = safety::fold(&safety::stated_of_person(view, id)?, self.now())?;
            Ok((banner, safety))
        })
    }

    fn chart_in(
        &self,
        view: &dyn View,
        actor: &Actor,
        chart: &ChartId,
        id: &ResourceId,
        skip: usize,
    ) -> Result<(Chart, Vec<Reading>), AppError> {
        let person = person_of(view, id)?;
        let one = one_person(view, id)?;
        let mut all = safety::stated(view, chart)?;
        let Beside { linked, visited, elsewhere, readings } =
            self.beside(view, actor, (&person, &one), &mut all)?;
        let linked_elsewhere = elsewhere;
        let mut safety = safety::fold(&all, self.now())?;
        if let Allergies::NoneKnown { .. } = safety.allergies
            && linked_elsewhere
        {
            // What another chart says cannot be seen: 'none' would claim too much.
            safety.allergies = Allergies::NotAsked;
        }
        let mut reader = Reader::new(self, view, &person);
        reader.pregnancy = safety.pregnancy;
        let charts: Vec<ChartId> = std::iter::once(chart.clone()).chain(visited).collect();
        let (visits, older) = reader.visits(&charts, skip, VISITS_SHOWN)?;
        let mut doubted = vec![];
        for chart in &charts {
            doubted.extend(road::doubted_in(view, chart)?);
        }
        let home = match &person.home {
            Some(reference) => facility_name(self, view, reference)?,
            None => String::new(),
        };
        let mut doctors = vec![];
        for reference in &person.doctors {
            doctors.push(practitioner_name(view, reference)?);
        }
        doctors.retain(|name| !name.is_empty());
        let shown = Chart {
            home,
            doctors,
            lacks: lacks::of(self, view, chart, &person)?,
            put_back: crate::road::put_back_at(view, self.now())?,
            visits,
            older,
            linked,
            linked_elsewhere,
            in_use: one.living,
            ended_links: ended_links(view, chart)?,
            open: open::for_chart(view, chart)?,
            moved: moving::notes(view, chart)?,
            received: open_here(self, view, chart)?,
            doubted,
            sealed: crate::sealed::count(self, view, actor, chart)?,
            may_write: self.may(view, actor, Action::WriteEntry, chart, None).is_ok(),
            may_certify: self.may(view, actor, Action::CertifyDeath, chart, None).is_ok(),
            may_merge: self.merge_is_possible(view, actor, chart)?,
            safety,
            person,
        };
        Ok((shown, readings))
    }

    /// What stands in the other charts of a person: of those that are linked so that each names
    /// the other, and of those that this one alone names, as far as they may be read.
    fn beside(
        &self,
        view: &dyn View,
        actor: &Actor,
        (person, one): (&Person, &OnePerson),
        all: &mut Vec<Found>,
    ) -> Result<Beside, AppError> {
        let mut beside = Beside::default();
        let named = person.links.iter().map(|link| &link.other);
        let others: BTreeSet<&ResourceId> = one.others(&person.id).chain(named).collect();
        for id in others {
            let other = ChartId::Patient(id.clone());
            let whole = self.other_reading(view, actor, Action::ReadChart, id)?;
            let reading = match whole {
                Some(reading) => {
                    if one.all.contains(id) {
                        beside.visited.push(other.clone());
                    }
                    Some(reading)
                }
                None => self.other_reading(view, actor, Action::ReadSafetySummary, id)?,
            };
            let Some(reading) = reading else {
                beside.elsewhere = true;
                continue;
            };
            beside.readings.push(reading);
            all.extend(safety::stated(view, &other)?);
            beside.linked.push(person_of(view, id)?);
        }
        Ok(beside)
    }
}

/// What stands beside a chart in others of the same person.
#[derive(Default)]
struct Beside {
    linked: Vec<Person>,
    /// The charts whose visits are shown too.
    visited: Vec<ChartId>,
    elsewhere: bool,
    readings: Vec<Reading>,
}
