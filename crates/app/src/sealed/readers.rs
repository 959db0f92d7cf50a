//! For whom something can be sealed.

use ondol_access::Action;
use ondol_kernel::ResourceId;
use ondol_record::{ChartId, certificate::Tier};
use ondol_store::View;
use serde_json::Value;

use crate::{
    Actor, App, AppError, coding,
    people::{document, facility_name, items, person_of},
};

/// Why a facility is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyReader {
    /// It is the person's home facility.
    Home,
    /// A consult or a referral of this person went there or came from there.
    Asked,
    /// It is a hospital above this facility.
    Above,
}

/// A facility for which something can be sealed, beside this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealReader {
    /// The Organization.
    pub facility: ResourceId,
    /// Its name; empty if that is not here.
    pub name: String,
    /// Why it is offered.
    pub why: WhyReader,
}

impl App {
    /// The facilities for which something in this chart can be sealed, beside this one: those that
    /// treat or may come to treat the person, and whose keys are here.
    pub fn seal_readers(
        &self,
        actor: &Actor,
        patient: &ResourceId,
    ) -> Result<Vec<SealReader>, AppError> {
        let chart = ChartId::Patient(patient.clone());
        let view = self.view()?;
        self.may(&*view, actor, Action::WriteEntry, &chart, None)?;
        offered(self, &*view, patient)
    }
}

pub(super) fn offered(
    app: &App,
    view: &dyn View,
    patient: &ResourceId,
) -> Result<Vec<SealReader>, AppError> {
    let nation = app.nation();
    let mut found: Vec<(ResourceId, WhyReader)> = vec![];
    let person = person_of(view, patient)?;
    found.extend(person.home.as_deref().and_then(facility).map(|id| (id, WhyReader::Home)));
    for request in view.chart(&ChartId::Patient(patient.clone()), &["ServiceRequest"])? {
        if request.is_retracted() {
            continue;
        }
        let request = document(&request)?;
        found.extend(asked(&request).map(|id| (id, WhyReader::Asked)));
    }
    for node in nation.line_up(&app.place.node).iter().skip(1) {
        if nation.tier(node).is_some_and(Tier::treats)
            && let Some(known) = nation.node(node)
        {
            found.push((known.certificate.facility.clone(), WhyReader::Above));
        }
    }
    let mut offered: Vec<SealReader> = vec![];
    for (facility, why) in found {
        let known = nation.serving(&facility).is_some();
        let again = offered.iter().any(|one| one.facility == facility);
        if facility == app.place.facility || again || !known {
            continue;
        }
        let name = facility_name(app, view, &format!("Organization/{facility}"))?;
        offered.push(SealReader { facility, name, why });
    }
    Ok(offered)
}

/// The facilities that a request went to, and the one it came from.
fn asked(request: &Value) -> impl Iterator<Item = ResourceId> {
    let from = items(&request["extension"])
        .filter(|of| of["url"] == coding::ASKED_FROM)
        .map(|of| &of["valueReference"]);
    items(&request["performer"]).chain(from).filter_map(|of| facility(of["reference"].as_str()?))
}

fn facility(reference: &str) -> Option<ResourceId> {
    match ChartId::from_reference(reference)? {
        ChartId::Facility(id) => Some(id),
        _ => None,
    }
}
