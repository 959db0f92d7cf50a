//! FHIR R4 (4.0.1): definitions as compact data, resources as JSON documents, validation and
//! search values.

pub mod resource_type;

pub use resource_type::ResourceType;
