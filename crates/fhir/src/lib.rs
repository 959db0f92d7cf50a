//! FHIR R4 definitions as compact data, resources as JSON documents, validation and search values.
