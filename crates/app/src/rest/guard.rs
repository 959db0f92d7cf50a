//! What no door of the API shows, and what it does not write.

use ondol_fhir::{Resource, ResourceType};
use ondol_store::{Stored, View};
use serde_json::Value;

use super::error::{ElementFault, RestError};
use crate::coding;

/// Whether a resource is an account's: it holds secrets, and nobody may read it, whatever their
/// role (docs/access.md, `read-credentials`). Every version counts, so that a later one without
/// the code opens nothing.
pub(super) fn is_hidden(
    view: &dyn View,
    kind: &str,
    id: &ondol_kernel::ResourceId,
) -> Result<bool, RestError> {
    if kind != ResourceType::Basic.name() {
        return Ok(false);
    }
    Ok(view.history(kind, id)?.iter().any(is_account))
}

fn is_account(version: &Stored) -> bool {
    // Cheap and never too narrow: the code stands in the text of every account.
    version.body.contains(coding::ACCOUNT)
}

/// What begins the systems of codes by which Ondol tells its own resources apart.
const OWN_CODES: &str = "urn:ondol:";

/// Refuses what is written by its own steps only: accounts and their roles, duty, consults and
/// referrals with their steps, alerts, and the audit.
pub(super) fn check_writable(resource: &Resource) -> Result<(), RestError> {
    let kind = resource.resource_type();
    let own_steps = |at: String| Err(RestError::element(at, ElementFault::OwnSteps));
    if kind == ResourceType::AuditEvent {
        return own_steps(kind.name().to_owned());
    }
    let is_told_apart = matches!(
        kind,
        ResourceType::Basic
            | ResourceType::PractitionerRole
            | ResourceType::ServiceRequest
            | ResourceType::Communication
    );
    if !is_told_apart {
        return Ok(());
    }
    for element in ["code", "category"] {
        let systems = resource.get(&format!("{element}.coding.system"));
        if systems.iter().filter_map(|s| s.as_str()).any(|s| s.starts_with(OWN_CODES)) {
            return own_steps(format!("{kind}.{element}"));
        }
    }
    // An account counts wherever its code stands.
    if kind == ResourceType::Basic && resource.to_string().contains(coding::ACCOUNT) {
        return own_steps(kind.name().to_owned());
    }
    Ok(())
}

/// The same for a version that stands: what has its own steps is not changed or taken back
/// beside them.
pub(super) fn check_standing(kind: ResourceType, standing: &Stored) -> Result<(), RestError> {
    let Some(text) = standing.json() else { return Ok(()) };
    match ondol_fhir::parse_json(text.as_bytes(), ondol_fhir::Limits::IMPORT) {
        Ok(Value::Object(body)) => check_writable(&Resource::from_json(Value::Object(body))?),
        _ => Err(RestError::element(kind.name(), ElementFault::OwnSteps)),
    }
}
