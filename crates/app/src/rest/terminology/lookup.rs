//! `CodeSystem/$lookup`.

use ondol_terms::library::{Concept, Designation};
use serde_json::{Map, Value, json};

use super::{
    TermFault,
    inputs::{Inputs, missing, wrong},
    sources::Terminology,
};
use crate::rest::error::RestError;

const UNSUPPORTED: [&str; 1] = ["date"];

/// What is known about a code.
pub(super) fn lookup(
    terms: &mut Terminology<'_, '_>,
    inputs: &mut Inputs,
) -> Result<Value, RestError> {
    let (mut code, mut system) = (inputs.text("code")?, inputs.text("system")?);
    let mut version = inputs.text("version")?;
    if let Some(coding) = inputs.object("coding", "valueCoding")? {
        if code.is_some() || system.is_some() {
            return Err(wrong("coding"));
        }
        let text = |key: &str| coding[key].as_str().map(str::to_owned);
        (code, system) = (text("code"), text("system"));
        version = version.or_else(|| text("version"));
    }
    let language = inputs.text("displayLanguage")?;
    let wanted = inputs.texts("property")?;
    inputs.finish(&UNSUPPORTED)?;
    let code = code.ok_or_else(|| missing("code"))?;
    let system = system.ok_or_else(|| missing("system"))?;
    let held = terms.system(&system, version.as_deref())?.ok_or(TermFault::NoSystem)?;
    let concept = held
        .concept(&code)?
        .ok_or_else(|| if held.is_part() { TermFault::CodeNotInPart } else { TermFault::NoCode })?;
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
    let title = held.codes().map_or("UCUM", |codes| &codes.head().title);
    let mut told = vec![json!({ "name": "name", "valueString": title })];
    if let Some(version) = held.version() {
        told.push(json!({ "name": "version", "valueString": version }));
    }
    let display = concept.called(language.as_deref()).unwrap_or(&concept.code);
    told.push(json!({ "name": "display", "valueString": display }));
    for one in &concept.designations {
        let of_language =
            one.language.as_ref().is_some_and(|tag| wanted.contains(&format!("lang.{tag}")));
        if wants("designation") || of_language {
            told.push(designation(one));
        }
    }
    told.extend(properties(&concept, &wants));
    if let Some(codes) = held.codes() {
        for (name, others) in [
            ("parent", codes.parents(&concept.code).map_err(TermFault::from)?),
            ("child", codes.children(&concept.code).map_err(TermFault::from)?),
        ] {
            for other in others.iter().filter(|_| wants(name)) {
                let called = codes.concept(other).map_err(TermFault::from)?;
                told.push(relative(name, other, called.as_ref(), language.as_deref()));
            }
        }
    }
    Ok(json!({ "resourceType": "Parameters", "parameter": told }))
}

fn designation(one: &Designation) -> Value {
    let mut parts = vec![];
    if let Some(language) = &one.language {
        parts.push(json!({ "name": "language", "valueCode": language }));
    }
    if let Some(usage) = &one.usage {
        parts.push(json!({ "name": "use", "valueCoding": usage }));
    }
    parts.push(json!({ "name": "value", "valueString": one.value }));
    json!({ "name": "designation", "part": parts })
}

fn properties(concept: &Concept, wants: &dyn Fn(&str) -> bool) -> Vec<Value> {
    let mut all = vec![];
    if let Some(definition) = concept.definition.as_ref().filter(|_| wants("definition")) {
        let value = json!({ "name": "value", "valueString": definition });
        all.push(json!({ "name": "property", "part": [
            { "name": "code", "valueCode": "definition" }, value
        ]}));
    }
    for property in &concept.properties {
        // What stands above and below is told of both kinds alike, with names.
        if matches!(property.code.as_str(), "parent" | "child") || !wants(&property.code) {
            continue;
        }
        let mut value = Map::new();
        value.insert("name".to_owned(), "value".into());
        value.insert(property.key.clone(), property.value.clone());
        all.push(json!({ "name": "property", "part": [
            { "name": "code", "valueCode": property.code }, value
        ]}));
    }
    all
}

fn relative(name: &str, code: &str, concept: Option<&Concept>, language: Option<&str>) -> Value {
    let mut parts = vec![
        json!({ "name": "code", "valueCode": name }),
        json!({ "name": "value", "valueCode": code }),
    ];
    if let Some(called) = concept.and_then(|concept| concept.called(language)) {
        parts.push(json!({ "name": "description", "valueString": called }));
    }
    json!({ "name": "property", "part": parts })
}
