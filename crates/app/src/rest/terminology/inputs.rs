//! What an operation was given: parameters of the query, or `Parameters` in the body.

use ondol_fhir::{Resource, ResourceType};
use serde_json::Value;

use crate::rest::error::{ElementFault, ParameterFault, RestError};

/// One parameter as it came.
#[derive(Debug, Clone)]
enum Input {
    /// Of a query.
    Text(String),
    /// Of `Parameters`: the element without its name.
    Json(Value),
}

/// The parameters of an operation. Each is taken once; what is left at the end was not known.
#[derive(Debug, Clone)]
pub struct Inputs {
    given: Vec<(String, Input)>,
    lenient: bool,
}

/// Keys of values that are texts.
const TEXTS: [&str; 6] =
    ["valueUri", "valueCode", "valueString", "valueCanonical", "valueUrl", "valueId"];

impl Inputs {
    /// Reads query and body. A lenient client has unknown parameters passed over.
    pub fn read(
        query: Vec<(String, String)>,
        body: Option<Resource>,
        lenient: bool,
    ) -> Result<Self, RestError> {
        let is_about_format = |name: &str| matches!(name, "_format" | "_pretty");
        let mut given: Vec<(String, Input)> = query
            .into_iter()
            .filter(|(name, _)| !is_about_format(name))
            .map(|(name, value)| (name, Input::Text(value)))
            .collect();
        if let Some(body) = body {
            if body.resource_type() != ResourceType::Parameters {
                return Err(RestError::element("Parameters", ElementFault::NoParameters));
            }
            let mut body = body.into_json();
            let all = match body["parameter"].take() {
                Value::Array(all) => all,
                Value::Null => vec![],
                _ => return Err(RestError::element("Parameters", ElementFault::NoParameters)),
            };
            for (at, parameter) in all.into_iter().enumerate() {
                let Some(name) = parameter["name"].as_str().map(str::to_owned) else {
                    let at = format!("Parameters.parameter[{at}].name");
                    return Err(RestError::element(at, ElementFault::NoParameters));
                };
                given.push((name, Input::Json(parameter)));
            }
        }
        Ok(Self { given, lenient })
    }

    fn all(&mut self, name: &str) -> Vec<Input> {
        self.given.extract_if(.., |(known, _)| known == name).map(|(_, input)| input).collect()
    }

    fn one(&mut self, name: &str) -> Result<Option<Input>, RestError> {
        let mut all = self.all(name);
        if all.len() > 1 {
            return Err(wrong(name));
        }
        Ok(all.pop())
    }

    /// Whether one was given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(known, _)| known == name)
    }

    /// A text of any kind.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, RestError> {
        self.one(name)?.map(|input| text(name, input)).transpose()
    }

    /// A text that may be empty, as a box is in which nothing was typed.
    pub(super) fn typed(&mut self, name: &str) -> Result<Option<String>, RestError> {
        let read = |input| match input {
            Input::Text(text) => Ok(text),
            Input::Json(json) => {
                json["valueString"].as_str().map(str::to_owned).ok_or_else(|| wrong(name))
            }
        };
        Ok(self.one(name)?.map(read).transpose()?.filter(|text| !text.trim().is_empty()))
    }

    /// All texts of a name.
    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<String>, RestError> {
        self.all(name).into_iter().map(|input| text(name, input)).collect()
    }

    /// True or false.
    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, RestError> {
        let read = |input| match input {
            Input::Text(text) => text.parse().ok(),
            Input::Json(json) => json["valueBoolean"].as_bool(),
        };
        self.one(name)?.map(|input| read(input).ok_or_else(|| wrong(name))).transpose()
    }

    /// A number from 0 on.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<usize>, RestError> {
        let read = |input| match input {
            Input::Text(text) => text.parse().ok(),
            Input::Json(json) => {
                let keys = ["valueInteger", "valueUnsignedInt", "valuePositiveInt"];
                let number = keys.iter().find_map(|key| json[*key].as_u64())?;
                usize::try_from(number).ok()
            }
        };
        self.one(name)?.map(|input| read(input).ok_or_else(|| wrong(name))).transpose()
    }

    /// A value that is an object.
    pub(super) fn object(&mut self, name: &str, key: &str) -> Result<Option<Value>, RestError> {
        let read = |input| match input {
            Input::Json(mut json) => Some(json[key].take()).filter(Value::is_object),
            Input::Text(_) => None,
        };
        self.one(name)?.map(|input| read(input).ok_or_else(|| wrong(name))).transpose()
    }

    /// A resource of a type.
    pub(super) fn resource(&mut self, name: &str, kind: &str) -> Result<Option<Value>, RestError> {
        let found = self.object(name, "resource")?;
        match found {
            Some(found) if found["resourceType"] != kind => Err(wrong(name)),
            other => Ok(other),
        }
    }

    /// Says that all were taken that are understood. Of the rest `unsupported` are R4's own and
    /// would change the answer, so that nobody has them passed over.
    pub(super) fn finish(&self, unsupported: &[&str]) -> Result<(), RestError> {
        for (name, _) in &self.given {
            if unsupported.contains(&name.as_str()) {
                return Err(RestError::parameter(name, ParameterFault::Unsupported));
            }
            if !self.lenient {
                return Err(RestError::parameter(name, ParameterFault::NotOfOperation));
            }
        }
        Ok(())
    }
}

pub(super) fn wrong(name: &str) -> RestError {
    RestError::parameter(name, ParameterFault::Value)
}

pub(super) fn missing(name: &str) -> RestError {
    RestError::parameter(name, ParameterFault::Missing)
}

fn text(name: &str, input: Input) -> Result<String, RestError> {
    let text = match input {
        Input::Text(text) => Some(text),
        Input::Json(json) => TEXTS.iter().find_map(|key| json[*key].as_str()).map(str::to_owned),
    };
    text.filter(|text| !text.is_empty()).ok_or_else(|| wrong(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn inputs(parameters: &Value) -> Result<Inputs, RestError> {
        let body = json!({ "resourceType": "Parameters", "parameter": parameters });
        Inputs::read(vec![], Some(Resource::from_json(body)?), false)
    }

    #[test]
    fn parameters_are_taken_once_and_what_is_left_is_named() {
        let mut inputs = inputs(&json!([
            { "name": "url", "valueUri": "urn:x" },
            { "name": "count", "valueInteger": 3 },
            { "name": "activeOnly", "valueBoolean": true },
            { "name": "context", "valueUri": "urn:y" },
            { "name": "banana", "valueString": "z" }
        ]))
        .ok()
        .unwrap();
        assert_eq!(inputs.text("url").ok().unwrap().as_deref(), Some("urn:x"));
        assert_eq!(inputs.text("url").ok().unwrap(), None);
        assert_eq!(inputs.number("count").ok().unwrap(), Some(3));
        assert_eq!(inputs.flag("activeOnly").ok().unwrap(), Some(true));
        let Err(RestError::Parameter { name, fault }) = inputs.finish(&["context"]) else {
            panic!()
        };
        assert_eq!((name.as_str(), fault), ("context", ParameterFault::Unsupported));
        inputs.text("context").ok().unwrap();
        assert!(matches!(
            inputs.finish(&[]),
            Err(RestError::Parameter { fault: ParameterFault::NotOfOperation, .. })
        ));
        inputs.lenient = true;
        assert!(inputs.finish(&[]).is_ok());
    }

    #[test]
    fn values_of_another_kind_and_doubles_are_refused() {
        let of = |value: Value| inputs(&json!([value])).ok().unwrap();
        assert!(of(json!({ "name": "url", "valueBoolean": true })).text("url").is_err());
        assert!(of(json!({ "name": "count", "valueInteger": -1 })).number("count").is_err());
        assert!(
            of(json!({ "name": "x", "resource": { "resourceType": "Group" } }))
                .resource("x", "ValueSet")
                .is_err()
        );
        let twice = json!([{ "name": "url", "valueUri": "a" }, { "name": "url", "valueUri": "b" }]);
        assert!(inputs(&twice).ok().unwrap().text("url").is_err());
    }
}
