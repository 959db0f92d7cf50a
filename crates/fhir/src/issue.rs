//! What is wrong with a resource, said so that a program, a person and a log may read it.

use std::fmt;

/// How bad it is (R4 `issue-severity`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The work was stopped.
    Fatal,
    /// The content is not accepted.
    Error,
    /// Worth a look, but no obstacle.
    Warning,
    /// Good to know.
    Information,
}

impl Severity {
    /// The code of R4's value set.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Fatal => "fatal",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Information => "information",
        }
    }
}

/// What kind of problem it is: the stable code that programs and translations go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IssueCode {
    /// An element that the type does not have.
    ElementUnknown,
    /// A mandatory element is absent.
    ElementMissing,
    /// One value where the element is a list.
    ListExpected,
    /// A list where the element has one value at most.
    ListUnexpected,
    /// Another kind of JSON than the type is written in.
    JsonType,
    /// An empty object, list or string.
    Empty,
    /// A null that does not stand for an extension.
    Null,
    /// Two types of one choice together (`valueString` and `valueQuantity`).
    ChoiceTwice,
    /// The lists of values and of their extensions differ in length.
    ExtensionMisaligned,
    /// The form of a primitive value.
    Format,
    /// A code that a required binding does not allow.
    CodeUnknown,
    /// A reference to a type that is not allowed there, or that R4 does not have.
    ReferenceTarget,
    /// A resource without a `resourceType` of R4.
    ResourceTypeUnknown,
    /// An invariant of R4 does not hold.
    Invariant,
    /// An invariant could not be evaluated.
    InvariantUnchecked,
    /// There are more issues than are listed.
    TooMany,
}

impl IssueCode {
    /// The code as text. It never changes.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ElementUnknown => "element-unknown",
            Self::ElementMissing => "element-missing",
            Self::ListExpected => "list-expected",
            Self::ListUnexpected => "list-unexpected",
            Self::JsonType => "json-type",
            Self::Empty => "empty",
            Self::Null => "null",
            Self::ChoiceTwice => "choice-twice",
            Self::ExtensionMisaligned => "extension-misaligned",
            Self::Format => "format",
            Self::CodeUnknown => "code-unknown",
            Self::ReferenceTarget => "reference-target",
            Self::ResourceTypeUnknown => "resource-type-unknown",
            Self::Invariant => "invariant",
            Self::InvariantUnchecked => "invariant-unchecked",
            Self::TooMany => "too-many-issues",
        }
    }

    /// The code of R4's value set `issue-type`, for `OperationOutcome.issue.code`.
    pub const fn issue_type(self) -> &'static str {
        match self {
            Self::ElementUnknown
            | Self::ListExpected
            | Self::ListUnexpected
            | Self::JsonType
            | Self::Empty
            | Self::Null
            | Self::ChoiceTwice
            | Self::ExtensionMisaligned
            | Self::ResourceTypeUnknown => "structure",
            Self::ElementMissing => "required",
            Self::Format | Self::ReferenceTarget => "value",
            Self::CodeUnknown => "code-invalid",
            Self::Invariant => "invariant",
            Self::InvariantUnchecked => "not-supported",
            Self::TooMany => "too-long",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub code: IssueCode,
    /// Where, as FHIRPath: `Patient.contact[0].gender`, `Observation.value.ofType(Quantity)`.
    /// Keys that are not names of elements are written `?`.
    pub location: String,
    /// What it is in English. It names elements, types and allowed codes, and repeats nothing
    /// that was in the resource.
    pub diagnostics: String,
}

impl Issue {
    /// Whether the resource must not be accepted with it.
    pub const fn is_error(&self) -> bool {
        matches!(self.severity, Severity::Fatal | Severity::Error)
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.severity.code(), self.location, self.diagnostics)
    }
}
