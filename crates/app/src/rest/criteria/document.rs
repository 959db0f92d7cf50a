//! What is looked up in the document itself, because no index has it.

use ondol_fhir::{Resource, SearchParam, fold, leaves};
use serde_json::Value;

use super::{Wanted, value::split};
use crate::rest::error::ParameterFault;

/// Words of a document (`_text`, `_content`): any of some groups, all words of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    narrative_only: bool,
    any: Vec<Vec<String>>,
}

impl Words {
    pub(crate) fn read(value: &str, narrative_only: bool) -> Result<Self, ParameterFault> {
        let group = |text: String| -> Vec<String> {
            fold(&text).split_whitespace().map(str::to_owned).collect()
        };
        let any: Vec<Vec<String>> = split(value, ',').into_iter().map(group).collect();
        if any.iter().any(Vec::is_empty) {
            return Err(ParameterFault::Value);
        }
        Ok(Self { narrative_only, any })
    }

    pub(crate) fn stand_in(&self, resource: &Resource) -> bool {
        let mut text = String::new();
        if self.narrative_only {
            let narrative = resource.get_str("text.div").unwrap_or_default();
            without_tags(narrative, &mut text);
        } else {
            resource.body().values().for_each(|value| gather(value, &mut text));
        }
        let text = fold(&text);
        self.any.iter().any(|words| words.iter().all(|word| text.contains(word.as_str())))
    }
}

fn without_tags(html: &str, to: &mut String) {
    let mut is_tag = false;
    for c in html.chars() {
        match c {
            '<' => is_tag = true,
            '>' => {
                is_tag = false;
                to.push(' ');
            }
            c if !is_tag => to.push(c),
            _ => {}
        }
    }
}

fn gather(value: &Value, to: &mut String) {
    match value {
        Value::String(text) => {
            without_tags(text, to);
            to.push(' ');
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, to)),
        Value::Object(body) => body.values().for_each(|value| gather(value, to)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether what a parameter leads to passes a test that its values do not tell.
pub(super) fn leaf_passes(resource: &Resource, param: &SearchParam, wanted: &Wanted) -> bool {
    let mut passes = false;
    leaves(resource, param, &mut |leaf| passes |= is_so(leaf, wanted));
    passes
}

fn is_so(leaf: &Value, wanted: &Wanted) -> bool {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let codings = |value: &Value| value["coding"].as_array().cloned().unwrap_or_default();
    match wanted {
        Wanted::Worded(begin) => {
            let mut words =
                vec![text(leaf, "text"), text(leaf, "display"), text(&leaf["type"], "text")];
            words.extend(codings(leaf).iter().map(|coding| text(coding, "display")));
            words.into_iter().flatten().any(|word| fold(&word).starts_with(begin))
        }
        Wanted::OfType { system, code, value } => {
            leaf["value"] == **value
                && codings(&leaf["type"])
                    .iter()
                    .any(|coding| coding["system"] == **system && coding["code"] == **code)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_the_narrative_or_anywhere() {
        let note = r#"{"resourceType":"Observation","text":{"div":"<div class='cough'>Fever, <b>no</b> rash</div>"},
            "note":[{"text":"Seen at home"}]}"#;
        let note = Resource::parse(note.as_bytes()).unwrap();
        for (value, narrative_only, expected) in [
            ("fever", true, true),
            ("rash fever", true, true),
            ("cough", true, false),
            ("home", true, false),
            ("home FEVER", false, true),
            ("home banana", false, false),
            ("banana,seen", false, true),
        ] {
            let words = Words::read(value, narrative_only).unwrap();
            assert_eq!(words.stand_in(&note), expected, "{value}");
        }
        assert!(Words::read("a,", true).is_err());
    }
}
