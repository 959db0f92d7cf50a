//! Composite search parameters: values of one element that are asked for together.
//!
//! `code composite ELEMENT… &component kind path… &component kind path…`, where an element is a
//! path of JSON keys or `.` for the resource itself, and a path that begins with `%` starts at
//! the resource.

use std::fmt::Write;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{Definitions, list, params, tail, text};

pub(super) fn line(d: &Definitions, parameter: &Value, base: &str) -> Result<String> {
    let mut line = format!("{} composite", text(&parameter["code"]));
    let mut elements = Vec::new();
    for alternative in text(&parameter["expression"]).split('|').map(str::trim) {
        if alternative == base {
            line.push_str(" .");
            elements.push(base.to_owned());
        } else if let Some(name) = alternative.strip_prefix(&format!("{base}.")) {
            let element = d.elements.get(alternative).with_context(|| alternative.to_owned())?;
            write!(line, " {name}")?;
            elements.push(params::below(d, element));
        }
    }
    if elements.is_empty() {
        bail!("no element");
    }
    for (definition, expression) in components(parameter) {
        let component = d
            .search_parameters
            .iter()
            .find(|known| text(&known["id"]) == tail(definition))
            .with_context(|| definition.to_owned())?;
        let kind = text(&component["type"]);
        write!(line, " &{} {kind}", text(&component["code"]))?;
        for path in paths(d, base, &elements, kind, expression)? {
            write!(line, " {path}")?;
        }
    }
    Ok(line)
}

/// Definition and expression of each component.
fn components(parameter: &Value) -> Vec<(&str, &str)> {
    let mut found: Vec<(&str, &str)> = list(&parameter["component"])
        .iter()
        .map(|component| (text(&component["definition"]), text(&component["expression"])))
        .collect();
    // R4 4.0.1 names the parameter of the target where it means that of the code, and the other
    // way round.
    if parameter["id"] == "DocumentReference-relationship"
        && let [(first, _), (second, _)] = &mut *found
    {
        std::mem::swap(first, second);
    }
    found
}

fn paths(
    d: &Definitions,
    base: &str,
    elements: &[String],
    kind: &str,
    expression: &str,
) -> Result<Vec<String>> {
    let mut found: Option<Vec<String>> = None;
    for element in elements {
        let mut of_element = Vec::new();
        for alternative in expression.split('|').map(str::trim) {
            // The definitions write the type of a time in two ways.
            let alternative = alternative.replace("as(DateTime)", "as(dateTime)");
            let whole = match alternative.strip_prefix("%resource.") {
                Some(path) => params::from_element(d, base, kind, path)?
                    .into_iter()
                    .map(|path| format!("%{path}"))
                    .collect(),
                None => params::from_element(d, element, kind, &alternative)?,
            };
            of_element.extend(whole);
        }
        if found.as_ref().is_some_and(|known| *known != of_element) {
            bail!("the elements differ");
        }
        found = Some(of_element);
    }
    let found = found.unwrap_or_default();
    if found.is_empty() {
        bail!("no path for {expression}");
    }
    Ok(found)
}
