//! Why a question about terminology is not answered. What is named here stands in a value set
//! or a code system that is held, never in what was sent.

use ondol_terms::library::LibraryError;
use thiserror::Error;

/// A question about terminology that this node cannot answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TermFault {
    /// The value set that was asked for is not here.
    #[error("this node does not hold the value set that is asked for")]
    NoSet,
    /// The code system that was asked for is not here.
    #[error(
        "this node does not hold the code system that is asked for, or not in this version: \
         load it with 'ondol terminology add'"
    )]
    NoSystem,
    /// The code system is here and does not have the code.
    #[error("the code system does not have this code")]
    NoCode,
    /// A part of the code system is here, and the code is not in it.
    #[error(
        "this node holds only a part of the code system, and the code is not in it: it may \
         still be one of its codes"
    )]
    CodeNotInPart,
    /// A value set draws from a code system that is not here.
    #[error(
        "the code system {0} is not held here, or not in the version that the value set names: \
         load it with 'ondol terminology add'"
    )]
    NeedsSystem(String),
    /// A value set draws by rules from a code system of which a part is here.
    #[error("only a part of the code system {0} is held here: what the value set has is not known")]
    NeedsWhole(String),
    /// A value set imports another one that is not here.
    #[error("the value set draws from {0}, which is not held here")]
    NeedsSet(String),
    /// A system whose codes are made by a grammar.
    #[error("the codes of {0} are without end: a code can be validated, all cannot be listed")]
    Endless(String),
    /// A rule of a value set that this server does not know, or that the system does not have.
    #[error("the filter '{property} {op}' of a value set on {system} is not understood here")]
    Filter {
        /// The system that it selects from.
        system: String,
        /// The property that it asks about.
        property: String,
        /// How.
        op: String,
    },
    /// Value sets that draw from each other.
    #[error("the value set draws from itself, by way of others or directly")]
    Circle,
    /// A value set that says neither what it draws from nor what it has.
    #[error("the value set says neither by rules nor by a whole expansion what it has")]
    Says,
    /// More than is listed in one go.
    #[error("this has more codes than are given at once: ask for a part with 'count' or 'filter'")]
    TooMany,
    /// A package cannot be read.
    #[error(transparent)]
    Library(#[from] LibraryError),
}

impl TermFault {
    /// The status of HTTP.
    pub(in crate::rest) const fn status(&self) -> u16 {
        match self {
            Self::NoSet | Self::NoSystem | Self::NoCode | Self::CodeNotInPart => 404,
            Self::Library(_) => 500,
            _ => 422,
        }
    }

    /// Our stable code of it.
    pub(in crate::rest) const fn code(&self) -> &'static str {
        match self {
            Self::NoSet => "value-set-not-held",
            Self::NoSystem | Self::NeedsSystem(_) | Self::NeedsSet(_) => "terminology-not-held",
            Self::NoCode => "code-unknown",
            Self::CodeNotInPart | Self::NeedsWhole(_) => "terminology-partly-held",
            Self::Endless(_) | Self::TooMany => "too-costly",
            Self::Filter { .. } => "filter-unsupported",
            Self::Circle => "value-set-circle",
            Self::Says => "value-set-empty",
            Self::Library(_) => "terminology-unreadable",
        }
    }

    /// The code of R4's value set `issue-type`.
    pub(in crate::rest) const fn issue_type(&self) -> &'static str {
        match self {
            Self::NoSet
            | Self::NoSystem
            | Self::NoCode
            | Self::CodeNotInPart
            | Self::NeedsSystem(_)
            | Self::NeedsWhole(_)
            | Self::NeedsSet(_) => "not-found",
            Self::Endless(_) | Self::TooMany => "too-costly",
            Self::Filter { .. } => "not-supported",
            Self::Circle | Self::Says => "processing",
            Self::Library(_) => "exception",
        }
    }
}
