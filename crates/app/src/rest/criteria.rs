//! Search parameters of a request: what each asks, as tests for the store and as a test of the
//! values of a resource (R4 3.1.1.4, 3.1.1.5).

mod document;
mod near;
mod test;
mod value;

use ondol_fhir::{IndexValue, ParamKind, Resource, ResourceType, SearchParam, values_of};
use ondol_kernel::{Millis, ResourceId};
use ondol_store::{Filter, Test, Unit};

pub(super) use self::document::Words;
use self::{
    near::Near,
    test::{fits, tests_of},
    value::{split, wanted},
};
use super::{
    error::{ParameterFault, RestError},
    number::Span,
};

/// The beginning and end of time, for open ends.
pub(super) const ALWAYS: (Millis, Millis) = (Millis(i64::MIN), Millis(i64::MAX));

/// Values of one parameter at most: each may be a look-up of its own.
pub(super) const VALUES_MAX: usize = 200;

/// Up to so many characters the store alone decides how a text begins.
const BEGINS_MAX: usize = 120;

/// How a value is compared (R4 3.1.1.4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    Eq,
    Ne,
    Gt,
    Lt,
    Ge,
    Le,
    Sa,
    Eb,
    Ap,
}

impl Prefix {
    fn split(text: &str) -> (Self, &str) {
        let known = [
            ("eq", Self::Eq),
            ("ne", Self::Ne),
            ("gt", Self::Gt),
            ("lt", Self::Lt),
            ("ge", Self::Ge),
            ("le", Self::Le),
            ("sa", Self::Sa),
            ("eb", Self::Eb),
            ("ap", Self::Ap),
        ];
        known
            .into_iter()
            .find_map(|(word, prefix)| Some((prefix, text.strip_prefix(word)?)))
            .unwrap_or((Self::Eq, text))
    }
}

/// One value that would do.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wanted {
    Begins(String),
    Contains(String),
    Exact(String),
    Token {
        system: Option<Box<str>>,
        code: Option<Box<str>>,
    },
    /// The words beside a code begin so (`:text`), folded.
    Worded(String),
    /// An identifier of a type (`:of-type`).
    OfType {
        system: Box<str>,
        code: Box<str>,
        value: Box<str>,
    },
    /// Any of these texts: `Type/id` or a URL.
    Reference(Vec<String>),
    /// The identifier of a logical reference.
    Logical {
        system: Option<Box<str>>,
        value: Box<str>,
    },
    /// A span of time; for `ap` widened already.
    Time {
        prefix: Prefix,
        from: Millis,
        to: Millis,
    },
    Number {
        prefix: Prefix,
        span: Span,
    },
    Quantity {
        prefix: Prefix,
        span: Span,
        /// The unit as it is written.
        unit: Option<Unit>,
        /// The span in the canonical unit, for a unit of UCUM: what can be converted into it is
        /// found too. What has more digits than are converted is still found as it is written.
        canonical: Option<(Span, Unit)>,
    },
    Uri(String),
    /// This URL, or one that it stands below (`:above`).
    Above(String),
    /// This URL, or one that stands below it (`:below`).
    Below(String),
    Id(Option<ResourceId>),
    /// A value for each component of a composite parameter.
    Together(Vec<Wanted>),
    Near(Near),
}

/// System and code, either of which may be any.
pub(super) type Code = (Option<Box<str>>, Option<Box<str>>);

/// What is asked of the values of a parameter: any of some does.
#[derive(Debug, Clone)]
struct Asked {
    param: &'static SearchParam,
    /// None of the values may be there (`:not`).
    negated: bool,
    /// There is a value, or none (`:missing`).
    present: Option<bool>,
    any: Vec<Wanted>,
}

/// One parameter of a request.
#[derive(Debug, Clone)]
pub(super) struct Criterion(What);

#[derive(Debug, Clone)]
enum What {
    Values(Asked),
    /// One of these resources.
    Ids(Vec<ResourceId>),
    /// In somebody's compartment: any of these parameters leads there, or it is the one itself.
    Within {
        params: Vec<&'static str>,
        reference: String,
        own: Option<ResourceId>,
    },
    /// Words of the document (`_text`, `_content`).
    Words(Words),
}

impl Criterion {
    /// Reads `name[:modifier]=value`. `base` is this server's own address, so that absolute
    /// references to it are known.
    pub(super) fn read(
        resource: ResourceType,
        name: &str,
        value: &str,
        reading: &Reading<'_>,
    ) -> Result<Self, RestError> {
        let (code, modifier) = match name.split_once(':') {
            Some((code, modifier)) => (code, Some(modifier)),
            None => (name, None),
        };
        let fault = |fault| RestError::parameter(name, fault);
        let param = ondol_fhir::param(resource, code).ok_or(fault(ParameterFault::Unknown))?;
        let mut read = Asked { param, negated: false, present: None, any: vec![] };
        match (modifier, param.kind) {
            (Some("missing"), _) => {
                read.present = Some(match value {
                    "true" => false,
                    "false" => true,
                    _ => return Err(fault(ParameterFault::Value)),
                });
                return Ok(Self(What::Values(read)));
            }
            (Some("not"), ParamKind::Token) => read.negated = true,
            _ => {}
        }
        for text in split(value, ',') {
            if text.is_empty() {
                return Err(fault(ParameterFault::Value));
            }
            if read.any.len() == VALUES_MAX {
                return Err(RestError::TooCostly);
            }
            read.any.push(wanted(param, modifier, &text, reading).map_err(fault)?);
        }
        Ok(Self(What::Values(read)))
    }

    /// A reference to any of these (`Type/id`).
    pub(super) fn leads_to(param: &'static SearchParam, references: Vec<String>) -> Self {
        let any = vec![Wanted::Reference(references)];
        Self(What::Values(Asked { param, negated: false, present: None, any }))
    }

    /// Any of these codes, or none of them.
    pub(super) fn coded(
        param: &'static SearchParam,
        negated: bool,
        codes: impl IntoIterator<Item = Code>,
    ) -> Self {
        let any = codes.into_iter().map(|(system, code)| Wanted::Token { system, code }).collect();
        Self(What::Values(Asked { param, negated, present: None, any }))
    }

    /// One of these resources of the type.
    pub(super) fn ids(ids: Vec<ResourceId>) -> Self {
        Self(What::Ids(ids))
    }

    /// In the compartment of somebody or something; none if the type stands in no such one.
    pub(super) fn within(kind: ResourceType, of: ResourceType, id: &ResourceId) -> Option<Self> {
        let codes = ondol_fhir::compartment(of, kind)?;
        let params = codes.iter().copied().filter(|code| *code != "{def}").collect();
        let own = (of == kind).then(|| id.clone());
        Some(Self(What::Within { params, reference: format!("{of}/{id}"), own }))
    }

    /// Words of the narrative or of the whole document.
    pub(super) fn words(words: Words) -> Self {
        Self(What::Words(words))
    }

    /// What the store selects by: all that passes, and if [`Criterion::needs_check`] says so,
    /// more.
    pub(super) fn filters(&self) -> Vec<Filter> {
        match &self.0 {
            What::Values(asked) => asked.filters(),
            What::Ids(ids) => {
                let any = ids.iter().cloned().map(Test::Id).collect();
                vec![Filter { parameter: "_id".into(), any }]
            }
            What::Within { params, reference, own } => {
                let mut any: Vec<Test> = own.iter().cloned().map(Test::Id).collect();
                any.extend(params.iter().map(|param| Test::Of {
                    parameter: (*param).into(),
                    any: vec![Test::Reference(reference.as_str().into())],
                }));
                vec![Filter { parameter: "_id".into(), any }]
            }
            What::Words(_) => vec![],
        }
    }

    /// Whether what the store selects has to be looked at again.
    pub(super) fn needs_check(&self) -> bool {
        match &self.0 {
            What::Values(asked) => asked.needs_check(),
            What::Ids(_) | What::Within { .. } => false,
            What::Words(_) => true,
        }
    }

    /// Whether a resource passes. Asked only if [`Criterion::needs_check`] says so.
    pub(super) fn passes(&self, resource: &Resource, utc_offset_minutes: i32) -> bool {
        match &self.0 {
            What::Values(asked) => asked.passes(resource, utc_offset_minutes),
            What::Words(words) => words.stand_in(resource),
            What::Ids(_) | What::Within { .. } => true,
        }
    }
}

impl Asked {
    fn is_indexed(&self) -> bool {
        !matches!(self.param.kind, ParamKind::Composite | ParamKind::Special)
    }

    fn filter(&self, any: Vec<Test>) -> Filter {
        Filter { parameter: self.param.code.into(), any }
    }

    fn filters(&self) -> Vec<Filter> {
        if self.param.kind == ParamKind::Composite && self.present.is_none() {
            return self.component_filters();
        }
        if !self.is_indexed() {
            return vec![];
        }
        if let Some(present) = self.present {
            return vec![self.filter(vec![Test::Present(present)])];
        }
        match all_tests(self.any.iter()) {
            Some(tests) if self.negated => vec![self.filter(vec![Test::Not(tests)])],
            Some(tests) => vec![self.filter(tests)],
            None => vec![],
        }
    }

    /// Each component is a parameter of its own: what has the values together has each of them.
    fn component_filters(&self) -> Vec<Filter> {
        let part = |at: usize| {
            self.any.iter().filter_map(move |wanted| match wanted {
                Wanted::Together(parts) => parts.get(at),
                _ => None,
            })
        };
        let of = |(at, component): (usize, &SearchParam)| {
            let any = all_tests(part(at))?;
            Some(Filter { parameter: component.code.into(), any })
        };
        self.param.components.iter().enumerate().filter_map(of).collect()
    }

    fn needs_check(&self) -> bool {
        let is_exact = |wanted: &Wanted| match wanted {
            // The store keeps the beginnings of long texts.
            Wanted::Begins(text) => text.chars().count() <= BEGINS_MAX,
            Wanted::Contains(_)
            | Wanted::Worded(_)
            | Wanted::OfType { .. }
            | Wanted::Below(_)
            | Wanted::Together(_)
            | Wanted::Near(_) => false,
            _ => true,
        };
        !self.is_indexed() || !self.any.iter().all(is_exact)
    }

    fn passes(&self, resource: &Resource, utc_offset_minutes: i32) -> bool {
        let mut values: Vec<IndexValue<'_>> = vec![];
        values_of(resource, self.param, utc_offset_minutes, |value| values.push(value));
        if let Some(present) = self.present {
            return values.is_empty() != present;
        }
        let found = self.any.iter().any(|wanted| match wanted {
            Wanted::Worded(_) | Wanted::OfType { .. } => {
                document::leaf_passes(resource, self.param, wanted)
            }
            wanted => values.iter().any(|value| fits(wanted, value)),
        });
        found != self.negated
    }
}

/// The tests of all values; none if one has none.
fn all_tests<'a>(any: impl Iterator<Item = &'a Wanted>) -> Option<Vec<Test>> {
    let mut tests = vec![];
    for wanted in any {
        tests.extend(tests_of(wanted)?);
    }
    Some(tests)
}

/// What reading a value needs to know.
pub(super) struct Reading<'a> {
    /// This server's own address, without a slash at its end.
    pub(super) base: &'a str,
    /// Minutes east of UTC, for times without a zone.
    pub(super) utc_offset_minutes: i32,
    /// What the clock says, for `ap`.
    pub(super) now: Millis,
}

#[cfg(test)]
mod tests;
