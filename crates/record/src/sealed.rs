//! What stands in a record sealed (ADR 0025).

/// What a sealed piece is called where resources have their type's name. No type of FHIR is called
/// so: nothing of it is found by any search, history or list of resources. Its body is
/// `{"data": …}`, base64 of bytes that the places open that may.
pub const SEALED_ENTRY: &str = "SealedEntry";
