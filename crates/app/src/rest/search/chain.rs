//! Chained parameters (R4 3.1.1.4.9): what is asked of the resources that others lead to, such as
//! `subject:Patient.identifier=7`. The inner search is carried out first, as whoever asks may see
//! it, and its matches are what the outer one looks for.

use ondol_fhir::{ParamKind, ResourceType};

use super::{SearchRequest, request::Plan};
use crate::rest::{
    criteria::Criterion,
    error::{ParameterFault, RestError},
    sight::Sight,
};

/// Resources that one step may lead through; beyond that the search is too wide.
const LED_THROUGH_MAX: usize = 1_000;

/// Types that a step without a type may lead to.
const TARGETS_MAX: usize = 12;

/// Steps of one chain.
const STEPS_MAX: usize = 3;

/// `parameter:Type.rest=value`, read and not yet carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    param: &'static str,
    targets: Vec<ResourceType>,
    rest: String,
    value: String,
}

impl Chain {
    pub(super) fn read(kind: ResourceType, name: &str, value: &str) -> Result<Self, RestError> {
        let fault = |fault| RestError::parameter(name, fault);
        let (step, rest) = name.split_once('.').ok_or(fault(ParameterFault::Unknown))?;
        let (code, named) = match step.split_once(':') {
            Some((code, named)) => (code, Some(named)),
            None => (step, None),
        };
        let param = ondol_fhir::param(kind, code)
            .filter(|param| param.kind == ParamKind::Reference)
            .ok_or(fault(ParameterFault::Unknown))?;
        let named = match named {
            None => None,
            Some(text) => {
                let kind = ResourceType::from_name(text).filter(|k| param.targets.contains(*k));
                Some(kind.ok_or(fault(ParameterFault::Modifier))?)
            }
        };
        let inner = rest.split(['.', ':']).next().unwrap_or_default();
        // Without a type: all that have such a parameter.
        let targets: Vec<ResourceType> = param
            .targets
            .iter()
            .filter(|kind| named.is_none_or(|named| named == *kind))
            .filter(|kind| ondol_fhir::param(*kind, inner).is_some())
            .collect();
        if targets.is_empty() || targets.len() > TARGETS_MAX {
            return Err(fault(ParameterFault::Unknown));
        }
        if name.matches('.').count() > STEPS_MAX {
            return Err(RestError::TooCostly);
        }
        Ok(Self { param: param.code, targets, rest: rest.to_owned(), value: value.to_owned() })
    }

    /// What the outer search looks for: references to everything that fits and may be seen.
    pub(super) fn met(self, sight: &mut Sight<'_>, base: &str) -> Result<Criterion, RestError> {
        let mut references = vec![];
        for kind in self.targets {
            let pairs = vec![(self.rest.clone(), self.value.clone())];
            let request = SearchRequest { kind, pairs, lenient: false, base, page: None };
            let mut plan = Plan::of(sight, &request)?;
            plan.count = LED_THROUGH_MAX;
            let (found, more) = super::page::by_store(sight, &plan)?;
            if more.is_some() {
                return Err(RestError::TooCostly);
            }
            references.extend(found.iter().map(|found| format!("{kind}/{}", found.shown.id)));
        }
        Ok(Criterion::leads_to(self.param, references))
    }
}
