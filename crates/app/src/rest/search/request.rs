//! What a search asks: its parameters, taken apart and checked.

use ondol_fhir::{ParamKind, Part, ResourceType, SearchParam};
use ondol_kernel::{Millis, ResourceId};

use super::{PageToken, chain::Chain, order::Sort, page::Place, terms::Terms};
use crate::rest::{
    criteria::{Criterion, Reading, Words},
    error::{ParameterFault, RestError},
    sight::Sight,
};

/// Resources of a page where the client asks for no number, and at most.
const COUNT_DEFAULT: usize = 50;
const COUNT_MAX: usize = 1_000;

/// Parameters of one request at most: each may look at the whole type.
const PARAMETERS_MAX: usize = 50;

/// Keys of `_sort` at most.
const SORTS_MAX: usize = 8;

/// The parameters of results and of documents that every type has, as the `CapabilityStatement`
/// names them with their kinds.
pub const COMMON: &[(&str, &str)] = &[
    ("_content", "string"),
    ("_count", "number"),
    ("_elements", "string"),
    ("_has", "string"),
    ("_include", "string"),
    ("_list", "string"),
    ("_revinclude", "string"),
    ("_sort", "string"),
    ("_summary", "string"),
    ("_text", "string"),
    ("_total", "string"),
];

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
    /// Only in this compartment.
    pub within: Option<Within>,
}

/// A compartment that is searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Within {
    /// The type of the one whose compartment it is.
    pub of: ResourceType,
    /// Its id.
    pub id: ResourceId,
    /// All types of the compartment, not the one that is named.
    pub every_type: bool,
}

impl<'a> SearchRequest<'a> {
    /// A search of a type with these parameters, strict, from its beginning.
    pub const fn of(kind: ResourceType, pairs: Vec<(String, String)>, base: &'a str) -> Self {
        Self { kind, pairs, lenient: false, base, page: None, within: None }
    }

    /// The address of the search, below the server's own.
    pub(crate) fn path(&self) -> String {
        match &self.within {
            Some(Within { of, id, every_type: true }) => format!("{of}/{id}/*"),
            Some(Within { of, id, .. }) => format!("{of}/{id}/{}", self.kind),
            None => self.kind.to_string(),
        }
    }
}

/// A search as it is carried out.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) kind: ResourceType,
    pub(super) criteria: Vec<Criterion>,
    /// What is asked of resources that these lead to, or that lead to these.
    pub(super) chains: Vec<Chain>,
    /// Value sets and hierarchies of codes.
    pub(super) terms: Vec<Terms>,
    /// Resources of a page; none if only the total is asked.
    pub(super) count: usize,
    /// Else in the order of arrival.
    pub(super) sorted: Vec<Sort>,
    pub(super) total: bool,
    pub(super) includes: Vec<Include>,
    /// Which part of matches is shown; else all of them.
    pub(super) part: Option<Part>,
    pub(super) after: Option<Place>,
    pub(super) ignored: Vec<String>,
}

/// `_include` or `_revinclude`.
#[derive(Debug, Clone)]
pub(super) struct Include {
    pub(super) reverse: bool,
    /// Again from what was included.
    pub(super) iterate: bool,
    pub(super) source: ResourceType,
    pub(super) params: Vec<&'static SearchParam>,
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
        let app = sight.app;
        let mut plan = Self::read(request, app.utc_offset_minutes(), app.now())?;
        for chain in std::mem::take(&mut plan.chains) {
            plan.criteria.push(chain.met(sight, plan.kind, request.base)?);
        }
        for terms in std::mem::take(&mut plan.terms) {
            plan.criteria.push(terms.met(sight)?);
        }
        Ok(plan)
    }

    pub(super) fn read(
        request: &SearchRequest<'_>,
        utc_offset_minutes: i32,
        now: Millis,
    ) -> Result<Self, RestError> {
        let reading = Reading { base: request.base, utc_offset_minutes, now };
        let mut plan = Self {
            kind: request.kind,
            criteria: vec![],
            chains: vec![],
            terms: vec![],
            count: COUNT_DEFAULT,
            sorted: vec![],
            total: false,
            includes: vec![],
            part: None,
            after: request.page.as_ref().map(|token| token.place.clone()),
            ignored: vec![],
        };
        if request.pairs.len() > PARAMETERS_MAX {
            return Err(RestError::TooCostly);
        }
        if let Some(within) = &request.within {
            let criterion = Criterion::within(request.kind, within.of, &within.id);
            plan.criteria.push(criterion.ok_or(RestError::NotSupported)?);
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
                // Of a search for the total alone nothing is shown, however much is asked.
                Ok(_) if self.count == 0 => {}
                Ok(count) => self.count = count.min(COUNT_MAX),
                Err(_) => return fault(ParameterFault::Value),
            },
            "_sort" => self.sorted = self.sort(value)?,
            "_total" => match value {
                "none" => self.total = false,
                "accurate" | "estimate" => self.total = true,
                _ => return fault(ParameterFault::Value),
            },
            "_summary" => match value {
                "false" => self.part = None,
                "count" => self.count = 0,
                "true" => self.part = Some(Part::Summary),
                "text" => self.part = Some(Part::Text),
                "data" => self.part = Some(Part::Data),
                _ => return fault(ParameterFault::Value),
            },
            "_elements" => match elements(value) {
                Some(names) => self.part = Some(Part::Elements(names)),
                None => return fault(ParameterFault::Value),
            },
            "_text" | "_content" => {
                let words = Words::read(value, name == "_text");
                let words = words.map_err(|fault| RestError::parameter(name, fault))?;
                self.criteria.push(Criterion::words(words));
            }
            "_list" => self.chains.push(Chain::read_list(name, value)?),
            "_contained" if value == "false" => {}
            "_contained" | "_containedType" | "_filter" | "_query" | "_type" | "_score" => {
                return fault(ParameterFault::Unsupported);
            }
            _ if name.starts_with("_has:") => {
                self.chains.push(Chain::read_has(self.kind, name, value)?);
            }
            _ if name == "_has" => return fault(ParameterFault::Unknown),
            _ => return self.take_other(name, value, reading),
        }
        Ok(())
    }

    /// Includes, chains, and the parameters of the type.
    fn take_other(
        &mut self,
        name: &str,
        value: &str,
        reading: &Reading<'_>,
    ) -> Result<(), RestError> {
        let (code, modifier) = match name.split_once(':') {
            Some((code, modifier)) => (code, Some(modifier)),
            None => (name, None),
        };
        if matches!(code, "_include" | "_revinclude") {
            let iterate = match modifier {
                None => false,
                // The name that R4's predecessors had for it.
                Some("iterate" | "recurse") => true,
                Some(_) => return Err(RestError::parameter(name, ParameterFault::Modifier)),
            };
            let include = self.include(code == "_revinclude", iterate, name, value)?;
            self.includes.push(include);
            return Ok(());
        }
        if name.contains('.') {
            self.chains.push(Chain::read(self.kind, name, value)?);
            return Ok(());
        }
        let token = ondol_fhir::param(self.kind, code).filter(|p| p.kind == ParamKind::Token);
        if let Some(terms) = token.and_then(|param| Terms::read(param, name, value)) {
            if value.split(',').any(str::is_empty) {
                return Err(RestError::parameter(name, ParameterFault::Value));
            }
            self.terms.push(terms);
            return Ok(());
        }
        self.criteria.push(Criterion::read(self.kind, name, value, reading)?);
        Ok(())
    }

    /// Parameters with commas between, each the smallest first, or the greatest after a minus.
    fn sort(&self, value: &str) -> Result<Vec<Sort>, RestError> {
        let sorts = value.split(',').map(|text| {
            let (code, descending) = match text.strip_prefix('-') {
                Some(code) => (code, true),
                None => (text, false),
            };
            if code == "_lastUpdated" {
                return Some(Sort { param: None, descending });
            }
            let param = ondol_fhir::param(self.kind, code)?;
            let has_order = !matches!(param.kind, ParamKind::Composite | ParamKind::Special);
            has_order.then_some(Sort { param: Some(param), descending })
        });
        let sorts: Option<Vec<Sort>> = sorts.collect();
        sorts
            .filter(|sorts| sorts.len() <= SORTS_MAX)
            .ok_or_else(|| RestError::parameter("_sort", ParameterFault::Unsupported))
    }

    /// `Observation:subject`, `Observation:subject:Patient`, `Observation:*`, `*`.
    fn include(
        &self,
        reverse: bool,
        iterate: bool,
        name: &str,
        value: &str,
    ) -> Result<Include, RestError> {
        let bad = || RestError::parameter(name, ParameterFault::Value);
        let all = |kind: ResourceType| -> Vec<&'static SearchParam> {
            ondol_fhir::params(kind).iter().filter(|p| p.kind == ParamKind::Reference).collect()
        };
        if value == "*" && !reverse {
            let (source, params) = (self.kind, all(self.kind));
            return Ok(Include { reverse, iterate, source, params, target: None });
        }
        let mut parts = value.split(':');
        let source = parts.next().and_then(ResourceType::from_name).ok_or_else(bad)?;
        let code = parts.next().ok_or_else(bad)?;
        let params = if code == "*" {
            all(source)
        } else {
            all(source).into_iter().filter(|param| param.code == code).collect()
        };
        let target = match parts.next() {
            Some(name) => Some(ResourceType::from_name(name).ok_or_else(bad)?),
            None => None,
        };
        let fits = if iterate {
            true
        } else if reverse {
            params.iter().any(|param| param.targets.contains(self.kind))
                && target.is_none_or(|target| target == self.kind)
        } else {
            source == self.kind
        };
        if parts.next().is_some() || params.is_empty() || !fits {
            return Err(bad());
        }
        Ok(Include { reverse, iterate, source, params, target })
    }
}

/// Names of elements with commas between.
fn elements(value: &str) -> Option<Vec<String>> {
    let name = |text: &str| {
        let is_name = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
        is_name.then(|| text.to_owned())
    };
    // `[x]` of a choice may be written or left out.
    value.split(',').map(|text| name(text.trim().trim_end_matches("[x]"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(query: &str, lenient: bool) -> Result<Plan, RestError> {
        let pairs = pairs_of(query);
        let request = SearchRequest::of(ResourceType::Observation, pairs, "http://a/fhir");
        Plan::read(&SearchRequest { lenient, ..request }, 0, Millis(0))
    }

    #[test]
    fn result_parameters_are_read() {
        let plan = plan(
            "code=a,b&_count=7&_sort=-_lastUpdated&_total=accurate&_include=Observation:subject\
             &_revinclude=Provenance:target:Observation&_format=json",
            false,
        )
        .unwrap();
        assert_eq!((plan.count, plan.total), (7, true));
        assert!(matches!(*plan.sorted, [Sort { param: None, descending: true }]));
        assert_eq!((plan.criteria.len(), plan.includes.len()), (1, 2));
        assert!(!plan.includes[0].reverse && plan.includes[1].reverse);
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name_or_passed_over() {
        for query in [
            "banana=1",
            "_sort=banana",
            "_sort=date,near",
            "_sort=code-value-quantity",
            "subject.banana=x",
            "code.name=x",
            "_has=x",
            "_has:Group:member:code=x",
            "_has:Banana:subject:code=x",
            "_has:DiagnosticReport:result:banana=x",
            "_include:banana=Observation:subject",
            "_list=$current",
            "code:exact=x",
            "subject:in=x",
        ] {
            let Err(RestError::Parameter { name, .. }) = plan(query, false) else {
                panic!("{query} was accepted")
            };
            assert_eq!(query.split('=').next(), Some(name.as_str()));
            assert_eq!(plan(query, true).unwrap().ignored, [name]);
        }
    }

    #[test]
    fn includes_may_go_on_and_may_mean_everything() {
        let plan = plan("_include=*&_include:iterate=Patient:link&_revinclude:iterate=Observation:*&_elements=value[x],code", false)
            .unwrap();
        assert!(plan.includes[0].params.len() > 10 && plan.includes[2].params.len() > 10);
        assert_eq!(
            plan.includes.iter().map(|i| i.iterate).collect::<Vec<_>>(),
            [false, true, true]
        );
        assert_eq!(plan.part, Some(Part::Elements(vec!["value".into(), "code".into()])));
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
            "_elements=a b",
            "_summary=some",
            "_include=Observation:subject:Banana",
            "_include:iterate=Patient:banana",
            "_revinclude=*",
            "code:in=",
            "_list=a b",
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

    proptest::proptest! {
        #[test]
        fn reading_a_search_never_panics(
            name in "(_has:|_include|_list|_sort|_elements|_text|code|date|value-quantity|subject|combo-code-value-quantity)(:[a-zA-Z.:]{1,20}){0,3}",
            value in "\\PC{0,40}",
        ) {
            let request = SearchRequest::of(
                ResourceType::Observation, vec![(name, value)], "http://a/fhir");
            if let Ok(plan) = Plan::read(&request, 540, Millis(1_772_406_000_000)) {
                let _: Vec<_> = plan.criteria.iter().flat_map(Criterion::filters).collect();
            }
        }
    }
}
