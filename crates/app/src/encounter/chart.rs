//! The chart as a page shows it.

use ondol_access::Action;
use ondol_kernel::ResourceId;
use ondol_record::ChartId;
use ondol_store::View;

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
    people::{Person, facility_name, open_here, person_of, practitioner_name},
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
    /// Visits, newest first.
    pub visits: Vec<VisitView>,
    /// Whether there are older ones.
    pub older: bool,
    /// Other charts of the same person that may be read.
    pub linked: Vec<Person>,
    /// Whether there are linked charts that are not here or may not be read.
    pub linked_elsewhere: bool,
    /// What waits for somebody.
    pub open: Vec<OpenWork>,
    /// The visit that is open at this facility.
    pub received: Option<ResourceId>,
    /// Visits that were moved from this chart or into it, newest first.
    pub moved: Vec<MovedNote>,
    /// Whether the reader may write.
    pub may_write: bool,
    /// Whether the reader may link this chart with another.
    pub may_merge: bool,
}

impl App {
    /// A chart, for whoever may read it. `skip` newest visits are left out, to page on.
    pub fn chart(&self, actor: &Actor, id: &ResourceId, skip: usize) -> Result<Chart, AppError> {
        let chart = ChartId::Patient(id.clone());
        self.reading(actor, Action::ReadChart, &chart, |view| {
            self.chart_in(view, actor, &chart, id, skip)
        })
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
            let safety = safety::fold(&safety::stated(view, &chart)?, self.now())?;
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
    ) -> Result<Chart, AppError> {
        let person = person_of(view, id)?;
        let mut all = safety::stated(view, chart)?;
        let (mut linked, mut linked_elsewhere) = (vec![], false);
        for link in &person.links {
            let other = ChartId::Patient(link.other.clone());
            let readable = self.may(view, actor, Action::ReadSafetySummary, &other, None).is_ok();
            match person_of(view, &link.other) {
                Ok(person) if readable => {
                    all.extend(safety::stated(view, &other)?);
                    linked.push(person);
                }
                Ok(_) | Err(AppError::NotFound | AppError::Gone) => linked_elsewhere = true,
                Err(other) => return Err(other),
            }
        }
        let mut safety = safety::fold(&all, self.now())?;
        if let Allergies::NoneKnown { .. } = safety.allergies
            && linked_elsewhere
        {
            // What another chart says cannot be seen: 'none' would claim too much.
            safety.allergies = Allergies::NotAsked;
        }
        let mut reader = Reader::new(self, view, &person);
        reader.pregnancy = safety.pregnancy;
        let (visits, older) = reader.visits(chart, skip, VISITS_SHOWN)?;
        let home = match &person.home {
            Some(reference) => facility_name(self, view, reference)?,
            None => String::new(),
        };
        let mut doctors = vec![];
        for reference in &person.doctors {
            doctors.push(practitioner_name(view, reference)?);
        }
        doctors.retain(|name| !name.is_empty());
        Ok(Chart {
            home,
            doctors,
            lacks: lacks::of(self, view, chart, &person)?,
            visits,
            older,
            linked,
            linked_elsewhere,
            open: open::for_chart(view, chart)?,
            moved: moving::notes(view, chart)?,
            received: open_here(self, view, chart)?,
            may_write: self.may(view, actor, Action::WriteEntry, chart, None).is_ok(),
            may_merge: self.merge_is_possible(view, actor, chart),
            safety,
            person,
        })
    }

    fn merge_is_possible(&self, view: &dyn View, actor: &Actor, chart: &ChartId) -> bool {
        use ondol_access::Denial;
        matches!(
            self.may(view, actor, Action::MergePersons, chart, None),
            Ok(_) | Err(AppError::Denied(Denial::NeedsReason { .. }))
        )
    }
}
