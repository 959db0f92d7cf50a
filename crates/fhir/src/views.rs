//! Thin views: what the screens ask of a resource, read from its document, and the few
//! resources that the server itself writes.

use serde_json::{Map, Value, json};

use crate::{Issue, Resource, ResourceType, Severity, Temporal};

fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key)?.as_str()
}

fn objects<'a>(
    object: &'a Map<String, Value>,
    key: &str,
) -> impl Iterator<Item = &'a Map<String, Value>> {
    object.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

/// A patient, read.
#[derive(Debug, Clone, Copy)]
pub struct Patient<'a>(&'a Resource);

impl<'a> Patient<'a> {
    /// The view, if the resource is a patient.
    pub fn of(resource: &'a Resource) -> Option<Self> {
        (resource.resource_type() == ResourceType::Patient).then_some(Self(resource))
    }

    /// The names, in their order.
    pub fn names(self) -> impl Iterator<Item = HumanName<'a>> {
        objects(self.0.body(), "name").map(HumanName)
    }

    /// The name to show: the first that is in use, by `use` official, usual, then any but old
    /// and maiden names.
    pub fn name(self) -> Option<HumanName<'a>> {
        let rank = |name: &HumanName| match name.r#use() {
            Some("official") => 0,
            Some("usual") => 1,
            Some("old" | "maiden") => 3,
            _ => 2,
        };
        self.names().min_by_key(rank)
    }

    /// `birthDate` as it is written: a year, a month or a day.
    pub fn birth_date(self) -> Option<&'a str> {
        text(self.0.body(), "birthDate")
    }

    /// The birth date as a span of time.
    pub fn birth(self) -> Option<Temporal> {
        Temporal::parse(self.birth_date()?)
    }

    /// `male`, `female`, `other` or `unknown`. `None` is 'not asked', which is another thing
    /// than `unknown`.
    pub fn gender(self) -> Option<&'a str> {
        text(self.0.body(), "gender")
    }

    /// The identifiers, in their order.
    pub fn identifiers(self) -> impl Iterator<Item = Identifier<'a>> {
        objects(self.0.body(), "identifier").map(Identifier::read)
    }

    /// The value of the first identifier of a system.
    pub fn identifier(self, system: &str) -> Option<&'a str> {
        self.identifiers().find(|identifier| identifier.system == Some(system))?.value
    }
}

/// A name of a person, read.
#[derive(Debug, Clone, Copy)]
pub struct HumanName<'a>(&'a Map<String, Value>);

impl<'a> HumanName<'a> {
    /// The view of a `HumanName` object.
    pub const fn of(name: &'a Map<String, Value>) -> Self {
        Self(name)
    }

    /// What the name is for (`official`, `usual`, `maiden` ...).
    pub fn r#use(self) -> Option<&'a str> {
        text(self.0, "use")
    }

    /// The whole name as it was given.
    pub fn text(self) -> Option<&'a str> {
        text(self.0, "text")
    }

    /// The family name.
    pub fn family(self) -> Option<&'a str> {
        text(self.0, "family")
    }

    /// The given names, in their order.
    pub fn given(self) -> impl Iterator<Item = &'a str> {
        self.0
            .get("given")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }

    /// The name to show: `text`, else family then given name, in Hangul and Chinese characters
    /// without a space between.
    pub fn display(self) -> Option<String> {
        if let Some(text) = self.text() {
            return Some(text.to_owned());
        }
        let parts: Vec<&str> = self.family().into_iter().chain(self.given()).collect();
        let first = parts.first()?;
        let together = crate::fold::is_written_together(first);
        Some(parts.join(if together { "" } else { " " }))
    }
}

/// An identifier, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identifier<'a> {
    /// The namespace.
    pub system: Option<&'a str>,
    /// The value.
    pub value: Option<&'a str>,
    /// What it is for (`official`, `temp` ...).
    pub r#use: Option<&'a str>,
}

impl<'a> Identifier<'a> {
    fn read(object: &'a Map<String, Value>) -> Self {
        let text = |key| text(object, key);
        Self { system: text("system"), value: text("value"), r#use: text("use") }
    }
}

/// A quantity, read. The number keeps its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity<'a> {
    /// The decimal number as it is written.
    pub value: &'a str,
    /// `<`, `<=`, `>=` or `>`: the value is a bound, not a measurement.
    pub comparator: Option<&'a str>,
    /// The unit in words.
    pub unit: Option<&'a str>,
    /// The system of the code.
    pub system: Option<&'a str>,
    /// The coded unit.
    pub code: Option<&'a str>,
}

/// The system of UCUM codes.
pub const UCUM: &str = "http://unitsofmeasure.org";

impl<'a> Quantity<'a> {
    /// Reads a `Quantity` object; one without a number is none.
    pub fn read(value: &'a Value) -> Option<Self> {
        let object = value.as_object()?;
        let Some(Value::Number(number)) = object.get("value") else { return None };
        let text = |key| text(object, key);
        Some(Self {
            value: number.as_str(),
            comparator: text("comparator"),
            unit: text("unit"),
            system: text("system"),
            code: text("code"),
        })
    }

    /// `valueQuantity` of an observation, or of one of its components.
    pub fn of_observation(observation: &'a Map<String, Value>) -> Option<Self> {
        Self::read(observation.get("valueQuantity")?)
    }

    /// The UCUM code, if the quantity has one. A unit in words alone is never guessed at.
    pub fn ucum(&self) -> Option<&'a str> {
        if self.system == Some(UCUM) { self.code } else { None }
    }
}

/// A `Quantity` as JSON. `decimal` is written as it is; `None` if it is no JSON number.
pub fn quantity(decimal: &str, unit: &str, ucum: &str) -> Option<Value> {
    let limits = crate::Limits { bytes: 64, depth: 0 };
    let value = crate::parse_json(decimal.as_bytes(), limits).ok().filter(Value::is_number)?;
    Some(json!({ "value": value, "unit": unit, "system": UCUM, "code": ucum }))
}

/// An `OperationOutcome` of validation issues.
pub fn outcome_of(issues: &[Issue]) -> Resource {
    let mut outcome = OutcomeBuilder::default();
    for issue in issues {
        outcome.push(
            issue.severity,
            issue.code.issue_type(),
            issue.code.code(),
            &issue.diagnostics,
            Some(&issue.location),
        );
    }
    outcome.build()
}

/// Writes an `OperationOutcome`.
#[derive(Debug, Clone, Default)]
pub struct OutcomeBuilder {
    issues: Vec<Value>,
}

/// The system of our own stable codes in `OperationOutcome.issue.details`.
pub const ISSUE_SYSTEM: &str = "urn:ondol:issue";

impl OutcomeBuilder {
    /// Adds an issue: its severity, the code of R4's `issue-type`, our stable code, a sentence
    /// in English, and where it is as FHIRPath.
    pub fn push(
        &mut self,
        severity: Severity,
        issue_type: &str,
        code: &str,
        diagnostics: &str,
        expression: Option<&str>,
    ) -> &mut Self {
        let mut issue = json!({
            "severity": severity.code(),
            "code": issue_type,
            "details": { "coding": [{ "system": ISSUE_SYSTEM, "code": code }] },
            "diagnostics": diagnostics,
        });
        if let Some(expression) = expression {
            issue["expression"] = json!([expression]);
        }
        self.issues.push(issue);
        self
    }

    /// The resource. Without an issue it says that all is well, since R4 asks for at least one.
    pub fn build(mut self) -> Resource {
        if self.issues.is_empty() {
            self.push(Severity::Information, "informational", "ok", "no issues", None);
        }
        let mut outcome = Resource::new(ResourceType::OperationOutcome);
        outcome.set("issue", self.issues);
        outcome
    }
}

/// Writes a `Bundle`.
#[derive(Debug, Clone)]
pub struct BundleBuilder {
    bundle: Resource,
    links: Vec<Value>,
    entries: Vec<Value>,
}

impl BundleBuilder {
    /// A bundle of a type: a code of R4's `bundle-type`.
    pub fn new(bundle_type: &str) -> Self {
        let mut bundle = Resource::new(ResourceType::Bundle);
        bundle.set("type", bundle_type);
        Self { bundle, links: Vec::new(), entries: Vec::new() }
    }

    /// The number of matches, for a searchset or a history.
    pub fn total(&mut self, total: u32) -> &mut Self {
        self.bundle.set("total", total);
        self
    }

    /// A link: `self`, `next`, `previous` ...
    pub fn link(&mut self, relation: &str, url: &str) -> &mut Self {
        self.links.push(json!({ "relation": relation, "url": url }));
        self
    }

    /// An entry of a searchset; `mode` is `match`, `include` or `outcome`.
    pub fn found(&mut self, full_url: &str, resource: Resource, mode: &str) -> &mut Self {
        self.entry(json!({
            "fullUrl": full_url,
            "resource": resource.into_json(),
            "search": { "mode": mode },
        }))
    }

    /// An entry as it is.
    pub fn entry(&mut self, entry: Value) -> &mut Self {
        self.entries.push(entry);
        self
    }

    /// The resource. Empty lists are left out, as FHIR asks.
    pub fn build(mut self) -> Resource {
        if !self.links.is_empty() {
            self.bundle.set("link", self.links);
        }
        if !self.entries.is_empty() {
            self.bundle.set("entry", self.entries);
        }
        self.bundle
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate;

    fn resource(text: &str) -> Resource {
        Resource::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_patient_is_shown_by_the_name_in_use() {
        let resource = resource(
            r#"{"resourceType":"Patient","gender":"female","birthDate":"1990-05","name":[
            {"use":"maiden","text":"김용희"},{"family":"리","given":["용","희"]},
            {"use":"official","family":"Ri","given":["Yong","Hui"]}],
            "identifier":[{"value":"1"},{"system":"s","value":"2","use":"temp"}]}"#,
        );
        let patient = Patient::of(&resource).unwrap();
        let names: Vec<_> = patient.names().filter_map(HumanName::display).collect();
        assert_eq!(names, ["김용희", "리용희", "Ri Yong Hui"]);
        assert_eq!(patient.name().unwrap().family(), Some("Ri"));
        assert_eq!((patient.gender(), patient.birth_date()), (Some("female"), Some("1990-05")));
        assert!(!patient.birth().unwrap().has_day());
        assert_eq!(patient.identifier("s"), Some("2"));
        assert_eq!(patient.identifier("t"), None);
        assert!(Patient::of(&Resource::new(ResourceType::Group)).is_none());
    }

    #[test]
    fn a_quantity_keeps_its_text_and_guesses_no_unit() {
        let written = quantity("36.50", "°C", "Cel").unwrap();
        let read = Quantity::read(&written).unwrap();
        assert_eq!((read.value, read.ucum()), ("36.50", Some("Cel")));
        assert_eq!(quantity("36,5", "°C", "Cel"), None);
        assert_eq!(quantity("[]", "°C", "Cel"), None);
        let words = json!({ "value": 1, "unit": "kg" });
        assert_eq!(Quantity::read(&words).unwrap().ucum(), None);
        assert_eq!(Quantity::read(&json!({ "unit": "kg" })), None);
    }

    #[test]
    fn outcomes_and_bundles_are_valid() {
        let bad = resource(r#"{"resourceType":"Patient","gender":"banana"}"#);
        let outcome = outcome_of(&validate(&bad));
        assert_eq!(outcome.get_str("issue.expression"), Some("Patient.gender"));
        assert_eq!(outcome.get_str("issue.details.coding.code"), Some("code-unknown"));
        let empty = outcome_of(&[]);
        let mut bundle = BundleBuilder::new("searchset");
        bundle.total(1).link("self", "http://a.kp/fhir/Patient?x");
        bundle.found("http://a.kp/fhir/OperationOutcome/1", outcome.clone(), "outcome");
        for resource in [outcome, empty, bundle.build(), BundleBuilder::new("batch").build()] {
            assert_eq!(validate(&resource), []);
        }
    }
}
