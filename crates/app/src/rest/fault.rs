//! What is wrong with a parameter or an element.

/// Why a search parameter is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterFault {
    /// The type has no such parameter, or this server does not know it.
    Unknown,
    /// The parameter is known, the modifier is not, or not for its kind.
    Modifier,
    /// The value does not have the form that the parameter asks.
    Value,
    /// R4 has it, this server does not do it.
    Unsupported,
    /// It names a value set or a code system that this node does not hold whole.
    NotHeld,
    /// The operation has no such parameter.
    NotOfOperation,
    /// The operation asks for it.
    Missing,
}

impl ParameterFault {
    pub(super) const fn says(self) -> &'static str {
        match self {
            Self::Unknown => "is not a search parameter of this type here",
            Self::NotOfOperation => "is not a parameter of this operation here",
            Self::Modifier => "has a modifier that is not supported for it",
            Self::Value => "has a value of another form than it asks",
            Self::Unsupported => "is not supported by this server",
            Self::Missing => "is missing: this operation asks for it",
            Self::NotHeld => {
                "names a value set, code system or code that this node does not hold whole"
            }
        }
    }

    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Unknown | Self::NotOfOperation => "parameter-unknown",
            Self::Modifier => "modifier-unsupported",
            Self::Value => "parameter-value",
            Self::Unsupported => "parameter-unsupported",
            Self::NotHeld => "terminology-not-held",
            Self::Missing => "parameter-missing",
        }
    }
}

/// What is wrong at a place of what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementFault {
    /// `id` is missing where the request needs one.
    IdMissing,
    /// `id` is another than the address says.
    IdDiffers,
    /// The resource is of another type than the address says.
    TypeDiffers,
    /// An update would move it to another person's chart.
    Moves,
    /// It is written by its own steps only (accounts, consults, referrals, the audit).
    OwnSteps,
    /// The bundle is no transaction and no batch.
    BundleType,
    /// The entry lacks what its method needs, or has a method that is not supported.
    EntryRequest,
    /// Two entries are about the same resource.
    SameTwice,
    /// A conditional reference finds no resource, or several.
    ConditionalReference,
    /// An operation was sent something else than `Parameters`, or some without a name.
    NoParameters,
    /// What `$match` was sent is not what it takes.
    MatchParameters,
}

impl ElementFault {
    pub(super) const fn says(self) -> &'static str {
        match self {
            Self::IdMissing => "the resource needs an id here",
            Self::IdDiffers => "the id is another than the address says",
            Self::TypeDiffers => "the type is another than the address says",
            Self::Moves => {
                "an update cannot move a resource to another person's chart: \
                take it back and make a new one"
            }
            Self::OwnSteps => "this is not written over the API: it has its own steps",
            Self::BundleType => "a bundle of the type transaction or batch is expected",
            Self::EntryRequest => {
                "the entry's request is not one that this server can do, or lacks its resource"
            }
            Self::SameTwice => "another entry is about the same resource",
            Self::ConditionalReference => {
                "a conditional reference has to find exactly one resource that may be read"
            }
            Self::NoParameters => "the operation takes Parameters, each with a name",
            Self::MatchParameters => {
                "$match takes a Patient as 'resource', 'onlyCertainMatches' (boolean) and 'count' \
                (an integer above 0)"
            }
        }
    }

    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::IdMissing => "id-missing",
            Self::IdDiffers => "id-differs",
            Self::TypeDiffers => "type-differs",
            Self::Moves => "moves-chart",
            Self::OwnSteps => "own-steps",
            Self::BundleType => "bundle-type",
            Self::EntryRequest => "entry-request",
            Self::SameTwice => "same-twice",
            Self::ConditionalReference => "conditional-reference",
            Self::NoParameters => "operation-parameters",
            Self::MatchParameters => "match-parameters",
        }
    }

    pub(super) const fn status(self) -> u16 {
        match self {
            Self::IdMissing
            | Self::IdDiffers
            | Self::TypeDiffers
            | Self::BundleType
            | Self::EntryRequest
            | Self::MatchParameters
            | Self::NoParameters
            | Self::SameTwice => 400,
            Self::OwnSteps => 403,
            Self::ConditionalReference => 412,
            Self::Moves => 422,
        }
    }
}
