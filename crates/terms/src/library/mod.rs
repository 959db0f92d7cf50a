//! Code systems that are held, from wherever they come: tables that are built in, resources,
//! packages on disk. Whoever asks sees them all alike.

mod concept;
mod listed;
mod starter;
mod tree;
mod words;

use std::collections::HashSet;

use serde_json::Value;

pub use concept::{Concept, Designation, Property, designation};
pub use listed::Listed;
pub use starter::{KOREAN, STARTER_SETS, starter_set, starter_system};
pub use tree::{above, below, is_below};
pub use words::{Words, folded_names};

/// How much of a code system is held (R4 `codesystem-content-mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// All of it.
    Complete,
    /// Some of it: what is not here may still be one of its codes.
    Part,
}

/// What is known about a code system as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its canonical URL.
    pub url: String,
    /// Its version, if it is known.
    pub version: Option<String>,
    /// What people call it.
    pub title: String,
    /// How much of it is held.
    pub content: Content,
    /// Whether codes that differ in capitals are different.
    pub case_sensitive: bool,
}

/// What a package cannot be read for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LibraryError {
    /// The file is not what it was when it was loaded.
    #[error("the terminology package {package} is damaged: add it again from its file")]
    Damaged {
        /// The package.
        package: String,
    },
    /// The machine cannot read it.
    #[error("the terminology packages cannot be read")]
    Unreadable,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visit {
    /// To the next one.
    On,
    /// No further.
    Enough,
}

/// A code system that is held.
pub trait System {
    /// What is known about it as a whole.
    fn head(&self) -> &Head;

    /// The concept of a code.
    fn concept(&self, code: &str) -> Result<Option<Concept>, LibraryError>;

    /// The codes that it stands directly below.
    fn parents(&self, code: &str) -> Result<Vec<String>, LibraryError>;

    /// The codes that stand directly below it.
    fn children(&self, code: &str) -> Result<Vec<String>, LibraryError>;

    /// Whether any concept has this property, or the system says that they may.
    fn knows_property(&self, property: &str) -> Result<bool, LibraryError>;

    /// Every concept that has one of these codes (all if none are given) and fits the words, in
    /// the system's own order.
    fn each(
        &self,
        codes: Option<&HashSet<String>>,
        words: &Words,
        visit: &mut dyn FnMut(Concept) -> Visit,
    ) -> Result<(), LibraryError>;
}

/// Packages of terminology.
pub trait Library: Send + Sync {
    /// A code system by its canonical URL, of a version if one is given.
    fn system<'a>(
        &'a self,
        url: &str,
        version: Option<&str>,
    ) -> Result<Option<Box<dyn System + 'a>>, LibraryError>;

    /// A `ValueSet` by its canonical URL, of a version if one is given.
    fn value_set(&self, url: &str, version: Option<&str>) -> Result<Option<Value>, LibraryError>;
}

/// No packages.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLibrary;

impl Library for NoLibrary {
    fn system<'a>(
        &'a self,
        _: &str,
        _: Option<&str>,
    ) -> Result<Option<Box<dyn System + 'a>>, LibraryError> {
        Ok(None)
    }

    fn value_set(&self, _: &str, _: Option<&str>) -> Result<Option<Value>, LibraryError> {
        Ok(None)
    }
}
