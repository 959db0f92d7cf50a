//! Reading terminology as it is handed about, a concept at a time: FHIR resources and bundles,
//! and tables. Nothing here holds a whole file, and what is read goes to a [`Sink`].

mod guard;
mod json;
mod layout;
mod records;
mod table;

use std::io;

use serde_json::Value;

use crate::library::{Concept, Content};

pub use json::json;
pub use layout::system_called;
pub use records::Records;
pub use table::{TableAsked, table};

/// The longest text in a file, bytes.
pub const TEXT_BYTES_MAX: usize = 1 << 20;

/// What a resource may have besides its concepts, bytes.
pub const RESOURCE_BYTES_MAX: u64 = 16 << 20;

/// A code system as a whole, once all its concepts were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemRead {
    /// Its canonical URL.
    pub url: String,
    /// Its version.
    pub version: Option<String>,
    /// What people call it.
    pub title: String,
    /// How much of it this is.
    pub content: Content,
    /// Whether codes that differ in capitals are different.
    pub case_sensitive: bool,
    /// Properties that its concepts may have.
    pub properties: Vec<String>,
}

/// A concept with its place in its system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConceptRead {
    /// What is known about it.
    pub concept: Concept,
    /// Its place in the order of the system, from 0.
    pub number: u64,
    /// Codes that it stands directly below. Some may turn out not to be there.
    pub parents: Vec<String>,
    /// Codes that stand directly below it.
    pub children: Vec<String>,
}

/// Where something cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// A code system has the code twice.
    #[error("the code {0} stands there twice")]
    Duplicate(String),
    /// More concepts than any system has.
    #[error("there are more concepts than a package may have")]
    TooMany,
    /// It cannot be written.
    #[error("the package cannot be written")]
    Write(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What takes what was read.
pub trait Sink {
    /// A code system begins; its concepts follow.
    fn begin(&mut self) -> Result<(), SinkError>;

    /// One concept of the system that began.
    fn concept(&mut self, read: ConceptRead) -> Result<(), SinkError>;

    /// The system that began is whole. Without it, what came since it began is of no system.
    fn end(&mut self, system: SystemRead) -> Result<(), SinkError>;

    /// A `ValueSet` or a `ConceptMap`.
    fn resource(&mut self, resource: Value) -> Result<(), SinkError>;
}

/// Why a file is not taken. Each is a sentence for whoever loads it.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read to its end.
    #[error("the file cannot be read to its end: it is cut short or damaged. Copy it again")]
    Read(#[source] io::Error),
    /// It is no JSON.
    #[error("line {line}, character {column}: this is not valid JSON, or is cut short")]
    Json {
        /// The line, from 1.
        line: usize,
        /// The character in it, from 1.
        column: usize,
    },
    /// It is JSON, and no resource.
    #[error("this is no FHIR resource: it has no resourceType")]
    NoResource,
    /// A code system without a URL has no name.
    #[error("line {line}: a CodeSystem or ValueSet that ends here has no url")]
    NoUrl {
        /// The line, from 1.
        line: usize,
    },
    /// A concept without a code.
    #[error("line {line}: a concept that ends here has no code")]
    NoCode {
        /// The line, from 1.
        line: usize,
    },
    /// A text is longer than any should be.
    #[error("line {line}: a text is longer than a million bytes")]
    LongText {
        /// The line, from 1.
        line: usize,
    },
    /// A resource has more besides concepts than is held at once.
    #[error(
        "line {line}: a resource that stands here is larger than 16 MB without the concepts of \
         a CodeSystem"
    )]
    LargeResource {
        /// The line, from 1.
        line: usize,
    },
    /// A line is not UTF-8.
    #[error("line {line}: this is not UTF-8. Save the table as 'CSV UTF-8' and try again")]
    Encoding {
        /// The line, from 1.
        line: usize,
    },
    /// A row has other cells than the header.
    #[error("line {line} has {found} cells, and the header has {expected}")]
    Cells {
        /// The line, from 1.
        line: usize,
        /// How many it has.
        found: usize,
        /// How many it should have.
        expected: usize,
    },
    /// A quote is not closed.
    #[error("line {line}: a text in quotes begins here and does not end")]
    Quote {
        /// The line, from 1.
        line: usize,
    },
    /// The header does not tell where the codes are.
    #[error(
        "the first line has to name the columns: one for the code ('code', 'icd10', 'atc_code', \
         'LOINC_NUM' ...) and one for the name ('title', 'name', 'description' ...)"
    )]
    Header,
    /// Nothing tells which system the codes are of.
    #[error("the table does not tell whose codes these are: say it with --system")]
    WhichSystem,
    /// There is nothing in it.
    #[error("there is no code and no value set in it")]
    Nothing,
    /// Something cannot be kept.
    #[error("line {line}: {why}")]
    Keep {
        /// The line, from 1.
        line: usize,
        /// Why.
        #[source]
        why: SinkError,
    },
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Keeps all of it in memory.
    #[derive(Default)]
    pub struct Kept {
        pub open: Vec<ConceptRead>,
        pub systems: Vec<(SystemRead, Vec<ConceptRead>)>,
        pub resources: Vec<Value>,
    }

    impl Sink for Kept {
        fn begin(&mut self) -> Result<(), SinkError> {
            self.open.clear();
            Ok(())
        }

        fn concept(&mut self, read: ConceptRead) -> Result<(), SinkError> {
            if self.open.iter().any(|known| known.concept.code == read.concept.code) {
                return Err(SinkError::Duplicate(read.concept.code));
            }
            self.open.push(read);
            Ok(())
        }

        fn end(&mut self, system: SystemRead) -> Result<(), SinkError> {
            let mut concepts = std::mem::take(&mut self.open);
            concepts.sort_by_key(|read| read.number);
            self.systems.push((system, concepts));
            Ok(())
        }

        fn resource(&mut self, resource: Value) -> Result<(), SinkError> {
            self.resources.push(resource);
            Ok(())
        }
    }

    impl Kept {
        /// `code<parent,parent` of every concept of a system.
        pub fn tree(&self, system: usize) -> Vec<String> {
            let told =
                |read: &ConceptRead| format!("{}<{}", read.concept.code, read.parents.join(","));
            self.systems[system].1.iter().map(told).collect()
        }
    }
}
