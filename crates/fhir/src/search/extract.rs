//! Walks a resource along the compiled paths.

use std::borrow::Cow;

use ondol_kernel::Millis;
use serde_json::{Map, Value};

use super::{Condition, IndexValue, Leaf, ParamKind, SearchParam, Step, params};
use crate::{
    Reference, Resource, ResourceType, Temporal,
    definitions::ValueSet,
    fold::{fold, is_written_together},
};

/// Calls `see` with every value of every search parameter of a resource but those of composite
/// and special ones, whose values [`values_of`] gives. Dates without a zone are read at
/// `utc_offset_minutes` east of UTC. A value may be seen more than once. What is not of the form
/// that the definitions ask gives no value: [`crate::validate()`] tells about it.
pub fn extract<'a>(
    resource: &'a Resource,
    utc_offset_minutes: i32,
    see: impl FnMut(&'static SearchParam, IndexValue<'a>),
) {
    extract_members(resource.resource_type(), resource.body(), utc_offset_minutes, see);
}

/// The same for the members of a resource that do not name its type.
pub fn extract_members<'a>(
    kind: ResourceType,
    body: &'a Map<String, Value>,
    utc_offset_minutes: i32,
    mut see: impl FnMut(&'static SearchParam, IndexValue<'a>),
) {
    for param in params(kind) {
        if !matches!(param.kind, ParamKind::Composite | ParamKind::Special) {
            of_paths(body, body, param, utc_offset_minutes, &mut |value| see(param, value));
        }
    }
}

/// Calls `see` with every value of one parameter of the resource's type.
pub fn values_of<'a>(
    resource: &'a Resource,
    param: &SearchParam,
    utc_offset_minutes: i32,
    mut see: impl FnMut(IndexValue<'a>),
) {
    let body = resource.body();
    if param.kind != ParamKind::Composite {
        of_paths(body, body, param, utc_offset_minutes, &mut see);
        return;
    }
    for element in &param.elements {
        let mut one = |value: Option<&'a Value>| {
            let Some(element) = value.map_or(Some(body), Value::as_object) else { return };
            let of = |component: &SearchParam| {
                let mut found = vec![];
                of_paths(body, element, component, utc_offset_minutes, &mut |v| found.push(v));
                found
            };
            let together: Vec<Vec<_>> = param.components.iter().map(of).collect();
            if together.iter().all(|values| !values.is_empty()) {
                see(IndexValue::Together(together));
            }
        };
        if element.is_empty() {
            one(None);
        } else {
            along(body, element, &mut |value| one(Some(value)));
        }
    }
}

/// Calls `see` with the JSON value at the end of each of a parameter's paths.
pub fn leaves<'a>(resource: &'a Resource, param: &SearchParam, see: &mut dyn FnMut(&'a Value)) {
    for path in &param.paths {
        along(resource.body(), &path.steps, see);
    }
}

fn of_paths<'a>(
    root: &'a Map<String, Value>,
    element: &'a Map<String, Value>,
    param: &SearchParam,
    utc_offset_minutes: i32,
    see: &mut dyn FnMut(IndexValue<'a>),
) {
    let mut read = Read { kind: param.kind, utc_offset_minutes, see };
    for path in &param.paths {
        let from = if path.from_root { root } else { element };
        match path.leaf {
            Leaf::Deceased => read.deceased(root),
            Leaf::First => read.first(root, param),
            leaf => along(from, &path.steps, &mut |value| read.leaf(leaf, value)),
        }
    }
}

fn along<'a>(body: &'a Map<String, Value>, steps: &[Step], see: &mut dyn FnMut(&'a Value)) {
    let Some((step, rest)) = steps.split_first() else { return };
    match body.get(step.key) {
        Some(Value::Array(items)) => {
            for item in items {
                along_one(item, step, rest, see);
            }
        }
        Some(value) => along_one(value, step, rest, see),
        None => {}
    }
}

fn along_one<'a>(value: &'a Value, step: &Step, rest: &[Step], see: &mut dyn FnMut(&'a Value)) {
    if step.condition.is_some_and(|condition| !holds(condition, value)) {
        return;
    }
    match (rest, value) {
        ([], _) => see(value),
        (_, Value::Object(body)) => along(body, rest, see),
        _ => {}
    }
}

fn holds(condition: Condition, value: &Value) -> bool {
    match condition {
        Condition::Equals { key, literal } => text(value, key) == Some(literal),
        // Decided by what the reference says of itself: what it leads to is not at hand.
        Condition::Leads(kind) => kind_of(value) == Some(kind),
    }
}

/// The type that a reference leads to, if it says so.
fn kind_of(reference: &Value) -> Option<ResourceType> {
    text(reference, "reference")
        .and_then(|literal| Reference::parse(literal).kind())
        .or_else(|| text(reference, "type").and_then(ResourceType::from_name))
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

fn number<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    as_number(value.get(key)?)
}

fn as_number(value: &Value) -> Option<&str> {
    match value {
        Value::Number(number) => Some(number.as_str()),
        _ => None,
    }
}

fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

struct Read<'s, 'a> {
    kind: ParamKind,
    utc_offset_minutes: i32,
    see: &'s mut dyn FnMut(IndexValue<'a>),
}

impl<'a> Read<'_, 'a> {
    fn give(&mut self, value: IndexValue<'a>) {
        (self.see)(value);
    }

    fn leaf(&mut self, leaf: Leaf, value: &'a Value) {
        match leaf {
            Leaf::Text(set) => self.text(set, value),
            Leaf::Boolean => {
                if let Value::Bool(yes) = value {
                    self.token(None, Some(if *yes { "true" } else { "false" }));
                }
            }
            Leaf::Number => {
                if let Some(number) = as_number(value) {
                    self.give(IndexValue::Number(number));
                }
            }
            Leaf::Temporal => self.temporal(value),
            Leaf::Period => {
                if let Some((from, to)) = self.period(value) {
                    self.give(IndexValue::Date { from, to });
                }
            }
            Leaf::Timing => self.timing(value),
            Leaf::Range => {
                for end in ["low", "high"] {
                    if let Some(quantity) = value.get(end) {
                        self.quantity(quantity);
                    }
                }
            }
            Leaf::Quantity => self.quantity(value),
            Leaf::Money => self.money(value),
            Leaf::SampledData => {
                if let Some(origin) = value.get("origin") {
                    self.quantity(origin);
                }
            }
            Leaf::Coding => self.coding(value),
            Leaf::CodeableConcept => items(value, "coding").for_each(|coding| self.coding(coding)),
            Leaf::Identifier => self.token_of(value, "system", "value"),
            Leaf::ContactPoint => {
                // Its `system` says telephone or mail: it is no system of codes.
                if let Some(number) = text(value, "value") {
                    self.token(None, Some(number));
                }
            }
            Leaf::HumanName => self.name(value),
            Leaf::Address => self.parts(
                value,
                &["text", "line", "city", "district", "state", "postalCode", "country"],
            ),
            Leaf::Reference => self.reference(value),
            Leaf::Canonical => self.canonical(value),
            Leaf::Position => {
                if let (Some(latitude), Some(longitude)) =
                    (number(value, "latitude"), number(value, "longitude"))
                {
                    self.give(IndexValue::Position { latitude, longitude });
                }
            }
            Leaf::Deceased | Leaf::First => {}
        }
    }

    fn text(&mut self, set: Option<ValueSet>, value: &'a Value) {
        let Some(text) = value.as_str() else { return };
        match self.kind {
            ParamKind::String => self.string(text),
            ParamKind::Token => {
                let system = set.and_then(|set| set.system_of(text)).map(Cow::Owned);
                self.token(system, Some(text));
            }
            ParamKind::Reference => self.url(text),
            ParamKind::Uri => self.give(IndexValue::Uri(text)),
            _ => {}
        }
    }

    fn string(&mut self, text: &'a str) {
        self.give(IndexValue::String { folded: fold(text), exact: Cow::Borrowed(text) });
    }

    fn token(&mut self, system: Option<Cow<'a, str>>, code: Option<&'a str>) {
        self.give(IndexValue::Token { system, code });
    }

    fn token_of(&mut self, value: &'a Value, system: &str, code: &str) {
        let (system, code) = (text(value, system), text(value, code));
        if system.is_some() || code.is_some() {
            self.token(system.map(Cow::Borrowed), code);
        }
    }

    fn coding(&mut self, coding: &'a Value) {
        self.token_of(coding, "system", "code");
    }

    /// `Patient.deceased.exists() and Patient.deceased != false`, true or false for everyone.
    fn deceased(&mut self, body: &'a Map<String, Value>) {
        let died = body.contains_key("deceasedDateTime")
            || body.get("deceasedBoolean").is_some_and(|died| *died != Value::Bool(false));
        self.token(None, Some(if died { "true" } else { "false" }));
    }

    /// The resource in the first entry of a bundle, if it is of a type that is asked for.
    fn first(&mut self, body: &'a Map<String, Value>, param: &SearchParam) {
        let first = body.get("entry").and_then(|entries| entries.get(0));
        let Some(resource) = first.and_then(|entry| entry.get("resource")) else { return };
        let kind = text(resource, "resourceType").and_then(ResourceType::from_name);
        if let Some(id) = text(resource, "id")
            && kind.is_some_and(|kind| param.targets.contains(kind))
        {
            self.give(IndexValue::Reference { kind, id: Some(id), url: None, identifier: None });
        }
    }

    fn span(&self, value: Option<&Value>) -> Option<(Millis, Millis)> {
        Some(Temporal::parse(value?.as_str()?)?.range(self.utc_offset_minutes))
    }

    fn temporal(&mut self, value: &Value) {
        if let Some((from, to)) = self.span(Some(value)) {
            self.give(IndexValue::Date { from, to });
        }
    }

    fn period(&self, value: &Value) -> Option<(Millis, Millis)> {
        let (start, end) = (self.span(value.get("start")), self.span(value.get("end")));
        if start.is_none() && end.is_none() {
            return None;
        }
        let from = start.map_or(Millis(i64::MIN), |(from, _)| from);
        Some((from, end.map_or(Millis(i64::MAX), |(_, to)| to)))
    }

    /// From the first event to the last, with the bounds; a timing without either has no span.
    fn timing(&mut self, value: &Value) {
        let bounds = value.get("repeat").and_then(|repeat| repeat.get("boundsPeriod"));
        let spans = items(value, "event").filter_map(|event| self.span(Some(event)));
        let spans = spans.chain(bounds.and_then(|bounds| self.period(bounds)));
        let whole = spans.reduce(|all, span| (all.0.min(span.0), all.1.max(span.1)));
        if let Some((from, to)) = whole {
            self.give(IndexValue::Date { from, to });
        }
    }

    fn quantity(&mut self, value: &'a Value) {
        let Some(decimal) = number(value, "value") else { return };
        if self.kind == ParamKind::Number {
            self.give(IndexValue::Number(decimal));
            return;
        }
        self.give(IndexValue::Quantity {
            value: decimal,
            system: text(value, "system"),
            code: text(value, "code"),
            unit: text(value, "unit"),
        });
    }

    fn money(&mut self, value: &'a Value) {
        let Some(decimal) = number(value, "value") else { return };
        let code = text(value, "currency");
        let system = code.map(|_| "urn:iso:std:iso:4217");
        self.give(IndexValue::Quantity { value: decimal, system, code, unit: None });
    }

    fn parts(&mut self, value: &'a Value, keys: &[&str]) {
        for part in keys.iter().filter_map(|key| value.get(*key)) {
            match part {
                Value::String(text) => self.string(text),
                Value::Array(items) => {
                    items.iter().filter_map(Value::as_str).for_each(|text| self.string(text));
                }
                _ => {}
            }
        }
    }

    /// Each part of the name. A name in Hangul or Chinese characters is also found by its parts
    /// written together, as people type it.
    fn name(&mut self, value: &'a Value) {
        self.parts(value, &["text", "family", "given", "prefix", "suffix"]);
        let together: String = match (text(value, "text"), text(value, "family")) {
            (Some(text), _) => text.split_whitespace().collect(),
            (None, Some(family)) => {
                let given = items(value, "given").filter_map(Value::as_str);
                std::iter::once(family).chain(given).flat_map(str::split_whitespace).collect()
            }
            (None, None) => return,
        };
        if is_written_together(&together) {
            self.give(IndexValue::String { folded: fold(&together), exact: together.into() });
        }
    }

    fn reference(&mut self, value: &'a Value) {
        let identifier = value
            .get("identifier")
            .and_then(|identifier| Some((text(identifier, "system"), text(identifier, "value")?)));
        let kind = kind_of(value);
        let (id, url) = match text(value, "reference").map(Reference::parse) {
            Some(Reference::Local { id, .. }) => (Some(id), None),
            Some(Reference::Absolute { id, url, .. }) => (Some(id), Some(url)),
            Some(Reference::Urn(url) | Reference::Other(url)) => (None, Some(url)),
            Some(Reference::Contained(_) | Reference::Conditional { .. }) | None => (None, None),
        };
        if id.is_some() || url.is_some() || identifier.is_some() {
            self.give(IndexValue::Reference { kind, id, url, identifier });
        }
    }

    fn url(&mut self, url: &'a str) {
        self.give(IndexValue::Reference { kind: None, id: None, url: Some(url), identifier: None });
    }

    /// A canonical reference is found with and without its version.
    fn canonical(&mut self, value: &'a Value) {
        let Some(url) = value.as_str() else { return };
        let bare = url.split_once('|').map(|(bare, _)| bare);
        for url in bare.into_iter().chain([url]) {
            match self.kind {
                ParamKind::Uri => self.give(IndexValue::Uri(url)),
                ParamKind::Token => self.token(None, Some(url)),
                _ => self.url(url),
            }
        }
    }
}
