//! Who is this person: names as people type them, and how likely two records are one person.
//!
//! Pure: no file, clock or chance. Why it is so stands in `docs/adr/0015-identity.md`.

pub mod linkage;
pub mod names;
pub mod national;
