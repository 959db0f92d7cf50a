//! `$validate`: says what a write would be refused for, and writes nothing.

use ondol_fhir::{
    Limits, Resource, ResourceType, Severity, validate,
    views::{OutcomeBuilder, outcome_of},
};
use ondol_kernel::ResourceId;
use serde_json::Value;

use super::{
    error::{ElementFault, ParameterFault, RestError},
    write::{Verb, Write, prepare},
};
use crate::{Actor, App};

/// What a resource is to be fit for (R4 `resource-validation-mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Create,
    Update,
    Delete,
    /// The content alone.
    Profile,
}

/// What is asked.
#[derive(Debug)]
pub struct Validation {
    kind: ResourceType,
    id: Option<ResourceId>,
    resource: Option<Resource>,
    mode: Option<Mode>,
}

/// Where the base definitions of R4 are.
const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";

impl Validation {
    /// Reads a request to `Type/$validate` or, with an id, `Type/id/$validate`: the body is the
    /// resource itself or `Parameters` with `resource`, `mode` and `profile`; the last two may
    /// also stand in the query.
    pub fn read(
        kind: ResourceType,
        id: Option<ResourceId>,
        body: Option<Resource>,
        query: &[(&str, &str)],
    ) -> Result<Self, RestError> {
        let mut asked = Self { kind, id, resource: None, mode: None };
        for (name, value) in query {
            asked.parameter(name, value)?;
        }
        match body {
            Some(body) if body.resource_type() == ResourceType::Parameters => {
                asked.parameters(body)?;
            }
            body => asked.resource = body,
        }
        Ok(asked)
    }

    fn parameters(&mut self, body: Resource) -> Result<(), RestError> {
        let wrong = |name: &str| RestError::parameter(name, ParameterFault::Value);
        let Value::Object(mut body) = body.into_json() else { return Err(wrong("parameter")) };
        let parts = match body.remove("parameter") {
            Some(Value::Array(parts)) => parts,
            None => vec![],
            Some(_) => return Err(wrong("parameter")),
        };
        for mut part in parts {
            let name = part.get("name").and_then(Value::as_str).unwrap_or("").to_owned();
            if name == "resource" {
                let resource = part.get_mut("resource").map(Value::take);
                let resource = resource.ok_or_else(|| wrong("resource"))?;
                self.resource = Some(Resource::from_json(resource)?);
                continue;
            }
            let value = ["valueCode", "valueUri", "valueCanonical", "valueString"]
                .into_iter()
                .find_map(|key| part.get(key).and_then(Value::as_str));
            self.parameter(&name, value.ok_or_else(|| wrong(&name))?)?;
        }
        Ok(())
    }

    fn parameter(&mut self, name: &str, value: &str) -> Result<(), RestError> {
        match name {
            "mode" => {
                self.mode = Some(match value {
                    "create" => Mode::Create,
                    "update" => Mode::Update,
                    "delete" => Mode::Delete,
                    "profile" => Mode::Profile,
                    _ => return Err(RestError::parameter(name, ParameterFault::Value)),
                });
                Ok(())
            }
            // The base definition is what everything is validated against.
            "profile" if value.strip_prefix(BASE) == Some(self.kind.name()) => Ok(()),
            "profile" => Err(RestError::parameter(name, ParameterFault::Unsupported)),
            _ => Err(RestError::parameter(name, ParameterFault::Unknown)),
        }
    }
}

impl App {
    /// The `OperationOutcome` of a validation. Without a resource the one that stands under the id
    /// is validated, which is a reading like any other.
    pub fn rest_validate(&self, actor: &Actor, asked: Validation) -> Result<Resource, RestError> {
        let Validation { kind, id, resource, mode } = asked;
        let standing = match (&id, &resource, mode) {
            (Some(id), None, _) | (Some(id), _, Some(Mode::Delete)) => {
                let answer = self.rest_read(actor, kind, id)?;
                Some(Resource::parse_within(answer.json.as_bytes(), Limits::IMPORT)?)
            }
            (None, None, _) => {
                return Err(RestError::parameter("resource", ParameterFault::Value));
            }
            _ => None,
        };
        if mode == Some(Mode::Delete) {
            let write = Write {
                at: None,
                verb: Verb::Delete { id: id.clone().ok_or_else(|| missing(kind))? },
                kind,
                full_url: None,
                if_match: None,
            };
            return Ok(outcome(write, &[]));
        }
        let Some(resource) = resource.or(standing) else {
            return Err(RestError::parameter("resource", ParameterFault::Value));
        };
        let issues = validate(&resource);
        let verb = match (mode, id) {
            (Some(Mode::Profile), _) => None,
            (Some(Mode::Update) | None, Some(id)) => Some(Verb::Update { id, resource }),
            // At the type an update is one of the resource's own id.
            (Some(Mode::Update), None) => {
                let own = resource.id().and_then(|id| ResourceId::new(id).ok());
                Some(Verb::Update { id: own.ok_or_else(|| missing(kind))?, resource })
            }
            _ => Some(Verb::Create { resource, if_none_exist: None }),
        };
        Ok(match verb {
            None => outcome_of(&issues),
            Some(verb) => {
                let write = Write { at: None, verb, kind, full_url: None, if_match: None };
                outcome(write, &issues)
            }
        })
    }
}

fn missing(kind: ResourceType) -> RestError {
    RestError::element(format!("{kind}.id"), ElementFault::IdMissing)
}

/// What the write would be refused for, besides what is wrong with the content.
fn outcome(mut write: Write, issues: &[ondol_fhir::Issue]) -> Resource {
    let Err(why) = prepare(&mut write) else { return outcome_of(issues) };
    let mut outcome = OutcomeBuilder::default();
    let refused = why.outcome();
    let place = refused.get_str("issue.expression").map(str::to_owned);
    let kind = refused.get_str("issue.code").unwrap_or("invalid");
    outcome.push(Severity::Error, kind, why.code(), &why.to_string(), place.as_deref());
    for issue in issues {
        let (code, kind) = (issue.code.code(), issue.code.issue_type());
        outcome.push(issue.severity, kind, code, &issue.diagnostics, Some(&issue.location));
    }
    outcome.build()
}
