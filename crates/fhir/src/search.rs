//! Search parameters of R4, compiled to plain paths, and the values they find in a resource.
//!
//! `data/params.txt`, made by `cargo xtask fhir-tables`:
//!
//! ```text
//! @Observation                                   a type
//! value-date date valueDateTime:dateTime valuePeriod:Period     code, kind, paths
//! patient reference(Patient) subject<Patient>:Reference         where(resolve() is Patient)
//! phone token telecom{system=phone}:ContactPoint                where(system='phone')
//! gender token gender:code=administrative-gender                the set that gives the system
//! deceased token !deceased                       Patient.deceased exists and is not false
//! ```
//!
//! Not there: composite parameters (`Observation` `code-value-quantity` and 45 others),
//! `Location` `near`, `_text`, `_content`, `_query`, and `Bundle` `composition` and `message`,
//! which point into the first entry. Values that give nothing: a date said in words, an age or
//! a range where a date is searched.

mod extract;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, sync::OnceLock};

use ondol_kernel::Millis;

use crate::{
    ResourceType, ResourceTypes,
    definitions::{self, ValueSet},
};

pub use extract::extract;

/// The kind of a search parameter, which says how its values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParamKind {
    /// Texts: folded, from the beginning.
    String,
    /// Codes with a system.
    Token,
    /// References to other resources.
    Reference,
    /// Spans of time.
    Date,
    /// Numbers.
    Number,
    /// Numbers with a unit.
    Quantity,
    /// URIs, exactly.
    Uri,
}

impl ParamKind {
    /// The code of R4's value set `search-param-type`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Token => "token",
            Self::Reference => "reference",
            Self::Date => "date",
            Self::Number => "number",
            Self::Quantity => "quantity",
            Self::Uri => "uri",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        use ParamKind as K;
        [K::String, K::Token, K::Reference, K::Date, K::Number, K::Quantity, K::Uri]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// A search parameter of one resource type.
#[derive(Debug, Clone)]
pub struct SearchParam {
    /// The code that searches use (`birthdate`, `_id`).
    pub code: &'static str,
    /// How its values compare.
    pub kind: ParamKind,
    /// The types that a reference may lead to; empty for other kinds.
    pub targets: ResourceTypes,
    paths: Vec<Path>,
}

/// One alternative of a parameter's expression.
#[derive(Debug, Clone)]
struct Path {
    steps: Vec<Step>,
    leaf: Leaf,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    key: &'static str,
    condition: Option<Condition>,
}

#[derive(Debug, Clone, Copy)]
enum Condition {
    Leads(ResourceType),
    Equals { key: &'static str, literal: &'static str },
}

/// The type at the end of a path, as far as values of it are read differently.
#[derive(Debug, Clone, Copy)]
enum Leaf {
    /// A string, code, uri, id ... that is its own value.
    Text(Option<ValueSet>),
    Boolean,
    Number,
    Temporal,
    Period,
    Timing,
    Range,
    Quantity,
    Money,
    SampledData,
    Coding,
    CodeableConcept,
    Identifier,
    ContactPoint,
    HumanName,
    Address,
    Reference,
    Canonical,
    Deceased,
}

/// A value that a parameter finds in a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexValue<'a> {
    /// A text.
    String {
        /// As [`crate::fold()`] gives it.
        folded: String,
        /// As it stands in the resource.
        exact: Cow<'a, str>,
    },
    /// A code. Booleans are `true` and `false` without a system.
    Token {
        /// The system; for a plain `code` the one that its required binding implies.
        system: Option<Cow<'a, str>>,
        /// The code, the identifier's value, or the telephone number.
        code: Option<&'a str>,
    },
    /// A reference. Contained resources are not searched for, so references to them are left
    /// out; a conditional reference is left out too.
    Reference {
        /// The type, from the literal reference or from `Reference.type`.
        kind: Option<ResourceType>,
        /// The logical id.
        id: Option<&'a str>,
        /// The whole text if it is not of the form `Type/id`: an absolute URL (with kind and id
        /// if it ends in them), a URN, or a canonical URL.
        url: Option<&'a str>,
        /// System and value of a logical reference.
        identifier: Option<(Option<&'a str>, &'a str)>,
    },
    /// A span of time, the end excluded; open ends are the ends of `i64`.
    Date {
        /// The first millisecond.
        from: Millis,
        /// The millisecond after the last.
        to: Millis,
    },
    /// A decimal number as it is written.
    Number(&'a str),
    /// A quantity. A range gives two, low and high; sampled data its origin; money its currency
    /// as code.
    Quantity {
        /// The decimal number as it is written.
        value: &'a str,
        /// The system of the code.
        system: Option<&'a str>,
        /// The coded unit.
        code: Option<&'a str>,
        /// The unit in words.
        unit: Option<&'a str>,
    },
    /// A URI.
    Uri(&'a str),
}

/// The parameters of a type: those of every resource (`_id`, `_lastUpdated`, `_profile`,
/// `_security`, `_source`, `_tag`), then its own.
pub fn params(kind: ResourceType) -> &'static [SearchParam] {
    static PARAMS: OnceLock<Vec<Vec<SearchParam>>> = OnceLock::new();
    // The text is part of the program and a test reads it, so this cannot fail where it runs.
    let all = PARAMS.get_or_init(|| load().expect("the built-in table is well formed"));
    &all[usize::from(kind.number())]
}

/// The parameter of a type and a code.
pub fn param(kind: ResourceType, code: &str) -> Option<&'static SearchParam> {
    params(kind).iter().find(|param| param.code == code)
}

fn load() -> Option<Vec<Vec<SearchParam>>> {
    const TABLE: &str = include_str!("../data/params.txt");
    let (mut common, mut own) = (Vec::new(), vec![Vec::new(); ResourceType::ALL.len()]);
    let mut at = None;
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('@') {
            at = (name != "Resource").then_some(ResourceType::from_name(name));
            continue;
        }
        let param = read_param(line)?;
        match at {
            Some(kind) => own.get_mut(usize::from(kind?.number()))?.push(param),
            None => common.push(param),
        }
    }
    for params in &mut own {
        params.splice(0..0, common.iter().cloned());
    }
    Some(own)
}

fn read_param(line: &'static str) -> Option<SearchParam> {
    let mut words = line.split(' ');
    let (code, kind) = (words.next()?, words.next()?);
    let (kind, targets) = match kind.split_once('(') {
        Some((kind, names)) => (kind, ResourceTypes::from_names(names.strip_suffix(')')?)?),
        None if kind == "reference" => (kind, ResourceTypes::all()),
        None => (kind, ResourceTypes::NONE),
    };
    let paths: Option<Vec<Path>> = words.map(read_path).collect();
    Some(SearchParam { code, kind: ParamKind::from_code(kind)?, targets, paths: paths? })
}

fn read_path(text: &'static str) -> Option<Path> {
    if text == "!deceased" {
        return Some(Path { steps: Vec::new(), leaf: Leaf::Deceased });
    }
    let (steps, leaf) = text.split_once(':')?;
    let (leaf, set) = match leaf.split_once('=') {
        Some((leaf, set)) => (leaf, Some(definitions::value_set(set)?)),
        None => (leaf, None),
    };
    let leaf = match leaf {
        "string" | "markdown" | "code" | "id" | "uri" | "url" | "oid" => Leaf::Text(set),
        "boolean" => Leaf::Boolean,
        "decimal" | "integer" | "positiveInt" | "unsignedInt" => Leaf::Number,
        "date" | "dateTime" | "instant" => Leaf::Temporal,
        "Period" => Leaf::Period,
        "Timing" => Leaf::Timing,
        "Range" => Leaf::Range,
        "Quantity" | "Age" | "Duration" => Leaf::Quantity,
        "Money" => Leaf::Money,
        "SampledData" => Leaf::SampledData,
        "Coding" => Leaf::Coding,
        "CodeableConcept" => Leaf::CodeableConcept,
        "Identifier" => Leaf::Identifier,
        "ContactPoint" => Leaf::ContactPoint,
        "HumanName" => Leaf::HumanName,
        "Address" => Leaf::Address,
        "Reference" => Leaf::Reference,
        "canonical" => Leaf::Canonical,
        _ => return None,
    };
    let steps: Option<Vec<Step>> = steps.split('.').map(read_step).collect();
    Some(Path { steps: steps?, leaf })
}

fn read_step(text: &'static str) -> Option<Step> {
    if let Some((key, kind)) = text.strip_suffix('>').and_then(|text| text.split_once('<')) {
        let condition = Some(Condition::Leads(ResourceType::from_name(kind)?));
        return Some(Step { key, condition });
    }
    if let Some((step, equation)) = text.strip_suffix('}').and_then(|text| text.split_once('{')) {
        let (key, literal) = equation.split_once('=')?;
        return Some(Step { key: step, condition: Some(Condition::Equals { key, literal }) });
    }
    Some(Step { key: text, condition: None })
}
