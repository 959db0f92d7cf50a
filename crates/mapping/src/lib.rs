//! What a facility already has, as FHIR resources: rows of its registers, by a mapping that the
//! facility writes, and HL7 v2 messages of its machines and of the systems before this one.
//!
//! Each row or message becomes resources that are saved together or not at all. Their ids are
//! derived from where they come from and from what tells one row from another there, so that a file
//! that is read again gives the same resources.

pub mod hl7;
pub mod sheet;
pub mod table;

/// The id of a resource that is made of something in another system: the same each time.
///
/// `source` says which system, `kind` which of the resources that are made of it (the type, or a
/// name of the mapping), `key` what tells this one from the others there. The id has the form of a
/// UUID (RFC 9562, version 8).
///
/// ```
/// let id = ondol_mapping::id_of("county-register", "Patient", &["2024-17"]);
/// assert_eq!(id, ondol_mapping::id_of("county-register", "Patient", &["2024-17"]));
/// assert_ne!(id, ondol_mapping::id_of("county-register", "Patient", &["2024-1", "7"]));
/// assert_eq!(id.len(), 36);
/// ```
pub fn id_of(source: &str, kind: &str, key: &[&str]) -> String {
    let mut bytes = vec![];
    for part in [source, kind].iter().chain(key) {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    let hash = blake3::derive_key("ondol 1 id of a mapped resource", &bytes);
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    id[6] = id[6] & 0x0f | 0x80;
    id[8] = id[8] & 0x3f | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(id));
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
