//! Pictures, voice notes and documents that belong to a case.
//!
//! An upload becomes blobs (the original, a picture for looking at, a preview) and, when the
//! case is sent, a Media or `DocumentReference` that names them. The preview travels with the
//! case; what is larger travels when somebody asks for it.

mod cost;
mod fetch;
mod identity;
mod media;
mod part;

pub use cost::{Cost, ENTRY_BYTES};
pub use fetch::{Fetched, Size};
pub use identity::Differs;
pub use media::{Here, Picture};
pub use part::{BlobRef, Part, PartKind};

pub(crate) use media::{pictures, resource};
pub(crate) use part::prepare;
