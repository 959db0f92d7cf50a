//! Search parameters of a request: what each asks, as a test for the store and as a test of the
//! values of a resource (R4 3.1.1.4, 3.1.1.5).

use ondol_fhir::{IndexValue, ParamKind, Reference, ResourceType, SearchParam, Temporal, fold};
use ondol_kernel::{Millis, ResourceId};
use ondol_store::{Filter, Test};

use super::{
    error::{ParameterFault, RestError},
    number::{self, Span},
};

/// A bare id may lead to so many types at most; beyond that the type has to be named.
const BARE_ID_TYPES_MAX: usize = 12;

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
        self.filter().is_none() || self.any.iter().any(|wanted| matches!(wanted, Wanted::Exact(_)))
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

fn wanted(
    param: &SearchParam,
    modifier: Option<&str>,
    text: &str,
    reading: &Reading<'_>,
) -> Result<Wanted, ParameterFault> {
    use ParamKind as K;
    if param.code == "_id" {
        return match modifier {
            // An id of another form is the id of nothing.
            None => Ok(Wanted::Id(ResourceId::new(&unescape(text)).ok())),
            Some(_) => Err(ParameterFault::Modifier),
        };
    }
    match (param.kind, modifier) {
        (K::String, None) => Ok(Wanted::Begins(fold(&unescape(text)))),
        (K::String, Some("contains")) => Ok(Wanted::Contains(fold(&unescape(text)))),
        (K::String, Some("exact")) => Ok(Wanted::Exact(unescape(text))),
        (K::Token, None | Some("not")) => Ok(token(text)),
        (K::Reference, Some("identifier")) => match token(text) {
            Wanted::Token { system, code: Some(value) } => Ok(Wanted::Logical { system, value }),
            _ => Err(ParameterFault::Value),
        },
        (K::Reference, modifier) => reference(param, modifier, &unescape(text), reading.base),
        (K::Date, None) => {
            let (prefix, text) = Prefix::split(text);
            let (from, to) = span(text, reading.utc_offset_minutes).ok_or(ParameterFault::Value)?;
            Ok(Wanted::Time { prefix, from, to })
        }
        (K::Number, None) => {
            let (prefix, text) = Prefix::split(text);
            let span = Span::read(text).ok_or(ParameterFault::Value)?;
            Ok(Wanted::Number { prefix, span })
        }
        (K::Quantity, None) => quantity(text),
        (K::Uri, None) => Ok(Wanted::Uri(unescape(text))),
        (_, Some("exact" | "contains" | "not" | "identifier")) | (_, Some(_)) => {
            Err(ParameterFault::Modifier)
        }
    }
}

fn token(text: &str) -> Wanted {
    let mut parts = split(text, '|').into_iter().map(|part| unescape(&part));
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    let some = |text: String| (!text.is_empty()).then(|| text.into());
    match second {
        None => Wanted::Token { system: None, code: some(first) },
        Some(code) => Wanted::Token { system: Some(first.into()), code: some(code) },
    }
}

fn reference(
    param: &SearchParam,
    modifier: Option<&str>,
    text: &str,
    base: &str,
) -> Result<Wanted, ParameterFault> {
    let named = match modifier {
        None => None,
        Some(name) => {
            let kind = ResourceType::from_name(name).ok_or(ParameterFault::Modifier)?;
            Some(kind)
        }
    };
    let own = text.strip_prefix(base).and_then(|rest| rest.strip_prefix('/')).unwrap_or(text);
    if let (Some(kind), Ok(id)) = (named, ResourceId::new(own)) {
        return Ok(Wanted::Reference(vec![format!("{kind}/{id}")]));
    }
    match Reference::parse(own) {
        Reference::Local { kind, id, version: None } if named.is_none_or(|named| named == kind) => {
            Ok(Wanted::Reference(vec![format!("{kind}/{id}")]))
        }
        Reference::Absolute { .. } | Reference::Urn(_) if named.is_none() => {
            Ok(Wanted::Reference(vec![text.to_owned()]))
        }
        Reference::Other(text) if named.is_none() && text.contains(':') => {
            Ok(Wanted::Reference(vec![text.to_owned()]))
        }
        Reference::Other(text) if named.is_none() => {
            let id = ResourceId::new(text).map_err(|_| ParameterFault::Value)?;
            let kinds: Vec<String> =
                param.targets.iter().map(|kind| format!("{kind}/{id}")).collect();
            if kinds.is_empty() || kinds.len() > BARE_ID_TYPES_MAX {
                return Err(ParameterFault::Value);
            }
            Ok(Wanted::Reference(kinds))
        }
        _ => Err(ParameterFault::Value),
    }
}

fn quantity(text: &str) -> Result<Wanted, ParameterFault> {
    let parts: Vec<String> = split(text, '|').iter().map(|part| unescape(part)).collect();
    let (prefix, number) = Prefix::split(parts.first().map_or("", String::as_str));
    let span = Span::read(number).ok_or(ParameterFault::Value)?;
    let some =
        |at: usize| parts.get(at).filter(|part| !part.is_empty()).map(|part| part.as_str().into());
    match parts.len() {
        1 => Ok(Wanted::Quantity { prefix, span, system: None, unit: None }),
        3 if some(2).is_some() => {
            Ok(Wanted::Quantity { prefix, span, system: some(1), unit: some(2) })
        }
        _ => Err(ParameterFault::Value),
    }
}

/// The span of a date of a search: to the year, month, day, minute or finer; the zone may be
/// left out. A plus of a zone that came as a blank (which it means in a URL) is understood.
fn span(text: &str, utc_offset_minutes: i32) -> Option<(Millis, Millis)> {
    let text = text.replace(' ', "+");
    if let Some(temporal) = Temporal::parse(&text) {
        return Some(temporal.range(utc_offset_minutes));
    }
    let (date, time) = text.split_once('T')?;
    let zone_at = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(zone_at);
    let zone = if zone.is_empty() { "Z" } else { zone };
    let to_local = if zone_at == time.len() { i64::from(utc_offset_minutes) * 60_000 } else { 0 };
    let (clock, width_ms) =
        if clock.len() == 5 { (format!("{clock}:00"), 60_000) } else { (clock.to_owned(), 0) };
    let (from, to) = Temporal::parse(&format!("{date}T{clock}{zone}"))?.range(0);
    let to = if width_ms > 0 { from.plus(width_ms) } else { to };
    Some((from.plus(-to_local), to.plus(-to_local)))
}

/// The store's tests of a value; none if it has no test for it.
fn tests_of(wanted: &Wanted) -> Option<Vec<Test>> {
    Some(match wanted {
        Wanted::Begins(text) => vec![Test::Prefix(text.as_str().into())],
        Wanted::Contains(text) => vec![Test::Contains(text.as_str().into())],
        Wanted::Exact(text) => vec![Test::Exact(fold(text).into())],
        Wanted::Token { system, code } => {
            vec![Test::Token { system: system.clone(), code: code.clone() }]
        }
        Wanted::Reference(texts) => {
            texts.iter().map(|text| Test::Reference(text.as_str().into())).collect()
        }
        Wanted::Time { prefix, from, to } => time_tests(*prefix, *from, *to)?,
        Wanted::Uri(text) => vec![Test::Uri(text.as_str().into())],
        Wanted::Id(id) => id.iter().cloned().map(Test::Id).collect(),
        Wanted::Logical { .. } | Wanted::Number { .. } | Wanted::Quantity { .. } => return None,
    })
}

fn time_tests(prefix: Prefix, from: Millis, to: Millis) -> Option<Vec<Test>> {
    let (begin, end) = ALWAYS;
    let above = Test::Overlaps { from: to, to: end };
    let below = Test::Overlaps { from: begin, to: from };
    let within = Test::Within { from, to };
    Some(match prefix {
        Prefix::Eq => vec![within],
        Prefix::Gt => vec![above],
        Prefix::Lt => vec![below],
        Prefix::Ge => vec![above, within],
        Prefix::Le => vec![below, within],
        Prefix::Sa => vec![Test::Within { from: to, to: end }],
        Prefix::Eb => vec![Test::Within { from: begin, to: from }],
        Prefix::Ne => return None,
    })
}

fn fits(wanted: &Wanted, value: &IndexValue<'_>) -> bool {
    match (wanted, value) {
        (Wanted::Begins(text), IndexValue::String { folded, .. }) => folded.starts_with(text),
        (Wanted::Contains(text), IndexValue::String { folded, .. }) => folded.contains(text),
        (Wanted::Exact(text), IndexValue::String { exact, .. }) => exact == text,
        (Wanted::Token { system, code }, IndexValue::Token { system: has, code: is }) => {
            system.as_deref().is_none_or(|system| has.as_deref().unwrap_or("") == system)
                && code.as_deref().is_none_or(|code| *is == Some(code))
        }
        (Wanted::Id(wanted), IndexValue::Token { code, .. }) => {
            wanted.as_ref().is_some_and(|id| *code == Some(id.as_str()))
        }
        (Wanted::Reference(texts), IndexValue::Reference { kind, id, url, .. }) => {
            let local = kind.zip(*id).map(|(kind, id)| format!("{kind}/{id}"));
            texts.iter().any(|text| Some(text.as_str()) == *url || Some(text) == local.as_ref())
        }
        (Wanted::Logical { system, value }, IndexValue::Reference { identifier, .. }) => identifier
            .is_some_and(|(has, is)| {
                is == &**value && system.as_deref().is_none_or(|s| has.unwrap_or("") == s)
            }),
        (Wanted::Time { prefix, from, to }, IndexValue::Date { from: low, to: high }) => {
            let within = from <= low && high <= to;
            match prefix {
                Prefix::Eq => within,
                Prefix::Ne => !within,
                Prefix::Gt => high > to,
                Prefix::Lt => low < from,
                Prefix::Ge => high > to || within,
                Prefix::Le => low < from || within,
                Prefix::Sa => low >= to,
                Prefix::Eb => high <= from,
            }
        }
        (Wanted::Number { prefix, span }, IndexValue::Number(text)) => {
            number::passes(*prefix, span, text)
        }
        (
            Wanted::Quantity { prefix, span, system, unit },
            IndexValue::Quantity { value, system: has, code, unit: word },
        ) => {
            let same_unit = match (system.as_deref(), unit.as_deref()) {
                (_, None) => true,
                (Some(system), Some(unit)) => *has == Some(system) && *code == Some(unit),
                (None, Some(unit)) => *code == Some(unit) || *word == Some(unit),
            };
            same_unit && number::passes(*prefix, span, value)
        }
        (Wanted::Uri(text), IndexValue::Uri(uri)) => text == uri,
        _ => false,
    }
}

/// Splits at a separator that no backslash stands before. Backslashes stay.
fn split(text: &str, at: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        if c == at && !escaped {
            parts.push(String::new());
            continue;
        }
        escaped = c == '\\' && !escaped;
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}

/// Takes the backslashes away (R4 3.1.1.4.0.2).
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut escaped = false;
    for c in text.chars() {
        if c == '\\' && !escaped {
            escaped = true;
            continue;
        }
        escaped = false;
        plain.push(c);
    }
    plain
}

#[cfg(test)]
#[path = "criteria_tests.rs"]
mod tests;
