//! Search parameters of a request: what each asks, as a test for the store and as a test of the
//! values of a resource (R4 3.1.1.4, 3.1.1.5).

mod test;
mod value;

use ondol_fhir::{IndexValue, ParamKind, ResourceType};
use ondol_kernel::{Millis, ResourceId};
use ondol_store::{Filter, Test};

use self::{
    test::{fits, tests_of},
    value::{split, wanted},
};
use super::{
    error::{ParameterFault, RestError},
    number::Span,
};

/// The beginning and end of time, for open ends.
pub(super) const ALWAYS: (Millis, Millis) = (Millis(i64::MIN), Millis(i64::MAX));

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
    /// Any of these texts: `Type/id` or a URL.
    Reference(Vec<String>),
    /// The identifier of a logical reference.
    Logical {
        system: Option<Box<str>>,
        value: Box<str>,
    },
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
        system: Option<Box<str>>,
        unit: Option<Box<str>>,
    },
    Uri(String),
    Id(Option<ResourceId>),
}

/// One parameter of a request: any of its values does.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Criterion {
    pub(super) param: &'static str,
    kind: ParamKind,
    /// None of the values may be there (`:not`).
    negated: bool,
    /// There is a value, or none (`:missing`).
    present: Option<bool>,
    any: Vec<Wanted>,
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
        let mut read = Self {
            param: param.code,
            kind: param.kind,
            negated: false,
            present: None,
            any: vec![],
        };
        match (modifier, param.kind) {
            (Some("missing"), _) => {
                read.present = Some(match value {
                    "true" => false,
                    "false" => true,
                    _ => return Err(fault(ParameterFault::Value)),
                });
                return Ok(read);
            }
            (Some("not"), ParamKind::Token) => read.negated = true,
            _ => {}
        }
        for text in split(value, ',') {
            if text.is_empty() {
                return Err(fault(ParameterFault::Value));
            }
            read.any.push(wanted(param, modifier, &text, reading).map_err(fault)?);
        }
        Ok(read)
    }

    /// A reference to any of these (`Type/id`).
    pub(super) fn leads_to(param: &'static str, references: Vec<String>) -> Self {
        let any = vec![Wanted::Reference(references)];
        Self { param, kind: ParamKind::Reference, negated: false, present: None, any }
    }

    /// What the store can select by; none if it cannot, and everything has to be looked at.
    pub(super) fn filter(&self) -> Option<Filter> {
        let by_store = !matches!(self.kind, ParamKind::Number | ParamKind::Quantity);
        let any = match self.present {
            Some(present) if by_store => vec![Test::Present(present)],
            Some(_) => return None,
            None if self.negated || !by_store => return None,
            None => {
                let mut tests = vec![];
                for wanted in &self.any {
                    tests.extend(tests_of(wanted)?);
                }
                tests
            }
        };
        Some(Filter { parameter: self.param.into(), any })
    }

    /// Whether what the store selects has to be looked at again.
    pub(super) fn needs_check(&self) -> bool {
        self.filter().is_none()
    }

    /// Whether a resource with these values of the parameter passes.
    pub(super) fn passes(&self, values: &[&IndexValue<'_>]) -> bool {
        if let Some(present) = self.present {
            return values.is_empty() != present;
        }
        let found = values.iter().any(|value| self.any.iter().any(|wanted| fits(wanted, value)));
        found != self.negated
    }
}

/// What reading a value needs to know.
pub(super) struct Reading<'a> {
    /// This server's own address, without a slash at its end.
    pub(super) base: &'a str,
    /// Minutes east of UTC, for times without a zone.
    pub(super) utc_offset_minutes: i32,
}

#[cfg(test)]
mod tests;
