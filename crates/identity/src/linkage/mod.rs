//! Which records are of one person: Fellegi and Sunter, 'A Theory for Record Linkage', Journal of
//! the American Statistical Association 64 (1969), with weights learnt from the records themselves
//! by EM (Dempster, Laird, Rubin 1977); nobody says which pairs are one person.
//!
//! Each field of two records agrees on one of eight [`Level`]s. How often each level is met in each
//! [`Class`] of pairs is learnt; with the frequency of what both have it gives the log-odds of being
//! one person. That there are more classes than two is from Winkler, 'Improved Decision Rules in the
//! Fellegi-Sunter Model of Record Linkage', Proceedings of the Section on Survey Research Methods
//! (1993): without them siblings are taken for one.

mod block;
mod compare;
mod decide;
mod learn;
mod model;
mod person;
mod text;
mod value;

pub use block::{Pair, candidates};
pub use compare::Level;
pub use decide::{Shape, decide};
pub use model::{Class, Model};
pub use person::{Described, person_schema};
pub use value::{Record, Value};

/// How the values of a field are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person's name, in any letters.
    Name,
    /// Other words: a street, a village, a name of another language.
    Words,
    /// Digits or a code.
    Code,
    /// A date: `YYYYMMDD`, `YYYY-MM-DD`, `YYYY-MM`, `YYYY`; after `~` it was guessed.
    Date,
}

/// A field of the records.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// What it is called.
    pub name: String,
    /// How it is compared.
    pub kind: Kind,
    /// The place of the field with which it is sometimes mixed up: given name and surname, two
    /// lines of an address. Both fields name each other.
    pub crosses: Option<usize>,
    /// Whether a value that few have is reason enough to compare two records. Never set for a
    /// surname.
    pub alone: bool,
    /// Who has it in common though they are two.
    pub shared: Shared,
    /// How often two people agree on it by chance, as far as anybody believes before anything was
    /// learnt (0 to 1). Small sets lean on it; without it the records alone count.
    pub chance: Option<f64>,
}

/// Who has a field in common though they are two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shared {
    /// Those of one household.
    pub household: bool,
    /// Namesakes: of a date they have the year in common.
    pub namesakes: bool,
}

/// The fields of the records, at most [`FIELDS_MAX`].
#[derive(Debug, Clone, PartialEq)]
pub struct Schema(Vec<Field>);

/// As many fields as a pattern of agreement holds.
pub const FIELDS_MAX: usize = 16;

/// Why fields are no schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaError {
    /// There are none, or more than [`FIELDS_MAX`].
    Count,
    /// A field crosses one that does not cross it.
    Crossing,
}

impl std::fmt::Display for SchemaError {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(match self {
            Self::Count => "too many fields, or none",
            Self::Crossing => "fields that are mixed up have to name each other",
        })
    }
}

impl std::error::Error for SchemaError {}

impl Schema {
    /// A schema of these fields.
    pub fn new(fields: Vec<Field>) -> Result<Self, SchemaError> {
        if fields.is_empty() || fields.len() > FIELDS_MAX {
            return Err(SchemaError::Count);
        }
        let names_each_other = |(at, field): (usize, &Field)| {
            let other = |to: usize| fields.get(to).is_some_and(|other| other.crosses == Some(at));
            field.crosses.is_none_or(|to| to != at && other(to))
        };
        if !fields.iter().enumerate().all(names_each_other) {
            return Err(SchemaError::Crossing);
        }
        Ok(Self(fields))
    }

    /// The fields.
    pub fn fields(&self) -> &[Field] {
        &self.0
    }

    /// A record of these texts, in the order of the fields; empty texts are missing values.
    pub fn record<S: AsRef<str>>(&self, texts: &[S]) -> Record {
        let text = |at: usize| texts.get(at).map_or("", AsRef::as_ref);
        self.0.iter().enumerate().map(|(at, field)| Value::of(field.kind, text(at))).collect()
    }
}

/// Records that are to be linked.
#[derive(Clone, Copy)]
pub struct Records<'a> {
    /// All of them.
    pub all: &'a [Record],
    /// Where the second of two lists begins, if there are two: only pairs across count.
    pub second_from: Option<usize>,
}

impl<'a> Records<'a> {
    /// One list, in which one person may stand several times.
    pub const fn one(all: &'a [Record]) -> Self {
        Self { all, second_from: None }
    }

    /// Two lists, the second from this place on.
    pub const fn two(all: &'a [Record], second_from: usize) -> Self {
        Self { all, second_from: Some(second_from) }
    }

    /// Whether two records are to be compared at all.
    pub(crate) fn is_pair(self, a: usize, b: usize) -> bool {
        a != b && self.second_from.is_none_or(|from| (a < from) != (b < from))
    }

    /// The number of all pairs.
    pub(crate) fn pairs(self) -> f64 {
        let all = real(self.all.len());
        match self.second_from {
            Some(from) => real(from) * (all - real(from)),
            None => all * (all - 1.0) / 2.0,
        }
    }
}

/// A linkage, done.
pub struct Linkage {
    /// What was learnt.
    pub model: Model,
    /// How many pairs were compared.
    pub compared: usize,
    /// The pairs that are one person.
    pub same: Vec<Pair>,
}

/// Learns from records which of them are of one person, and tells them.
pub fn link(schema: &Schema, records: Records<'_>, shape: Shape) -> Linkage {
    let pairs = candidates(schema, records);
    let model = Model::learn(schema, records, &pairs);
    let same = decide(&model, records, &pairs, shape);
    Linkage { model, compared: pairs.len(), same }
}

/// A count as a number; what is beyond 32 bits is as good as endless here.
pub(crate) fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
