//! Chained parameters (R4 3.1.1.4.9, 3.1.1.4.10): what is asked of the resources that others lead
//! to (`subject:Patient.identifier=7`), and of those that lead to others
//! (`_has:Observation:patient:code=1234`). The inner search is carried out first, as whoever asks
//! may see it, and what it finds is what the outer one looks for: so neither tells of anything
//! that may not be seen.

use std::collections::BTreeSet;

use ondol_fhir::{IndexValue, Limits, ParamKind, Resource, ResourceType, SearchParam, values_of};
use ondol_kernel::ResourceId;
use ondol_store::Found;

use super::{SearchRequest, each_match, look_up, request::Plan};
use crate::rest::{
    criteria::{Criterion, VALUES_MAX},
    error::{ParameterFault, RestError},
    sight::Sight,
};

/// Resources that one step may lead through; beyond that the search is too wide.
const LED_THROUGH_MAX: usize = 10_000;

/// Types that a step without a type may lead to.
const TARGETS_MAX: usize = 12;

/// Steps of one chain, forwards and backwards.
const STEPS_MAX: usize = 3;

/// What is looked up before the search itself can be.
#[derive(Debug, Clone)]
pub(super) enum Chain {
    /// `parameter:Type.rest=value`
    Leads { param: &'static SearchParam, targets: Vec<ResourceType>, rest: String, value: String },
    /// `_has:Type:parameter:rest=value`
    Has { source: ResourceType, param: &'static SearchParam, rest: String, value: String },
    /// `_list=id`
    Listed(Vec<ResourceId>),
}

impl Chain {
    /// Reads `parameter:Type.rest`.
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
            .filter(|kind| inner == "_has" || ondol_fhir::param(*kind, inner).is_some())
            .collect();
        if targets.is_empty() || targets.len() > TARGETS_MAX {
            return Err(fault(ParameterFault::Unknown));
        }
        check_steps(name)?;
        Ok(Self::Leads { param, targets, rest: rest.to_owned(), value: value.to_owned() })
    }

    /// Reads `_has:Type:parameter:rest`.
    pub(super) fn read_has(kind: ResourceType, name: &str, value: &str) -> Result<Self, RestError> {
        let unknown = || RestError::parameter(name, ParameterFault::Unknown);
        let mut parts = name.splitn(4, ':').skip(1);
        let source = parts.next().and_then(ResourceType::from_name).ok_or_else(unknown)?;
        let param = parts
            .next()
            .and_then(|code| ondol_fhir::param(source, code))
            .filter(|param| param.kind == ParamKind::Reference && param.targets.contains(kind))
            .ok_or_else(unknown)?;
        let rest = parts.next().filter(|rest| !rest.is_empty()).ok_or_else(unknown)?;
        let inner = rest.split(['.', ':']).next().unwrap_or_default();
        if inner != "_has" && ondol_fhir::param(source, inner).is_none() {
            return Err(unknown());
        }
        check_steps(name)?;
        Ok(Self::Has { source, param, rest: rest.to_owned(), value: value.to_owned() })
    }

    /// Reads the ids of `_list`.
    pub(super) fn read_list(name: &str, value: &str) -> Result<Self, RestError> {
        let id = |text: &str| {
            let text = text.strip_prefix("List/").unwrap_or(text);
            if text.starts_with('$') {
                // Lists that a server would compute: there are none here.
                return Err(RestError::parameter(name, ParameterFault::Unsupported));
            }
            ResourceId::new(text).map_err(|_| RestError::parameter(name, ParameterFault::Value))
        };
        if value.split(',').count() > VALUES_MAX {
            return Err(RestError::TooCostly);
        }
        Ok(Self::Listed(value.split(',').map(id).collect::<Result<_, _>>()?))
    }

    /// What the outer search of `kind` looks for.
    pub(super) fn met(
        self,
        sight: &mut Sight<'_>,
        kind: ResourceType,
        base: &str,
    ) -> Result<Criterion, RestError> {
        match self {
            Self::Leads { param, targets, rest, value } => {
                let mut references = vec![];
                for target in targets {
                    let pairs = vec![(rest.clone(), value.clone())];
                    each_of(sight, target, pairs, base, |found| {
                        references.push(format!("{target}/{}", found.shown.id));
                        references.len()
                    })?;
                }
                Ok(Criterion::leads_to(param, references))
            }
            Self::Has { source, param, rest, value } => {
                let (mut ids, mut failure) = (BTreeSet::new(), None);
                each_of(sight, source, vec![(rest, value)], base, |found| {
                    if let Err(why) = led_to(&found, param, kind, &mut ids) {
                        failure = Some(why);
                    }
                    ids.len()
                })?;
                failure.map_or(Ok(()), Err)?;
                Ok(Criterion::ids(ids.into_iter().collect()))
            }
            Self::Listed(lists) => {
                let mut ids = BTreeSet::new();
                let item =
                    ondol_fhir::param(ResourceType::List, "item").ok_or(RestError::NotSupported)?;
                for list in lists {
                    if let Some(found) = look_up(sight, ResourceType::List, list.as_str())? {
                        led_to(&found, item, kind, &mut ids)?;
                    }
                }
                Ok(Criterion::ids(ids.into_iter().collect()))
            }
        }
    }
}

fn check_steps(name: &str) -> Result<(), RestError> {
    let steps = name.matches('.').count() + name.matches("_has:").count();
    if steps > STEPS_MAX { Err(RestError::TooCostly) } else { Ok(()) }
}

/// Every match that may be seen; `see` tells how many were found so far.
fn each_of(
    sight: &mut Sight<'_>,
    kind: ResourceType,
    pairs: Vec<(String, String)>,
    base: &str,
    mut see: impl FnMut(Found) -> usize,
) -> Result<(), RestError> {
    let plan = Plan::of(sight, &SearchRequest::of(kind, pairs, base))?;
    let mut is_too_much = false;
    each_match(sight, &plan, |found, _| is_too_much |= see(found) > LED_THROUGH_MAX)?;
    if is_too_much { Err(RestError::TooCostly) } else { Ok(()) }
}

/// The ids of the resources of a type that a parameter of a resource leads to, in any version
/// that stands.
fn led_to(
    found: &Found,
    param: &SearchParam,
    kind: ResourceType,
    ids: &mut BTreeSet<ResourceId>,
) -> Result<(), RestError> {
    for head in std::iter::once(&found.shown).chain(&found.rivals) {
        let Some(text) = head.json() else { continue };
        let resource = Resource::parse_within(text.as_bytes(), Limits::IMPORT)?;
        values_of(&resource, param, 0, |value| {
            if let IndexValue::Reference { kind: Some(of), id: Some(id), url: None, .. } = value
                && of == kind
            {
                ids.extend(ResourceId::new(id));
            }
        });
    }
    Ok(())
}
