//! FHIR R4 REST over the use cases.
