//! Checks a resource against the definitions of R4: structure, cardinality, types of JSON, the
//! form of primitives, choices, required bindings and the targets of references. Contained
//! resources and those in bundles and parameters are checked too. So are R4's invariants
//! (`docs/validation.md`). Profiles are not.

mod invariants;

use std::fmt::Write;

use serde_json::{Map, Value};

use invariants::Surroundings;

use crate::{
    Reference, Resource, ResourceType,
    definitions::{self, Definitions, Element, Kind, TypeId, ValueSet},
    issue::{Issue, IssueCode, Severity},
    parse::sayable,
    primitive::{Primitive, Wrong},
    resource_types::ResourceTypes,
};

/// Issues that are listed at most; a last one says that there are more.
pub const ISSUES_MAX: usize = 500;
/// Warnings among them at most.
const WARNINGS_MAX: usize = 100;

/// Everything that is wrong with a resource, in the order of the document; empty if nothing is.
pub fn validate(resource: &Resource) -> Vec<Issue> {
    validate_body(resource.body())
}

/// What is wrong with the structure of a resource, its invariants aside.
pub fn validate_structure(resource: &Resource) -> Vec<Issue> {
    run(resource.body(), false)
}

/// The same as [`validate`] for a JSON object that claims to be a resource.
pub fn validate_body(body: &Map<String, Value>) -> Vec<Issue> {
    run(body, true)
}

fn run(body: &Map<String, Value>, with_invariants: bool) -> Vec<Issue> {
    let kind = body.get("resourceType").and_then(Value::as_str).and_then(ResourceType::from_name);
    let name = kind.map_or("Resource", ResourceType::name);
    let mut check = Check {
        definitions: definitions::get(),
        place: vec![Step { name, index: None, of_type: None }],
        issues: Vec::new(),
        too_many: false,
        warnings: 0,
        too_many_warnings: false,
        with_invariants,
        around: Surroundings::default(),
        steps: invariants::STEPS_AT_FIRST,
        steps_to_come: invariants::STEPS_IN_ALL,
    };
    check.resource(body);
    if check.too_many {
        check.issues.push(Issue {
            severity: Severity::Error,
            code: IssueCode::TooMany,
            location: name.to_owned(),
            diagnostics: format!("more than {ISSUES_MAX} issues; the rest is not listed"),
        });
    }
    if check.too_many_warnings {
        check.issues.push(Issue {
            severity: Severity::Warning,
            code: IssueCode::TooMany,
            location: name.to_owned(),
            diagnostics: format!("more than {WARNINGS_MAX} warnings; the rest is not listed"),
        });
    }
    check.issues
}

struct Step<'a> {
    name: &'a str,
    index: Option<usize>,
    of_type: Option<&'static str>,
}

struct Check<'a> {
    definitions: &'static Definitions,
    place: Vec<Step<'a>>,
    issues: Vec<Issue>,
    too_many: bool,
    warnings: usize,
    too_many_warnings: bool,
    with_invariants: bool,
    around: Surroundings<'a>,
    /// Steps that invariants may still take.
    steps: u32,
    /// Steps that further objects may still bring along.
    steps_to_come: u32,
}

/// A value and the object that stands under its name with an underscore.
#[derive(Clone, Copy)]
struct Pair<'a> {
    value: Option<&'a Value>,
    shadow: Option<&'a Value>,
}

impl<'a> Check<'a> {
    fn say(&mut self, code: IssueCode, diagnostics: impl Into<String>) {
        self.say_as(Severity::Error, code, diagnostics.into());
    }

    fn say_as(&mut self, severity: Severity, code: IssueCode, diagnostics: String) {
        let is_warning = severity == Severity::Warning;
        self.warnings += usize::from(is_warning);
        // Warnings take no place from errors.
        if is_warning && self.warnings > WARNINGS_MAX {
            self.too_many_warnings = true;
            return;
        }
        if self.issues.len() >= ISSUES_MAX {
            self.too_many = true;
            return;
        }
        let mut location = String::new();
        for step in &self.place {
            if !location.is_empty() {
                location.push('.');
            }
            location.push_str(sayable(step.name));
            if let Some(index) = step.index {
                let _ = write!(location, "[{index}]");
            }
            if let Some(of_type) = step.of_type {
                let _ = write!(location, ".ofType({of_type})");
            }
        }
        self.issues.push(Issue { severity, code, location, diagnostics });
    }

    fn resource(&mut self, body: &'a Map<String, Value>) {
        let name = body.get("resourceType").and_then(Value::as_str);
        let Some(kind) = name.and_then(ResourceType::from_name) else {
            self.say(IssueCode::ResourceTypeUnknown, "resourceType names no resource type of R4");
            return;
        };
        self.surrounded(self.definitions.resource(kind), body);
    }

    fn object(&mut self, of: TypeId, body: &'a Map<String, Value>, is_resource: bool) {
        if body.is_empty() {
            self.say(IssueCode::Empty, "an object has something in it");
        }
        let mut present: Vec<(&'static str, &'a str)> = Vec::with_capacity(body.len());
        for (key, value) in body {
            if is_resource && key == "resourceType" {
                continue;
            }
            let plain = key.strip_prefix('_').unwrap_or(key);
            let is_shadow = plain.len() < key.len();
            let found = self.definitions.find(of, plain);
            self.place.push(Step { name: plain, index: None, of_type: None });
            match found {
                Some((element, kind)) if !is_shadow || matches!(kind, Kind::Primitive(_)) => {
                    self.keep_one_choice(element, plain, &mut present);
                    let pair = pair(body, key, plain, value, is_shadow);
                    if let Some(pair) = pair {
                        self.element(element, kind, pair);
                    }
                }
                _ => self.say(IssueCode::ElementUnknown, "R4 has no such element here"),
            }
            self.place.pop();
        }
        for element in self.definitions.elements(of).filter(|element| element.is_required) {
            if !present.iter().any(|(name, _)| *name == element.name) {
                self.place.push(Step { name: element.name, index: None, of_type: None });
                self.say(IssueCode::ElementMissing, "this element is mandatory");
                self.place.pop();
            }
        }
        if self.with_invariants && of != self.definitions.element {
            if !is_resource {
                self.more_than_an_id(body);
            }
            self.invariants(of, body, &present);
        }
    }

    /// Notes that an element is there, and says so if it is there as another type already.
    fn keep_one_choice(
        &mut self,
        element: &'static Element,
        key: &'a str,
        present: &mut Vec<(&'static str, &'a str)>,
    ) {
        let other = present.iter().find(|(name, _)| *name == element.name);
        if other.is_some_and(|(_, other)| *other != key) {
            self.say(IssueCode::ChoiceTwice, "only one type of this choice may be given");
        }
        present.push((element.name, key));
    }

    fn element(&mut self, element: &'static Element, kind: Kind, pair: Pair<'a>) {
        if element.is_choice
            && let Some(step) = self.place.last_mut()
        {
            step.name = element.name;
            step.of_type = Some(self.definitions.name(kind));
        }
        if !element.is_list {
            if matches!(pair.value.or(pair.shadow), Some(Value::Array(_))) {
                self.say(IssueCode::ListUnexpected, "this element has one value at most");
            } else {
                self.single(element, kind, pair, false);
            }
            return;
        }
        let (values, shadows) = (self.items(pair.value), self.items(pair.shadow));
        let (Ok(values), Ok(shadows)) = (values, shadows) else { return };
        if let (Some(values), Some(shadows)) = (values, shadows)
            && values.len() != shadows.len()
        {
            self.say(
                IssueCode::ExtensionMisaligned,
                "the lists of values and of their extensions have the same length",
            );
        }
        let count = values.map_or(0, <[Value]>::len).max(shadows.map_or(0, <[Value]>::len));
        for at in 0..count {
            if let Some(step) = self.place.last_mut() {
                step.index = Some(at);
            }
            let item = |list: Option<&'a [Value]>| list.and_then(|list| list.get(at));
            let pair = Pair { value: item(values), shadow: item(shadows) };
            self.single(element, kind, pair, true);
        }
    }

    /// The items of a list; `Err` if it is none and that was said.
    fn items(&mut self, value: Option<&'a Value>) -> Result<Option<&'a [Value]>, ()> {
        match value {
            None => Ok(None),
            Some(Value::Array(items)) => {
                if items.is_empty() {
                    self.say(IssueCode::Empty, "a list has something in it");
                }
                Ok(Some(items))
            }
            Some(_) => {
                self.say(IssueCode::ListExpected, "this element is a list");
                Err(())
            }
        }
    }

    fn single(&mut self, element: &'static Element, kind: Kind, pair: Pair<'a>, in_list: bool) {
        // In the lists of a primitive, null keeps the place of what only the other list has.
        let not_null = |value: Option<&'a Value>| value.filter(|v| !(in_list && v.is_null()));
        let (value, shadow) = (not_null(pair.value), not_null(pair.shadow));
        if value.is_none() && shadow.is_none() {
            self.say(IssueCode::Null, "neither a value nor an extension");
        }
        if let Some(shadow) = shadow {
            if let Value::Object(shadow) = shadow {
                self.object(self.definitions.element, shadow, false);
                if value.is_none() && self.with_invariants {
                    self.more_than_an_id(shadow);
                }
            } else {
                self.say(IssueCode::JsonType, "what extends a primitive is an object");
            }
        }
        let Some(value) = value else { return };
        match (kind, value) {
            (_, Value::Null) => self.say(IssueCode::Null, "null stands for nothing here"),
            (Kind::Primitive(primitive), _) => self.primitive(element, primitive, value),
            (Kind::Complex(of), Value::Object(body)) => {
                self.object(of, body, false);
                if let Some(set) = element.binding {
                    self.bound(of, set, body);
                }
            }
            (Kind::Reference(targets), Value::Object(body)) => {
                self.object(self.definitions.reference, body, false);
                self.target(self.definitions.targets(targets), body);
            }
            (Kind::Resource, Value::Object(body)) => self.resource(body),
            _ => self.say(IssueCode::JsonType, "this element is an object"),
        }
    }

    fn primitive(&mut self, element: &Element, primitive: Primitive, value: &'a Value) {
        match primitive.check(value) {
            Ok(()) if self.with_invariants => {
                if let Value::String(text) = value {
                    self.notice(primitive, text);
                }
            }
            Ok(()) => {}
            Err(Wrong::Json) => {
                let said = format!("{} is written as {}", primitive.name(), primitive.json());
                self.say(IssueCode::JsonType, said);
            }
            Err(Wrong::Empty) => self.say(IssueCode::Empty, "a string has something in it"),
            Err(Wrong::Form) => {
                let said = format!("not the form of {}", primitive.name());
                self.say(IssueCode::Format, said);
            }
        }
        let is_bound = matches!(primitive, Primitive::Code | Primitive::Uri | Primitive::String);
        if let (true, Some(set), Value::String(code)) = (is_bound, element.binding, value)
            && !set.contains(None, code)
        {
            self.say_code(set);
        }
    }

    fn bound(&mut self, of: TypeId, set: ValueSet, body: &Map<String, Value>) {
        let fits = |coding: &Value| {
            let word = |key: &str| coding.get(key).and_then(Value::as_str);
            let (Some(system), Some(code)) = (word("system"), word("code")) else { return false };
            set.contains(Some(system), code)
        };
        let is_allowed = if of == self.definitions.codeable_concept {
            body.get("coding").and_then(Value::as_array).is_some_and(|all| all.iter().any(fits))
        } else if of == self.definitions.coding {
            let word = |key: &str| body.get(key).and_then(Value::as_str);
            word("code").is_some_and(|code| {
                word("system").is_some_and(|system| set.contains(Some(system), code))
            })
        } else {
            true
        };
        if !is_allowed {
            self.say_code(set);
        }
    }

    fn say_code(&mut self, set: ValueSet) {
        let codes: Vec<&str> = set.codes().take(21).collect();
        let said = if codes.len() > 20 {
            format!("not a code of the value set {}", set.name)
        } else {
            format!("not a code of the value set {} ({})", set.name, codes.join(", "))
        };
        self.say(IssueCode::CodeUnknown, said);
    }

    fn target(&mut self, targets: ResourceTypes, body: &Map<String, Value>) {
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        let named = text("type").and_then(ResourceType::from_name);
        let pointed = text("reference").map(Reference::parse);
        if let Some(Reference::Other(other)) = pointed
            && is_like_local(other)
        {
            self.say(IssueCode::ReferenceTarget, "R4 has no such resource type");
        }
        // An absolute URL may lead to a server of another version; only ours are judged.
        let pointed = match pointed {
            Some(Reference::Local { kind, .. } | Reference::Conditional { kind, .. }) => Some(kind),
            _ => None,
        };
        if [named, pointed].into_iter().flatten().any(|kind| !targets.contains(kind)) {
            let names: Vec<&str> = targets.iter().map(ResourceType::name).collect();
            let said = format!("this reference leads to {}", names.join(", "));
            self.say(IssueCode::ReferenceTarget, said);
        }
    }
}

/// A primitive's value and what extends it, at the first of the two keys; `None` at the second.
fn pair<'a>(
    body: &'a Map<String, Value>,
    key: &str,
    plain: &str,
    value: &'a Value,
    is_shadow: bool,
) -> Option<Pair<'a>> {
    if is_shadow {
        let alone = !body.contains_key(plain);
        return alone.then_some(Pair { value: None, shadow: Some(value) });
    }
    Some(Pair { value: Some(value), shadow: body.get(&format!("_{key}")) })
}

/// `Word/id` with a word that is no resource type.
fn is_like_local(text: &str) -> bool {
    text.split_once('/').is_some_and(|(kind, id)| {
        kind.starts_with(|c: char| c.is_ascii_uppercase())
            && kind.bytes().all(|b| b.is_ascii_alphabetic())
            && ResourceType::from_name(kind).is_none()
            && ondol_kernel::ResourceId::new(id).is_ok()
    })
}

#[cfg(test)]
mod tests;
