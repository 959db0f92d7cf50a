//! What a search asks: its parameters, taken apart and checked.

use ondol_fhir::{ParamKind, ResourceType};

use super::{PageToken, page::Place};
use crate::rest::{
    criteria::{Criterion, Reading},
    error::{ParameterFault, RestError},
};

/// Resources of a page where the client asks for no number, and at most.
const COUNT_DEFAULT: usize = 50;
const COUNT_MAX: usize = 1_000;

/// Parameters of one request at most: each may look at the whole type.
const PARAMETERS_MAX: usize = 50;

/// The parameters of results that every type has, as the
/// `CapabilityStatement` names them.
pub const COMMON: &[&str] = &["_count", "_sort", "_total", "_summary", "_include", "_revinclude"];

/// A search as it came.
#[derive(Debug, Clone)]
pub struct SearchRequest<'a> {
    /// The type.
    pub kind: ResourceType,
    /// Names and values, decoded, in their order. `_format` and `_pretty` may be among them.
    pub pairs: Vec<(String, String)>,
    /// `Prefer: handling=lenient`: what is not known is passed over instead of refused.
    pub lenient: bool,
    /// This server's address, without a slash at its end.
    pub base: &'a str,
    /// A place where an earlier page ended.
    pub page: Option<PageToken>,
}

/// A search as it is carried out.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) kind: ResourceType,
    pub(super) criteria: Vec<Criterion>,
    /// Resources of a page; none if only the total is asked.
    pub(super) count: usize,
    /// By the time of writing: newest first or oldest first. Else in the order of arrival.
    pub(super) sorted: Option<bool>,
    pub(super) total: bool,
    pub(super) includes: Vec<Include>,
    pub(super) after: Option<Place>,
    pub(super) ignored: Vec<String>,
}

/// `_include` or `_revinclude`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Include {
    pub(super) reverse: bool,
    pub(super) source: ResourceType,
    pub(super) param: &'static str,
    pub(super) target: Option<ResourceType>,
}

/// Names and values of a query string.
pub fn pairs_of(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

impl Plan {
    pub(super) fn of(
        request: &SearchRequest<'_>,
        utc_offset_minutes: i32,
    ) -> Result<Self, RestError> {
        let reading = Reading { base: request.base, utc_offset_minutes };
        let mut plan = Self {
            kind: request.kind,
            criteria: vec![],
            count: COUNT_DEFAULT,
            sorted: None,
            total: false,
            includes: vec![],
            after: request.page.as_ref().map(|token| token.place.clone()),
            ignored: vec![],
        };
        if request.pairs.len() > PARAMETERS_MAX {
            return Err(RestError::TooCostly);
        }
        for (name, value) in &request.pairs {
            match plan.take(name, value, &reading) {
                Err(RestError::Parameter { name, fault })
                    if request.lenient && fault != ParameterFault::Value =>
                {
                    plan.ignored.push(name);
                }
                other => other?,
            }
        }
        Ok(plan)
    }

    fn take(&mut self, name: &str, value: &str, reading: &Reading<'_>) -> Result<(), RestError> {
        let fault = |fault| Err(RestError::parameter(name, fault));
        match name {
            "_format" | "_pretty" => {}
            "_count" => match value.parse::<usize>() {
                Ok(count) => self.count = count.min(COUNT_MAX),
                Err(_) => return fault(ParameterFault::Value),
            },
            "_sort" => match value {
                "_lastUpdated" => self.sorted = Some(false),
                "-_lastUpdated" => self.sorted = Some(true),
                _ => return fault(ParameterFault::Unsupported),
            },
            "_total" => match value {
                "none" => self.total = false,
                "accurate" | "estimate" => self.total = true,
                _ => return fault(ParameterFault::Value),
            },
            "_summary" => match value {
                "false" => {}
                "count" => self.count = 0,
                "true" | "text" | "data" => return fault(ParameterFault::Unsupported),
                _ => return fault(ParameterFault::Value),
            },
            "_include" | "_revinclude" => {
                let include = self.include(name == "_revinclude", name, value)?;
                self.includes.push(include);
            }
            "_elements" | "_contained" | "_containedType" | "_has" | "_list" | "_text"
            | "_content" | "_filter" | "_query" | "_type" | "_score" => {
                return fault(ParameterFault::Unsupported);
            }
            _ if name.contains('.') || name.starts_with("_has:") => {
                return fault(ParameterFault::Unsupported);
            }
            _ if name.starts_with("_include:") || name.starts_with("_revinclude:") => {
                return fault(ParameterFault::Modifier);
            }
            _ => self.criteria.push(Criterion::read(self.kind, name, value, reading)?),
        }
        Ok(())
    }

    /// `Observation:subject`, `Observation:subject:Patient`.
    fn include(&self, reverse: bool, name: &str, value: &str) -> Result<Include, RestError> {
        let bad = || RestError::parameter(name, ParameterFault::Value);
        let mut parts = value.split(':');
        let source = parts.next().and_then(ResourceType::from_name).ok_or_else(bad)?;
        let code = parts.next().ok_or_else(bad)?;
        let param = ondol_fhir::param(source, code)
            .filter(|param| param.kind == ParamKind::Reference)
            .ok_or_else(bad)?;
        let target = match parts.next() {
            Some(name) => Some(ResourceType::from_name(name).ok_or_else(bad)?),
            None => None,
        };
        let fits = if reverse {
            param.targets.contains(self.kind) && target.is_none_or(|t| t == self.kind)
        } else {
            source == self.kind
        };
        if parts.next().is_some() || !fits {
            return Err(bad());
        }
        Ok(Include { reverse, source, param: param.code, target })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(query: &str, lenient: bool) -> Result<Plan, RestError> {
        let pairs = pairs_of(query);
        let kind = ResourceType::Observation;
        Plan::of(&SearchRequest { kind, pairs, lenient, base: "http://a/fhir", page: None }, 0)
    }

    #[test]
    fn result_parameters_are_read() {
        let plan = plan(
            "code=a,b&_count=7&_sort=-_lastUpdated&_total=accurate&_include=Observation:subject\
             &_revinclude=Provenance:target:Observation&_format=json",
            false,
        )
        .unwrap();
        assert_eq!((plan.count, plan.sorted, plan.total), (7, Some(true), true));
        assert_eq!((plan.criteria.len(), plan.includes.len()), (1, 2));
        assert!(!plan.includes[0].reverse && plan.includes[1].reverse);
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name_or_passed_over() {
        for query in [
            "banana=1",
            "_sort=date",
            "_elements=code",
            "subject.name=x",
            "_has:Group:member:code=x",
            "_include:iterate=Observation:subject",
            "code:in=x",
        ] {
            let Err(RestError::Parameter { name, .. }) = plan(query, false) else {
                panic!("{query} was accepted")
            };
            assert_eq!(query.split('=').next(), Some(name.as_str()));
            assert_eq!(plan(query, true).unwrap().ignored, [name]);
        }
    }

    #[test]
    fn a_value_of_the_wrong_form_is_refused_even_leniently() {
        for query in [
            "date=tomorrow",
            "_count=many",
            "_include=Patient:organization",
            "_include=Observation:code",
            "_revinclude=Encounter:practitioner",
            "_total=all",
        ] {
            assert!(
                matches!(
                    plan(query, true),
                    Err(RestError::Parameter { fault: ParameterFault::Value, .. })
                ),
                "{query}"
            );
        }
    }
}
