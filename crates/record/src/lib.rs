//! Charts, entries, versions and merge: what is true about a record.
//!
//! Pure: bytes and values in, bytes and values out. It knows no store, no link and no clock.
//! The formats of this crate are final (ADR 0002 to 0004, 0026, 0030); their test vectors stand in
//! `tests/vectors.rs`.

pub mod address;
pub mod body;
pub mod certificate;
pub mod chart;
pub mod draft;
pub mod entry;
pub mod home;
pub mod invitation;
pub mod placement;
pub mod revocation;
pub mod seal;
pub mod sealed;
pub mod signature;
pub mod versions;

pub use address::{Address, Stream};
pub use body::Body;
pub use certificate::Certificate;
pub use chart::{ChartId, ChartKind};
pub use draft::{Draft, DraftChange, DraftId};
pub use entry::{Change, ChangeKind, Entry, EntryHash, Group};
pub use invitation::Invitation;
pub use placement::Placement;
pub use revocation::{Revocation, Revoked};
pub use seal::{Seal, SealedHead};
pub use versions::{Version, VersionId};
