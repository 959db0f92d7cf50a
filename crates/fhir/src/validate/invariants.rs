//! R4's invariants, checked as the document is walked.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Check, Step};
use crate::{
    definitions::{Kind, TypeId},
    fhirpath::{Environment, EvaluateError, FhirPath, HtmlWrong, Item, Node, check_html},
    invariants::{self, Invariant},
    issue::{IssueCode, Severity},
    primitive::Primitive,
};

/// Steps of evaluation that each object of the document brings along. What is not used is left
/// for those that need more, so that the cost of a document is bounded by its size.
const STEPS_PER_OBJECT: u32 = 1_000;
/// Steps that the first object has.
pub(super) const STEPS_AT_FIRST: u32 = 1_000_000;
/// Steps that a document brings along at most, however large it is: some seconds.
pub(super) const STEPS_IN_ALL: u32 = 60_000_000;

/// What the invariants look at beyond the element itself.
#[derive(Debug, Default)]
pub(super) struct Surroundings<'a> {
    /// `%resource`
    pub(super) resource: Option<Node<'a>>,
    /// `%rootResource`
    root: Option<Node<'a>>,
    /// References and URIs of the root resource that begin with `#`.
    fragments: Vec<&'a str>,
    contained: Vec<Contained<'a>>,
}

#[derive(Debug)]
struct Contained<'a> {
    id: Option<&'a str>,
    index: Option<usize>,
    /// Whether it refers to its container.
    refers_to_root: bool,
}

impl<'a> Check<'a> {
    /// Walks a resource, as part of the one around it if it is contained there.
    pub(super) fn surrounded(&mut self, of: TypeId, body: &'a Map<String, Value>) {
        if !self.with_invariants {
            self.object(of, body, true);
            return;
        }
        let last = self.place.last();
        let is_contained =
            self.around.resource.is_some() && last.is_some_and(|step| step.name == "contained");
        let index = last.and_then(|step| step.index);
        let node = Node::object(Kind::Complex(of), body);
        if is_contained {
            let outer = self.around.resource.replace(node);
            let from = self.around.fragments.len();
            self.object(of, body, true);
            let refers_to_root = self.around.fragments[from..].contains(&"#");
            let id = body.get("id").and_then(Value::as_str);
            self.around.contained.push(Contained { id, index, refers_to_root });
            self.around.resource = outer;
            return;
        }
        let inside =
            Surroundings { resource: Some(node), root: Some(node), ..Surroundings::default() };
        let outer = std::mem::replace(&mut self.around, inside);
        self.object(of, body, true);
        self.contained_are_used();
        self.around = outer;
    }

    /// The invariant dom-3: what is contained is referred to, or refers to its container.
    fn contained_are_used(&mut self) {
        if self.around.contained.is_empty() {
            return;
        }
        let contained = std::mem::take(&mut self.around.contained);
        let used: HashSet<&str> =
            self.around.fragments.iter().filter_map(|text| text.strip_prefix('#')).collect();
        for one in contained {
            if !one.refers_to_root && one.id.is_none_or(|id| !used.contains(id)) {
                self.place.push(Step { name: "contained", index: one.index, of_type: None });
                self.broken(
                    Severity::Error,
                    "dom-3",
                    "a contained resource is referred to from elsewhere in the resource, or \
                     refers to it",
                );
                self.place.pop();
            }
        }
    }

    fn broken(&mut self, severity: Severity, key: &str, human: &str) {
        self.say_as(severity, IssueCode::Invariant, format!("{key}: {human}"));
    }

    /// Notes what a primitive refers to, and checks a narrative.
    pub(super) fn notice(&mut self, primitive: Primitive, text: &'a str) {
        match primitive {
            Primitive::Uri | Primitive::Url | Primitive::Canonical | Primitive::String => {
                let is_reference = primitive != Primitive::String
                    || self.place.last().is_some_and(|step| step.name == "reference");
                if text.starts_with('#') && is_reference {
                    self.around.fragments.push(text);
                }
            }
            Primitive::Xhtml => match check_html(text) {
                Ok(()) => {}
                Err(HtmlWrong::NotAllowed) => self.broken(
                    Severity::Error,
                    "txt-1",
                    "a narrative is well-formed XHTML with the elements and attributes that are \
                     for formatting, and no scripts",
                ),
                Err(HtmlWrong::Empty) => {
                    self.broken(
                        Severity::Error,
                        "txt-2",
                        "a narrative has something to read in it",
                    );
                }
            },
            _ => {}
        }
    }

    /// The invariant ele-1 for an object: more than an id.
    pub(super) fn more_than_an_id(&mut self, body: &Map<String, Value>) {
        if body.len() == 1 && body.contains_key("id") {
            self.broken(Severity::Error, "ele-1", "an element has a value or children");
        }
    }

    /// The invariants of an object, and those of its elements.
    pub(super) fn invariants(
        &mut self,
        of: TypeId,
        body: &'a Map<String, Value>,
        present: &[(&'static str, &'a str)],
    ) {
        let all = invariants::get();
        let brought = STEPS_PER_OBJECT.min(self.steps_to_come);
        self.steps_to_come -= brought;
        self.steps = self.steps.saturating_add(brought);
        let focus = Node::object(Kind::Complex(of), body);
        for check in all.of_type(of) {
            if check.is_needed(present.iter().map(|(name, _)| *name)) {
                self.evaluate(check.invariant, focus);
            }
        }
        for (element, invariant) in all.of_elements(of) {
            if !present.iter().any(|(name, _)| name == element) {
                continue;
            }
            let items = focus.children_named(element);
            let is_list = items.as_slice().len() > 1;
            for (at, item) in items.as_slice().iter().enumerate() {
                if let Item::Node(node) = item {
                    let index = is_list.then_some(at);
                    self.place.push(Step { name: element, index, of_type: None });
                    self.evaluate(invariant, *node);
                    self.place.pop();
                }
            }
        }
    }

    fn evaluate(&mut self, invariant: &'static Invariant, focus: Node<'a>) {
        let environment = Environment {
            resource: self.around.resource,
            root: self.around.root,
            ..Environment::plain()
        };
        let holds = invariant
            .compiled()
            .ok_or(EvaluateError::Pattern)
            .and_then(|path: &FhirPath| path.holds(focus, &environment, &mut self.steps));
        match holds {
            Ok(true) => {}
            Ok(false) => self.broken(invariant.severity, invariant.key, invariant.human),
            // What is too large to be checked is not accepted unchecked.
            Err(EvaluateError::Limit) => {
                self.broken(Severity::Error, invariant.key, "too large to be checked");
            }
            Err(_) => {
                let said = format!("{}: cannot be checked here", invariant.key);
                self.say_as(Severity::Warning, IssueCode::InvariantUnchecked, said);
            }
        }
    }
}
