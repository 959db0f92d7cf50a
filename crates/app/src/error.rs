//! What can go wrong in a use case. Users read Fluent text by [`AppError::code`], never this.

use ondol_access::Denial;
use ondol_fhir::Issue;
use ondol_replicate::stick::BadStick;
use ondol_store::{AppendError, StoreError};
use thiserror::Error;

/// A use case was not carried out, and nothing of it was written.
#[derive(Debug, Error)]
pub enum AppError {
    /// The policies do not allow it.
    #[error("not allowed")]
    Denied(#[from] Denial),
    /// What was sent breaks the rules of FHIR; each issue names its element.
    #[error("{} element(s) are not valid", .0.len())]
    Invalid(Vec<Issue>),
    /// A field of a form is wrong: which, and why, as codes that pages have texts for.
    #[error("the field '{field}' is not right: {why}")]
    Field {
        /// The field's name in the form.
        field: &'static str,
        /// What is wrong: the last part of the Fluent key `error-…`.
        why: &'static str,
    },
    /// There is no such thing here.
    #[error("not found")]
    NotFound,
    /// It was taken back.
    #[error("it was taken back")]
    Gone,
    /// Somebody changed it in the meantime; the newest has to be looked at first.
    #[error("somebody else changed it in the meantime")]
    Conflict,
    /// It is not possible in this state (a consult that is closed, a person who has died ...):
    /// the last part of the Fluent key `state-…`.
    #[error("not possible in this state: {0}")]
    State(&'static str),
    /// Name and password, PIN or card do not fit, or the account is locked for a while.
    #[error("sign-in refused: {0}")]
    SignIn(&'static str),
    /// After wrong tries the next one has to wait.
    #[error("the next try has to wait {seconds} s")]
    Wait {
        /// How long, s.
        seconds: u32,
    },
    /// The access policies of the binary do not load: a defect of the build.
    #[error("the access policies do not load")]
    Policies,
    /// What the record holds cannot be understood: a defect, or damage.
    #[error("the record holds something unexpected: {0}")]
    Unexpected(&'static str),
    /// A stick could not be used; which sentence the user reads follows from the variant.
    #[error("the stick cannot be used")]
    Stick(#[source] BadStick),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A draft could not become entries.
    #[error(transparent)]
    Append(AppendError),
}

impl From<AppendError> for AppError {
    fn from(why: AppendError) -> Self {
        match why {
            AppendError::Store(store) => Self::Store(store),
            draft @ AppendError::Draft(_) => Self::Append(draft),
        }
    }
}

impl AppError {
    /// A stable public code: also the Fluent key `problem-…` of the sentence that users read.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Denied(_) => "denied",
            Self::Invalid(_) => "invalid",
            Self::Field { .. } => "field",
            Self::NotFound => "not-found",
            Self::Gone => "gone",
            Self::Conflict => "conflict",
            Self::State(_) => "state",
            Self::SignIn(_) => "sign-in",
            Self::Wait { .. } => "wait",
            Self::Stick(_) => "stick",
            Self::Policies | Self::Unexpected(_) => "defect",
            Self::Store(StoreError::Full) => "disk-full",
            Self::Store(StoreError::ReadOnly) => "disk-read-only",
            Self::Store(StoreError::Io(_)) => "disk-failing",
            Self::Store(_) => "store",
            Self::Append(_) => "unplaceable",
        }
    }
}
