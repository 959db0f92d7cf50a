//! What can go wrong with a request of the FHIR API, and how R4 answers it (R4 3.1.0.1.4).

use ondol_access::Denial;
use ondol_fhir::{
    Issue, ParseError, Resource, ResourceType, Severity,
    patch::{PatchError, Undone},
    views::{OutcomeBuilder, outcome_of},
};
use ondol_record::VersionId;
use ondol_store::StoreError;
use thiserror::Error;

pub use super::fault::{ElementFault, ParameterFault};
use super::terminology::TermFault;
use crate::AppError;

/// A request was not carried out, and nothing of it was written.
#[derive(Debug, Error)]
pub enum RestError {
    /// The use case refused it.
    #[error(transparent)]
    App(#[from] AppError),
    /// What was sent is no resource.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// A search parameter is wrong. The name is the client's own, cut to what names look like.
    #[error("the parameter '{name}' {}", fault.says())]
    Parameter {
        /// The parameter with its modifier.
        name: String,
        /// What is wrong.
        fault: ParameterFault,
    },
    /// Something at a place of what was sent is wrong.
    #[error("{expression}: {}", fault.says())]
    Element {
        /// Where, as FHIRPath.
        expression: String,
        /// What is wrong.
        fault: ElementFault,
    },
    /// There is no such resource or version here.
    #[error("no such resource here")]
    NotFound,
    /// This server does not have the type, or not this interaction with it.
    #[error("this server does not have this type or interaction")]
    NotSupported,
    /// It was taken back.
    #[error("it was taken back")]
    Gone {
        /// The version that took it back.
        version: VersionId,
    },
    /// The versions that the client has seen are not the ones that stand.
    #[error("{} version(s) stand; If-Match has to name all of them", heads.len())]
    VersionMismatch {
        /// What stands.
        heads: Vec<VersionId>,
    },
    /// A Patient is not taken back while others stand in the chart: nobody could reach them.
    #[error("other resources stand in this patient's chart: take them back first")]
    ChartInUse,
    /// Home facility and section doctor are handed on by those at home alone.
    #[error(
        "only the patient's home facility and section doctor hand the patient on to another home \
         facility or section doctor: leave managingOrganization and generalPractitioner as they are"
    )]
    NotAtHome,
    /// A patch cannot be read or carried out.
    #[error("{why}")]
    Patch {
        /// The type that it is of.
        kind: ResourceType,
        /// Why.
        #[source]
        why: PatchError,
    },
    /// A condition that asks nothing would mean whatever there is.
    #[error("the condition asks nothing: name at least one search parameter with a value")]
    NoCondition,
    /// Several resources fit where one is meant.
    #[error("more than one resource fits the condition")]
    ManyMatch,
    /// The request would look at more than is done in one go.
    #[error("this asks for too much at once: narrow the search")]
    TooCostly,
    /// A question about terminology that this node cannot answer.
    #[error(transparent)]
    Terminology(#[from] TermFault),
    /// An entry of a bundle failed.
    #[error("entry {at} of the bundle: {why}")]
    InEntry {
        /// Its place, from 0.
        at: usize,
        /// Why.
        #[source]
        why: Box<RestError>,
    },
}

impl From<StoreError> for RestError {
    fn from(why: StoreError) -> Self {
        Self::App(why.into())
    }
}

impl From<ondol_store::AppendError> for RestError {
    fn from(why: ondol_store::AppendError) -> Self {
        Self::App(why.into())
    }
}

impl From<Denial> for RestError {
    fn from(why: Denial) -> Self {
        Self::App(why.into())
    }
}

impl RestError {
    /// A parameter that is wrong.
    pub fn parameter(name: &str, fault: ParameterFault) -> Self {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_-:.".contains(c);
        // Whoever mistook a value for a name does not get it written into an error.
        let name = if (1..=64).contains(&name.len()) && name.chars().all(is_name) {
            name.to_owned()
        } else {
            "?".to_owned()
        };
        Self::Parameter { name, fault }
    }

    /// An element that is wrong.
    pub fn element(expression: impl Into<String>, fault: ElementFault) -> Self {
        Self::Element { expression: expression.into(), fault }
    }

    /// The same error as that of an entry of a bundle.
    #[must_use]
    pub fn in_entry(self, at: Option<usize>) -> Self {
        match at {
            Some(at) => Self::InEntry { at, why: Box::new(self) },
            None => self,
        }
    }

    /// The status of HTTP.
    pub fn status(&self) -> u16 {
        match self {
            Self::App(why) => app_status(why),
            Self::Parse(ParseError::TooLarge { .. }) => 413,
            Self::Patch { why, .. } => patch_status(why),
            Self::Parse(_) | Self::Parameter { .. } | Self::NoCondition => 400,
            Self::Element { fault, .. } => fault.status(),
            Self::NotFound | Self::NotSupported => 404,
            Self::Gone { .. } => 410,
            Self::ChartInUse => 409,
            Self::VersionMismatch { .. } | Self::ManyMatch => 412,
            Self::TooCostly | Self::NotAtHome => 403,
            Self::Terminology(fault) => fault.status(),
            Self::InEntry { why, .. } => why.status(),
        }
    }

    /// Our stable code of it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::App(why) => why.code(),
            Self::Parse(why) => parse_code(why),
            Self::Parameter { fault, .. } => fault.code(),
            Self::Element { fault, .. } => fault.code(),
            Self::NotFound => "not-found",
            Self::NotSupported => "not-supported",
            Self::Gone { .. } => "gone",
            Self::VersionMismatch { .. } => "version-mismatch",
            Self::ChartInUse => "chart-in-use",
            Self::NotAtHome => "not-at-home",
            Self::ManyMatch => "many-match",
            Self::Patch { why, .. } => patch_code(why),
            Self::NoCondition => "no-condition",
            Self::TooCostly => "too-costly",
            Self::Terminology(fault) => fault.code(),
            Self::InEntry { why, .. } => why.code(),
        }
    }

    /// The code of R4's value set `issue-type`.
    fn issue_type(&self) -> &'static str {
        match self {
            Self::App(why) => app_issue_type(why),
            Self::Parse(ParseError::TooLarge { .. } | ParseError::TooDeep { .. }) => "too-long",
            Self::Parse(_) => "structure",
            Self::Parameter { fault: ParameterFault::Value, .. } => "value",
            Self::Parameter { fault: ParameterFault::Missing, .. } | Self::NoCondition => {
                "required"
            }
            Self::Parameter { .. } | Self::NotSupported => "not-supported",
            Self::NotAtHome | Self::Element { fault: ElementFault::OwnSteps, .. } => "forbidden",
            Self::Element { fault: ElementFault::Moves, .. } => "business-rule",
            Self::Element { fault: ElementFault::SameTwice, .. } => "duplicate",
            Self::Element { .. } => "invalid",
            Self::NotFound => "not-found",
            Self::Gone { .. } => "deleted",
            Self::VersionMismatch { .. } | Self::ChartInUse => "conflict",
            Self::ManyMatch => "multiple-matches",
            Self::Patch { why, .. } => patch_issue_type(why),
            Self::TooCostly => "too-costly",
            Self::Terminology(fault) => fault.issue_type(),
            Self::InEntry { why, .. } => why.issue_type(),
        }
    }

    /// Where in what was sent it is, as FHIRPath.
    fn expression(&self) -> Option<String> {
        match self {
            Self::Element { expression, .. } => Some(expression.clone()),
            Self::Parse(why) => parse_path(why),
            Self::Patch { kind, why: PatchError::Undone { path, .. } } => {
                Some(path.expression(kind.name()))
            }
            Self::Parameter { name, .. } => Some(format!("http.{name}")),
            Self::InEntry { at, why } => Some(match why.expression() {
                // A path that names its own type stands inside the entry's resource.
                Some(inner) if inner.starts_with("Bundle") => inner,
                Some(inner) => format!("Bundle.entry[{at}].resource.{}", below_type(&inner)),
                None => format!("Bundle.entry[{at}]"),
            }),
            _ => None,
        }
    }

    /// The `OperationOutcome` that says it.
    pub fn outcome(&self) -> Resource {
        if let Some((issues, at)) = self.issues() {
            return outcome_of(&match at {
                Some(at) => issues.iter().map(|issue| of_entry(issue, at)).collect::<Vec<_>>(),
                None => issues.to_vec(),
            });
        }
        let mut says = self.innermost().to_string();
        if let Self::VersionMismatch { heads } = self.innermost() {
            let named: Vec<String> = heads.iter().map(|head| format!("W/\"{head}\"")).collect();
            says = format!("{says}: {}", named.join(", "));
        }
        let mut outcome = OutcomeBuilder::default();
        let expression = self.expression();
        outcome.push(Severity::Error, self.issue_type(), self.code(), &says, expression.as_deref());
        outcome.build()
    }

    fn innermost(&self) -> &Self {
        match self {
            Self::InEntry { why, .. } => why.innermost(),
            other => other,
        }
    }

    fn issues(&self) -> Option<(&[Issue], Option<usize>)> {
        match self {
            Self::App(AppError::Invalid(issues)) => Some((issues, None)),
            Self::InEntry { at, why } => why.issues().map(|(issues, _)| (issues, Some(*at))),
            _ => None,
        }
    }
}

/// `Patient.name[0]` → `name[0]`.
fn below_type(path: &str) -> &str {
    path.split_once('.').map_or(path, |(_, rest)| rest)
}

fn of_entry(issue: &Issue, at: usize) -> Issue {
    let mut issue = issue.clone();
    if !issue.location.starts_with("Bundle") {
        issue.location = format!("Bundle.entry[{at}].resource.{}", below_type(&issue.location));
    }
    issue
}

const fn app_status(why: &AppError) -> u16 {
    match why {
        AppError::Denied(_) => 403,
        AppError::SignIn(_) => 401,
        AppError::Invalid(_) | AppError::State(_) | AppError::Append(_) | AppError::Stick(_) => 422,
        AppError::Field { .. } => 400,
        AppError::NotFound => 404,
        AppError::Gone => 410,
        AppError::Conflict => 409,
        AppError::Wait { .. } => 429,
        AppError::Store(StoreError::Full) => 507,
        AppError::Store(
            StoreError::ReadOnly | StoreError::Io(_) | StoreError::Closed | StoreError::Indexing,
        ) => 503,
        AppError::Policies | AppError::Unexpected(_) | AppError::Store(_) => 500,
    }
}

const fn app_issue_type(why: &AppError) -> &'static str {
    match why {
        AppError::Denied(_) => "forbidden",
        AppError::SignIn(_) => "login",
        AppError::Invalid(_) | AppError::Append(_) | AppError::Field { .. } => "invalid",
        AppError::State(_) | AppError::Stick(_) => "business-rule",
        AppError::Wait { .. } => "throttled",
        AppError::NotFound => "not-found",
        AppError::Gone => "deleted",
        AppError::Conflict => "conflict",
        AppError::Store(StoreError::Full | StoreError::ReadOnly | StoreError::Io(_)) => "no-store",
        AppError::Store(StoreError::Indexing) => "transient",
        AppError::Policies | AppError::Unexpected(_) | AppError::Store(_) => "exception",
    }
}

const fn parse_code(why: &ParseError) -> &'static str {
    match why {
        ParseError::TooLarge { .. } => "too-large",
        ParseError::TooDeep { .. } => "too-deep",
        ParseError::Syntax { .. } => "not-json",
        ParseError::DuplicateKey { .. } => "duplicate-key",
        ParseError::ReservedKey { .. } => "reserved-key",
        ParseError::NotAnObject => "not-an-object",
        ParseError::NoResourceType => "resource-type-missing",
        ParseError::UnknownResourceType => "resource-type-unknown",
    }
}

fn parse_path(why: &ParseError) -> Option<String> {
    match why {
        ParseError::TooDeep { path, .. }
        | ParseError::Syntax { path, .. }
        | ParseError::DuplicateKey { path, .. }
        | ParseError::ReservedKey { path, .. } => (!path.is_empty()).then(|| path.clone()),
        ParseError::NoResourceType | ParseError::UnknownResourceType => {
            Some("resourceType".to_owned())
        }
        ParseError::TooLarge { .. } | ParseError::NotAnObject => None,
    }
}

const fn patch_status(why: &PatchError) -> u16 {
    match why {
        PatchError::Json(ParseError::TooLarge { .. }) | PatchError::TooMany => 413,
        PatchError::Undone { .. } => 422,
        PatchError::Json(_) | PatchError::NoList | PatchError::Operation { .. } => 400,
    }
}

const fn patch_code(why: &PatchError) -> &'static str {
    match why {
        PatchError::Json(why) => parse_code(why),
        PatchError::NoList | PatchError::Operation { .. } => "patch-form",
        PatchError::Undone { why: Undone::TestFailed, .. } => "patch-test",
        PatchError::TooMany
        | PatchError::Undone { why: Undone::TooDeep | Undone::TooLarge, .. } => "patch-too-large",
        PatchError::Undone { .. } => "patch-path",
    }
}

const fn patch_issue_type(why: &PatchError) -> &'static str {
    match why {
        PatchError::Json(ParseError::TooLarge { .. } | ParseError::TooDeep { .. })
        | PatchError::TooMany
        | PatchError::Undone { why: Undone::TooDeep | Undone::TooLarge, .. } => "too-long",
        PatchError::Json(_) | PatchError::NoList | PatchError::Operation { .. } => "structure",
        PatchError::Undone { why: Undone::TestFailed, .. } => "conflict",
        PatchError::Undone { .. } => "invalid",
    }
}
