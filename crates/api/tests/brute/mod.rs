//! Reads resources by the expressions of HL7's search parameters, as they stand in the
//! definitions, and asks questions whose answers are known by looking at everything. Nothing of
//! the program's own tables is used.

pub mod archive;
mod expression;
mod made;
mod question;

use serde_json::Value;

pub use archive::archive;
pub use made::made;
pub use question::{Values, questions};

/// A search parameter of one type.
pub struct Parameter {
    pub base: String,
    pub code: String,
    pub kind: String,
    expression: String,
    targets: Vec<String>,
    components: Vec<Component>,
}

struct Component {
    kind: String,
    expression: String,
}

/// Every search parameter of R4 with an expression, for each type that it belongs to; those of
/// `Resource` once, of the type `Resource`.
pub fn parameters() -> Option<Vec<Parameter>> {
    let files = archive("fhir_r4_definitions.tar.gz", |name| name == "search-parameters.json")?;
    let entries = files["search-parameters.json"]["entry"].as_array().unwrap();
    let all: Vec<&Value> = entries
        .iter()
        .map(|entry| &entry["resource"])
        // The archive has some of a later version.
        .filter(|parameter| parameter["version"] == "4.0.1" && parameter["expression"].is_string())
        .collect();
    let mut found = vec![];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for parameter in &all {
        let component = |part: &Value| {
            let url = &part["definition"];
            let named = all.iter().find(|p| p["url"] == *url).unwrap();
            let (mut kind, expression) = (text(&named["type"]), text(&part["expression"]));
            // R4 4.0.1 exchanged these two.
            if parameter["id"] == "DocumentReference-relationship" {
                if expression == "code" { "token" } else { "reference" }.clone_into(&mut kind);
            }
            Component { kind, expression }
        };
        let parts = parameter["component"].as_array().cloned().unwrap_or_default();
        for base in parameter["base"].as_array().unwrap() {
            found.push(Parameter {
                base: text(base),
                code: text(&parameter["code"]),
                kind: text(&parameter["type"]),
                expression: text(&parameter["expression"]),
                targets: parameter["target"]
                    .as_array()
                    .map_or_else(Vec::new, |names| names.iter().map(text).collect()),
                components: parts.iter().map(component).collect(),
            });
        }
    }
    Some(found)
}

impl Parameter {
    /// What the parameter finds in a resource: for each value the values that are compared, one
    /// for each component.
    pub fn values(&self, resource: &Value) -> Values {
        let mut nodes = expression::evaluate(&self.expression, resource, resource);
        // The first entry of a bundle is one of a type that the parameter leads to.
        nodes.retain(|node| {
            let kind = node.value.get("resourceType").and_then(Value::as_str);
            self.base != "Bundle" || kind.is_none_or(|kind| self.targets.iter().any(|t| t == kind))
        });
        if self.components.is_empty() {
            let values = nodes.iter().flat_map(|node| question::values(&self.kind, node));
            return values.map(|value| vec![vec![value]]).collect();
        }
        let together = |element: &&expression::Node<'_>| {
            let of = |component: &Component| {
                expression::evaluate(&component.expression, element.value, resource)
                    .iter()
                    .flat_map(|node| question::values(&component.kind, node))
                    .collect()
            };
            self.components.iter().map(of).collect::<Vec<Vec<_>>>()
        };
        let all = nodes.iter().map(|node| together(&node));
        all.filter(|parts| parts.iter().all(|values| !values.is_empty())).collect()
    }
}
