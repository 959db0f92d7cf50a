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
//! message reference(MessageHeader) !first        the resource in the first entry of a bundle
//! combo-code-value-quantity composite . component &combo-code token code:CodeableConcept
//!     &combo-value-quantity quantity valueQuantity:Quantity
//!                                                values of one element together (one line):
//!                                                elements (`.` is the resource), components with
//!                                                their paths; `%path` starts at the resource
//! ```
//!
//! Not there: `_text` and `_content`, which have no path, and `_query`. Values that give nothing:
//! a date said in words, an age or a range where a date is searched.

mod extract;
mod table;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, sync::OnceLock};

use ondol_kernel::Millis;

use crate::{ResourceType, ResourceTypes, definitions::ValueSet};

pub use extract::{extract, extract_members, leaves, values_of};

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
    /// Values of one element together.
    Composite,
    /// `Location` `near`: a distance.
    Special,
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
            Self::Composite => "composite",
            Self::Special => "special",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        use ParamKind as K;
        let simple = [K::String, K::Token, K::Reference, K::Date, K::Number, K::Quantity, K::Uri];
        simple.into_iter().chain([K::Composite, K::Special]).find(|kind| kind.code() == code)
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
    /// What is asked together, in the order of a value; empty for other kinds.
    pub components: Vec<SearchParam>,
    /// Where the elements of a composite parameter stand; no step is the resource itself.
    elements: Vec<Vec<Step>>,
    paths: Vec<Path>,
}

/// One alternative of a parameter's expression.
#[derive(Debug, Clone)]
struct Path {
    /// Of a component: it starts at the resource, not at the element.
    from_root: bool,
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
    First,
    Position,
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
    /// The values of one element for each component of a composite parameter, none of them
    /// empty.
    Together(Vec<Vec<IndexValue<'a>>>),
    /// A place on the earth, degrees as they are written.
    Position {
        /// North is positive.
        latitude: &'a str,
        /// East is positive.
        longitude: &'a str,
    },
}

/// The parameters of a type: those of every resource (`_id`, `_lastUpdated`, `_profile`,
/// `_security`, `_source`, `_tag`), then its own.
pub fn params(kind: ResourceType) -> &'static [SearchParam] {
    static PARAMS: OnceLock<Vec<Vec<SearchParam>>> = OnceLock::new();
    // The text is part of the program and a test reads it, so this cannot fail where it runs.
    let all = PARAMS.get_or_init(|| table::load().expect("the built-in table is well formed"));
    &all[usize::from(kind.number())]
}

/// The parameter of a type and a code.
pub fn param(kind: ResourceType, code: &str) -> Option<&'static SearchParam> {
    params(kind).iter().find(|param| param.code == code)
}
