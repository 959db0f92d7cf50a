//! Who works here: names, roles, specialties and telephone numbers.

use ondol_access::{Action, RoleSet};
use ondol_kernel::ResourceId;
use ondol_record::entry::ChangeKind;
use ondol_store::{Found, View};
use serde_json::Value;

use super::account::{Account, body, name_of, phone_of, roles_of, specialties_of, written_here};
use crate::{Actor, App, AppError};

/// Somebody who works at this facility.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Colleague {
    /// The Practitioner's id.
    pub id: ResourceId,
    /// The name.
    pub name: String,
    /// What the person does here.
    pub roles: RoleSet,
    /// The specialties, as codes of `ondol_terms::specialties`.
    pub specialties: Vec<String>,
    /// The telephone number; empty if none is known.
    pub phone: String,
}

impl Colleague {
    /// `Practitioner/…`.
    pub fn reference(&self) -> String {
        format!("Practitioner/{}", self.id)
    }
}

/// A resource that is not taken back.
pub(super) fn resource(
    view: &(impl View + ?Sized),
    kind: &str,
    id: &ResourceId,
) -> Result<Found, AppError> {
    let found = view.resource(kind, id)?.filter(|found| found.shown.kind == ChangeKind::Put);
    found.ok_or(AppError::NotFound)
}

/// What somebody does here, as this facility wrote it.
pub(super) fn own_role(
    app: &App,
    view: &(impl View + ?Sized),
    id: &ResourceId,
) -> Result<Found, AppError> {
    let found = view.resource("PractitionerRole", id)?;
    found.and_then(|found| written_here(app, found)).ok_or(AppError::NotFound)
}

/// The person of an account.
pub(super) fn person(
    app: &App,
    view: &(impl View + ?Sized),
    account: &Account,
) -> Result<Colleague, AppError> {
    let practitioner = body(&resource(view, "Practitioner", &account.person)?)?;
    let role = body(&own_role(app, view, &account.role)?)?;
    Ok(colleague(account.person.clone(), &practitioner, &role))
}

fn colleague(id: ResourceId, practitioner: &Value, role: &Value) -> Colleague {
    Colleague {
        id,
        name: name_of(practitioner),
        roles: roles_of(role),
        specialties: specialties_of(role),
        phone: phone_of(practitioner),
    }
}

/// Everybody who works here now, by name.
pub(crate) fn colleagues(app: &App, view: &dyn View) -> Result<Vec<Colleague>, AppError> {
    let mut people: Vec<Colleague> = vec![];
    for found in view.chart(&app.facility_chart(), &["PractitionerRole"])? {
        let role = body(&found)?;
        let roles = roles_of(&role);
        let reference = role["practitioner"]["reference"].as_str();
        let id = reference.and_then(|reference| reference.strip_prefix("Practitioner/"));
        let Some(id) = id.and_then(|id| ResourceId::new(id).ok()) else { continue };
        if roles.is_empty() || people.iter().any(|known| known.id == id) {
            continue;
        }
        let Some(found) = view.resource("Practitioner", &id)? else { continue };
        let practitioner = body(&found)?;
        if practitioner["active"] != false {
            people.push(colleague(id, &practitioner, &role));
        }
    }
    people.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(people)
}

impl App {
    /// Everybody who works here now, by name: for rosters, hand-overs and 'who did it'.
    pub fn colleagues(&self, actor: &Actor) -> Result<Vec<Colleague>, AppError> {
        let chart = self.facility_chart();
        self.reading(actor, Action::ReadRoster, &chart, |view| colleagues(self, view))
    }
}
