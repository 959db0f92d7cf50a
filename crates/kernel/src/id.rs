//! Identifiers that cannot be mistaken for each other.

use std::{fmt, marker::PhantomData, str::FromStr};

use thiserror::Error;

/// Who a node is: the first 16 bytes of the BLAKE3 hash of its first public key. It stays when
/// the key is rotated (ADR 0002).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub [u8; 16]);

impl NodeId {
    /// The id of a node whose first Ed25519 public key is `key`.
    pub fn of_key(key: &[u8; 32]) -> Self {
        let hash = blake3::derive_key("ondol 1 node id", key);
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        Self(id)
    }

    /// Reads 32 lower-case hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut id = [0; 16];
        crate::bytes::hex_to(text, &mut id).then_some(Self(id))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::bytes::to_hex(&self.0))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}

/// The logical id of a FHIR resource: 1 to 64 of `A–Z a–z 0–9 - .` (R4 2.24.0.1, `id`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(Box<str>);

/// The text is no FHIR id. The text itself is not repeated: it may be somebody's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an id has 1 to 64 of the characters A-Z, a-z, 0-9, '-' and '.'")]
pub struct BadId;

impl ResourceId {
    /// Checks and wraps an id.
    pub fn new(text: &str) -> Result<Self, BadId> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        if fits { Ok(Self(text.into())) } else { Err(BadId) }
    }

    /// The id of 16 bytes, written as a UUID.
    pub fn from_uuid(bytes: [u8; 16]) -> Self {
        let hex = crate::bytes::to_hex(&bytes);
        let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        Self(parts.join("-").into())
    }

    /// The 16 bytes, if the id is a UUID in lower case.
    pub fn as_uuid(&self) -> Option<[u8; 16]> {
        let text = self.0.as_bytes();
        let dashes = text.len() == 36 && [8, 13, 18, 23].iter().all(|&at| text[at] == b'-');
        if !dashes {
            return None;
        }
        let mut bytes = [0; 16];
        let hex: String = self.0.split('-').collect();
        crate::bytes::hex_to(&hex, &mut bytes).then_some(bytes)
    }

    /// The text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResourceId({})", self.0)
    }
}

impl FromStr for ResourceId {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        Self::new(text)
    }
}

/// A resource id that knows what it is the id of: `Id<Patient>` does not fit where
/// `Id<Encounter>` is asked.
pub struct Id<T> {
    id: ResourceId,
    of: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// Says what an id is the id of.
    pub const fn new(id: ResourceId) -> Self {
        Self { id, of: PhantomData }
    }

    /// The id without its type.
    pub const fn untyped(&self) -> &ResourceId {
        &self.id
    }

    /// The text of the id.
    pub fn as_str(&self) -> &str {
        self.id.as_str()
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        Self::new(self.id.clone())
    }
}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl<T> Eq for Id<T> {}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.id, f)
    }
}

impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.id, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_read_in_lower_case_only() {
        let id = ResourceId::new("0e2feb89-414c-843c-9027-c4d1c386bbc4").unwrap();
        assert_eq!(ResourceId::from_uuid(id.as_uuid().unwrap()), id);
        assert_eq!(
            ResourceId::new("0E2FEB89-414c-843c-9027-c4d1c386bbc4").unwrap().as_uuid(),
            None
        );
        assert_eq!(
            ResourceId::new("0e2feb89414c-843c-9027-c4d1c386bbc4-").unwrap().as_uuid(),
            None
        );
    }

    #[test]
    fn ids_keep_to_the_characters_of_fhir() {
        assert!(ResourceId::new("a.b-C9").is_ok());
        for bad in ["", "a b", "a/b", "한", &"x".repeat(65)] {
            assert_eq!(ResourceId::new(bad), Err(BadId));
        }
    }
}
