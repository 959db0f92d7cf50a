//! FHIR R4 (4.0.1): definitions as compact data, resources as JSON documents, validation and
//! search values.

mod parse;
mod path;
pub mod reference;
mod resource;
pub mod resource_type;

pub use parse::{Limits, ParseError, parse_json};
pub use reference::Reference;
pub use resource::Resource;
pub use resource_type::ResourceType;
