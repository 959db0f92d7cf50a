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

/// Refuses what is written by its own steps only: accounts and their roles, consults and
/// referrals with their steps, and the audit.
pub(super) fn check_writable(resource: &Resource) -> Result<(), RestError> {
    let has = |element: &str, system: &str| {
        resource.body().get(element).is_some_and(|value| coding::code_of(value, system).is_some())
    };
    let kind = resource.resource_type();
    let refused = match kind {
        ResourceType::Basic => resource.to_string().contains(coding::ACCOUNT).then_some("code"),
        ResourceType::PractitionerRole => has("code", coding::ROLE).then_some("code"),
        ResourceType::ServiceRequest => {
            has("category", coding::REQUEST_CATEGORY).then_some("category")
        }
        ResourceType::Communication => has("category", coding::STEP).then_some("category"),
        ResourceType::AuditEvent => Some(""),
        _ => None,
    };
    match refused {
        Some("") => Err(RestError::element(kind.name(), ElementFault::OwnSteps)),
        Some(element) => {
            Err(RestError::element(format!("{kind}.{element}"), ElementFault::OwnSteps))
        }
        None => Ok(()),
    }
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
