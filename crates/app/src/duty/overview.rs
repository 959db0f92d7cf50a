//! Who is on duty: here, above, below.

use ondol_access::Action;
use ondol_kernel::{Millis, ResourceId};
use ondol_record::ChartId;
use ondol_store::View;

use super::{Duty, Mark, Service, roster};
use crate::{Actor, App, AppError};

/// The duties of a facility.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacilityDuty {
    /// The Organization.
    pub facility: ResourceId,
    /// Its name, as far as it is known here.
    pub name: String,
    /// One for each service; none if the facility has no roster.
    pub duties: Vec<Duty>,
}

impl FacilityDuty {
    /// The services on which nobody can be counted.
    pub fn gaps(&self) -> impl Iterator<Item = &Duty> {
        self.duties.iter().filter(|duty| duty.gap.is_some())
    }
}

fn duties(view: &dyn View, chart: &ChartId, at: Millis) -> Result<Vec<Duty>, AppError> {
    let services = roster::services(view, chart)?;
    fold(view, chart, &services, at)
}

fn fold(
    view: &dyn View,
    chart: &ChartId,
    services: &[Service],
    at: Millis,
) -> Result<Vec<Duty>, AppError> {
    if services.is_empty() {
        return Ok(vec![]);
    }
    let turns = roster::turns(view, chart, at, at.plus(1))?;
    let marks = roster::marks(view, chart)?.into_iter();
    let marks: Vec<Mark> = marks.map(|(mark, _)| mark).collect();
    Ok(services.iter().map(|service| Duty::of(service, &turns, &marks, at)).collect())
}

impl App {
    /// Who is on duty for a service of a facility; `None` if its roster is not here or has no
    /// such service.
    pub fn on_duty(
        &self,
        actor: &Actor,
        facility: &ResourceId,
        service: &str,
        at: Millis,
    ) -> Result<Option<Duty>, AppError> {
        let chart = ChartId::Facility(facility.clone());
        self.reading(actor, Action::ReadRoster, &chart, |view| {
            self.duty_at(view, facility, service, at)
        })
    }

    /// The same for what the node does by itself, as to pass on a consult that nobody took.
    #[allow(clippy::unused_self, reason = "it is asked like the use cases beside it")]
    pub(crate) fn duty_at(
        &self,
        view: &dyn View,
        facility: &ResourceId,
        service: &str,
        at: Millis,
    ) -> Result<Option<Duty>, AppError> {
        let chart = ChartId::Facility(facility.clone());
        let mut services = roster::services(view, &chart)?;
        services.retain(|known| known.code == service);
        Ok(fold(view, &chart, &services, at)?.into_iter().next())
    }

    /// All services of a facility.
    pub fn duties(&self, actor: &Actor, facility: &ResourceId) -> Result<Vec<Duty>, AppError> {
        let chart = ChartId::Facility(facility.clone());
        self.reading(actor, Action::ReadRoster, &chart, |view| duties(view, &chart, self.now()))
    }

    /// The services for which somebody has checked in here: for them the alarm sounds.
    pub fn services_of(&self, actor: &Actor) -> Result<Vec<String>, AppError> {
        let duties = duties(&*self.view()?, &self.facility_chart(), self.now())?;
        let me = actor.reference();
        let own = duties.into_iter().filter(|duty| duty.is_present(&me));
        Ok(own.map(|duty| duty.service).collect())
    }

    /// The duties of the facility above this one, if its node is known.
    pub fn duties_above(&self, actor: &Actor) -> Result<Option<FacilityDuty>, AppError> {
        let nation = self.nation();
        let above = nation.parent().and_then(|node| nation.node(&node));
        above.map(|known| self.duties_at(actor, &known.certificate.facility)).transpose()
    }

    fn duties_at(&self, actor: &Actor, facility: &ResourceId) -> Result<FacilityDuty, AppError> {
        let chart = ChartId::Facility(facility.clone());
        self.reading(actor, Action::ReadRoster, &chart, |view| {
            let name = match view.resource("Organization", facility)? {
                Some(found) => name_of(&found.shown.body),
                None => facility.to_string(),
            };
            let duties = duties(view, &chart, self.now())?;
            Ok(FacilityDuty { facility: facility.clone(), name, duties })
        })
    }

    /// The duties of the facilities below this one, those with gaps first.
    pub fn duties_below(&self, actor: &Actor) -> Result<Vec<FacilityDuty>, AppError> {
        let nation = self.nation();
        let own = &self.place.facility;
        let mut below: Vec<ResourceId> = nation
            .nodes()
            .map(|node| node.facility.clone())
            .filter(|facility| facility != own && nation.is_below(facility))
            .collect();
        below.sort();
        let mut found = vec![];
        for facility in below {
            found.push(self.duties_at(actor, &facility)?);
        }
        found.sort_by_key(|one| (one.gaps().next().is_none(), one.name.clone()));
        Ok(found)
    }
}

fn name_of(organization: &str) -> String {
    let organization: serde_json::Value =
        serde_json::from_str(organization).unwrap_or(serde_json::Value::Null);
    organization["name"].as_str().unwrap_or_default().to_owned()
}
