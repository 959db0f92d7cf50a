//! What a search asks: its parameters, taken apart and checked.

use ondol_fhir::{ParamKind, ResourceType};

use super::{PageToken, chain::Chain, page::Place};
use crate::rest::{
    criteria::{Criterion, Reading},
    error::{ParameterFault, RestError},
    sight::Sight,
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
    /// What is asked of resources that these lead to.
    pub(super) chains: Vec<Chain>,
    /// Resources of a page; none if only the total is asked.
    pub(super) count: usize,
    /// Else in the order of arrival.
    pub(super) sorted: Option<Sort>,
    pub(super) total: bool,
    pub(super) includes: Vec<Include>,
    pub(super) after: Option<Place>,
    pub(super) ignored: Vec<String>,
}

/// `_sort`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// By the time of writing.
    Written { newest_first: bool },
    /// By a parameter of times.
    Time { parameter: &'static str, newest_first: bool },
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
    /// What a request asks. What it asks of others that resources lead to is looked up now, as
    /// far as it may be seen.
    pub(super) fn of(
        sight: &mut Sight<'_>,
        request: &SearchRequest<'_>,
    ) -> Result<Self, RestError> {
        let mut plan = Self::read(request, sight.app.utc_offset_minutes())?;
        for link in std::mem::take(&mut plan.chains) {
            plan.criteria.push(link.met(sight, request.base)?);
        }
        Ok(plan)
    }

    pub(super) fn read(
        request: &SearchRequest<'_>,
        utc_offset_minutes: i32,
    ) -> Result<Self, RestError> {
        let reading = Reading { base: request.base, utc_offset_minutes };
        let mut plan = Self {
            chains: vec![],
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
            "_sort" => match self.sort(value) {
                Some(sort) => self.sorted = Some(sort),
                None => return fault(ParameterFault::Unsupported),
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
            _ if name.starts_with("_has:") => return fault(ParameterFault::Unsupported),
            _ if name.starts_with("_include:") || name.starts_with("_revinclude:") => {
                return fault(ParameterFault::Modifier);
            }
            _ if name.contains('.') => self.chains.push(Chain::read(self.kind, name, value)?),
            _ => self.criteria.push(Criterion::read(self.kind, name, value, reading)?),
        }
        Ok(())
    }

    /// One time, earliest first, or newest first after a minus.
    fn sort(&self, value: &str) -> Option<Sort> {
        let (code, newest_first) = match value.strip_prefix('-') {
            Some(code) => (code, true),
            None => (value, false),
        };
        if code == "_lastUpdated" {
            return Some(Sort::Written { newest_first });
        }
        let param = ondol_fhir::param(self.kind, code)?;
        let is_time = param.kind == ParamKind::Date;
        is_time.then_some(Sort::Time { parameter: param.code, newest_first })
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
        Plan::read(&SearchRequest { kind, pairs, lenient, base: "http://a/fhir", page: None }, 0)
    }

    #[test]
    fn result_parameters_are_read() {
        let plan = plan(
            "code=a,b&_count=7&_sort=-_lastUpdated&_total=accurate&_include=Observation:subject\
             &_revinclude=Provenance:target:Observation&_format=json",
            false,
        )
        .unwrap();
        assert_eq!(
            (plan.count, plan.sorted, plan.total),
            (7, Some(Sort::Written { newest_first: true }), true)
        );
        assert_eq!((plan.criteria.len(), plan.includes.len()), (1, 2));
        assert!(!plan.includes[0].reverse && plan.includes[1].reverse);
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name_or_passed_over() {
        for query in [
            "banana=1",
            "_sort=code",
            "_sort=date,code",
            "_elements=code",
            "subject.banana=x",
            "code.name=x",
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
