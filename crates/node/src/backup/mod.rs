//! Backups (ADR 0017): everything that a node holds, sealed, on a stick or another disk.
//!
//! A backup is a folder of objects, each called by what it holds and sealed with the node's backup
//! key, and of snapshots, which name the objects of one moment. A run writes the objects that are
//! not there yet, then its snapshot: until that has its name, the one before it is what counts.

mod back;
mod envelope;
mod medium;
mod object;
mod records;
mod snapshot;
mod sweep;
mod take;
#[cfg(test)]
mod tests;

pub use back::{Restoring, restore};
pub use envelope::new_code;
pub use take::backup;

/// The folder on a stick or disk in which backups stand, each in a folder of its own.
const FOLDER: &str = "ondol-backup";

/// The files of a data directory that are in a backup, beside the record and its pictures. What is
/// not there is left out; the practice room and lists of an import's problems always are.
const FILES: [&str; 7] = [
    "node.key",
    "nation-root.key",
    "tls.json",
    "form.key",
    "ondol.json",
    "addresses",
    envelope::KEY_FILE,
];
