//! FHIR R4 (4.0.1): definitions as compact data, resources as JSON documents, validation and
//! search values.

pub mod compartment;
mod decimal;
mod definitions;
pub mod fhirpath;
mod fold;
mod invariants;
mod issue;
mod parse;
pub mod patch;
mod path;
mod primitive;
pub mod reference;
mod resource;
pub mod resource_type;
mod resource_types;
pub mod search;
pub mod subset;
mod temporal;
pub mod terminology;
mod validate;
pub mod views;

pub use compartment::compartment;
pub use decimal::DecimalKey;
pub use fold::fold;
pub use issue::{Issue, IssueCode, Severity};
pub use parse::{Limits, ParseError, parse_json};
pub use reference::Reference;
pub use resource::Resource;
pub use resource_type::ResourceType;
pub use resource_types::ResourceTypes;
pub use search::{
    IndexValue, ParamKind, SearchParam, extract, extract_members, leaves, param, params, values_of,
};
pub use subset::Part;
pub use temporal::Temporal;
pub use terminology::codes_of;
pub use validate::{ISSUES_MAX, validate, validate_body, validate_structure};
