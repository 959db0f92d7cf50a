//! Parts of resources: `_summary` and `_elements` (R4 3.1.1.5.8, 3.1.1.5.9).
//!
//! `data/summary.txt`, made by `cargo xtask fhir-tables`:
//!
//! ```text
//! @Patient id meta active! -modifierExtension!      a type or backbone with the elements that
//!                                                  stand in its summary; `!` marks modifiers,
//!                                                  `-` those that are in no summary
//! ```

use std::{collections::HashMap, sync::OnceLock};

use serde_json::{Map, Value, json};

use crate::{
    Resource,
    definitions::{self, Definitions, Element, Kind, TypeId},
};

/// Which part of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// What the definitions mark as summary.
    Summary,
    /// The narrative, `id` and `meta`.
    Text,
    /// Everything but the narrative.
    Data,
    /// These elements of the resource itself.
    Elements(Vec<String>),
}

/// The system of the tag that a part of a resource carries.
pub const SUBSETTED_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";

/// The code of that tag: what carries it must not be saved as the whole resource.
pub const SUBSETTED: &str = "SUBSETTED";

impl Part {
    /// Leaves the part in a resource and tags it `SUBSETTED`. Elements that have to be there,
    /// and those that change the meaning of others, stay in every part but `Data`, where they
    /// stay anyway.
    pub fn take(&self, resource: &mut Resource) {
        let definitions = definitions::get();
        let of = definitions.resource(resource.resource_type());
        resource.edit(|body| {
            body.retain(|key, value| {
                let name = key.strip_prefix('_').unwrap_or(key);
                if matches!(name, "resourceType" | "id" | "meta") {
                    return true;
                }
                let Some((element, kind)) = definitions.find(of, name) else { return false };
                let stands = || element.is_required || marks(definitions, of, element).modifier;
                match self {
                    Self::Data => name != "text",
                    Self::Text => name == "text" || stands(),
                    Self::Elements(names) => {
                        names.iter().any(|asked| asked == element.name) || stands()
                    }
                    Self::Summary => {
                        summarise(definitions, kind, value);
                        stands() || marks(definitions, of, element).summary
                    }
                }
            });
            tag(body);
        });
    }
}

fn tag(body: &mut Map<String, Value>) {
    let tag = json!({ "system": SUBSETTED_SYSTEM, "code": SUBSETTED });
    let at = body.keys().position(|key| key == "id").map_or(1, |at| at + 1);
    if !body.get("meta").is_some_and(Value::is_object) {
        body.shift_remove("meta");
        body.shift_insert(at.min(body.len()), "meta".to_owned(), json!({}));
    }
    let Some(meta) = body.get_mut("meta").and_then(Value::as_object_mut) else { return };
    match meta.get_mut("tag").and_then(Value::as_array_mut) {
        Some(tags) if tags.contains(&tag) => {}
        Some(tags) => tags.push(tag),
        None => {
            meta.insert("tag".to_owned(), json!([tag]));
        }
    }
}

/// The same for what stands below an element.
fn summarise(definitions: &Definitions, kind: Kind, value: &mut Value) {
    let of = match kind {
        Kind::Complex(of) => of,
        Kind::Reference(_) => definitions.reference,
        // A resource inside another one stays whole.
        Kind::Primitive(_) | Kind::Resource => return,
    };
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| summarise(definitions, kind, item)),
        Value::Object(body) => body.retain(|key, value| {
            let name = key.strip_prefix('_').unwrap_or(key);
            let Some((element, kind)) = definitions.find(of, name) else { return false };
            summarise(definitions, kind, value);
            let marks = marks(definitions, of, element);
            element.is_required || marks.summary || marks.modifier
        }),
        _ => {}
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Marks {
    summary: bool,
    modifier: bool,
}

fn marks(definitions: &Definitions, of: TypeId, element: &Element) -> Marks {
    type Table = HashMap<&'static str, HashMap<&'static str, Marks>>;
    static TABLE: OnceLock<Table> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let lines = include_str!("../data/summary.txt").lines();
        let lines = lines.filter_map(|line| line.strip_prefix('@'));
        lines
            .map(|line| {
                let mut words = line.split(' ');
                let name = words.next().unwrap_or_default();
                let marks = words.map(|word| {
                    let modifier = word.ends_with('!');
                    let word = word.trim_end_matches('!');
                    match word.strip_prefix('-') {
                        Some(word) => (word, Marks { summary: false, modifier }),
                        None => (word, Marks { summary: true, modifier }),
                    }
                });
                (name, marks.collect())
            })
            .collect()
    });
    let name = definitions.name(Kind::Complex(of));
    table.get(name).and_then(|elements| elements.get(element.name)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(part: &Part, text: &str) -> Value {
        let mut resource = Resource::parse(text.as_bytes()).unwrap();
        part.take(&mut resource);
        resource.into_json()
    }

    const TAGGED: &str = r#"{"tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]}"#;

    const SEEN: &str = r#"{"resourceType":"Observation","id":"o","text":{"status":"empty","div":"<div/>"},
        "extension":[{"url":"urn:x","valueString":"x"}],"status":"final","code":{"text":"x"},
        "note":[{"text":"long"}],"method":{"text":"m"},"valueQuantity":{"value":1.50,"unit":"C"},
        "component":[{"code":{"text":"y"},"valueString":"v","interpretation":[{"text":"high"}]}]}"#;

    fn keys(value: &Value) -> String {
        value.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_summary_has_what_is_marked_also_further_down() {
        let found = part(&Part::Summary, SEEN);
        assert_eq!(keys(&found), "resourceType id meta status code valueQuantity component");
        assert_eq!(found["meta"].to_string(), TAGGED);
        assert_eq!(keys(&found["component"][0]), "code valueString");
        assert!(found.to_string().contains("1.50"), "digits stay");
    }

    #[test]
    fn text_data_and_elements_are_told_apart() {
        assert_eq!(keys(&part(&Part::Text, SEEN)), "resourceType id meta text status code");
        assert_eq!(
            keys(&part(&Part::Data, SEEN)),
            "resourceType id meta extension status code note method valueQuantity component"
        );
        let asked = Part::Elements(vec!["value".into(), "note".into()]);
        assert_eq!(
            keys(&part(&asked, SEEN)),
            "resourceType id meta status code note valueQuantity"
        );
    }

    #[test]
    fn companions_of_primitives_follow_them_and_tags_are_kept() {
        let person = r#"{"resourceType":"Patient","id":"p","meta":{"tag":[{"code":"x"}]},
            "birthDate":"1990","_birthDate":{"id":"b"},"active":true,"photo":[{"title":"t"}]}"#;
        let found = part(&Part::Elements(vec!["birthDate".into()]), person);
        assert_eq!(keys(&found), "resourceType id meta birthDate _birthDate active");
        assert_eq!(found["meta"]["tag"].as_array().unwrap().len(), 2);
    }
}
