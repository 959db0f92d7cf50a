//! A search, in the words of the store. What FHIR's URLs and the screens ask becomes this.

use std::ops::Bound;

use ondol_kernel::{Millis, ResourceId};
use ondol_record::ChartId;

use crate::Found;

/// Which resources of one type.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The type's name.
    pub resource_type: Box<str>,
    /// Only within this chart.
    pub chart: Option<ChartId>,
    /// All of these hold.
    pub filters: Vec<Filter>,
    /// The order.
    pub order: Order,
    /// At most so many.
    pub limit: usize,
    /// Go on after this place (from [`Page::next`]).
    pub after: Option<Box<str>>,
}

/// The order of what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// In the order of arrival here, oldest first.
    #[default]
    Arrival,
    /// Newest arrival first.
    NewestArrival,
    /// By the times of a search parameter: each resource by its earliest beginning, or newest
    /// first by its latest end. What has no such time comes last, and equals in the order of
    /// arrival (newest first: the newest).
    Time {
        /// The parameter's code.
        parameter: &'static str,
        /// Newest first.
        newest_first: bool,
    },
}

/// One condition: any of the tests on one search parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// The search parameter's code, as in the definitions (`name`, `_id`, `subject` ...).
    pub parameter: Box<str>,
    /// Any of these suffices.
    pub any: Vec<Test>,
}

/// A test on the values of a search parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// A string begins with this (already folded by `ondol_fhir`'s rules).
    Prefix(Box<str>),
    /// A folded string contains this. Of strings that a store keeps by their beginning alone, all
    /// are found: whoever asks looks at the documents.
    Contains(Box<str>),
    /// A string is exactly this.
    Exact(Box<str>),
    /// A token. `system: None` accepts any; `Some("")` means one without a system. A `code` of
    /// `None` accepts any code of the system.
    Token {
        /// The system.
        system: Option<Box<str>>,
        /// The code.
        code: Option<Box<str>>,
    },
    /// A reference `Type/id`, or an absolute URL.
    Reference(Box<str>),
    /// A uri.
    Uri(Box<str>),
    /// The range of the value overlaps `from..to` (ms, end excluded).
    Overlaps {
        /// From.
        from: Millis,
        /// To, excluded.
        to: Millis,
    },
    /// The range of the value lies within `from..to`.
    Within {
        /// From.
        from: Millis,
        /// To, excluded.
        to: Millis,
    },
    /// A number lies within bounds, of a unit if one is given. The bounds are the bytes of
    /// `ondol_fhir::DecimalKey`.
    Number {
        /// From.
        from: Bound<Box<[u8]>>,
        /// To.
        to: Bound<Box<[u8]>>,
        /// The unit of a quantity.
        unit: Option<Unit>,
    },
    /// The identifier of a logical reference.
    Logical {
        /// The identifier's system; `None` accepts any, `Some("")` means none.
        system: Option<Box<str>>,
        /// Its value.
        value: Box<str>,
    },
    /// None of these holds.
    Not(Vec<Test>),
    /// Any of these holds for another parameter of the type.
    Of {
        /// The parameter's code.
        parameter: Box<str>,
        /// Any of these suffices.
        any: Vec<Test>,
    },
    /// There is a value (true), or none (false).
    Present(bool),
    /// The resource's id is this.
    Id(ResourceId),
}

/// The unit of a quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// As it is written.
    Written {
        /// The system of the code; without one, the code or the unit in words is asked.
        system: Option<Box<str>>,
        /// The code.
        code: Box<str>,
    },
    /// Whatever can be converted into this canonical unit of UCUM, in which the bounds are: see
    /// [`crate::index::canonical`].
    Canonical(Box<str>),
}

/// A resource that was found, and its place in the order.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The resource.
    pub found: Found,
    /// Its place: give it as [`Query::after`] to go on behind it.
    pub place: Box<str>,
}

/// Some of what was found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// The resources.
    pub hits: Vec<Hit>,
    /// Set when there may be more.
    pub next: Option<Box<str>>,
}
