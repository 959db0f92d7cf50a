//! Rules by which a value set draws from a code system (R4 `ValueSet.compose.include.filter`).

use std::collections::HashSet;

use ondol_terms::library::{Concept, System, above, below, is_below};
use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::TermFault;

/// A pattern may become so large, bytes: a hostile one is refused.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// One rule.
pub(super) struct Rule<'r> {
    system: &'r str,
    property: &'r str,
    op: &'r str,
    value: &'r str,
    pattern: Option<Regex>,
}

/// Properties that every system has (R4 4.8.6).
const OF_ALL: [&str; 6] = ["concept", "code", "display", "definition", "parent", "child"];

impl<'r> Rule<'r> {
    /// Reads a rule; an error if it is of another kind, or asks about a property that the system
    /// does not have.
    pub(super) fn read(system: &'r dyn System, body: &'r Value) -> Result<Self, TermFault> {
        let text = |key: &str| body[key].as_str().unwrap_or("");
        let (property, op, value) = (text("property"), text("op"), text("value"));
        let mut rule = Self { system: &system.head().url, property, op, value, pattern: None };
        let is_hierarchical = matches!(op, "is-a" | "descendent-of" | "is-not-a" | "generalizes");
        let is_known = match op {
            _ if is_hierarchical => matches!(property, "concept" | "code"),
            "=" | "in" | "not-in" | "regex" | "exists" => {
                OF_ALL.contains(&property) || system.knows_property(property)?
            }
            _ => false,
        };
        if !is_known || (op == "exists" && !matches!(value, "true" | "false")) {
            return Err(rule.refused());
        }
        if op == "regex" {
            // The pattern is of the whole value, as in XML Schema, whose patterns FHIR takes.
            let pattern = RegexBuilder::new(&format!("^(?:{value})$"))
                .size_limit(PATTERN_BYTES_MAX)
                .build()
                .map_err(|_| rule.refused())?;
            rule.pattern = Some(pattern);
        }
        Ok(rule)
    }

    fn refused(&self) -> TermFault {
        TermFault::Filter {
            system: self.system.to_owned(),
            property: self.property.to_owned(),
            op: self.op.to_owned(),
        }
    }

    /// The codes that pass, if the rule is about what stands above or below a code.
    pub(super) fn codes(&self, system: &dyn System) -> Result<Option<HashSet<String>>, TermFault> {
        let own = |found: Option<HashSet<String>>| found.unwrap_or_default();
        Ok(match self.op {
            "is-a" => Some(own(below(system, self.value)?)),
            "generalizes" => Some(own(above(system, self.value)?)),
            "descendent-of" => {
                let mut found = own(below(system, self.value)?);
                if let Some(top) = system.concept(self.value)? {
                    found.remove(&top.code);
                }
                Some(found)
            }
            _ => None,
        })
    }

    /// Whether a concept passes.
    pub(super) fn passes(&self, system: &dyn System, concept: &Concept) -> Result<bool, TermFault> {
        let code = concept.code.as_str();
        Ok(match self.op {
            "is-a" => is_below(system, code, self.value)?,
            "is-not-a" => !is_below(system, code, self.value)?,
            "descendent-of" => code != self.value && is_below(system, code, self.value)?,
            "generalizes" => is_below(system, self.value, code)?,
            "exists" => self.values(system, concept)?.is_empty() == (self.value == "false"),
            "=" => self.values(system, concept)?.iter().any(|value| value == self.value),
            "regex" => {
                let values = self.values(system, concept)?;
                let fits = |pattern: &Regex| values.iter().any(|value| pattern.is_match(value));
                self.pattern.as_ref().is_some_and(fits)
            }
            op => {
                let listed = |value: &String| self.value.split(',').any(|one| one.trim() == value);
                self.values(system, concept)?.iter().any(listed) == (op == "in")
            }
        })
    }

    fn values(&self, system: &dyn System, concept: &Concept) -> Result<Vec<String>, TermFault> {
        let text = |text: &Option<String>| text.iter().cloned().collect();
        Ok(match self.property {
            "concept" | "code" => vec![concept.code.clone()],
            "display" => text(&concept.display),
            "definition" => text(&concept.definition),
            "parent" => system.parents(&concept.code)?,
            "child" => system.children(&concept.code)?,
            property => {
                concept.property(property).map(ondol_terms::library::Property::compared).collect()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ondol_terms::library::Listed;
    use serde_json::json;

    fn plants() -> Listed {
        let of = |code: &str, parent: &str, colour: &str| {
            json!({ "code": code, "display": code.to_uppercase(), "property": [
                { "code": "parent", "valueCode": parent },
                { "code": "colour", "valueString": colour } ] })
        };
        Listed::from_fhir(&json!({ "url": "urn:plants", "content": "complete", "concept": [
            { "code": "plant" }, of("tree", "plant", "green"), of("pine", "tree", "green"),
            of("fir", "tree", "dark"), of("rose", "plant", "red")
        ]}))
        .unwrap()
    }

    fn selected(filter: &Value) -> Result<Vec<String>, TermFault> {
        let system = plants();
        let rule = Rule::read(&system, filter)?;
        let codes = rule.codes(&system)?;
        let mut found = vec![];
        for code in ["plant", "tree", "pine", "fir", "rose"] {
            let concept = system.concept(code)?.unwrap();
            let passes = rule.passes(&system, &concept)?;
            if let Some(codes) = &codes {
                assert_eq!(codes.contains(code), passes, "{filter} {code}");
            }
            if passes {
                found.push(code.to_owned());
            }
        }
        Ok(found)
    }

    #[test]
    fn each_rule_selects_what_r4_says() {
        for (property, op, value, expected) in [
            ("concept", "is-a", "tree", "tree pine fir"),
            ("code", "is-a", "nothing", ""),
            ("concept", "descendent-of", "tree", "pine fir"),
            ("concept", "is-not-a", "tree", "plant rose"),
            ("concept", "generalizes", "pine", "plant tree pine"),
            ("colour", "=", "green", "tree pine"),
            ("colour", "in", "dark, red", "fir rose"),
            ("colour", "not-in", "dark,red", "plant tree pine"),
            ("colour", "exists", "true", "tree pine fir rose"),
            ("colour", "exists", "false", "plant"),
            ("code", "regex", "[a-z]{4}", "tree pine rose"),
            ("display", "regex", "P.*", "pine"),
            ("parent", "=", "plant", "tree rose"),
            ("child", "=", "fir", "tree"),
            ("concept", "=", "fir", "fir"),
        ] {
            let filter = json!({ "property": property, "op": op, "value": value });
            assert_eq!(selected(&filter).unwrap().join(" "), expected, "{filter}");
        }
    }

    #[test]
    fn rules_that_are_not_understood_are_refused_and_not_passed_over() {
        for (property, op, value) in [
            ("height", "=", "1"),
            ("colour", "is-a", "green"),
            ("colour", "child-of", "green"),
            ("colour", "exists", "perhaps"),
            ("code", "regex", "("),
            ("code", "regex", "(((a{1000}){1000}){1000}){1000}"),
        ] {
            let filter = json!({ "property": property, "op": op, "value": value });
            assert!(matches!(selected(&filter), Err(TermFault::Filter { .. })), "{filter}");
        }
    }
}
