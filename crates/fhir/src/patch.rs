//! JSON Patch (RFC 6902) of resources: all six operations, within bounds. Decimals keep their
//! text, and keys that stay keep their order.
//!
//! Nothing is changed in part: an operation that cannot be done gives the whole patch up.

mod apply;
mod pointer;
mod read;

pub use apply::apply;
pub use pointer::Pointer;

use serde_json::Value;

use crate::parse::{Limits, ParseError};

/// What a patch may be at most: 1 MiB, 64 levels.
pub const LIMITS: Limits = Limits { bytes: 1 << 20, depth: Limits::RESOURCE.depth };

/// Operations of a patch at most. What changes more is sent whole.
pub const OPERATIONS_MAX: usize = 256;

/// What `copy` and `move` take along at most in one patch, counted as bytes of JSON, roughly:
/// as much as a resource may have.
pub const COPIED_MAX: usize = Limits::RESOURCE.bytes;

/// Operations, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch(Vec<Operation>);

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Operation {
    pub(crate) path: Pointer,
    pub(crate) act: Act,
}

/// What is done at the path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Act {
    Add(Value),
    Remove,
    Replace(Value),
    Move(Pointer),
    Copy(Pointer),
    Test(Value),
}

/// The names of the operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `add`
    Add,
    /// `remove`
    Remove,
    /// `replace`
    Replace,
    /// `move`
    Move,
    /// `copy`
    Copy,
    /// `test`
    Test,
}

impl Op {
    /// As RFC 6902 writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
            Self::Move => "move",
            Self::Copy => "copy",
            Self::Test => "test",
        }
    }
}

/// Why a patch was not applied. Values are never repeated, and paths only as far as they look
/// like names of elements.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// The text is no JSON within the limits.
    #[error(transparent)]
    Json(#[from] ParseError),
    /// A patch is a list of operations.
    #[error("a patch is an array of operations")]
    NoList,
    /// More than [`OPERATIONS_MAX`].
    #[error("the patch has more than {OPERATIONS_MAX} operations: send the resource whole")]
    TooMany,
    /// One operation is not written as RFC 6902 asks.
    #[error("operation {at}: {what}")]
    Operation {
        /// Its place, from 0.
        at: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// One operation cannot be done.
    #[error("operation {at} ({} {path}): {}", op.name(), why.says())]
    Undone {
        /// Its place, from 0.
        at: usize,
        /// Its name.
        op: Op,
        /// Where it was to be done, or the `from` that does not exist.
        path: Pointer,
        /// Why not.
        why: Undone,
    },
}

/// Why an operation cannot be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undone {
    /// There is nothing at the path, or nothing that could hold it.
    NoPlace,
    /// `-` or a number beyond the end of the array.
    NoIndex,
    /// The whole resource is not removed by a patch.
    Whole,
    /// Something is not moved into itself.
    IntoItself,
    /// The value there is another one.
    TestFailed,
    /// The result would be too deep.
    TooDeep,
    /// Copies are larger than [`COPIED_MAX`] in all.
    TooLarge,
}

impl Undone {
    const fn says(self) -> &'static str {
        match self {
            Self::NoPlace => "there is no such place",
            Self::NoIndex => "the array has no such index",
            Self::Whole => "the whole resource cannot be removed or moved by a patch",
            Self::IntoItself => "it cannot be moved into itself",
            Self::TestFailed => "the value there is another one",
            Self::TooDeep => "the result would be nested too deep",
            Self::TooLarge => "what is copied is too large",
        }
    }
}

impl Patch {
    /// Reads a patch: the text of `application/json-patch+json`.
    pub fn parse(bytes: &[u8]) -> Result<Self, PatchError> {
        read::read(bytes).map(Self)
    }

    /// How many operations it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it does nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn operations(&self) -> &[Operation] {
        &self.0
    }
}

#[cfg(test)]
mod tests;
