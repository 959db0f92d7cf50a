//! A concept of a code system: what it is called, and what is known about it.

use serde_json::{Map, Value, json};

/// A concept, in the form that FHIR gives it (R4 `CodeSystem.concept`), without its children.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Concept {
    /// Its code.
    pub code: String,
    /// What it is called where no language is asked for.
    pub display: Option<String>,
    /// What it means.
    pub definition: Option<String>,
    /// What else it is called.
    pub designations: Vec<Designation>,
    /// What else is known about it.
    pub properties: Vec<Property>,
}

/// A name of a concept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Designation {
    /// The language (BCP 47), if it is said.
    pub language: Option<String>,
    /// What kind of name it is, as a FHIR Coding.
    pub usage: Option<Value>,
    /// The name.
    pub value: String,
}

/// A property of a concept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// What it tells.
    pub code: String,
    /// Its FHIR key: `valueCode`, `valueString` ...
    pub key: String,
    /// Its value in FHIR's JSON.
    pub value: Value,
}

/// The keys under which R4 allows a property's value.
const VALUE_KEYS: [&str; 7] = [
    "valueCode",
    "valueCoding",
    "valueString",
    "valueInteger",
    "valueBoolean",
    "valueDateTime",
    "valueDecimal",
];

impl Property {
    /// A property whose value is a code.
    pub fn code(code: &str, value: &str) -> Self {
        Self { code: code.to_owned(), key: "valueCode".to_owned(), value: value.into() }
    }

    /// A property whose value is a text.
    pub fn text(code: &str, value: &str) -> Self {
        Self { code: code.to_owned(), key: "valueString".to_owned(), value: value.into() }
    }

    /// A property that holds or does not.
    pub fn flag(code: &str, value: bool) -> Self {
        Self { code: code.to_owned(), key: "valueBoolean".to_owned(), value: value.into() }
    }

    /// Its value as filters compare it; of a Coding the code.
    pub fn compared(&self) -> String {
        match &self.value {
            Value::String(text) => text.clone(),
            Value::Object(coding) => {
                coding.get("code").and_then(Value::as_str).unwrap_or("").to_owned()
            }
            other => other.to_string(),
        }
    }
}

impl Concept {
    /// Reads a concept of a FHIR `CodeSystem`. Its children are not looked at. None without a
    /// code.
    pub fn from_fhir(body: &Map<String, Value>) -> Option<Self> {
        let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
        let list = |key: &str| body.get(key).and_then(Value::as_array).map_or(&[][..], |all| all);
        Some(Self {
            code: text("code").filter(|code| !code.is_empty())?,
            display: text("display"),
            definition: text("definition"),
            designations: list("designation").iter().filter_map(designation).collect(),
            properties: list("property").iter().filter_map(property).collect(),
        })
    }

    /// The same in FHIR's JSON.
    pub fn to_fhir(&self) -> Map<String, Value> {
        let mut body = Map::new();
        body.insert("code".to_owned(), self.code.as_str().into());
        for (key, text) in [("display", &self.display), ("definition", &self.definition)] {
            if let Some(text) = text {
                body.insert(key.to_owned(), text.as_str().into());
            }
        }
        if !self.designations.is_empty() {
            let all: Vec<Value> = self.designations.iter().map(Designation::to_fhir).collect();
            body.insert("designation".to_owned(), all.into());
        }
        if !self.properties.is_empty() {
            let all = self.properties.iter();
            let all = all.map(|p| json!({ "code": p.code, p.key.as_str(): p.value }));
            body.insert("property".to_owned(), all.collect());
        }
        body
    }

    /// The values of a property.
    pub fn property<'a>(&'a self, code: &'a str) -> impl Iterator<Item = &'a Property> {
        self.properties.iter().filter(move |property| property.code == code)
    }

    /// Whether it is there for its children alone (R4 concept property `notSelectable`).
    pub fn is_abstract(&self) -> bool {
        self.property("notSelectable").any(|property| property.value == true)
    }

    /// Whether it is no longer in use (R4 concept properties `inactive` and `status`).
    pub fn is_inactive(&self) -> bool {
        self.property("inactive").any(|property| property.value == true)
            || self.property("status").any(|p| p.value == "retired" || p.value == "inactive")
    }

    /// All its names: what it is called first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let others = self.designations.iter().map(|designation| designation.value.as_str());
        self.display.as_deref().into_iter().chain(others)
    }

    /// What it is called in a language: the first name of just that one, or else of a part or a
    /// whole of it (`ko` for `ko-KP`), or else what it is called anyway.
    pub fn called(&self, language: Option<&str>) -> Option<&str> {
        let named = |fits: &dyn Fn(&str) -> bool| {
            let fits = |one: &&Designation| one.language.as_deref().is_some_and(fits);
            self.designations.iter().find(fits).map(|one| one.value.as_str())
        };
        let main = |tag: &str| tag.split('-').next().unwrap_or(tag).to_ascii_lowercase();
        language
            .and_then(|wanted| {
                named(&|tag| tag.eq_ignore_ascii_case(wanted))
                    .or_else(|| named(&|tag| main(tag) == main(wanted)))
            })
            .or(self.display.as_deref())
    }
}

impl Designation {
    /// A name in a language.
    pub fn named(language: &str, value: &str) -> Self {
        Self { language: Some(language.to_owned()), usage: None, value: value.to_owned() }
    }

    /// In FHIR's JSON.
    pub fn to_fhir(&self) -> Value {
        let mut body = Map::new();
        if let Some(language) = &self.language {
            body.insert("language".to_owned(), language.as_str().into());
        }
        if let Some(usage) = &self.usage {
            body.insert("use".to_owned(), usage.clone());
        }
        body.insert("value".to_owned(), self.value.as_str().into());
        body.into()
    }
}

/// Reads a designation of a concept, wherever FHIR has one.
pub fn designation(body: &Value) -> Option<Designation> {
    Some(Designation {
        language: body["language"].as_str().map(str::to_owned),
        usage: body.get("use").filter(|usage| usage.is_object()).cloned(),
        value: body["value"].as_str()?.to_owned(),
    })
}

fn property(body: &Value) -> Option<Property> {
    let code = body["code"].as_str()?.to_owned();
    VALUE_KEYS.iter().find_map(|key| {
        let value = body.get(*key)?.clone();
        Some(Property { code: code.clone(), key: (*key).to_owned(), value })
    })
}
