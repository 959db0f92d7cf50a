//! Terminology (R4 4.6): what value sets have, whether a code is one, what is known about it.
//! All of it offline; what is not held is said, and never guessed.

mod codes;
mod expand;
mod fault;
mod has;
mod inputs;
mod lookup;
mod members;
mod rule;
mod sources;
mod validate;

use std::rc::Rc;

use ondol_fhir::ResourceType;
use serde_json::Value;

pub use fault::TermFault;
pub use inputs::Inputs;

pub(super) use sources::Terminology;

use super::{error::RestError, sight::Sight};
use crate::{Actor, App};

/// An operation of a terminology service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermQuestion {
    /// `ValueSet/$expand`.
    Expand,
    /// `ValueSet/$validate-code`, `CodeSystem/$validate-code`.
    ValidateCode,
    /// `CodeSystem/$lookup`.
    Lookup,
}

impl App {
    /// Answers a question about terminology: a `ValueSet` or `Parameters` as JSON text. Value
    /// sets and code systems of the record are used as far as the actor may read them.
    ///
    /// # Errors
    ///
    /// [`RestError::Terminology`] for what this node does not hold or cannot follow.
    pub fn rest_terminology(
        &self,
        actor: &Actor,
        question: TermQuestion,
        (kind, id): (ResourceType, Option<&str>),
        mut inputs: Inputs,
    ) -> Result<String, RestError> {
        let (told, seen) = {
            let view = self.view()?;
            let mut sight = Sight::new(self, actor, &*view);
            let mut terms = Terminology::new(&mut sight, true);
            let inputs = &mut inputs;
            let told = match (question, kind) {
                (TermQuestion::Expand, ResourceType::ValueSet) => {
                    expand::expand(&mut terms, id, inputs)
                }
                (TermQuestion::ValidateCode, ResourceType::ValueSet) => {
                    validate::in_value_set(&mut terms, id, inputs)
                }
                (TermQuestion::ValidateCode, ResourceType::CodeSystem) => {
                    validate::in_code_system(&mut terms, id, inputs)
                }
                (TermQuestion::Lookup, ResourceType::CodeSystem) => {
                    lookup::lookup(&mut terms, inputs)
                }
                _ => Err(RestError::NotSupported),
            }?;
            (told.to_string(), sight.seen())
        };
        seen.record(self, actor)?;
        Ok(told)
    }
}

/// Which value set is meant.
enum Named {
    /// By its URL, or by `ValueSet/id`.
    Name(String),
    /// The one that was sent.
    Sent(Value),
}

impl Named {
    fn read(
        id: Option<&str>,
        inputs: &mut Inputs,
        kind: &str,
        sent: &str,
        version: &str,
    ) -> Result<Self, RestError> {
        let url = inputs.text("url")?;
        let resource = inputs.resource(sent, kind)?;
        let version = inputs.text(version)?;
        match (id, url, resource) {
            (Some(id), None, None) => Ok(Self::Name(format!("{kind}/{id}"))),
            (None, Some(url), None) => Ok(Self::Name(match version {
                Some(version) if !url.contains('|') => format!("{url}|{version}"),
                _ => url,
            })),
            (None, None, Some(sent)) => Ok(Self::Sent(sent)),
            (None, None, None) => Err(inputs::missing("url")),
            (_, Some(_), _) => Err(inputs::wrong("url")),
            _ => Err(inputs::wrong(sent)),
        }
    }

    fn set(self, terms: &mut Terminology<'_, '_>) -> Result<Rc<Value>, RestError> {
        match self {
            Self::Name(name) => terms.value_set(&name)?.ok_or_else(|| TermFault::NoSet.into()),
            Self::Sent(set) if expand::says_something(&set) => Ok(Rc::new(set)),
            Self::Sent(_) => Err(TermFault::Says.into()),
        }
    }
}
